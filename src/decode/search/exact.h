/* Inside exact search: what its files share. exact.c is the search, exact_first.c finds what is to
 * be beaten, exact_look.c makes children of a row of logits, exact_rows.c gets the rows. */
#ifndef NT_DECODE_EXACT_H
#define NT_DECODE_EXACT_H

#include "decode/search/frontier.h"
#include "decode/search/kept.h"
#include "decode/search/search.h"
#include "trace/candidates.h"

enum {
    NT_EXACT_BATCH = 16,    /* rows that one call of the model gives, at most */
    NT_EXACT_LIVE = 64,     /* prefixes whose sequences are held besides the prompt's, at most */
    NT_EXACT_FIRST = 16,    /* children that the first look at a prefix makes */
    NT_EXACT_MOST = 1 << 20 /* prefixes in memory */
};

/* How much is held and done at once. Results do not depend on it. */
typedef struct nt_exact_room {
    size_t batch, live; /* 0 < batch <= NT_EXACT_BATCH, batch <= live <= NT_EXACT_LIVE */
    size_t most;        /* prefixes in memory */
} nt_exact_room;

typedef struct nt_exact_sequence {
    int32_t prefix, sequence;
    uint64_t used;  /* when, for which to drop */
    uint64_t begun; /* the batch that made it */
} nt_exact_sequence;

/* Rows of logits: the prompt's, and a few that are waiting to be looked at. */
typedef struct nt_exact_rows {
    nt_exact_room room;
    int32_t root;                          /* the prompt's sequence; -1: none */
    nt_exact_sequence live[NT_EXACT_LIVE]; /* [n_live] */
    size_t n_live;
    int32_t brief[NT_EXACT_BATCH]; /* [n_brief] sequences of one step */
    size_t n_brief;
    int32_t who[NT_EXACT_BATCH + 1]; /* whose row; -1: nobody's. The prompt's is the first */
    float *logits;                   /* [batch + 1, V] */
    float *unguided;                 /* [batch + 1, V]; NULL without guidance */
    int32_t *ids;                    /* [batch, max_new] */
    uint64_t clock, n_batches;
} nt_exact_rows;

typedef struct nt_exact_child {
    nt_prefix prefix;
    const char *reason; /* NULL: it goes on */
} nt_exact_child;

typedef struct nt_exact {
    nt_search *search;
    const nt_plan *plan;
    size_t V;
    nt_ends ends; /* without a deadline: time says nothing about a prefix */
    nt_processors processors;
    nt_exact_rows rows;
    nt_prefix *prefixes; /* [n] */
    size_t n, capacity;
    nt_frontier frontier;
    nt_best_kept kept;
    bool all;      /* all that reach kept.least are wanted */
    double passed; /* the largest sum of what was left out as too unlikely */
    bool first;    /* finding what is to be beaten: the unlikely is made too */
    bool stopped;  /* by the text callback */

    /* for one look */
    int32_t *ids; /* [n_prompt + max_new] */
    nt_pick *picks;
    nt_exact_child *children; /* [n_children] */
    int32_t *watch;
    nt_candidate *watched;
    size_t n_children, capacity_picks, capacity_children, capacity_watch, capacity_watched;

    nt_proof proof;
} nt_exact;

/* nt_search_exact with less room than it takes. */
int nt_search_exact_in(nt_search *search, const nt_exact_room *room);

/* exact.c */
/* What a sum must reach to count still. */
double nt_exact_floor(const nt_exact *x);
/* Whether one more prefix may be looked at; says in the proof why not. */
bool nt_exact_may_look(nt_exact *x);
/* Tells the caller how many were looked at; greedy decoding runs to its end whatever the limit. */
void nt_exact_progress(const nt_exact *x);

/* exact_rows.c: begin runs the prompt; free it also when that failed. */
int nt_exact_rows_begin(nt_exact *x, const nt_exact_room *room);
void nt_exact_rows_free(nt_exact *x);
/* Gets the rows of prefixes wanted [n], n <= batch, in one call of the model, unless that of the
 * first is there already. */
int nt_exact_rows_load(nt_exact *x, const int32_t *wanted, size_t n);
/* A row that is there, until it is given back. */
const float *nt_exact_row(const nt_exact *x, int32_t prefix, const float **unguided);
void nt_exact_row_done(nt_exact *x, int32_t prefix);

/* exact_look.c: makes the next children of a prefix whose row is there, in order: those whose sum
 * reaches floor, and no more than `most`. Errors: NUMERIC, MEMORY, CANCELLED. */
int nt_exact_look(nt_exact *x, int32_t prefix, size_t most, double floor);
/* How many children the first look at a prefix makes. */
size_t nt_exact_most(const nt_exact *x, int32_t prefix);

/* exact_first.c: greedy decoding and beam search, through the same prefixes. */
int nt_exact_first(nt_exact *x);

#endif
