/* The lane: a stretch of text whose words a scanner finds (split/scan.h) and whose tokens are
 * byte-level BPE's, with words that were seen before answered from a cache. */
#ifndef NT_TEXT_LANE_H
#define NT_TEXT_LANE_H

#include "text/lane/cache.h"
#include "text/split/scan.h"
#include "text/subword/subword.h"
#include "text/tokens.h"

typedef struct nt_lane {
    nt_scan_kind kind;     /* NT_SCAN_NONE: this tokenizer has no lane */
    bool add_prefix_space; /* as the files say */
} nt_lane;

typedef struct nt_lane_work {
    nt_cache cache;
    nt_buffer prefixed; /* the first words of a stretch with the space before them */
    nt_buffer spelled;  /* a word as the file's vocabulary writes it */
} nt_lane_work;         /* all zero is empty */

void nt_lane_work_free(nt_lane_work *work);

/* Appends the tokens of stretch [n], which begins at byte `origin` of the text. n_model: the
 * lexicon's first so many pieces are the model's own. */
int nt_lane_encode(nt_tokens *out, const nt_lane *lane, const nt_subword *subword,
                   const nt_lexicon *lexicon, size_t n_model, nt_lane_work *work,
                   nt_bpe_work *bpe_work, const char *stretch, size_t n, size_t origin,
                   bool add_prefix_space);

#endif
