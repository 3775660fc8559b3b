# The scanners of src/text/split once more for AVX2, chosen when the program runs.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  set_property(SOURCE ${CMAKE_SOURCE_DIR}/src/text/split/scan_avx2.c
    APPEND PROPERTY COMPILE_OPTIONS -mavx2 -mbmi -mbmi2 -mpopcnt -mlzcnt)
  set_property(SOURCE ${CMAKE_SOURCE_DIR}/src/text/split/scan.c
    APPEND PROPERTY COMPILE_DEFINITIONS NT_SCAN_AVX2)
endif()
