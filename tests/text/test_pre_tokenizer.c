/* Pre-tokenizers against tokenizers 0.23.3 (tools/oracle/split.py): pieces and their offsets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <time.h>

#include "base/memory.h"
#include "text/split/pre_tokenizer.h"
#include "text/support.h"
#include "text/unicode/unicode.h"

enum { MAX_STRINGS = 64 };

static const char *cases_path = DATA "pre_tokenizer.cases.gz";

static nt_pre_tokenizers read_json(const char *text, size_t n) {
    json_t *value = json_loadb(text, n, 0, NULL);
    assert_non_null(value);
    nt_pre_tokenizers pre;
    int status = nt_pre_tokenizers_read(&pre, value, "test");
    json_decref(value);
    if (status != NT_OK) fail_msg("%s", nt_error_message());
    return pre;
}

static uint64_t characters(const char *text, size_t n) {
    uint64_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += ((unsigned char)text[i] & 0xC0) != 0x80;
    return count;
}

/* Pieces and offsets in characters, outwards to whole ones. */
static uint64_t hash_splits(uint64_t hash, const nt_splits *splits, const nt_form *form,
                            const char *text) {
    for (size_t i = 0; i < splits->n; i++) {
        nt_split split = splits->list[i];
        assert_true(split.start < split.end && split.end <= form->n);
        for (size_t j = split.start; j < split.end; j++)
            hash = fnv(hash, (unsigned char)form->bytes[j]);
        nt_extent extent = nt_form_extent(form, split.start, split.end);
        while (extent.start > 0 && ((unsigned char)text[extent.start] & 0xC0) == 0x80)
            extent.start--;
        hash =
            fnv(fnv(fnv(hash, 256), characters(text, extent.start)), characters(text, extent.end));
    }
    return fnv(hash, 0xFFFFFF);
}

static void test_oracle(void **state) {
    (void)state;
    oracle file = oracle_open(cases_path);
    const char *texts[MAX_STRINGS];
    size_t lengths[MAX_STRINGS], n_texts = oracle_number(&file), wrong = 0;
    assert_in_range(n_texts, 1, MAX_STRINGS);
    for (size_t i = 0; i < n_texts; i++) {
        lengths[i] = oracle_number(&file);
        texts[i] = oracle_bytes(&file, lengths[i]);
    }
    nt_form form = {0};
    nt_splits splits = {0};
    nt_pattern_work work = {0};
    size_t n = oracle_number(&file);
    assert_in_range(n, 400, SIZE_MAX);
    for (size_t i = 0; i < n; i++) {
        size_t n_json = oracle_number(&file);
        const char *json = oracle_bytes(&file, n_json);
        nt_pre_tokenizers pre = read_json(json, n_json);
        uint64_t hash = FNV_START;
        for (size_t j = 0; j < n_texts; j++) {
            nt_form_start(&form, texts[j], lengths[j], 0);
            assert_int_equal(nt_pre_tokenize(&splits, &form, &pre, &work), NT_OK);
            hash = hash_splits(hash, &splits, &form, texts[j]);
        }
        if (fold(hash) != oracle_hash(&file)) {
            print_error("%.*s\n", (int)n_json, json);
            wrong++;
        }
        nt_pre_tokenizers_free(&pre);
    }
    assert_int_equal(wrong, 0);
    oracle_close(&file);
    nt_form_free(&form);
    nt_splits_free(&splits);
    nt_pattern_work_free(&work);
}

static int status_of(const char *text) {
    json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);
    assert_non_null(value);
    nt_pre_tokenizers pre;
    int status = nt_pre_tokenizers_read(&pre, value, "file.json");
    json_decref(value);
    if (status != NT_OK) {
        assert_null(pre.list);
        assert_non_null(strstr(nt_error_message(), "file.json"));
    }
    nt_pre_tokenizers_free(&pre);
    return status;
}

