/* Exact search on tables of logits, held against every continuation there is. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/math.h"
#include "decode/exact_run.h"
#include "decode/made_row.h"

enum { LONG = 5 }; /* tokens of the tables that are enumerated */

/* ---- Every continuation there is ------------------------------------------------------------- */

typedef struct whole {
    int32_t ids[LONG], places[LONG];
    size_t n;
    double sum;
    const char *reason;
} whole;

typedef struct every {
    const table_model *model;
    const nt_plan *plan;
    nt_processors processors;
    bool guided;
    whole *list; /* [n] in order */
    size_t n, capacity;
    double greedy;
} every;

/* A stop string ends in the newest token: by looking for it everywhere. */
static bool in_string(const nt_plan *plan, const int32_t *ids, size_t n) {
    char text[128] = "";
    size_t last = 0, length = 0;
    for (size_t i = 0; i < n; i++) {
        last = length;
        memcpy(text + length, word_list[ids[i]].bytes, word_list[ids[i]].n + 1);
        length += word_list[ids[i]].n;
    }
    for (size_t s = 0; s < plan->n_stop_strings; s++) {
        size_t width = strlen(plan->stop_strings[s]);
        for (size_t end = last + 1; end <= length; end++)
            if (end >= width && memcmp(text + end - width, plan->stop_strings[s], width) == 0)
                return true;
    }
    return false;
}

static const char *reason_of(const nt_plan *plan, const int32_t *ids, size_t n) {
    for (size_t i = 0; i < plan->n_eos; i++)
        if (plan->eos[i] == ids[n - 1]) return "stop";
    if (in_string(plan, ids, n)) return "stop_string";
    return n - plan->n_prompt >= plan->max_new ? "length" : NULL;
}

static const float *logits_after(const table_model *model, const int32_t *ids, size_t n) {
    return model->rows + table_row_of(ids, n, model->n_rows) * model->V;
}

/* The processed row behind ids [n], as a copy. */
static void row_after(float *row, every *e, const int32_t *ids, size_t n) {
    int32_t beside[3 + LONG];
    size_t n_new = n - e->plan->n_prompt, V = e->model->V;
    memcpy(beside, negative, sizeof negative);
    memcpy(beside + 3, ids + e->plan->n_prompt, n_new * sizeof *ids);
    const float *unguided = e->guided ? logits_after(e->model, beside, 3 + n_new) : NULL;
    const float *logits = logits_after(e->model, ids, n);
    assert_int_equal(nt_processors_run(&e->processors, logits, unguided, ids, n), NT_OK);
    memcpy(row, nt_processed(&e->processors), V * sizeof *row);
}

static int32_t place_in(const float *row, size_t V, size_t id) {
    int32_t place = 0;
    for (size_t i = 0; i < V; i++)
        place += row[i] > row[id] || (row[i] == row[id] && i < id);
    return place;
}

static void go_through(every *e, int32_t *ids, size_t n, whole *so_far) {
    float row[MOST];
    row_after(row, e, ids, n);
    size_t V = e->model->V;
    nt_softmax softmax = nt_softmax_of(row, V);
    if (!softmax.finite) return; /* nothing is left behind it */
    for (size_t id = 0; id < V; id++) {
        if (row[id] == -INFINITY) continue;
        whole next = *so_far;
        ids[n] = next.ids[next.n] = (int32_t)id;
        next.places[next.n++] = place_in(row, V, id);
        next.sum += fmin(0, nt_softmax_log(&softmax, row[id]));
        next.reason = reason_of(e->plan, ids, n + 1);
        if (!next.reason) {
            go_through(e, ids, n + 1, &next);
            continue;
        }
        if (e->n == e->capacity) {
            e->capacity = e->capacity ? 2 * e->capacity : 64;
            e->list = realloc(e->list, e->capacity * sizeof *e->list);
        }
        e->list[e->n++] = next;
    }
}

static int first_of(const void *left, const void *right) {
    const whole *a = left, *b = right;
    if (a->sum != b->sum) return a->sum > b->sum ? -1 : 1;
    if (a->n != b->n) return a->n < b->n ? -1 : 1;
    for (size_t i = 0; i < a->n; i++)
        if (a->places[i] != b->places[i]) return a->places[i] - b->places[i];
    return 0;
}

