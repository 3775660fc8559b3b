#include "text/normal/normal_form.h"

#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "text/normal/decode.h"
#include "text/normal/normal_scan.h"

/* A character on its way, with what tokenizers notes beside it: 0 takes the place of one old
 * character, 1 was put in, -k takes the place of one and of the k after it. Canonical order moves
 * the notes along with the characters; old characters are taken in the order in which the notes
 * come, and so what stands for what depends on nothing else. */
typedef struct noted {
    uint32_t code;
    int32_t change;
    uint8_t order;
    bool second, gone;
} noted;

enum { SHORT_RUN = 64, SHORT_SORT = 16 };

typedef struct form_writer {
    nt_form *form;
    nt_normalizer_kind kind;
    bool composes, compatible;
    size_t at;   /* old characters before were taken */
    noted *list; /* [n] characters since the last one that opens */
    size_t n, capacity;
    noted *longer; /* list, when it is not first */
    noted first[SHORT_RUN];
} form_writer;

static void write_item(form_writer *writer, const noted *item) {
    nt_form *form = writer->form;
    char bytes[4];
    size_t n = nt_utf8_put(bytes, (int32_t)item->code), at = writer->at;
    if (item->change > 0) {
        nt_extent extent = {form->origin, form->origin};
        if (at > 0) extent = nt_form_extent(form, nt_well_formed_before(form->bytes, at), at);
        nt_form_put(form, bytes, n, extent);
        return;
    }
    uint32_t old;
    size_t length = nt_well_formed_next(&old, form->bytes + at);
    if (old == item->code)
        nt_form_keep(form, at, at + length);
    else
        nt_form_change(form, bytes, n, at, at + length);
    at += length;
    for (int32_t i = item->change; i < 0; i++)
        at += nt_well_formed_next(&old, form->bytes + at);
    writer->at = at;
}

/* Sorts marks [n] by their order, equal ones as they stand. */
static int sort_marks(noted *list, size_t n) {
    if (n <= SHORT_SORT) {
        for (size_t i = 1; i < n; i++) {
            noted moved = list[i];
            size_t k = i;
            for (; k > 0 && list[k - 1].order > moved.order; k--)
                list[k] = list[k - 1];
            list[k] = moved;
        }
        return NT_OK;
    }
    size_t ends[256] = {0};
    noted *sorted = nt_alloc(n, sizeof *sorted);
    if (!sorted) return NT_E_MEMORY;
    for (size_t i = 0; i < n; i++)
        ends[list[i].order]++;
    for (size_t order = 1; order < 256; order++)
        ends[order] += ends[order - 1];
    for (size_t i = n; i > 0; i--)
        sorted[--ends[list[i - 1].order]] = list[i - 1];
    memcpy(list, sorted, n * sizeof *list);
    nt_free(sorted);
    return NT_OK;
}

static int sort_all(noted *list, size_t n) {
    for (size_t i = 0; i < n;) {
        size_t start = i;
        while (i < n && list[i].order)
            i++;
        NT_TRY(sort_marks(list + start, i - start));
        i += i == start;
    }
    return NT_OK;
}

/* Composes characters in canonical order. A mark is blocked from the last starter by one between
 * them of its own order or a higher one. */
static void compose(noted *list, size_t n) {
    noted *starter = NULL;
    int order = -1; /* of the last mark left between; -1: none */
    for (size_t i = 0; i < n; i++) {
        noted *next = &list[i];
        bool open = starter && next->second && (order < 0 || order < next->order);
        uint32_t composite = open ? nt_normal_compose(starter->code, next->code) : 0;
        if (composite) {
            starter->code = composite;
            starter->change += next->change - 1;
            next->gone = true;
        } else if (next->order == 0) {
            starter = next;
            order = -1;
        } else if (starter) {
            order = next->order;
        }
    }
}

/* Writes what was collected. */
static int flush(form_writer *writer) {
    if (writer->n > 1) {
        NT_TRY(sort_all(writer->list, writer->n));
        if (writer->composes) compose(writer->list, writer->n);
    }
    for (size_t i = 0; i < writer->n; i++)
        if (!writer->list[i].gone) write_item(writer, &writer->list[i]);
    writer->n = 0;
    return NT_OK;
}

static int grow(form_writer *writer) {
    void *longer = writer->longer;
    size_t capacity = writer->longer ? writer->capacity : 0;
    NT_TRY(nt_grow(&longer, &capacity, writer->n * 2, sizeof(noted)));
    if (!writer->longer) memcpy(longer, writer->first, sizeof writer->first);
    writer->list = writer->longer = longer;
    writer->capacity = capacity;
    return NT_OK;
}

