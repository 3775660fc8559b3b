/* Exact search on tables of logits, held against every continuation there is. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/math.h"
#include "base/memory.h"
#include "decode/made_row.h"
#include "decode/search/exact.h"
#include "decode/table_stepper.h"
#include "decode/table_vocab.h"

enum { MOST = 8, LONG = 5 }; /* words and tokens of the tables that are enumerated */

static const table_word word_list[MOST] = {{"a", 1, false},  {"b", 1, false}, {"ab", 2, false},
                                           {"EN", 2, false}, {"D", 1, false}, {"<eos>", 5, true},
                                           {"c", 1, false},  {"d", 1, false}};
static const int32_t prompt[] = {0, 1};
static const int32_t negative[] = {0, 0, 0};

/* ---- Runs ------------------------------------------------------------------------------------ */

typedef struct run {
    nt_result *trace;
    int status;
    table_model model;
    nt_callbacks callbacks;
    size_t n_cancel, cancel_at, n_notes, n_progress;
    bool guided; /* with the negative prompt */
} run;

static int hear_cancel(void *payload) {
    run *r = payload;
    return ++r->n_cancel == r->cancel_at;
}

static void hear_note(void *payload, const char *line) {
    run *r = payload;
    assert_non_null(strstr(line, "more than 1024"));
    r->n_notes++;
}

static void hear_progress(void *payload, const char *what, uint64_t done, uint64_t total) {
    run *r = payload;
    (void)total;
    assert_string_equal(what, "nodes");
    assert_true(done > 0);
    r->n_progress++;
}

/* What nt_decode_run does, with the room given. */
static int search_in(nt_result *trace, const nt_decoding *with, const nt_exact_room *room) {
    nt_search s = {.trace = trace, .with = with, .plan = with->plan, .V = with->stepper->V};
    nt_tracks_begin(&s.tracks, with, &trace->effort);
    int status = nt_writing_begin(&s.writing, &trace->vocab, with->detokenizer, with->plan, NULL,
                                  with->prompt, with->plan->n_prompt);
    nt_ends_begin(&s.ends, with->plan, &s.writing);
    if (status == NT_OK) status = nt_search_exact_in(&s, room);
    nt_writing_free(&s.writing);
    nt_tracks_free(&s.tracks);
    return status;
}

static void run_with(run *r, const nt_plan *plan, const nt_exact_room *room) {
    nt_stepper stepper = table_stepper(&r->model, 1024);
    table_vocab words = {word_list, MOST};
    nt_vocab vocab = vocab_of(&words);
    size_t n_open = 0;
    table_texts texts = {&words, &n_open};
    nt_detokenizer detokenizer = detokenizer_of(&texts);
    bool has_words = r->model.V <= MOST;
    r->callbacks = (nt_callbacks){.size = sizeof(nt_callbacks),
                                  .payload = r,
                                  .cancel = hear_cancel,
                                  .progress = hear_progress,
                                  .note = hear_note};
    nt_decoding with = {.plan = plan,
                        .stepper = &stepper,
                        .detokenizer = has_words ? &detokenizer : NULL,
                        .prompt = prompt,
                        .negative = r->guided ? negative : NULL,
                        .n_negative = r->guided ? 3 : 0,
                        .callbacks = &r->callbacks};
    r->status = nt_trace_new(&r->trace, NT_RESULT_GENERATE, has_words ? &vocab : NULL);
    if (r->status == NT_OK)
        r->status = room ? search_in(r->trace, &with, room) : nt_decode_run(r->trace, &with);
    assert_int_equal(n_open, 0);
    assert_int_equal(r->model.n_live, 0); /* sequences are dropped on every path */
}

static void run_free(run *r) {
    nt_result_free(r->trace);
    *r = (run){0};
}

