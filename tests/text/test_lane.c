/* The lane against its definition: words by nt_scan_word, merged by the slow way, whatever the
 * cache may hold; on random vocabularies and random texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "text/lane/lane.h"
#include "text/support.h"
#include "text/vocab/byte_level.h"

enum { MERGES = 300, MOST = 6000 };

typedef struct model {
    nt_lexicon lexicon;
    nt_subword subword;
    size_t n_model;
    uint32_t left[MERGES], right[MERGES], whole[MERGES];
    size_t n_merges;
} model;

static void content_of(char *out, size_t *n, const model *m, uint32_t id) {
    const nt_piece *piece = nt_lexicon_at(&m->lexicon, id);
    memcpy(out + *n, nt_piece_content(&m->lexicon, piece), piece->n_content);
    *n += piece->n_content;
}

static void model_make(model *m, uint64_t *random) {
    *m = (model){.lexicon.seed = draw(random), .subword.unk = -1};
    for (unsigned byte = 0; byte < 256; byte++) {
        char content[2];
        size_t n = nt_byte_level_char(content, (uint8_t)byte);
        assert_int_equal(nt_lexicon_add(&m->lexicon, content, n, byte, "made"), NT_OK);
    }
    assert_int_equal(nt_merges_init(&m->subword.bpe.merges, MERGES, m->lexicon.seed), NT_OK);
    static const char common[] = " etaoin\xC3\xA9\n'0";
    for (int i = 0; i < MERGES; i++) {
        uint32_t part[2];
        for (int k = 0; k < 2; k++)
            part[k] = draw(random) % 3 && m->n_merges
                          ? m->whole[draw(random) % m->n_merges]
                          : (unsigned char)common[draw(random) % (sizeof common - 1)];
        char content[4096];
        size_t n = 0;
        if (nt_lexicon_at(&m->lexicon, part[0])->n_content > 30) continue;
        if (nt_lexicon_at(&m->lexicon, part[1])->n_content > 30) continue;
        content_of(content, &n, m, part[0]);
        content_of(content, &n, m, part[1]);
        if (nt_lexicon_find(&m->lexicon, content, n)) continue;
        uint32_t id = (uint32_t)m->lexicon.n;
        assert_int_equal(nt_lexicon_add(&m->lexicon, content, n, id, "made"), NT_OK);
        nt_merges_put(&m->subword.bpe.merges, part[0], part[1], (uint32_t)m->n_merges, id);
        m->left[m->n_merges] = part[0];
        m->right[m->n_merges] = part[1];
        m->whole[m->n_merges++] = id;
    }
    m->n_model = m->lexicon.n;
    assert_int_equal(nt_bpe_finish(&m->subword.bpe, &m->lexicon), NT_OK);
}

static void model_free(model *m) {
    nt_lexicon_free(&m->lexicon);
    nt_subword_free(&m->subword);
}

/* The merge of least rank, leftmost first, until none is left: by looking at all of them. */
static size_t merge_slowly(uint32_t *ids, uint32_t *lengths, const model *m, const char *word,
                           size_t n) {
    for (size_t i = 0; i < n; i++) {
        ids[i] = (unsigned char)word[i];
        lengths[i] = 1;
    }
    for (;;) {
        size_t rank = m->n_merges, at = 0;
        for (size_t i = 0; i + 1 < n; i++)
            for (size_t r = 0; r < rank; r++)
                if (m->left[r] == ids[i] && m->right[r] == ids[i + 1]) {
                    rank = r;
                    at = i;
                }
        if (rank == m->n_merges) return n;
        ids[at] = m->whole[rank];
        lengths[at] += lengths[at + 1];
        n--;
        memmove(ids + at + 1, ids + at + 2, (n - at - 1) * sizeof *ids);
        memmove(lengths + at + 1, lengths + at + 2, (n - at - 1) * sizeof *lengths);
    }
}

typedef struct wanted {
    uint32_t ids[MOST], starts[MOST], ends[MOST];
    size_t n;
} wanted;

static void encode_slowly(wanted *out, const model *m, nt_scan_kind kind, const char *text,
                          size_t n) {
    uint32_t lengths[MOST];
    out->n = 0;
    for (size_t at = 0, word; at < n; at += word) {
        word = kind == NT_SCAN_WHOLE ? n : nt_scan_word(kind, text + at, n - at);
        uint32_t end = (uint32_t)at;
        size_t count = merge_slowly(out->ids + out->n, lengths, m, text + at, word);
        for (size_t i = 0; i < count; i++) {
            out->starts[out->n] = end;
            out->ends[out->n++] = end += lengths[i];
        }
    }
}

static size_t make_text(char *text, size_t most, uint64_t *random) {
    static const char *const bits[] = {
        " ",   "the", " and", "\n",  "\n\n", "'s", "'re",  "12",  "!?",  " 7",  "  ", "é",
        " né", "\t",  "a",    " ta", "日",   "😀",  "tion", "ooo", "e e", "...", "e",  "n\xCC\x81"};
    size_t n = 0;
    int kinds = 1 + (int)(draw(random) % 24), many = draw(random) % 9 == 0;
    for (;;) {
        const char *bit = bits[draw(random) % (unsigned)kinds];
        for (size_t again = many ? draw(random) % 90 : 1; again > 0; again--) {
            if (n + strlen(bit) > most) return n;
            memcpy(text + n, bit, strlen(bit));
            n += strlen(bit);
        }
        if (draw(random) % 200 == 0) return n;
    }
}

