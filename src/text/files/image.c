#include "text/files/image.h"

#include <string.h>

#include "base/memory.h"

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

/* ---- Whether files say the same -------------------------------------------------------------- */

/* What is not compared yet; `at` is NULL once something differed. */
typedef struct rest {
    const char *at, *end;
} rest;

static void pass_space(rest *r) {
    while (r->at && r->at < r->end &&
           (*r->at == ' ' || *r->at == '\n' || *r->at == '\r' || *r->at == '\t'))
        r->at++;
}

static void pass_byte(rest *r, char byte) {
    pass_space(r);
    r->at = r->at && r->at < r->end && *r->at == byte ? r->at + 1 : NULL;
}

/* Bytes as they are. */
static void pass_bytes(rest *r, const char *bytes, size_t n) {
    bool same = r->at && (size_t)(r->end - r->at) >= n && memcmp(r->at, bytes, n) == 0;
    r->at = same ? r->at + n : NULL;
}

/* The character \uXXXX, of two bytes in UTF-8: what JSON in ASCII makes of the letters of the
 * byte-level alphabet. Others have no such place in GPT-2's. */
static bool pass_code(rest *r, const char *bytes) {
    static const char digits[] = "0123456789abcdef";
    const unsigned char *c = (const unsigned char *)bytes;
    unsigned code = (c[0] & 0x1Fu) << 6 | (c[1] & 0x3Fu);
    if (r->end - r->at < 6 || r->at[1] != 'u' || r->at[2] != '0') return false;
    for (int i = 3; i < 6; i++)
        if ((r->at[i] | 0x20) != digits[code >> (20 - 4 * i) & 15]) return false;
    r->at += 6;
    return true;
}

/* Part of a JSON string that means bytes [n], each as it is or escaped. */
static void pass_text(rest *r, const char *bytes, size_t n) {
    for (size_t i = 0; i < n && r->at; i++) {
        if (r->at == r->end) {
            r->at = NULL;
        } else if (*r->at != '\\') {
            bool same = *r->at == bytes[i] && bytes[i] != '"' && bytes[i] != '\\';
            r->at = same ? r->at + 1 : NULL;
        } else if (bytes[i] == '"' || bytes[i] == '\\') {
            bool same = r->end - r->at >= 2 && r->at[1] == bytes[i];
            r->at = same ? r->at + 2 : NULL;
        } else if (((unsigned char)bytes[i] & 0xE0) == 0xC0 && pass_code(r, bytes + i)) {
            i++;
        } else {
            r->at = NULL;
        }
    }
}

static void pass_number(rest *r, uint32_t number) {
    char digits[10];
    size_t n = 0;
    do
        digits[sizeof digits - ++n] = (char)('0' + number % 10);
    while (number /= 10);
    pass_space(r);
    pass_bytes(r, digits + sizeof digits - n, n);
}

static bool says_vocab(const nt_passage *vocab, const nt_lexicon *lexicon) {
    rest r = {vocab->bytes, vocab->bytes + vocab->n};
    for (size_t i = 0; i < lexicon->n && r.at; i++) {
        const nt_piece *piece = &lexicon->pieces[i];
        pass_byte(&r, i ? ',' : '{');
        pass_byte(&r, '"');
        pass_text(&r, nt_piece_content(lexicon, piece), piece->n_content);
        pass_bytes(&r, "\"", 1);
        pass_byte(&r, ':');
        pass_number(&r, piece->id);
    }
    pass_byte(&r, '}');
    pass_space(&r);
    return r.at && r.at == r.end;
}

/* A merge's content, and how much of it is the left side's. */
typedef struct joined {
    const char *content;
    size_t n, n_left;
} joined;

static void pass_line(rest *r, const joined *merge) {
    pass_bytes(r, merge->content, merge->n_left);
    pass_bytes(r, " ", 1);
    pass_bytes(r, merge->content + merge->n_left, merge->n - merge->n_left);
    if (r->at && r->at < r->end && *r->at == '\r') r->at++;
    if (r->at && r->at < r->end) pass_bytes(r, "\n", 1);
}

/* "left right" or ["left", "right"]. */
static void pass_entry(rest *r, const joined *merge, bool pair) {
    if (pair) pass_byte(r, '[');
    pass_byte(r, '"');
    pass_text(r, merge->content, merge->n_left);
    if (pair) {
        pass_bytes(r, "\"", 1);
        pass_byte(r, ',');
        pass_byte(r, '"');
    } else {
        pass_bytes(r, " ", 1);
    }
    pass_text(r, merge->content + merge->n_left, merge->n - merge->n_left);
    pass_bytes(r, "\"", 1);
    if (pair) pass_byte(r, ']');
}

static bool says_merges(const nt_pair_of_files *files, const nt_lexicon *lexicon,
                        const nt_image *image) {
    static const char version[] = "#version: 0.2\n";
    rest r = {files->merges.bytes, files->merges.bytes + files->merges.n};
    const uint32_t *wholes = table(image->wholes);
    const uint8_t *n_lefts = table(image->n_lefts);
    bool pair = false;
    if (files->lines) pass_bytes(&r, version, sizeof version - 1);
    for (size_t i = 0; i < image->n_ranks && r.at; i++) {
        const nt_piece *piece = nt_lexicon_at(lexicon, wholes[i]);
        joined merge = {nt_piece_content(lexicon, piece), piece->n_content, n_lefts[i]};
        if (files->lines) {
            pass_line(&r, &merge);
            continue;
        }
        pass_byte(&r, i ? ',' : '[');
        pass_space(&r);
        if (i == 0) pair = r.at && r.at < r.end && *r.at == '[';
        pass_entry(&r, &merge, pair);
    }
    if (!files->lines) pass_byte(&r, ']');
    pass_space(&r);
    return r.at && r.at == r.end;
}

/* The pieces alone are written to: which of them are added tokens is the folder's to say. */
static int take_lexicon(nt_lexicon *lexicon, const nt_lexicon *lent) {
    size_t n_bytes = lent->n * sizeof *lent->pieces;
    nt_piece *pieces = nt_alloc_aligned(lent->n, sizeof *pieces);
    if (!pieces) return NT_E_MEMORY;
    memcpy(pieces, lent->pieces, n_bytes);
    *lexicon = *lent;
    lexicon->pieces = pieces;
    lexicon->own_pieces = true;
    return NT_OK;
}

int nt_image_take(bool *taken, nt_lexicon *lexicon, nt_bpe *bpe, const nt_pair_of_files *files) {
    const nt_image *image = &nt_gpt2_image_bytes;
    nt_lexicon lent;
    nt_bpe finished = *bpe;
    uint32_t end = nt_gpt2_image(&lent, &finished);
    *taken = says_vocab(&files->vocab, &lent) && says_merges(files, &lent, image);
    if (!*taken) return NT_OK;
    NT_TRY(take_lexicon(lexicon, &lent));
    lexicon->pieces[lexicon->by_id[end] - 1].added = 0;
    *bpe = finished;
    return NT_OK;
}
