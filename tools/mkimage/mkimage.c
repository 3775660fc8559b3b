/* Writes a vocabulary as src/text/files/image.c takes it into the library:
 * mkimage FOLDER OUTPUT, where FOLDER holds vocab.json and merges.txt. Built and run by the build
 * itself, for the machine that the library is for, so that its byte order and layout are right. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "text/files/image.h"
#include "text/files/sections.h"
#include "text/vocab/byte_level.h"

enum { ALIGNMENT = 64 };
/* Any number does: the keys are GPT-2's, and nobody else's. */
static const uint64_t seed = 0x6E657874746F6B65u;

static int read_folder(nt_lexicon *lexicon, nt_bpe *bpe, const char *folder) {
    char *vocab = nt_path_join(folder, "vocab.json"), *merges = nt_path_join(folder, "merges.txt");
    int status = vocab && merges ? NT_OK : NT_E_MEMORY;
    if (status == NT_OK) status = nt_read_vocab_file(lexicon, vocab);
    if (status == NT_OK) status = nt_read_merges_file(bpe, lexicon, merges);
    nt_free(vocab);
    nt_free(merges);
    return status;
}

/* What each token decodes to, what BPE knows of them, and which one is an added token. */
static int finish(nt_lexicon *lexicon, nt_bpe *bpe, uint32_t *end_id) {
    static const char end[] = "<|endoftext|>";
    NT_TRY(nt_bpe_finish(bpe, lexicon));
    NT_TRY(nt_byte_level_spell(lexicon));
    nt_piece *piece = nt_lexicon_find(lexicon, end, sizeof end - 1);
    if (!piece) return nt_fail(NT_E_FORMAT, "the vocabulary has no token %s", end);
    piece->added = 1;
    *end_id = piece->id;
    return bpe->merges.slots ? NT_OK : nt_fail(NT_E_UNSUPPORTED, "the merges cannot be packed");
}

typedef struct output {
    const nt_lexicon *lexicon;
    const nt_bpe *bpe;
    uint32_t end_id;
} output;

/* Appends a table on a border of its own; returns where it lies. */
static uint64_t put(nt_buffer *out, const void *items, size_t n, size_t size) {
    while (out->n % ALIGNMENT && out->status == NT_OK)
        nt_buffer_putc(out, 0);
    uint64_t at = out->n;
    nt_buffer_put(out, items, n * size);
    return at;
}

static void put_lexicon(nt_image *image, nt_buffer *out, const nt_lexicon *lexicon) {
    image->n_pieces = lexicon->n;
    image->n_text = lexicon->text.n;
    image->n_slots = lexicon->mask + 1;
    image->n_ids = lexicon->n_ids;
    image->pieces = put(out, lexicon->pieces, image->n_pieces, sizeof *lexicon->pieces);
    image->text = put(out, lexicon->text.data, image->n_text, 1);
    image->slots = put(out, lexicon->slots, image->n_slots, sizeof *lexicon->slots);
    image->by_id = put(out, lexicon->by_id, image->n_ids, sizeof *lexicon->by_id);
}

/* Of each merge the bytes of its left side, which fit into one byte in GPT-2's. */
static int put_lefts(nt_image *image, nt_buffer *out, const nt_merges *merges,
                     const nt_lexicon *lexicon) {
    uint8_t *n_lefts = nt_alloc(merges->n_ranks, 1);
    if (!n_lefts) return NT_E_MEMORY;
    int status = NT_OK;
    for (size_t i = 0; i <= merges->mask; i++) {
        uint64_t slot = merges->slots[i];
        if (slot == UINT64_MAX) continue;
        uint32_t left = (uint32_t)(slot >> (NT_PACKED_RANK_BITS + NT_PACKED_ID_BITS));
        uint32_t n = nt_lexicon_at(lexicon, left)->n_content;
        if (n > UINT8_MAX) status = nt_fail(NT_E_UNSUPPORTED, "a merge's left side is too long");
        n_lefts[slot & ((1 << NT_PACKED_RANK_BITS) - 1)] = (uint8_t)n;
    }
    image->n_lefts = put(out, n_lefts, merges->n_ranks, 1);
    nt_free(n_lefts);
    return status;
}

static void put_bpe(nt_image *image, nt_buffer *out, const nt_bpe *bpe) {
    const nt_merges *merges = &bpe->merges;
    const nt_bpe_tables *tables = &bpe->tables;
    image->n_merge_slots = merges->mask + 1;
    image->n_ranks = merges->n_ranks;
    image->filter_shift = merges->filter_shift;
    size_t n_filter = (size_t)1 << (64 - merges->filter_shift - 6);
    image->merge_slots = put(out, merges->slots, image->n_merge_slots, sizeof *merges->slots);
    image->filter = put(out, merges->filter, n_filter, sizeof *merges->filter);
    image->wholes = put(out, merges->wholes, image->n_ranks, sizeof *merges->wholes);
    image->byte_pairs = put(out, tables->byte_pairs, 65536, sizeof *tables->byte_pairs);
    image->byte_joints = put(out, tables->byte_joints, 1024, sizeof *tables->byte_joints);
    image->joints = put(out, tables->joints, NT_BPE_JOINTS / 64, sizeof *tables->joints);
    image->inner_ids = put(out, tables->inner_ids, NT_BPE_CODES, sizeof *tables->inner_ids);
    memcpy(image->byte_ids, bpe->byte_ids, sizeof image->byte_ids);
    memcpy(image->fallback_ids, bpe->fallback_ids, sizeof image->fallback_ids);
    image->meta_id = bpe->meta_id;
    image->all_bytes = bpe->all_bytes;
    image->plain = bpe->plain;
}

static int fill(void *payload, int fd) {
    const output *it = payload;
    nt_image image = {.seed = seed, .end_id = it->end_id};
    nt_buffer out = {0};
    nt_buffer_put(&out, (const char *)&image, sizeof image);
    put_lexicon(&image, &out, it->lexicon);
    put_bpe(&image, &out, it->bpe);
    int status = put_lefts(&image, &out, &it->bpe->merges, it->lexicon);
    if (status == NT_OK) status = out.status;
    if (status == NT_OK) {
        memcpy(out.data, &image, sizeof image);
        FILE *file = fdopen(dup(fd), "wb");
        bool good = file && fwrite(out.data, 1, out.n, file) == out.n;
        if (file && fclose(file) != 0) good = false;
        if (!good) status = nt_fail(NT_E_IO, "the image could not be written");
    }
    nt_buffer_free(&out);
    return status;
}

int main(int n_args, char **args) {
    if (n_args != 3) {
        fprintf(stderr, "usage: mkimage FOLDER OUTPUT\n");
        return 2;
    }
    nt_lexicon lexicon = {.seed = seed};
    nt_bpe bpe = {0};
    int status = read_folder(&lexicon, &bpe, args[1]);
    output it = {&lexicon, &bpe, 0};
    if (status == NT_OK) status = finish(&lexicon, &bpe, &it.end_id);
    if (status == NT_OK) status = nt_file_replace(args[2], fill, &it);
    if (status != NT_OK) fprintf(stderr, "mkimage: %s\n", nt_error_message());
    nt_lexicon_free(&lexicon);
    nt_bpe_free(&bpe);
    return status == NT_OK ? 0 : 1;
}
