/* Normalizers against tokenizers: every code point alone and among others, random strings through
 * many pipelines, text and alignments (data/normal.json, written by tools/oracle/normal.py). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/memory.h"
#include "text/normal/normal_form.h"
#include "text/normal/normalizer.h"
#include "text/support.h"

enum { MAX_TEXT = 4096, ORIGIN = 1000, INERT = 0x4E01 };

typedef struct figures {
    json_t *json;
    int32_t *marks, *bases;
    size_t n_marks, n_bases;
} figures;

static int32_t *read_codes(size_t *n, const json_t *array) {
    *n = json_array_size(array);
    assert_int_not_equal(*n, 0);
    int32_t *codes = malloc(*n * sizeof *codes);
    for (size_t i = 0; i < *n; i++)
        codes[i] = (int32_t)json_integer_value(json_array_get(array, i));
    return codes;
}

static int open_figures(void **state) {
    static figures all;
    if (nt_json_read(&all.json, DATA "normal.json", 1 << 24) != NT_OK) return -1;
    all.marks = read_codes(&all.n_marks, json_object_get(all.json, "marks"));
    all.bases = read_codes(&all.n_bases, json_object_get(all.json, "bases"));
    *state = &all;
    return 0;
}

static int close_figures(void **state) {
    figures *all = *state;
    json_decref(all->json);
    free(all->marks);
    free(all->bases);
    return 0;
}

static uint32_t figure(const json_t *sums, size_t i) {
    assert_true(i < json_array_size(sums));
    return (uint32_t)json_integer_value(json_array_get(sums, i));
}

static void read_section(nt_normalizers *out, const json_t *section) {
    if (nt_normalizers_read(out, section, "normal.json") != NT_OK)
        fail_msg("%s", nt_error_message());
}

/* From JSON with ' for ". */
static int read_quoted(nt_normalizers *out, const char *quoted) {
    char json[1024];
    size_t n = strlen(quoted);
    assert_in_range(n, 1, sizeof json);
    for (size_t i = 0; i < n; i++)
        json[i] = quoted[i] == '\'' ? '"' : quoted[i];
    json_t *section;
    assert_int_equal(nt_json_parse(&section, json, n, "a test"), NT_OK);
    int status = nt_normalizers_read(out, section, "a test");
    json_decref(section);
    return status;
}

static uint32_t add_number(uint32_t crc, size_t number) {
    unsigned char bytes[4];
    for (int i = 0; i < 4; i++)
        bytes[i] = (unsigned char)(number >> 8 * i);
    return (uint32_t)crc32(crc, bytes, 4);
}

static bool starts_character(char byte) {
    return ((unsigned char)byte & 0xC0) != 0x80;
}

static size_t count_characters(const char *bytes, size_t n) {
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += starts_character(bytes[i]);
    return count;
}

/* Checksum of a result as the oracle's script makes it. */
static uint32_t text_sum(uint32_t crc, const nt_form *form) {
    crc = add_number(crc, count_characters(form->bytes, form->n));
    return (uint32_t)crc32(crc, (const unsigned char *)form->bytes, (unsigned)form->n);
}

static uint32_t whole_sum(uint32_t crc, const nt_form *form, const char *text, size_t n) {
    uint32_t place[MAX_TEXT + 1]; /* how many characters begin before a byte's next one */
    uint32_t count = 0;
    for (size_t i = 0; i < n; i++)
        place[i] = count += starts_character(text[i]);
    place[n] = count + 1;
    crc = text_sum(crc, form);
    for (size_t at = 0; at < form->n;) {
        size_t end = at + 1;
        while (end < form->n && !starts_character(form->bytes[end]))
            end++;
        nt_extent extent = nt_form_extent(form, at, end);
        assert_in_range(extent.start, ORIGIN, ORIGIN + n);
        assert_in_range(extent.end, extent.start, ORIGIN + n);
        size_t start = extent.start - ORIGIN, stop = extent.end - ORIGIN;
        crc = add_number(crc, place[start] - 1);
        crc = add_number(crc, start < stop ? place[stop - 1] : place[start] - 1);
        at = end;
    }
    return crc;
}