static int push(form_writer *writer, uint32_t code, bool first) {
    nt_normal_kind of = nt_normal_kind_of(code);
    if (nt_normal_opens(of, writer->composes)) NT_TRY(flush(writer));
    if (writer->n == writer->capacity) NT_TRY(grow(writer));
    writer->list[writer->n++] = (noted){code, !first, of.order, of.flags & NT_SECOND, false};
    return NT_OK;
}

/* The stored decomposition of a code point that has one. */
static const uint32_t *stored(size_t *n, uint32_t code) {
    const nt_decomposition_page *page = &nt_decomposition_pages[nt_decomposition_index[code >> 7]];
    unsigned bit = code & 127;
    uint64_t below = page->has[bit >> 6] & (((uint64_t)1 << (bit & 63)) - 1);
    size_t rank = (size_t)page->before + (unsigned)__builtin_popcountll(below);
    if (bit >= 64) rank += (unsigned)__builtin_popcountll(page->has[0]);
    *n = (size_t)nt_decomposition_starts[rank + 1] - nt_decomposition_starts[rank];
    return nt_decomposition_codes + nt_decomposition_starts[rank];
}

static int push_hangul(form_writer *writer, uint32_t syllable) {
    uint32_t t = syllable % NT_HANGUL_T_COUNT, lv = syllable / NT_HANGUL_T_COUNT;
    NT_TRY(push(writer, NT_HANGUL_L + lv / NT_HANGUL_V_COUNT, true));
    NT_TRY(push(writer, NT_HANGUL_V + lv % NT_HANGUL_V_COUNT, false));
    return t ? push(writer, NT_HANGUL_T + t, false) : NT_OK;
}

static int push_decomposed(form_writer *writer, uint32_t code, unsigned flags) {
    if (!(flags & (writer->compatible ? NT_CHANGED_BY_NFKD : NT_CHANGED_BY_NFD)))
        return push(writer, code, true);
    if (code - NT_HANGUL < NT_HANGUL_COUNT) return push_hangul(writer, code - NT_HANGUL);
    size_t n, n_inner;
    const uint32_t *codes = stored(&n, code), *inner;
    for (size_t i = 0; i < n; i++) {
        inner = &codes[i];
        n_inner = 1;
        /* A canonical decomposition may have parts that are compatible with others. */
        if (writer->compatible && (flags & NT_CHANGED_BY_NFD) &&
            (nt_normal_kind_of(codes[i]).flags & NT_CHANGED_BY_NFKD))
            inner = stored(&n_inner, codes[i]);
        for (size_t k = 0; k < n_inner; k++)
            NT_TRY(push(writer, inner[k], i == 0 && k == 0));
    }
    return NT_OK;
}

/* Rewrites the old form from `from` on, past `upto` and to the next character that opens and stays
 * as it is; *end is where that begins. */
static int rewrite(size_t *end, form_writer *writer, size_t from, size_t upto) {
    const nt_form *form = writer->form;
    const unsigned changed = 1u << writer->kind;
    writer->at = from;
    size_t at = from;
    while (at < form->n) {
        uint32_t code;
        size_t length = nt_well_formed_next(&code, form->bytes + at);
        nt_normal_kind of = nt_normal_kind_of(code);
        if (at > upto && !(of.flags & changed) && nt_normal_opens(of, writer->composes)) break;
        NT_TRY(push_decomposed(writer, code, of.flags));
        at += length;
    }
    *end = at;
    return flush(writer);
}

int nt_normal_form(nt_form *form, nt_normalizer_kind kind) {
    size_t from, at = 0, stop = nt_normal_scan(&from, kind, form->bytes, form->n, 0);
    if (stop == form->n) return NT_OK;
    form_writer writer = {.form = form,
                          .kind = kind,
                          .composes = nt_normal_composes(kind),
                          .compatible = kind == NT_NFKC || kind == NT_NFKD,
                          .capacity = SHORT_RUN};
    writer.list = writer.first;
    nt_form_begin(form);
    int status = NT_OK;
    while (stop < form->n && status == NT_OK) {
        nt_form_keep(form, at, from);
        status = rewrite(&at, &writer, from, stop);
        if (status == NT_OK) stop = nt_normal_scan(&from, kind, form->bytes, form->n, at);
    }
    nt_free(writer.longer);
    if (status != NT_OK) return status;
    nt_form_keep(form, at, form->n);
    return nt_form_done(form);
}
