/* Merging against its definition: as long as any neighbours merge, the pair of lowest rank does,
 * the leftmost of equals. Random small vocabularies and words on both sides of the length from
 * which they are cut and worked on in buckets; merges that make tokens of any id; parts of words
 * that are merged alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "text/subword/bpe_merge.h"
#include "text/support.h"

enum { LETTERS = 6, MERGES = 40, TOKENS = LETTERS + MERGES, LONGEST = 12, WORD = 1500 };

typedef struct merge {
    int32_t left, right, whole;
} merge;

typedef struct vocabulary {
    char content[TOKENS][LONGEST + 1];
    int32_t n;
    merge merges[MERGES]; /* by rank */
    size_t n_merges;
    int32_t ranks[TOKENS][TOKENS]; /* -1: no merge */
} vocabulary;

typedef struct model {
    nt_lexicon lexicon;
    nt_bpe bpe;
    nt_bpe_work work;
} model;

static int32_t find(const vocabulary *v, const char *content) {
    for (int32_t i = 0; i < v->n; i++)
        if (strcmp(v->content[i], content) == 0) return i;
    return -1;
}

static bool merges(const vocabulary *v, int32_t left, int32_t right) {
    for (size_t i = 0; i < v->n_merges; i++)
        if (v->merges[i].left == left && v->merges[i].right == right) return true;
    return false;
}

static void rank(vocabulary *v) {
    memset(v->ranks, 0xFF, sizeof v->ranks);
    for (size_t i = 0; i < v->n_merges; i++)
        v->ranks[v->merges[i].left][v->merges[i].right] = (int32_t)i;
}

static void make(vocabulary *v, uint64_t *seed) {
    *v = (vocabulary){.n = LETTERS};
    for (int i = 0; i < LETTERS; i++)
        v->content[i][0] = (char)('a' + i);
    for (int i = 0; i < MERGES; i++) { /* the last letter never merges */
        int32_t left = (int32_t)(draw(seed) % (uint64_t)v->n);
        int32_t right = (int32_t)(draw(seed) % (uint64_t)v->n);
        char whole[2 * LONGEST + 1];
        snprintf(whole, sizeof whole, "%s%s", v->content[left], v->content[right]);
        if (left == LETTERS - 1 || right == LETTERS - 1 || strlen(whole) > LONGEST) continue;
        if (merges(v, left, right)) continue;
        int32_t id = find(v, whole);
        if (id < 0) {
            id = v->n++;
            memcpy(v->content[id], whole, strlen(whole));
        }
        v->merges[v->n_merges++] = (merge){left, right, id};
    }
    for (size_t i = v->n_merges; i > 1; i--) { /* ranks in any order */
        size_t other = draw(seed) % i;
        merge moved = v->merges[i - 1];
        v->merges[i - 1] = v->merges[other];
        v->merges[other] = moved;
    }
    rank(v);
}

/* gap: ranks are that much apart, as where lines of a file name pairs again. */
static int try_open_model(model *m, const vocabulary *v, uint32_t gap) {
    *m = (model){.lexicon.seed = nt_hash_seed()};
    for (int32_t i = 0; i < v->n; i++) {
        const char *content = v->content[i];
        NT_TRY(nt_lexicon_add(&m->lexicon, content, strlen(content), (uint32_t)i, "test"));
    }
    NT_TRY(nt_merges_init(&m->bpe.merges, v->n_merges, m->lexicon.seed));
    for (uint32_t i = 0; i < v->n_merges; i++) {
        const merge *pair = &v->merges[i];
        NT_TRY(nt_merges_put(&m->bpe.merges, (uint32_t)pair->left, (uint32_t)pair->right, i * gap,
                             (uint32_t)pair->whole));
    }
    return nt_bpe_finish(&m->bpe, &m->lexicon);
}

static void close_model(model *m) {
    nt_bpe_work_free(&m->work);
    nt_bpe_free(&m->bpe);
    nt_lexicon_free(&m->lexicon);
}

