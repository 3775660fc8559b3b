/* The safetensors reader on whole files: the cases of tests/format/data/safetensors_cases.json
 * (made by tools/oracle/safetensors_cases.py), questions asked of sound files, failing memory,
 * and random damage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "format/reading.h"

CASES_OF("format/data/safetensors_cases.json")

static void broken_files_are_refused(void **state) {
    (void)state;
    assert_true(expect_broken(cases) >= 75);
}

static void sound_files_are_read(void **state) {
    (void)state;
    assert_true(expect_sound(cases) >= 12);
}

static void odd_types_are_placed_but_not_given(void **state) {
    (void)state;
    size_t i, n;
    json_t *one;
    json_array_foreach(json_object_get(cases, "odd_types"), i, one) {
        unsigned char *bytes = bytes_of(&n, one, "hex");
        nt_tensors *tensors;
        const nt_tensor *tensor;
        const char *type = text_of(one, "type");
        assert_int_equal(nt_tensors_parse(&tensors, bytes, n, "weights.safetensors"), NT_OK);
        assert_int_equal(nt_tensors_count(tensors), 1);
        assert_null(nt_tensors_find(tensors, "odd"));
        int64_t shape[] = {24};
        assert_int_equal(nt_tensors_get(&tensor, tensors, "odd", 1, shape), NT_E_UNSUPPORTED);
        assert_null(tensor);
        char phrase[64];
        snprintf(phrase, sizeof phrase, "odd in weights.safetensors is of type %s;", type);
        if (!strstr(nt_error_message(), phrase)) fail_msg("%s: %s", type, nt_error_message());
        nt_tensors_free(tensors);
        assert_int_equal(nt_tensors_parse(&tensors, bytes, n - 1, "w"), NT_E_FORMAT);
        free(bytes);
    }
    assert_int_equal(i, 18);
}

/* A file of one header and n zero bytes, for free. */
static unsigned char *file_of(size_t *n_file, const char *header, size_t n) {
    size_t n_header = strlen(header);
    *n_file = 8 + n_header + n;
    unsigned char *bytes = calloc(1, *n_file);
    assert_non_null(bytes);
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)((uint64_t)n_header >> 8 * i);
    memcpy(bytes + 8, header, n_header);
    return bytes;
}

static const char *const two =
    "{\"h.3.attn.c_attn.weight\":{\"dtype\":\"BF16\",\"shape\":[2,3],\"data_offsets\":[0,12]},"
    "\"nine\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,2],\"data_offsets\":[12,20]}}";

static void questions_tell_expected_and_found(void **state) {
    (void)state;
    size_t n;
    unsigned char *bytes = file_of(&n, two, 20);
    nt_tensors *tensors;
    const nt_tensor *tensor;
    const char *name = "h.3.attn.c_attn.weight";
    int64_t right[] = {2, 3}, turned[] = {3, 2}, flat[] = {6};
    assert_int_equal(nt_tensors_parse(&tensors, bytes, n, "some/model.safetensors"), NT_OK);
    assert_int_equal(nt_tensors_get(&tensor, tensors, name, 2, right), NT_OK);
    assert_string_equal(tensor->name, name);
    assert_string_equal(tensor->file, "some/model.safetensors");

    assert_int_equal(nt_tensors_get(&tensor, tensors, name, 2, turned), NT_E_FORMAT);
    assert_null(tensor);
    assert_string_equal(nt_error_message(), "h.3.attn.c_attn.weight: expected [3, 2], found BF16 "
                                            "[2, 3] in some/model.safetensors");
    assert_int_equal(nt_tensors_get(&tensor, tensors, name, 1, flat), NT_E_FORMAT);
    assert_non_null(strstr(nt_error_message(), "expected [6], found BF16 [2, 3]"));
    assert_int_equal(nt_tensors_get(&tensor, tensors, name, 0, NULL), NT_E_FORMAT);
    assert_non_null(strstr(nt_error_message(), "expected [], found BF16 [2, 3]"));
    assert_int_equal(nt_tensors_get(&tensor, tensors, "wte.weight", 2, right), NT_E_FORMAT);
    assert_string_equal(nt_error_message(), "wte.weight: expected [2, 3], found no tensor of this "
                                            "name in some/model.safetensors");
    assert_int_equal(nt_tensors_get(&tensor, tensors, "nine", 2, right), NT_E_UNSUPPORTED);
    assert_non_null(strstr(nt_error_message(), "has 9 dimensions; at most 8"));
    assert_null(nt_tensors_find(tensors, "nine"));
    assert_int_equal(nt_tensors_count(tensors), 1);
    nt_tensors_free(tensors);
    nt_tensors_free(NULL);
    free(bytes);
}

