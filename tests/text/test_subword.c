/* The models against tokenizers' (tools/oracle/subword.py): ids and offsets of every word. Besides:
 * words cut where no token can lie against the same words whole, and memory that ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "text/subword/subword.h"
#include "text/support.h"

enum { BPE, WORD_LEVEL, UNIGRAM, FALLBACK = 1, FUSE = 2, IGNORE = 4 };

typedef struct model {
    nt_lexicon lexicon;
    nt_subword subword;
} model;

static char *take(oracle *file, size_t *n) {
    *n = oracle_number(file);
    const char *bytes = oracle_bytes(file, *n);
    if (!*n) return NULL;
    char *copy = nt_alloc(*n, 1);
    assert_non_null(copy);
    return memcpy(copy, bytes, *n);
}

static void read_bpe(model *m, oracle *file) {
    nt_bpe *bpe = &m->subword.bpe;
    uint64_t flags = oracle_number(file);
    bpe->byte_fallback = flags & FALLBACK;
    bpe->fuse_unk = flags & FUSE;
    bpe->ignore_merges = flags & IGNORE;
    bpe->prefix = take(file, &bpe->n_prefix);
    bpe->suffix = take(file, &bpe->n_suffix);
    size_t n = oracle_number(file);
    assert_int_equal(nt_merges_init(&bpe->merges, n, m->lexicon.seed), NT_OK);
    for (uint32_t rank = 0; rank < n; rank++) {
        uint32_t left = (uint32_t)oracle_number(file), right = (uint32_t)oracle_number(file);
        nt_merges_put(&bpe->merges, left, right, rank, (uint32_t)oracle_number(file));
    }
    assert_int_equal(nt_bpe_finish(bpe, &m->lexicon), NT_OK);
}

static void read_unigram(model *m, oracle *file) {
    nt_unigram *unigram = &m->subword.unigram;
    unigram->byte_fallback = oracle_number(file) & FALLBACK;
    unigram->fuse_unk = true;
    unigram->n = m->lexicon.n;
    unigram->scores = nt_alloc(unigram->n, sizeof *unigram->scores);
    assert_non_null(unigram->scores);
    for (size_t i = 0; i < unigram->n; i++)
        memcpy(&unigram->scores[i], oracle_bytes(file, 8), 8);
    assert_int_equal(nt_unigram_finish(unigram, &m->lexicon), NT_OK);
}

static void read_model(model *m, oracle *file) {
    static const nt_subword_kind kinds[] = {NT_BPE, NT_WORD_LEVEL, NT_UNIGRAM};
    *m = (model){.lexicon.seed = nt_hash_seed()};
    uint64_t kind = oracle_number(file);
    assert_in_range(kind, BPE, UNIGRAM);
    m->subword.kind = kinds[kind];
    uint32_t n = (uint32_t)oracle_number(file);
    for (uint32_t id = 0; id < n; id++) {
        size_t n_content = oracle_number(file);
        const char *content = oracle_bytes(file, n_content);
        assert_int_equal(nt_lexicon_add(&m->lexicon, content, n_content, id, "test"), NT_OK);
    }
    m->subword.unk = (int32_t)oracle_number(file) - 1;
    if (kind == BPE) read_bpe(m, file);
    if (kind == UNIGRAM) read_unigram(m, file);
    /* Added tokens come behind the model's; a model never makes them. */
    m->subword.n_pieces = n;
    const char *added[] = {"é中", "<0xF0>", "b#", "\xC4\x80"};
    for (size_t i = 0; i < sizeof added / sizeof *added; i++) {
        if (nt_lexicon_find(&m->lexicon, added[i], strlen(added[i]))) continue;
        uint32_t id = (uint32_t)m->lexicon.n;
        assert_int_equal(nt_lexicon_add(&m->lexicon, added[i], strlen(added[i]), id, ""), NT_OK);
    }
}

static void close_model(model *m) {
    nt_subword_free(&m->subword);
    nt_lexicon_free(&m->lexicon);
}

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

