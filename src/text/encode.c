/* Text -> ids and the bytes of the text that each stands for. */
#include <string.h>

#include "base/memory.h"
#include "base/options.h"
#include "base/utf8.h"
#include "text/split/pretokenize_gpt2.h"
#include "text/tokenizer.h"

typedef struct encoder {
    const nt_tokenizer *tokenizer;
    const char *text;
    bool prefix, skip_special;
    bool want_starts, want_ends;
    int32_t *ids; /* [n], and starts and ends where they are wanted */
    size_t *starts, *ends;
    size_t n, ids_capacity, starts_capacity, ends_capacity;
    uint32_t *lengths; /* of one word's tokens */
    size_t lengths_capacity;
    nt_bpe_work work;
    nt_buffer prefixed; /* a stretch with its space before it */
} encoder;

static int grow_sizes(size_t **array, size_t *capacity, size_t need) {
    void *memory = *array;
    int status = nt_grow(&memory, capacity, need, sizeof **array);
    *array = memory;
    return status;
}

/* Room for `more` further tokens. */
static int reserve(encoder *e, size_t more) {
    void *ids = e->ids;
    int status = nt_grow(&ids, &e->ids_capacity, e->n + more, sizeof *e->ids);
    e->ids = ids;
    NT_TRY(status);
    if (e->want_starts) NT_TRY(grow_sizes(&e->starts, &e->starts_capacity, e->n + more));
    if (e->want_ends) NT_TRY(grow_sizes(&e->ends, &e->ends_capacity, e->n + more));
    return NT_OK;
}

static int put(encoder *e, int32_t id, size_t start, size_t end) {
    NT_TRY(reserve(e, 1));
    e->ids[e->n] = id;
    if (e->want_starts) e->starts[e->n] = start;
    if (e->want_ends) e->ends[e->n] = end;
    e->n++;
    return NT_OK;
}

/* A stretch of text between added tokens, as the pre-tokenizer sees it. */
typedef struct stretch {
    const char *bytes; /* [n], with the space before it if one was added */
    size_t n;
    size_t start; /* in the text, without that space */
    size_t shift; /* 1 when a space was added: it has no bytes in the text */
} stretch;

static size_t in_text(const stretch *s, size_t at) {
    return s->start + (at > s->shift ? at - s->shift : 0);
}

/* Bytes [at, at + n) of a stretch, one word. */
static int put_word(encoder *e, const stretch *s, size_t at, size_t n) {
    NT_TRY(reserve(e, n));
    void *lengths = e->lengths;
    int status = nt_grow(&lengths, &e->lengths_capacity, n, sizeof *e->lengths);
    e->lengths = lengths;
    NT_TRY(status);
    size_t count;
    NT_TRY(nt_bpe_word(&count, e->ids + e->n, e->lengths, &e->tokenizer->bpe, &e->work,
                       s->bytes + at, n));
    for (size_t i = 0; i < count; i++) {
        if (e->want_starts) e->starts[e->n + i] = in_text(s, at);
        at += e->lengths[i];
        if (e->want_ends) e->ends[e->n + i] = in_text(s, at);
    }
    e->n += count;
    return NT_OK;
}

/* Text without added tokens. Tokens keep the space that opens them: the files' trim_offsets, which
 * would leave it out of the offsets, is not followed, so that offsets tile the text. */
static int put_stretch(encoder *e, size_t start, size_t end) {
    stretch s = {e->text + start, end - start, start, 0};
    if (e->prefix && s.n && s.bytes[0] != ' ') {
        nt_buffer_clear(&e->prefixed);
        nt_buffer_putc(&e->prefixed, ' ');
        nt_buffer_put(&e->prefixed, s.bytes, s.n);
        NT_TRY(e->prefixed.status);
        s = (stretch){e->prefixed.data, e->prefixed.n, start, 1};
    }
    for (size_t at = 0; at < s.n;) {
        size_t n = e->tokenizer->use_regex ? nt_gpt2_next(s.bytes + at, s.n - at) : s.n;
        NT_TRY(put_word(e, &s, at, n));
        at += n;
    }
    return NT_OK;
}

