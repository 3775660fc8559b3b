/* A vocabulary that is a table of byte strings, and a detokenizer over it. */
#ifndef TABLE_VOCAB_H
#define TABLE_VOCAB_H

#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "base/status.h"
#include "base/utf8.h"
#include "decode/generate.h"

typedef struct table_word {
    const char *bytes; /* NULL: an id without a token */
    size_t n;
    bool special;
} table_word;

typedef struct table_vocab {
    const table_word *words;
    size_t n;
} table_vocab;

static const char *table_bytes(const void *self, int32_t id, size_t *n) {
    const table_vocab *vocab = self;
    *n = 0;
    if (id < 0 || (size_t)id >= vocab->n || !vocab->words[id].bytes) return NULL;
    *n = vocab->words[id].n;
    return vocab->words[id].bytes;
}

static bool table_special(const void *self, int32_t id) {
    const table_vocab *vocab = self;
    return id >= 0 && (size_t)id < vocab->n && vocab->words[id].special;
}

static inline nt_vocab vocab_of(const table_vocab *table) {
    return (nt_vocab){table, table_bytes, table_special};
}

/* Streams of text, and how many are open. */
typedef struct table_texts {
    const table_vocab *vocab;
    size_t *n_open;
} table_texts;

typedef struct table_text {
    size_t *n_open;
    const table_vocab *vocab;
    nt_buffer pending, out;
} table_text;

/* Moves whole characters, and broken ones as U+FFFD, from pending to out. */
static int table_flush(table_text *text, bool all) {
    size_t at = 0;
    nt_buffer_clear(&text->out);
    while (at < text->pending.n) {
        int32_t code;
        size_t n = nt_utf8_next(&code, text->pending.data + at, text->pending.n - at);
        if (code == -2 && !all) break;
        if (code < 0)
            nt_buffer_puts(&text->out, "\xEF\xBF\xBD");
        else
            nt_buffer_put(&text->out, text->pending.data + at, n);
        at += n;
    }
    char rest[4];
    size_t n = text->pending.n - at;
    if (n) memcpy(rest, text->pending.data + at, n);
    nt_buffer_clear(&text->pending);
    nt_buffer_put(&text->pending, rest, n);
    return text->out.status != NT_OK ? text->out.status : text->pending.status;
}

static int table_put(void *self, const char **utf8, size_t *n, int32_t id) {
    table_text *text = self;
    const table_word *word = &text->vocab->words[id];
    if (!word->bytes) return nt_fail(NT_E_RANGE, "id %d has no token", (int)id);
    nt_buffer_clear(&text->out);
    if (!word->special) nt_buffer_put(&text->pending, word->bytes, word->n);
    int status = word->special ? text->out.status : table_flush(text, false);
    *utf8 = text->out.n ? text->out.data : "";
    *n = text->out.n;
    return status;
}

static int table_end(void *self, const char **utf8, size_t *n) {
    table_text *text = self;
    int status = table_flush(text, true);
    *utf8 = text->out.n ? text->out.data : "";
    *n = text->out.n;
    return status;
}

static int table_open(const void *self, void **stream) {
    const table_texts *texts = self;
    table_text *text = *stream = nt_alloc(1, sizeof *text);
    if (!text) return NT_E_MEMORY;
    *text = (table_text){.vocab = texts->vocab, .n_open = texts->n_open};
    ++*texts->n_open;
    return NT_OK;
}

static void table_close(void *stream) {
    table_text *text = stream;
    --*text->n_open;
    nt_buffer_free(&text->pending);
    nt_buffer_free(&text->out);
    nt_free(text);
}

static inline nt_detokenizer detokenizer_of(const table_texts *texts) {
    return (nt_detokenizer){texts, table_open, table_put, table_end, table_close};
}

#endif
