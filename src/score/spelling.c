/* The text that tokens spell: which bytes are white space and where characters begin, over the
 * borders of tokens. A special token ends what stands before it. */
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "score/parts.h"

bool nt_token_is_special(const nt_result *trace, size_t i) {
    const nt_vocab *vocab = &trace->vocab;
    return vocab->special && vocab->special(vocab->self, trace->tokens[i].id);
}

bool nt_token_is_bos(const nt_result *trace, size_t i) {
    return i == 0 && nt_token_is_special(trace, i);
}

/* Bytes that are no UTF-8 are each a character, and no white space. */
static void mark(uint8_t *marks, const char *bytes, size_t n) {
    for (size_t i = 0; i < n;) {
        int32_t code;
        size_t length = nt_utf8_next(&code, bytes + i, n - i);
        if (code < 0) {
            memset(marks + i, NT_MARK_CHAR, length);
        } else {
            if (nt_is_white(code)) memset(marks + i, NT_MARK_WHITE, length);
            marks[i] |= NT_MARK_CHAR;
        }
        i += length;
    }
}

int nt_spelling_new(nt_spelling *out, nt_scoring *scoring) {
    const nt_result *trace = scoring->trace;
    size_t n = trace->n_tokens;
    *out = (nt_spelling){.trace = trace, .byte_at = scoring->byte_at};
    for (size_t i = 0; i < n; i++) {
        if (trace->tokens[i].n_bytes > 0 || nt_token_is_special(trace, i)) continue;
        return nt_fail(NT_E_UNSUPPORTED,
                       "token %zu: id %d has no bytes, and words and characters are made of bytes; "
                       "score by token",
                       i, (int)trace->tokens[i].id);
    }
    out->bytes = nt_alloc(scoring->byte_at[n], 1);
    out->marks = nt_alloc(scoring->byte_at[n], 1);
    if (!out->bytes || !out->marks) return NT_E_MEMORY;
    size_t begin = 0;
    for (size_t i = 0; i <= n; i++) {
        size_t at = scoring->byte_at[i];
        if (i < n && !nt_token_is_special(trace, i)) {
            memcpy(out->bytes + at, trace->tokens[i].bytes, trace->tokens[i].n_bytes);
        } else {
            mark(out->marks + begin, out->bytes + begin, at - begin);
            begin = at;
        }
    }
    return NT_OK;
}

void nt_spelling_free(nt_spelling *spelling) {
    nt_free(spelling->bytes);
    nt_free(spelling->marks);
}

/* Byte `at` of a token in the text. A token may have more bytes than its part of the text (a space
 * that was put before the text): bytes are then counted from its end. */
static size_t place_of(const nt_token *token, size_t at) {
    size_t left = token->n_bytes - at, length = token->end - token->start;
    return token->end - (left < length ? left : length);
}

void nt_unit_place(nt_unit *unit, const nt_result *trace, size_t i, size_t from, size_t j,
                   size_t to) {
    unit->start = place_of(&trace->tokens[i], from);
    unit->end = place_of(&trace->tokens[j], to);
}

bool nt_unit_counted(const nt_unit *unit, const nt_result *trace) {
    for (size_t i = unit->first; i < unit->first + unit->n_tokens; i++)
        if (!trace->scored[i].counted) return false;
    return true;
}
