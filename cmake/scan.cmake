# The scanners of src/text/split once more for AVX2, chosen when the program runs; not with a compiler
# that cannot ask a processor for LZCNT, as clang 14 cannot.
include(CheckCSourceCompiles)
check_c_source_compiles("int main(void) { return __builtin_cpu_supports(\"lzcnt\"); }"
  NT_ASKS_FOR_LZCNT)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64" AND NT_ASKS_FOR_LZCNT)
  set_property(SOURCE ${CMAKE_SOURCE_DIR}/src/text/split/scan_avx2.c
    APPEND PROPERTY COMPILE_OPTIONS -mavx2 -mbmi -mbmi2 -mpopcnt -mlzcnt)
  set_property(SOURCE ${CMAKE_SOURCE_DIR}/src/text/split/scan.c
    APPEND PROPERTY COMPILE_DEFINITIONS NT_SCAN_AVX2)
endif()