/* The likeliest id each time. */
static double greedy_sum(every *e) {
    int32_t ids[2 + LONG];
    memcpy(ids, prompt, sizeof prompt);
    double sum = 0;
    for (size_t n = 2;; n++) {
        float row[MOST];
        row_after(row, e, ids, n);
        nt_softmax softmax = nt_softmax_of(row, e->model->V);
        if (!softmax.finite) return -INFINITY;
        ids[n] = nt_argmax(row, e->model->V);
        sum += nt_softmax_log(&softmax, row[ids[n]]);
        if (reason_of(e->plan, ids, n + 1)) return sum;
    }
}

static void every_of(every *e, const run *r, const nt_plan *plan) {
    *e = (every){.model = &r->model, .plan = plan, .guided = r->guided};
    assert_int_equal(nt_processors_begin(&e->processors, plan, r->model.V), NT_OK);
    int32_t ids[2 + LONG];
    memcpy(ids, prompt, sizeof prompt);
    go_through(e, ids, 2, &(whole){0});
    e->greedy = greedy_sum(e);
    if (e->n) qsort(e->list, e->n, sizeof *e->list, first_of);
}

static void every_free(every *e) {
    nt_processors_free(&e->processors);
    free(e->list);
}

/* A beam search of its own: its best sum. Ended ones count where they are among the first n. */
static double beams_sum(every *e, size_t n_beams) {
    enum { WIDE = 64 };
    whole running[WIDE] = {0}, all[WIDE * MOST];
    size_t n_running = 1, wide = n_beams * (e->plan->n_eos ? 1 + e->plan->n_eos : 2);
    double best = -INFINITY;
    for (size_t depth = 0; n_running > 0; depth++) {
        size_t n = 0;
        for (size_t b = 0; b < n_running; b++) {
            int32_t ids[2 + LONG];
            float row[MOST];
            memcpy(ids, prompt, sizeof prompt);
            memcpy(ids + 2, running[b].ids, sizeof running[b].ids);
            row_after(row, e, ids, 2 + depth);
            nt_softmax softmax = nt_softmax_of(row, e->model->V);
            for (size_t place = 0; place < e->model->V && softmax.finite; place++) {
                for (size_t id = 0; id < e->model->V; id++) {
                    if ((size_t)place_in(row, e->model->V, id) != place) continue;
                    if (row[id] == -INFINITY) continue;
                    ids[2 + depth] = (int32_t)id;
                    all[n] = running[b];
                    all[n].ids[depth] = (int32_t)id;
                    all[n].sum += fmin(0, nt_softmax_log(&softmax, row[id]));
                    all[n].n = depth + 1;
                    all[n++].reason = reason_of(e->plan, ids, 3 + depth);
                }
            }
        }
        n_running = 0;
        bool taken[WIDE * MOST] = {false};
        for (size_t i = 0; i < n && i < wide && n_running < n_beams; i++) {
            size_t first = n;
            for (size_t j = 0; j < n; j++) /* of equals the first */
                if (!taken[j] && (first == n || all[j].sum > all[first].sum)) first = j;
            taken[first] = true;
            if (!all[first].reason)
                running[n_running++] = all[first];
            else if (i < n_beams)
                best = fmax(best, all[first].sum);
        }
    }
    return best;
}

/* ---- Against it ------------------------------------------------------------------------------ */

static void check_output(const nt_result *trace, size_t o, const whole *expected) {
    const nt_output *output = nt_result_output(trace, o);
    assert_int_equal(output->n_ids, expected->n);
    assert_memory_equal(output->ids, expected->ids, expected->n * sizeof *expected->ids);
    assert_true(output->score == expected->sum);
    assert_string_equal(output->finish_reason, expected->reason);
    const nt_beam *beam = nt_result_beam(trace, (size_t)output->beam);
    assert_int_equal(beam->fate, NT_FATE_OUTPUT);
    assert_true(beam->sum == output->score && beam->score == output->score);
    double logprob = 0;
    for (size_t n = output->n_ids; n-- > 0;) { /* from beam to beam up to the prompt */
        assert_int_equal(beam->index, n);
        assert_int_equal(beam->token.token.id, output->ids[n]);
        assert_int_equal(beam->place, expected->places[n]);
        logprob += beam->token.logprob;
        assert_true((beam->parent < 0) == (n == 0));
        if (n > 0) beam = nt_result_beam(trace, (size_t)beam->parent);
        if (n > 0) assert_int_equal(beam->fate, NT_FATE_RUNNING);
        if (n > 0) assert_true(beam->row > 0);
    }
    assert_true(fabs(logprob - output->logprob) < 1e-9);
}

