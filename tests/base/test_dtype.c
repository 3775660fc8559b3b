/* Stored widths to float32, against numpy and torch: every half, every bfloat16, doubles. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cases.h"
#include "base/dtype.h"

static uint32_t bits_of(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* The hash over the float32 bits of all 65,536 numbers of a 16-bit type. */
static void expect_all(nt_dtype dtype, const char *key) {
    json_t *cases = base_cases();
    uint64_t hash = FNV_START;
    for (uint32_t i = 0; i < 65536; i++) {
        uint16_t stored = (uint16_t)i;
        uint32_t bits = bits_of(nt_dtype_load(&stored, dtype, 0));
        hash = fnv(hash, &bits, sizeof bits);
    }
    char text[17];
    snprintf(text, sizeof text, "%016llx", (unsigned long long)hash);
    assert_string_equal(text, json_string_value(json_object_get(cases, key)));
    json_decref(cases);
}

static void every_half(void **state) {
    (void)state;
    expect_all(NT_F16, "half_fnv");
}

static void every_bfloat(void **state) {
    (void)state;
    expect_all(NT_BF16, "bfloat_fnv");
}

static void doubles_are_rounded_to_nearest(void **state) {
    (void)state;
    json_t *cases = base_cases(), *one;
    size_t i;
    json_array_foreach(json_object_get(cases, "doubles"), i, one) {
        uint64_t stored = strtoull(json_string_value(json_array_get(one, 0)), NULL, 16);
        uint32_t wanted = (uint32_t)strtoul(json_string_value(json_array_get(one, 1)), NULL, 16);
        assert_int_equal(bits_of(nt_dtype_load(&stored, NT_F64, 0)), wanted);
    }
    assert_true(i > 100);
    json_decref(cases);
}

/* tests/base/data/blocks.json: [type, bytes of a block, its numbers as float32], as llama.cpp's own
 * Python package reads them (tools/oracle/gguf_cases.py). */
static void blocks_hold_ggmls_numbers(void **state) {
    (void)state;
    json_error_t error;
    json_t *cases = json_load_file(NT_SOURCE_DIR "/tests/base/data/blocks.json", 0, &error), *one;
    size_t i;
    if (!cases) fail_msg("%s", error.text);
    json_array_foreach(json_object_get(cases, "read"), i, one) {
        const char *name = json_string_value(json_array_get(one, 0));
        int dtype = NT_Q8_0;
        while (strcmp(nt_dtype_name((nt_dtype)dtype), name) != 0)
            dtype++;
        size_t n_bytes, n_values, n = nt_dtype_block((nt_dtype)dtype);
        char *block = from_hex(&n_bytes, json_string_value(json_array_get(one, 1)));
        char *values = from_hex(&n_values, json_string_value(json_array_get(one, 2)));
        assert_int_equal(n_bytes, nt_dtype_size((nt_dtype)dtype));
        assert_int_equal(n_values, n * sizeof(float));
        for (size_t k = 0; k < n; k++) {
            float value = nt_dtype_load(block, (nt_dtype)dtype, k), wanted;
            memcpy(&wanted, values + k * sizeof wanted, sizeof wanted);
            assert_int_equal(bits_of(value), bits_of(wanted));
        }
        free(block);
        free(values);
    }
    assert_int_equal(i, 9);
    json_decref(cases);
}

/* The same file: [type, float32 values, their bytes], as the package writes them. */
static void stored_as_ggml_does(void **state) {
    (void)state;
    json_error_t error;
    json_t *cases = json_load_file(NT_SOURCE_DIR "/tests/base/data/blocks.json", 0, &error), *one;
    size_t i;
    if (!cases) fail_msg("%s", error.text);
    json_array_foreach(json_object_get(cases, "written"), i, one) {
        const char *name = json_string_value(json_array_get(one, 0));
        int dtype = NT_F32;
        while (strcmp(nt_dtype_name((nt_dtype)dtype), name) != 0)
            dtype++;
        size_t n_values, n_wanted;
        char *values = from_hex(&n_values, json_string_value(json_array_get(one, 1)));
        char *wanted = from_hex(&n_wanted, json_string_value(json_array_get(one, 2)));
        size_t n = n_values / sizeof(float);
        float *floats = malloc(n_values);
        unsigned char *bytes = malloc(n_wanted);
        assert_true(floats && bytes);
        memcpy(floats, values, n_values);
        assert_int_equal(nt_dtype_bytes((nt_dtype)dtype, n), n_wanted);
        bool fits = nt_dtype_store(bytes, (nt_dtype)dtype, floats, n);
        assert_memory_equal(bytes, wanted, n_wanted);
        bool infinite = false;
        for (size_t k = 0; k < n; k++)
            infinite = infinite || isinf(nt_dtype_load(bytes, (nt_dtype)dtype, k));
        assert_int_equal(fits, !infinite);
        free(values);
        free(wanted);
        free(floats);
        free(bytes);
    }
    assert_int_equal(i, 24);
    json_decref(cases);
}

