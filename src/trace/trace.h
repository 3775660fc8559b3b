/* The trace: what a job saw and did, step by step. The one structure between decoding and scoring,
 * which write it, and the views, which only read it. Public as the opaque nt_result. Its memory
 * is bounded by tokens, steps and candidates kept, never by the vocabulary. */
#ifndef NT_TRACE_TRACE_H
#define NT_TRACE_TRACE_H

#include "base/arena.h"
#include "base/math.h"
#include "nextoken.h"
#include "trace/vocab.h"

typedef struct nt_trace_step {
    nt_step step;
    nt_candidate *candidates; /* [n_candidates] in order of processed_prob, then prob, then id */
    size_t n_candidates;
    nt_candidate *demoted; /* [n_demoted] of the n_candidates likeliest by raw logit those that are
                              not among candidates, by raw logit */
    size_t n_demoted;
} nt_trace_step;

typedef struct nt_fact { /* one line of INFO */
    const char *key;
    const char *text; /* NULL: `number` holds the value */
    double number;
    bool is_bool;
} nt_fact;

/* Tensors whose names differ in the numbers between their points alone. */
typedef struct nt_trace_group {
    const char *name;            /* "h.*.ln_1.weight"; of one tensor its own */
    const nt_tensor_info *first; /* type and shape are those of all, unless */
    bool other_types, other_shapes;
    size_t n;
    uint64_t n_numbers, n_bytes;
} nt_trace_group;

typedef struct nt_trace_groups {
    nt_trace_group *items; /* [n] */
    size_t n;
} nt_trace_groups;

struct nt_result {
    nt_arena arena; /* owns all that the pointers below point to */
    nt_vocab vocab; /* in use while the trace is written; views do not need it */
    nt_result_kind kind;

    /* the heading that every view carries */
    const char *model, *precision, *isa;
    bool bos;            /* a BOS was put before the text */
    double milliseconds; /* of the whole job */

    nt_token *tokens; /* prompt, or all tokens of TOKENS, TEXT, SCORE */
    size_t n_tokens;
    const char *text; /* TOKENS, TEXT; "" otherwise */
    size_t n_text;

    int32_t n_vocab; /* V: what the last row of a table of candidates is the rest of */
    nt_trace_step *steps;
    size_t n_steps, capacity_steps;

    nt_output *outputs;
    size_t n_outputs, capacity_outputs;

    const char *method; /* of GENERATE and STEPS; NULL otherwise */
    bool seeded;
    uint64_t seed;
    nt_effort effort;

    nt_beam *beams; /* of searches that go on from more than one place */
    size_t n_beams, capacity_beams;
    nt_trace_step *rows;
    size_t n_rows, capacity_rows;
    nt_proof *proof; /* of an exact search; NULL otherwise */

    const nt_option_info *option; /* of EXPLAIN; of the table, which outlives all */
    const char *option_value;
    nt_result *inner[2]; /* owned */
    size_t n_inner;

    nt_scored *scored; /* [n_tokens] of SCORE, else NULL */
    size_t prompt_len; /* tokens left out of the sums */
    nt_totals totals;
    nt_versus_token *versus; /* [n_tokens] of VERSUS, else NULL */
    nt_versus_totals versus_totals;
    unsigned by; /* of SCORE: NT_BY_ bits */
    nt_correction correction;
    nt_unit *words, *chars; /* [n_words], [n_chars]; NULL when not asked for */
    size_t n_words, n_chars;
    size_t window, stride, n_windows; /* of a text that needed windows; 0 otherwise */
    nt_continuation *continuations;   /* [n_continuations] in the order given */
    size_t n_continuations;

    nt_compared *compared; /* [n_compared] of COMPARED and COUNTS */
    size_t n_compared, capacity_compared;
    nt_stretch *stretches;
    size_t n_stretches, capacity_stretches;
    nt_counted *counted;
    size_t n_counted, capacity_counted;

    nt_tensor_view *tensors;
    size_t n_tensors, capacity_tensors;

    nt_layer_cell *layer_cells; /* [n_layers, n_tokens] of INSPECT with layers, else NULL */
    nt_token *layer_next;       /* [n_tokens] what comes next */
    size_t n_layers, n_layer_choices;
    nt_head_weights *attentions;
    size_t n_attentions, capacity_attentions;

    nt_fact *facts;
    size_t n_facts, capacity_facts;

