#include "text/lane/lane.h"

#include "base/utf8.h"
#include "text/vocab/byte_level.h"

enum {
    BATCH = 256,        /* words that are looked up together */
    PADDED = 12,        /* bytes that a key is made from */
    SLACK = 8,          /* tokens */
    LEAST_CACHED = 1024 /* shorter texts do without a cache, where there is none yet */
};

/* A text on its way: bytes [n] for the scanner, and where byte 0 stands. */
typedef struct run {
    nt_tokens *out;
    const nt_subword *subword;
    const nt_lexicon *lexicon;
    size_t n_model;
    nt_lane_work *work;
    nt_bpe_work *bpe_work;
    const char *text;
    size_t n;
    uint32_t origin;
} run;

void nt_lane_work_free(nt_lane_work *work) {
    nt_cache_free(&work->cache);
    nt_buffer_free(&work->prefixed);
    nt_buffer_free(&work->spelled);
    *work = (nt_lane_work){.cache.max_bytes = work->cache.max_bytes};
}

/* The token that a whole word is in the model's own vocabulary, for ignore_merges; -1: none. */
static int whole_word(int32_t *id, const run *r, const char *word, size_t n) {
    nt_buffer *spelled = &r->work->spelled;
    spelled->max = UINT32_MAX;
    nt_buffer_clear(spelled);
    for (size_t i = 0; i < n; i++) {
        char character[2];
        nt_buffer_put(spelled, character, nt_byte_level_char(character, (uint8_t)word[i]));
    }
    NT_TRY(spelled->status);
    const nt_piece *piece = nt_lexicon_find(r->lexicon, spelled->data, spelled->n);
    bool own = piece && (size_t)(piece - r->lexicon->pieces) < r->n_model;
    *id = own ? (int32_t)piece->id : -1;
    return NT_OK;
}

/* Starts of tokens [n_ids] that follow on each other from `at`, and of what comes after them.
 * Lengths may stand where the starts are put. */
static void put_starts(uint32_t *starts, const uint32_t *lengths, size_t n_ids, uint32_t at) {
    for (size_t i = 0; i < n_ids; i++) {
        uint32_t length = lengths[i];
        starts[i] = at;
        at += length;
    }
    starts[n_ids] = at;
}

/* A word that no cache knows. There is room for n tokens. */
static int compute(run *r, const char *word, size_t n, uint32_t at) {
    nt_tokens *out = r->out;
    uint32_t few[NT_CACHE_LONG], *lengths = few;
    bool cached = n <= NT_CACHE_LONG;
    if (!cached) lengths = out->offsets ? out->starts + out->n : NULL;
    int32_t *ids = out->ids + out->n, whole = -1;
    size_t n_ids = 1;
    if (r->subword->bpe.ignore_merges) NT_TRY(whole_word(&whole, r, word, n));
    if (whole >= 0) {
        ids[0] = whole;
        if (lengths) lengths[0] = (uint32_t)n;
    } else {
        NT_TRY(nt_bpe_bytes(&n_ids, ids, lengths, &r->subword->bpe, r->bpe_work, word, n));
    }
    if (cached) NT_TRY(nt_cache_put(&r->work->cache, word, n, ids, lengths, n_ids));
    if (out->offsets) put_starts(out->starts + out->n, lengths, n_ids, at);
    out->n += n_ids;
    return NT_OK;
}

static void copy(nt_tokens *out, const int32_t *ids, const uint8_t *ends, size_t n_ids,
                 uint32_t at) {
    memcpy(out->ids + out->n, ids, n_ids * sizeof *ids);
    for (size_t i = 0; out->offsets && i < n_ids; i++)
        out->starts[out->n + i + 1] = at + ends[i];
    out->n += n_ids;
}

/* What the cache says of a word [n] at `at`. */
static void put_slot(run *r, nt_cache_slot slot, size_t n, uint32_t at) {
    unsigned n_ids = nt_cache_n_ids(slot);
    int32_t id = (int32_t)nt_cache_value(slot);
    uint8_t end = (uint8_t)n;
    if (n_ids == 1) {
        copy(r->out, &id, &end, 1, at);
    } else {
        const nt_cache_some *some = &r->work->cache.some[id];
        copy(r->out, some->ids, some->ends, n_ids, at);
    }
}

/* A word that has not one id in its home: bytes [start, end) of the run. Leaves room for `more`
 * further tokens. */