/* Normalizes into form; where the list is said to leave the text alone it must do so. */
static bool apply(nt_form *form, const nt_normalizers *list, nt_pattern_work *work,
                  const char *text, size_t n) {
    bool left = nt_normalizers_leave(list, text, n);
    nt_form_start(form, text, n, ORIGIN);
    if (nt_normalize(form, list, work) != NT_OK) fail_msg("%s", nt_error_message());
    if (left) {
        assert_int_equal(form->n, n);
        assert_memory_equal(form->bytes, text, n);
        for (size_t i = 0; i < n; i++) {
            nt_extent extent = nt_form_extent(form, i, i + 1);
            assert_true(extent.start == ORIGIN + i && extent.end == ORIGIN + i + 1);
        }
    }
    return left;
}

/* The frames with a character in each, or the first where Unicode has none; returns the length. */
static size_t fill(char *out, const json_t *frames, int32_t code, bool all) {
    size_t n = 0;
    for (size_t i = 0; i < (all ? json_array_size(frames) : 1); i++) {
        if (i) out[n++] = '|';
        for (const char *s = json_string_value(json_array_get(frames, i)); *s; s++) {
            if (*s == '@')
                n += nt_utf8_put(out + n, code);
            else
                out[n++] = *s;
        }
    }
    assert_in_range(n, 1, MAX_TEXT);
    return n;
}

/* like [n] with code in the place of the inert character. */
static bool is_like(const nt_form *form, const char *like, size_t n, int32_t code) {
    char inert[4], own[4];
    size_t n_inert = nt_utf8_put(inert, INERT), n_own = nt_utf8_put(own, code), at = 0;
    for (size_t i = 0; i < n;) {
        bool here = n - i >= n_inert && memcmp(like + i, inert, n_inert) == 0;
        const char *wanted = here ? own : like + i;
        size_t length = here ? n_own : 1;
        if (form->n - at < length || memcmp(form->bytes + at, wanted, length) != 0) return false;
        at += length;
        i += here ? n_inert : 1;
    }
    return at == form->n;
}

/* What becomes of the frames with the inert character; returns the length. */
static size_t fill_like(char *out, const nt_normalizers *list, const json_t *frames, bool all) {
    char text[MAX_TEXT];
    nt_form form = {0};
    apply(&form, list, NULL, text, fill(text, frames, INERT, all));
    size_t n = form.n;
    memcpy(out, form.bytes, n);
    nt_form_free(&form);
    return n;
}

static void check_code_points(const json_t *all, const char *name, const json_t *sums) {
    const json_t *frames = json_object_get(all, "frames");
    int32_t block = (int32_t)json_integer_value(json_object_get(all, "block"));
    char quoted[100], text[MAX_TEXT], like[2][MAX_TEXT];
    snprintf(quoted, sizeof quoted, "{'type':'%s','strip_left':true,'strip_right':true}", name);
    nt_normalizers list;
    assert_int_equal(read_quoted(&list, quoted), NT_OK);
    size_t n_like[2];
    for (int whole = 0; whole < 2; whole++)
        n_like[whole] = fill_like(like[whole], &list, frames, whole);
    nt_form form = {0};
    for (int32_t start = 0; start < 0x110000; start += block) {
        uint32_t of_texts = 0, of_all = 0;
        for (int32_t code = start; code < start + block; code++) {
            if (code >= 0xD800 && code < 0xE000) continue;
            bool whole = code < 0x30000 || code >> 12 == 0xE0;
            size_t n = fill(text, frames, code, whole);
            apply(&form, &list, NULL, text, n);
            of_texts = text_sum(of_texts, &form);
            if (!is_like(&form, like[whole], n_like[whole], code))
                of_all = whole_sum(of_all, &form, text, n);
        }
        size_t i = (size_t)(start / block);
        if (of_texts != figure(json_object_get(sums, "text"), i))
            fail_msg("%s: the text of a code point from U+%04X on differs", name, (unsigned)start);
        if (of_all != figure(json_object_get(sums, "whole"), i))
            fail_msg("%s: an alignment from U+%04X on differs", name, (unsigned)start);
    }
    nt_form_free(&form);
    nt_normalizers_free(&list);
}

