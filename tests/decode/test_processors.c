/* Logits processors against transformers (processors_oracle.txt, tools/oracle/processors.py: stage
 * by stage, in the order of transformers' own list), and what no oracle has: stages, limits, broken
 * rows, memory. Warpers alone are in test_warpers.c. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "decode/process/processor.h"
#include "decode/processor_case.h"

/* ---- Against transformers ---- */

static uint64_t checksum(const float *row, size_t V) {
    uint64_t sum = 0;
    for (size_t i = 0; i < V; i++) {
        uint32_t bits;
        float x = row[i] == 0 ? 0 : row[i];
        memcpy(&bits, &x, sizeof bits);
        sum += (x != x ? 0x7FC00000 : bits) * (2 * (uint64_t)i + 1);
    }
    return sum;
}

static double worst; /* of the allowance of 1e-5 */

static void check_near(double got, double wanted, double size, const char *what) {
    if (got == wanted) return;
    double off = fabs(got - wanted) / (1e-5 * (1 + size));
    if (!(off <= 1)) fail_msg("%s: %.9g, not %.9g", what, got, wanted);
    worst = off > worst ? off : worst;
}

/* text: REMOVED:SUM:ID:VALUE,ID:VALUE... */
static void check_near_stage(const float *row, size_t V, char *text, const char *what) {
    size_t removed = 0;
    double sum = 0, size = 0;
    for (size_t i = 0; i < V; i++) {
        removed += row[i] == -INFINITY;
        if (row[i] == -INFINITY) continue;
        sum += (double)row[i];
        size += fabs((double)row[i]);
    }
    assert_int_equal(removed, strtoul(text, &text, 10));
    check_near(sum, strtod(text + 1, &text), size, what);
    while (*text == ':' || *text == ',') {
        size_t id = strtoul(text + 1, &text, 10);
        double wanted = strtod(text + 1, &text);
        check_near((double)row[id], wanted, fabs(wanted), what);
    }
    assert_int_equal(*text, 0);
}

static void check_stages(const nt_processors *p, size_t V, char *expected, const char *line) {
    size_t i = 1;
    for (char *word = strtok(expected, " "); word; word = strtok(NULL, " "), i++) {
        char *mark = strpbrk(word, "=~"), kind = *mark;
        *mark++ = 0;
        if (i >= p->n_stages) fail_msg("%s: %s is missing", line, word);
        const nt_stage *stage = &p->stages[i];
        const char *name = stage->option ? stage->option : "log_softmax";
        if (strcmp(name, word) != 0) fail_msg("%s: %s, not %s", line, name, word);
        if (kind == '~')
            check_near_stage(stage->logits, V, mark, line);
        else if (checksum(stage->logits, V) != strtoull(mark, NULL, 16))
            fail_msg("%s: %s leaves another row", line, word);
    }
    assert_int_equal(p->n_stages, i);
}

static void check_case(oracle_case *c, char *expected, const char *line) {
    nt_processors p;
    int32_t *ids = calloc(c->n_ids, sizeof *ids), *others = calloc(c->n_ids, sizeof *ids);
    float *row = row_of(c->kind, c->V, c->row_seed);
    float *unguided = row_of("smooth", c->V, c->row_seed + 1);
    made_ids(ids, c->ids_seed, c->n_ids, c->below);
    made_ids(others, c->ids_seed + 1, c->n_ids, c->below);
    assert_int_equal(nt_processors_begin(&p, &c->plan, c->V), NT_OK);
    /* what an earlier run leaves behind does not count */
    assert_int_equal(nt_processors_run(&p, unguided, row, others, c->n_ids), NT_OK);
    assert_int_equal(nt_processors_run(&p, row, unguided, ids, c->n_ids), NT_OK);
    assert_true(p.stages[0].option == NULL && p.stages[0].logits == row);
    check_stages(&p, c->V, expected, line);
    nt_processors_free(&p);
    free(unguided);
    free(row);
    free(others);
    free(ids);
}

static FILE *fixture(void) {
    FILE *file = fopen(NT_SOURCE_DIR "/tests/decode/processors_oracle.txt", "r");
    assert_non_null(file);
    return file;
}