/* Every half and every bfloat comes back as itself; what lies between two goes to the nearer one,
 * or to the even one of both. */
static void halves_round_to_nearest(void **state) {
    (void)state;
    for (uint32_t i = 0; i < 65536; i++) {
        for (int dtype = NT_F16; dtype <= NT_BF16; dtype++) {
            uint16_t stored = (uint16_t)i, again;
            float value = nt_dtype_load(&stored, (nt_dtype)dtype, 0);
            if (value != value) continue;
            assert_true(nt_dtype_store(&again, (nt_dtype)dtype, &value, 1));
            assert_int_equal(again, stored);
            uint16_t next = (uint16_t)(i + 1);
            float above = nt_dtype_load(&next, (nt_dtype)dtype, 0);
            if (!(above - above == 0) || !(value - value == 0) || (i & 0x7FFF) == 0x7FFF) continue;
            float middle = (float)(((double)value + (double)above) / 2);
            assert_true(nt_dtype_store(&again, (nt_dtype)dtype, &middle, 1));
            assert_int_equal(again, i % 2 ? next : stored);
        }
    }
}

static void what_does_not_fit(void **state) {
    (void)state;
    unsigned char out[NT_Q8_0_BYTES];
    const float large[] = {65519.0f, 65520.0f, -65520.0f, INFINITY, NAN};
    static const bool fits[] = {true, false, false, true, true};
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(nt_dtype_store(out, NT_F16, &large[i], 1), fits[i]);
    float block[32] = {0};
    block[5] = 127 * 65504.0f;
    assert_true(nt_dtype_store(out, NT_Q8_0, block, 32));
    block[5] = 127 * 65536.0f;
    assert_false(nt_dtype_store(out, NT_Q8_0, block, 32));
    block[5] = NAN;
    assert_false(nt_dtype_store(out, NT_Q8_0, block, 32));
    block[5] = 1e-42f;
    assert_true(nt_dtype_store(out, NT_Q8_0, block, 32));
    assert_true(nt_dtype_load(out, NT_Q8_0, 5) == 0);
}

static void arrays_at_odd_addresses(void **state) {
    (void)state;
    const float values[3] = {1.5f, -2.25f, 3e-41f};
    const double doubles[3] = {1.5, -2.25, 0.125};
    unsigned char bytes[32];
    memcpy(bytes + 1, values, sizeof values);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(bits_of(nt_dtype_load(bytes + 1, NT_F32, i)), bits_of(values[i]));
    memcpy(bytes + 3, doubles, sizeof doubles);
    for (size_t i = 0; i < 3; i++)
        assert_true(nt_dtype_load(bytes + 3, NT_F64, i) == (float)doubles[i]);
}

static void names_and_sizes(void **state) {
    (void)state;
    static const struct {
        nt_dtype dtype;
        const char *name;
        size_t block, size, alignment;
    } table[] = {{NT_F32, "F32", 1, 4, 4},      {NT_F16, "F16", 1, 2, 2},
                 {NT_BF16, "BF16", 1, 2, 2},    {NT_F64, "F64", 1, 8, 8},
                 {NT_Q8_0, "Q8_0", 32, 34, 1},  {NT_Q4_0, "Q4_0", 32, 18, 1},
                 {NT_Q6_K, "Q6_K", 256, 210, 1}};
    assert_int_equal(sizeof table / sizeof *table, NT_N_DTYPES);
    for (size_t i = 0; i < NT_N_DTYPES; i++) {
        assert_string_equal(nt_dtype_name(table[i].dtype), table[i].name);
        assert_int_equal(nt_dtype_size(table[i].dtype), table[i].size);
        assert_int_equal(nt_dtype_block(table[i].dtype), table[i].block);
        assert_int_equal(nt_dtype_bytes(table[i].dtype, 3 * table[i].block), 3 * table[i].size);
        assert_int_equal(nt_dtype_alignment(table[i].dtype), table[i].alignment);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_half),
        cmocka_unit_test(every_bfloat),
        cmocka_unit_test(doubles_are_rounded_to_nearest),
        cmocka_unit_test(blocks_hold_ggmls_numbers),
        cmocka_unit_test(stored_as_ggml_does),
        cmocka_unit_test(halves_round_to_nearest),
        cmocka_unit_test(what_does_not_fit),
        cmocka_unit_test(arrays_at_odd_addresses),
        cmocka_unit_test(names_and_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