static bool is_made(const nt_result *trace, const whole *one) {
    int64_t at = -1;
    for (size_t n = 0; n < one->n; n++) {
        int64_t parent = at;
        at = -2;
        for (size_t i = 0; i < nt_result_n_beams(trace) && at == -2; i++) {
            const nt_beam *beam = nt_result_beam(trace, i);
            if (beam->parent == parent && beam->token.token.id == one->ids[n]) at = (int64_t)i;
        }
        if (at == -2) return false;
    }
    return true;
}

/* The bound holds for all that was not made, also when proved. */
static void check_rest(const run *r, const every *e) {
    const nt_proof *proof = nt_result_proof(r->trace);
    for (size_t i = 0; i < e->n && i < 60; i++)
        if (!is_made(r->trace, &e->list[i])) assert_true(e->list[i].sum <= proof->bound + 1e-9);
}

/* What limits leave open is told truly: nothing that is not returned is likelier than it says. */
static void check_bound(const run *r, const every *e, const nt_plan *plan) {
    const nt_proof *proof = nt_result_proof(r->trace);
    size_t n = nt_result_n_outputs(r->trace), found = 0;
    double worst = n < plan->n_returned ? -INFINITY : nt_result_output(r->trace, n - 1)->score;
    if (plan->min_probability > 0) worst = log(plan->min_probability);
    for (size_t i = 0; i < e->n; i++) {
        const nt_output *output = found < n ? nt_result_output(r->trace, found) : NULL;
        if (output && output->n_ids == e->list[i].n &&
            memcmp(output->ids, e->list[i].ids, output->n_ids * sizeof *output->ids) == 0) {
            check_output(r->trace, found++, &e->list[i]);
            continue;
        }
        assert_true(e->list[i].sum <= fmax(proof->bound, worst) + 1e-9);
    }
    assert_int_equal(found, n); /* all of them exist, and stand in order */
    assert_true(proof->gap >= 0);
    if (proof->proved) {
        assert_true(proof->gap == 0 && !*proof->limit);
    } else {
        assert_true(*proof->limit);
        if (isinf(worst))
            assert_true(proof->gap == INFINITY);
        else
            assert_true(fabs(proof->gap - fmax(0, proof->bound - worst)) < 1e-9);
    }
}

static void check_rows(const nt_result *trace) {
    for (size_t i = 0; i < nt_result_n_rows(trace); i++) {
        const nt_step *row = nt_result_row(trace, i);
        assert_true((row->beam < 0) == (i == 0));
        if (row->beam < 0) continue;
        const nt_beam *beam = nt_result_beam(trace, (size_t)row->beam);
        assert_int_equal(beam->row, (int64_t)i);
        assert_int_equal(row->index, beam->index + 1);
    }
    size_t n_ids = 0;
    for (size_t o = 0; o < nt_result_n_outputs(trace); o++)
        n_ids += nt_result_output(trace, o)->n_ids;
    assert_int_equal(nt_result_n_steps(trace), n_ids);
}

static bool same(double a, double b) {
    return a == b || (isnan(a) && isnan(b));
}

static void check_same(const nt_result *a, const nt_result *b) {
    const nt_proof *p = nt_result_proof(a), *q = nt_result_proof(b);
    assert_true(p->proved == q->proved && same(p->gap, q->gap) && same(p->bound, q->bound));
    assert_true(same(p->greedy, q->greedy) && same(p->beams, q->beams));
    assert_string_equal(p->limit, q->limit);
    assert_int_equal(p->n_nodes, q->n_nodes);
    assert_int_equal(nt_result_n_outputs(a), nt_result_n_outputs(b));
    assert_int_equal(nt_result_n_rows(a), nt_result_n_rows(b));
    assert_int_equal(nt_result_n_beams(a), nt_result_n_beams(b));
    for (size_t i = 0; i < nt_result_n_beams(a); i++) {
        const nt_beam *x = nt_result_beam(a, i), *y = nt_result_beam(b, i);
        assert_true(x->parent == y->parent && x->token.token.id == y->token.token.id &&
                    x->sum == y->sum);
        assert_true(x->fate == y->fate && x->row == y->row && x->place == y->place);
    }
}

/* ---- Tables ---------------------------------------------------------------------------------- */

