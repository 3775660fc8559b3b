#include "text/split/pre_tokenizer.h"

#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "text/unicode/unicode.h"
#include "text/vocab/byte_level.h"

/* ---- Lists of splits ------------------------------------------------------------------------- */

static int add(nt_splits *splits, size_t start, size_t end) {
    if (start == end) return NT_OK;
    NT_TRY(nt_grow((void **)&splits->spare, &splits->spare_capacity, splits->n_spare + 1,
                   sizeof(nt_split)));
    splits->spare[splits->n_spare++] = (nt_split){(uint32_t)start, (uint32_t)end};
    return NT_OK;
}

/* What was added becomes the list. */
static void swap(nt_splits *splits) {
    nt_split *list = splits->list;
    size_t capacity = splits->capacity;
    splits->list = splits->spare;
    splits->n = splits->n_spare;
    splits->capacity = splits->spare_capacity;
    splits->spare = list;
    splits->spare_capacity = capacity;
    splits->n_spare = 0;
}

void nt_splits_free(nt_splits *splits) {
    nt_free(splits->list);
    nt_free(splits->spare);
    *splits = (nt_splits){0};
}

/* ---- Cutting at matches ---------------------------------------------------------------------- */

/* Pieces come in order, matches and what stands between them; the last one waits for what the next
 * one does to it. */
typedef struct cutter {
    nt_splits *splits;
    nt_behavior behavior;
    bool invert;
    bool waiting, match; /* whether a piece waits; whether it, or the one before, was a match */
    size_t start, end;   /* of the one that waits */
} cutter;

static int flush(cutter *cut) {
    if (!cut->waiting) return NT_OK;
    cut->waiting = false;
    return add(cut->splits, cut->start, cut->end);
}

static int piece(cutter *cut, size_t start, size_t end, bool match) {
    match = match != cut->invert;
    if (cut->behavior == NT_ISOLATED) return add(cut->splits, start, end);
    if (cut->behavior == NT_REMOVED) return match ? NT_OK : add(cut->splits, start, end);
    bool join = cut->behavior == NT_CONTIGUOUS             ? match == cut->match
                : cut->behavior == NT_MERGED_WITH_PREVIOUS ? match && !cut->match
                                                           : cut->match && !match;
    cut->match = match;
    if (join && cut->waiting) {
        cut->end = end;
        return NT_OK;
    }
    NT_TRY(flush(cut));
    cut->waiting = true;
    cut->start = start;
    cut->end = end;
    return NT_OK;
}

/* Cuts the split [start, end) at the matches of the work, which count from its start. */
static int cut_at_matches(nt_splits *splits, const nt_pre_tokenizer *pre, nt_split split,
                          const nt_pattern_work *work) {
    cutter cut = {.splits = splits, .behavior = pre->behavior, .invert = pre->invert};
    size_t before = split.start;
    for (size_t i = 0; i < work->n; i++) {
        size_t start = split.start + work->matches[i].start,
               end = split.start + work->matches[i].end;
        if (before != start) NT_TRY(piece(&cut, before, start, false));
        NT_TRY(piece(&cut, start, end, true));
        before = end;
    }
    if (before != split.end) NT_TRY(piece(&cut, before, split.end, false));
    return flush(&cut);
}

/* Cuts at every character for which `is` says so. */
static int cut_at_characters(nt_splits *splits, const nt_pre_tokenizer *pre, nt_split split,
                             const char *bytes, bool (*is)(const nt_pre_tokenizer *, uint32_t)) {
    cutter cut = {.splits = splits, .behavior = pre->behavior};
    size_t before = split.start;
    for (size_t at = split.start, length; at < split.end; at += length) {
        int32_t code;
        length = nt_utf8_next(&code, bytes + at, split.end - at);
        if (!is(pre, (uint32_t)code)) continue;
        if (before != at) NT_TRY(piece(&cut, before, at, false));
        NT_TRY(piece(&cut, at, at + length, true));
        before = at + length;
    }
    if (before != split.end) NT_TRY(piece(&cut, before, split.end, false));
    return flush(&cut);
}

