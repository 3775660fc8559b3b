/* The reader of torch.save's files on whole files: the cases of tests/format/data/torch_cases.gz
 * (made by tools/oracle/torch_cases.py), cut and damaged ones, failing memory, and pickles that
 * want to fill it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <zlib.h>

#include "format/reading.h"
#include "report.h"

static json_t *cases;

static int load(void **state) {
    (void)state;
    enum { MOST = 4 << 20 };
    char *text = malloc(MOST);
    assert_non_null(text);
    gzFile in = gzopen(NT_SOURCE_DIR "/tests/format/data/torch_cases.gz", "rb");
    assert_non_null(in);
    int n = gzread(in, text, MOST);
    assert_in_range(n, 1, MOST - 1);
    assert_int_equal(gzclose(in), Z_OK);
    json_error_t error;
    cases = json_loadb(text, (size_t)n, 0, &error);
    if (!cases) fail_msg("torch_cases.gz: %s", error.text);
    free(text);
    return 0;
}

static int unload(void **state) {
    (void)state;
    json_decref(cases);
    return 0;
}

/* What is said of each file that is not read. */
static void report_refused(void) {
    size_t i, n;
    json_t *one;
    json_array_foreach(json_object_get(cases, "broken"), i, one) {
        unsigned char *bytes = bytes_of(&n, one, "hex");
        nt_tensors *tensors;
        assert_int_not_equal(nt_tensors_parse(&tensors, bytes, n, "FILE"), NT_OK);
        report_row("pickle refused", text_of(one, "name"), nt_error_message());
        free(bytes);
    }
}

static void broken_files_are_refused(void **state) {
    (void)state;
    assert_true(expect_broken(cases) >= 200);
    report_refused();
}

static void sound_files_are_read(void **state) {
    (void)state;
    size_t i;
    json_t *one;
    assert_true(expect_sound(cases) >= 29);
    json_array_foreach(json_object_get(cases, "sound"), i, one)
        report_row("pickle", text_of(one, "name"), "read");
}

/* Sound case i, for free. */
static unsigned char *sound(size_t *n, size_t i) {
    return bytes_of(n, json_array_get(json_object_get(cases, "sound"), i), "hex");
}

/* A file cut at any byte is refused: those of the zip form, and of the one before it. */
static void cut_files_are_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        size_t n;
        unsigned char *bytes = sound(&n, i);
        for (size_t length = 0; length < n; length++) {
            unsigned char *cut = malloc(length ? length : 1);
            nt_tensors *tensors;
            assert_non_null(cut);
            memcpy(cut, bytes, length);
            int status = nt_tensors_parse(&tensors, cut, length, "cut");
            if (status != NT_E_FORMAT && status != NT_E_UNSUPPORTED)
                fail_msg("%zu of %zu bytes: %s", length, n, nt_status_name(status));
            free(cut);
        }
        free(bytes);
    }
}

static void every_failing_allocation(void **state) {
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        size_t n;
        unsigned char *bytes = sound(&n, i);
        nt_tensors_free(parse_through_failures(bytes, n, 100));
        free(bytes);
    }
}

static void random_damage(void **state) {
    (void)state;
    damage_sound_files(cases, 30000);
}

/* Millions of one opcode each: refused by the allowance, or for want of what the opcode takes,
 * never by the system's memory. */
static void pickles_that_want_all_memory(void **state) {
    (void)state;
    enum { N = 4000000 };
    static const struct {
        const char *opcode, *phrase;
    } bombs[] = {
        {"]", "more memory"},     {"}", "more memory"},     {")", "more memory"},
        {"2\x86", "more memory"}, {"2\x94", "ends early"},  {"(t", "ends early"},
        {"(l", "ends early"},     {"2", "ends early"},      {"(", "ends early"},
        {"K\x01", "ends early"},  {"\x85", "more memory"},  {"0K\x01", "ends early"},
        {"h\x01", "never put"},   {"]2a", "ends early"},    {"}22s", "ends early"},
        {"(2", "finds a mark"},   {"2\x87", "less on the"}, {"X\x01\x01\x01\x01", "ends early"},
    };
    char *bytes = malloc(N);
    assert_non_null(bytes);
    for (size_t i = 0; i < sizeof bombs / sizeof *bombs; i++) {
        size_t n = strlen(bombs[i].opcode);
        memcpy(bytes, "\x80\x02K\x01", 4);
        for (size_t at = 4; at + n <= N; at += n)
            memcpy(bytes + at, bombs[i].opcode, n);
        nt_tensors *tensors;
        assert_int_equal(nt_tensors_parse(&tensors, bytes, N, "bomb"), NT_E_FORMAT);
        if (!strstr(nt_error_message(), bombs[i].phrase))
            fail_msg("bomb %zu: %s", i, nt_error_message());
    }
    free(bytes);
}

static void the_longest_pickle(void **state) {
    (void)state;
    enum { MOST = 25000000 };
    unsigned char *bytes = malloc(MOST + 1);
    assert_non_null(bytes);
    for (size_t n = MOST; n <= MOST + 1; n++) {
        /* A text that fills the file but for the end of the pickle. */
        uint32_t length = (uint32_t)n - 8;
        memset(bytes, 'x', n);
        memcpy(bytes, "\x80\x02X", 3);
        for (size_t i = 0; i < 4; i++)
            bytes[3 + i] = (unsigned char)(length >> 8 * i);
        bytes[n - 1] = '.';
        nt_tensors *tensors;
        int status = nt_tensors_parse(&tensors, bytes, n, "long");
        assert_int_equal(status, n == MOST ? NT_E_UNSUPPORTED : NT_E_FORMAT);
        const char *phrase = n == MOST ? "did not write: it holds a str" : "longer than";
        if (!strstr(nt_error_message(), phrase)) fail_msg("%s", nt_error_message());
    }
    free(bytes);
}

/* A safetensors file whose header's length begins as a pickle does. */
static void a_header_of_640_bytes(void **state) {
    (void)state;
    unsigned char bytes[8 + 640];
    memset(bytes, ' ', sizeof bytes);
    memcpy(bytes, "\x80\x02\0\0\0\0\0\0{}", 10);
    nt_tensors *tensors;
    if (nt_tensors_parse(&tensors, bytes, sizeof bytes, "w") != NT_OK)
        fail_msg("%s", nt_error_message());
    assert_int_equal(nt_tensors_count(tensors), 0);
    nt_tensors_free(tensors);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(broken_files_are_refused),
        cmocka_unit_test(sound_files_are_read),
        cmocka_unit_test(cut_files_are_refused),
        cmocka_unit_test(every_failing_allocation),
        cmocka_unit_test(random_damage),
        cmocka_unit_test(pickles_that_want_all_memory),
        cmocka_unit_test(the_longest_pickle),
        cmocka_unit_test(a_header_of_640_bytes),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