static __attribute__((noinline)) int put_word(run *r, nt_cache_key key, size_t start, size_t end,
                                              size_t more) {
    nt_cache *cache = &r->work->cache;
    size_t n = end - start;
    uint32_t at = r->origin + (uint32_t)start;
    NT_TRY(nt_tokens_reserve(r->out, n + more));
    if (n <= NT_CACHE_SHORT) {
        const nt_cache_slot *slot = nt_cache_beside(cache, key);
        if (slot) {
            put_slot(r, *slot, n, at);
            return NT_OK;
        }
    }
    const nt_cache_long *longer = nt_cache_find(cache, r->text + start, n);
    if (!longer) return compute(r, r->text + start, n, at);
    copy(r->out, longer->ids, longer->ends, longer->n_ids, at);
    return NT_OK;
}

/* A batch of words on its way: those that end at to [n], the first one starting at `start`. */
typedef struct batch {
    uint32_t to[BATCH];
    nt_cache_key keys[BATCH];
    uint32_t homes[BATCH];
    size_t n, start;
} batch;

/* Makes the keys of a batch and asks for their slots, so that they are near when they are read. */
static void make_keys(batch *b, const nt_cache *cache, const nt_cache_slot *slots, const run *r) {
    uint64_t seeds[2] = {cache->seeds[0], cache->seeds[1]};
    unsigned shift = cache->slots ? cache->shift : 63;
    size_t start = b->start, i = 0, n = b->n, n_plain = n;
    while (n_plain && b->to[n_plain - 1] + (size_t)PADDED > r->n)
        n_plain--; /* the last words may lack bytes behind them */
    for (; i < n_plain; i++) {
        size_t end = b->to[i];
        nt_cache_key key = nt_cache_key_of(r->text + start, end - start);
        size_t home = nt_cache_hash(seeds, key) >> shift;
        __builtin_prefetch(&slots[home]);
        b->keys[i] = key;
        b->homes[i] = (uint32_t)home;
        start = end;
    }
    for (; i < n; i++) {
        char padded[PADDED] = {0};
        size_t end = b->to[i], left = r->n - start;
        memcpy(padded, r->text + start, left < PADDED ? left : PADDED);
        b->keys[i] = nt_cache_key_of(padded, end - start);
        b->homes[i] = (uint32_t)(nt_cache_hash(seeds, b->keys[i]) >> shift);
        start = end;
    }
}

/* Two or three ids; as many are written as there may be. */
static inline size_t put_some(int32_t *ids, uint32_t *starts, const nt_cache *cache,
                              nt_cache_slot slot, uint32_t at) {
    const nt_cache_some *some = &cache->some[nt_cache_value(slot)];
    memcpy(ids, some->ids, sizeof some->ids);
    if (starts) {
        for (size_t i = 0; i < NT_CACHE_SHORT_IDS; i++)
            starts[i + 1] = at + some->ends[i];
    }
    return nt_cache_n_ids(slot);
}

static inline __attribute__((always_inline)) int
put_batch(run *r, const batch *b, const nt_cache_slot *slots, bool offsets) {
    nt_tokens *out = r->out;
    int32_t *ids = out->ids;
    uint32_t *starts = out->starts, origin = r->origin;
    size_t n = b->n, at = out->n;
    for (size_t i = 0; i < n; i++) {
        nt_cache_slot slot = slots[b->homes[i]];
        if (__builtin_expect(nt_cache_is_one(slot, b->keys[i]), 1)) {
            ids[at++] = (int32_t)nt_cache_value(slot);
            if (offsets) starts[at] = origin + b->to[i];
            continue;
        }
        size_t start = i ? b->to[i - 1] : b->start;
        if (nt_cache_is(slot, b->keys[i])) {
            at += put_some(ids + at, offsets ? starts + at : NULL, &r->work->cache, slot,
                           origin + (uint32_t)start);
            continue;
        }
        out->n = at;
        NT_TRY(put_word(r, b->keys[i], start, b->to[i], NT_CACHE_SHORT_IDS * (n - i) + SLACK));
        at = out->n;
        ids = out->ids;
        starts = out->starts;
    }
    out->n = at;
    return NT_OK;
}

static int put_ids(run *r, const batch *b, const nt_cache_slot *slots) {
    return put_batch(r, b, slots, false);
}

static int put_all(run *r, const batch *b, const nt_cache_slot *slots) {
    return put_batch(r, b, slots, true);
}

/* Offsets are written as starts alone, each of which is the end of the token before. */
static int begin_starts(nt_tokens *out, uint32_t origin) {
    if (!out->offsets) return NT_OK;
    NT_TRY(nt_tokens_reserve(out, 1));
    if (out->tiled && out->n && out->starts[out->n] != origin) NT_TRY(nt_tokens_untile(out));
    out->starts[out->n] = origin;
    return NT_OK;
}

