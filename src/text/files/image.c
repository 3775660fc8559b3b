#include "text/files/image.h"

#include <string.h>

/* The file that tools/mkimage wrote, byte by byte. */
__asm__(".pushsection .rodata\n"
        ".balign 64\n"
        ".globl nt_gpt2_image_bytes\n"
        ".hidden nt_gpt2_image_bytes\n"
        ".type nt_gpt2_image_bytes, %object\n"
        "nt_gpt2_image_bytes:\n"
        ".incbin \"" NT_GPT2_IMAGE "\"\n"
        ".size nt_gpt2_image_bytes, . - nt_gpt2_image_bytes\n"
        ".popsection\n");
extern const nt_image nt_gpt2_image_bytes __attribute__((visibility("hidden")));

static void *table(uint64_t offset) {
    return (void *)((uintptr_t)&nt_gpt2_image_bytes + offset);
}

static void take_bpe(nt_bpe *bpe, const nt_image *image) {
    bpe->merges = (nt_merges){
        .slots = table(image->merge_slots),
        .mask = image->n_merge_slots - 1,
        .filter = table(image->filter),
        .filter_shift = (unsigned)image->filter_shift,
        .wholes = table(image->wholes),
        .capacity = image->n_ranks,
        .n_ranks = (uint32_t)image->n_ranks,
        .seed = image->seed,
        .borrowed = true,
    };
    bpe->tables = (nt_bpe_tables){
        .byte_pairs = table(image->byte_pairs),
        .byte_joints = table(image->byte_joints),
        .joints = table(image->joints),
        .inner_ids = table(image->inner_ids),
    };
    bpe->borrowed = true;
    memcpy(bpe->byte_ids, image->byte_ids, sizeof bpe->byte_ids);
    memcpy(bpe->fallback_ids, image->fallback_ids, sizeof bpe->fallback_ids);
    bpe->all_bytes = image->all_bytes;
    bpe->plain = image->plain;
    bpe->meta_id = image->meta_id;
    bpe->n_pieces = image->n_pieces;
}

uint32_t nt_gpt2_image(nt_lexicon *lexicon, nt_bpe *bpe) {
    const nt_image *image = &nt_gpt2_image_bytes;
    *lexicon = (nt_lexicon){
        .pieces = table(image->pieces),
        .n = image->n_pieces,
        .capacity = image->n_pieces,
        .n_indexed = image->n_pieces,
        .text = {.data = table(image->text), .n = image->n_text, .capacity = image->n_text},
        .slots = table(image->slots),
        .mask = image->n_slots - 1,
        .by_id = table(image->by_id),
        .n_ids = image->n_ids,
        .ids_capacity = image->n_ids,
        .seed = image->seed,
        .borrowed = true,
    };
    take_bpe(bpe, image);
    return image->end_id;
}
