/* The insides of nt_bench: bench.c (rounds, and what they come to), bench_jobs.c (what is
 * measured, and how), bench_limits.c (what it is held against), bench_text.c (a text to cut into
 * tokens), bench_machine.c (how quiet the machine is). */
#ifndef NT_BENCH_H
#define NT_BENCH_H

#include "compute/limits.h"
#include "wiring.h"

enum { NT_BENCH_MOST = 32, NT_BENCH_BATCHED = 32 };

/* Bytes of the process. */
typedef struct nt_bench_memory_use {
    bool told;                /* by the system */
    double own, mapped, peak; /* of its own, of mapped files, the most of both so far */
} nt_bench_memory_use;

typedef struct nt_bench_state nt_bench_state;
typedef struct nt_bench_work nt_bench_work;

/* One line in the making. */
struct nt_bench_work {
    /* One round of it, *value in the line's unit; NULL: what is known once and for all. */
    int (*run)(nt_bench_state *b, nt_bench_work *work, double *value);
    nt_measured line;
    double *values; /* [n] */
    size_t *rounds; /* [n] in which round each was taken */
    size_t n, capacity, n_rounds, capacity_rounds;
    double spent; /* seconds */

    int reading, multiplying; /* the works that are its limits; -1: none */
    int against;              /* the one that it is compared with; -1: none */
    bool is_cost;             /* the ratio is the other's rate over its own */
    double per_pass;          /* what of the unit one pass over the weights gives */
    double known;             /* the value where nothing runs */

    nt_session *session;
    const char *bytes; /* [n_bytes] to read; NULL: the model's matrices */
    size_t n_bytes, streams;
    double (*loop)(size_t turns); /* arithmetic, so many turns at a time */
    size_t turns;
};

struct nt_bench_state {
    nt_result *trace;
    nt_session *session, *alone; /* alone: of one thread; NULL where session has no more */
    const nt_model *model;
    const nt_network *network;
    nt_bench_options options;
    nt_callbacks callbacks; /* cancel alone */
    nt_limits limits;
    int threads;
    size_t V, context;
    double step, row; /* seconds of a step of one sequence, and of one row of a prompt */
    uint64_t sink;    /* what was read, so that it is */

    nt_bench_work works[NT_BENCH_MOST];
    size_t n_works;
    int reading[2], multiplying[2]; /* limits of all threads, and of one */

    int32_t *ids; /* [n_ids] of no text */
    size_t n_ids;
    float *logits; /* [NT_BENCH_BATCHED, V] */
    int32_t batch[NT_BENCH_BATCHED];
    size_t n_batch, n_batch_prompt; /* sequences that hold prompts of their own */
    void *small, *huge;             /* memory of the model's size on pages of either kind */
    nt_buffer text;
    bool tokenizes;             /* the text can be cut into tokens */
    nt_bench_memory_use memory; /* after the first decoding */
};

/* ---- bench_jobs.c ---- */

/* Checks that all ways of decoding give the same, and measures roughly what things take. */
int nt_bench_prepare(nt_bench_state *b);
/* Fills works with what was asked for. */
int nt_bench_plan(nt_bench_state *b);
void nt_bench_put_away(nt_bench_state *b);
/* The next work, with everything that lines have in common. */
nt_bench_work *nt_bench_add(nt_bench_state *b, nt_bench_job job, const char *name,
                            nt_bench_unit unit,
                            int (*run)(nt_bench_state *b, nt_bench_work *work, double *value));

/* ---- bench_limits.c ---- */

/* Bytes of the matrices that every step reads: all but the tables of embeddings, of which it takes
 * rows. A tied head is the table of embeddings, and is read. by_type: as much is added to each. */
double nt_bench_step_bytes(const nt_network *network, double by_type[NT_N_DTYPES]);
double nt_bench_bytes(const nt_network *network);
/* Operations for rows at positions [from, from + n) of a text, and logits of `wanted` of them. */
double nt_bench_flops(const nt_network *network, size_t from, size_t n, size_t wanted);
/* Adds those that jobs are held against, and where limits were asked for all of them. */
void nt_bench_plan_limits(nt_bench_state *b);

/* ---- bench_text.c ---- */

/* About n bytes of made-up English: words as often as they are in a language, from a handful of
 * common ones to many that come once. */
int nt_bench_text(nt_buffer *out, size_t n);

/* ---- bench_machine.c ---- */

/* What the system has counted so far. */
typedef struct nt_bench_clock {
    double seconds;             /* on a clock */
    double busy, stolen, total; /* of all processors, in seconds; NaN: unknown */
    double own;                 /* of this process and its children that ended */
} nt_bench_clock;
nt_bench_clock nt_bench_now(void);

void nt_bench_memory(nt_bench_memory_use *out);
/* Whether at least nine tenths of memory [n] are on huge pages. */
bool nt_bench_is_huge(const void *memory, size_t n);
/* Bytes that could be had without swapping; 0: unknown. */
double nt_bench_available(void);
/* Into room [n]: the processor's name, "" where nobody tells; how many there are online. */
int32_t nt_bench_processor(char *room, size_t n);

#endif