static uint64_t state_of_dice;
static size_t dice(size_t n) {
    state_of_dice = state_of_dice * 6364136223846793005u + 1442695040888963407u;
    return (size_t)(state_of_dice >> 33) % n;
}

/* A table of which all is drawn: shape, rows and options. */
typedef struct drawn {
    float rows[40 * MOST];
    int32_t eos[2];
    const char *strings[2];
    nt_plan plan;
    run r;
} drawn;

static void draw_table(drawn *d, uint64_t seed) {
    static const char *const kinds[] = {"smooth", "ties", "holes", "flat", "soft"};
    state_of_dice = seed * 2654435761u + 17;
    *d = (drawn){0};
    size_t V = 2 + dice(MOST - 1), n_rows = 1 + dice(40), n_eos = dice(3);
    for (size_t i = 0; i < n_rows; i++) {
        const char *kind = kinds[dice(5)];
        bool soft = strcmp(kind, "soft") == 0;
        made_row(d->rows + i * V, soft ? "smooth" : kind, V, seed * 100 + i);
        for (size_t j = 0; soft && j < V; j++)
            d->rows[i * V + j] /= 30;
    }
    d->r.model = (table_model){.rows = d->rows, .n_rows = n_rows, .V = V, .by_prefix = true};
    d->plan = plan_of(1 + dice(LONG), dice(3) ? 1 : 1 + dice(9));
    d->plan.n_beams = 1 + dice(5);
    if (n_eos > 0) d->eos[0] = (int32_t)dice(V);
    if (n_eos > 1) d->eos[1] = (int32_t)dice(V);
    d->plan.eos = d->eos;
    d->plan.n_eos = n_eos;
    d->strings[0] = "aba";
    d->strings[1] = "END";
    d->plan.stop_strings = d->strings;
    d->plan.n_stop_strings = dice(2) ? 2 : 0;
    if (dice(3) == 0) d->plan.repetition_penalty = 1.5;
    if (dice(4) == 0) d->plan.no_repeat_ngram_size = 2;
    bool holes = false; /* guidance makes NaN of them, as in transformers */
    for (size_t i = 0; i < n_rows * V; i++)
        holes |= d->rows[i] == -INFINITY;
    if (!holes && dice(2) == 0) {
        d->plan.guidance_scale = 1.5;
        d->r.guided = dice(2);
    }
}

/* guidance without a negative prompt begins from the prompt's last id */
static bool enumerable(const drawn *d) {
    return d->plan.guidance_scale == 1 || d->r.guided;
}

static void as_every_continuation(void **state) {
    (void)state;
    size_t n_missed = 0, n_proved = 0, n_several = 0;
    for (uint64_t seed = 0; seed < 400; seed++) {
        drawn d;
        every e;
        draw_table(&d, seed);
        if (!enumerable(&d)) continue;
        run_with(&d.r, &d.plan, NULL);
        every_of(&e, &d.r, &d.plan);
        if (e.n == 0) {
            assert_int_equal(d.r.status, NT_E_NUMERIC);
        } else {
            assert_int_equal(d.r.status, NT_OK);
            const nt_proof *proof = nt_result_proof(d.r.trace);
            size_t n = e.n < d.plan.n_returned ? e.n : d.plan.n_returned;
            assert_true(proof->proved && proof->gap == 0);
            assert_int_equal(nt_result_n_outputs(d.r.trace), n);
            for (size_t i = 0; i < n; i++)
                check_output(d.r.trace, i, &e.list[i]);
            check_bound(&d.r, &e, &d.plan);
            check_rows(d.r.trace);
            check_rest(&d.r, &e);
            assert_true(fabs(proof->greedy - e.greedy) < 1e-9 || proof->greedy == e.greedy);
            assert_int_equal(proof->n_beams, d.plan.n_beams > 1 ? d.plan.n_beams : 5);
            double beams = beams_sum(&e, proof->n_beams);
            assert_true(proof->beams == beams);
            assert_int_equal(proof->horizon, d.plan.max_new);
            n_missed += beams < e.list[0].sum;
            n_several += n > 1;
            n_proved++;
        }
        every_free(&e);
        run_free(&d.r);
    }
    assert_true(n_proved > 250 && n_several > 30);
    assert_true(n_missed > 5);
}