    nt_tensor_info *infos; /* [n_infos] of TENSORS */
    size_t n_infos;
    nt_trace_groups groups; /* of TENSORS and INFO */
    const char *against;    /* of DIFF: the name of b; NULL otherwise */
    nt_tensor_diff *diffs;  /* [n_diffs] */
    size_t n_diffs;
    nt_diff_sum *sums; /* [n_sums] */
    size_t n_sums;
    nt_measured *measured; /* [n_measured] of BENCH */
    size_t n_measured, capacity_measured;
    nt_bench_info *bench; /* NULL elsewhere */
    size_t *ranking;      /* [n_ranking] the CHANGED of diffs, by how much */
    size_t n_ranking;
    nt_trace_groups only_a, only_b;
};

/* An empty trace. vocab NULL: tokens have no bytes and show as their ids. */
int nt_trace_new(nt_result **out, nt_result_kind kind, const nt_vocab *vocab);
/* One line of a bench; its name and values are copied. */
int nt_trace_add_measured(nt_result *trace, const nt_measured *line);
/* Copies the heading's strings. */
int nt_trace_head(nt_result *trace, const char *model, const char *precision, const char *isa);

/* A copy of a string in the trace; "" for NULL. */
int nt_trace_string(const char **out, nt_result *trace, const char *string);

/* Token id with its bytes copied into the trace. */
int nt_trace_token(nt_token *out, nt_result *trace, int32_t id);
/* The prompt: ids [n]; starts, ends [n] or NULL. */
int nt_trace_set_tokens(nt_result *trace, const int32_t *ids, const size_t *starts,
                        const size_t *ends, size_t n);
int nt_trace_set_text(nt_result *trace, const char *text, size_t n);

/* A row of logits on its way through the processors. */
typedef struct nt_stage {
    const char *option;  /* whose work this is; NULL: no processor's (the raw row, log_softmax) */
    const float *logits; /* [V], -inf: removed */
} nt_stage;

/* What a step saw. */
typedef struct nt_sight {
    const nt_stage *stages; /* [n_stages] raw first, n_stages > 0; the last holds what counts */
    size_t n_stages;
    size_t V;
    size_t k;              /* candidates to keep; more than V means V */
    const int32_t *watch;  /* [n_watch] ids that the caller wants told of too, */
    nt_candidate *watched; /* [n_watch] out: here */
    size_t n_watch;
    /* nt_softmax_of the first and the last stage where the caller has them; NULL: he has not */
    const nt_softmax *raw_sum, *last_sum;
} nt_sight;

/* Adds a step. chosen: the id taken, or -1. Its candidate is filled whether or not it is among the
 * k. Changes of a candidate are the stages with an option whose logit differs from that of the
 * stage before; where no stage has an option, what is processed is what is raw, but for
 * processed_logit. The step's index counts all steps, draw is NaN, beam and drafted -1: a search
 * that knows better sets them. On failure the trace is as it was. Errors: NUMERIC (logits that are
 * not finite numbers, or no id is left), RANGE (an id outside the vocabulary), MEMORY. */
int nt_trace_add_step(nt_result *trace, const nt_sight *sight, int32_t chosen);
/* The same into rows, for searches that choose later. */
int nt_trace_add_row(nt_result *trace, const nt_sight *sight);
/* Appends a beam; its candidate's changes must be of this trace (watched ones are). */
int nt_trace_add_beam(nt_result *trace, const nt_beam *beam);
/* Behind the outputs of a search with beams: the steps of each output from row and beam to row and
 * beam, chosen filled from the beams; they share their candidates with the rows. Outputs without a
 * beam have none. */
int nt_trace_follow_beams(nt_result *trace);

/* Puts steps of several sequences that were made side by side in order of sequence; those of one
 * sequence stay in the order they came. */
int nt_trace_sort_steps(nt_result *trace);

/* Adds one output; its ids, text and finish_reason are copied. */
int nt_trace_add_output(nt_result *trace, const nt_output *output);

/* One tokenizer and its tokens, copied: ids [n] with the bytes that `vocab` has for them. */
int nt_trace_add_compared(nt_result *trace, const char *model, const nt_vocab *vocab,
                          const int32_t *ids, const size_t *starts, const size_t *ends, size_t n);
/* Cuts the text where all of them cut it; after the last nt_trace_add_compared. */
int nt_trace_set_stretches(nt_result *trace);
/* One file; n_tokens [n_compared] is copied. */
int nt_trace_add_counted(nt_result *trace, const nt_counted *counted);

/* An array of the trace's own, zeroed, [shape]; *data is for the writer. */
int nt_trace_add_tensor(float **data, nt_result *trace, const char *name, size_t n_dims,
                        const size_t *shape);
int nt_trace_fact_text(nt_result *trace, const char *key, const char *text);
int nt_trace_fact_number(nt_result *trace, const char *key, double number);
int nt_trace_fact_bool(nt_result *trace, const char *key, bool value);

#endif
