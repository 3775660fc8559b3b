#include "text/vocab/byte_level.h"

#include "base/utf8.h"

static bool stands_for_itself(int32_t byte) {
    return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xFF && byte != 0xAD);
}

/* The n-th byte (from 0) that does not stand for itself: 0x00 .. 0x20, 0x7F .. 0xA0, 0xAD. */
static int32_t nth_hidden(int32_t n) {
    if (n <= 0x20) return n;
    if (n <= 0x20 + 34) return 0x7F + (n - 0x21);
    return 0xAD;
}

enum { N_HIDDEN = 68 };

size_t nt_byte_level_char(char out[2], uint8_t byte) {
    int32_t code = byte;
    if (!stands_for_itself(byte)) {
        if (byte <= 0x20)
            code = 0x100 + byte;
        else if (byte <= 0xA0)
            code = 0x100 + 0x21 + (byte - 0x7F);
        else
            code = 0x100 + N_HIDDEN - 1;
    }
    return nt_utf8_put(out, code);
}

/* The byte of a character, or -1. */
static int32_t byte_of(int32_t code) {
    if (code < 0x100) return stands_for_itself(code) ? code : -1;
    if (code < 0x100 + N_HIDDEN) return nth_hidden(code - 0x100);
    return -1;
}

void nt_byte_level_decode(nt_buffer *out, const char *content, size_t n) {
    char bytes[64];
    size_t before = out->n, n_bytes = 0;
    for (size_t i = 0; i < n;) {
        int32_t code;
        i += nt_utf8_next(&code, content + i, n - i);
        int32_t byte = byte_of(code);
        if (byte < 0) {
            if (out->status == NT_OK) out->n = before;
            nt_buffer_put(out, content, n);
            return;
        }
        bytes[n_bytes++] = (char)byte;
        if (n_bytes == sizeof bytes) {
            nt_buffer_put(out, bytes, n_bytes);
            n_bytes = 0;
        }
    }
    nt_buffer_put(out, bytes, n_bytes);
}