/* More tensors than any fixed table holds; each must be found. */
static void many_tensors_are_found(void **state) {
    (void)state;
    enum { N = 5000 };
    char *header = malloc(N * 80), name[32];
    assert_non_null(header);
    size_t at = 0, n;
    for (int i = 0; i < N; i++) {
        at +=
            (size_t)sprintf(header + at,
                            "%c\"h.%d.w\":{\"dtype\":\"F16\",\"shape\":[],\"data_offsets\":[%d,%d]"
                            "}",
                            i ? ',' : '{', i, 2 * i, 2 * i + 2);
    }
    strcpy(header + at, "}");
    unsigned char *bytes = file_of(&n, header, 2 * N);
    nt_tensors *tensors;
    assert_int_equal(nt_tensors_parse(&tensors, bytes, n, "big"), NT_OK);
    assert_int_equal(nt_tensors_count(tensors), N);
    const unsigned char *data = bytes + n - 2 * N;
    for (int i = 0; i < N; i++) {
        snprintf(name, sizeof name, "h.%d.w", i);
        const nt_tensor *tensor = nt_tensors_find(tensors, name);
        assert_non_null(tensor);
        assert_ptr_equal(tensor->data, data + 2 * i);
    }
    for (size_t i = 1; i < N; i++)
        assert_true(strcmp(nt_tensors_at(tensors, i - 1)->name, nt_tensors_at(tensors, i)->name) <
                    0);
    assert_null(nt_tensors_find(tensors, "h.5000.w"));
    nt_tensors_free(tensors);
    free(bytes);
    free(header);
}

/* The largest header that is read, and one byte more. */
static void header_ceiling(void **state) {
    (void)state;
    enum { MOST = 25000000 };
    char *header = malloc(MOST + 2);
    assert_non_null(header);
    for (size_t length = MOST; length <= MOST + 1; length++) {
        memset(header, ' ', length);
        header[length] = 0;
        memcpy(header, "{}", 2);
        size_t n;
        unsigned char *bytes = file_of(&n, header, 0);
        nt_tensors *tensors;
        int status = nt_tensors_parse(&tensors, bytes, n, "big");
        assert_int_equal(status, length == MOST ? NT_OK : NT_E_FORMAT);
        nt_tensors_free(tensors);
        free(bytes);
    }
    assert_non_null(strstr(nt_error_message(), "header of 25000001 bytes"));
    free(header);
}

/* A header that ends a few bytes behind the file's end; a file of nothing but a length. */
static void header_past_the_end(void **state) {
    (void)state;
    const char *header = "{}                ";
    for (size_t missing = 1; missing <= 16; missing++) {
        size_t n;
        unsigned char *bytes = file_of(&n, header, 0), *cut = malloc(n - missing);
        nt_tensors *tensors;
        assert_non_null(cut);
        memcpy(cut, bytes, n - missing);
        assert_int_equal(nt_tensors_parse(&tensors, cut, n - missing, "cut"), NT_E_FORMAT);
        assert_non_null(strstr(nt_error_message(), "its header needs bytes up to 26"));
        assert_null(tensors);
        assert_int_equal(nt_tensors_parse(&tensors, cut, 8, "short"), NT_E_FORMAT);
        free(bytes);
        free(cut);
    }
}

/* A large header of nothing but small objects is refused before it fills the memory; one of real
 * entries as short as can be is not, and brackets in names do not count. */
static void header_bombs(void **state) {
    (void)state;
    enum { N = 2000000 };
    char *header = malloc(N + 256);
    assert_non_null(header);
    for (size_t i = 0; i < N; i += 4)
        memcpy(header + i, "[[],", 5);
    memcpy(header, "{\"\":", 4);
    size_t n;
    nt_tensors *tensors;
    unsigned char *bytes = file_of(&n, header, 0);
    assert_int_equal(nt_tensors_parse(&tensors, bytes, n, "big"), NT_E_FORMAT);
    assert_non_null(strstr(nt_error_message(), "objects and arrays"));
    free(bytes);
    size_t at = 0;
    for (int i = 0; at < N; i++) {
        at += (size_t)sprintf(header + at,
                              "%c\"%x[\\\"[\":{\"dtype\":\"F4\",\"shape\":[0],"
                              "\"data_offsets\":[0,0]}",
                              i ? ',' : '{', (unsigned)i);
    }
    strcpy(header + at, "}");
    bytes = file_of(&n, header, 0);
    if (nt_tensors_parse(&tensors, bytes, n, "big") != NT_OK) fail_msg("%s", nt_error_message());
    nt_tensors_free(tensors);
    free(bytes);
    free(header);
}

static void every_failing_allocation(void **state) {
    (void)state;
    size_t n;
    unsigned char *bytes = file_of(&n, two, 20);
    nt_tensors *tensors = parse_through_failures(bytes, n, 3);
    const nt_tensor *tensor;
    int64_t shape[] = {7};
    nt_memory_fail_at(1);
    int status = nt_tensors_get(&tensor, tensors, "absent", 1, shape);
    nt_memory_fail_at(0);
    assert_int_equal(status, NT_E_MEMORY);
    nt_tensors_free(tensors);
    free(bytes);
}

static void random_damage(void **state) {
    (void)state;
    damage_sound_files(cases, 40000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(broken_files_are_refused),
        cmocka_unit_test(sound_files_are_read),
        cmocka_unit_test(odd_types_are_placed_but_not_given),
        cmocka_unit_test(questions_tell_expected_and_found),
        cmocka_unit_test(many_tensors_are_found),
        cmocka_unit_test(header_ceiling),
        cmocka_unit_test(header_past_the_end),
        cmocka_unit_test(header_bombs),
        cmocka_unit_test(every_failing_allocation),
        cmocka_unit_test(random_damage),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
