/* Regexes of Oniguruma's syntax against tokenizers 0.23.3 (tools/oracle/split.py): where they
 * match, and which are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "text/split/pattern.h"
#include "text/support.h"

enum { MUST, INVALID, REFUSED, MAY, MAX_STRINGS = 128 };

static const char *cases_path = DATA "pattern.cases.gz";

typedef struct strings {
    struct {
        const char *text;
        size_t n;
    } list[MAX_STRINGS];
    size_t n;
} strings;

static strings read_strings(oracle *file) {
    strings all = {.n = oracle_number(file)};
    assert_in_range(all.n, 1, MAX_STRINGS);
    for (size_t i = 0; i < all.n; i++) {
        all.list[i].n = oracle_number(file);
        all.list[i].text = oracle_bytes(file, all.list[i].n);
    }
    return all;
}

static uint64_t characters(const char *text, size_t n) {
    uint64_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += ((unsigned char)text[i] & 0xC0) != 0x80;
    return count;
}

static uint64_t add_piece(uint64_t hash, const char *text, size_t start, size_t end) {
    if (start == end) return hash;
    return fnv(fnv(hash, characters(text, start)), characters(text, end));
}

/* Every cut, then every match that is not empty, as the oracle tells them. */
static uint64_t hash_matches(uint64_t hash, const nt_pattern_work *work, const char *text,
                             size_t n) {
    size_t before = 0;
    for (size_t i = 0; i < work->n; i++) {
        hash = add_piece(hash, text, before, work->matches[i].start);
        hash = add_piece(hash, text, work->matches[i].start, work->matches[i].end);
        before = work->matches[i].end;
    }
    hash = fnv(add_piece(hash, text, before, n), 0xFFFFFF);
    for (size_t i = 0; i < work->n; i++)
        hash = add_piece(hash, text, work->matches[i].start, work->matches[i].end);
    return fnv(hash, 0xFFFFFF);
}

static bool same_matches(nt_pattern_work *work, const nt_pattern *pattern, const strings *all,
                         uint32_t wanted) {
    uint64_t hash = FNV_START;
    for (size_t i = 0; i < all->n; i++) {
        int status = nt_pattern_search(work, pattern, all->list[i].text, all->list[i].n);
        if (status != NT_OK) fail_msg("%s", nt_error_message());
        hash = hash_matches(hash, work, all->list[i].text, all->list[i].n);
    }
    return fold(hash) == wanted;
}

static void test_oracle(void **state) {
    (void)state;
    oracle file = oracle_open(cases_path);
    strings all = read_strings(&file);
    nt_pattern_work work = {0};
    size_t n = oracle_number(&file), wrong = 0, random = 0, done = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t kind = oracle_number(&file), exact = oracle_number(&file);
        size_t n_regex = oracle_number(&file);
        const char *regex = oracle_bytes(&file, n_regex);
        bool has_hash = kind == MUST || kind == MAY;
        uint32_t wanted = has_hash ? oracle_hash(&file) : 0;
        nt_pattern *pattern;
        int status = nt_pattern_from_regex(&pattern, regex, n_regex, "test");
        random += kind == MAY;
        done += kind == MAY && status == NT_OK;
        bool right = kind == MUST      ? status == NT_OK
                     : kind == REFUSED ? status == NT_E_UNSUPPORTED
                     : kind == MAY
                         ? status == NT_OK || status == NT_E_UNSUPPORTED
                         : status == NT_E_FORMAT || (!exact && status == NT_E_UNSUPPORTED);
        if (right && status == NT_OK) right = same_matches(&work, pattern, &all, wanted);
        if (!right) {
            print_error("kind %d, status %d: %.*s  (%s)\n", (int)kind, status, (int)n_regex, regex,
                        status == NT_OK ? "other matches" : nt_error_message());
            wrong++;
        }
        nt_pattern_free(pattern);
    }
    print_message("%zu regexes, %zu of %zu random ones taken\n", n, done, random);
    assert_int_equal(wrong, 0);
    assert_in_range(done, random * 3 / 4, random); /* few are beyond PCRE2 */
    oracle_close(&file);
    nt_pattern_work_free(&work);
}

static nt_pattern *pattern_of(const char *json_text) {
    json_t *value = json_loads(json_text, 0, NULL);
    assert_non_null(value);
    nt_pattern *pattern;
    int status = nt_pattern_read(&pattern, value, "test");
    json_decref(value);
    if (status != NT_OK) fail_msg("%s", nt_error_message());
    return pattern;
}

static void test_strings(void **state) {
    (void)state;
    nt_pattern_work work = {0};
    nt_pattern *pattern = pattern_of("{\"String\": \"a+\"}");
    assert_int_equal(nt_pattern_search(&work, pattern, "aa+a+", 5), NT_OK);
    assert_int_equal(work.n, 2);
    assert_int_equal(work.matches[0].start, 1);
    assert_int_equal(work.matches[1].end, 5);
    assert_int_equal(nt_pattern_scan(pattern), NT_SCAN_NONE);
    nt_pattern_free(pattern);
    nt_pattern_work_free(&work);
}