static bool is_member(const nt_pre_tokenizer *pre, uint32_t code) {
    return nt_ranges_has(&pre->members, code);
}

static bool is_space(const nt_pre_tokenizer *pre, uint32_t code) {
    (void)pre;
    return nt_unicode_class(code) & NT_SPACE;
}

/* \w+|[^\w\s]+ is kept, the rest removed. */
static int cut_words(nt_splits *splits, nt_split split, const char *bytes) {
    enum { NONE = 0, OTHER = -1 }; /* NT_WORD is the third */
    int run = NONE;
    size_t start = split.start;
    for (size_t at = split.start, length; at < split.end; at += length) {
        int32_t code;
        length = nt_utf8_next(&code, bytes + at, split.end - at);
        unsigned class = nt_unicode_class((uint32_t)code);
        int kind = class & NT_WORD ? NT_WORD : class & NT_SPACE ? NONE : OTHER;
        if (kind == run) continue;
        if (run != NONE) NT_TRY(add(splits, start, at));
        run = kind;
        start = at;
    }
    return run == NONE ? NT_OK : add(splits, start, split.end);
}

static int cut(nt_splits *splits, const nt_form *form, const nt_pre_tokenizer *pre,
               nt_pattern_work *work) {
    for (size_t i = 0; i < splits->n; i++) {
        nt_split split = splits->list[i];
        const char *bytes = form->bytes;
        switch (pre->kind) {
        case NT_SPLIT:
            NT_TRY(nt_pattern_search(work, pre->pattern, bytes + split.start,
                                     split.end - split.start));
            NT_TRY(cut_at_matches(splits, pre, split, work));
            break;
        case NT_WHITESPACE: NT_TRY(cut_words(splits, split, bytes)); break;
        case NT_WHITESPACE_SPLIT:
            NT_TRY(cut_at_characters(splits, pre, split, bytes, is_space));
            break;
        default: NT_TRY(cut_at_characters(splits, pre, split, bytes, is_member)); break;
        }
    }
    swap(splits);
    return NT_OK;
}

/* ---- ByteLevel and Metaspace, which change the form ------------------------------------------ */

static size_t first_length(const nt_form *form, nt_split split) {
    int32_t code;
    return nt_utf8_next(&code, form->bytes + split.start, split.end - split.start);
}

/* Writes the form anew split by split, `write` writing each; what stands between them is kept. */
static int rewrite(nt_splits *splits, nt_form *form, const nt_pre_tokenizer *pre,
                   void (*write)(nt_form *, const nt_pre_tokenizer *, nt_split)) {
    size_t at = 0;
    nt_form_begin(form);
    for (size_t i = 0; i < splits->n; i++) {
        nt_split split = splits->list[i];
        nt_form_keep(form, at, split.start);
        size_t start = nt_form_written(form);
        write(form, pre, split);
        NT_TRY(add(splits, start, nt_form_written(form)));
        at = split.end;
    }
    nt_form_keep(form, at, form->n);
    NT_TRY(nt_form_done(form));
    swap(splits);
    return NT_OK;
}

static void write_prefixed(nt_form *form, const nt_pre_tokenizer *pre, nt_split split) {
    (void)pre;
    if (form->bytes[split.start] != ' ') {
        nt_form_change(form, " ", 1, split.start, split.start + first_length(form, split));
    }
    nt_form_keep(form, split.start, split.end);
}

static bool any_without_space(const nt_splits *splits, const nt_form *form) {
    for (size_t i = 0; i < splits->n; i++) {
        if (form->bytes[splits->list[i].start] != ' ') return true;
    }
    return false;
}

static void write_byte_level(nt_form *form, const nt_pre_tokenizer *pre, nt_split split) {
    (void)pre;
    for (size_t at = split.start; at < split.end;) {
        size_t same = at; /* printable ASCII stands for itself */
        while (same < split.end && form->bytes[same] > ' ' && form->bytes[same] < 0x7F)
            same++;
        nt_form_keep(form, at, same);
        if (same == split.end) return;
        char character[2];
        size_t n = nt_byte_level_char(character, (uint8_t)form->bytes[same]);
        nt_form_change(form, character, n, same, same + 1);
        at = same + 1;
    }
}

