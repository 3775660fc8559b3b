/* What the files of this part share: the text that tokens spell, and the steps of words and
 * characters within nt_scoring_begin, _row and _finish. */
#ifndef NT_SCORE_PARTS_H
#define NT_SCORE_PARTS_H

#include "base/math.h"
#include "score/score.h"

enum { NT_MARK_CHAR = 1, NT_MARK_WHITE = 2 }; /* a character begins here; it is white space */

/* The bytes of the tokens one after the other, specials left out; only while a scoring begins. */
typedef struct nt_spelling {
    const nt_result *trace;
    const size_t *byte_at; /* [n_tokens + 1] */
    char *bytes;           /* [byte_at[n_tokens]] */
    uint8_t *marks;        /* the same */
} nt_spelling;

/* Errors: UNSUPPORTED (a token without bytes), MEMORY. Free also what failed. */
int nt_spelling_new(nt_spelling *out, nt_scoring *scoring);
void nt_spelling_free(nt_spelling *spelling);

bool nt_token_is_special(const nt_result *trace, size_t i);
/* A special token at the very front is the BOS that the text is given. */
bool nt_token_is_bos(const nt_result *trace, size_t i);

/* What follows from the sums; the standard errors are left out (NaN). */
nt_totals nt_totals_of(double logprob, size_t n_counted, size_t n_bytes);

/* Where in the text a unit stands: from byte `from` of token i to byte `to` of token j. */
void nt_unit_place(nt_unit *unit, const nt_result *trace, size_t i, size_t from, size_t j,
                   size_t to);
bool nt_unit_counted(const nt_unit *unit, const nt_result *trace);

enum nt_ask { /* what the correction of words asks of a row */
              NT_ASK_NOTHING,
              NT_ASK_OPEN,  /* the mass of tokens that open a word */
              NT_ASK_CLOSED /* that of tokens that do not, and EOS */
};

int nt_words_begin(nt_scoring *scoring, const nt_spelling *spelling);
void nt_words_row(nt_scoring *scoring, size_t t, const float *logits, const nt_softmax *sum);
void nt_words_finish(nt_scoring *scoring);

int nt_chars_begin(nt_scoring *scoring, const nt_spelling *spelling);
/* The bytes of token i, given the row before it. */
void nt_chars_row(nt_scoring *scoring, size_t i, const float *logits, const nt_softmax *sum);
void nt_chars_finish(nt_scoring *scoring);

/* What stood to choose at the place of token i, from the row before it. */
void nt_alternatives_row(nt_scoring *scoring, size_t i, const float *logits, const nt_softmax *sum);
int nt_alternatives_finish(nt_scoring *scoring);

#endif