static void rows_as_transformers_leaves_them(void **state) {
    (void)state;
    FILE *file = fixture();
    static char line[8192], shown[8192];
    static oracle_case c;
    size_t n = 0;
    while (fgets(line, sizeof line, file)) {
        char *stages;
        assert_non_null(strchr(line, '\n'));
        memcpy(shown, line, sizeof line);
        shown[strcspn(shown, "|")] = 0;
        if (!read_case(&c, line, &stages)) continue;
        check_case(&c, stages, shown);
        n++;
    }
    fclose(file);
    print_message("%zu cases; log_softmax takes %.3f of its allowance\n", n, worst);
    assert_true(n > 500);
}

/* ---- Order and stages ---- */

static const int32_t one[] = {1};
static const nt_word bad[] = {{one, 1}};
static const nt_bias bias[] = {{one, 1, 2}};

static int add_half(void *payload, const int32_t *ids, size_t n_ids, float *logits, size_t V) {
    if (payload) *(size_t *)payload += n_ids + (size_t)ids[n_ids - 1];
    for (size_t i = 0; i < V; i += 3)
        logits[i] += 0.5f;
    return 0;
}

/* All but the warpers. */
static nt_plan everything(void) {
    nt_plan p = NT_PLAN_INIT;
    p.eos = p.suppress = p.begin_suppress = p.forced_eos = one;
    p.n_eos = p.n_suppress = p.n_begin_suppress = p.n_forced_eos = 1;
    p.guidance_scale = 2;
    p.sequence_bias = p.logit_bias = bias;
    p.n_sequence_bias = p.n_logit_bias = 1;
    p.encoder_repetition_penalty = p.repetition_penalty = 1.5;
    p.presence_penalty = p.frequency_penalty = 0.5;
    p.no_repeat_ngram_size = p.encoder_no_repeat_ngram_size = 2;
    p.bad_words = bad;
    p.n_bad_words = 1;
    p.min_length = p.min_new = 3;
    p.forced_bos = 1;
    p.remove_invalid_values = p.decays = p.renormalize_logits = true;
    p.decay_factor = 1.5;
    p.process = add_half;
    p.max_new = 9;
    return p;
}

static void the_order_is_that_of_transformers(void **state) {
    (void)state;
    FILE *file = fixture();
    static char line[8192];
    nt_processors p;
    nt_plan plan = everything();
    plan.sample = true;
    plan.temperature = plan.top_h = plan.top_p = plan.typical_p = 0.5;
    plan.min_p = plan.epsilon_cutoff = plan.eta_cutoff = 0.1;
    plan.top_k = 3;
    assert_int_equal(nt_processors_begin(&p, &plan, 9), NT_OK);
    while (fgets(line, sizeof line, file) && strncmp(line, "order ", 6) != 0)
        ;
    fclose(file);
    size_t n = 0;
    for (char *name = strtok(line + 6, " \n"); name; name = strtok(NULL, " \n"), n++) {
        assert_true(n < p.n);
        assert_string_equal(p.wanted[n]->name, name);
    }
    assert_int_equal(n, 28);
    assert_int_equal(p.n, n);
    nt_processors_free(&p);
    plan.sample = false; /* without draws no warpers: renormalize_logits stays the last */
    assert_int_equal(nt_processors_begin(&p, &plan, 9), NT_OK);
    assert_int_equal(p.n, 20);
    assert_string_equal(p.wanted[18]->name, "process");
    assert_string_equal(p.wanted[19]->name, "renormalize_logits");
    nt_processors_free(&p);
}

