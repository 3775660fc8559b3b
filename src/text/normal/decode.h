/* Reading characters of UTF-8 that is known to be well-formed, for the normalizers' loops. */
#ifndef NT_TEXT_NORMAL_DECODE_H
#define NT_TEXT_NORMAL_DECODE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The character at `bytes`: its length and *code. */
static inline size_t nt_well_formed_next(uint32_t *code, const char *bytes) {
    const unsigned char *b = (const unsigned char *)bytes;
    if (b[0] < 0x80) {
        *code = b[0];
        return 1;
    }
    if (b[0] < 0xE0) {
        *code = (b[0] & 0x1Fu) << 6 | (b[1] & 0x3Fu);
        return 2;
    }
    if (b[0] < 0xF0) {
        *code = (b[0] & 0x0Fu) << 12 | (b[1] & 0x3Fu) << 6 | (b[2] & 0x3Fu);
        return 3;
    }
    *code = (b[0] & 0x07u) << 18 | (b[1] & 0x3Fu) << 12 | (b[2] & 0x3Fu) << 6 | (b[3] & 0x3Fu);
    return 4;
}

/* Where the character begins that ends at `end` > 0. */
static inline size_t nt_well_formed_before(const char *bytes, size_t end) {
    size_t at = end - 1;
    while (at > 0 && ((unsigned char)bytes[at] & 0xC0) == 0x80)
        at--;
    return at;
}

/* 8 bytes as a number, the same test for each of them. */
static inline uint64_t nt_eight(const char *bytes) {
    uint64_t word;
    memcpy(&word, bytes, 8);
    return word;
}

#define NT_EIGHT_TIMES(byte) (0x0101010101010101u * (byte))

#endif
