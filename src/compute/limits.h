/* What a processor can do at most: loops that do nothing but what bounds a product of matrices.
 * `nextoken bench` holds everything else against them. */
#ifndef NT_COMPUTE_LIMITS_H
#define NT_COMPUTE_LIMITS_H

#include <stddef.h>
#include <stdint.h>

/* Each runs in the calling thread alone. */
typedef struct nt_limits {
    const char *isa;
    /* Reads bytes [n] once, as `streams` parts side by side (NT_LIMIT_STREAMS has those that may
     * be fastest); returns what depends on every byte. */
    uint64_t (*read)(const void *bytes, size_t n, size_t streams);
    /* Fused multiply-adds on float32; returns how many operations that were: two each. */
    double (*multiply)(size_t turns);
    /* Products of tiles in AMX, counted in the same way; NULL: processor or system has none. */
    double (*amx_bf16)(size_t turns), (*amx_int8)(size_t turns);
    double (*amx_f32)(size_t turns); /* of float32 in three terms: six products of bf16 are one */
} nt_limits;

enum { NT_LIMIT_STREAMS = 4 };
extern const size_t nt_limit_streams[NT_LIMIT_STREAMS];

/* Those of an instruction set that this processor runs, by its name ("avx512"). */
nt_limits nt_cpu_limits(const char *isa);

#endif