static void nothing_wanted_costs_nothing(void **state) {
    (void)state;
    const float row[] = {1, -INFINITY, 0.5f};
    const int32_t ids[] = {0, 1};
    nt_plan plan = NT_PLAN_INIT;
    nt_processors p;
    plan.decays = true; /* and what acts on eos ids is not wanted where there are none */
    plan.min_length = plan.min_new = 5;
    nt_memory_fail_at(SIZE_MAX);
    assert_int_equal(nt_processors_begin(&p, &plan, 3), NT_OK);
    assert_int_equal(nt_processors_run(&p, row, NULL, ids, 2), NT_OK);
    assert_int_equal(nt_memory_count(), 0);
    nt_memory_fail_at(0);
    assert_true(p.n_stages == 1 && nt_processed(&p) == row && !p.stages[0].option);
    nt_processors_free(&p);

    plan.method = NT_METHOD_BEAM_SEARCH;
    assert_int_equal(nt_processors_begin(&p, &plan, 3), NT_OK);
    assert_int_equal(nt_processors_run(&p, row, NULL, ids, 2), NT_OK);
    assert_true(p.n_stages == 2 && p.stages[0].logits == row && !p.stages[1].option);
    const float *log_softmax = nt_processed(&p);
    assert_true(fabsf(log_softmax[0] + 0.474076984f) < 1e-7f); /* -log(1 + exp(-0.5)) */
    assert_true(log_softmax[1] == -INFINITY && log_softmax[2] == log_softmax[0] - 0.5f);
    nt_processors_free(&p);
}

/* Every stage stands beside the others, also one that changed nothing, and the raw row is left. */
static void each_processor_has_its_stage(void **state) {
    (void)state;
    const float row[] = {-2, 4, 1, 0};
    const int32_t ids[] = {2, 0, 2, 3, 2};
    static const struct {
        const char *name;
        float after[4];
    } stages[] = {
        {"logit_bias", {-2, 6, 1, 0}},
        {"repetition_penalty", {-3, 6, 1 / 1.5f, 0}},
        {"frequency_penalty", {-3, 6, 1 / 1.5f - 1, -0.5f}},
        {"presence_penalty", {-3, 6, 1 / 1.5f - 1 - 0.25f, -0.75f}},
        {"begin_suppress_tokens", {-3, 6, 1 / 1.5f - 1 - 0.25f, -0.75f}},
        {"process", {-2.5f, 6, 1 / 1.5f - 1 - 0.25f, -0.25f}},
    };
    nt_plan plan = NT_PLAN_INIT;
    nt_processors p;
    size_t heard = 0;
    plan.n_prompt = 2;
    plan.logit_bias = bias;
    plan.repetition_penalty = 1.5;
    plan.frequency_penalty = 0.5;
    plan.presence_penalty = 0.25;
    plan.begin_suppress = one;
    plan.n_logit_bias = plan.n_begin_suppress = 1;
    plan.process = add_half;
    plan.payload = &heard;
    assert_int_equal(nt_processors_begin(&p, &plan, 4), NT_OK);
    assert_int_equal(nt_processors_run(&p, row, NULL, ids, 5), NT_OK);
    assert_int_equal(p.n_stages, 7);
    for (size_t i = 0; i < 6; i++) {
        assert_string_equal(p.stages[i + 1].option, stages[i].name);
        assert_memory_equal(p.stages[i + 1].logits, stages[i].after, sizeof row);
    }
    assert_true(p.stages[0].logits == row && row[1] == 4 && heard == 5 + 2);
    nt_processors_free(&p);
}

static int refuse(void *payload, const int32_t *ids, size_t n_ids, float *logits, size_t V) {
    (void)payload, (void)ids, (void)n_ids, (void)logits, (void)V;
    return 1;
}

static void a_callers_processor_may_stop(void **state) {
    (void)state;
    const float row[] = {1, 2};
    const int32_t ids[] = {0};
    nt_plan plan = NT_PLAN_INIT;
    nt_processors p;
    plan.process = refuse;
    assert_int_equal(nt_processors_begin(&p, &plan, 2), NT_OK);
    assert_int_equal(nt_processors_run(&p, row, NULL, ids, 1), NT_E_CANCELLED);
    assert_non_null(strstr(nt_error_message(), "processor"));
    nt_processors_free(&p);
}

/* ---- Limits ---- */

