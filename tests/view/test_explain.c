/* The views of an option: words, the next token with the arithmetic of what happened, two
 * generations side by side. */
#include <jansson.h>

#include "view/sample.h"

static nt_option_info top_p = {
    .name = "top_p",
    .type = "number",
    .default_value = "1",
    .range = "0 to 1",
    .help = "When drawing, leave only the likeliest tokens that together have this much.",
    .section = "drawing",
    .source = "transformers",
    .about = "The first paragraph of many words that do not fit a narrow line.\n\nThe second.",
    .example = "0.9"};

static nt_result *new_explain(const char *name, const char *value) {
    static nt_option_info info;
    nt_result *t = new_sample(NT_RESULT_EXPLAIN);
    info = top_p;
    info.name = name;
    t->option = &info;
    t->option_value = value;
    return t;
}

/* One id below the others: before, after (-inf: removed) and probabilities. */
static nt_result *one_change(const char *name, const char *value, float before, float after) {
    nt_result *t = new_explain(name, value);
    add_token(t, 44484, "Alice");
    nt_trace_step *step = add_step(t, 2);
    step->step.entropy = 2;
    step->step.kept = after == -INFINITY ? 50256 : 50257;
    step->candidates[0] = candidate(t, 1, 11, ",", 0.625);
    step->candidates[1] = candidate(t, 2, 13, ".", 0.25);
    nt_change *change = room(t, 1, sizeof *change);
    *change = (nt_change){name, before, after};
    step->candidates[1].changes = change;
    step->candidates[1].n_changes = 1;
    step->candidates[1].processed_prob = after == -INFINITY ? 0 : 0.2;
    return t;
}

static char *show(const nt_result *t, int width, bool color, bool ascii) {
    nt_view_options options = NT_VIEW_OPTIONS_INIT;
    nt_buffer out = {0};
    options.width = width;
    options.color = color;
    options.ascii = ascii;
    assert_int_equal(nt_view_table(&out, t, &options), NT_OK);
    char *text;
    size_t n;
    assert_int_equal(nt_buffer_take(&text, &n, &out), NT_OK);
    return text;
}

static void has(const char *text, const char *part) {
    if (!strstr(text, part)) fail_msg("no \"%s\" in\n%s", part, text);
}

static void has_not(const char *text, const char *part) {
    if (strstr(text, part)) fail_msg("\"%s\" in\n%s", part, text);
}

typedef struct change_case {
    const char *option, *value;
    float before, after;
    const char *says;
} change_case;

