/* What stands around the tokens of a text: truncation to windows, the template, and white space
 * left out of offsets, in the order in which tokenizers does them. */
#include "text/post/post.h"

#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"

enum { MAX_SEQUENCES = 8 }; /* of one template; post_read.c refuses more */
#define MAX_WINDOW_TOKENS ((size_t)1 << 30)

static const nt_template_part alone[] = {{NT_TEMPLATE_A, 0}};
static const nt_template_part both[] = {{NT_TEMPLATE_A, 0}, {NT_TEMPLATE_B, 1}};

static const nt_template_part *parts_of(size_t *n, const nt_post *post, bool pair) {
    *n = post->templated ? (pair ? post->n_pair : post->n_single) : pair ? 2 : 1;
    if (post->templated) return pair ? post->pair : post->single;
    return pair ? both : alone;
}

size_t nt_post_added(const nt_post *post, bool pair) {
    size_t n, count = 0;
    const nt_template_part *parts = parts_of(&n, post, pair);
    for (size_t i = 0; i < n; i++)
        count += parts[i].id >= 0;
    return count;
}

/* ---- Windows --------------------------------------------------------------------------------- */

/* A text cut into windows: the first is the one that is kept, the others hold what was cut off,
 * each with `stride` tokens of the one before it. */
typedef struct cut {
    size_t n;         /* tokens of the text */
    size_t length;    /* most in a window; n when it is whole */
    size_t step;      /* from window to window */
    size_t n_windows; /* 1: whole */
    bool left;
} cut;

static int cut_to(cut *out, size_t length, const nt_truncation *t) {
    if (length >= out->n) return NT_OK;
    out->length = length;
    out->left = t->left;
    if (length == 0) { /* nothing is kept, and all of it follows in one window */
        out->n_windows = 2;
        return NT_OK;
    }
    if (t->stride >= length) {
        return nt_fail(NT_E_ARGUMENT,
                       "truncation to max_length %zu leaves %zu tokens for a text, which must be "
                       "more than the stride, %zu",
                       t->max_length, length, t->stride);
    }
    out->step = length - t->stride;
    out->n_windows = 1 + (out->n - length + out->step - 1) / out->step;
    return NT_OK;
}

static void window(size_t *start, size_t *end, const cut *c, size_t i) {
    if (c->n_windows == 1 || (c->length == 0 && i == 1)) {
        *start = 0;
        *end = c->n;
    } else if (c->left) {
        *end = c->n - i * c->step;
        *start = *end > c->length ? *end - c->length : 0;
    } else {
        *start = i * c->step;
        *end = *start + c->length < c->n ? *start + c->length : c->n;
    }
    if (c->length == 0 && i == 0) *start = *end = 0;
}

/* LongestFirst: what two texts of n[0] and n[1] tokens, too long together, keep of max. */
static void share(size_t keep[2], const size_t n[2], size_t max) {
    size_t shorter = n[0] <= n[1] ? 0 : 1;
    size_t small = n[shorter], large = small > max ? small : max - small;
    if (large < small) large = small;
    if (small > max || small + large > max) {
        small = max / 2;
        large = small + max % 2;
    }
    keep[shorter] = small;
    keep[1 - shorter] = large;
}

/* One text alone of those that the strategy names gives all that is too much. */
static int shorten(cut *out, size_t too_much, const nt_truncation *t) {
    if (out->n <= too_much) {
        return nt_fail(NT_E_ARGUMENT,
                       "truncation to max_length %zu must take %zu tokens from a text that has %zu",
                       t->max_length, too_much, out->n);
    }
    return cut_to(out, out->n - too_much, t);
}

