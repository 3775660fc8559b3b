/* nextoken_versus.h: one text seen by two: two models, two precisions, or one model under two sets
 * of options. Part of nextoken.h, which includes it; the rules and letters there hold here too. */
#ifndef NEXTOKEN_VERSUS_H
#define NEXTOKEN_VERSUS_H

#include "nextoken.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One of the two. */
typedef struct nt_side {
    size_t size;
    nt_session *session;
    /* Its probabilities are those after these processors and, where do_sample is on, warpers; NULL:
     * the model's own. */
    const struct nt_generate_options *generate;
    const char *label; /* how views call it; NULL: the model's path, and the options */
} nt_side;

typedef struct nt_versus_options {
    size_t size;
    size_t prompt_len; /* tokens at the start that are conditioned on and left out of the sums */
    const nt_callbacks *callbacks;
} nt_versus_options;
#define NT_VERSUS_OPTIONS_INIT                                                                     \
    { .size = sizeof(nt_versus_options) }

/* How likely a text is to a and to b, token by token; what changes is meant as from a to b. Both
 * must have the same vocabulary and cut the text in the same tokens. Memory: some rows of logits of
 * each. Errors: UNSUPPORTED (other vocabularies; guidance_scale, which has no row to be led by),
 * CONTEXT, and those of nt_score. */
NT_API int nt_versus(nt_result **out, const nt_side *a, const nt_side *b, const nt_prompt *prompt,
                     const nt_versus_options *options);

/* Token i given those before it, by a ([0]) and by b ([1]). */
typedef struct nt_versus_token {
    double logprob[2]; /* -INFINITY: its processors took it out; NaN for the first token */
    double entropy[2]; /* nats */
    int64_t rank[2];   /* 1 + how many ids were likelier; 0 for the first token, and for one that is
                          out */
    double
        divergence[2]; /* Kullback-Leibler, nats: [0] the mean under a of log p_a - log p_b, [1]
                          the same from b; INFINITY where one has taken out what the other keeps */
    nt_token likeliest[2];
    double likeliest_prob[2];
    bool counted; /* part of the sums */
} nt_versus_token;

typedef struct nt_versus_totals {
    nt_totals side[2];
    const char *label[2];
    double divergence[2];     /* means over the counted tokens where they are finite */
    double divergence_max[2]; /* NaN where none is */
    size_t n_infinite[2];     /* counted tokens where they are not */
    size_t n_flips;           /* where another id is the likeliest */
    double agreement;         /* share of the counted tokens where it is the same */
} nt_versus_totals;

/* Of VERSUS, one entry a token of nt_result_token; NULL past the end and for other kinds. */
NT_API const nt_versus_token *nt_result_versus(const nt_result *result, size_t i);
NT_API const nt_versus_totals *nt_result_versus_totals(const nt_result *result);

#ifdef __cplusplus
}
#endif
#endif