/* What is said is the arithmetic of the figures: worked out by hand. */
static void arithmetic(void **state) {
    (void)state;
    static const change_case cases[] = {
        {"repetition_penalty", "1.3", -31.4f, -40.82f, "-31.40 x 1.3 = -40.82"},
        {"repetition_penalty", "1.3", 2.6f, 2.0f, "2.60 / 1.3 = 2.00"},
        {"encoder_repetition_penalty", "2", -4, -2, "-4.00 / 2 = -2.00"},
        {"encoder_repetition_penalty", "2", 4, 8, "4.00 x 2 = 8.00"},
        {"temperature", "0.5", -3, -6, "-3.00 / 0.5 = -6.00"},
        {"temperature", "0.5", -3, -5, "-3.00 -> -5.00"}, /* something else was at work */
        {"presence_penalty", "0.5", 1, 0.5, "1.00 - 0.5 = 0.50"},
        {"sequence_bias", "[[[13],2.5]]", -1, 1.5, "-1.00 + 2.50 = 1.50"},
        {"guidance_scale", "1.5", -1.5, -2.25, "-1.50 -> -2.25"},
        {"renormalize_logits", "true", 10, -1, "10.00 - 11.00 = -1.00"},
        {"top_p", "0.6", 1, -INFINITY, "removed: 62.50 % before it"},
        {"top_k", "1", 1, -INFINITY, "removed: it is in place 2"},
        {"min_p", "0.5", 1, -INFINITY, "removed: below 0.5 x 62.50 %"},
        {"epsilon_cutoff", "0.3", 1, -INFINITY, "removed: below 30.00 %"},
        /* min(0.3, sqrt(0.3) exp(-2)) = 0.0741 */
        {"eta_cutoff", "0.3", 1, -INFINITY, "removed: below 7.41 %"},
        /* |-log 0.25 - 2| = 0.614 */
        {"typical_p", "0.3", 1, -INFINITY, "removed: 0.614 from the entropy"},
        {"no_repeat_ngram_size", "2", 1, -INFINITY, "removed: it would repeat what stands"},
        {"suppress_tokens", "[13]", 1, -INFINITY, "removed: it is suppressed"},
        {"min_length", "9", 1, -INFINITY, "removed: too early for EOS"},
        {"of_a_later_version", "9", 1, -INFINITY, "removed"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nt_result *t = one_change(cases[i].option, cases[i].value, cases[i].before, cases[i].after);
        char *text = show(t, 120, false, true);
        has(text, cases[i].says);
        nt_free(text);
        free_sample(t);
    }
}

static void words_alone(void **state) {
    (void)state;
    nt_result *t = new_explain("top_p", "0.9");
    t->model = t->precision = t->isa = NULL;
    t->milliseconds = 0;
    char *text = show(t, 40, false, true);
    assert_string_equal(text, "top_p | number | drawing |\n"
                              "from transformers\n"
                              "default: 1 | range: 0 to 1\n"
                              "\n"
                              "When drawing, leave only the likeliest\n"
                              "tokens that together have this much.\n"
                              "\n"
                              "The first paragraph of many words that\n"
                              "do not fit a narrow line.\n"
                              "\n"
                              "The second.\n"
                              "\n"
                              "for example: 0.9\n");
    nt_free(text);
    free_sample(t);
}

static nt_result *run_of(const char *method, const char *const *texts, size_t n) {
    nt_result *t = new_sample(NT_RESULT_GENERATE);
    nt_output *output = room(t, 1, sizeof *output);
    add_token(t, 44484, "Alice");
    t->method = method;
    t->effort.n_passes = n;
    char *text = room(t, 200, 1);
    for (size_t i = 0; i < n; i++) {
        nt_trace_step *step = add_step(t, 1);
        step->step.chosen = step->candidates[0] =
            candidate(t, 1, (int32_t)(100 + texts[i][1]), texts[i], 0.5);
        strcat(text, texts[i]);
    }
    int32_t *ids = room(t, n, sizeof *ids);
    *output = (nt_output){.ids = ids,
                          .n_ids = n,
                          .text = text,
                          .n_text = strlen(text),
                          .logprob = (double)n * log(0.5),
                          .finish_reason = "length",
                          .score = NAN,
                          .beam = -1};
    t->outputs = output;
    t->n_outputs = 1;
    return t;
}

static nt_result *two_runs(const char *const *with, size_t n) {
    static const char *const without[] = {" was", " a", " dog"};
    nt_result *t = new_explain("num_beams", "4");
    add_token(t, 44484, "Alice");
    t->inner[0] = run_of("greedy", without, 3);
    t->inner[1] = run_of("beam_search", with, n);
    t->n_inner = 2;
    return t;
}

static void free_runs(nt_result *t) {
    free_sample(t->inner[0]);
    free_sample(t->inner[1]);
    free_sample(t);
}

static const char *const other[] = {" was", " the", " dog", "\x1b[31m"};

static void side_by_side(void **state) {
    (void)state;
    nt_result *t = two_runs(other, 4);
    char *text = show(t, 100, false, true);
    has(text, "without num_beams | greedy | 3 passes\nAlice was a dog\n"
              "log-probability -2.079 | 3 new tokens | finish reason: length\n");
    has(text, "with num_beams 4 | beam_search | 4 passes\n");
    has(text, "   0  \" was\"    -0.693      \" was\"       -0.693\n");
    has(text, "   1  \" a\"      -0.693  !=  \" the\"       -0.693\n");
    has(text, "   2  \" dog\"    -0.693      \" dog\"       -0.693\n");
    has(text, "   3                    !=  \"\\x1b[31m\"   -0.693\n");
    has(text, "2 steps differ");
    nt_free(text);
    free_runs(t);
    static const char *const same[] = {" was", " a", " dog"};
    t = two_runs(same, 3);
    text = show(t, 100, false, false);
    has(text, "the same tokens");
    has_not(text, "\xE2\x89\xA0");
    nt_free(text);
    free_runs(t);
}

/* Lines keep to the width, and hold nothing that drives a terminal. */
static void keep_to_the_width(const nt_result *t) {
    for (int width = 20; width <= 140; width += 7) {
        char *text = show(t, width, false, true);
        size_t column = 0;
        for (const char *c = text; *c; c++) {
            column = *c == '\n' ? 0 : column + 1;
            if (column > (size_t)width) fail_msg("wider than %d:\n%s", width, text);
            if (*c != '\n' && (*c < 0x20 || *c > 0x7e)) fail_msg("byte %d in\n%s", *c, text);
        }
        nt_free(text);
        text = show(t, width, true, false);
        has_not(text, "\x1b[31m");
        nt_free(text);
    }
}

static void widths(void **state) {
    (void)state;
    nt_result *t = two_runs(other, 4);
    keep_to_the_width(t);
    free_runs(t);
    t = one_change("temperature", "0.5", -3, -6);
    keep_to_the_width(t);
    free_sample(t);
}

/* Rows of what was changed further down stand behind the first ones, and are not in the rest. */
static void further_down(void **state) {
    (void)state;
    nt_result *t = one_change("repetition_penalty", "2", -2, -4);
    t->rows = room(t, 1, sizeof *t->rows);
    t->n_rows = 1;
    t->rows[0].candidates = room(t, 1, sizeof *t->rows[0].candidates);
    t->rows[0].n_candidates = 1;
    t->rows[0].candidates[0] = candidate(t, 4321, 290, " and", 0.0625);
    char *text = show(t, 80, false, true);
    has(text, "4,321  \" and\"        6.25 %");
    has(text, "50,254 more   6.25 %");
    nt_free(text);
    free_sample(t);
}

static json_t *as_json(const nt_result *t) {
    nt_view_options options = NT_VIEW_OPTIONS_INIT;
    nt_buffer out = {0};
    json_error_t error;
    assert_int_equal(nt_view_json(&out, t, &options), NT_OK);
    json_t *json = json_loadb(out.data, out.n, JSON_REJECT_DUPLICATES, &error);
    if (!json) fail_msg("%s in %s", error.text, out.data);
    nt_buffer_free(&out);
    return json;
}

static void json_views(void **state) {
    (void)state;
    nt_result *t = new_explain("top_p", "0.9");
    json_t *json = as_json(t);
    json_t *option = json_object_get(json, "option");
    assert_int_equal(json_object_size(option), 9);
    assert_string_equal(json_string_value(json_object_get(option, "default")), "1");
    assert_string_equal(json_string_value(json_object_get(json, "value")), "0.9");
    assert_true(json_is_null(json_object_get(json, "drawn")));
    assert_null(json_object_get(json, "candidates"));
    json_decref(json);
    free_sample(t);

    t = one_change("top_p", "0.6", 1, -INFINITY);
    json = as_json(t);
    json_t *second = json_array_get(json_object_get(json, "candidates"), 1);
    assert_string_equal(json_string_value(json_object_get(json, "drawn")), "next");
    assert_int_equal(json_integer_value(json_object_get(json, "kept")), 50256);
    assert_int_equal(json_integer_value(json_object_get(second, "id")), 13);
    assert_int_equal(json_array_size(json_object_get(second, "changes")), 1);
    assert_int_equal(json_array_size(json_object_get(json, "further")), 0);
    json_decref(json);
    free_sample(t);

    t = two_runs(other, 4);
    json = as_json(t);
    assert_string_equal(json_string_value(json_object_get(json, "drawn")), "generate");
    json_t *with = json_object_get(json, "with");
    assert_string_equal(json_string_value(json_object_get(with, "method")), "beam_search");
    assert_int_equal(json_array_size(json_object_get(with, "sequences")), 1);
    assert_non_null(json_object_get(json, "without"));
    json_decref(json);
    free_runs(t);
}

static void no_csv(void **state) {
    (void)state;
    nt_view_options options = NT_VIEW_OPTIONS_INIT;
    nt_result *t = new_explain("top_p", "0.9");
    nt_buffer out = {0};
    options.format = NT_CSV;
    assert_int_equal(nt_view_csv(&out, t, &options), NT_E_UNSUPPORTED);
    nt_buffer_free(&out);
    free_sample(t);
}

static void fail_each(const nt_result *t, bool json) {
    nt_view_options options = NT_VIEW_OPTIONS_INIT;
    options.width = 60;
    int status = NT_E_MEMORY;
    for (size_t k = 1; status != NT_OK; k++) {
        nt_buffer out = {0};
        assert_int_equal(status, NT_E_MEMORY);
        assert_true(k < 5000);
        nt_memory_fail_at(k);
        status = json ? nt_view_json(&out, t, &options) : nt_view_table(&out, t, &options);
        nt_memory_fail_at(0);
        nt_buffer_free(&out);
    }
}

static void out_of_memory(void **state) {
    (void)state;
    nt_result *t = two_runs(other, 4), *u = one_change("top_p", "0.6", 1, -INFINITY);
    for (int json = 0; json < 2; json++) {
        fail_each(t, json);
        fail_each(u, json);
    }
    free_runs(t);
    free_sample(u);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arithmetic),   cmocka_unit_test(words_alone),
        cmocka_unit_test(side_by_side), cmocka_unit_test(widths),
        cmocka_unit_test(further_down), cmocka_unit_test(json_views),
        cmocka_unit_test(no_csv),       cmocka_unit_test(out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