/* The sequence is no longer than it says, whatever stands before it. */
static void prefixes_longer_than_the_sequence(void **state) {
    (void)state;
    const int32_t ids[] = {3, 1, 2}, long_ids[] = {3, 1, 2, 0}, fits[] = {1, 2, 1};
    const nt_word words[] = {{long_ids, 4}, {fits, 3}};
    const nt_bias biases[] = {{long_ids, 4, 5}, {fits, 3, 7}, {fits, 3, 8}};
    const float row[4] = {0};
    nt_plan plan = NT_PLAN_INIT;
    nt_processors p;
    plan.sequence_bias = biases;
    plan.n_sequence_bias = 3;
    plan.bad_words = words;
    plan.n_bad_words = 2;
    assert_int_equal(nt_processors_begin(&p, &plan, 4), NT_OK);
    assert_int_equal(nt_processors_run(&p, row, NULL, ids + 1, 2), NT_OK);
    const float *biased = p.stages[1].logits, *out = p.stages[2].logits;
    assert_true(biased[0] == 0 && biased[1] == 8 && out[0] == 0 && out[1] == -INFINITY);
    assert_int_equal(nt_processors_run(&p, row, NULL, ids, 3), NT_OK);
    assert_true(p.stages[1].logits[0] == 5 && p.stages[2].logits[0] == -INFINITY);
    nt_processors_free(&p);
}

/* What the oracle cannot tell apart: min_new_tokens alone (transformers sets min_length with it),
 * and a word that is one of several eos ids. */
static void eos_is_held_back_and_spared(void **state) {
    (void)state;
    const int32_t eos[] = {0, 2}, ids[] = {1, 1, 1, 1, 1};
    const nt_word words[] = {{&eos[1], 1}, {ids, 1}};
    const float row[4] = {0};
    nt_plan plan = NT_PLAN_INIT;
    nt_processors p;
    plan.eos = eos;
    plan.bad_words = words;
    plan.n_eos = plan.n_bad_words = plan.min_new = 2;
    plan.n_prompt = 3;
    assert_int_equal(nt_processors_begin(&p, &plan, 4), NT_OK);
    for (size_t n = 3; n < 6; n++) {
        assert_int_equal(nt_processors_run(&p, row, NULL, ids, n), NT_OK);
        const float *words_out = p.stages[1].logits, *out = p.stages[2].logits;
        float held = n < 5 ? -INFINITY : 0;
        assert_true(words_out[2] == 0 && words_out[1] == -INFINITY && words_out[3] == 0);
        assert_true(out[0] == held && out[2] == held && out[1] == -INFINITY && out[3] == 0);
    }
    nt_processors_free(&p);
}

/* An id that both rows exclude stays out; transformers has NaN there. */
static void guidance_keeps_what_is_excluded_out(void **state) {
    (void)state;
    const float row[] = {1, -INFINITY, 2}, unguided[] = {0, -INFINITY, 0};
    const int32_t ids[] = {0};
    nt_plan plan = NT_PLAN_INIT;
    nt_processors p;
    plan.guidance_scale = 3;
    assert_int_equal(nt_processors_begin(&p, &plan, 3), NT_OK);
    assert_int_equal(nt_processors_run(&p, row, unguided, ids, 1), NT_OK);
    const float *out = nt_processed(&p);
    assert_true(out[1] == -INFINITY && fabsf(out[2] - out[0] - 3) < 1e-5f);
    nt_processors_free(&p);
}

/* By the definition, with everything in long double: three roundings, of the difference, of the log
 * and of the result. */
/* What a bias has made so large that adding to it changes nothing. */
static void log_softmax_of_huge_logits(void **state) {
    (void)state;
    static const float row[] = {1e30f, 2, 1e30f, -INFINITY, 1e30f};
    float out[5];
    nt_log_softmax(out, row, 5);
    for (size_t i = 0; i < 5; i += 2)
        assert_true(out[i] == (float)-log(3));
    assert_true(out[1] == -1e30f && out[3] == -INFINITY);
}

static void log_softmax_is_as_exact_as_stated(void **state) {
    (void)state;
    const char *const kinds[] = {"smooth", "ties", "holes", "peaked", "flat"};
    double used = 0;
    for (size_t k = 0; k < 5; k++) {
        for (size_t V = 1; V < 60000; V = V * 3 + 1) {
            float *row = row_of(kinds[k], V, V), max = -INFINITY, *out = calloc(V, sizeof *out);
            long double sum = 0;
            for (size_t i = 0; i < V; i++)
                max = row[i] > max ? row[i] : max;
            for (size_t i = 0; i < V; i++)
                sum += expl((long double)row[i] - max);
            nt_log_softmax(out, row, V);
            for (size_t i = 0; i < V; i++) {
                long double d = (long double)row[i] - max, exact = d - logl(sum);
                if (row[i] == -INFINITY) {
                    assert_true(out[i] == -INFINITY);
                    continue;
                }
                long double most = 0x1p-24L * (-d + logl(sum) - exact) * 1.001L;
                long double off = fabsl(out[i] - exact);
                if (off > most) fail_msg("%s %zu: %.9g, not %.9Lg", kinds[k], V, out[i], exact);
                if (most > 0 && off / most > used) used = (double)(off / most);
            }
            free(out);
            free(row);
        }
    }
    print_message("log_softmax takes %.3f of three roundings\n", used);
    assert_true(used > 0.1);
}

