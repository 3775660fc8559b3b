/* Looking over a text for what a normal form would change, and composing two characters. */
#ifndef NT_TEXT_NORMAL_SCAN_H
#define NT_TEXT_NORMAL_SCAN_H

#include "text/normal/normal_form.h"
#include "text/normal/normal_tables.h"

/* Hangul syllables decompose and compose by arithmetic. */
enum {
    NT_HANGUL = 0xAC00,
    NT_HANGUL_COUNT = 11172,
    NT_HANGUL_L = 0x1100,
    NT_HANGUL_V = 0x1161,
    NT_HANGUL_T = 0x11A7, /* stands for no third letter */
    NT_HANGUL_L_COUNT = 19,
    NT_HANGUL_V_COUNT = 21,
    NT_HANGUL_T_COUNT = 28
};

static inline bool nt_normal_composes(nt_normalizer_kind kind) {
    return kind == NT_NFC || kind == NT_NFKC;
}

/* Whether nothing moves or composes across the start of such a character. */
static inline bool nt_normal_opens(nt_normal_kind of, bool composes) {
    return of.order == 0 && !(composes && (of.flags & NT_SECOND));
}

/* What first and second compose to; 0 for nothing. */
uint32_t nt_normal_compose(uint32_t first, uint32_t second);

/* From `at`, the start of the text or of a character that opens: the first character that kind
 * may change, n when there is none. *from: where the last character began that it may change
 * together with. */
size_t nt_normal_scan(size_t *from, nt_normalizer_kind kind, const char *text, size_t n, size_t at);

#endif