static void open_model(model *m, const vocabulary *v, uint32_t gap) {
    if (try_open_model(m, v, gap) != NT_OK) fail_msg("%s", nt_error_message());
}

/* ids [n] of letters -> those by definition, and where each begins; returns how many. */
static size_t by_definition(int32_t *ids, uint32_t *at, const vocabulary *v, size_t n) {
    for (uint32_t i = 0; i < n; i++)
        at[i] = i;
    for (;;) {
        int32_t best = INT32_MAX;
        size_t where = 0;
        for (size_t i = 0; i + 1 < n; i++) {
            int32_t here = v->ranks[ids[i]][ids[i + 1]];
            if (here >= 0 && here < best) {
                best = here;
                where = i;
            }
        }
        if (best == INT32_MAX) return n;
        ids[where] = v->merges[best].whole;
        memmove(ids + where + 1, ids + where + 2, (n - where - 2) * sizeof *ids);
        memmove(at + where + 1, at + where + 2, (n - where - 2) * sizeof *at);
        n--;
    }
}

/* Holds the merging of symbols, of both kinds, against the definition. */
static void check_symbols(model *m, const vocabulary *v, const char *word, size_t n) {
    int32_t wanted[WORD];
    uint32_t ids[WORD], starts[WORD], at[WORD];
    for (size_t i = 0; i < n; i++)
        wanted[i] = word[i] - 'a';
    size_t n_wanted = by_definition(wanted, starts, v, n), n_ids;
    for (int kind = 0; kind < 2; kind++) {
        for (size_t i = 0; i < n; i++)
            ids[i] = (uint32_t)(word[i] - 'a');
        int status = kind ? nt_bpe_merge_long(&n_ids, ids, at, n, &m->bpe, &m->work)
                          : nt_bpe_merge(&n_ids, ids, at, n, &m->bpe, &m->work);
        assert_int_equal(status, NT_OK);
        assert_int_equal(n_ids, n_wanted);
        assert_memory_equal(ids, wanted, n_ids * sizeof *ids);
        assert_memory_equal(at, starts, n_ids * sizeof *at);
    }
}

/* Holds ids and lengths of a word of bytes against the definition. */
static void check_bytes(model *m, const vocabulary *v, const char *word, size_t n) {
    int32_t wanted[WORD], ids[WORD];
    uint32_t starts[WORD], lengths[WORD], at = 0;
    for (size_t i = 0; i < n; i++)
        wanted[i] = word[i] - 'a';
    size_t n_wanted = by_definition(wanted, starts, v, n), n_ids;
    assert_int_equal(nt_bpe_bytes(&n_ids, ids, lengths, &m->bpe, &m->work, word, n), NT_OK);
    assert_int_equal(n_ids, n_wanted);
    assert_memory_equal(ids, wanted, n_ids * sizeof *ids);
    for (size_t k = 0; k < n_ids; at += lengths[k++])
        assert_int_equal(starts[k], at);
    assert_int_equal(at, n);
    assert_int_equal(nt_bpe_bytes(&n_ids, ids, NULL, &m->bpe, &m->work, word, n), NT_OK);
    assert_int_equal(n_ids, n_wanted);
    assert_memory_equal(ids, wanted, n_ids * sizeof *ids);
}

/* sparse: about one letter in so many is another than the one that never merges. */
static size_t make_word(char *word, uint64_t *seed, size_t n, size_t sparse) {
    for (size_t k = 0; k < n; k++) {
        bool filler = draw(seed) % sparse != 0;
        word[k] = (char)('a' + (filler ? LETTERS - 1 : draw(seed) % (LETTERS - (sparse == 1))));
    }
    return n;
}

