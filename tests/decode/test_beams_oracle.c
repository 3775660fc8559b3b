/* Beam search and beam sampling against transformers' generate() on the same tables of logits
 * (beams_oracle.json, by tools/oracle/beams.py). */
#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "decode/beam_run.h"
#include "set_option.h"

enum { MOST_PROMPT = 512, MOST_WORDS = 32 };

/* Scores are float32 sums of log-probabilities whose last bits differ from torch's. */
#define TOLERANCE 2e-6

static json_t *fixture;
static table_word words[MOST_WORDS];
static table_vocab vocab = {words, 0};
static double most_of_tolerance;

static int load(void **state) {
    (void)state;
    json_error_t error;
    fixture = json_load_file(NT_SOURCE_DIR "/tests/decode/beams_oracle.json", 0, &error);
    if (!fixture) {
        fprintf(stderr, "%s\n", error.text);
        return -1;
    }
    json_t *names = json_object_get(fixture, "words");
    vocab.n = json_array_size(names);
    for (size_t i = 0; i < vocab.n && i < MOST_WORDS; i++) {
        const char *word = json_string_value(json_array_get(names, i));
        words[i] = (table_word){word, strlen(word), false};
    }
    return 0;
}

static int unload(void **state) {
    (void)state;
    json_decref(fixture);
    return 0;
}

static int64_t integer(const json_t *list, size_t i) {
    return json_integer_value(json_array_get(list, i));
}

static float *rows_of(const json_t *rows, size_t *n_rows, size_t *V) {
    const char *kind = json_string_value(json_array_get(rows, 0));
    float factor = (float)json_number_value(json_array_get(rows, 4));
    *n_rows = (size_t)integer(rows, 1);
    *V = (size_t)integer(rows, 2);
    float *table = malloc(*n_rows * *V * sizeof *table);
    assert_non_null(table);
    for (size_t r = 0; r < *n_rows; r++)
        made_row(table + r * *V, kind, *V, (uint64_t)integer(rows, 3) + r);
    for (size_t i = 0; i < *n_rows * *V; i++)
        table[i] *= factor;
    return table;
}

/* A stop of the caller's; SumStops in beams.py. */
static int stops_by_sum(void *payload, const int32_t *ids, size_t n) {
    const int64_t *modulus = payload;
    return (ids[n - 1] + 2 * ids[n - 2]) % *modulus == 0;
}

/* The slot of a beam's parent, as beam_indices has it. */
static int64_t slot_before(const nt_result *trace, int64_t beam) {
    int64_t parent = trace->beams[beam].parent;
    return parent < 0 ? 0 : trace->beams[parent].slot;
}

static void compare(const nt_result *trace, const json_t *expected, size_t n_case) {
    if (trace->n_outputs != json_array_size(expected))
        fail_msg("case %zu: %zu outputs instead of %zu", n_case, trace->n_outputs,
                 json_array_size(expected));
    for (size_t o = 0; o < trace->n_outputs; o++) {
        const nt_output *output = &trace->outputs[o];
        const json_t *one = json_array_get(expected, o), *ids = json_object_get(one, "ids");
        const json_t *slots = json_object_get(one, "beams");
        double score = json_number_value(json_object_get(one, "score"));
        if (output->n_ids != json_array_size(ids))
            fail_msg("case %zu: output %zu has %zu ids", n_case, o, output->n_ids);
        int64_t beam = output->beam;
        for (size_t i = output->n_ids; i-- > 0; beam = trace->beams[beam].parent) {
            if (output->ids[i] != integer(ids, i))
                fail_msg("case %zu: output %zu: id %zu is %d", n_case, o, i, (int)output->ids[i]);
            if (slot_before(trace, beam) != integer(slots, i))
                fail_msg("case %zu: output %zu: beam %zu is another", n_case, o, i);
        }
        double off = fabs(output->score - score) / (TOLERANCE * fmax(1, fabs(score)));
        if (!(off <= 1))
            fail_msg("case %zu: output %zu: %.9g for %.9g", n_case, o, output->score, score);
        most_of_tolerance = fmax(most_of_tolerance, off);
    }
}

/* Returns whether its figures could be compared. */
static bool check_case(const json_t *entry, size_t n_case) {
    nt_generate_options options = NT_GENERATE_OPTIONS_INIT;
    const char *name;
    json_t *value;
    json_object_foreach(json_object_get(entry, "options"), name, value)
        set_option(&options, name, value);
    const json_t *seed = json_object_get(entry, "seed"), *stop = json_object_get(entry, "stop_sum");
    const json_t *given = json_object_get(entry, "prompt");
    int64_t modulus = json_integer_value(stop);
    if (seed) {
        set_option(&options, "seed", seed);
        options.rng = NT_RNG_TORCH;
    }
    if (stop) {
        options.stop = stops_by_sum;
        options.payload = &modulus;
    }
    int32_t ids[MOST_PROMPT];
    size_t n_prompt = json_array_size(given);
    assert_true(n_prompt <= MOST_PROMPT);
    for (size_t i = 0; i < n_prompt; i++)
        ids[i] = (int32_t)integer(given, i);
    beam_run r = {.model.by_prefix = true, .words = options.stop_strings ? &vocab : NULL};
    float *rows = rows_of(json_object_get(entry, "rows"), &r.model.n_rows, &r.model.V);
    r.model.rows = rows;
    nt_plan plan;
    nt_plan_for of = {.n_prompt = n_prompt, .context = 4096, .V = r.model.V};
    if (nt_plan_make(&plan, &options, &of) != NT_OK)
        fail_msg("case %zu: %s", n_case, nt_error_message());
    run_beams(&r, &plan, ids);
    if (r.status != NT_OK) fail_msg("case %zu: %s", n_case, nt_error_message());
    check_beams(&r, &plan);
    bool marked = json_object_get(entry, "marked") != NULL;
    if (!marked) compare(r.trace, json_object_get(entry, "outputs"), n_case);
    free_beams(&r);
    free(rows);
    nt_generate_options_clear(&options);
    return !marked;
}

static void all_cases(void **state) {
    (void)state;
    const json_t *cases = json_object_get(fixture, "cases");
    size_t n = json_array_size(cases), n_compared = 0;
    for (size_t i = 0; i < n; i++)
        n_compared += check_case(json_array_get(cases, i), i);
    print_message("%zu of %zu cases compared, %.2f of the tolerance used\n", n_compared, n,
                  most_of_tolerance);
    assert_true(n_compared >= 400);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_cases)};
    return cmocka_run_group_tests(tests, load, unload);
}
