#include "base/utf8.h"

size_t nt_utf8_next(int32_t *code, const char *bytes, size_t n) {
    const unsigned char *b = (const unsigned char *)bytes;
    if (b[0] < 0x80) {
        *code = b[0];
        return 1;
    }
    size_t need;
    int32_t value;
    unsigned char low = 0x80, high = 0xBF; /* range of the second byte */
    if (b[0] >= 0xC2 && b[0] <= 0xDF) {
        need = 2;
        value = b[0] & 0x1F;
    } else if (b[0] >= 0xE0 && b[0] <= 0xEF) {
        need = 3;
        value = b[0] & 0x0F;
        if (b[0] == 0xE0) low = 0xA0;
        if (b[0] == 0xED) high = 0x9F;
    } else if (b[0] >= 0xF0 && b[0] <= 0xF4) {
        need = 4;
        value = b[0] & 0x07;
        if (b[0] == 0xF0) low = 0x90;
        if (b[0] == 0xF4) high = 0x8F;
    } else {
        *code = -1;
        return 1;
    }
    for (size_t i = 1; i < need; i++) {
        if (i >= n) {
            *code = -2;
            return n;
        }
        if (b[i] < low || b[i] > high) {
            *code = -1;
            return i;
        }
        value = value << 6 | (b[i] & 0x3F);
        low = 0x80;
        high = 0xBF;
    }
    *code = value;
    return need;
}

size_t nt_utf8_put(char *out, int32_t code) {
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    size_t n = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = n - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (code & 0x3F));
        code >>= 6;
    }
    out[0] = (char)(lead[n] | code);
    return n;
}

size_t nt_utf8_check(const char *bytes, size_t n) {
    size_t i = 0;
    while (i < n) {
        int32_t code;
        size_t length = nt_utf8_next(&code, bytes + i, n - i);
        if (code < 0) return i;
        i += length;
    }
    return n;
}

void nt_utf8_append_lossy(nt_buffer *out, const char *bytes, size_t n) {
    size_t i = 0, good = 0; /* [good, i) is well formed and not yet copied */
    while (i < n) {
        int32_t code;
        size_t length = nt_utf8_next(&code, bytes + i, n - i);
        if (code < 0) {
            nt_buffer_put(out, bytes + good, i - good);
            nt_buffer_puts(out, "\xEF\xBF\xBD");
            good = i + length;
        }
        i += length;
    }
    nt_buffer_put(out, bytes + good, n - good);
}
