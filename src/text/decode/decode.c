/* Ids -> text, whole or as a stream. */
#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "text/tokenizer.h"

/* Appends the bytes of one id. An id in a hole of the vocabulary has none, as in tokenizers. */
static int append(nt_buffer *bytes, const nt_tokenizer *tokenizer, int32_t id, bool skip_special) {
    const nt_piece *piece = nt_lexicon_at(&tokenizer->lexicon, id);
    if (!piece) return NT_OK;
    const nt_added_token *token = nt_added_of(&tokenizer->added, piece);
    if (skip_special && token && token->special) return NT_OK;
    nt_buffer_put(bytes, tokenizer->lexicon.text.data + piece->bytes, piece->n_bytes);
    return bytes->status;
}

static bool in_range(const nt_tokenizer *tokenizer, int32_t id) {
    return id >= 0 && (size_t)id < tokenizer->lexicon.n_ids;
}

int nt_decode(char **text, size_t *n_text, const nt_tokenizer *tokenizer, const int32_t *ids,
              size_t n_ids, bool skip_special_tokens) {
    *text = NULL;
    *n_text = 0;
    nt_buffer bytes = {.max = PTRDIFF_MAX}, clean = {.max = PTRDIFF_MAX};
    int status = NT_OK;
    for (size_t i = 0; i < n_ids && status == NT_OK; i++) {
        if (in_range(tokenizer, ids[i])) {
            status = append(&bytes, tokenizer, ids[i], skip_special_tokens);
        } else {
            status = nt_fail(NT_E_RANGE,
                             "id %" PRId32 " at index %zu is outside the vocabulary of %zu ids",
                             ids[i], i, tokenizer->lexicon.n_ids);
        }
    }
    if (status == NT_OK && nt_utf8_check(bytes.data, bytes.n) < bytes.n) {
        nt_utf8_append_lossy(&clean, bytes.data, bytes.n);
        nt_buffer_free(&bytes);
        return nt_buffer_take(text, n_text, &clean);
    }
    if (status == NT_OK) return nt_buffer_take(text, n_text, &bytes);
    nt_buffer_free(&bytes);
    return status;
}

struct nt_stream {
    const nt_tokenizer *tokenizer;
    bool skip_special;
    nt_buffer bytes; /* not handed out yet: after a put at most 3, of an unfinished character */
    nt_buffer text;  /* what the last call handed out */
    size_t n_put;
};

int nt_stream_new(nt_stream **out, const nt_tokenizer *tokenizer, bool skip_special_tokens) {
    *out = nt_alloc(1, sizeof **out);
    if (!*out) return NT_E_MEMORY;
    (*out)->tokenizer = tokenizer;
    (*out)->skip_special = skip_special_tokens;
    return NT_OK;
}

void nt_stream_free(nt_stream *stream) {
    if (!stream) return;
    nt_buffer_free(&stream->bytes);
    nt_buffer_free(&stream->text);
    nt_free(stream);
}

/* Length of bytes [n] without the unfinished character at their end, if there is one. */
static size_t whole_part(const char *bytes, size_t n) {
    size_t i = 0;
    while (i < n) {
        int32_t code;
        size_t length = nt_utf8_next(&code, bytes + i, n - i);
        if (code == -2) break;
        i += length;
    }
    return i;
}

/* Hands out the first `whole` of the waiting bytes. */
static int hand_out(const char **utf8, size_t *n, nt_stream *stream, size_t whole) {
    nt_buffer *bytes = &stream->bytes;
    nt_buffer_clear(&stream->text);
    nt_utf8_append_lossy(&stream->text, bytes->data, whole);
    NT_TRY(stream->text.status);
    if (whole) memmove(bytes->data, bytes->data + whole, bytes->n - whole);
    bytes->n -= whole;
    *utf8 = stream->text.data;
    *n = stream->text.n;
    return NT_OK;
}

int nt_stream_put(const char **utf8, size_t *n, nt_stream *stream, int32_t id) {
    *utf8 = NULL;
    *n = 0;
    if (!in_range(stream->tokenizer, id)) {
        return nt_fail(NT_E_RANGE,
                       "id %" PRId32 " at index %zu is outside the vocabulary of %zu ids", id,
                       stream->n_put, stream->tokenizer->lexicon.n_ids);
    }
    NT_TRY(append(&stream->bytes, stream->tokenizer, id, stream->skip_special));
    stream->n_put++;
    return hand_out(utf8, n, stream, whole_part(stream->bytes.data, stream->bytes.n));
}

int nt_stream_end(const char **utf8, size_t *n, nt_stream *stream) {
    *utf8 = NULL;
    *n = 0;
    stream->n_put = 0;
    return hand_out(utf8, n, stream, stream->bytes.n);
}
