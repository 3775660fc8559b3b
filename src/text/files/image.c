#include "text/files/image.h"

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

void nt_gpt2_image(nt_lexicon *lexicon, nt_bpe *bpe) {
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
    bpe->merges = (nt_merges){
        .keys = table(image->keys),
        .values = table(image->values),
        .mask = image->n_pairs - 1,
        .n_ranks = (uint32_t)image->n_ranks,
        .seed = image->seed,
        .borrowed = true,
    };
}
