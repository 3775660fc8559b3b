/* Merging against its definition: as long as any neighbours merge, the pair of lowest rank does,
 * the leftmost of equals. Random small vocabularies, words on both sides of the length from which
 * the work is done with a heap. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "folder.h"
#include "text/support.h"

enum { LETTERS = 6, MERGES = 40, TOKENS = LETTERS + MERGES, LONGEST = 12, WORD = 100 };

typedef struct merge {
    int32_t left, right, whole;
} merge;

typedef struct vocabulary {
    char content[TOKENS][LONGEST + 1];
    int32_t n;
    merge merges[MERGES]; /* by rank */
    size_t n_merges;
} vocabulary;

static int32_t find(const vocabulary *v, const char *content) {
    for (int32_t i = 0; i < v->n; i++)
        if (strcmp(v->content[i], content) == 0) return i;
    return -1;
}

static const merge *merge_of(const vocabulary *v, int32_t left, int32_t right) {
    for (size_t i = 0; i < v->n_merges; i++)
        if (v->merges[i].left == left && v->merges[i].right == right) return &v->merges[i];
    return NULL;
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
        if (merge_of(v, left, right)) continue;
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
}

static nt_tokenizer *open_vocabulary(const vocabulary *v, const char *folder) {
    char json[8192], *at = json;
    at += sprintf(at, "{");
    for (int32_t i = 0; i < v->n; i++)
        at += sprintf(at, "%s\"%s\":%d", i ? "," : "", v->content[i], (int)i);
    sprintf(at, "}");
    folder_put_text(folder, "vocab.json", json);
    at = json + sprintf(json, "#version: 0.2\n");
    for (size_t i = 0; i < v->n_merges; i++) {
        at += sprintf(at, "%s %s\n", v->content[v->merges[i].left], v->content[v->merges[i].right]);
    }
    folder_put_text(folder, "merges.txt", json);
    return open_tokenizer(folder);
}

static size_t by_definition(int32_t *ids, const vocabulary *v, const char *word, size_t n) {
    for (size_t i = 0; i < n; i++)
        ids[i] = word[i] - 'a';
    for (;;) {
        const merge *best = NULL;
        size_t at = 0;
        for (size_t i = 0; i + 1 < n; i++) {
            const merge *pair = merge_of(v, ids[i], ids[i + 1]);
            if (pair && (!best || pair < best)) { /* an earlier entry has the lower rank */
                best = pair;
                at = i;
            }
        }
        if (!best) return n;
        ids[at] = best->whole;
        memmove(ids + at + 1, ids + at + 2, (n - at - 2) * sizeof *ids);
        n--;
    }
}

/* Encodes a word and holds ids and offsets against the definition. */
static void check_word(const nt_tokenizer *tokenizer, const vocabulary *v, const char *word,
                       size_t n_word) {
    int32_t wanted[WORD], *ids;
    size_t n_wanted = by_definition(wanted, v, word, n_word), *starts, *ends, n, at = 0;
    assert_int_equal(nt_encode(&ids, &starts, &ends, &n, tokenizer, word, n_word, NULL), NT_OK);
    assert_int_equal(n, n_wanted);
    assert_memory_equal(ids, wanted, n * sizeof *ids);
    for (size_t k = 0; k < n; k++) {
        assert_int_equal(starts[k], at);
        at += strlen(v->content[ids[k]]);
        assert_int_equal(ends[k], at);
    }
    nt_free(ids);
    nt_free(starts);
    nt_free(ends);
}

static void as_defined(void **state) {
    (void)state;
    const char *folder = folder_new();
    uint64_t seed = 11;
    for (int round = 0; round < 150; round++) {
        vocabulary v;
        make(&v, &seed);
        nt_tokenizer *tokenizer = open_vocabulary(&v, folder);
        for (size_t i = 0; i < 60; i++) {
            char word[WORD];
            size_t n_word = i < 4 ? 39 + i : 1 + draw(&seed) % WORD;
            size_t sparse = i % 3 ? 1 + draw(&seed) % 20 : 1; /* few merges in a long word */
            for (size_t k = 0; k < n_word; k++) {
                bool filler = draw(&seed) % sparse != 0;
                word[k] = (char)('a' + (filler ? LETTERS - 1 : draw(&seed) % LETTERS));
            }
            check_word(tokenizer, &v, word, n_word);
        }
        nt_tokenizer_free(tokenizer);
    }
    folder_remove(folder);
}

/* Every pair of the word merges, and each merge makes two new ones before the old are gone: more
 * possible merges wait than the word has bytes. */
static void merges_pile_up(void **state) {
    (void)state;
    vocabulary v = {.content = {"a", "b", "c", "d", "e", "f", "ab", "ba", "aba", "abab"},
                    .n = 10,
                    .merges = {{0, 1, 6}, {6, 6, 9}, {6, 0, 8}, {1, 0, 7}},
                    .n_merges = 4};
    const char *folder = folder_new();
    nt_tokenizer *tokenizer = open_vocabulary(&v, folder);
    char word[WORD];
    for (size_t i = 0; i < WORD; i++)
        word[i] = i % 2 ? 'b' : 'a';
    for (size_t n = 1; n <= WORD; n++)
        check_word(tokenizer, &v, word, n);
    nt_tokenizer_free(tokenizer);
    folder_remove(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(as_defined),
                                       cmocka_unit_test(merges_pile_up)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
