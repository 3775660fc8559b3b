#include "text/normal/normal_scan.h"

#include "text/normal/decode.h"

uint32_t nt_normal_compose(uint32_t first, uint32_t second) {
    uint32_t l = first - NT_HANGUL_L, v = second - NT_HANGUL_V;
    if (l < NT_HANGUL_L_COUNT && v < NT_HANGUL_V_COUNT)
        return NT_HANGUL + (l * NT_HANGUL_V_COUNT + v) * NT_HANGUL_T_COUNT;
    uint32_t lv = first - NT_HANGUL, t = second - NT_HANGUL_T;
    if (lv < NT_HANGUL_COUNT)
        return lv % NT_HANGUL_T_COUNT == 0 && t - 1 < NT_HANGUL_T_COUNT - 1 ? first + t : 0;
    size_t low = 0, high = nt_composition_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        const nt_composition *pair = &nt_compositions[middle];
        if (pair->first < first || (pair->first == first && pair->second < second))
            low = middle + 1;
        else
            high = middle;
    }
    if (low == nt_composition_count) return 0;
    const nt_composition *pair = &nt_compositions[low];
    return pair->first == first && pair->second == second ? pair->composite : 0;
}

static inline size_t skip_ascii(const char *text, size_t n, size_t at) {
    while (n - at >= 16 &&
           ((nt_eight(text + at) | nt_eight(text + at + 8)) & NT_EIGHT_TIMES(0x80)) == 0)
        at += 16;
    while (at < n && (unsigned char)text[at] < 0x80)
        at++;
    return at;
}

/* Whether a character that composes may do so with `before`, the one just before it, 0 for none of
 * order 0: with it, or with what it falls apart to, past marks that are of a higher order. */
static bool meets(uint32_t before, uint32_t code, unsigned order) {
    if (before == 0 || nt_normal_compose(before, code)) return true;
    return order && (nt_normal_kind_of(before).flags & NT_CHANGED_BY_NFD);
}

size_t nt_normal_scan(size_t *from, nt_normalizer_kind kind, const char *text, size_t n,
                      size_t at) {
    const unsigned changed = 1u << kind;
    const unsigned watched = changed | (nt_normal_composes(kind) ? NT_SECOND : 0);
    size_t starter = at;
    uint32_t before = 0; /* the character before, 0 when that is none of order 0 */
    unsigned order = 0;
    while (at < n) {
        if ((unsigned char)text[at] < 0x80) {
            at = skip_ascii(text, n, at);
            starter = at - 1;
            before = (unsigned char)text[starter];
            order = 0;
            continue;
        }
        uint32_t code;
        size_t length = nt_well_formed_next(&code, text + at);
        nt_normal_kind of = nt_normal_kind_of(code);
        if ((of.flags & watched) == 0 && of.order == 0) {
            starter = at;
            before = code;
            order = 0;
        } else {
            if ((of.flags & changed) || (of.order && of.order < order)) break;
            if ((of.flags & watched) && meets(before, code, of.order)) break;
            if (of.order == 0) starter = at;
            before = of.order == 0 ? code : 0;
            order = of.order;
        }
        at += length;
    }
    *from = starter;
    return at;
}

size_t nt_normal_form_leaves(nt_normalizer_kind kind, const char *text, size_t n) {
    size_t from;
    return nt_normal_scan(&from, kind, text, n, 0);
}

/* Whether any of 8 bytes of ASCII is a capital letter. */
static inline bool has_capital(uint64_t eight) {
    uint64_t from_a = eight + NT_EIGHT_TIMES(0x80 - 'A');
    uint64_t past_z = eight + NT_EIGHT_TIMES(0x80 - 'Z' - 1);
    return (from_a & ~past_z & NT_EIGHT_TIMES(0x80)) != 0;
}

size_t nt_normal_find(const char *text, size_t n, size_t at, unsigned flag) {
    while (at < n) {
        while (n - at >= 8) {
            uint64_t eight = nt_eight(text + at);
            if (eight & NT_EIGHT_TIMES(0x80)) break;
            if (flag == NT_CAPITAL && has_capital(eight)) break;
            at += 8;
        }
        /* The rest of these 8, or what is not ASCII, one by one. */
        for (size_t end = n - at < 8 ? n : at + 8; at < end;) {
            uint32_t code;
            size_t length = nt_well_formed_next(&code, text + at);
            if (nt_normal_kind_of(code).flags & flag) return at;
            at += length;
        }
    }
    return n;
}
