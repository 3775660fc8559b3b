/* nextoken_bench.h: how fast a model runs on this machine, beside what the machine can do at most.
 * Part of nextoken.h, which includes it; the rules and letters there hold here too. */
#ifndef NEXTOKEN_BENCH_H
#define NEXTOKEN_BENCH_H

#include "nextoken.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What is measured; bits to be joined. */
typedef enum nt_bench_job {
    NT_BENCH_LIMITS = 1,    /* the machine: reading memory, multiplying */
    NT_BENCH_DECODE = 2,    /* one sequence, token by token */
    NT_BENCH_PROMPT = 4,    /* a prompt as a whole */
    NT_BENCH_SCORE = 8,     /* many texts */
    NT_BENCH_BEAMS = 16,    /* five beams */
    NT_BENCH_BATCH = 32,    /* sequences side by side */
    NT_BENCH_TOKENIZE = 64, /* text to ids */
    NT_BENCH_START = 128,   /* a program's start, where `start` is given */
    NT_BENCH_MEMORY = 256,  /* of the process, after decoding */
    NT_BENCH_ALL = 511
} nt_bench_job;

typedef struct nt_bench_options {
    size_t size;
    unsigned jobs;  /* of nt_bench_job; 0: all. Limits that a job is held against come with it */
    int32_t rounds; /* 0: as many as `seconds` have room for, and three at least */
    double seconds; /* 0: 20, and more for a model whose step takes longer than 20 ms */
    const nt_callbacks *callbacks;
    /* Starts a program and returns the seconds until its first output; below 0: it failed. NULL:
     * NT_BENCH_START is left out. */
    double (*start)(void *payload);
    void *payload; /* of start */
} nt_bench_options;
#define NT_BENCH_OPTIONS_INIT                                                                      \
    { .size = sizeof(nt_bench_options) }

/* Measures by turns: each round does every job once, so that what slows the machine for a while
 * slows all alike. Outputs are checked before anything is timed: ids decoded step by step, in a
 * batch and by the whole prompt must be the same. Cancelled, it ends well with what was measured
 * so far, and *out says so. Errors: NUMERIC (outputs that differ), CONTEXT (a context too short to
 * measure in), CANCELLED (before anything was measured), MEMORY. */
NT_API int nt_bench(nt_result **out, nt_session *session, const nt_bench_options *options);

typedef enum nt_bench_unit {
    NT_UNIT_GIGABYTES, /* 10^9 bytes a second */
    NT_UNIT_GIGAFLOPS, /* 10^9 operations a second; a fused multiply-add is two */
    NT_UNIT_TOKENS,    /* a second */
    NT_UNIT_STEPS,     /* a second */
    NT_UNIT_MEGABYTES, /* 10^6 bytes a second */
    NT_UNIT_SECONDS,
    NT_UNIT_BYTES
} nt_bench_unit;

/* One line of a bench. */
typedef struct nt_measured {
    nt_bench_job job;
    const char *name; /* "one sequence" */
    nt_bench_unit unit;
    const double *values; /* [n_values] one a round, in order */
    size_t n_values;
    double median, low, high; /* quartiles; of limits the best of a round's passes is its value */
    double spread;            /* (high - low) / median */
    int32_t threads;
    size_t n_sequences, n_prompt, n_new; /* 0: says nothing here */
    double n_bytes;                      /* of weights that a step or a pass must read */
    double n_flops;                      /* that it must do */
    int64_t limit;   /* index of the limit that it comes to first if nothing else took time; -1 */
    double share;    /* of that limit; NaN: none */
    int64_t against; /* index of the line that `ratio` is about; -1: none */
    double ratio;    /* how many times as fast; of beams: what a step costs in steps of one
                        sequence. Median of the rounds' own ratios; NaN: none */
} nt_measured;

/* The machine, and how quiet it was. */
typedef struct nt_bench_info {
    const char *processor; /* "": the system does not tell */
    int32_t n_processors, threads;
    const char *storage;      /* types of the weights: "F32", "Q4_0 + F32" */
    uint64_t n_weight_bytes;  /* that a step of one sequence reads */
    double seconds;           /* that it took */
    double load;              /* the system's load average at the beginning; NaN: unknown */
    double steal, others;     /* share of all processors' time that a host, and that other processes
                                 took; NaN: unknown */
    bool whole;               /* not cancelled */
    const char *const *notes; /* [n_notes] what makes the figures less than they seem */
    size_t n_notes;
} nt_bench_info;

NT_API size_t nt_result_n_measured(const nt_result *result);
NT_API const nt_measured *nt_result_measured(const nt_result *result, size_t i);
/* Of BENCH; NULL elsewhere. */
NT_API const nt_bench_info *nt_result_bench(const nt_result *result);
/* "decode"; NULL for what is no single job. */
NT_API const char *nt_bench_job_name(nt_bench_job job);

#ifdef __cplusplus
}
#endif
#endif