static void as_defined(void **state) {
    (void)state;
    uint64_t seed = 11;
    for (int round = 0; round < 150; round++) {
        vocabulary v;
        model m;
        make(&v, &seed);
        open_model(&m, &v, round % 3 ? 1 : 5000); /* also more ranks than one word of bits has */
        for (size_t i = 0; i < 60; i++) {
            char word[WORD];
            size_t n = i < 10 ? 13 + i : i < 16 ? 253 + i - 10 : 1 + draw(&seed) % 100;
            if (i >= 57) n = 300 + draw(&seed) % (WORD - 300);
            make_word(word, &seed, n, i % 3 ? 1 + draw(&seed) % 20 : 1);
            check_symbols(&m, &v, word, n);
            check_bytes(&m, &v, word, n);
        }
        close_model(&m);
    }
}

/* Merges whose wholes are any tokens at all, those of their own parts among them: what no file can
 * say, but then a pair can come back to a chain that is being worked off. */
static void any_wholes(void **state) {
    (void)state;
    uint64_t seed = 12;
    for (int round = 0; round < 300; round++) {
        vocabulary v = {.n = LETTERS};
        for (int i = 0; i < LETTERS; i++)
            v.content[i][0] = (char)('a' + i);
        for (int32_t left = 0; left < LETTERS; left++) {
            for (int32_t right = 0; right < LETTERS; right++) {
                int32_t whole = (int32_t)(draw(&seed) % LETTERS);
                if (draw(&seed) % 2) v.merges[v.n_merges++] = (merge){left, right, whole};
            }
        }
        for (size_t i = v.n_merges; i > 1; i--) {
            size_t other = draw(&seed) % i;
            merge moved = v.merges[i - 1];
            v.merges[i - 1] = v.merges[other];
            v.merges[other] = moved;
        }
        rank(&v);
        model m;
        open_model(&m, &v, 1);
        for (size_t i = 0; i < 40; i++) {
            char word[WORD];
            size_t n = make_word(word, &seed, i < 36 ? 1 + draw(&seed) % 60 : 400, 1);
            check_symbols(&m, &v, word, n);
        }
        close_model(&m);
    }
}

/* Every pair of the word merges, and each merge makes two new ones before the old are gone: more
 * possible merges wait than the word has bytes. */
static void merges_pile_up(void **state) {
    (void)state;
    vocabulary v = {.content = {"a", "b", "c", "d", "e", "f", "ab", "ba", "aba", "abab"},
                    .n = 10,
                    .merges = {{0, 1, 6}, {6, 6, 9}, {6, 0, 8}, {1, 0, 7}},
                    .n_merges = 4};
    rank(&v);
    model m;
    open_model(&m, &v, 1);
    char word[WORD];
    for (size_t i = 0; i < WORD; i++)
        word[i] = i % 2 ? 'b' : 'a';
    for (size_t n = 1; n <= WORD; n += n < 300 ? 1 : 97) {
        check_symbols(&m, &v, word, n);
        check_bytes(&m, &v, word, n);
    }
    close_model(&m);
}

/* Ids that no merge takes apart, too large for the packed table, are no other pair's. */
static void large_symbols(void **state) {
    (void)state;
    nt_lexicon lexicon = {.seed = 3};
    const uint32_t far = (1 << 20) + 1; /* packed without care, (4, far) would be (5, 1) */
    assert_int_equal(nt_lexicon_add(&lexicon, "a", 1, 5, "test"), NT_OK);
    assert_int_equal(nt_lexicon_add(&lexicon, "b", 1, 1, "test"), NT_OK);
    assert_int_equal(nt_lexicon_add(&lexicon, "ab", 2, 7, "test"), NT_OK);
    assert_int_equal(nt_lexicon_add(&lexicon, "c", 1, 4, "test"), NT_OK);
    assert_int_equal(nt_lexicon_add(&lexicon, "d", 1, far, "test"), NT_OK);
    nt_bpe bpe = {0};
    assert_int_equal(nt_merges_init(&bpe.merges, 1, 3), NT_OK);
    assert_int_equal(nt_merges_put(&bpe.merges, 5, 1, 0, 7), NT_OK);
    assert_int_equal(nt_bpe_finish(&bpe, &lexicon), NT_OK);
    assert_null(bpe.merges.slots);
    memset(bpe.merges.filter, 0xFF, sizeof *bpe.merges.filter); /* let every pair through */
    nt_bpe_work work = {0};
    uint32_t ids[2] = {4, far}, at[2];
    size_t n;
    assert_int_equal(nt_bpe_merge(&n, ids, at, 2, &bpe, &work), NT_OK);
    assert_int_equal(n, 2);
    nt_bpe_work_free(&work);
    nt_bpe_free(&bpe);
    nt_lexicon_free(&lexicon);
}

