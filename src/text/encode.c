/* Text -> ids and the bytes of the text that each stands for. */
#include "text/encode.h"

#include <string.h>

#include "base/memory.h"
#include "base/options.h"
#include "base/utf8.h"

enum {
    PIECE = 128 << 10, /* bytes that are checked, searched and taken apart while they are near */
    BYTES_A_TOKEN = 3  /* for the first guess of how many there will be */
};

#define META "\xE2\x96\x81" /* U+2581, a space in SentencePiece's vocabularies */

void nt_text_work_free(nt_text_work *work) {
    nt_form_free(&work->form);
    nt_form_free(&work->part);
    nt_splits_free(&work->splits);
    nt_pattern_work_free(&work->pattern);
    nt_subword_work_free(&work->subword);
    nt_lane_work_free(&work->lane);
}

/* ---- From a stretch of text to tokens -------------------------------------------------------- */

typedef struct path {
    nt_tokens *out;
    const nt_tokenizer *tokenizer;
    nt_text_work *work;
    const char *text;
    size_t origin; /* where it begins in the whole text */
    bool skip_special;
    int prefix;                      /* as add_prefix_space in the options */
    nt_pre_tokenizers unprefixed;    /* the tokenizer's, without the spaces that they add */
    const nt_pre_tokenizers *splits; /* those that are used */
} path;

/* pre-tokenizers that add no space. */
static int make_unprefixed(path *p) {
    const nt_pre_tokenizers *given = &p->tokenizer->pre_tokenizers;
    p->splits = given;
    if (p->prefix >= 0 || p->tokenizer->lane.kind != NT_SCAN_NONE || given->n == 0) return NT_OK;
    nt_pre_tokenizer *list = nt_alloc(given->n, sizeof *list);
    if (!list) return NT_E_MEMORY;
    memcpy(list, given->list, given->n * sizeof *list);
    for (size_t i = 0; i < given->n; i++) {
        list[i].add_prefix_space = false;
        list[i].scheme = NT_PREPEND_NEVER;
    }
    p->unprefixed = (nt_pre_tokenizers){list, given->n};
    p->splits = &p->unprefixed;
    return NT_OK;
}

static int by_lane(path *p, const char *bytes, size_t n, size_t origin) {
    const nt_tokenizer *t = p->tokenizer;
    bool prefix = p->prefix ? p->prefix > 0 : t->lane.add_prefix_space;
    return nt_lane_encode(p->out, &t->lane, &t->subword, &t->lexicon, t->n_model, &p->work->lane,
                          &p->work->subword.bpe, bytes, n, origin, prefix);
}

/* Tokens from number `first` on tell bytes of the form: maps them to the text. */
static void map(nt_tokens *out, size_t first, const nt_form *form, size_t start) {
    for (size_t i = first; out->offsets && i < out->n; i++) {
        nt_extent extent = nt_form_extent(form, start + out->starts[i], start + out->ends[i]);
        out->starts[i] = extent.start;
        out->ends[i] = extent.end;
    }
}

/* A space before a form that starts without one; it stands for the first character. */
static int put_prefix(nt_form *form) {
    if (form->n == 0 || form->bytes[0] == ' ') return NT_OK;
    if (form->n >= 3 && memcmp(form->bytes, META, 3) == 0) return NT_OK;
    char first[5] = " ";
    int32_t code;
    size_t width = nt_utf8_next(&code, form->bytes, form->n);
    memcpy(first + 1, form->bytes, width);
    nt_form_begin(form);
    nt_form_change(form, first, width + 1, 0, width);
    nt_form_keep(form, width, form->n);
    return nt_form_done(form);
}

