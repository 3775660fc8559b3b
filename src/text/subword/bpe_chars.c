/* Words of characters: each is looked up in the vocabulary before the merging begins. */
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "text/subword/bpe_merge.h"

typedef struct splitter {
    const nt_bpe *bpe;
    const nt_lexicon *lexicon;
    nt_bpe_work *work;
    int32_t unk;
    size_t start;   /* where the part of the word begins that these symbols are */
    size_t n;       /* symbols so far */
    size_t pending; /* bytes of an unknown token that is not yet among them; 0 for none */
} splitter;

static int grow(uint32_t **array, size_t *capacity, size_t need) {
    void *memory = *array;
    int status = nt_grow(&memory, capacity, need, sizeof **array);
    *array = memory;
    return status;
}

/* Room for `more` symbols behind those that are there, and for one pending. */
static int reserve(splitter *s, size_t more) {
    nt_bpe_work *work = s->work;
    size_t need = s->n + more + 1;
    if (need <= work->n_ids && need <= work->n_lengths && need <= work->n_at) return NT_OK;
    NT_TRY(grow(&work->ids, &work->n_ids, need));
    NT_TRY(grow(&work->lengths, &work->n_lengths, need));
    return grow(&work->at, &work->n_at, need);
}

static inline void add(splitter *s, int32_t id, size_t n_bytes) {
    s->work->ids[s->n] = (uint32_t)id;
    s->work->lengths[s->n++] = (uint32_t)n_bytes;
}

/* The pending token, before one that has a token of its own. */
static inline void flush(splitter *s) {
    if (s->pending) add(s, s->unk, s->pending);
    s->pending = 0;
}

static int32_t find(const splitter *s, const char *content, size_t n) {
    const nt_piece *piece = nt_lexicon_find(s->lexicon, content, n);
    bool own = piece && (size_t)(piece - s->lexicon->pieces) < s->bpe->n_pieces;
    return own ? (int32_t)piece->id : -1;
}

/* A character without a token; spelled [n_spelled] is it with prefix and suffix. What is pending
 * stays so when bytes follow, and comes after them: that is tokenizers' order. */
static int add_unknown(splitter *s, const char *spelled, size_t n_spelled, const char *character,
                       size_t n) {
    const int32_t *ids = s->bpe->fallback_ids;
    size_t known = 0;
    while (s->bpe->byte_fallback && known < n_spelled && ids[(uint8_t)spelled[known]] >= 0)
        known++;
    if (known == n_spelled) {
        NT_TRY(reserve(s, n_spelled));
        for (size_t i = 0; i < n_spelled; i++)
            add(s, ids[(uint8_t)spelled[i]], 1);
        return NT_OK;
    }
    if (s->unk < 0) {
        int32_t code;
        nt_utf8_next(&code, character, n);
        return nt_fail(NT_E_UNSUPPORTED,
                       "the vocabulary has no token for the character U+%04X \"%.*s\", and no "
                       "unknown token; leave it out of the text or use another tokenizer",
                       (unsigned)code, (int)n, character);
    }
    if (!s->bpe->fuse_unk) flush(s);
    s->pending += n;
    return NT_OK;
}

/* The token of a character that no table has; -1 when what stands for it was added instead. */
static int look_up(int32_t *id, splitter *s, const char *character, size_t n, bool first,
                   bool last) {
    const nt_bpe *bpe = s->bpe;
    const char *spelled = character;
    size_t n_spelled = n;
    if ((!first && bpe->n_prefix) || (last && bpe->n_suffix)) {
        nt_buffer *spelling = &s->work->spelling;
        nt_buffer_clear(spelling);
        if (!first) nt_buffer_put(spelling, bpe->prefix, bpe->n_prefix);
        nt_buffer_put(spelling, character, n);
        if (last) nt_buffer_put(spelling, bpe->suffix, bpe->n_suffix);
        if (spelling->status != NT_OK) {
            int status = spelling->status;
            nt_buffer_free(spelling);
            return status;
        }
        spelled = spelling->data;
        n_spelled = spelling->n;
    }
    *id = find(s, spelled, n_spelled);
    return *id < 0 ? add_unknown(s, spelled, n_spelled, character, n) : NT_OK;
}

/* The symbols so far, which end at byte `end` of the word, are merged alone, and others follow. */
static int put_part(nt_tokens *out, splitter *s, size_t end) {
    nt_bpe_work *work = s->work;
    size_t count, at = s->start, symbol = 0;
    NT_TRY(nt_bpe_merge(&count, work->ids, work->at, s->n, s->bpe, work));
    NT_TRY(nt_tokens_reserve(out, count));
    for (size_t k = 0; k < count; k++)
        out->ids[out->n + k] = (int32_t)work->ids[k];
    for (size_t k = 0; out->offsets && k < count; k++) {
        /* bytes that stand for prefix and suffix count too, and lead behind the word's end */
        out->starts[out->n + k] = (uint32_t)(at < end ? at : end);
        size_t behind = k + 1 < count ? work->at[k + 1] : s->n;
        while (symbol < behind)
            at += work->lengths[symbol++];
        out->ends[out->n + k] = (uint32_t)(at < end ? at : end);
    }
    out->n += count;
    s->n = 0;
    s->start = end;
    return NT_OK;
}

static inline bool joined(const nt_bpe *bpe, uint32_t left, uint32_t right) {
    size_t joint = nt_bpe_joint(left, right);
    return bpe->tables.joints[joint >> 6] >> (joint & 63) & 1;
}

/* Takes a word apart and merges it. It may be cut between two characters that have tokens of their
 * own if in no token the second follows the first: a token across the cut would be the contents of
 * its symbols in a row, and so have the two side by side. As no merge ever crosses the cut, what
 * happens on one side does not touch the other. Most texts without spaces are cut every few
 * characters, and so is SentencePiece's before each U+2581. */
static int put_word(nt_tokens *out, splitter *s, const char *word, size_t n) {
    const nt_bpe *bpe = s->bpe;
    bool known = false; /* the character before has a token of its own */
    uint32_t code = 0, before = 0;
    for (size_t i = 0, length; i < n; i += length, before = code) {
        length = nt_bpe_character(&code, word + i, n - i);
        bool first = i == 0, last = i + length == n;
        bool inner = bpe->plain || (!first && !last);
        int32_t id = -1;
        NT_TRY(reserve(s, 2));
        if (inner && code < NT_BPE_CODES) id = bpe->tables.inner_ids[code];
        if (code == 0x2581) id = bpe->meta_id;
        if (id < 0) NT_TRY(look_up(&id, s, word + i, length, first, last));
        if (id >= 0) {
            if (known && bpe->plain && !joined(bpe, before, code)) NT_TRY(put_part(out, s, i));
            flush(s);
            add(s, id, length);
        }
        known = id >= 0;
    }
    flush(s);
    return put_part(out, s, n);
}

int nt_bpe_chars(nt_tokens *out, const nt_bpe *bpe, int32_t unk, const nt_lexicon *lexicon,
                 nt_bpe_work *work, const char *word, size_t n) {
    splitter s = {.bpe = bpe, .lexicon = lexicon, .work = work, .unk = unk};
    if (bpe->ignore_merges) {
        int32_t id = find(&s, word, n);
        if (id >= 0) return nt_tokens_put(out, id, 0, (uint32_t)n);
    }
    return put_word(out, &s, word, n);
}