static void all_that_are_likely_enough(void **state) {
    (void)state;
    size_t n_many = 0, n_none = 0;
    for (uint64_t seed = 1000; seed < 1300; seed++) {
        drawn d;
        every e;
        draw_table(&d, seed);
        if (!enumerable(&d)) continue;
        every_of(&e, &d.r, &d.plan);
        if (e.n > 0) {
            /* the probability of one of them, which is to be among them, or more than any has */
            const whole *least = &e.list[dice(e.n < 900 ? e.n : 900)];
            bool none = dice(8) == 0 && e.list[0].sum < -0.1;
            d.plan.min_probability = exp(none ? e.list[0].sum + 0.05 : least->sum);
            size_t n = 0;
            while (n < e.n && e.list[n].sum >= log(d.plan.min_probability) - 1e-11)
                n++;
            run_with(&d.r, &d.plan, NULL);
            if (d.plan.min_probability > 0 && n <= NT_MAX_SEQUENCES) {
                assert_int_equal(d.r.status, NT_OK);
                assert_true(nt_result_proof(d.r.trace)->proved);
                assert_int_equal(nt_result_n_outputs(d.r.trace), n);
                for (size_t i = 0; i < n; i++)
                    check_output(d.r.trace, i, &e.list[i]);
                assert_int_equal(d.r.n_notes, 0);
                n_many += n > 20;
                n_none += n == 0;
            }
        }
        every_free(&e);
        run_free(&d.r);
    }
    assert_true(n_many > 30 && n_none > 10);
}

static void limits_tell_the_truth(void **state) {
    (void)state;
    size_t n_open = 0, n_late = 0;
    for (uint64_t seed = 2000; seed < 2200; seed++) {
        drawn d;
        every e;
        draw_table(&d, seed);
        if (!enumerable(&d)) continue;
        every_of(&e, &d.r, &d.plan);
        for (size_t nodes = 1; nodes < 60 && e.n > 0; nodes += 1 + nodes / 4) {
            run limited = {.model = d.r.model, .guided = d.r.guided};
            d.plan.max_nodes = nodes;
            d.plan.min_probability = seed % 3 == 0 ? exp(e.list[e.n / 2].sum) : 0;
            run_with(&limited, &d.plan, NULL);
            assert_int_equal(limited.status, NT_OK);
            check_bound(&limited, &e, &d.plan);
            check_rows(limited.trace);
            const nt_proof *proof = nt_result_proof(limited.trace);
            /* greedy decoding runs to its end; nothing else passes the limit */
            assert_true(proof->n_nodes <= (nodes > d.plan.max_new ? nodes : d.plan.max_new));
            n_open += !proof->proved;
            size_t n_unproved = 0;
            for (size_t i = 0; i < nt_result_n_beams(limited.trace); i++)
                n_unproved += nt_result_beam(limited.trace, i)->fate == NT_FATE_UNPROVED;
            if (proof->proved) assert_int_equal(n_unproved, 0);
            n_late += n_unproved > 0;
            run_free(&limited);
        }
        every_free(&e);
    }
    assert_true(n_open > 100 && n_late > 100);
}

static void room_changes_nothing(void **state) {
    (void)state;
    static const nt_exact_room rooms[] = {
        {1, 1, NT_EXACT_MOST}, {2, 2, NT_EXACT_MOST}, {3, 7, NT_EXACT_MOST}, {16, 16, 1 << 20}};
    for (uint64_t seed = 3000; seed < 3150; seed++) {
        drawn d;
        draw_table(&d, seed);
        d.plan.max_nodes = dice(2) ? 1000000 : 1 + dice(40);
        if (dice(3) == 0) d.plan.min_probability = 0.001;
        run_with(&d.r, &d.plan, NULL);
        for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++) {
            run other = {.model = d.r.model, .guided = d.r.guided};
            other.model.n_steps = other.model.n_tokens = other.model.most_live = 0;
            run_with(&other, &d.plan, &rooms[i]);
            assert_int_equal(other.status, d.r.status);
            if (d.r.status == NT_OK) check_same(other.trace, d.r.trace);
            size_t most =
                (1 + rooms[i].live + rooms[i].batch) * (d.plan.guidance_scale > 1 ? 2 : 1);
            assert_true(other.model.most_live <= most);
            run_free(&other);
        }
        run_free(&d.r);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_every_continuation),
        cmocka_unit_test(all_that_are_likely_enough),
        cmocka_unit_test(limits_tell_the_truth),
        cmocka_unit_test(room_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
