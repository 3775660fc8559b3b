/* How fast AMX multiplies tiles that are in registers already. Six sums and two operands: as many
 * sums as hide the latency of a product, which is three times what it takes. */
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "compute/cpu/amx/tiles.h"
#include "compute/cpu/limits.h"

enum {
    REQUEST_PERMISSION = 0x1023, /* arch_prctl's ARCH_REQ_XCOMP_PERM, */
    TILE_DATA = 18,              /* and what is asked for */
    SUMS = 6
};

bool nt_tiles_ready(bool *bf16, bool *int8) {
    unsigned a, b, c, d = 0;
    *bf16 = *int8 = false;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(d >> 24 & 1)) return false;
    if (syscall(SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA) != 0) return false;
    *bf16 = d >> 22 & 1;
    *int8 = d >> 25 & 1;
    return true;
}

/* Eight tiles of sixteen rows, all zero. */
static void begin(void) {
    tiles_ready(TILE);
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    _tile_zero(4);
    _tile_zero(5);
    _tile_zero(6);
    _tile_zero(7);
}

/* Turns of one product for each sum; `depth` numbers are added up in each. Returns operations. */
#define MULTIPLY(dot, turns, depth)                                                                \
    begin();                                                                                       \
    for (size_t i = 0; i < (turns); i++) {                                                         \
        dot(0, 6, 7);                                                                              \
        dot(1, 6, 7);                                                                              \
        dot(2, 6, 7);                                                                              \
        dot(3, 6, 7);                                                                              \
        dot(4, 6, 7);                                                                              \
        dot(5, 6, 7);                                                                              \
    }                                                                                              \
    _tile_release();                                                                               \
    return (double)(turns)*SUMS * 2 * TILE * TILE * (depth)

double nt_tiles_bf16(size_t turns) {
    MULTIPLY(_tile_dpbf16ps, turns, 32);
}

double nt_tiles_f32(size_t turns) {
    return nt_tiles_bf16(turns) / 6;
}

double nt_tiles_int8(size_t turns) {
    MULTIPLY(_tile_dpbssd, turns, 64);
}