/* Where the texts are cut so that they fit together with n_added further tokens. */
static int plan(cut cuts[2], const nt_assembly *assembly, size_t n_added) {
    const nt_truncation *t = assembly->truncation;
    bool pair = assembly->b != NULL;
    size_t n[2] = {assembly->a->n, pair ? assembly->b->n : 0};
    for (int i = 0; i < 2; i++)
        cuts[i] = (cut){.n = n[i], .length = n[i], .n_windows = 1};
    if (!t || !t->on) return NT_OK;
    if (t->max_length < n_added) {
        return nt_fail(NT_E_ARGUMENT,
                       "truncation to max_length %zu has no room for the %zu tokens that stand "
                       "around the text",
                       t->max_length, n_added);
    }
    size_t max = t->max_length - n_added;
    if (n[0] + n[1] <= max) return NT_OK;
    size_t too_much = n[0] + n[1] - max;
    if (max == 0) {
        NT_TRY(cut_to(&cuts[0], 0, t));
        return cut_to(&cuts[1], 0, t);
    }
    if (t->strategy == NT_ONLY_FIRST) return shorten(&cuts[0], too_much, t);
    if (t->strategy == NT_ONLY_SECOND) {
        if (!pair)
            return nt_fail(NT_E_ARGUMENT, "truncation of the second text only, and there is none");
        return shorten(&cuts[1], too_much, t);
    }
    size_t keep[2] = {max, 0};
    if (pair) share(keep, n, max);
    NT_TRY(cut_to(&cuts[0], keep[0], t));
    return cut_to(&cuts[1], keep[1], t);
}

/* ---- Assembling ------------------------------------------------------------------------------ */

typedef struct assembler {
    const nt_assembly *assembly;
    const nt_template_part *parts; /* [n_parts] */
    size_t n_parts;
    bool bos; /* one more token before all */
    cut cuts[2];
    size_t n_sequences;
    size_t radix[MAX_SEQUENCES]; /* windows of each sequence of the template */
    size_t n_windows;            /* of all combined */
} assembler;

/* How tokenizers goes through the combined windows: window 0 has the first of every sequence.
 * Then, as one sequence after the other is appended, come first all windows of what stands before
 * with each of the next, at last the first of what stands before with the next one's others. */
static void combine(size_t digits[MAX_SEQUENCES], const assembler *a, size_t i) {
    memset(digits, 0, MAX_SEQUENCES * sizeof *digits);
    if (i == 0) return;
    size_t others[MAX_SEQUENCES + 1] = {0}; /* windows of sequences 0 .. s without the first */
    size_t product = 1, rank = i - 1;
    for (size_t s = 0; s < a->n_sequences; s++) {
        product *= a->radix[s];
        others[s + 1] = product - 1;
    }
    for (size_t s = a->n_sequences; s-- > 0;) {
        if (rank >= others[s] * a->radix[s]) {
            digits[s] = rank - others[s] * a->radix[s] + 1;
            return;
        }
        digits[s] = rank % a->radix[s];
        rank /= a->radix[s];
    }
}

/* One block: the struct and its arrays, whose contents the caller fills. */
static nt_encoding *encoding_new(size_t n, bool offsets, bool marks, bool words) {
    size_t item = sizeof(int32_t) + (offsets ? 2 * sizeof(uint32_t) : 0) +
                  (words ? sizeof(uint32_t) : 0) + (marks ? sizeof(uint32_t) + 1 : 0);
    size_t header = (sizeof(nt_encoding) + item - 1) / item;
    nt_encoding *encoding = nt_alloc(n + header, item);
    if (!encoding) return NULL;
    uint32_t *at = (uint32_t *)(void *)(encoding + 1);
    encoding->n = n;
    encoding->ids = (int32_t *)at;
    at += n;
    if (offsets) {
        encoding->starts = at;
        encoding->ends = at + n;
        at += 2 * n;
    }
    if (words) {
        encoding->words = at;
        at += n;
    }
    if (marks) {
        encoding->types = at;
        encoding->marks = (uint8_t *)(at + n);
    }
    return encoding;
}

/* The arrays of an encoding that is being made. */
typedef struct fields {
    int32_t *ids;
    uint32_t *starts, *ends, *types, *words;
    uint8_t *marks;
} fields;