static nt_plan plan_of(size_t max_new, size_t n_returned) {
    nt_plan plan = NT_PLAN_INIT;
    plan.method = NT_METHOD_EXACT;
    plan.n_prompt = sizeof prompt / sizeof *prompt;
    plan.max_new = max_new;
    plan.n_returned = n_returned;
    plan.max_nodes = 1000000;
    return plan;
}

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
        next.sum += fmin(0, (double)row[id] - softmax.logsum);
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
        sum += (double)row[ids[n]] - softmax.logsum;
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
                    all[n].sum += fmin(0, (double)row[id] - softmax.logsum);
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
    if (dice(4) == 0) {
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
        every_of(&e, &d.r, &d.plan);
        for (size_t nodes = 1; nodes < 60 && enumerable(&d) && e.n > 0; nodes += 1 + nodes / 4) {
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

/* ---- Tables made for one thing --------------------------------------------------------------- */

/* Seven ways to begin; the least likely is followed by certainty, all others by a coin. */
static void beam_search_misses_it(void **state) {
    (void)state;
    enum { V = 7 };
    float rows[V * V];
    for (size_t i = 0; i < V; i++)
        for (size_t j = 0; j < V; j++)
            rows[i * V + j] = i == 6 ? (j == 3 ? 0 : -INFINITY) : (j < 4 ? 0 : -INFINITY);
    for (size_t j = 0; j < V; j++) /* behind the prompt's last id */
        rows[1 * V + j] = (float)log(j == 1 ? 1e-9 : j == 6 ? 0.1 : 0.18);
    run r = {.model = {.rows = rows, .n_rows = V, .V = V, .by_id = true}};
    nt_plan plan = plan_of(3, 1);
    run_with(&r, &plan, NULL);
    assert_int_equal(r.status, NT_OK);
    const nt_proof *proof = nt_result_proof(r.trace);
    const nt_output *best = nt_result_output(r.trace, 0);
    assert_true(proof->proved);
    const int32_t expected[] = {6, 3, 0};
    assert_memory_equal(best->ids, expected, sizeof expected);
    assert_string_equal(best->text, "cENa");
    assert_true(fabs(best->score - log(0.1 / 4)) < 1e-6);
    assert_true(fabs(proof->beams - log(0.18 / 16)) < 1e-6); /* five beams never saw it */
    assert_true(fabs(proof->greedy - log(0.18 / 16)) < 1e-6);
    assert_string_equal(nt_result_method(r.trace, NULL), "exact");
    run_free(&r);
    plan.n_beams = 6;
    r.model = (table_model){.rows = rows, .n_rows = V, .V = V, .by_id = true};
    run_with(&r, &plan, NULL);
    assert_true(fabs(nt_result_proof(r.trace)->beams - log(0.1 / 4)) < 1e-6);
    run_free(&r);
}

static void one_word(void **state) {
    (void)state;
    const float row[] = {3};
    run r = {.model = {.rows = row, .n_rows = 1, .V = 1}};
    nt_plan plan = plan_of(5, 3);
    run_with(&r, &plan, NULL);
    assert_int_equal(r.status, NT_OK);
    assert_int_equal(nt_result_n_outputs(r.trace), 1);
    assert_int_equal(nt_result_output(r.trace, 0)->n_ids, 5);
    assert_true(nt_result_output(r.trace, 0)->score == 0);
    const nt_proof *proof = nt_result_proof(r.trace);
    assert_true(proof->proved && proof->gap == 0 && proof->bound == -INFINITY);
    assert_true(proof->greedy == 0 && proof->beams == 0);
    assert_int_equal(proof->n_nodes, 5);
    run_free(&r);
}

/* Everything is an end. */
static void ends_everywhere(void **state) {
    (void)state;
    const float row[] = {0, 1, 2, 2};
    const int32_t eos[] = {0, 1, 2, 3};
    run r = {.model = {.rows = row, .n_rows = 1, .V = 4}};
    nt_plan plan = plan_of(5, 9);
    plan.eos = eos;
    plan.n_eos = 4;
    run_with(&r, &plan, NULL);
    const int32_t expected[] = {2, 3, 1, 0}; /* of equals the lower id */
    assert_int_equal(nt_result_n_outputs(r.trace), 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(nt_result_output(r.trace, i)->ids[0], expected[i]);
        assert_string_equal(nt_result_output(r.trace, i)->finish_reason, "stop");
    }
    assert_true(nt_result_proof(r.trace)->proved);
    assert_int_equal(nt_result_proof(r.trace)->n_nodes, 1);
    run_free(&r);
}

/* 300 equal ways to begin, and the last of them is the one: rows are looked at again. */
static void the_last_of_many_equals(void **state) {
    (void)state;
    enum { V = 400, WAYS = 300, BEGIN = 1 };
    float *rows = calloc(V * V, sizeof *rows);
    for (size_t j = 0; j < V; j++) {
        rows[BEGIN * V + j] = j >= 50 && j < 50 + WAYS ? 0 : -INFINITY;
        rows[(50 + WAYS - 1) * V + j] = j == 7 ? 0 : -40;
    }
    run r = {.model = {.rows = rows, .n_rows = V, .V = V, .by_id = true}};
    nt_plan plan = plan_of(2, 1);
    run_with(&r, &plan, NULL);
    assert_int_equal(r.status, NT_OK);
    const int32_t expected[] = {50 + WAYS - 1, 7};
    assert_memory_equal(nt_result_output(r.trace, 0)->ids, expected, sizeof expected);
    const nt_proof *proof = nt_result_proof(r.trace);
    assert_true(proof->proved);
    assert_int_equal(proof->n_nodes, 1 + WAYS);
    assert_int_equal(nt_result_n_rows(r.trace), 1 + WAYS); /* each once, however often looked at */
    assert_true(r.model.n_steps < 40);                     /* many at once */
    run_free(&r);
    free(rows);
}

enum { LARGE = 50257 };

/* Nothing to go by: it ends at the limit, with little in memory, and says how much is open. */
static void a_flat_vocabulary(void **state) {
    (void)state;
    float *rows = calloc(LARGE, sizeof *rows);
    run r = {.model = {.rows = rows, .n_rows = 1, .V = LARGE}};
    nt_plan plan = plan_of(4, 1);
    plan.max_nodes = 120;
    run_with(&r, &plan, NULL);
    assert_int_equal(r.status, NT_OK);
    const nt_proof *proof = nt_result_proof(r.trace);
    double step = log(LARGE);
    assert_false(proof->proved);
    assert_string_equal(proof->limit, "max_nodes");
    assert_int_equal(proof->n_nodes, 120);
    assert_true(fabs(proof->bound + step) < 1e-6);
    assert_true(fabs(proof->gap - 3 * step) < 1e-6);
    assert_true(fabs(nt_result_output(r.trace, 0)->score + 4 * step) < 1e-6);
    assert_true(nt_result_n_beams(r.trace) <= 120 * 2 * NT_EXACT_FIRST);
    assert_true(r.model.most_live <= 1 + NT_EXACT_LIVE + NT_EXACT_BATCH);
    run_free(&r);

    plan.max_nodes = 1000000; /* and where memory is short */
    r.model = (table_model){.rows = rows, .n_rows = 1, .V = LARGE};
    run_with(&r, &plan, &(nt_exact_room){NT_EXACT_BATCH, NT_EXACT_LIVE, 500});
    proof = nt_result_proof(r.trace);
    assert_string_equal(proof->limit, "memory");
    assert_false(proof->proved);
    assert_true(fabs(proof->gap - 3 * step) < 1e-6);
    assert_true(nt_result_n_beams(r.trace) < 1000);
    run_free(&r);
    free(rows);
}

/* All 2 * 50,257 of one token less than the horizon that are likely enough, and more than fit. */
static void more_than_can_be_returned(void **state) {
    (void)state;
    float *rows = malloc(LARGE * sizeof *rows);
    for (size_t i = 0; i < LARGE; i++)
        rows[i] = -(float)i / 1000;
    run r = {.model = {.rows = rows, .n_rows = 1, .V = LARGE}};
    nt_plan plan = plan_of(1, 1);
    plan.min_probability = 1e-9;
    run_with(&r, &plan, NULL);
    assert_int_equal(r.status, NT_OK);
    assert_int_equal(nt_result_n_outputs(r.trace), NT_MAX_SEQUENCES);
    for (size_t i = 0; i < NT_MAX_SEQUENCES; i++)
        assert_int_equal(nt_result_output(r.trace, i)->ids[0], i);
    const nt_proof *proof = nt_result_proof(r.trace);
    assert_false(proof->proved); /* that these are all */
    assert_string_equal(proof->limit, "num_return_sequences");
    assert_true(proof->gap > 0);
    assert_int_equal(r.n_notes, 1);
    run_free(&r);
    plan.min_probability = exp(-7.9073); /* of which there are exactly as many: p0 = 1e-3 or so */
    double p0 = -nt_softmax_of(rows, LARGE).logsum;
    plan.min_probability = exp(p0 - 1.023 + 1e-5 - 1e-5);
    r.model = (table_model){.rows = rows, .n_rows = 1, .V = LARGE};
    run_with(&r, &plan, NULL);
    assert_int_equal(nt_result_n_outputs(r.trace), NT_MAX_SEQUENCES);
    assert_true(nt_result_proof(r.trace)->proved);
    assert_int_equal(r.n_notes, 0);
    run_free(&r);
    free(rows);
}

static void a_large_vocabulary(void **state) {
    (void)state;
    enum { ROWS = 7 };
    float *rows = malloc(ROWS * LARGE * sizeof *rows);
    for (size_t i = 0; i < ROWS; i++) {
        made_row(rows + i * LARGE, "smooth", LARGE, i + 1);
        for (size_t j = 0; j < LARGE; j++)
            rows[i * LARGE + j] /= 2;
    }
    run r = {.model = {.rows = rows, .n_rows = ROWS, .V = LARGE, .by_prefix = true}};
    nt_plan plan = plan_of(4, 2);
    plan.max_nodes = 2000;
    run_with(&r, &plan, NULL);
    assert_int_equal(r.status, NT_OK);
    const nt_proof *proof = nt_result_proof(r.trace);
    assert_true(nt_result_output(r.trace, 0)->score >= proof->beams);
    assert_true(proof->beams >= proof->greedy);
    assert_true(nt_result_output(r.trace, 0)->score >= nt_result_output(r.trace, 1)->score);
    run_free(&r);
    free(rows);
}

/* ---- Ends and processors of the caller's ----------------------------------------------------- */

static int removes_behind_b(void *payload, const int32_t *ids, size_t n, float *logits, size_t V) {
    const int32_t *dead = payload;
    if (n > 2 && ids[n - 1] == *dead)
        for (size_t i = 0; i < V; i++)
            logits[i] = -INFINITY;
    return 0;
}

/* Behind the likeliest beginning nothing is left: no error, another is found. */
static void dead_ends(void **state) {
    (void)state;
    const float row[] = {2, 3, 0};
    int32_t dead = 1;
    run r = {.model = {.rows = row, .n_rows = 1, .V = 3}};
    nt_plan plan = plan_of(2, 1);
    plan.process = removes_behind_b;
    plan.payload = &dead;
    run_with(&r, &plan, NULL);
    assert_int_equal(r.status, NT_OK);
    const int32_t expected[] = {0, 1};
    assert_memory_equal(nt_result_output(r.trace, 0)->ids, expected, sizeof expected);
    const nt_proof *proof = nt_result_proof(r.trace);
    assert_true(proof->proved && proof->greedy == -INFINITY);
    assert_true(proof->beams == nt_result_output(r.trace, 0)->score);
    for (size_t i = 0; i < nt_result_n_beams(r.trace); i++) {
        const nt_beam *beam = nt_result_beam(r.trace, i);
        if (beam->index == 0 && beam->token.token.id == 1) {
            assert_int_equal(beam->row, -1);
            assert_int_equal(beam->fate, NT_FATE_PRUNED);
        }
    }
    run_free(&r);

    const float only[] = {-INFINITY, 3, -INFINITY}; /* there is no other */
    r.model = (table_model){.rows = only, .n_rows = 1, .V = 3};
    run_with(&r, &plan, NULL);
    assert_int_equal(r.status, NT_E_NUMERIC);
    assert_non_null(strstr(nt_error_message(), "no continuation"));
    run_free(&r);
}

static int ends_behind(void *payload, const int32_t *ids, size_t n) {
    const int32_t *last = payload;
    return ids[n - 1] == *last;
}

static void the_callers_own_end(void **state) {
    (void)state;
    const float row[] = {2, 3, 0};
    int32_t last = 2;
    run r = {.model = {.rows = row, .n_rows = 1, .V = 3}};
    nt_plan plan = plan_of(5, 1);
    plan.stop = ends_behind;
    plan.payload = &last;
    run_with(&r, &plan, NULL);
    assert_int_equal(nt_result_output(r.trace, 0)->n_ids, 5);
    run_free(&r);
    last = 1; /* the likeliest token ends it at once */
    r.model = (table_model){.rows = row, .n_rows = 1, .V = 3};
    run_with(&r, &plan, NULL);
    assert_int_equal(nt_result_output(r.trace, 0)->n_ids, 1);
    assert_string_equal(nt_result_output(r.trace, 0)->finish_reason, "callback");
    run_free(&r);
}

static void time_is_up(void **state) {
    (void)state;
    drawn d;
    draw_table(&d, 4);
    d.plan = plan_of(5, 1);
    d.plan.max_time = 0;
    run_with(&d.r, &d.plan, NULL);
    assert_int_equal(d.r.status, NT_OK);
    const nt_proof *proof = nt_result_proof(d.r.trace);
    assert_false(proof->proved);
    assert_string_equal(proof->limit, "max_time");
    assert_int_equal(nt_result_n_outputs(d.r.trace), 1); /* what greedy decoding wrote */
    assert_true(nt_result_output(d.r.trace, 0)->score >= proof->greedy);
    assert_true(isnan(proof->beams)); /* not run to its end */
    assert_string_equal(nt_result_output(d.r.trace, 0)->finish_reason, "length");
    run_free(&d.r);
}

/* ---- Failures -------------------------------------------------------------------------------- */

/* A search that looks at rows again, drops sequences and has guidance. */
static void draw_hard(drawn *d) {
    draw_table(d, 77);
    for (size_t i = 0; i < 20 * MOST; i++)
        made_row(d->rows + i, "flat", 1, 0);
    d->r.model = (table_model){.rows = d->rows, .n_rows = 20, .V = MOST, .by_prefix = true};
    d->plan = plan_of(3, 2);
    d->plan.max_nodes = 60;
    d->plan.guidance_scale = 1.5;
    d->plan.stop_strings = d->strings;
    d->plan.n_stop_strings = 1;
    d->r.guided = true;
}

static const nt_exact_room little = {2, 2, NT_EXACT_MOST};

static void failures_at_every_place(void **state) {
    (void)state;
    drawn d;
    draw_hard(&d);
    run_with(&d.r, &d.plan, &little);
    assert_int_equal(d.r.status, NT_OK);
    assert_true(d.r.n_progress >= 60);
    size_t n_steps = d.r.model.n_steps, n_forks = d.r.model.n_forks, n_cancel = d.r.n_cancel;
    assert_true(n_steps > 20 && n_forks > 60);
    for (size_t k = 1; k <= n_steps; k++) {
        run r = {.model = d.r.model, .guided = true};
        r.model.n_steps = 0;
        r.model.fail_at_step = k;
        run_with(&r, &d.plan, &little);
        assert_int_equal(r.status, NT_E_NUMERIC);
        run_free(&r);
    }
    for (size_t k = 1; k <= n_forks; k++) {
        run r = {.model = d.r.model, .guided = true};
        r.model.n_forks = 0;
        r.model.fail_at_fork = k;
        run_with(&r, &d.plan, &little);
        assert_int_equal(r.status, NT_E_MEMORY);
        run_free(&r);
    }
    for (size_t k = 1; k <= n_cancel; k++) {
        run r = {.model = d.r.model, .guided = true, .cancel_at = k};
        run_with(&r, &d.plan, &little);
        assert_int_equal(r.status, NT_E_CANCELLED);
        run_free(&r);
    }
    run start = {.model = d.r.model};
    start.model.fail_start = true;
    run_with(&start, &d.plan, NULL);
    assert_int_equal(start.status, NT_E_MEMORY);
    run_free(&start);
    run_free(&d.r);
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    int status = NT_E_MEMORY;
    size_t k = 0;
    while (status != NT_OK) {
        drawn d;
        draw_hard(&d);
        d.plan.max_nodes = 25;
        nt_memory_fail_at(++k);
        run_with(&d.r, &d.plan, &little);
        nt_memory_fail_at(0);
        status = d.r.status;
        assert_true(status == NT_OK || status == NT_E_MEMORY);
        run_free(&d.r);
    }
    assert_true(k > 100);
}

static void rows_that_are_no_numbers(void **state) {
    (void)state;
    const float bad[] = {NAN, INFINITY, -INFINITY};
    for (size_t b = 0; b < 3; b++) {
        for (size_t at = 1; at < 4; at++) { /* the prompt's row and those behind it */
            float rows[4 * 3] = {0};
            for (size_t i = 0; i < 3; i++)
                rows[at * 3 + i] = bad[b];
            run r = {.model = {.rows = rows, .n_rows = 4, .V = 3}};
            nt_plan plan = plan_of(3, 1);
            run_with(&r, &plan, NULL);
            assert_int_equal(r.status, NT_E_NUMERIC);
            run_free(&r);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_every_continuation),    cmocka_unit_test(all_that_are_likely_enough),
        cmocka_unit_test(limits_tell_the_truth),    cmocka_unit_test(room_changes_nothing),
        cmocka_unit_test(beam_search_misses_it),    cmocka_unit_test(one_word),
        cmocka_unit_test(ends_everywhere),          cmocka_unit_test(the_last_of_many_equals),
        cmocka_unit_test(a_flat_vocabulary),        cmocka_unit_test(more_than_can_be_returned),
        cmocka_unit_test(a_large_vocabulary),       cmocka_unit_test(dead_ends),
        cmocka_unit_test(the_callers_own_end),      cmocka_unit_test(time_is_up),
        cmocka_unit_test(failures_at_every_place),  cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(rows_that_are_no_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
