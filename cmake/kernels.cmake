# One file an instruction set, each with its own flags, chosen at start by src/compute/cpu/select.c.
# Included where the part "compute" collects its `sources`.
file(GLOB cpu_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/compute/cpu/*.c)
list(FILTER cpu_sources EXCLUDE REGEX "/kernels_[a-z0-9]+\\.c$")
list(APPEND sources ${cpu_sources} ${CMAKE_SOURCE_DIR}/src/compute/cpu/kernels_ref.c)
set(NEXTOKEN_KERNELS) # NT_HAVE_... for the sets that this build holds beside the reference
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  set(avx512 ${CMAKE_SOURCE_DIR}/src/compute/cpu/kernels_avx512.c)
  list(APPEND sources ${avx512})
  list(APPEND NEXTOKEN_KERNELS NT_HAVE_AVX512)
  # Unrolled vector code under every check of the sanitizers compiles for minutes: there it keeps
  # those of addresses and threads, and little optimisation.
  set(optimise -O3)
  if(CMAKE_C_FLAGS MATCHES "-fsanitize")
    set(optimise -O1 -fno-sanitize=undefined)
  endif()
  set_source_files_properties(${avx512} PROPERTIES COMPILE_OPTIONS
    "-mavx512f;-mavx512bw;-mavx512vl;-mavx512dq;-mavx2;-mfma;${optimise}")
endif()
set_property(SOURCE ${CMAKE_SOURCE_DIR}/src/compute/cpu/select.c
  APPEND PROPERTY COMPILE_DEFINITIONS ${NEXTOKEN_KERNELS})
