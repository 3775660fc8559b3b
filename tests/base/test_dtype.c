/* Stored widths to float32, against numpy and torch: every half, every bfloat16, doubles. */
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
        size_t size;
    } table[] = {{NT_F32, "F32", 4}, {NT_F16, "F16", 2}, {NT_BF16, "BF16", 2}, {NT_F64, "F64", 8}};
    assert_int_equal(sizeof table / sizeof *table, NT_N_DTYPES);
    for (size_t i = 0; i < NT_N_DTYPES; i++) {
        assert_string_equal(nt_dtype_name(table[i].dtype), table[i].name);
        assert_int_equal(nt_dtype_size(table[i].dtype), table[i].size);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_half),
        cmocka_unit_test(every_bfloat),
        cmocka_unit_test(doubles_are_rounded_to_nearest),
        cmocka_unit_test(arrays_at_odd_addresses),
        cmocka_unit_test(names_and_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
