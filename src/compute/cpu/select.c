/* Which instruction sets this build holds and this machine can run. */
#include "compute/cpu/amx.h"
#include "compute/cpu/kernels.h"

/* Best first. A machine that runs one of the list runs all that stand after it. */
static const nt_kernels *const known[] = {
#ifdef NT_HAVE_AMX
    &nt_kernels_amx,
#endif
#ifdef NT_HAVE_AVX512
    &nt_kernels_avx512,
#endif
#ifdef NT_HAVE_AVX2
    &nt_kernels_avx2,
#endif
#ifdef NT_HAVE_NEON
    &nt_kernels_neon,
#endif
    &nt_kernels_ref,    NULL,
};

/* __builtin_cpu_supports reads cpuid, and for AVX and AVX-512 also XGETBV: a system that does not
 * save the wide registers counts as a processor that lacks them. */
#ifdef NT_HAVE_AVX2
static bool have_avx2(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
           __builtin_cpu_supports("f16c");
}

static bool have_avx512(void) {
    return have_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
}
#endif

/* NEON belongs to every 64-bit Arm processor, and the compiler uses it everywhere. */
static bool can_run(const nt_kernels *kernels) {
#ifdef NT_HAVE_AMX
    if (kernels == &nt_kernels_amx) return have_avx512() && nt_amx_usable();
#endif
#ifdef NT_HAVE_AVX512
    if (kernels == &nt_kernels_avx512) return have_avx512();
#endif
#ifdef NT_HAVE_AVX2
    if (kernels == &nt_kernels_avx2) return have_avx2();
#endif
    (void)kernels;
    return true;
}

const nt_kernels *const *nt_cpu_kernels(void) {
    const nt_kernels *const *best = known;
    while (!can_run(*best))
        best++;
    return best;
}
