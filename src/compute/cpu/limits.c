/* Which limits an instruction set has, and those of plain C. */
#include "compute/cpu/limits.h"

#include <math.h>
#include <string.h>

const size_t nt_limit_streams[NT_LIMIT_STREAMS] = {16, 8, 4, 1};

static uint64_t read_plain(const void *bytes, size_t n, size_t streams) {
    uint64_t sum = 0;
    size_t skip = -(uintptr_t)bytes % sizeof sum;
    const uint64_t *words = (const void *)((const char *)bytes + skip);
    size_t n_words = n < skip ? 0 : (n - skip) / sizeof sum, each = n_words / streams;
    for (size_t i = 0; i < each; i++)
        for (size_t s = 0; s < streams; s++)
            sum ^= words[s * each + i];
    for (size_t i = each * streams; i < n_words; i++)
        sum ^= words[i];
    return sum;
}

/* As the reference kernels contract: by fmaf, which may be a call. */
static double multiply_plain(size_t turns) {
    enum { SUMS = 8 };
    float sum[SUMS] = {0};
    for (size_t k = 0; k < turns; k++)
        for (size_t i = 0; i < SUMS; i++)
            sum[i] = fmaf(sum[i], 0.999f, 0.999f);
    __asm__ volatile("" : : "m"(sum));
    return (double)turns * SUMS * 2;
}

static const nt_limits *const known[] = {
#ifdef NT_HAVE_AVX512
    &nt_limits_avx512,
#endif
#ifdef NT_HAVE_AVX2
    &nt_limits_avx2,
#endif
#ifdef NT_HAVE_NEON
    &nt_limits_neon,
#endif
    NULL,
};

nt_limits nt_cpu_limits(const char *isa) {
    nt_limits limits = {.isa = "ref", .read = read_plain, .multiply = multiply_plain};
    if (strcmp(isa, "ref") == 0) return limits;
    bool amx = strcmp(isa, "amx") == 0; /* AVX-512, and tiles */
    for (const nt_limits *const *l = known; *l; l++)
        if (strcmp((*l)->isa, amx ? "avx512" : isa) == 0) limits = **l;
    if (amx) limits.isa = "amx";
#ifdef NT_HAVE_AMX_LIMITS
    bool bf16, int8;
    if (nt_tiles_ready(&bf16, &int8)) {
        limits.amx_bf16 = bf16 ? nt_tiles_bf16 : NULL;
        limits.amx_f32 = bf16 ? nt_tiles_f32 : NULL;
        limits.amx_int8 = int8 ? nt_tiles_int8 : NULL;
    }
#endif
    return limits;
}
