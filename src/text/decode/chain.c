#include "text/decode/chain.h"

#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "text/vocab/byte_level.h"

#define REPLACEMENT "\xEF\xBF\xBD"

/* With no decoder at all. */
static const nt_decoder spaces = {.kind = NT_DECODE_SPACES};

static int put(nt_chain *chain, size_t k, const char *bytes, size_t n);

/* ---- Each kind ------------------------------------------------------------------------------- */

static int put_spaced(nt_chain *chain, size_t k, const char *bytes, size_t n) {
    nt_stage *stage = &chain->stages[k];
    if (stage->past) NT_TRY(put(chain, k + 1, " ", 1));
    stage->past = true;
    return put(chain, k + 1, bytes, n);
}

/* The character that stands for a space becomes one; in the first token it goes. */
static int put_metaspace(nt_chain *chain, size_t k, const char *bytes, size_t n) {
    nt_stage *stage = &chain->stages[k];
    const char *meta = stage->decoder->replacement;
    bool drop = stage->decoder->scheme != NT_PREPEND_NEVER && (stage->joined || !stage->past);
    size_t n_meta = strlen(meta), from = 0;
    if (n_meta == 0) n_meta = 1; /* U+0000 */
    stage->past = true;
    nt_buffer_clear(&stage->out);
    const char *found;
    while ((found = memmem(bytes + from, n - from, meta, n_meta))) {
        size_t at = (size_t)(found - bytes);
        nt_buffer_put(&stage->out, bytes + from, at - from);
        if (!drop) nt_buffer_putc(&stage->out, ' ');
        from = at + n_meta;
    }
    if (from == 0) return put(chain, k + 1, bytes, n);
    nt_buffer_put(&stage->out, bytes + from, n - from);
    NT_TRY(stage->out.status);
    return put(chain, k + 1, stage->out.data, stage->out.n);
}

/* Hands on the first n of the bytes kept. */
static int hand_on(nt_chain *chain, size_t k, size_t n, bool lossy) {
    nt_stage *stage = &chain->stages[k];
    nt_buffer *kept = &stage->kept;
    if (n == 0) return NT_OK;
    if (lossy && nt_utf8_check(kept->data, n) < n) {
        nt_buffer_clear(&stage->out);
        nt_utf8_append_lossy(&stage->out, kept->data, n);
        NT_TRY(stage->out.status);
        NT_TRY(put(chain, k + 1, stage->out.data, stage->out.n));
    } else {
        NT_TRY(put(chain, k + 1, kept->data, n));
    }
    memmove(kept->data, kept->data + n, kept->n - n);
    kept->n -= n;
    return NT_OK;
}

static int put_byte_level(nt_chain *chain, size_t k, const char *bytes, size_t n) {
    nt_stage *stage = &chain->stages[k];
    nt_byte_level_decode(&stage->kept, bytes, n);
    NT_TRY(stage->kept.status);
    if (chain->inside && stage->raw) return hand_on(chain, k, stage->kept.n, false);
    size_t unfinished = nt_utf8_unfinished(stage->kept.data, stage->kept.n);
    return hand_on(chain, k, stage->kept.n - unfinished, true);
}