/* Text [start, end) in which the second pass looks for the normalized added tokens. */
static int put_between(encoder *e, size_t start, size_t end) {
    const nt_added *added = &e->tokenizer->added;
    nt_added_scan scan = {added, &added->normalized, e->text + start, end - start,
                          .skip_special = e->skip_special};
    nt_span span;
    while (nt_added_next(&span, &scan)) {
        if (span.token) {
            NT_TRY(put(e, span.token->id, start + span.start, start + span.end));
        } else {
            NT_TRY(put_stretch(e, start + span.start, start + span.end));
        }
    }
    return NT_OK;
}

static int put_text(encoder *e, size_t n_text) {
    const nt_added *added = &e->tokenizer->added;
    nt_added_scan scan = {added, &added->raw, e->text, n_text, .skip_special = e->skip_special};
    nt_span span;
    while (nt_added_next(&span, &scan)) {
        if (span.token) {
            NT_TRY(put(e, span.token->id, span.start, span.end));
        } else {
            NT_TRY(put_between(e, span.start, span.end));
        }
    }
    return NT_OK;
}

static int encode(encoder *e, size_t n_text, bool add_bos) {
    const nt_tokenizer *t = e->tokenizer;
    NT_TRY(reserve(e, n_text / 4 + t->n_before + t->n_after + 1));
    if (add_bos && !(t->n_before && t->before[0] == t->bos)) NT_TRY(put(e, t->bos, 0, 0));
    for (size_t i = 0; i < t->n_before; i++)
        NT_TRY(put(e, t->before[i], 0, 0));
    NT_TRY(put_text(e, n_text));
    for (size_t i = 0; i < t->n_after; i++)
        NT_TRY(put(e, t->after[i], 0, 0));
    return NT_OK;
}

static int check(const nt_tokenizer *tokenizer, const char *text, size_t n_text,
                 const nt_encode_options *options) {
    if (!text && n_text) return nt_fail(NT_E_ARGUMENT, "the text is NULL");
    if (n_text >= UINT32_MAX - 1) {
        return nt_fail(NT_E_ARGUMENT, "a text of %zu bytes is too long; cut it below 4 GiB",
                       n_text);
    }
    if (options->add_bos && tokenizer->bos < 0)
        return nt_fail(NT_E_ARGUMENT, "add_bos: this tokenizer has no BOS token");
    size_t bad = nt_utf8_check(text, n_text);
    if (bad < n_text) {
        return nt_fail(NT_E_TEXT, "the text is not UTF-8 at byte %zu (0x%02X)", bad,
                       (unsigned char)text[bad]);
    }
    return NT_OK;
}

int nt_encode(int32_t **ids, size_t **starts, size_t **ends, size_t *n_ids,
              const nt_tokenizer *tokenizer, const char *text, size_t n_text,
              const nt_encode_options *options) {
    *ids = NULL;
    *n_ids = 0;
    if (starts) *starts = NULL;
    if (ends) *ends = NULL;
    nt_encode_options o = NT_ENCODE_OPTIONS_INIT;
    NT_TRY(nt_take_options(&o, sizeof o, options, "nt_encode_options"));
    if (n_text == NT_ZERO_ENDED) n_text = text ? strlen(text) : 1;
    NT_TRY(check(tokenizer, text, n_text, &o));

    encoder e = {.tokenizer = tokenizer,
                 .text = text ? text : "",
                 .prefix =
                     o.add_prefix_space ? o.add_prefix_space > 0 : tokenizer->add_prefix_space,
                 .skip_special = o.split_special_tokens,
                 .want_starts = starts != NULL,
                 .want_ends = ends != NULL,
                 .prefixed.max = UINT32_MAX};
    int status = encode(&e, n_text, o.add_bos);
    nt_bpe_work_free(&e.work);
    nt_buffer_free(&e.prefixed);
    nt_free(e.lengths);
    if (status != NT_OK) {
        nt_free(e.ids);
        nt_free(e.starts);
        nt_free(e.ends);
        return status;
    }
    *ids = e.ids;
    *n_ids = e.n;
    if (starts) *starts = e.starts;
    if (ends) *ends = e.ends;
    return NT_OK;
}