/* One word of the file: its tokens are appended to `out`, which must hold them as they stand. */
static void check_word(const model *m, nt_tokens *out, nt_subword_work *work, oracle *file) {
    size_t n = oracle_number(file), before = out->n;
    const char *word = oracle_bytes(file, n);
    bool fails = oracle_number(file);
    int status = nt_subword_tokenize(out, &m->subword, &m->lexicon, work, word, n);
    assert_int_equal(status, fails ? NT_E_UNSUPPORTED : NT_OK);
    if (fails) {
        out->n = before;
        return;
    }
    assert_int_equal(out->n - before, oracle_number(file));
    for (size_t k = before; k < out->n; k++) {
        assert_int_equal(out->ids[k], oracle_number(file));
        /* With bytes for a prefix or a suffix tokenizers counts beyond the word. */
        assert_int_equal(out->starts[k], least(n, oracle_number(file)));
        assert_int_equal(out->ends[k], least(n, oracle_number(file)));
    }
}

static void as_tokenizers(void **state) {
    (void)state;
    oracle file = oracle_open(DATA "subword.gz");
    size_t n_models = oracle_number(&file), n_cut = 0;
    nt_subword_work work = {0};
    for (size_t i = 0; i < n_models; i++) {
        model m;
        read_model(&m, &file);
        n_cut += m.subword.kind == NT_BPE && m.subword.bpe.plain;
        nt_tokens out = {.offsets = true};
        size_t n_words = oracle_number(&file);
        for (size_t k = 0; k < n_words; k++)
            check_word(&m, &out, &work, &file);
        nt_tokens_free(&out);
        close_model(&m);
    }
    assert_in_range(n_cut, 10, n_models); /* some of each */
    nt_subword_work_free(&work);
    oracle_close(&file);
}

/* "\xE2\x96\x81" is U+2581: tokens that begin with it, none that has it behind another one. */
static const char *const LETTERS[] = {"a", "b", "c", "\xE2\x96\x81", "<unk>", "d"};

static void make_meta_model(model *m, uint64_t *seed) {
    *m = (model){.lexicon.seed = *seed, .subword = {.kind = NT_BPE, .unk = 4}};
    for (uint32_t id = 0; id < 6; id++) {
        assert_int_equal(nt_lexicon_add(&m->lexicon, LETTERS[id], strlen(LETTERS[id]), id, "test"),
                         NT_OK);
    }
    assert_int_equal(nt_merges_init(&m->subword.bpe.merges, 30, *seed), NT_OK);
    for (uint32_t rank = 0; rank < 30; rank++) {
        const nt_lexicon *lexicon = &m->lexicon;
        const nt_piece *left = nt_lexicon_at(lexicon, (int64_t)(draw(seed) % lexicon->n));
        const nt_piece *right = nt_lexicon_at(lexicon, (int64_t)(draw(seed) % lexicon->n));
        char whole[200];
        int n = snprintf(whole, sizeof whole, "%s%s", nt_piece_content(lexicon, left),
                         nt_piece_content(lexicon, right));
        const char *first = whole;
        while (strncmp(first, LETTERS[3], 3) == 0)
            first += 3;
        if (strstr(first, LETTERS[3]) || n > 40) continue;
        const nt_piece *there = nt_lexicon_find(lexicon, whole, (size_t)n);
        uint32_t id = there ? there->id : (uint32_t)lexicon->n, l = left->id, r = right->id;
        if (!there)
            assert_int_equal(nt_lexicon_add(&m->lexicon, whole, (size_t)n, id, "test"), NT_OK);
        nt_merges_put(&m->subword.bpe.merges, l, r, rank, id);
    }
    assert_int_equal(nt_bpe_finish(&m->subword.bpe, &m->lexicon), NT_OK);
    assert_int_equal(m->subword.bpe.meta_id, 3);
}

