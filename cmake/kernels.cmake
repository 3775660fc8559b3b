# One file an instruction set, each with its own flags, chosen at start by src/compute/cpu.
file(GLOB cpu_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/compute/cpu/*.c)
list(FILTER cpu_sources EXCLUDE REGEX "kernels_avx512\\.c$")
list(APPEND sources ${cpu_sources})
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  set(avx512 ${CMAKE_SOURCE_DIR}/src/compute/cpu/kernels_avx512.c)
  if(EXISTS ${avx512})
    list(APPEND sources ${avx512})
    set_source_files_properties(${avx512} PROPERTIES COMPILE_OPTIONS
      "-mavx512f;-mavx512bw;-mavx512vl;-mavx512dq;-mavx2;-mfma;-mf16c;-O3")
  endif()
endif()
