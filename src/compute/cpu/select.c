/* Which instruction sets this build holds and this machine can run. */
#include "compute/cpu/kernels.h"

/* __builtin_cpu_supports reads cpuid, and for AVX and AVX-512 also XGETBV: a system that does not
 * save the wide registers counts as a processor that lacks them. */
#ifdef NT_HAVE_AVX512
static bool have_avx512(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("fma") && __builtin_cpu_supports("avx2");
}
#endif

const nt_kernels *const *nt_cpu_kernels(void) {
#ifdef NT_HAVE_AVX512
    static const nt_kernels *const with_avx512[] = {&nt_kernels_avx512, &nt_kernels_ref, NULL};
    if (have_avx512()) return with_avx512;
#endif
    static const nt_kernels *const plain[] = {&nt_kernels_ref, NULL};
    return plain;
}