static void test_not_patterns(void **state) {
    (void)state;
    const char *const wrong[] = {"{}",
                                 "\"a\"",
                                 "{\"Regex\": 1}",
                                 "{\"Regex\": \"a\", \"String\": \"a\"}",
                                 "{\"Other\": \"a\"}",
                                 "[]"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        json_t *value = json_loads(wrong[i], 0, NULL);
        nt_pattern *pattern;
        assert_int_equal(nt_pattern_read(&pattern, value, "test"), NT_E_FORMAT);
        assert_null(pattern);
        json_decref(value);
    }
    nt_pattern *pattern;
    assert_int_equal(nt_pattern_from_regex(&pattern, "a\xFF", 2, "test"), NT_E_FORMAT);
}

/* The message of a refusal names file, pattern and place. */
static void test_place(void **state) {
    (void)state;
    nt_pattern *pattern;
    assert_int_equal(nt_pattern_from_regex(&pattern, "ab\\X", 4, "file.json"), NT_E_UNSUPPORTED);
    assert_non_null(strstr(nt_error_message(), "file.json"));
    assert_non_null(strstr(nt_error_message(), "\"ab\\X\""));
    assert_non_null(strstr(nt_error_message(), "byte 2"));
}

/* Regexes and texts that would run for ever end with an error; deep ones do not overflow. */
static void test_hostile(void **state) {
    (void)state;
    enum { N = 200000 };
    char *text = malloc(N);
    memset(text, 'a', N);
    const char *const slow[] = {"(?:a+)+!", "(?:a|aa)+!", "(a*)*b\\1", "(?:a?){50}a{50}(?=!)"};
    nt_pattern_work work = {0};
    size_t given_up = 0;
    for (size_t i = 0; i < sizeof slow / sizeof slow[0]; i++) {
        nt_pattern *pattern;
        assert_int_equal(nt_pattern_from_regex(&pattern, slow[i], strlen(slow[i]), "test"), NT_OK);
        int status = nt_pattern_search(&work, pattern, text, 5000);
        if (status != NT_OK) {
            assert_int_equal(status, NT_E_UNSUPPORTED);
            assert_non_null(strstr(nt_error_message(), slow[i]));
            given_up++;
        } else {
            assert_int_equal(work.n, 0);
        }
        nt_pattern_free(pattern);
    }
    assert_in_range(given_up, 1, sizeof slow / sizeof slow[0]);
    for (const char *open = "([{?\\*+|^-&"; *open; open++) {
        memset(text, *open, N);
        nt_pattern *pattern;
        int status = nt_pattern_from_regex(&pattern, text, 60000, "test");
        assert_true(status == NT_E_FORMAT || status == NT_E_UNSUPPORTED || status == NT_OK);
        nt_pattern_free(pattern);
    }
    free(text);
    nt_pattern_work_free(&work);
}

static nt_pattern *regex_of(const char *regex) {
    nt_pattern *pattern;
    if (nt_pattern_from_regex(&pattern, regex, strlen(regex), "test") != NT_OK)
        fail_msg("%s", nt_error_message());
    return pattern;
}

/* A text that makes every place of it hard, or any run from every place: steps are counted over
 * the whole text, and what PCRE2 does not count has an end too. */
static void test_long_hostile(void **state) {
    (void)state;
    enum { N = 300000 };
    char *text = malloc(N);
    memset(text, 'a', N);
    nt_pattern_work work = {0};
    static const char *const quadratic[] = {"(?:a|b)+[cd]", "(?:(?:a|b)+[cd])?[xy]",
                                            "(?:a+)+$[^a]|[xy]", "(?=a)[ab]*[cd]"};
    for (size_t i = 0; i < sizeof quadratic / sizeof *quadratic; i++) {
        nt_pattern *pattern = regex_of(quadratic[i]);
        nt_pattern_begin(&work);
        assert_int_equal(nt_pattern_search(&work, pattern, text, N), NT_E_UNSUPPORTED);
        assert_non_null(strstr(nt_error_message(), "would take too long"));
        nt_pattern_free(pattern);
    }
    /* each piece of a text is short, and together they are not */
    nt_pattern *pattern = regex_of("(a+)+$");
    text[22] = '!';
    nt_pattern_begin(&work);
    assert_int_equal(nt_pattern_search(&work, pattern, text, 23), NT_OK);
    int status = NT_OK;
    for (size_t i = 0; i < 1000 && status == NT_OK; i++)
        status = nt_pattern_search(&work, pattern, text, 23);
    assert_int_equal(status, NT_E_UNSUPPORTED);
    nt_pattern_begin(&work);
    assert_int_equal(nt_pattern_search(&work, pattern, text, 23), NT_OK);
    nt_pattern_free(pattern);
    nt_pattern_work_free(&work);
    free(text);
}

