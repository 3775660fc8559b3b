/* Scoring: the log-probability of given tokens, and of the words and characters that they make.
 * Rows of logits come from outside, in any order and on any thread: a table in a test is as good as
 * a network. */
#ifndef NT_SCORE_SCORE_H
#define NT_SCORE_SCORE_H

#include "score/lexis.h"
#include "trace/candidates.h"
#include "trace/trace.h"

/* One text on its way from rows of logits to a trace. */
typedef struct nt_scoring {
    nt_result *trace;
    const nt_lexis *lexis;
    size_t V;
    size_t *byte_at; /* [n_tokens + 1] where a token's bytes begin; special tokens have none */
    uint8_t *asks;   /* [n_tokens] words: what the correction asks of the row behind token t */
    double *borders; /* [n_tokens] words: log-probability that what it asks for follows */
    double *bytes;   /* characters: log-probability of each byte; NaN: none yet */
    size_t k;        /* alternatives at each place; 0: none are kept */
    nt_pick *picks;  /* [n_tokens, k] room for finding them */
} nt_scoring;

/* Prepares scoring the tokens of a trace (kind SCORE, tokens set): all that rows will fill, in the
 * trace's arena. by: NT_BY_ bits (0: NT_BY_TOKEN). prompt_len tokens at the start (at least 1: the
 * first has nothing before it) are left out of the sums. lexis may be NULL where neither words nor
 * characters are asked for. Errors: ARGUMENT (prompt_len above the number of tokens, by or
 * correction unknown), RANGE (an id outside V), UNSUPPORTED (words or characters of tokens without
 * bytes), MEMORY. */
int nt_scoring_begin(nt_scoring *scoring, nt_result *trace, const nt_lexis *lexis, size_t V,
                     unsigned by, nt_correction correction, size_t prompt_len);
/* Keeps the k likeliest ids at each place (more than V means V) as the trace's steps, one a token:
 * chosen is the token that stands there. Called between begin and the first row. Without a row a
 * step has no candidates. Errors: MEMORY. */
int nt_scoring_keep(nt_scoring *scoring, size_t k);
/* How many rows there are to give: n_tokens, less the last one where nothing is asked of it. */
size_t nt_scoring_n_rows(const nt_scoring *scoring);
/* The row of token t: logits [V] of what follows it. Threads may give different rows at once. A row
 * that is never given leaves NaN, and its token out of the sums. */
void nt_scoring_row(nt_scoring *scoring, size_t t, const float *logits);
/* Sums in double, in order; words and characters. Errors: NUMERIC (a row held NaN, +infinity or
 * nothing but -infinity), MEMORY. */
int nt_scoring_finish(nt_scoring *scoring);

/* Which of a text's given endings is the likeliest: each scored [n] trace (kind SCORE, finished)
 * holds a text with one ending, counted from prompt_len on. Fills the continuations of a trace
 * (kind CONTINUATIONS); what it keeps is copied. texts [n] zero-ended. Errors: ARGUMENT (an ending
 * without tokens of its own, or one whose first token has nothing before it), MEMORY. */
int nt_continuations_from(nt_result *trace, nt_result *const *scored, const char *const *texts,
                          size_t n);

/* log softmax(logits [V])[id]; NaN where the logits are not finite numbers. */
double nt_logprob_of(const float *logits, size_t V, int32_t id);

#endif
