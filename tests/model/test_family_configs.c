/* config.json of the families beside GPT-2 (tools/oracle/family_configs.py): what transformers
 * makes of each, the frequencies of rotary positions to the bit, and what is refused in which
 * words. And cosines and sines against the C library's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "base/math.h"
#include "base/memory.h"
#include "folder.h"
#include "format/config.h"
#include "model/rotary.h"

CASES_OF("format/data/family_configs.json")

static void expect(const char *text, const json_t *fields, const char *key, double found) {
    const json_t *value = json_object_get(fields, key);
    double wanted = json_is_boolean(value) ? json_is_true(value) : json_number_value(value);
    assert_true(json_is_number(value) || json_is_boolean(value));
    if (wanted != found) fail_msg("%s: %s is %.17g instead of %.17g", text, key, found, wanted);
}

static void expect_frequencies(const char *text, const json_t *bits, const nt_config *config) {
    nt_arena arena = {0};
    const float *frequencies;
    assert_int_equal(nt_rotary_frequencies(&frequencies, config, &arena), NT_OK);
    size_t n = json_array_size(bits);
    if ((size_t)config->rope.n != n) fail_msg("%s: %d pairs, not %zu", text, config->rope.n, n);
    for (size_t i = 0; i < n; i++) {
        int32_t wanted = (int32_t)json_integer_value(json_array_get(bits, i)), found;
        memcpy(&found, &frequencies[i], sizeof found);
        /* torch's own power function is not exact: one unit of the last place */
        if (found - wanted > 1 || wanted - found > 1)
            fail_msg("%s: frequency %zu is %a, off by %d", text, i, (double)frequencies[i],
                     found - wanted);
    }
    nt_arena_free(&arena);
}

static void expect_all(const char *text, const json_t *fields, const nt_config *c) {
    expect(text, fields, "V", c->V);
    expect(text, fields, "T", c->T);
    expect(text, fields, "D", c->D);
    expect(text, fields, "L", c->L);
    expect(text, fields, "H", c->H);
    expect(text, fields, "F", c->F);
    expect(text, fields, "G", c->G);
    expect(text, fields, "E", c->E);
    expect(text, fields, "eps", c->eps);
    expect(text, fields, "rms", c->rms);
    expect(text, fields, "parallel", c->parallel);
    expect(text, fields, "attention_bias", c->attention_bias);
    expect(text, fields, "mlp_bias", c->mlp_bias);
    expect(text, fields, "tied", c->tied);
    expect(text, fields, "window", c->window);
    expect(text, fields, "bos", c->bos);
    expect(text, fields, "pad", c->pad);
    assert_string_equal(c->activation_name, text_of(fields, "activation"));
    const json_t *eos = json_object_get(fields, "eos"),
                 *layers = json_object_get(fields, "windowed");
    assert_int_equal(c->n_eos, json_array_size(eos));
    for (size_t i = 0; i < c->n_eos; i++)
        assert_int_equal(c->eos[i], json_integer_value(json_array_get(eos, i)));
    assert_int_equal(json_array_size(layers), c->L);
    for (size_t i = 0; i < (size_t)c->L; i++)
        assert_int_equal(c->windowed[i], json_is_true(json_array_get(layers, i)));
    expect_frequencies(text, json_object_get(fields, "frequencies"), c);
}

static void sound_configs_resolve_as_in_transformers(void **state) {
    (void)state;
    size_t i;
    json_t *one;
    json_array_foreach(json_object_get(cases, "good"), i, one) {
        nt_config config;
        const char *text = text_of(one, "text");
        if (nt_config_parse(&config, text, strlen(text), "some/config.json") != NT_OK)
            fail_msg("%s: %s", text, nt_error_message());
        expect_all(text, json_object_get(one, "fields"), &config);
    }
    assert_true(i >= 20);
}

static void broken_configs_are_refused(void **state) {
    (void)state;
    size_t i, k;
    json_t *one, *phrase;
    json_array_foreach(json_object_get(cases, "bad"), i, one) {
        nt_config config;
        const char *text = text_of(one, "text");
        int status = nt_config_parse(&config, text, strlen(text), "some/config.json");
        const char *message = nt_error_message();
        if (strcmp(nt_status_name(status), text_of(one, "status")) != 0)
            fail_msg("%s: %s: %s", text, nt_status_name(status), message);
        if (!strstr(message, "some/config.json") || strchr(message, '\n'))
            fail_msg("%s: %s", text, message);
        json_array_foreach(json_object_get(one, "phrases"), k, phrase) {
            if (!strstr(message, json_string_value(phrase)))
                fail_msg("%s: \"%s\" is not in: %s", text, json_string_value(phrase), message);
        }
        assert_int_equal(config.V, 0);
    }
    assert_true(i >= 45);
}

/* Over every size of angle that a context can bring. */
static void cosines_and_sines(void **state) {
    (void)state;
    double worst = 0, out[2];
    size_t rounded = 0, n = 0;
    for (double x = 0x1p-40; x <= 0x1p24; x = x * 1.00037 + 0x1p-41) {
        float angle = (float)x;
        for (int sign = -1; sign <= 1; sign += 2, n++) {
            nt_turn(out, sign * (double)angle);
            double c = cos(sign * (double)angle), s = sin(sign * (double)angle);
            worst = fmax(worst, fmax(fabs(out[0] - c), fabs(out[1] - s)));
            rounded += (float)out[0] != (float)c || (float)out[1] != (float)s;
        }
    }
    print_message("%zu angles, largest error %.2g, %zu round otherwise\n", n, worst, rounded);
    assert_true(n > 100000 && worst < 3e-16 && rounded == 0);
    nt_turn(out, 0);
    assert_true(out[0] == 1 && out[1] == 0);
    nt_turn(out, NAN);
    assert_true(out[0] != out[0] && out[1] != out[1]);
    nt_turn(out, INFINITY);
    assert_true(out[0] != out[0]);
}

/* A table that grows keeps what it had, and stays when memory ends. */
static void tables_grow(void **state) {
    (void)state;
    static const float frequencies[] = {1, 0.1f, 0.001f};
    nt_turns turns = {0}, all = {0};
    assert_int_equal(nt_turns_ready(&turns, frequencies, 3, 5), NT_OK);
    nt_memory_fail_at(1);
    assert_int_equal(nt_turns_ready(&turns, frequencies, 3, 1000), NT_E_MEMORY);
    nt_memory_fail_at(0);
    assert_true(turns.positions >= 5 && turns.positions < 1000);
    assert_int_equal(nt_turns_ready(&turns, frequencies, 3, 1000), NT_OK);
    assert_int_equal(nt_turns_ready(&all, frequencies, 3, 1000), NT_OK);
    assert_memory_equal(turns.table, all.table, 1000 * 6 * sizeof(float));
    for (size_t t = 0; t < 1000; t++)
        for (size_t i = 0; i < 3; i++) {
            float angle = (float)t * frequencies[i];
            assert_true(turns.table[t * 6 + i] == (float)cos((double)angle));
            assert_true(turns.table[t * 6 + 3 + i] == (float)sin((double)angle));
        }
    nt_turns_free(&turns);
    nt_turns_free(&all);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sound_configs_resolve_as_in_transformers),
        cmocka_unit_test(broken_configs_are_refused),
        cmocka_unit_test(cosines_and_sines),
        cmocka_unit_test(tables_grow),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