/* Ends of the tokens from number `first` on. */
static void put_ends(nt_tokens *out, size_t first) {
    if (!out->offsets || out->tiled) return;
    memcpy(out->ends + first, out->starts + first + 1, (out->n - first) * sizeof *out->ends);
}

/* Which word each token from number `first` on is of, where that is wanted: the words once more,
 * each of which has one token or more. */
static void put_words(run *r, nt_scan_kind kind, size_t first) {
    nt_tokens *out = r->out;
    if (!out->worded) return;
    nt_scan scan;
    nt_scan_start(&scan, kind, r->text, r->n);
    uint32_t to[BATCH];
    size_t n, at = first;
    while ((n = nt_scan_next(to, BATCH, &scan)) > 0) {
        for (size_t i = 0; i < n; i++, out->word++)
            while (at < out->n && out->starts[at] - r->origin < to[i])
                out->words[at++] = out->word;
    }
}

/* The words of the run, whatever stands before and behind it. */
static int encode(run *r, nt_scan_kind kind) {
    nt_cache *cache = &r->work->cache;
    nt_scan scan;
    nt_scan_start(&scan, kind, r->text, r->n);
    batch b;
    b.start = 0;
    size_t first = r->out->n;
    NT_TRY(begin_starts(r->out, r->origin));
    while ((b.n = nt_scan_next(b.to, BATCH, &scan)) > 0) {
        const nt_cache_slot *slots = cache->slots ? cache->slots : nt_cache_none;
        make_keys(&b, cache, slots, r);
        NT_TRY(nt_tokens_reserve(r->out, NT_CACHE_SHORT_IDS * b.n + SLACK));
        NT_TRY(r->out->offsets ? put_all(r, &b, slots) : put_ids(r, &b, slots));
        NT_TRY(nt_cache_grow(cache));
        b.start = b.to[b.n - 1];
    }
    put_ends(r->out, first);
    put_words(r, kind, first);
    return NT_OK;
}

/* With a space before it, a text [n] may have other words up to a place where every scanner cuts;
 * up to there it is copied. As in tokenizers, the space stands for the first character, and so does
 * each byte of that character. */
static int encode_prefixed(run *r, nt_scan_kind kind, size_t *n_done) {
    nt_tokens *out = r->out;
    const char *text = r->text;
    size_t n = r->n, first = out->n;
    *n_done = kind == NT_SCAN_WHOLE || n < 2 ? n : nt_scan_border(text, n, 1, n);
    int32_t code;
    uint32_t width = (uint32_t)nt_utf8_next(&code, text, n), origin = r->origin;
    nt_buffer *prefixed = &r->work->prefixed;
    prefixed->max = UINT32_MAX;
    nt_buffer_clear(prefixed);
    nt_buffer_putc(prefixed, ' ');
    nt_buffer_put(prefixed, text, *n_done);
    NT_TRY(prefixed->status);
    r->text = prefixed->data;
    r->n = prefixed->n;
    r->origin = 0;
    if (out->offsets) NT_TRY(nt_tokens_untile(out));
    NT_TRY(encode(r, kind));
    for (size_t i = first; out->offsets && i < out->n; i++) {
        uint32_t start = out->starts[i], end = out->ends[i];
        out->starts[i] = origin + (start <= width ? 0 : start - 1);
        out->ends[i] = origin + (end <= width ? width : end - 1);
    }
    r->text = text + *n_done;
    r->n = n - *n_done;
    r->origin = origin + (uint32_t)*n_done;
    return NT_OK;
}

int nt_lane_encode(nt_tokens *out, const nt_lane *lane, const nt_subword *subword,
                   const nt_lexicon *lexicon, size_t n_model, nt_lane_work *work,
                   nt_bpe_work *bpe_work, const char *stretch, size_t n, size_t origin,
                   bool add_prefix_space) {
    if (n == 0) return NT_OK;
    if (n >= LEAST_CACHED) NT_TRY(nt_cache_start(&work->cache, n));
    run r = {out, subword, lexicon, n_model, work, bpe_work, stretch, n, (uint32_t)origin};
    size_t n_done;
    if (add_prefix_space && stretch[0] != ' ') NT_TRY(encode_prefixed(&r, lane->kind, &n_done));
    return r.n ? encode(&r, lane->kind) : NT_OK;
}
