/* A vocabulary in the form that it has in memory, as constants of the program: opening it costs
 * nothing. tools/mkimage writes it at build time; GPT-2's is part of the library. */
#ifndef NT_TEXT_IMAGE_H
#define NT_TEXT_IMAGE_H

#include "text/files/sections.h"

/* What an image begins with: how many of everything, and where each table lies, in bytes from the
 * image's start. The tables are those of nt_lexicon, nt_merges and nt_bpe_tables. Numbers are in
 * the byte order of the machine, which is little-endian. */
typedef struct nt_image {
    uint64_t seed;
    uint64_t n_pieces, n_text, n_slots, n_ids;
    uint64_t pieces, text, slots, by_id;
    uint64_t n_merge_slots, n_ranks, filter_shift;
    uint64_t merge_slots, filter, wholes;
    uint64_t n_lefts; /* [n_ranks] bytes: how many of a merge's content are its left side's */
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

/* A vocabulary and its merges as a folder has them. */
typedef struct nt_pair_of_files {
    nt_passage vocab;  /* {"token": id, ...} */
    nt_passage merges; /* merges.txt, or an array as in tokenizer.json */
    bool lines;        /* merges.txt */
} nt_pair_of_files;

/* Whether these are GPT-2's, every token, id and merge compared; then lexicon and bpe are taken
 * from the image as files would have filled them, and nt_bpe_finish is not called: no token is
 * marked, any may be, and more may be added (nt_lexicon_own). Else both are as before, and so they
 * are on failure (MEMORY). bpe has neither prefix nor suffix. */
int nt_image_take(bool *taken, nt_lexicon *lexicon, nt_bpe *bpe, const nt_pair_of_files *files);

#endif
