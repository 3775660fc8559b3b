#include "text/split/pretokenize_gpt2.h"

#include "base/utf8.h"
#include "text/unicode/unicode.h"

enum { KIND = NT_LETTER | NT_NUMBER | NT_SPACE };

/* Letter, number, space or none of them (0) for the character at text [n]; its length too. */
static unsigned kind_at(size_t *length, const char *text, size_t n) {
    int32_t code;
    *length = nt_utf8_next(&code, text, n);
    return nt_unicode_class((uint32_t)code) & KIND;
}

/* Length of 's 't 're 've 'm 'll 'd at text [n], which starts with an apostrophe; 0 for none. */
static size_t contraction(const char *text, size_t n) {
    if (n < 2) return 0;
    char a = text[1], b = n > 2 ? text[2] : 0;
    if (a == 's' || a == 't' || a == 'm' || a == 'd') return 2;
    if ((a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l')) return 3;
    return 0;
}

size_t nt_gpt2_next(const char *text, size_t n) {
    if (text[0] == '\'') {
        size_t short_form = contraction(text, n);
        if (short_form) return short_form;
    }
    size_t length, last = 0, i = 0;
    unsigned kind = kind_at(&length, text, n);
    if (text[0] == ' ' && n > 1) { /* " ?" of the next three alternatives */
        size_t after;
        unsigned next = kind_at(&after, text + 1, n - 1);
        if (next != NT_SPACE) {
            kind = next;
            length = 1 + after;
        }
    }
    do {
        last = i;
        i += length;
    } while (i < n && kind_at(&length, text + i, n - i) == kind);
    /* \s+(?!\S): before a visible character a run of spaces leaves its last one for what follows;
     * a single one cannot, and is taken by \s+. */
    if (kind == NT_SPACE && i < n && last > 0) return last;
    return i;
}
