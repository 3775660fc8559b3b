/* What each normalizer does to a form, and whether it would do anything. */
#include <string.h>

#include "base/utf8.h"
#include "text/normal/decode.h"
#include "text/normal/normal_form.h"
#include "text/normal/normal_tables.h"
#include "text/normal/normalizer.h"
#include "text/unicode/unicode.h"

/* What is put in at `at` stands for what the character before stands for. */
static nt_extent extent_before(const nt_form *form, size_t at) {
    if (at == 0) return (nt_extent){form->origin, form->origin};
    return nt_form_extent(form, nt_well_formed_before(form->bytes, at), at);
}

/* With nothing to put, tokenizers takes the first character for put in. */
static int prepend(nt_form *form, const nt_normalizer *part) {
    uint32_t code;
    size_t first = nt_well_formed_next(&code, form->bytes);
    nt_form_begin(form);
    if (part->n_text) {
        nt_form_change(form, part->text, part->n_text, 0, first);
        nt_form_keep(form, 0, first);
    } else {
        nt_form_put(form, form->bytes, first, extent_before(form, 0));
    }
    nt_form_keep(form, first, form->n);
    return nt_form_done(form);
}

static int replace(nt_form *form, const nt_normalizer *part, nt_pattern_work *work) {
    NT_TRY(nt_pattern_search(work, part->pattern, form->bytes, form->n));
    if (work->n == 0) return NT_OK;
    nt_form_begin(form);
    size_t at = 0;
    for (size_t i = 0; i < work->n; i++) {
        nt_match match = work->matches[i];
        nt_form_keep(form, at, match.start);
        nt_form_put(form, part->text, part->n_text, extent_before(form, match.end));
        at = match.end;
    }
    nt_form_keep(form, at, form->n);
    return nt_form_done(form);
}

/* Writes code in lower case to out [2]; returns how many characters. */
static size_t lower(uint32_t out[2], uint32_t code) {
    if (code == 0x130) { /* the only one that becomes two */
        out[0] = 'i';
        out[1] = 0x307;
        return 2;
    }
    size_t low = 0, high = nt_lower_range_count - 1;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (nt_lower_ranges[middle].last < code)
            low = middle + 1;
        else
            high = middle;
    }
    out[0] = (uint32_t)((int32_t)code + nt_lower_ranges[low].delta);
    return 1;
}

static int lowercase(nt_form *form) {
    size_t at = 0, found = nt_normal_find(form->bytes, form->n, 0, NT_CAPITAL);
    if (found == form->n) return NT_OK;
    nt_form_begin(form);
    while (found < form->n) {
        nt_form_keep(form, at, found);
        uint32_t code, codes[2];
        at = found + nt_well_formed_next(&code, form->bytes + found);
        size_t n_codes = lower(codes, code);
        for (size_t i = 0; i < n_codes; i++) {
            char bytes[4];
            nt_form_change(form, bytes, nt_utf8_put(bytes, (int32_t)codes[i]), found, at);
        }
        found = nt_normal_find(form->bytes, form->n, at, NT_CAPITAL);
    }
    nt_form_keep(form, at, form->n);
    return nt_form_done(form);
}

static int strip_accents(nt_form *form) {
    size_t at = 0, found = nt_normal_find(form->bytes, form->n, 0, NT_ACCENT);
    if (found == form->n) return NT_OK;
    nt_form_begin(form);
    while (found < form->n) {
        nt_form_keep(form, at, found);
        uint32_t code;
        at = found + nt_well_formed_next(&code, form->bytes + found);
        found = nt_normal_find(form->bytes, form->n, at, NT_ACCENT);
    }
    nt_form_keep(form, at, form->n);
    return nt_form_done(form);
}

/* Bytes [*start, *end) of text [n] are left when white space at its ends is taken off. */
static void stripped(size_t *start, size_t *end, const nt_normalizer *part, const char *text,
                     size_t n) {
    uint32_t code;
    *start = 0;
    *end = n;
    while (part->left && *start < n) {
        size_t length = nt_well_formed_next(&code, text + *start);
        if (!(nt_unicode_class(code) & NT_SPACE)) break;
        *start += length;
    }
    while (part->right && *end > *start) {
        size_t last = nt_well_formed_before(text, *end);
        nt_well_formed_next(&code, text + last);
        if (!(nt_unicode_class(code) & NT_SPACE)) break;
        *end = last;
    }
}

static bool leaves_ends(const nt_form *form, const nt_normalizer *part) {
    size_t start, end;
    if (part->kind != NT_STRIP) return false;
    stripped(&start, &end, part, form->bytes, form->n);
    return end - start == form->n;
}

static int strip(nt_form *form, const nt_normalizer *part) {
    size_t start, end;
    stripped(&start, &end, part, form->bytes, form->n);
    if (end - start == form->n) return NT_OK;
    nt_form_begin(form);
    nt_form_keep(form, start, end);
    return nt_form_done(form);
}

/* What was put in before all of the text stands for nothing. tokenizers then loses count of its
 * characters in every normalizer but these two: it panics, or writes the first ones twice. */
static int refuse_put_first(const nt_form *form, const nt_normalizer *part) {
    if (part->kind == NT_PREPEND || part->kind == NT_REPLACE_MATCHES) return NT_OK;
    nt_extent first = nt_form_extent(form, 0, 1);
    if (first.start < first.end || leaves_ends(form, part)) return NT_OK;
    return nt_fail(NT_E_UNSUPPORTED, "a normalizer after one that puts something before the first "
                                     "character is not supported, as tokenizers fails there");
}

static int normalize(nt_form *form, const nt_normalizer *part, nt_pattern_work *work) {
    NT_TRY(refuse_put_first(form, part));
    switch (part->kind) {
    case NT_NFC:
    case NT_NFD:
    case NT_NFKC:
    case NT_NFKD: return nt_normal_form(form, part->kind);
    case NT_PREPEND: return prepend(form, part);
    case NT_REPLACE_MATCHES: return replace(form, part, work);
    case NT_LOWERCASE: return lowercase(form);
    case NT_STRIP: return strip(form, part);
    case NT_STRIP_ACCENTS: return strip_accents(form);
    }
    return NT_OK;
}

int nt_normalize(nt_form *form, const nt_normalizers *normalizers, nt_pattern_work *work) {
    for (size_t i = 0; i < normalizers->n && form->n; i++)
        NT_TRY(normalize(form, &normalizers->list[i], work));
    return NT_OK;
}

static bool leaves(const nt_normalizer *part, const char *text, size_t n) {
    size_t start, end;
    switch (part->kind) {
    case NT_NFC:
    case NT_NFD:
    case NT_NFKC:
    case NT_NFKD: return nt_normal_form_leaves(part->kind, text, n) == n;
    case NT_PREPEND: return false;
    case NT_REPLACE_MATCHES:
        return part->n_literal && !memmem(text, n, part->literal, part->n_literal);
    case NT_LOWERCASE: return nt_normal_find(text, n, 0, NT_CAPITAL) == n;
    case NT_STRIP: stripped(&start, &end, part, text, n); return end - start == n;
    case NT_STRIP_ACCENTS: return nt_normal_find(text, n, 0, NT_ACCENT) == n;
    }
    return false;
}

bool nt_normalizers_leave(const nt_normalizers *normalizers, const char *text, size_t n) {
    for (size_t i = 0; i < normalizers->n && n; i++)
        if (!leaves(&normalizers->list[i], text, n)) return false;
    return true;
}