static void every_code_point(void **state) {
    const figures *all = *state;
    const char *name;
    json_t *sums;
    size_t n = 0;
    json_object_foreach(json_object_get(all->json, "code_points"), name, sums) {
        check_code_points(all->json, name, sums);
        n++;
    }
    assert_int_equal(n, 7);
}

static size_t draw_string(char *out, const figures *all, uint64_t *seed, size_t i) {
    size_t length = draw(seed) % (i % 50 == 49 ? 200 : 12), n = 0;
    while (length--) {
        bool mark = draw(seed) % 8 < 3;
        const int32_t *codes = mark ? all->marks : all->bases;
        n += nt_utf8_put(out + n, codes[draw(seed) % (mark ? all->n_marks : all->n_bases)]);
    }
    return n;
}

static void random_strings(void **state) {
    const figures *all = *state;
    const json_t *pipelines = json_object_get(all->json, "pipelines");
    size_t group = (size_t)json_integer_value(json_object_get(all->json, "group")), n_left = 0;
    assert_in_range(json_array_size(pipelines), 25, 100);
    for (size_t p = 0; p < json_array_size(pipelines); p++) {
        const json_t *pipeline = json_array_get(pipelines, p);
        const json_t *sums = json_object_get(pipeline, "sums");
        nt_normalizers list;
        read_section(&list, json_object_get(pipeline, "normalizer"));
        nt_form form = {0};
        nt_pattern_work work = {0};
        uint64_t seed = 0x9E3779B97F4A7C15;
        assert_in_range(json_array_size(sums), 1, 1000);
        for (size_t g = 0; g < json_array_size(sums); g++) {
            uint32_t crc = 0;
            for (size_t i = 0; i < group; i++) {
                char text[MAX_TEXT];
                size_t n = draw_string(text, all, &seed, g * group + i);
                n_left += apply(&form, &list, &work, text, n);
                crc = whole_sum(crc, &form, text, n);
            }
            if (crc != figure(sums, g)) fail_msg("pipeline %zu, strings of group %zu", p, g);
        }
        nt_form_free(&form);
        nt_pattern_work_free(&work);
        nt_normalizers_free(&list);
    }
    assert_in_range(n_left, 10000, 1000000); /* what is told to be left alone is looked at too */
}

/* Writes text several times over, with another text now and then; returns the length. */
static size_t repeat(char *out, size_t room, const char *text, const char *other) {
    size_t n = 0, length = strlen(text), n_other = strlen(other);
    for (size_t i = 0; n + length + n_other < room; i++) {
        memcpy(out + n, text, length);
        n += length;
        if (i % 7 == 6) {
            memcpy(out + n, other, n_other);
            n += n_other;
        }
    }
    return n;
}