static fields fields_of(nt_encoding *encoding) {
    return (fields){(int32_t *)(uintptr_t)encoding->ids,    (uint32_t *)(uintptr_t)encoding->starts,
                    (uint32_t *)(uintptr_t)encoding->ends,  (uint32_t *)(uintptr_t)encoding->types,
                    (uint32_t *)(uintptr_t)encoding->words, (uint8_t *)(uintptr_t)encoding->marks};
}

static void put_one(fields *f, size_t at, int32_t id, uint32_t type, uint8_t mark) {
    f->ids[at] = id;
    if (f->starts) f->starts[at] = f->ends[at] = 0;
    if (f->words) f->words[at] = NT_NO_WORD;
    if (f->types) {
        f->types[at] = type;
        f->marks[at] = mark;
    }
}

/* ---- White space left out of offsets --------------------------------------------------------- */

static bool continues(char byte) {
    return ((unsigned char)byte & 0xC0) == 0x80;
}

/* Length in bytes of the character of well-formed UTF-8 that starts here. */
static uint32_t char_length(char first) {
    unsigned char byte = (unsigned char)first;
    return byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

/* Trims one token by characters. first: of its window. */
static void trim_one(uint32_t *start, uint32_t *end, const nt_assembly *assembly, const char *text,
                     nt_margin margin, bool first) {
    if (*start >= *end) return;
    size_t leading = margin.leading, trailing = margin.trailing;
    uint32_t low = *start, high = *end - 1; /* to the borders of whole characters */
    while (low > 0 && continues(text[low]))
        low--;
    while (high > 0 && continues(text[high]))
        high--;
    high += char_length(text[high]);
    if ((first || low == 0) && assembly->post->add_prefix_space && leading == 1) leading = 0;
    if (leading) {
        while (leading-- > 0 && low < high)
            low += char_length(text[low]);
        *start = low;
        if (*end < low) *end = low;
    }
    if (!trailing) return;
    while (trailing > 0 && high > 0) {
        for (high--; high > 0 && continues(text[high]);)
            high--;
        trailing--;
    }
    if (trailing == 0) *end = high > *start ? high : *start;
}

/* Trims tokens [start, start + n) of a text, which stand at `at` of the fields. */
static void trim(fields *f, size_t at, const nt_assembly *assembly, const nt_tokens *tokens,
                 const char *text, size_t start, size_t n) {
    size_t m = 0;
    while (m < tokens->n_margins && tokens->margins[m].token < start)
        m++;
    for (size_t i = 0; i < n; i++) {
        nt_margin margin = {0};
        if (m < tokens->n_margins && tokens->margins[m].token == start + i) {
            margin = tokens->margins[m++];
        } else {
            const nt_piece *piece = nt_lexicon_at(assembly->lexicon, f->ids[at + i]);
            if (piece)
                margin = nt_margin_of(nt_piece_content(assembly->lexicon, piece), piece->n_content);
        }
        trim_one(&f->starts[at + i], &f->ends[at + i], assembly, text, margin, i == 0);
    }
}

/* Window [start, end) of one text; digit is its number. Returns the tokens written. */
static size_t put_window(fields *f, size_t at, const assembler *a, const nt_template_part *part,
                         size_t digit) {
    const nt_assembly *assembly = a->assembly;
    bool b = part->id == NT_TEMPLATE_B;
    const nt_tokens *tokens = b ? assembly->b : assembly->a;
    size_t start, end;
    window(&start, &end, &a->cuts[b], digit);
    size_t n = end - start;
    if (n == 0) return 0;
    memcpy(f->ids + at, tokens->ids + start, n * sizeof *f->ids);
    if (f->starts) {
        memcpy(f->starts + at, tokens->starts + start, n * sizeof *f->starts);
        memcpy(f->ends + at, tokens->ends + start, n * sizeof *f->ends);
        const char *text = b ? assembly->text_b : assembly->text_a;
        if (assembly->trim && assembly->post->trim_offsets)
            trim(f, at, assembly, tokens, text, start, n);
    }
    if (f->words) memcpy(f->words + at, tokens->words + start, n * sizeof *f->words);
    if (f->types) {
        bool stated = digit == 0 || (assembly->post->types_of_windows && assembly->special);
        uint32_t type = stated ? part->type : b;
        for (size_t i = 0; i < n; i++)
            f->types[at + i] = type;
        memset(f->marks + at, b ? NT_MARK_PAIR : 0, n);
    }
    return n;
}

static nt_encoding *make_window(const assembler *a, size_t i) {
    const nt_assembly *assembly = a->assembly;
    size_t digits[MAX_SEQUENCES], n = a->bos, at = 0, sequence = 0;
    combine(digits, a, i);
    for (size_t p = 0; p < a->n_parts; p++) {
        const nt_template_part *part = &a->parts[p];
        if (part->id >= 0) {
            n += assembly->special;
        } else {
            size_t start, end;
            window(&start, &end, &a->cuts[part->id == NT_TEMPLATE_B], digits[sequence++]);
            n += end - start;
        }
    }
    nt_encoding *encoding = encoding_new(n, assembly->a->offsets, assembly->marks, assembly->words);
    if (!encoding) return NULL;
    fields f = fields_of(encoding);
    sequence = 0;
    if (a->bos) put_one(&f, at++, assembly->bos, 0, NT_MARK_SPECIAL);
    for (size_t p = 0; p < a->n_parts; p++) {
        const nt_template_part *part = &a->parts[p];
        if (part->id < 0) {
            at += put_window(&f, at, a, part, digits[sequence++]);
        } else if (assembly->special) {
            put_one(&f, at++, part->id, part->type, NT_MARK_SPECIAL);
        }
    }
    return encoding;
}

/* Counts the combined windows, and refuses what would fill any memory. */
static int count_windows(assembler *a) {
    size_t longest = a->bos + a->n_parts;
    bool seen[2] = {false, false};
    a->n_windows = 1;
    for (size_t p = 0; p < a->n_parts; p++) {
        if (a->parts[p].id >= 0) continue;
        bool b = a->parts[p].id == NT_TEMPLATE_B;
        const cut *c = &a->cuts[b];
        seen[b] = true;
        a->radix[a->n_sequences++] = c->n_windows;
        if (c->n_windows > MAX_WINDOW_TOKENS / a->n_windows)
            a->n_windows = MAX_WINDOW_TOKENS;
        else
            a->n_windows *= c->n_windows;
        longest += c->length ? c->length : c->n;
    }
    if (a->assembly->b && !(seen[0] && seen[1])) {
        return nt_fail(NT_E_UNSUPPORTED,
                       "the template of this tokenizer for two texts leaves one of them out");
    }
    if (a->n_windows > 1 && longest > MAX_WINDOW_TOKENS / a->n_windows) {
        return nt_fail(
            NT_E_ARGUMENT,
            "truncation makes %s%zu windows of up to %zu tokens, which is too much; take "
            "a larger max_length or a smaller stride",
            a->n_windows == MAX_WINDOW_TOKENS ? "more than " : "", a->n_windows, longest);
    }
    return NT_OK;
}

int nt_assemble(nt_encoding **out, const nt_assembly *assembly) {
    *out = NULL;
    assembler a = {.assembly = assembly};
    a.parts = parts_of(&a.n_parts, assembly->post, assembly->b != NULL);
    bool there = assembly->special && a.n_parts && a.parts[0].id == assembly->bos;
    a.bos = assembly->bos >= 0 && !there;
    size_t n_added = a.bos;
    if (assembly->special) n_added += nt_post_added(assembly->post, assembly->b != NULL);
    NT_TRY(plan(a.cuts, assembly, n_added));
    NT_TRY(count_windows(&a));
    nt_encoding **next = out;
    for (size_t i = 0; i < a.n_windows; i++) {
        *next = make_window(&a, i);
        if (!*next) {
            nt_encoding_free(*out);
            *out = NULL;
            return NT_E_MEMORY;
        }
        next = &(*next)->overflow;
    }
    return NT_OK;
}

/* Arrays that do not stand behind the struct were taken over. */
static bool took(const nt_encoding *encoding) {
    return encoding->ids != (const int32_t *)(const void *)(encoding + 1);
}

int nt_encoding_take(nt_encoding **out, nt_tokens *tokens) {
    enum { MANY = 1 << 16 };
    *out = NULL;
    if (tokens->n == 0) { /* there may be no arrays */
        *out = encoding_new(0, tokens->offsets, false, false);
        return *out ? NT_OK : NT_E_MEMORY;
    }
    nt_encoding *encoding = nt_alloc(1, sizeof *encoding);
    if (!encoding) return NT_E_MEMORY;
    if (tokens->capacity - tokens->n > MANY) nt_tokens_shrink(tokens);
    *encoding = (nt_encoding){
        .n = tokens->n, .ids = tokens->ids, .starts = tokens->starts, .ends = tokens->ends};
    *tokens = (nt_tokens){.offsets = tokens->offsets};
    *out = encoding;
    return NT_OK;
}

int32_t *nt_encoding_ids(nt_encoding *encoding) {
    fields f = fields_of(encoding);
    if (took(encoding)) {
        encoding->ids = NULL;
        return f.ids;
    }
    int32_t *ids = nt_resize(NULL, encoding->n, sizeof *ids);
    if (ids && encoding->n) memcpy(ids, f.ids, encoding->n * sizeof *ids);
    return ids;
}

void nt_encoding_free(nt_encoding *encoding) {
    while (encoding) {
        nt_encoding *next = encoding->overflow;
        fields f = fields_of(encoding);
        if (took(encoding)) {
            nt_free(f.ids);
            if (!f.starts || f.ends != f.starts + 1) nt_free(f.ends); /* tiled tokens' */
            nt_free(f.starts);
        }
        nt_free(encoding);
        encoding = next;
    }
}

/* ---- Padding --------------------------------------------------------------------------------- */

static void copy_fields(fields *to, size_t at, const nt_encoding *from) {
    size_t n = from->n;
    if (n == 0) return;
    memcpy(to->ids + at, from->ids, n * sizeof *to->ids);
    if (to->starts) {
        memcpy(to->starts + at, from->starts, n * sizeof *to->starts);
        memcpy(to->ends + at, from->ends, n * sizeof *to->ends);
    }
    if (to->words) memcpy(to->words + at, from->words, n * sizeof *to->words);
    if (to->types) {
        memcpy(to->types + at, from->types, n * sizeof *to->types);
        memcpy(to->marks + at, from->marks, n);
    }
}

/* Puts a longer encoding in the place of *place. */
static int pad_one(nt_encoding **place, size_t length, const nt_padding *padding) {
    nt_encoding *old = *place;
    if (old->n >= length) return NT_OK;
    nt_encoding *padded =
        encoding_new(length, old->starts != NULL, old->marks != NULL, old->words != NULL);
    if (!padded) return NT_E_MEMORY;
    fields f = fields_of(padded);
    size_t more = length - old->n, first = padding->left ? 0 : old->n;
    copy_fields(&f, padding->left ? more : 0, old);
    for (size_t i = 0; i < more; i++)
        put_one(&f, first + i, padding->id, padding->type, NT_MARK_PADDING);
    padded->overflow = old->overflow;
    old->overflow = NULL;
    nt_encoding_free(old);
    *place = padded;
    return NT_OK;
}

int nt_pad(nt_encoding **encodings, size_t n, const nt_padding *padding) {
    if (!padding->on) return NT_OK;
    size_t length = padding->length;
    for (size_t i = 0; !padding->length && i < n; i++)
        if (encodings[i]->n > length) length = encodings[i]->n;
    size_t over = padding->multiple ? length % padding->multiple : 0;
    if (over) length += padding->multiple - over;
    if (length < padding->length || length > MAX_WINDOW_TOKENS * 4) {
        return nt_fail(NT_E_ARGUMENT, "padding to %zu tokens and a multiple of %zu is too much",
                       padding->length, padding->multiple);
    }
    for (size_t i = 0; i < n; i++)
        for (nt_encoding **place = &encodings[i]; *place; place = &(*place)->overflow)
            NT_TRY(pad_one(place, length, padding));
    return NT_OK;
}