/* Bytes [start, end) of the work's form, between added tokens. */
static int put_part(path *p, size_t start, size_t end) {
    nt_text_work *work = p->work;
    nt_tokens *out = p->out;
    const nt_form *whole = &work->form;
    size_t first = out->n;
    if (p->tokenizer->lane.kind != NT_SCAN_NONE) {
        NT_TRY(by_lane(p, whole->bytes + start, end - start, 0));
        map(out, first, whole, start);
        return NT_OK;
    }
    nt_form *part = &work->part;
    nt_form_start(part, whole->bytes + start, end - start, whole->origin + start);
    if (whole->from) part->from = whole->from + start;
    if (p->prefix > 0) NT_TRY(put_prefix(part));
    NT_TRY(nt_pre_tokenize(&work->splits, part, p->splits, &work->pattern));
    for (size_t i = 0; i < work->splits.n; i++) {
        nt_split split = work->splits.list[i];
        first = out->n;
        NT_TRY(nt_subword_tokenize(out, &p->tokenizer->subword, &p->tokenizer->lexicon,
                                   &work->subword, part->bytes + split.start,
                                   split.end - split.start));
        map(out, first, part, split.start);
        nt_tokens_word(out, first);
    }
    return NT_OK;
}

/* An added token that is bytes [start, end) of the whole text, and a word. */
static int put_token(path *p, const nt_added_token *token, uint32_t start, uint32_t end) {
    NT_TRY(nt_tokens_put(p->out, token->id, start, end));
    nt_tokens_word(p->out, p->out->n - 1);
    return NT_OK;
}

/* An added token that is bytes [from, to) of the text. */
static int put_added(path *p, const nt_added_token *token, size_t from, size_t to) {
    return put_token(p, token, (uint32_t)(p->origin + from), (uint32_t)(p->origin + to));
}

/* A scan for the added tokens that are looked for second, in what normalizers left. */
static nt_added_scan second_scan(const path *p, const char *bytes, size_t n) {
    const nt_added *added = &p->tokenizer->added;
    return (nt_added_scan){added, &added->normalized, bytes, n, .skip_special = p->skip_special};
}

/* Bytes [start, end) of the text, which normalizers leave as they are. */
static int put_as_it_is(path *p, size_t start, size_t end) {
    nt_added_scan scan = second_scan(p, p->text + start, end - start);
    nt_span span;
    while (nt_added_next(&span, &scan)) {
        size_t from = start + span.start, to = start + span.end;
        if (span.token) {
            NT_TRY(nt_tokens_put_margin(p->out, p->text + from, to - from));
            NT_TRY(put_added(p, span.token, from, to));
        } else {
            NT_TRY(by_lane(p, p->text + from, to - from, p->origin + from));
        }
    }
    return NT_OK;
}

/* Bytes [start, end) of the text, between the added tokens that were found first. */
static int put_stretch(path *p, size_t start, size_t end) {
    const nt_tokenizer *t = p->tokenizer;
    bool left = nt_normalizers_leave(&t->normalizers, p->text + start, end - start);
    if (left && t->lane.kind != NT_SCAN_NONE) return put_as_it_is(p, start, end);
    nt_form *form = &p->work->form;
    nt_form_start(form, p->text + start, end - start, p->origin + start);
    if (!left) NT_TRY(nt_normalize(form, &t->normalizers, &p->work->pattern));
    nt_added_scan scan = second_scan(p, form->bytes, form->n);
    nt_span span;
    while (nt_added_next(&span, &scan)) {
        if (span.token) {
            nt_extent extent = nt_form_extent(form, span.start, span.end);
            NT_TRY(nt_tokens_put_margin(p->out, form->bytes + span.start, span.end - span.start));
            NT_TRY(put_token(p, span.token, extent.start, extent.end));
        } else {
            NT_TRY(put_part(p, span.start, span.end));
        }
    }
    return NT_OK;
}

static int put_text(path *p, size_t n) {
    const nt_added *added = &p->tokenizer->added;
    nt_added_scan scan = {added, &added->raw, p->text, n, .skip_special = p->skip_special};
    nt_span span;
    while (nt_added_next(&span, &scan)) {
        if (span.token) {
            NT_TRY(nt_tokens_put_margin(p->out, p->text + span.start, span.end - span.start));
            NT_TRY(put_added(p, span.token, span.start, span.end));
        } else {
            NT_TRY(put_stretch(p, span.start, span.end));
        }
    }
    return NT_OK;
}

bool nt_tokenizer_tiles(const nt_tokenizer *tokenizer) {
    return tokenizer->lane.kind != NT_SCAN_NONE && tokenizer->normalizers.n == 0;
}