static int encode(nt_tokens *out, const model *m, nt_scan_kind kind, nt_lane_work *work,
                  nt_bpe_work *bpe_work, const char *text, size_t n, size_t origin, bool prefix) {
    nt_lane lane = {.kind = kind};
    return nt_lane_encode(out, &lane, &m->subword, &m->lexicon, m->n_model, work, bpe_work, text, n,
                          origin, prefix);
}

/* Texts one after the other, the cache and the bounds of the text exact so that sanitizers see. */
static void compare(const model *m, nt_scan_kind kind, nt_lane_work *work, const char *text,
                    size_t n, bool offsets, bool prefix) {
    static wanted want;
    char *exact = malloc(n ? n : 1), with_space[MOST + 1] = " ";
    memcpy(exact, text, n);
    memcpy(with_space + 1, text, n);
    bool put = prefix && n && text[0] != ' ';
    encode_slowly(&want, m, kind, put ? with_space : text, n + put);
    nt_tokens out = {.offsets = offsets, .tiled = offsets && n % 2};
    nt_bpe_work bpe_work = {0};
    assert_int_equal(encode(&out, m, kind, work, &bpe_work, exact, n, 5, prefix), NT_OK);
    assert_int_equal(out.n, want.n);
    int32_t code;
    uint32_t width = n ? (uint32_t)nt_utf8_next(&code, text, n) : 0;
    for (size_t i = 0; i < out.n; i++) {
        assert_int_equal(out.ids[i], want.ids[i]);
        if (!offsets) continue;
        uint32_t start = want.starts[i], end = want.ends[i];
        if (put) { /* the space, and each byte of the first character, are that character */
            start = start <= width ? 0 : start - 1;
            end = end <= width ? width : end - 1;
        }
        assert_int_equal(out.starts[i], 5 + start);
        assert_int_equal(out.ends[i], 5 + end);
    }
    nt_tokens_free(&out);
    nt_bpe_work_free(&bpe_work);
    free(exact);
}

static void is_its_definition(void **state) {
    (void)state;
    static const nt_scan_kind kinds[] = {NT_SCAN_GPT2,   NT_SCAN_WHOLE, NT_SCAN_GPT2_DIGITS,
                                         NT_SCAN_CL100K, NT_SCAN_QWEN2, NT_SCAN_O200K};
    static const size_t caches[] = {0, 1, 300, 600, 1200, 20000};
    uint64_t random = 7;
    char text[MOST];
    for (int round = 0; round < 12; round++) {
        model m;
        model_make(&m, &random);
        nt_lane_work work = {.cache.max_bytes = caches[round % 6]};
        for (int i = 0; i < 60; i++) {
            nt_scan_kind kind = kinds[draw(&random) % 6];
            size_t n = make_text(text, i % 10 ? 400 : 2000, &random);
            if (draw(&random) % 3) {
                assert_int_equal(nt_cache_start(&work.cache, n), NT_OK);
            }
            compare(&m, kind, &work, text, n, draw(&random) % 2, draw(&random) % 4 == 0);
        }
        nt_lane_work_free(&work);
        model_free(&m);
    }
}

/* Long words have no key of their own, whatever their length: neither that of a free slot nor that
 * of a short word of zeros. */
static void long_words_have_no_key(void **state) {
    (void)state;
    uint64_t random = 13;
    model m;
    model_make(&m, &random);
    nt_lane_work work = {0};
    assert_int_equal(nt_cache_start(&work.cache, MOST), NT_OK);
    char text[MOST] = {0};
    for (size_t n = 1; n < 20; n++)
        compare(&m, NT_SCAN_WHOLE, &work, text, n, true, false); /* zeros are remembered */
    memset(text, 'a', sizeof text);
    for (size_t n = 250; n < 280; n++)
        compare(&m, NT_SCAN_WHOLE, &work, text, n, true, false);
    for (size_t n = 256; n < MOST; n += 256)
        compare(&m, NT_SCAN_WHOLE, &work, text, n, n % 512, false);
    nt_lane_work_free(&work);
    model_free(&m);
}

