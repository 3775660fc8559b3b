/* A vocabulary in the form that it has in memory, as constants of the program: opening it costs
 * nothing. tools/mkimage writes it at build time; GPT-2's is part of the library. */
#ifndef NT_TEXT_IMAGE_H
#define NT_TEXT_IMAGE_H

#include "text/subword/bpe.h"
#include "text/vocab/lexicon.h"

/* What an image begins with: how many of everything, and where each table lies, in bytes from the
 * image's start. The tables are those of nt_lexicon, nt_merges and nt_bpe_tables. Numbers are in
 * the byte order of the machine, which is little-endian. */
typedef struct nt_image {
    uint64_t seed;
    uint64_t n_pieces, n_text, n_slots, n_ids;
    uint64_t pieces, text, slots, by_id;
    uint64_t n_merge_slots, n_ranks, filter_shift;
    uint64_t merge_slots, filter, wholes;
    uint64_t byte_pairs, byte_joints, joints, inner_ids;
    int32_t byte_ids[256], fallback_ids[256];
    int32_t meta_id;
    uint32_t all_bytes, plain;
    uint32_t end_id; /* of <|endoftext|> */
} nt_image;
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "images are little-endian");

/* Points lexicon (GPT-2's tokens, each spelled for the byte-level decoder) and bpe, as
 * nt_bpe_finish leaves it, at the constants, which nobody may write to: nt_lexicon_add is refused,
 * nt_lexicon_spell does nothing, freeing leaves them alone. Returns the id of <|endoftext|>, whose
 * piece is marked as added token number 0 (its `added` is 1): whoever takes the image lists that
 * one token, and no other, in its nt_added, and does not call nt_added_add. */
uint32_t nt_gpt2_image(nt_lexicon *lexicon, nt_bpe *bpe);

#endif