static void expect_matches(const char *regex, const char *text, size_t n, const nt_match *wanted,
                           size_t n_wanted) {
    nt_pattern_work work = {0};
    nt_pattern *pattern = regex_of(regex);
    if (nt_pattern_search(&work, pattern, text, n) != NT_OK) fail_msg("%s", nt_error_message());
    assert_int_equal(work.n, n_wanted);
    for (size_t i = 0; i < n_wanted; i++) {
        assert_int_equal(work.matches[i].start, wanted[i].start);
        assert_int_equal(work.matches[i].end, wanted[i].end);
    }
    nt_pattern_free(pattern);
    nt_pattern_work_free(&work);
}

/* Far from each other, matches are where they would be in a short text. */
static void test_far(void **state) {
    (void)state;
    enum { N = 300000 };
    char *text = malloc(N);
    /* two bytes a character; every place of a match, against each edge of what a call looks at */
    nt_match wanted[300];
    size_t n_wanted = 0;
    for (size_t i = 0; i < N; i += 2)
        memcpy(text + i, "\xC3\xA9", 2);
    for (size_t at = 1000, step = 600; n_wanted < 300; at += step += 2) {
        memcpy(text + at, "xy", 2);
        wanted[n_wanted++] = (nt_match){(uint32_t)at, (uint32_t)at + 2};
    }
    expect_matches("x\\w", text, N, wanted, n_wanted);
    expect_matches("(?<=\xC3\xA9)(?:x|y)+(?=\xC3\xA9)", text, N, wanted, n_wanted);
    expect_matches("$", text, N, &(nt_match){N, N}, 1);
    expect_matches("\\A(?:\xC3\xA9|z)", text, N, &(nt_match){0, 2}, 1);
    /* the start of a search is where the match before it ended, and nowhere else */
    memset(text, 'c', N);
    memcpy(text, "aa", 2);
    memcpy(text + 200000, "abaca", 5);
    static const nt_match starts[] = {{0, 1}, {1, 2}, {200001, 200002}, {200002, 200003}};
    expect_matches("\\Ga|b", text, N, starts, 4);
    /* places that need many steps, among others */
    memset(text, '-', N);
    for (size_t i = 0; i < 3; i++) {
        wanted[i] = (nt_match){(uint32_t)(90000 * i + 5), (uint32_t)(90000 * i + 6006)};
        memset(text + wanted[i].start, 'a', 6000);
        text[wanted[i].end - 1] = '!';
    }
    expect_matches("(?:a|b)+!", text, N, wanted, 3);
    free(text);
}

/* Any bytes: an error or a pattern, whose search ends. */
static void test_random_bytes(void **state) {
    (void)state;
    static const char alphabet[] = "ab()[]{}?*+|\\^$.:=!<>-&,12pkxLwisR\n #'";
    uint64_t seed = 88172645463325252u;
    nt_pattern_work work = {0};
    size_t good = 0;
    for (size_t i = 0; i < 20000; i++) {
        char regex[16];
        size_t n = 1 + draw(&seed) % sizeof regex;
        for (size_t j = 0; j < n; j++)
            regex[j] = alphabet[draw(&seed) % (sizeof alphabet - 1)];
        nt_pattern *pattern;
        if (nt_pattern_from_regex(&pattern, regex, n, "test") != NT_OK) {
            assert_null(pattern);
            continue;
        }
        good++;
        int status = nt_pattern_search(&work, pattern, "ab (a) b\n1a-\xC3\xA9", 14);
        assert_true(status == NT_OK || status == NT_E_UNSUPPORTED);
        nt_pattern_free(pattern);
    }
    assert_in_range(good, 1000, 20000);
    nt_pattern_work_free(&work);
}

static int make_and_search(void) {
    static const char regex[] =
        "(?i:'s)|\\G(?i:'t)|(?<n>\\p{L}[^\\s&&[:alpha:]]?)\\k<n>|\\bx(?x) [[a-c]k]+ | (?:b*){2}?";
    nt_pattern_work work = {0};
    nt_pattern *pattern;
    int status = nt_pattern_from_regex(&pattern, regex, sizeof regex - 1, "test");
    if (status == NT_OK) status = nt_pattern_search(&work, pattern, "aa x 's xabc", 12);
    nt_pattern_free(pattern);
    nt_pattern_work_free(&work);
    return status;
}

static void test_memory(void **state) {
    (void)state;
    nt_memory_fail_at(SIZE_MAX);
    int status = make_and_search();
    size_t n = nt_memory_count();
    nt_memory_fail_at(0);
    assert_int_equal(status, NT_OK);
    assert_in_range(n, 30, SIZE_MAX);
    for (size_t k = 1; k <= n; k++) {
        nt_memory_fail_once(k);
        status = make_and_search();
        nt_memory_fail_at(k);
        int after = make_and_search();
        nt_memory_fail_at(0);
        assert_int_equal(status, NT_E_MEMORY);
        assert_int_equal(after, NT_E_MEMORY);
    }
}

int main(int argc, char **argv) {
    if (argc > 1) cases_path = argv[1];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_oracle),       cmocka_unit_test(test_strings),
        cmocka_unit_test(test_not_patterns), cmocka_unit_test(test_place),
        cmocka_unit_test(test_hostile),      cmocka_unit_test(test_long_hostile),
        cmocka_unit_test(test_far),          cmocka_unit_test(test_random_bytes),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