/* What a list leaves or changes does not hang on where in a text it stands. */
static void leaving_alone(void **state) {
    (void)state;
    static const struct {
        const char *type, *text, *other;
        bool left;
    } cases[] = {
        {"NFC", "plain words ", "\xC3\xA9", true},
        {"NFC", "plain words ", "e\xCC\x81", false},
        {"NFC", "\xE0\xA6\xAC\xE0\xA6\xBE\xE0\xA6\x82", "\xE0\xA6\x95", true}, /* Bengali AA */
        {"NFC", "\xE0\xA6\xAC", "\xE0\xA7\x87\xE0\xA6\xBE", false}, /* two vowel signs to one */
        {"NFC", "\xE0\xB8\x81\xE0\xB8\xB8\xE0\xB9\x88", "", true},  /* Thai, marks in order */
        {"NFC", "\xE0\xB8\x81", "\xE0\xB9\x88\xE0\xB8\xB8", false}, /* and out of order */
        {"NFC", "\xED\x95\x9C", "\xEA\xB5\xAD", true},
        {"NFC", "\xED\x95\x9C", "\xEA\xB0\x80\xE1\x86\xA8", false}, /* LV and T */
        {"NFD", "\xED\x95\x9C", "", false},
        {"NFD", "\xD0\xBF\xD1\x80\xD0\xB8", "", true},
        {"NFKC", "caf\xC3\xA9 ", "", true},
        {"NFKC", "caf\xC3\xA9 ", "\xEF\xAC\x81", false},
        {"NFKD", "caf\xC3\xA9 ", "", false},
        {"Lowercase", "small letters only, 123 @[`{ ", "\xC3\xA9", true},
        {"Lowercase", "small letters only, 123 @[`{ ", "Z", false},
        {"Lowercase", "small letters only, 123 @[`{ ", "A", false},
        {"Lowercase", "small letters only, 123 @[`{ ", "\xC3\x89", false},
        {"StripAccents", "caf\xC3\xA9 ", "", true},
        {"StripAccents", "caf\xC3\xA9 ", "e\xCC\x81", false},
    };
    char text[1000];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char quoted[64];
        snprintf(quoted, sizeof quoted, "{'type':'%s'}", cases[i].type);
        nt_normalizers list;
        assert_int_equal(read_quoted(&list, quoted), NT_OK);
        size_t n = repeat(text, sizeof text, cases[i].text, cases[i].other);
        nt_form form = {0};
        if (apply(&form, &list, NULL, text, n) != cases[i].left) fail_msg("case %zu", i);
        assert_int_equal(form.from == NULL, cases[i].left);
        nt_form_free(&form);
        nt_normalizers_free(&list);
    }
}

static void assert_left(const char *quoted, const char *text, bool left) {
    nt_normalizers list;
    assert_int_equal(read_quoted(&list, quoted), NT_OK);
    assert_int_equal(nt_normalizers_leave(&list, text, strlen(text)), left);
    nt_normalizers_free(&list);
}

static void leaving_alone_more(void **state) {
    (void)state;
    assert_left("null", "anything", true);
    assert_left("{'type':'Sequence','normalizers':[]}", "anything", true);
    assert_left("{'type':'Prepend','prepend':'x'}", "", true);
    assert_left("{'type':'Prepend','prepend':'x'}", "a", false);
    const char *spaces = "{'type':'Replace','pattern':{'String':' '},'content':'_'}";
    assert_left(spaces, "word", true);
    assert_left(spaces, "two words", false);
    assert_left("{'type':'Replace','pattern':{'String':''},'content':'_'}", "word", false);
    const char *both = "{'type':'Strip','strip_left':true,'strip_right':true}";
    assert_left(both, "two words", true);
    assert_left(both, " word", false);
    assert_left(both, "word\xC2\xA0", false);
    assert_left("{'type':'Strip','strip_left':false,'strip_right':true}", " word", true);
    assert_left("{'type':'Strip','strip_left':true,'strip_right':false}", "word ", true);
    assert_left("{'type':'Sequence','normalizers':[{'type':'NFC'},{'type':'Lowercase'}]}", "a",
                true);
    assert_left("{'type':'Sequence','normalizers':[{'type':'NFC'},{'type':'Lowercase'}]}", "A",
                false);
}

static void assert_refused(int status, const char *quoted, const char *part) {
    nt_normalizers list;
    assert_int_equal(read_quoted(&list, quoted), status);
    if (!strstr(nt_error_message(), part)) fail_msg("%s", nt_error_message());
    assert_null(list.list);
}