int nt_tokens_of_text(nt_tokens *out, const nt_tokenizer *tokenizer, nt_text_work *work,
                      const char *text, size_t start, size_t end,
                      const nt_encode_options *options) {
    path p = {.out = out,
              .tokenizer = tokenizer,
              .work = work,
              .text = text + start,
              .origin = start,
              .skip_special = options->split_special_tokens,
              .prefix = options->add_prefix_space};
    NT_TRY(make_unprefixed(&p));
    nt_pattern_begin(&work->pattern);
    int status = put_text(&p, end - start);
    nt_free(p.unprefixed.list);
    return status;
}

/* ---- Options, checks, what stands around ----------------------------------------------------- */

static int plan_padding(nt_padding *padding, const nt_tokenizer *tokenizer,
                        const nt_encode_options *o) {
    *padding = (nt_padding){0};
    if (o->padding == 0) *padding = tokenizer->padding;
    if (o->padding <= 0) return NT_OK;
    int32_t id = o->pad_id >= 0 ? o->pad_id : tokenizer->pad;
    if (id < 0) {
        return nt_fail(NT_E_ARGUMENT, "padding: this tokenizer has no padding token; give pad_id");
    }
    *padding = (nt_padding){true, o->pad_length, o->pad_multiple, o->pad_left, id, 0};
    return NT_OK;
}

int nt_encode_plan_make(nt_encode_plan *plan, const nt_tokenizer *tokenizer,
                        const nt_encode_options *options) {
    *plan = (nt_encode_plan){.tokenizer = tokenizer, .options = NT_ENCODE_OPTIONS_INIT, .bos = -1};
    nt_encode_options *o = &plan->options;
    NT_TRY(nt_take_options(o, sizeof *o, options, "nt_encode_options"));
    if (o->add_bos && tokenizer->bos < 0)
        return nt_fail(NT_E_ARGUMENT, "add_bos: this tokenizer has no BOS token");
    if (o->add_bos) plan->bos = tokenizer->bos;
    o->offsets = o->offsets || o->words;
    plan->special = o->add_special_tokens >= 0;
    if (o->truncation == 0) plan->truncation = tokenizer->truncation;
    if (o->truncation > 0) {
        plan->truncation = (nt_truncation){.on = true,
                                           .max_length = o->max_length,
                                           .stride = o->stride,
                                           .left = o->truncate_left,
                                           .strategy = NT_LONGEST_FIRST};
    }
    return plan_padding(&plan->padding, tokenizer, o);
}

int nt_encode_check(const char *text, size_t n) {
    if (!text && n) return nt_fail(NT_E_ARGUMENT, "the text is NULL");
    if (n >= UINT32_MAX - 1) {
        return nt_fail(NT_E_ARGUMENT, "a text of %zu bytes is too long; cut it below 4 GiB", n);
    }
    return NT_OK;
}

static int check_utf8(const char *text, size_t start, size_t end) {
    size_t bad = start + nt_utf8_check(text + start, end - start);
    if (bad == end) return NT_OK;
    return nt_fail(NT_E_TEXT, "the text is not UTF-8 at byte %zu (0x%02X)", bad,
                   (unsigned char)text[bad]);
}

int nt_encode_stretch(nt_tokens *out, const nt_encode_plan *plan, nt_text_work *work,
                      const char *text, size_t n, size_t start, size_t end, bool may_cut) {
    NT_TRY(nt_tokens_reserve(out, (end - start) / BYTES_A_TOKEN));
    while (start < end) {
        size_t stop = end;
        if (may_cut && end - start >= 2 * PIECE)
            stop = nt_tokenizer_border(plan->tokenizer, text, n, start + PIECE);
        if (stop > end) stop = end;
        NT_TRY(check_utf8(text, start, stop));
        NT_TRY(nt_tokens_of_text(out, plan->tokenizer, work, text, start, stop, &plan->options));
        start = stop;
    }
    return NT_OK;
}

bool nt_encode_trims(const nt_encode_plan *plan) {
    return plan->options.trim_offsets && plan->tokenizer->post.trim_offsets;
}

