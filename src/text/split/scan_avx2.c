/* The scanners for processors with AVX2, BMI and POPCNT; empty where the build does not give this
 * file their flags (cmake/scan.cmake). */
#if defined(__AVX2__) && defined(__BMI2__) && defined(__POPCNT__)
#    define NT_SCAN_BLOCKS nt_scan_blocks_avx2
#    include "text/split/scan_block.h"
#else
typedef int nt_scan_avx2_is_not_built;
#endif