/* By definition: every window. */
static void ngrams_by_definition(bool *seen, const int32_t *ids, size_t n_ids, size_t n,
                                 size_t limit) {
    for (size_t begin = 0; n_ids >= n && begin + n <= limit; begin++)
        if (memcmp(ids + begin, ids + n_ids - (n - 1), (n - 1) * sizeof *ids) == 0)
            seen[ids[begin + n - 1]] = true;
}

static void ngrams_of_every_length(void **state) {
    (void)state;
    enum { V = 6, LONGEST = 40 };
    float row[V] = {0};
    size_t n_removed = 0;
    for (uint64_t seed = 0; seed < 400; seed++) {
        int32_t ids[LONGEST];
        size_t n_ids = 1 + seed % LONGEST, n_prompt = 1 + seed % 7 * n_ids / 7;
        made_ids(ids, seed, n_ids, seed % 3 ? 2 : V);
        if (seed % 5 == 0) /* periodic */
            for (size_t i = 3; i < n_ids; i++)
                ids[i] = ids[i - 3];
        for (size_t n = 1; n <= n_ids + 2; n++) {
            bool all[V] = {false}, prompt[V] = {false};
            nt_plan plan = NT_PLAN_INIT;
            nt_processors p;
            plan.n_prompt = n_prompt < n_ids ? n_prompt : n_ids;
            plan.no_repeat_ngram_size = plan.encoder_no_repeat_ngram_size = n;
            ngrams_by_definition(all, ids, n_ids, n, n_ids);
            ngrams_by_definition(prompt, ids, n_ids, n, plan.n_prompt);
            for (int alone = 0; alone < 2; alone++) {
                if (alone) plan.no_repeat_ngram_size = 0;
                assert_int_equal(nt_processors_begin(&p, &plan, V), NT_OK);
                assert_int_equal(nt_processors_run(&p, row, NULL, ids, n_ids), NT_OK);
                for (size_t i = 0; i < V; i++) {
                    bool removed = p.stages[1].logits[i] == -INFINITY;
                    assert_int_equal(removed, alone ? prompt[i] : all[i]);
                    n_removed += removed;
                }
                nt_processors_free(&p);
            }
        }
    }
    assert_true(n_removed > 1000);
}

/* Compared window by window these are 10^10 ids. */
static void long_ngrams_take_linear_time(void **state) {
    (void)state;
    enum { N = 200001, V = 3 };
    int32_t *ids = calloc(N, sizeof *ids);
    float row[V] = {0};
    nt_plan plan = NT_PLAN_INIT;
    nt_processors p;
    plan.no_repeat_ngram_size = N / 2;
    ids[0] = 2;
    assert_int_equal(nt_processors_begin(&p, &plan, V), NT_OK);
    assert_int_equal(nt_processors_run(&p, row, NULL, ids, N), NT_OK);
    const float *out = nt_processed(&p);
    assert_true(out[0] == -INFINITY && out[1] == 0 && out[2] == 0);
    nt_processors_free(&p);
    free(ids);
}