bool nt_encode_is_plain(const nt_encode_plan *plan, const nt_tokens *tokens) {
    const nt_post *post = &plan->tokenizer->post;
    if (plan->bos >= 0 || plan->options.marks || plan->options.words) return false;
    if (post->templated && (post->n_single != 1 || post->single[0].id != NT_TEMPLATE_A))
        return false;
    if (plan->truncation.on && tokens->n > plan->truncation.max_length) return false;
    return !(tokens->offsets && nt_encode_trims(plan));
}

int nt_encode_finish(nt_encoding **out, const nt_encode_plan *plan, nt_tokens *a, nt_tokens *b,
                     const char *text_a, const char *text_b, bool take) {
    if (take && !b && nt_encode_is_plain(plan, a)) return nt_encoding_take(out, a);
    nt_assembly assembly = {.post = &plan->tokenizer->post,
                            .truncation = &plan->truncation,
                            .a = a,
                            .b = b,
                            .text_a = text_a,
                            .text_b = text_b,
                            .lexicon = &plan->tokenizer->lexicon,
                            .special = plan->special,
                            .bos = plan->bos,
                            .trim = plan->options.trim_offsets,
                            .marks = plan->options.marks,
                            .words = plan->options.words};
    return nt_assemble(out, &assembly);
}

/* ---- One text -------------------------------------------------------------------------------- */

static size_t *widen(const uint32_t *numbers, size_t n) {
    size_t *wide = nt_resize(NULL, n, sizeof *wide);
    for (size_t i = 0; wide && i < n; i++)
        wide[i] = numbers[i];
    return wide;
}

/* Plain tokens keep their array. */
static int hand_over(int32_t **ids, size_t **starts, size_t **ends, size_t *n_ids,
                     const nt_encode_plan *plan, nt_tokens *tokens, const char *text) {
    nt_encoding *encoding;
    NT_TRY(nt_encode_finish(&encoding, plan, tokens, NULL, text, NULL, true));
    int status = nt_pad(&encoding, 1, &plan->padding);
    if (status == NT_OK) {
        *ids = nt_encoding_ids(encoding);
        if (*ids && starts) *starts = widen(encoding->starts, encoding->n);
        if (*ids && ends) *ends = widen(encoding->ends, encoding->n);
        if (!*ids || (starts && !*starts) || (ends && !*ends)) status = NT_E_MEMORY;
    }
    if (status == NT_OK) *n_ids = encoding->n;
    nt_encoding_free(encoding);
    return status;
}

int nt_encode(int32_t **ids, size_t **starts, size_t **ends, size_t *n_ids,
              const nt_tokenizer *tokenizer, const char *text, size_t n_text,
              const nt_encode_options *options) {
    *ids = NULL;
    *n_ids = 0;
    if (starts) *starts = NULL;
    if (ends) *ends = NULL;
    nt_encode_plan plan;
    NT_TRY(nt_encode_plan_make(&plan, tokenizer, options));
    plan.options.marks = plan.options.words = false;
    if (n_text == NT_ZERO_ENDED) n_text = text ? strlen(text) : 1;
    NT_TRY(nt_encode_check(text, n_text));

    if (!text) text = "";
    nt_tokens tokens = {.offsets = starts || ends};
    tokens.tiled = tokens.offsets && nt_tokenizer_tiles(tokenizer);
    tokens.trimmed = tokens.offsets && nt_encode_trims(&plan);
    nt_text_work work = {0};
    int status = nt_encode_stretch(&tokens, &plan, &work, text, n_text, 0, n_text,
                                   n_text > PIECE && nt_tokenizer_may_cut(tokenizer));
    nt_text_work_free(&work);
    if (status == NT_OK) status = hand_over(ids, starts, ends, n_ids, &plan, &tokens, text);
    nt_tokens_free(&tokens);
    if (status == NT_OK) return NT_OK;
    nt_free(*ids);
    *ids = NULL;
    if (starts) nt_free(*starts);
    if (ends) nt_free(*ends);
    if (starts) *starts = NULL;
    if (ends) *ends = NULL;
    return status;
}
