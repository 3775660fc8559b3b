/* Plans against what transformers' generate() makes of the same options before it decodes:
 * refusals, method, length, min_tokens_to_keep, and the processors in their order. plan_oracle.txt
 * is written by tools/oracle/plans.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"
#include "decode/process/processor.h"

enum { V = 40 };

static size_t n_cases, n_refused;

/* "method max_length keep names ..." as the script writes it. */
static void tell(char *out, size_t n_out, const nt_plan *plan) {
    nt_processors processors;
    static const char *const warpers[] = {"top_k",     "top_p",          "min_p",
                                          "typical_p", "epsilon_cutoff", "eta_cutoff"};
    assert_int_equal(nt_processors_begin(&processors, plan, V), NT_OK);
    size_t keep = 0, n;
    for (size_t i = 0; i < processors.n; i++)
        for (size_t k = 0; k < sizeof warpers / sizeof *warpers; k++)
            if (strcmp(processors.wanted[i]->name, warpers[k]) == 0) keep = plan->keep;
    n = (size_t)snprintf(out, n_out, "%s %zu %zu", nt_method_name(plan->method),
                         plan->n_prompt + plan->max_new, keep);
    for (size_t i = 0; i < processors.n; i++)
        n += (size_t)snprintf(out + n, n_out - n, " %s", processors.wanted[i]->name);
    assert_true(n < n_out);
    nt_processors_free(&processors);
}

static void check(const char *line, const nt_generate_options *options, const nt_plan_for *of,
                  const char *outcome) {
    char told[1024];
    nt_plan plan;
    int status = nt_plan_make(&plan, options, of);
    n_cases++;
    if (strcmp(outcome, "refused") == 0 || strcmp(outcome, "stricter") == 0) {
        if (status == NT_OK) fail_msg("not refused: %s", line);
        n_refused++;
        return;
    }
    if (status != NT_OK) fail_msg("%s: %s", line, nt_error_message());
    tell(told, sizeof told, &plan);
    if (strcmp(told, outcome) != 0) fail_msg("%s\nis here   %s", line, told);
}

static void one_case(char *line) {
    char whole[1024];
    nt_generate_options options = NT_GENERATE_OPTIONS_INIT;
    nt_plan_for of = {.V = V};
    snprintf(whole, sizeof whole, "%s", line);
    char *rest, *field = strtok_r(line, "\t", &rest), *after;
    of.n_prompt = strtoul(field, NULL, 10);
    of.context = strtoul(strtok_r(NULL, "\t", &rest), NULL, 10);
    for (field = strtok_r(NULL, "\t", &rest); (after = strtok_r(NULL, "\t", &rest));
         field = after) {
        char *value = strchr(field, '=');
        assert_non_null(value);
        *value++ = 0;
        size_t n = strlen(value);
        if (*value == '"') { /* a word: without its quotes */
            value[n - 1] = 0;
            value++;
        }
        if (nt_generate_options_set(&options, field, value) != NT_OK)
            fail_msg("%s: %s", whole, nt_error_message());
    }
    check(whole, &options, &of, field);
    nt_generate_options_clear(&options);
}

static void as_transformers(void **state) {
    (void)state;
    char *text, *rest;
    size_t n;
    if (nt_file_read(&text, &n, NT_SOURCE_DIR "/tests/decode/plan_oracle.txt", 1 << 20) != NT_OK)
        fail_msg("%s", nt_error_message());
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        one_case(line);
    nt_free(text);
    print_message("%zu cases, %zu refused\n", n_cases, n_refused);
    assert_true(n_cases > 900 && n_refused > 100 && n_refused < n_cases / 4);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(as_transformers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