static void decay_ends_at_what_float_holds(void **state) {
    (void)state;
    const float row[] = {3, -3, 0, -INFINITY}, lowest[] = {-FLT_MAX, 0, 0, 0};
    const int32_t eos[] = {0, 1, 2, 3, 0};
    static int32_t ids[5000];
    nt_plan plan = NT_PLAN_INIT;
    nt_processors p;
    plan.eos = eos;
    plan.n_eos = 5;
    plan.decays = true;
    plan.decay_start = INT32_MIN;
    plan.decay_factor = 9;
    assert_int_equal(nt_processors_begin(&p, &plan, 4), NT_OK);
    assert_int_equal(nt_processors_run(&p, row, NULL, ids, 5000), NT_OK);
    const float *out = nt_processed(&p);
    assert_true(out[0] == FLT_MAX && out[1] == FLT_MAX && out[2] == 0 && out[3] == -INFINITY);
    plan.decay_factor = 0; /* the eos at 0: x - |x| */
    assert_int_equal(nt_processors_run(&p, row, NULL, ids, 5000), NT_OK);
    out = nt_processed(&p);
    assert_true(out[0] == 0 && out[1] == -6 && out[2] == 0 && out[3] == -INFINITY);
    assert_int_equal(nt_processors_run(&p, lowest, NULL, ids, 5000), NT_OK);
    assert_true(nt_processed(&p)[0] == -FLT_MAX);
    plan.decay_factor = -9;
    assert_int_equal(nt_processors_run(&p, row, NULL, ids, 5000), NT_OK);
    for (size_t i = 0; i < 3; i++)
        assert_true(isfinite(nt_processed(&p)[i]));
    nt_processors_free(&p);
}

/* Nothing crashes, hangs or reaches outside, whatever the row; only the raw row is promised. */
static void broken_rows(void **state) {
    (void)state;
    const float odd[] = {NAN, INFINITY, -INFINITY, FLT_MAX, -FLT_MAX, FLT_TRUE_MIN, -0.0f, 1e30f};
    enum { N = 8, V = 5 };
    const int32_t ids[] = {1, 4, 1, 0, 3, 1, 4, 5, INT32_MAX, -1}; /* of a larger embedding too */
    for (size_t at = 0; at < N * N * 4; at++) {
        float row[V], unguided[V], before[V];
        for (size_t i = 0; i < V; i++) {
            row[i] = odd[(i + at % N * (at / N / N)) % N];
            unguided[i] = odd[(i * (at / N % N)) % N];
        }
        memcpy(before, row, sizeof row);
        nt_plan plan = everything();
        nt_processors p;
        plan.method = at % 2 ? NT_METHOD_BEAM_SEARCH : NT_METHOD_GREEDY;
        plan.remove_invalid_values = at % 3;
        for (size_t n_ids = 1; n_ids <= 10; n_ids++) {
            assert_int_equal(nt_processors_begin(&p, &plan, V), NT_OK);
            assert_int_equal(nt_processors_run(&p, row, unguided, ids, n_ids), NT_OK);
            assert_int_equal(p.n_stages, p.n + 1 + at % 2);
            nt_processors_free(&p);
        }
        assert_memory_equal(row, before, sizeof row);
    }
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    static int32_t ids[100];
    const float row[] = {1, 2, 3}, unguided[] = {0, 1, 0};
    nt_plan plan = everything();
    size_t failed = 0;
    for (bool done = false; !done; failed++) {
        nt_processors p;
        nt_memory_fail_at(failed + 1);
        int status = nt_processors_begin(&p, &plan, 3);
        if (status == NT_OK) status = nt_processors_run(&p, row, unguided, ids, 100);
        nt_memory_fail_at(0);
        done = status == NT_OK;
        if (!done) assert_int_equal(status, NT_E_MEMORY);
        nt_processors_free(&p);
    }
    assert_int_equal(failed, 5); /* three of begin, one for the long sequence, and then none */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_as_transformers_leaves_them),
        cmocka_unit_test(the_order_is_that_of_transformers),
        cmocka_unit_test(nothing_wanted_costs_nothing),
        cmocka_unit_test(each_processor_has_its_stage),
        cmocka_unit_test(a_callers_processor_may_stop),
        cmocka_unit_test(prefixes_longer_than_the_sequence),
        cmocka_unit_test(eos_is_held_back_and_spared),
        cmocka_unit_test(guidance_keeps_what_is_excluded_out),
        cmocka_unit_test(log_softmax_is_as_exact_as_stated),
        cmocka_unit_test(log_softmax_of_huge_logits),
        cmocka_unit_test(ngrams_of_every_length),
        cmocka_unit_test(long_ngrams_take_linear_time),
        cmocka_unit_test(decay_ends_at_what_float_holds),
        cmocka_unit_test(broken_rows),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
