#include "base/utf8.h"

#include <string.h>

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

size_t nt_utf8_count(const char *bytes, size_t n) {
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += ((unsigned char)bytes[i] & 0xC0) != 0x80;
    return count;
}

size_t nt_utf8_unfinished(const char *bytes, size_t n) {
    for (size_t back = 1; back <= 3 && back <= n; back++) {
        unsigned char byte = (unsigned char)bytes[n - back];
        if (byte >= 0x80 && byte < 0xC0) continue; /* the character starts before it */
        int32_t code;
        nt_utf8_next(&code, bytes + n - back, back);
        return code == -2 ? back : 0;
    }
    return 0;
}

/* ---- Checking --------------------------------------------------------------------------------
 * A machine of nine states reads a byte in one shift (Vognsen): row[byte] holds, at bit `state`,
 * the state that follows. States are multiples of 6, so that a row is one word. */

enum { WHOLE = 0, BAD = 6, ONE = 12, TWO = 18, THREE = 24, E0 = 30, ED = 36, F0 = 42, F4 = 48 };

#define FROM(state, to) ((uint64_t)(to) << (state))
#define ALL_BAD                                                                                    \
    (FROM(WHOLE, BAD) | FROM(BAD, BAD) | FROM(ONE, BAD) | FROM(TWO, BAD) | FROM(THREE, BAD) |      \
     FROM(E0, BAD) | FROM(ED, BAD) | FROM(F0, BAD) | FROM(F4, BAD))
/* BAD but for this: XOR puts `to` where BAD was. */
#define BUT(state, to) FROM(state, (to) ^ BAD)
#define LEAD(to) (ALL_BAD ^ BUT(WHOLE, to))
#define TAIL (ALL_BAD ^ BUT(ONE, WHOLE) ^ BUT(TWO, ONE) ^ BUT(THREE, TWO))

static const uint64_t row[256] = {
    [0x00 ... 0x7F] = LEAD(WHOLE),
    [0x80 ... 0x8F] = TAIL ^ BUT(ED, ONE) ^ BUT(F4, TWO),
    [0x90 ... 0x9F] = TAIL ^ BUT(ED, ONE) ^ BUT(F0, TWO),
    [0xA0 ... 0xBF] = TAIL ^ BUT(E0, ONE) ^ BUT(F0, TWO),
    [0xC0 ... 0xC1] = ALL_BAD,
    [0xC2 ... 0xDF] = LEAD(ONE),
    [0xE0] = LEAD(E0),
    [0xE1 ... 0xEC] = LEAD(TWO),
    [0xED] = LEAD(ED),
    [0xEE ... 0xEF] = LEAD(TWO),
    [0xF0] = LEAD(F0),
    [0xF1 ... 0xF3] = LEAD(THREE),
    [0xF4] = LEAD(F4),
    [0xF5 ... 0xFF] = ALL_BAD,
};

static uint64_t word_at(const char *bytes) {
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

/* Where bytes [i, n) go wrong, when what stands before i is right but for an unfinished end. */
static size_t first_bad(const char *bytes, size_t i, size_t n) {
    i -= nt_utf8_unfinished(bytes, i);
    while (i < n) {
        int32_t code;
        size_t length = nt_utf8_next(&code, bytes + i, n - i);
        if (code < 0) return i;
        i += length;
    }
    return n;
}

size_t nt_utf8_check(const char *bytes, size_t n) {
    const uint64_t high = 0x8080808080808080u;
    uint64_t state = WHOLE;
    size_t i = 0;
    while (n - i >= 32) {
        uint64_t some = word_at(bytes + i) | word_at(bytes + i + 8) | word_at(bytes + i + 16) |
                        word_at(bytes + i + 24);
        if (!(some & high) && state == WHOLE) {
            i += 32;
            continue;
        }
        for (size_t j = 0; j < 32; j++)
            state = row[(unsigned char)bytes[i + j]] >> (state & 63);
        state &= 63;
        if (state == BAD) return first_bad(bytes, i, n);
        i += 32;
    }
    size_t start = i;
    for (; i < n; i++)
        state = row[(unsigned char)bytes[i]] >> (state & 63);
    return (state & 63) == WHOLE ? n : first_bad(bytes, start, n);
}

void nt_utf8_append_lossy(nt_buffer *out, const char *bytes, size_t n) {
    for (size_t i = 0;;) {
        size_t good = nt_utf8_check(bytes + i, n - i);
        nt_buffer_put(out, bytes + i, good);
        i += good;
        if (i == n) return;
        int32_t code;
        i += nt_utf8_next(&code, bytes + i, n - i);
        nt_buffer_puts(out, "\xEF\xBF\xBD");
    }
}
