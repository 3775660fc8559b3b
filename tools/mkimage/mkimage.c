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

/* What each token decodes to, and which one is an added token. */
static int spell(nt_lexicon *lexicon) {
    nt_buffer bytes = {0};
    int status = NT_OK;
    for (size_t i = 0; i < lexicon->n && status == NT_OK; i++) {
        nt_piece *piece = &lexicon->pieces[i];
        nt_buffer_clear(&bytes);
        nt_byte_level_decode(&bytes, nt_piece_content(lexicon, piece), piece->n_content);
        status = bytes.status;
        if (status == NT_OK) status = nt_lexicon_spell(lexicon, piece, bytes.data, bytes.n);
    }
    nt_buffer_free(&bytes);
    static const char end[] = "<|endoftext|>";
    nt_piece *piece = nt_lexicon_find(lexicon, end, sizeof end - 1);
    if (status == NT_OK && !piece)
        status = nt_fail(NT_E_FORMAT, "the vocabulary has no token %s", end);
    if (piece) piece->added = 1;
    return status;
}

typedef struct output {
    const nt_lexicon *lexicon;
    const nt_merges *merges;
} output;

/* Appends a table on a border of its own; returns where it lies. */
static uint64_t put(nt_buffer *out, const void *items, size_t n, size_t size) {
    while (out->n % ALIGNMENT && out->status == NT_OK)
        nt_buffer_putc(out, 0);
    uint64_t at = out->n;
    nt_buffer_put(out, items, n * size);
    return at;
}

static int fill(void *payload, int fd) {
    const output *it = payload;
    const nt_lexicon *lexicon = it->lexicon;
    const nt_merges *merges = it->merges;
    nt_image image = {.seed = seed,
                      .n_pieces = lexicon->n,
                      .n_text = lexicon->text.n,
                      .n_slots = lexicon->mask + 1,
                      .n_ids = lexicon->n_ids,
                      .n_pairs = merges->mask + 1,
                      .n_ranks = merges->n_ranks};
    /* Values of free slots are never read; in the file they are zero, for the same bytes always. */
    struct nt_merge *values = nt_alloc(image.n_pairs, sizeof *values);
    if (!values) return NT_E_MEMORY;
    for (size_t i = 0; i < image.n_pairs; i++)
        if (merges->keys[i] != UINT64_MAX) values[i] = merges->values[i];
    nt_buffer out = {0};
    nt_buffer_put(&out, (const char *)&image, sizeof image);
    image.pieces = put(&out, lexicon->pieces, image.n_pieces, sizeof *lexicon->pieces);
    image.text = put(&out, lexicon->text.data, image.n_text, 1);
    image.slots = put(&out, lexicon->slots, image.n_slots, sizeof *lexicon->slots);
    image.by_id = put(&out, lexicon->by_id, image.n_ids, sizeof *lexicon->by_id);
    image.keys = put(&out, merges->keys, image.n_pairs, sizeof *merges->keys);
    image.values = put(&out, values, image.n_pairs, sizeof *values);
    nt_free(values);
    int status = out.status;
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
    if (status == NT_OK) status = spell(&lexicon);
    if (status == NT_OK) status = nt_file_replace(args[2], fill, &(output){&lexicon, &bpe.merges});
    if (status != NT_OK) fprintf(stderr, "mkimage: %s\n", nt_error_message());
    nt_lexicon_free(&lexicon);
    nt_merges_free(&bpe.merges);
    return status == NT_OK ? 0 : 1;
}