/* What tokenizers' Deserialize takes and refuses. */
static void test_reading(void **state) {
    (void)state;
    const char *const good[] = {
        "null",
        "{\"type\": \"Punctuation\"}",
        "{\"type\": \"WhitespaceSplit\", \"x\": 1}",
        "{\"type\": \"Metaspace\", \"replacement\": \"_\", \"str_rep\": \"x\"}",
        "{\"type\": \"Metaspace\", \"replacement\": \"_\", \"add_prefix_space\": null, \"split\": "
        "null}",
        "{\"type\": \"Metaspace\", \"replacement\": \"_\", \"add_prefix_space\": true, "
        "\"prepend_scheme\": \"never\"}",
        "{\"type\": \"Sequence\", \"pretokenizers\": []}",
        "{\"type\": \"ByteLevel\", \"add_prefix_space\": true, \"trim_offsets\": true}",
    };
    const char *const bad[] = {
        "[]",
        "\"x\"",
        "{}",
        "{\"replacement\": \"_\"}",
        "{\"type\": \"ByteLevel\"}",
        "{\"type\": \"ByteLevel\", \"add_prefix_space\": true}",
        "{\"type\": \"ByteLevel\", \"add_prefix_space\": true, \"trim_offsets\": true, "
        "\"use_regex\": null}",
        "{\"type\": \"Digits\"}",
        "{\"type\": \"Punctuation\", \"behavior\": null}",
        "{\"type\": \"Punctuation\", \"behavior\": \"removed\"}",
        "{\"type\": \"Metaspace\"}",
        "{\"type\": \"Metaspace\", \"replacement\": \"\"}",
        "{\"type\": \"Metaspace\", \"replacement\": \"xy\"}",
        "{\"type\": \"Metaspace\", \"replacement\": \"_\", \"prepend_scheme\": \"First\"}",
        "{\"type\": \"Metaspace\", \"replacement\": \"_\", \"prepend_scheme\": null}",
        "{\"type\": \"Metaspace\", \"replacement\": \"_\", \"add_prefix_space\": false}",
        "{\"type\": \"Sequence\"}",
        "{\"type\": \"Split\", \"pattern\": {\"String\": \" \"}, \"behavior\": \"Isolated\"}",
        "{\"type\": \"Split\", \"pattern\": \" \", \"behavior\": \"Isolated\", \"invert\": false}",
        "{\"type\": \"Split\", \"pattern\": {\"String\": \" \"}, \"invert\": false}",
        "{\"type\": \"Split\", \"pattern\": {\"Regex\": \"(\"}, \"behavior\": \"Isolated\", "
        "\"invert\": false}",
        "{\"type\": \"Sequence\", \"pretokenizers\": [{\"type\": \"Whitespace\"}, 1]}",
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_int_equal(status_of(good[i]), NT_OK);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(status_of(bad[i]), NT_E_FORMAT);
    assert_int_equal(status_of("{\"type\": \"BertPreTokenizer\"}"), NT_E_UNSUPPORTED);
    assert_non_null(strstr(nt_error_message(), "BertPreTokenizer"));
}

#define BYTE_LEVEL(prefix, regex)                                                                  \
    "{\"type\": \"ByteLevel\", \"add_prefix_space\": " #prefix                                     \
    ", \"trim_offsets\": true, \"use_regex\": " #regex "}"
#define PAIR(first, second) "{\"type\": \"Sequence\", \"pretokenizers\": [" first ", " second "]}"
#define SPLIT(regex, behavior, invert)                                                             \
    "{\"type\": \"Split\", \"pattern\": {\"Regex\": \"" regex "\"}, \"behavior\": \"" behavior     \
    "\", \"invert\": " #invert "}"
#define DIGITS(individual) "{\"type\": \"Digits\", \"individual_digits\": " #individual "}"
#define QWEN2                                                                                      \
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?\\\\p{L}+|\\\\p{N}| "              \
    "?[^\\\\s\\\\p{L}\\\\p{N}]+[\\\\r\\\\n]*|\\\\s*[\\\\r\\\\n]+|\\\\s+(?!\\\\S)|\\\\s+"

static nt_scan_kind scan_of(bool *prefix, const char *text) {
    nt_pre_tokenizers pre = read_json(text, strlen(text));
    nt_scan_kind kind = nt_pre_tokenizers_scan(prefix, &pre);
    nt_pre_tokenizers_free(&pre);
    return kind;
}

static void test_scan(void **state) {
    (void)state;
    bool prefix;
    assert_int_equal(scan_of(&prefix, BYTE_LEVEL(false, true)), NT_SCAN_GPT2);
    assert_false(prefix);
    assert_int_equal(scan_of(&prefix, BYTE_LEVEL(true, true)), NT_SCAN_GPT2);
    assert_true(prefix);
    assert_int_equal(scan_of(&prefix, BYTE_LEVEL(false, false)), NT_SCAN_WHOLE);
    assert_int_equal(
        scan_of(&prefix, PAIR(SPLIT(QWEN2, "Isolated", false), BYTE_LEVEL(false, false))),
        NT_SCAN_QWEN2);
    assert_int_equal(
        scan_of(&prefix, PAIR(SPLIT(QWEN2, "Removed", true), BYTE_LEVEL(false, false))),
        NT_SCAN_QWEN2);
    const char *const none[] = {
        PAIR(SPLIT(QWEN2, "Removed", false), BYTE_LEVEL(false, false)),
        PAIR(SPLIT(QWEN2, "Contiguous", false), BYTE_LEVEL(false, false)),
        PAIR(SPLIT(QWEN2, "Isolated", false), BYTE_LEVEL(true, false)),
        PAIR(SPLIT(QWEN2, "Isolated", false), BYTE_LEVEL(false, true)),
        PAIR(SPLIT("a", "Isolated", false), BYTE_LEVEL(false, false)),
        PAIR(DIGITS(false), BYTE_LEVEL(false, true)),
        PAIR(DIGITS(true), BYTE_LEVEL(true, true)),
        PAIR(BYTE_LEVEL(false, true), DIGITS(true)),
        SPLIT(QWEN2, "Isolated", false),
        "{\"type\": \"Whitespace\"}",
        "{\"type\": \"Sequence\", \"pretokenizers\": []}",
    };
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        assert_int_equal(scan_of(&prefix, none[i]), NT_SCAN_NONE);
}

/* Where Digits and then ByteLevel have a scanner it must cut as they do. */
static void test_digits_lane(void **state) {
    (void)state;
    static const char digits[] = PAIR(DIGITS(true), BYTE_LEVEL(false, true));
    static const char *const parts[] = {"1",   "22",       " ",  "  ", "a",
                                        "b's", "\xC2\xBD", "\n", "!",  "\xE4\xBD\xA0"};
    bool prefix;
    nt_scan_kind kind = scan_of(&prefix, digits);
    assert_int_equal(kind, NT_SCAN_GPT2_DIGITS);
    nt_pre_tokenizers pre = read_json(digits, sizeof digits - 1);
    nt_form form = {0};
    nt_splits splits = {0};
    nt_pattern_work work = {0};
    uint64_t seed = 88172645463325252u;
    for (size_t i = 0; i < 3000; i++) {
        char text[64] = "";
        for (size_t j = 0; j < 12; j++)
            strcat(text, parts[draw(&seed) % (sizeof parts / sizeof parts[0])]);
        nt_form_start(&form, text, strlen(text), 0);
        assert_int_equal(nt_pre_tokenize(&splits, &form, &pre, &work), NT_OK);
        nt_scan scan;
        uint32_t ends[64];
        nt_scan_start(&scan, kind, text, strlen(text));
        size_t n = nt_scan_next(ends, 64, &scan);
        assert_int_equal(n, splits.n);
        for (size_t j = 0; j < n; j++)
            assert_int_equal(nt_form_extent(&form, splits.list[j].start, splits.list[j].end).end,
                             ends[j]);
    }
    nt_pre_tokenizers_free(&pre);
    nt_form_free(&form);
    nt_splits_free(&splits);
    nt_pattern_work_free(&work);
}

/* The scanner's classes and the sets of properties come from different questions to the oracle. */
static void test_one_set_of_digits(void **state) {
    (void)state;
    nt_pre_tokenizers pre = read_json(DIGITS(true), strlen(DIGITS(true)));
    for (uint32_t code = 0; code < 0x110000; code++) {
        if (code >= 0xD800 && code < 0xE000) continue;
        bool digit = nt_unicode_class(code) & NT_DIGIT;
        if (nt_ranges_has(&pre.list[0].members, code) != digit) fail_msg("U+%04X", (unsigned)code);
    }
    nt_pre_tokenizers_free(&pre);
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static double time_of(const char *json, const char *text, size_t n) {
    nt_pre_tokenizers pre = read_json(json, strlen(json));
    nt_form form = {0};
    nt_splits splits = {0};
    nt_pattern_work work = {0};
    double start = seconds();
    nt_form_start(&form, text, n, 0);
    assert_int_equal(nt_pre_tokenize(&splits, &form, &pre, &work), NT_OK);
    double time = seconds() - start;
    nt_pre_tokenizers_free(&pre);
    nt_form_free(&form);
    nt_splits_free(&splits);
    nt_pattern_work_free(&work);
    return time;
}

/* Ten times the text takes no more than some forty times the time, and not forever. */
static void test_linear(void **state) {
    (void)state;
    enum { N = 1000000 };
    const char *const pipelines[] = {
        PAIR(DIGITS(true), BYTE_LEVEL(true, true)),
        "{\"type\": \"Metaspace\", \"replacement\": \"\xE2\x96\x81\"}",
        SPLIT("\\\\s+|\\\\w+", "Contiguous", false),
        SPLIT("\\\\s|1|a", "MergedWithNext", false),
        "{\"type\": \"Whitespace\"}",
    };
    char *text = malloc(N);
    for (const char *unit = "a1 !\n"; *unit; unit++) {
        memset(text, *unit, N);
        for (size_t i = 0; i < sizeof pipelines / sizeof pipelines[0]; i++) {
            double small = time_of(pipelines[i], text, N / 10),
                   big = time_of(pipelines[i], text, N);
            if (big > 0.5 && big > 40 * small) fail_msg("%s: %g s, %g s", pipelines[i], small, big);
        }
    }
    free(text);
}

static int read_and_cut(const json_t *value) {
    static const char text[] = "a 12 b  c\xC2\xBD'll !";
    nt_pre_tokenizers pre;
    nt_form form = {0};
    nt_splits splits = {0};
    nt_pattern_work work = {0};
    int status = nt_pre_tokenizers_read(&pre, value, "test");
    if (status == NT_OK) {
        nt_form_start(&form, text, sizeof text - 1, 0);
        status = nt_pre_tokenize(&splits, &form, &pre, &work);
    }
    nt_pre_tokenizers_free(&pre);
    nt_form_free(&form);
    nt_splits_free(&splits);
    nt_pattern_work_free(&work);
    return status;
}

static void test_memory(void **state) {
    (void)state;
    static const char json[] = "{\"type\": \"Sequence\", \"pretokenizers\": [" SPLIT(
        "[b-c]+ ?", "MergedWithNext",
        true) ", " DIGITS(false) ", {\"type\": \"Punctuation\"}, {\"type\": \"Metaspace\", "
                                 "\"replacement\": \"_\"}, "
                                 "{\"type\": \"Whitespace\"}, " BYTE_LEVEL(true, true) "]}";
    json_t *value = json_loads(json, 0, NULL);
    assert_non_null(value);
    nt_memory_fail_at(SIZE_MAX);
    int status = read_and_cut(value);
    size_t n = nt_memory_count();
    nt_memory_fail_at(0);
    assert_int_equal(status, NT_OK);
    assert_in_range(n, 20, SIZE_MAX);
    for (size_t k = 1; k <= n; k++) {
        nt_memory_fail_once(k);
        status = read_and_cut(value);
        nt_memory_fail_at(k);
        int after = read_and_cut(value);
        nt_memory_fail_at(0);
        assert_int_equal(status, NT_E_MEMORY);
        assert_int_equal(after, NT_E_MEMORY);
    }
    json_decref(value);
}

int main(int argc, char **argv) {
    if (argc > 1) cases_path = argv[1];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_oracle),
        cmocka_unit_test(test_reading),
        cmocka_unit_test(test_scan),
        cmocka_unit_test(test_digits_lane),
        cmocka_unit_test(test_one_set_of_digits),
        cmocka_unit_test(test_linear),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