/* Ids or ranks that the packed table has no room for. */
static void large_numbers(void **state) {
    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        nt_lexicon lexicon = {.seed = 3};
        uint32_t far = kind ? 1 << 20 : 2, ids[3] = {0, 1, 1}, at[3];
        assert_int_equal(nt_lexicon_add(&lexicon, "a", 1, 0, "test"), NT_OK);
        assert_int_equal(nt_lexicon_add(&lexicon, "b", 1, 1, "test"), NT_OK);
        assert_int_equal(nt_lexicon_add(&lexicon, "ab", 2, far, "test"), NT_OK);
        assert_int_equal(nt_lexicon_add(&lexicon, "abb", 3, 3, "test"), NT_OK);
        nt_bpe bpe = {0};
        nt_bpe_work work = {0};
        size_t n;
        assert_int_equal(nt_merges_init(&bpe.merges, 2, 3), NT_OK);
        nt_merges_put(&bpe.merges, 0, 1, 0, far);
        nt_merges_put(&bpe.merges, far, 1, kind ? 1 : 1 << 24, 3);
        assert_int_equal(nt_bpe_finish(&bpe, &lexicon), NT_OK);
        assert_null(bpe.merges.slots);
        assert_int_equal(nt_bpe_merge(&n, ids, at, 3, &bpe, &work), NT_OK);
        assert_int_equal(n, 1);
        assert_int_equal(ids[0], 3);
        nt_bpe_work_free(&work);
        nt_bpe_free(&bpe);
        nt_lexicon_free(&lexicon);
    }
}

static void unknown_byte(void **state) {
    (void)state;
    uint64_t seed = 5;
    vocabulary v;
    model m;
    make(&v, &seed);
    open_model(&m, &v, 1);
    int32_t ids[4];
    size_t n = 9;
    assert_int_equal(nt_bpe_bytes(&n, ids, NULL, &m.bpe, &m.work, "ab\xFF", 3), NT_E_UNSUPPORTED);
    assert_non_null(strstr(nt_error_message(), "0xFF"));
    assert_int_equal(n, 0);
    close_model(&m);
}

static void without_memory(void **state) {
    (void)state;
    vocabulary v;
    uint64_t seed = 77;
    make(&v, &seed);
    char word[WORD];
    make_word(word, &seed, WORD, 1);
    int32_t ids[WORD];
    size_t n;
    int status = NT_E_MEMORY;
    for (size_t k = 1; status != NT_OK; k++) {
        model m;
        nt_memory_fail_at(k);
        status = try_open_model(&m, &v, 1);
        if (status == NT_OK) status = nt_bpe_bytes(&n, ids, NULL, &m.bpe, &m.work, word, WORD);
        nt_memory_fail_at(0);
        assert_true(status == NT_OK || status == NT_E_MEMORY);
        assert_true(status == NT_OK || k < 1000);
        if (m.lexicon.n == (size_t)v.n && m.bpe.n_pieces && m.bpe.tables.inner_ids &&
            m.bpe.tables.byte_pairs)
            check_bytes(&m, &v, word, WORD); /* a failure leaves nothing behind */
        close_model(&m);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_defined),     cmocka_unit_test(any_wholes),
        cmocka_unit_test(merges_pile_up), cmocka_unit_test(large_numbers),
        cmocka_unit_test(large_symbols),  cmocka_unit_test(unknown_byte),
        cmocka_unit_test(without_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