/* Words that never come again must not fill more than the cache may have. */
static void cache_is_bounded(void **state) {
    (void)state;
    uint64_t random = 3;
    model m;
    model_make(&m, &random);
    const size_t max = 1 << 16;
    nt_lane_work work = {.cache.max_bytes = max};
    char text[MOST];
    for (int round = 0; round < 200; round++) {
        size_t n = 0;
        while (n + 40 < sizeof text)
            n += (size_t)snprintf(text + n, 40, " %0*llx", round % 3 ? 5 : 30,
                                  (unsigned long long)draw(&random) & 0xFFFFF);
        for (size_t i = 0; i < n; i++)
            if (text[i] >= '0' && text[i] <= '9') text[i] = (char)(text[i] - '0' + 'k');
        nt_tokens out = {0};
        nt_bpe_work bpe_work = {0};
        assert_int_equal(encode(&out, &m, NT_SCAN_GPT2, &work, &bpe_work, text, n, 0, false),
                         NT_OK);
        nt_tokens_free(&out);
        nt_bpe_work_free(&bpe_work);
        const nt_cache *cache = &work.cache;
        size_t bytes = ((size_t)1 << (64 - cache->shift)) * sizeof(nt_cache_slot);
        assert_in_range(cache->some_capacity, 0, bytes / sizeof(nt_cache_slot));
        bytes += cache->some_capacity * sizeof(nt_cache_some);
        if (cache->longer)
            bytes += (cache->longer_mask + 1) * (sizeof(nt_cache_long) + sizeof *cache->tags);
        assert_in_range(bytes, 1, max * 3 / 4);
    }
    assert_true(work.cache.n + work.cache.n_longer > 64); /* and it is used */
    nt_lane_work_free(&work);
    model_free(&m);
}

/* Stretches that do not follow on each other, in tokens that were tiled until then. */
static void gaps_show(void **state) {
    (void)state;
    uint64_t random = 17;
    model m;
    model_make(&m, &random);
    nt_lane_work work = {0};
    nt_bpe_work bpe_work = {0};
    nt_tokens out = {.offsets = true, .tiled = true};
    assert_int_equal(nt_tokens_put(&out, 9, 2, 5), NT_OK);
    assert_int_equal(encode(&out, &m, NT_SCAN_WHOLE, &work, &bpe_work, "q", 1, 5, false), NT_OK);
    assert_true(out.tiled && out.ends == out.starts + 1);
    assert_int_equal(encode(&out, &m, NT_SCAN_WHOLE, &work, &bpe_work, "z", 1, 8, false), NT_OK);
    assert_int_equal(nt_tokens_put(&out, 9, 20, 30), NT_OK);
    assert_false(out.tiled);
    static const uint32_t starts[] = {2, 5, 8, 20}, ends[] = {5, 6, 9, 30};
    assert_int_equal(out.n, 4);
    assert_memory_equal(out.starts, starts, sizeof starts);
    assert_memory_equal(out.ends, ends, sizeof ends);
    nt_tokens_free(&out);
    nt_bpe_work_free(&bpe_work);
    nt_lane_work_free(&work);
    model_free(&m);
}

/* ignore_merges: a word that is a token is that token, but not one that was added to the model. */
static void whole_words(void **state) {
    (void)state;
    uint64_t random = 5;
    model m;
    model_make(&m, &random);
    assert_int_equal(nt_lexicon_add(&m.lexicon, "qxz", 3, 5000, "made"), NT_OK);
    m.n_model = m.lexicon.n;
    assert_int_equal(nt_lexicon_add(&m.lexicon, "zxq", 3, 5001, "made"), NT_OK);
    m.subword.bpe.ignore_merges = true;
    nt_lane_work work = {0};
    nt_bpe_work bpe_work = {0};
    for (int again = 0; again < 2; again++) {
        assert_int_equal(nt_cache_start(&work.cache, 100), NT_OK);
        nt_tokens out = {.offsets = true};
        assert_int_equal(encode(&out, &m, NT_SCAN_GPT2, &work, &bpe_work, "qxz\nzxq", 7, 0, false),
                         NT_OK);
        assert_int_equal(out.n, 5);
        assert_int_equal(out.ids[0], 5000);
        assert_int_equal(out.ends[0], 3);
        assert_int_equal(out.ids[2], 'z');
        nt_tokens_free(&out);
    }
    nt_lane_work_free(&work);
    nt_bpe_work_free(&bpe_work);
    model_free(&m);
}

static void memory_ends(void **state) {
    (void)state;
    uint64_t random = 11;
    model m;
    model_make(&m, &random);
    char text[MOST];
    size_t n = 0;
    while (n < 4000)
        n += make_text(text + n, MOST - 1000 - n, &random);
    for (size_t k = 1;; k++) {
        nt_lane_work work = {0};
        nt_bpe_work bpe_work = {0};
        nt_tokens out = {.offsets = true};
        nt_memory_fail_at(k);
        int status = encode(&out, &m, NT_SCAN_GPT2, &work, &bpe_work, text, n, 0, true);
        nt_memory_fail_at(0);
        nt_tokens_free(&out);
        nt_bpe_work_free(&bpe_work);
        nt_lane_work_free(&work);
        if (status == NT_OK) {
            assert_in_range(k, 5, 1000);
            break;
        }
        assert_int_equal(status, NT_E_MEMORY);
    }
    model_free(&m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_its_definition), cmocka_unit_test(long_words_have_no_key),
        cmocka_unit_test(cache_is_bounded),  cmocka_unit_test(gaps_show),
        cmocka_unit_test(whole_words),       cmocka_unit_test(memory_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