static void what_cannot_be_read(void **state) {
    (void)state;
    assert_refused(NT_E_UNSUPPORTED, "{'type':'Precompiled'}", "Precompiled");
    assert_refused(NT_E_UNSUPPORTED, "{'type':'ByteLevel'}", "ByteLevel");
    assert_refused(NT_E_UNSUPPORTED,
                   "{'type':'Sequence','normalizers':[{'type':'NFC'},{'type':'Nmt'}]}", "Nmt");
    assert_refused(NT_E_FORMAT, "[]", "an array");
    assert_refused(NT_E_FORMAT, "{}", "type");
    assert_refused(NT_E_FORMAT, "{'type':3}", "type");
    assert_refused(NT_E_FORMAT, "{'type':'Sequence'}", "normalizers");
    assert_refused(NT_E_FORMAT, "{'type':'Sequence','normalizers':[3]}", "an integer");
    assert_refused(NT_E_FORMAT, "{'type':'Prepend'}", "prepend");
    assert_refused(NT_E_FORMAT, "{'type':'Prepend','prepend':1}", "prepend");
    assert_refused(NT_E_FORMAT, "{'type':'Replace','content':'a'}", "pattern");
    assert_refused(NT_E_FORMAT, "{'type':'Replace','pattern':{'String':'a'}}", "content");
    assert_refused(NT_E_FORMAT, "{'type':'Strip','strip_right':true}", "strip_left");
    assert_refused(NT_E_FORMAT, "{'type':'Strip','strip_left':1,'strip_right':true}", "strip_left");
}

/* tokenizers panics on these, or writes the first characters twice. */
static void put_before_everything(void **state) {
    (void)state;
    nt_normalizers list;
    assert_int_equal(read_quoted(&list, "{'type':'Sequence','normalizers':["
                                        "{'type':'Prepend','prepend':''},{'type':'NFC'}]}"),
                     NT_OK);
    nt_form form = {0};
    nt_form_start(&form, "O", 1, 0);
    assert_int_equal(nt_normalize(&form, &list, NULL), NT_E_UNSUPPORTED);
    nt_form_start(&form, "", 0, 0);
    assert_int_equal(nt_normalize(&form, &list, NULL), NT_OK);
    nt_form_free(&form);
    nt_normalizers_free(&list);
}

/* Runs of marks long enough for the sort that is not by insertion, and for memory of their own. */
static int long_runs(void) {
    enum { N = 300 };
    static const char *const marks[] = {"\xCC\x81", "\xCC\xA7", "\xCC\xB4", "\xCC\xA3"};
    static const size_t by_order[] = {2, 1, 3, 0}; /* classes 1, 202, 220, 230 */
    char text[3 * N], wanted[3 * N];
    size_t n = 0, n_wanted = 0;
    text[n++] = wanted[n_wanted++] = 'q';
    for (size_t i = 0; i < N; i++, n += 2)
        memcpy(text + n, marks[i % 4], 2);
    for (size_t i = 0; i < N; i++, n_wanted += 2)
        memcpy(wanted + n_wanted, marks[by_order[i / (N / 4)]], 2);
    nt_normalizers list;
    NT_TRY(read_quoted(&list, "{'type':'Sequence','normalizers':[{'type':'NFD'},{'type':'Replace',"
                              "'pattern':{'String':'q'},'content':'Q'},{'type':'Lowercase'}]}"));
    nt_form form = {0};
    nt_pattern_work work = {0};
    nt_form_start(&form, text, n, 0);
    int status = nt_normalize(&form, &list, &work);
    if (status == NT_OK) {
        assert_int_equal(form.n, n_wanted);
        assert_memory_equal(form.bytes, wanted, n_wanted);
    }
    nt_form_free(&form);
    nt_pattern_work_free(&work);
    nt_normalizers_free(&list);
    return status;
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    nt_memory_fail_at(SIZE_MAX);
    assert_int_equal(long_runs(), NT_OK);
    size_t n = nt_memory_count();
    assert_in_range(n, 8, 1000);
    for (size_t k = 1; k <= n; k++) {
        nt_memory_fail_at(k);
        assert_int_equal(long_runs(), NT_E_MEMORY);
    }
    nt_memory_fail_at(0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_point),
        cmocka_unit_test(random_strings),
        cmocka_unit_test(leaving_alone),
        cmocka_unit_test(leaving_alone_more),
        cmocka_unit_test(what_cannot_be_read),
        cmocka_unit_test(put_before_everything),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, open_figures, close_figures);
}
