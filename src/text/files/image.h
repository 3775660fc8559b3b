/* A vocabulary in the form that it has in memory, as constants of the program: opening it costs
 * nothing. tools/mkimage writes it at build time; GPT-2's is part of the library. */
#ifndef NT_TEXT_IMAGE_H
#define NT_TEXT_IMAGE_H

#include "text/subword/bpe.h"
#include "text/vocab/lexicon.h"

/* What an image begins with: how many of everything, and where each table lies, in bytes from the
 * image's start. The tables are those of nt_lexicon and nt_merges. */
typedef struct nt_image {
    uint64_t seed;
    uint64_t n_pieces, n_text, n_slots, n_ids, n_pairs;
    uint64_t pieces, text, slots, by_id, keys, values;
    uint64_t n_ranks;
} nt_image;

/* Points lexicon (GPT-2's tokens, each spelled for the byte-level decoder) and merges at the
 * constants, which nobody may write to: nt_lexicon_add is refused, nt_lexicon_spell does nothing,
 * freeing leaves them alone. The piece of <|endoftext|> is marked as added token number 0 (its
 * `added` is 1): whoever takes the image lists that one token, and no other, in its nt_added, and
 * does not call nt_added_add. The bytes' tokens nt_bpe_finish finds as ever. */
void nt_gpt2_image(nt_lexicon *lexicon, nt_bpe *bpe);

#endif