/* A word merged in parts against the same word merged as one. */
static void cut_before_meta(void **state) {
    (void)state;
    uint64_t seed = 99;
    nt_subword_work work = {0};
    for (int round = 0; round < 200; round++) {
        model m;
        make_meta_model(&m, &seed);
        m.subword.bpe.fuse_unk = round % 2;
        for (int i = 0; i < 40; i++) {
            char word[3000];
            size_t n = 0, n_letters = 1 + draw(&seed) % (i < 38 ? 40 : 900);
            for (size_t k = 0; k < n_letters; k++) {
                uint64_t which = draw(&seed) % 8;
                const char *letter = which < 4 ? LETTERS[which] : which < 6 ? LETTERS[3] : "?";
                memcpy(word + n, letter, strlen(letter));
                n += strlen(letter);
            }
            nt_tokens cut = {.offsets = true}, whole = {.offsets = true};
            nt_bpe *bpe = &m.subword.bpe;
            assert_int_equal(nt_subword_tokenize(&cut, &m.subword, &m.lexicon, &work, word, n),
                             NT_OK);
            bpe->plain = false;
            assert_int_equal(nt_subword_tokenize(&whole, &m.subword, &m.lexicon, &work, word, n),
                             NT_OK);
            bpe->plain = true;
            assert_int_equal(cut.n, whole.n);
            assert_memory_equal(cut.ids, whole.ids, cut.n * sizeof *cut.ids);
            assert_memory_equal(cut.starts, whole.starts, cut.n * sizeof *cut.starts);
            assert_memory_equal(cut.ends, whole.ends, cut.n * sizeof *cut.ends);
            nt_tokens_free(&cut);
            nt_tokens_free(&whole);
        }
        close_model(&m);
    }
    nt_subword_work_free(&work);
}

/* What is missing is named, and what was there before stays. */
static void messages(void **state) {
    (void)state;
    model m = {.lexicon.seed = 1, .subword = {.kind = NT_WORD_LEVEL, .unk = -1}};
    nt_subword_work work = {0};
    nt_tokens out = {0};
    assert_int_equal(nt_lexicon_add(&m.lexicon, "a", 1, 0, "test"), NT_OK);
    assert_int_equal(nt_subword_tokenize(&out, &m.subword, &m.lexicon, &work, "a", 1), NT_OK);
    assert_int_equal(nt_subword_tokenize(&out, &m.subword, &m.lexicon, &work, "nope", 4),
                     NT_E_UNSUPPORTED);
    assert_non_null(strstr(nt_error_message(), "\"nope\""));
    m.subword.kind = NT_BPE;
    assert_int_equal(nt_merges_init(&m.subword.bpe.merges, 0, 1), NT_OK);
    assert_int_equal(nt_bpe_finish(&m.subword.bpe, &m.lexicon), NT_OK);
    assert_int_equal(nt_subword_tokenize(&out, &m.subword, &m.lexicon, &work, "a\xE4\xB8\xAD", 4),
                     NT_E_UNSUPPORTED);
    assert_non_null(strstr(nt_error_message(), "U+4E2D \"\xE4\xB8\xAD\""));
    assert_int_equal(out.n, 1);
    assert_int_equal(out.ids[0], 0);
    nt_tokens_free(&out);
    nt_subword_work_free(&work);
    close_model(&m);
}

/* Every allocation of finish and tokenize fails once, for every kind of model. */
static void without_memory(void **state) {
    (void)state;
    uint64_t seed = 3;
    char word[1200];
    for (size_t i = 0; i < sizeof word; i++)
        word[i] = "abcd?"[draw(&seed) % 5];
    static const nt_subword_kind kinds[] = {NT_BPE, NT_WORD_LEVEL, NT_UNIGRAM};
    for (size_t kind = 0; kind < 3; kind++) {
        int status = NT_E_MEMORY;
        for (size_t k = 1; status != NT_OK; k++) {
            assert_in_range(k, 1, 200);
            model m;
            uint64_t same = 8;
            make_meta_model(&m, &same);
            nt_merges merges = m.subword.bpe.merges;
            m.subword.bpe.merges = (nt_merges){0};
            nt_subword_free(&m.subword);
            m.subword = (nt_subword){.kind = kinds[kind], .unk = 4, .bpe.merges = merges};
            m.subword.unigram.scores = nt_alloc(m.lexicon.n, sizeof(double));
            m.subword.unigram.n = m.lexicon.n;
            nt_subword_work work = {0};
            nt_tokens out = {.offsets = true};
            nt_memory_fail_at(k);
            status = nt_bpe_finish(&m.subword.bpe, &m.lexicon);
            if (status == NT_OK) status = nt_unigram_finish(&m.subword.unigram, &m.lexicon);
            if (status == NT_OK) {
                status =
                    nt_subword_tokenize(&out, &m.subword, &m.lexicon, &work, word, sizeof word);
            }
            nt_memory_fail_at(0);
            assert_true(status == NT_OK || status == NT_E_MEMORY);
            nt_tokens_free(&out);
            nt_subword_work_free(&work);
            close_model(&m);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_tokenizers), cmocka_unit_test(cut_before_meta),
        cmocka_unit_test(messages), cmocka_unit_test(without_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
