/* Normal forms, marks and lower case of code points, as Hugging Face tokenizers has them: several
 * versions of Unicode at once, so asked of it rather than taken from a library that has another.
 * Hangul syllables are not in the tables of decompositions and compositions. */
#ifndef NT_TEXT_NORMAL_TABLES_H
#define NT_TEXT_NORMAL_TABLES_H

#include <stddef.h>
#include <stdint.h>

enum { /* the first four are 1 << nt_normalizer_kind: that normal form changes it */
       NT_CHANGED_BY_NFC = 1,
       NT_CHANGED_BY_NFD = 2,
       NT_CHANGED_BY_NFKC = 4,
       NT_CHANGED_BY_NFKD = 8,
       NT_SECOND = 16, /* composes with some character before it */
       NT_ACCENT = 32, /* StripAccents removes it */
       NT_CAPITAL = 64 /* Lowercase changes it */
};

typedef struct nt_normal_kind {
    uint8_t flags;
    uint8_t order; /* canonical combining class */
} nt_normal_kind;

extern const uint32_t nt_normal_limit; /* kind 0 from here on */
extern const uint8_t nt_normal_index[];
extern const uint8_t nt_normal_blocks[][128];
extern const nt_normal_kind nt_normal_kinds[];

static inline nt_normal_kind nt_normal_kind_of(uint32_t code) {
    if (code >= nt_normal_limit) return (nt_normal_kind){0, 0};
    return nt_normal_kinds[nt_normal_blocks[nt_normal_index[code >> 7]][code & 127]];
}

/* The i-th code point that decomposes has nt_decomposition_codes [starts[i], starts[i + 1]): its
 * canonical decomposition where it has one, else the compatible one. */
typedef struct nt_decomposition_page {
    uint64_t has[2]; /* which of 128 code points decompose */
    uint16_t before; /* how many do before this page */
} nt_decomposition_page;

extern const uint32_t nt_decomposition_limit;
extern const uint8_t nt_decomposition_index[];
extern const nt_decomposition_page nt_decomposition_pages[];
extern const uint16_t nt_decomposition_starts[];
extern const uint32_t nt_decomposition_codes[];

typedef struct nt_composition {
    uint32_t first, second, composite;
} nt_composition;

extern const size_t nt_composition_count;
extern const nt_composition nt_compositions[]; /* ascending */

/* first, first + step .. last become themselves + delta; U+0130 is in none. */
typedef struct nt_lower_range {
    uint32_t first, last, step;
    int32_t delta;
} nt_lower_range;

extern const size_t nt_lower_range_count;
extern const nt_lower_range nt_lower_ranges[]; /* ascending */

#endif
