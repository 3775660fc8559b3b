/* What scoring needs to know of a vocabulary: which ids open a word, and which begin with the same
 * bytes. Made once, then only read, by any number of threads. */
#ifndef NT_SCORE_LEXIS_H
#define NT_SCORE_LEXIS_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "trace/vocab.h"

typedef enum nt_opening {                   /* how an id begins */
                          NT_OPENS_SPACE,   /* U+0020 */
                          NT_OPENS_EOS,     /* it is an EOS, and does not begin with U+0020 */
                          NT_OPENS_WHITE,   /* other white space (Unicode's White_Space) */
                          NT_OPENS_REST,    /* other bytes */
                          NT_OPENS_NOTHING, /* no bytes, or a special token that is no EOS */
                          NT_N_OPENINGS
} nt_opening;

typedef struct nt_lexis {
    const nt_vocab *vocab; /* NULL: ids without bytes */
    size_t V;
    uint8_t *opens;   /* [V] nt_opening */
    int32_t *classes; /* [V] all ids: those of one opening after those of the one before */
    size_t class_at[NT_N_OPENINGS + 1]; /* opening o has classes [class_at[o], class_at[o + 1]) */
    int32_t *sorted; /* [n_sorted] ids with bytes, specials left out, in order of their bytes */
    size_t n_sorted;
} nt_lexis;

/* vocab (may be NULL) and eos [n_eos] are ids' meanings; vocab must outlive the lexis. Ids of eos
 * outside V are no EOS of this model. */
int nt_lexis_new(nt_lexis **out, const nt_vocab *vocab, size_t V, const int32_t *eos, size_t n_eos);
void nt_lexis_free(nt_lexis *lexis);

/* Unicode's White_Space. */
bool nt_is_white(int32_t code);

#endif