static int cut_gpt2(nt_splits *splits, const nt_form *form) {
    for (size_t i = 0; i < splits->n; i++) {
        nt_split split = splits->list[i];
        nt_scan scan;
        uint32_t ends[256];
        size_t start = split.start;
        nt_scan_start(&scan, NT_SCAN_GPT2, form->bytes + split.start, split.end - split.start);
        for (size_t n; (n = nt_scan_next(ends, 256, &scan)) > 0;) {
            for (size_t j = 0; j < n; start = split.start + ends[j++])
                NT_TRY(add(splits, start, split.start + ends[j]));
        }
    }
    swap(splits);
    return NT_OK;
}

static int byte_level(nt_splits *splits, nt_form *form, const nt_pre_tokenizer *pre) {
    if (pre->add_prefix_space && any_without_space(splits, form)) {
        NT_TRY(rewrite(splits, form, pre, write_prefixed));
    }
    if (pre->use_regex) NT_TRY(cut_gpt2(splits, form));
    return rewrite(splits, form, pre, write_byte_level);
}

static void write_metaspace(nt_form *form, const nt_pre_tokenizer *pre, nt_split split) {
    const char *mark = pre->replacement;
    size_t n = strlen(mark), length = first_length(form, split);
    const char *first = form->bytes + split.start;
    bool marked = *first == ' ' || (length == n && memcmp(first, mark, n) == 0);
    bool wanted = pre->scheme == NT_PREPEND_ALWAYS ||
                  (pre->scheme == NT_PREPEND_FIRST &&
                   nt_form_extent(form, split.start, split.start + length).start == 0);
    if (wanted && !marked) nt_form_change(form, mark, n, split.start, split.start + length);
    for (size_t at = split.start; at < split.end;) {
        const char *space = memchr(form->bytes + at, ' ', split.end - at);
        size_t end = space ? (size_t)(space - form->bytes) : split.end;
        nt_form_keep(form, at, end);
        if (end == split.end) return;
        nt_form_change(form, mark, n, end, end + 1);
        at = end + 1;
    }
}

/* Each replacement opens a split. */
static int cut_metaspace(nt_splits *splits, const nt_form *form, const nt_pre_tokenizer *pre) {
    const char *mark = pre->replacement;
    size_t n = strlen(mark);
    for (size_t i = 0; i < splits->n; i++) {
        size_t start = splits->list[i].start, end = splits->list[i].end, at = start + 1;
        for (const char *found; (found = memchr(form->bytes + at, mark[0], end - at)); at++) {
            at = (size_t)(found - form->bytes);
            if (end - at < n || memcmp(found, mark, n) != 0) continue;
            NT_TRY(add(splits, start, at));
            start = at;
        }
        NT_TRY(add(splits, start, end));
    }
    swap(splits);
    return NT_OK;
}

static int metaspace(nt_splits *splits, nt_form *form, const nt_pre_tokenizer *pre) {
    NT_TRY(rewrite(splits, form, pre, write_metaspace));
    return pre->split ? cut_metaspace(splits, form, pre) : NT_OK;
}

int nt_pre_tokenize(nt_splits *splits, nt_form *form, const nt_pre_tokenizers *pre_tokenizers,
                    nt_pattern_work *work) {
    splits->n = splits->n_spare = 0;
    NT_TRY(add(splits, 0, form->n));
    swap(splits);
    for (size_t i = 0; i < pre_tokenizers->n; i++) {
        const nt_pre_tokenizer *pre = &pre_tokenizers->list[i];
        splits->n_spare = 0;
        NT_TRY(pre->kind == NT_BYTE_LEVEL  ? byte_level(splits, form, pre)
               : pre->kind == NT_METASPACE ? metaspace(splits, form, pre)
                                           : cut(splits, form, pre, work));
    }
    return NT_OK;
}
