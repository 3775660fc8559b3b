/* Views of a bench, from a trace that is filled in by hand: what cannot be told is left out, names
 * are data, and nothing leaks when memory ends. */
#include <jansson.h>

#include "view/sample.h"
#include "view/shown.h"

static const json_t *line_of(const json_t *object, size_t i) {
    const json_t *line = json_array_get(json_object_get(object, "lines"), i);
    assert_non_null(line);
    return line;
}

static const char *text_of(const json_t *object, const char *name) {
    return json_string_value(json_object_get(object, name));
}

static double number_of(const json_t *object, const char *name) {
    const json_t *value = json_object_get(object, name);
    assert_true(json_is_number(value));
    return json_number_value(value);
}

static const double rounds[3][3] = {{20, 18, 22}, {8, 10, 12}, {1000, 1000, 1000}};

static void add(nt_result *t, nt_measured line, size_t values) {
    line.values = rounds[values];
    line.n_values = 3;
    assert_int_equal(nt_trace_add_measured(t, &line), NT_OK);
}

static nt_result *sample(void) {
    static const char *const notes[] = {"other processes took 50 % of all processors' time",
                                        "a </script> note"};
    static const nt_measured plain = {.limit = -1, .against = -1, .share = NAN, .ratio = NAN};
    nt_result *t;
    assert_int_equal(nt_trace_new(&t, NT_RESULT_BENCH, NULL), NT_OK);
    assert_int_equal(nt_trace_head(t, "build/demo/gpt2", "f32", "avx512"), NT_OK);
    nt_measured m = plain;
    m.job = NT_BENCH_LIMITS;
    m.name = "weights in place";
    m.unit = NT_UNIT_GIGABYTES;
    m.threads = 2;
    m.median = 20;
    m.low = 19;
    m.high = 21;
    m.spread = 0.1;
    add(t, m, 0);
    m = plain;
    m.job = NT_BENCH_DECODE;
    m.name = "on one thread";
    m.unit = NT_UNIT_TOKENS;
    m.threads = 1;
    m.n_sequences = 1;
    m.n_prompt = 64;
    m.n_new = 16;
    m.median = 10;
    m.spread = 0.2;
    m.limit = 0;
    m.share = 0.5;
    add(t, m, 1);
    m.job = NT_BENCH_BEAMS;
    m.name = "five beams";
    m.unit = NT_UNIT_STEPS;
    m.against = 1;
    m.ratio = 1.75;
    m.share = 1.25; /* a limit that was measured on a busy machine may be passed */
    add(t, m, 1);
    m = plain;
    m.job = NT_BENCH_MEMORY;
    m.name = "mapped files";
    m.unit = NT_UNIT_BYTES;
    m.median = 1 << 20;
    m.n_prompt = 64;
    add(t, m, 2);
    t->bench = nt_arena_alloc(&t->arena, 1, sizeof *t->bench);
    assert_non_null(t->bench);
    *t->bench = (nt_bench_info){.processor = "A Processor",
                                .n_processors = 4,
                                .threads = 2,
                                .storage = "Q8_0 + F32",
                                .n_weight_bytes = 1 << 21,
                                .seconds = 3,
                                .load = NAN,
                                .steal = NAN,
                                .others = 0.5,
                                .whole = true,
                                .notes = notes,
                                .n_notes = 2};
    return t;
}

static void json(void **state) {
    (void)state;
    json_error_t error;
    nt_result *t = sample();
    char *text = shown(t, nt_view_json, (nt_view_options)NT_VIEW_OPTIONS_INIT);
    json_t *found = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    if (!found) fail_msg("%s in %s", error.text, text);
    nt_free(text);
    free_sample(t);
    assert_string_equal(text_of(found, "storage"), "Q8_0 + F32");
    assert_true(json_is_null(json_object_get(found, "load_average")));
    assert_true(number_of(found, "other_processes_share") == 0.5);
    assert_int_equal(json_array_size(json_object_get(found, "notes")), 2);
    const json_t *limit = line_of(found, 0), *one = line_of(found, 1);
    const json_t *beams = line_of(found, 2);
    assert_string_equal(text_of(limit, "job"), "limits");
    assert_true(number_of(limit, "median_gigabytes_per_second") == 20);
    assert_true(
        json_number_value(json_array_get(json_object_get(limit, "gigabytes_per_second"), 1)) == 18);
    assert_true(json_is_null(json_object_get(limit, "share_of_limit")));
    assert_true(number_of(one, "limit") == 0 && number_of(one, "share_of_limit") == 0.5);
    assert_true(number_of(beams, "against") == 1 && number_of(beams, "ratio") == 1.75);
    assert_true(number_of(beams, "median_steps_per_second") == 10);
    json_decref(found);
}

static void csv(void **state) {
    (void)state;
    nt_view_options options = NT_VIEW_OPTIONS_INIT;
    options.format = NT_CSV;
    nt_result *t = sample();
    char *text = shown(t, nt_view_csv, options);
    has(text,
        "\n1,\"decode\",\"on one thread\",\"tokens_per_second\",10,0,0,0.2,3,1,1,64,16,0,0.5,,,"
        "\"f32\",\"avx512\",\"Q8_0 + F32\"\n");
    assert_int_equal(count(text, "\n"), 5);
    nt_free(text);
    free_sample(t);
}

static void table(void **state) {
    (void)state;
    nt_view_options options = NT_VIEW_OPTIONS_INIT;
    nt_result *t = sample();
    options.ascii = true;
    options.width = 120;
    char *text = shown(t, nt_view_table, options);
    has(text, "read weights in place");
    has(text, "on one thread, 64 + 16");
    has(text, "125 %");
    has(text, "1.75 steps");
    has(text, "1.0 MiB");
    has(text, "A Processor | 4 processors | 2 threads | others 50 %");
    has(text, "a </script> note");
    has_not(text, "load");
    has_not(text, "token |");
    nt_free(text);
    text = shown(t, nt_view_html, options);
    has(text, "SPEED");
    has(text, "a &lt;/script&gt; note");
    has_not(text, "</script> note");
    nt_free(text);
    free_sample(t);
}

/* A bar of one half is half as long as the column, whatever the others are. */
static void bars_are_shares(void **state) {
    (void)state;
    nt_view_options options = NT_VIEW_OPTIONS_INIT;
    nt_result *t = sample();
    options.ascii = true;
    options.width = 120;
    t->measured[2].share = 0.25;
    char *text = shown(t, nt_view_table, options);
    const char *half = strstr(text, "50 %"), *quarter = strstr(text, "25 %");
    assert_non_null(half);
    assert_non_null(quarter);
    size_t n = strspn(half + 5, "#="), m = strspn(quarter + 5, "#=");
    assert_true(m >= 1 && n >= 2 * m - 1 && n <= 2 * m + 1);
    nt_free(text);
    free_sample(t);
}

static void memory_ends(void **state) {
    (void)state;
    nt_view_options options = NT_VIEW_OPTIONS_INIT;
    nt_result *t = sample();
    size_t n = 0;
    n += sweep(t, nt_view_json, &options);
    n += sweep(t, nt_view_csv, &options);
    n += sweep(t, nt_view_table, &options);
    n += sweep(t, nt_view_html, &options);
    assert_true(n > 10);
    free_sample(t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json),        cmocka_unit_test(csv),
        cmocka_unit_test(table),       cmocka_unit_test(bars_are_shares),
        cmocka_unit_test(memory_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