static int digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The byte that "<0x41>" stands for, or -1. As in Rust, a sign may stand for the first digit. */
static int fallback_byte(const char *bytes, size_t n) {
    if (n != 6 || memcmp(bytes, "<0x", 3) != 0 || bytes[5] != '>') return -1;
    int high = bytes[3] == '+' ? 0 : digit(bytes[3]), low = digit(bytes[4]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/* n tokens of U+FFFD. */
static int put_replacements(nt_chain *chain, size_t k, size_t n) {
    for (size_t i = 0; i < n; i++)
        NT_TRY(put(chain, k, REPLACEMENT, 3));
    return NT_OK;
}

/* A run of bytes is one token when all of it is UTF-8, else each byte is U+FFFD. */
static int put_run_byte(nt_chain *chain, size_t k, char byte) {
    nt_stage *stage = &chain->stages[k];
    nt_buffer *run = &stage->kept;
    if (chain->inside && stage->raw) return put(chain, k + 1, &byte, 1);
    if (stage->bad) return put_replacements(chain, k + 1, 1);
    nt_buffer_putc(run, byte);
    NT_TRY(run->status);
    stage->count += nt_utf8_check(run->data + stage->count, run->n - stage->count);
    if (nt_utf8_unfinished(run->data + stage->count, run->n - stage->count) ==
        run->n - stage->count)
        return NT_OK;
    size_t n = run->n;
    stage->bad = true;
    nt_buffer_clear(run);
    return put_replacements(chain, k + 1, n);
}

static int end_run(nt_chain *chain, size_t k) {
    nt_stage *stage = &chain->stages[k];
    nt_buffer *run = &stage->kept;
    size_t n = run->n;
    bool good = stage->count == n;
    stage->bad = false;
    stage->count = 0;
    run->n = 0; /* its bytes stay */
    if (n == 0) return NT_OK;
    return good ? put(chain, k + 1, run->data, n) : put_replacements(chain, k + 1, n);
}

static int put_byte_fallback(nt_chain *chain, size_t k, const char *bytes, size_t n) {
    nt_stage *stage = &chain->stages[k];
    if (stage->joined) { /* all of the text may be one byte */
        if (!stage->past) {
            nt_buffer_put(&stage->kept, bytes, n);
            NT_TRY(stage->kept.status);
            stage->past = stage->kept.n > 6;
            return stage->past ? hand_on(chain, k, stage->kept.n, false) : NT_OK;
        }
        return put(chain, k + 1, bytes, n);
    }
    int byte = fallback_byte(bytes, n);
    if (byte >= 0) return put_run_byte(chain, k, (char)byte);
    NT_TRY(end_run(chain, k));
    return put(chain, k + 1, bytes, n);
}

static int end_joined_byte(nt_chain *chain, size_t k) {
    nt_stage *stage = &chain->stages[k];
    int byte = stage->past ? -1 : fallback_byte(stage->kept.data, stage->kept.n);
    char c = (char)byte;
    if (byte >= 0x80) return put_replacements(chain, k + 1, 1);
    return byte >= 0 ? put(chain, k + 1, &c, 1) : hand_on(chain, k, stage->kept.n, false);
}

/* Every match of the pattern in a whole token. An empty token has none, as in tokenizers. */
static int put_matched(nt_chain *chain, size_t k, const char *bytes, size_t n) {
    nt_stage *stage = &chain->stages[k];
    if (n == 0) return put(chain, k + 1, bytes, n);
    NT_TRY(nt_pattern_search(&chain->pattern, stage->decoder->pattern, bytes, n));
    if (chain->pattern.n == 0) return put(chain, k + 1, bytes, n);
    size_t from = 0;
    nt_buffer_clear(&stage->out);
    for (size_t i = 0; i < chain->pattern.n; i++) {
        nt_match match = chain->pattern.matches[i];
        nt_buffer_put(&stage->out, bytes + from, match.start - from);
        nt_buffer_put(&stage->out, stage->decoder->text, stage->decoder->n_text);
        from = match.end;
    }
    nt_buffer_put(&stage->out, bytes + from, n - from);
    NT_TRY(stage->out.status);
    return put(chain, k + 1, stage->out.data, stage->out.n);
}

/* Of a needle that began and did not go on, the bytes that cannot begin it again are text. */
static void retreat(nt_stage *stage, size_t to) {
    nt_buffer_put(&stage->out, stage->decoder->needle, stage->count - to);
    stage->count = to;
}

static int put_replaced(nt_chain *chain, size_t k, const char *bytes, size_t n) {
    nt_stage *stage = &chain->stages[k];
    const nt_decoder *decoder = stage->decoder;
    if (stage->count == 0 && (n == 0 || !memchr(bytes, decoder->needle[0], n)))
        return put(chain, k + 1, bytes, n);
    nt_buffer_clear(&stage->out);
    for (size_t i = 0; i < n; i++) {
        if (stage->count == 0) {
            const char *found = memchr(bytes + i, decoder->needle[0], n - i);
            size_t at = found ? (size_t)(found - bytes) : n;
            nt_buffer_put(&stage->out, bytes + i, at - i);
            if (!found) break;
            i = at;
        }
        while (stage->count && decoder->needle[stage->count] != bytes[i])
            retreat(stage, decoder->border[stage->count]);
        if (decoder->needle[stage->count] == bytes[i]) {
            stage->count++;
        } else {
            nt_buffer_putc(&stage->out, bytes[i]);
        }
        if (stage->count == decoder->n_needle) {
            nt_buffer_put(&stage->out, decoder->text, decoder->n_text);
            stage->count = 0;
        }
    }
    if (!stage->joined) retreat(stage, 0);
    NT_TRY(stage->out.status);
    return put(chain, k + 1, stage->out.data, stage->out.n);
}

static void put_held(nt_stage *stage, size_t n) {
    for (size_t i = 0; i < n; i++)
        nt_buffer_put(&stage->out, stage->decoder->text, stage->decoder->n_text);
    stage->held -= n;
}

static int put_stripped(nt_chain *chain, size_t k, const char *bytes, size_t n) {
    nt_stage *stage = &chain->stages[k];
    const nt_decoder *decoder = stage->decoder;
    size_t n_char = decoder->n_text, n_end = 0;
    if (!stage->joined) {
        stage->past = false;
        stage->count = 0;
    }
    while (!stage->past && n) {
        if (stage->count < decoder->start && n >= n_char &&
            memcmp(bytes, decoder->text, n_char) == 0) {
            bytes += n_char;
            n -= n_char;
            stage->count++;
        } else {
            stage->past = true;
        }
    }
    while (n_end < decoder->stop && n >= (n_end + 1) * n_char &&
           memcmp(bytes + n - (n_end + 1) * n_char, decoder->text, n_char) == 0)
        n_end++;
    nt_buffer_clear(&stage->out);
    if (n > n_end * n_char) {
        put_held(stage, stage->held); /* they are inside the text */
    } else if (n_end > decoder->stop - stage->held) {
        put_held(stage, n_end - (decoder->stop - stage->held));
    }
    nt_buffer_put(&stage->out, bytes, n - n_end * n_char);
    stage->held += n_end;
    if (!stage->joined) stage->held = 0;
    NT_TRY(stage->out.status);
    return put(chain, k + 1, stage->out.data, stage->out.n);
}

/* ---- The chain ------------------------------------------------------------------------------- */

/* A token, or a piece of the one token behind ByteLevel or Fuse, for stage k. */
static int put(nt_chain *chain, size_t k, const char *bytes, size_t n) {
    if (k == chain->n) {
        nt_buffer_put(chain->out, bytes, n);
        return chain->out->status;
    }
    nt_stage *stage = &chain->stages[k];
    if (!bytes) bytes = "";
    if (stage->gathers) {
        nt_buffer_put(&stage->kept, bytes, n);
        return stage->kept.status;
    }
    switch (stage->decoder->kind) {
    case NT_DECODE_SPACES: return put_spaced(chain, k, bytes, n);
    case NT_DECODE_BYTE_LEVEL: return put_byte_level(chain, k, bytes, n);
    case NT_DECODE_METASPACE: return put_metaspace(chain, k, bytes, n);
    case NT_DECODE_BYTE_FALLBACK: return put_byte_fallback(chain, k, bytes, n);
    case NT_DECODE_REPLACE:
        return stage->decoder->pattern ? put_matched(chain, k, bytes, n)
                                       : put_replaced(chain, k, bytes, n);
    case NT_DECODE_STRIP: return put_stripped(chain, k, bytes, n);
    case NT_DECODE_FUSE: break;
    }
    return put(chain, k + 1, bytes, n);
}

/* What a decoder that gathers makes of the whole. */
static int put_gathered(nt_chain *chain, size_t k) {
    nt_stage *stage = &chain->stages[k];
    nt_buffer *kept = &stage->kept;
    if (stage->decoder->kind == NT_DECODE_REPLACE)
        return put_matched(chain, k, kept->data, kept->n);
    nt_buffer bytes = {.max = kept->max};
    nt_byte_level_decode(&bytes, kept->data, kept->n);
    nt_buffer_free(kept);
    *kept = bytes;
    NT_TRY(kept->status);
    return hand_on(chain, k, kept->n, true);
}

/* What stage k still has, when no token follows. */
static int flush(nt_chain *chain, size_t k) {
    nt_stage *stage = &chain->stages[k];
    nt_buffer_clear(&stage->out);
    if (stage->gathers) return stage->kept.n ? put_gathered(chain, k) : NT_OK;
    switch (stage->decoder->kind) {
    case NT_DECODE_BYTE_LEVEL: return hand_on(chain, k, stage->kept.n, true);
    case NT_DECODE_BYTE_FALLBACK:
        return stage->joined ? end_joined_byte(chain, k) : end_run(chain, k);
    case NT_DECODE_REPLACE: retreat(stage, 0); break;
    case NT_DECODE_STRIP:
        if (chain->inside) put_held(stage, stage->held);
        break;
    default: break;
    }
    NT_TRY(stage->out.status);
    return stage->out.n ? put(chain, k + 1, stage->out.data, stage->out.n) : NT_OK;
}

/* Whether stage k is as it would be in any long text behind a token that left no trace. */
static bool is_settled(const nt_stage *stage) {
    if (stage->gathers) return false;
    switch (stage->decoder->kind) {
    case NT_DECODE_SPACES: return stage->past;
    case NT_DECODE_BYTE_LEVEL: return stage->kept.n == 0;
    case NT_DECODE_METASPACE: return stage->joined || stage->past;
    case NT_DECODE_BYTE_FALLBACK:
        return stage->joined ? stage->past : stage->kept.n == 0 && !stage->bad;
    case NT_DECODE_REPLACE: return stage->count == 0;
    case NT_DECODE_STRIP: return !stage->joined || (stage->past && stage->held == 0);
    case NT_DECODE_FUSE: break;
    }
    return true;
}

static void look_whether_steady(nt_chain *chain) {
    chain->steady = true;
    for (size_t k = 0; k < chain->n && chain->steady; k++)
        chain->steady = is_settled(&chain->stages[k]);
}

/* past: as if something stood before. */
static void reset(nt_chain *chain, bool past) {
    for (size_t k = 0; k < chain->n; k++) {
        nt_stage *stage = &chain->stages[k];
        nt_buffer_clear(&stage->kept);
        nt_buffer_clear(&stage->out);
        stage->past = past;
        stage->bad = false;
        stage->count = stage->held = 0;
    }
    look_whether_steady(chain);
}

void nt_chain_settle(nt_chain *chain) {
    reset(chain, true);
}

int nt_chain_start(nt_chain *chain, const nt_decoders *decoders) {
    *chain = (nt_chain){.decoders = decoders, .n = decoders->n ? decoders->n : 1};
    chain->stages = nt_alloc(chain->n, sizeof *chain->stages);
    if (!chain->stages) return NT_E_MEMORY;
    bool joined = false, raw = true;
    for (size_t k = 0; k < chain->n; k++) {
        nt_stage *stage = &chain->stages[k];
        stage->decoder = decoders->n ? &decoders->list[k] : &spaces;
        nt_decoder_kind kind = stage->decoder->kind;
        stage->joined = joined;
        stage->gathers = joined && (kind == NT_DECODE_BYTE_LEVEL || stage->decoder->pattern);
        stage->kept.max = UINT32_MAX; /* as far as patterns count */
        stage->out.max = UINT32_MAX;
        joined |= kind == NT_DECODE_BYTE_LEVEL || kind == NT_DECODE_FUSE;
    }
    for (size_t k = chain->n; k-- > 0;) {
        chain->stages[k].raw = raw;
        raw &= !chain->stages[k].decoder->pattern;
    }
    reset(chain, false);
    return NT_OK;
}

void nt_chain_free(nt_chain *chain) {
    for (size_t k = 0; chain->stages && k < chain->n; k++) {
        nt_buffer_free(&chain->stages[k].kept);
        nt_buffer_free(&chain->stages[k].out);
    }
    nt_free(chain->stages);
    nt_pattern_work_free(&chain->pattern);
    *chain = (nt_chain){0};
}

int nt_chain_put_content(nt_chain *chain, const char *content, size_t n) {
    NT_TRY(put(chain, 0, content, n));
    look_whether_steady(chain);
    return NT_OK;
}

static bool is_plain(const nt_decoders *decoders, const nt_lexicon *lexicon,
                     const nt_piece *piece) {
    if (decoders->plain)
        return piece->id < decoders->n_plain && decoders->plain[piece->id / 8] >> piece->id % 8 & 1;
    return nt_decoders_byte_level(decoders) &&
           nt_utf8_check(nt_piece_bytes(lexicon, piece), piece->n_bytes) == piece->n_bytes;
}

int nt_chain_put(nt_chain *chain, const nt_lexicon *lexicon, const nt_piece *piece) {
    if (!chain->steady || !is_plain(chain->decoders, lexicon, piece))
        return nt_chain_put_content(chain, nt_piece_content(lexicon, piece), piece->n_content);
    nt_buffer_put(chain->out, nt_piece_bytes(lexicon, piece), piece->n_bytes);
    return chain->out->status;
}

int nt_chain_end(nt_chain *chain) {
    for (size_t k = 0; k < chain->n; k++)
        NT_TRY(flush(chain, k));
    reset(chain, false);
    return NT_OK;
}
