# One file an instruction set, each with its own flags, chosen at start by src/compute/cpu/select.c.
# Included where the part "compute" collects its `sources`.
file(GLOB cpu_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/compute/cpu/*.c)
list(FILTER cpu_sources EXCLUDE REGEX "/(kernels|limits)_[a-z0-9]+\\.c$")
list(APPEND sources ${cpu_sources} ${CMAKE_SOURCE_DIR}/src/compute/cpu/kernels_ref.c)

# nt_kernels(<set> <flags>..): src/compute/cpu/kernels_<set>.c, known to select.c as NT_HAVE_<SET>,
# and limits_<set>.c where there is one.
macro(nt_kernels set)
  list(APPEND sources ${CMAKE_SOURCE_DIR}/src/compute/cpu/kernels_${set}.c)
  if(EXISTS ${CMAKE_SOURCE_DIR}/src/compute/cpu/limits_${set}.c)
    list(APPEND sources ${CMAKE_SOURCE_DIR}/src/compute/cpu/limits_${set}.c)
  endif()
  # Unrolled vector code under every check of the sanitizers compiles for minutes: there it keeps
  # those of addresses and threads, and little optimisation; and a debugger may lose its variables.
  if(CMAKE_C_FLAGS MATCHES "-fsanitize")
    set(optimise -O1 -fno-sanitize=undefined -fno-var-tracking)
  else()
    set(optimise -O3)
  endif()
  set_source_files_properties(${CMAKE_SOURCE_DIR}/src/compute/cpu/kernels_${set}.c
    ${CMAKE_SOURCE_DIR}/src/compute/cpu/limits_${set}.c
    PROPERTIES COMPILE_OPTIONS "${ARGN};${optimise}")
  string(TOUPPER ${set} upper)
  list(APPEND NEXTOKEN_KERNELS NT_HAVE_${upper})
endmacro()

set(NEXTOKEN_KERNELS) # the sets that this build holds beside the reference
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  set(avx512 -mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx2 -mfma)
  # A model of AMX's tiles in C (src/compute/cpu/amx/tiles.h) in their place: a thousand times
  # slower, and runs wherever AVX-512 does.
  option(NEXTOKEN_AMX_MODEL "Compute in a model of AMX's tiles, to test what uses them" OFF)
  nt_kernels(amx ${avx512} -mamx-tile -mamx-bf16 $<$<BOOL:${NEXTOKEN_AMX_MODEL}>:-DNT_AMX_MODEL>)
  nt_kernels(avx512 ${avx512})
  nt_kernels(avx2 -mavx2 -mfma -mf16c)
  # What AMX could do is measured wherever the processor has it, also by sets that do not use it.
  list(APPEND sources ${CMAKE_SOURCE_DIR}/src/compute/cpu/limits_tiles.c)
  set_source_files_properties(${CMAKE_SOURCE_DIR}/src/compute/cpu/limits_tiles.c
    PROPERTIES COMPILE_OPTIONS "-mamx-tile;-mamx-bf16;-mamx-int8")
  list(APPEND NEXTOKEN_KERNELS NT_HAVE_AMX_LIMITS)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
  nt_kernels(neon)
endif()
set_property(SOURCE ${CMAKE_SOURCE_DIR}/src/compute/cpu/select.c
  ${CMAKE_SOURCE_DIR}/src/compute/cpu/limits.c ${CMAKE_SOURCE_DIR}/src/compute/cpu/kernels_amx.c
  ${CMAKE_SOURCE_DIR}/src/compute/cpu/kernels_avx512.c
  APPEND PROPERTY COMPILE_DEFINITIONS ${NEXTOKEN_KERNELS})
