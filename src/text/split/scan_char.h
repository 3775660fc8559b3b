/* One character of a scanned text, and the short forms 's 't 're 've 'm 'll 'd. For scan_*.c. */
#ifndef NT_TEXT_SCAN_CHAR_H
#define NT_TEXT_SCAN_CHAR_H

#include <stdbool.h>
#include <stddef.h>

#include "text/unicode/unicode.h"

/* Bytes of the character that begins with this one. */
static inline size_t nt_scan_length(char lead) {
    unsigned char b = (unsigned char)lead;
    return b < 0x80 ? 1 : b < 0xE0 ? 2 : b < 0xF0 ? 3 : 4;
}

/* Classes and length of the character at text [n], n > 0. The text was checked before, so this
 * decodes without doubt; it only never reads past the end. */
static inline unsigned nt_scan_class(size_t *length, const char *text, size_t n) {
    const unsigned char *b = (const unsigned char *)text;
    size_t need = nt_scan_length(text[0]);
    *length = need;
    if (need == 1) return nt_unicode_class(b[0]);
    if (need > n) {
        *length = n;
        return 0;
    }
    if (need == 2) return nt_unicode_class((b[0] & 31u) << 6 | (b[1] & 63u));
    if (need == 3) return nt_unicode_class((b[0] & 15u) << 12 | (b[1] & 63u) << 6 | (b[2] & 63u));
    return nt_unicode_class((b[0] & 7u) << 18 | (b[1] & 63u) << 12 | (b[2] & 63u) << 6 |
                            (b[3] & 63u));
}

/* Length of a short form at text [n], which starts with an apostrophe; 0 for none. Regardless of
 * case S is also U+017F, as Oniguruma folds it. */
static inline size_t nt_scan_short_form(const char *text, size_t n, bool any_case) {
    if (n < 2) return 0;
    char fold = any_case ? 0x20 : 0;
    char a = (char)(text[1] | fold), b = n > 2 ? (char)(text[2] | fold) : 0;
    if (a == 's' || a == 't' || a == 'm' || a == 'd') return 2;
    if ((a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l')) return 3;
    if (any_case && n > 2 && text[1] == '\xC5' && text[2] == '\xBF') return 3;
    return 0;
}

#endif
