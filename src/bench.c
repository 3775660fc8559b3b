/* nt_bench: rounds of all jobs by turns, and what they come to. */
#include "bench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/options.h"

enum { LEAST_ROUNDS = 3, NAME = 128 };

/* Above these a machine is not quiet, and figures not sure. */
static const double much_spread = 0.10, much_load = 0.5, much_others = 0.05, much_steal = 0.01;

/* ---- Rounds ---------------------------------------------------------------------------------- */

static int keep_value(nt_bench_work *work, size_t round, double value) {
    NT_TRY(nt_grow((void **)&work->values, &work->capacity, work->n + 1, sizeof value));
    NT_TRY(nt_grow((void **)&work->rounds, &work->capacity_rounds, work->n + 1, sizeof round));
    work->values[work->n] = value;
    work->rounds[work->n++] = round;
    return NT_OK;
}

/* Whether a job has had its share of the time, and more than its share of turns. */
static bool may_rest(const nt_bench_state *b, const nt_bench_work *work, double passed) {
    return b->options.rounds == 0 && work->n >= LEAST_ROUNDS &&
           work->spent > 2 * passed / (double)b->n_works;
}

static void tell_progress(const nt_bench_state *b, double passed) {
    const nt_callbacks *callbacks = b->options.callbacks;
    uint64_t done = 0, left = 0;
    if (!callbacks || !callbacks->progress) return;
    for (size_t i = 0; i < b->n_works; i++) {
        size_t least = b->options.rounds ? (size_t)b->options.rounds : LEAST_ROUNDS;
        if (!b->works[i].run) continue;
        done += b->works[i].n;
        left += b->works[i].n < least ? least - b->works[i].n : 0;
    }
    double by_time = (double)done * (b->options.seconds / passed - 1);
    if (b->options.rounds == 0 && by_time > (double)left) left = (uint64_t)by_time;
    callbacks->progress(callbacks->payload, "measurements", done, done + left);
}

/* One turn of every job. */
static int run_round(nt_bench_state *b, size_t round, double started) {
    for (size_t i = 0; i < b->n_works; i++) {
        nt_bench_work *work = &b->works[i];
        double value, t = nt_clock();
        if (!work->run || may_rest(b, work, t - started)) continue;
        if (b->callbacks.cancel && b->callbacks.cancel(b->callbacks.payload))
            return nt_fail(NT_E_CANCELLED, "the bench was cancelled");
        NT_TRY(work->run(b, work, &value));
        work->spent += nt_clock() - t;
        if (work->run) NT_TRY(keep_value(work, round, value));
        tell_progress(b, nt_clock() - started);
    }
    return NT_OK;
}

/* Until the time is over, or all rounds are done; CANCELLED leaves what there is. */
static int run_rounds(nt_bench_state *b) {
    double started = nt_clock();
    for (size_t round = 0;; round++) {
        size_t most = (size_t)b->options.rounds;
        if (most ? round == most
                 : round >= LEAST_ROUNDS && nt_clock() - started >= b->options.seconds)
            return NT_OK;
        NT_TRY(run_round(b, round, started));
    }
}

/* ---- What they come to ----------------------------------------------------------------------- */

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The value below which a share of sorted x [n] lies. */
static double quantile(const double *x, size_t n, double share) {
    double at = share * (double)(n - 1);
    size_t i = (size_t)at;
    return i + 1 < n ? x[i] + (at - (double)i) * (x[i + 1] - x[i]) : x[n - 1];
}

static int set_quartiles(nt_measured *line, const double *values, size_t n) {
    double *sorted = nt_alloc(n, sizeof *sorted);
    if (!sorted) return NT_E_MEMORY;
    memcpy(sorted, values, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, by_size);
    line->values = values;
    line->n_values = n;
    line->median = quantile(sorted, n, 0.5);
    line->low = quantile(sorted, n, 0.25);
    line->high = quantile(sorted, n, 0.75);
    line->spread = line->median > 0 ? (line->high - line->low) / line->median : 0;
    nt_free(sorted);
    return NT_OK;
}

/* The median, over the rounds that both took part in, of one's rate over the other's. */
static int set_ratio(nt_measured *line, const nt_bench_work *one, const nt_bench_work *other) {
    double *ratios = nt_alloc(one->n + 1, sizeof *ratios);
    size_t n = 0, j = 0;
    if (!ratios) return NT_E_MEMORY;
    for (size_t i = 0; i < one->n; i++) {
        while (j < other->n && other->rounds[j] < one->rounds[i])
            j++;
        if (j == other->n || other->rounds[j] != one->rounds[i]) continue;
        double rate = one->values[i] / other->values[j];
        ratios[n++] = one->is_cost ? 1 / rate : rate;
    }
    qsort(ratios, n, sizeof *ratios, by_size);
    if (n > 0) line->ratio = quantile(ratios, n, 0.5);
    nt_free(ratios);
    return NT_OK;
}

static double median_of(const nt_bench_state *b, int work) {
    return work < 0 || b->works[work].n == 0 ? NAN : b->works[work].line.median;
}

/* A pass takes at least as long as its weights take to be read, and as its arithmetic. */
static void set_share(const nt_bench_state *b, nt_measured *line, const nt_bench_work *work) {
    double reading = line->n_bytes / (median_of(b, work->reading) * 1e9);
    double multiplying = line->n_flops / (median_of(b, work->multiplying) * 1e9);
    if (isnan(reading) || isnan(multiplying)) return;
    bool reads = reading > multiplying;
    line->limit = reads ? work->reading : work->multiplying;
    line->share = (reads ? reading : multiplying) * line->median / work->per_pass;
}

/* Index of a work's line: works without a value have none. */
static int64_t line_of(const nt_bench_state *b, int64_t work) {
    int64_t line = 0;
    if (work < 0 || b->works[work].n == 0) return -1;
    for (int64_t i = 0; i < work; i++)
        line += b->works[i].n > 0;
    return line;
}

static int add_lines(nt_bench_state *b) {
    for (size_t i = 0; i < b->n_works; i++) {
        nt_bench_work *work = &b->works[i];
        if (work->line.job == NT_BENCH_MEMORY) NT_TRY(keep_value(work, 0, work->known));
        work->line.share = work->line.ratio = NAN;
        work->line.limit = work->line.against = -1;
        if (work->n > 0) NT_TRY(set_quartiles(&work->line, work->values, work->n));
    }
    for (size_t i = 0; i < b->n_works; i++) {
        nt_bench_work *work = &b->works[i];
        nt_measured line = work->line;
        if (work->n == 0) continue;
        if (work->reading >= 0) set_share(b, &line, work);
        line.limit = line_of(b, line.limit);
        line.against = line_of(b, work->against);
        if (line.against >= 0) NT_TRY(set_ratio(&line, work, &b->works[work->against]));
        NT_TRY(nt_trace_add_measured(b->trace, &line));
    }
    return NT_OK;
}

/* ---- How sure they are ----------------------------------------------------------------------- */

enum { MOST_NOTES = 8 };

static int add_note(nt_bench_state *b, const char **notes, const char *text) {
    nt_bench_info *info = b->trace->bench;
    NT_TRY(nt_trace_string(&notes[info->n_notes], b->trace, text));
    info->n_notes++;
    return NT_OK;
}

/* The line whose rounds differ most. */
static int note_spread(nt_bench_state *b, const char **notes) {
    const nt_measured *worst = NULL;
    size_t n = 0;
    char text[256];
    for (size_t i = 0; i < b->trace->n_measured; i++) {
        const nt_measured *m = &b->trace->measured[i];
        if (!(m->spread > much_spread)) continue;
        n++;
        if (!worst || m->spread > worst->spread) worst = m;
    }
    if (n == 0) return NT_OK;
    snprintf(text, sizeof text,
             "rounds differ by more than 10 %% in %zu line%s (most in %s, %s: %.0f %%)", n,
             n == 1 ? "" : "s", nt_bench_job_name(worst->job), worst->name, 100 * worst->spread);
    return add_note(b, notes, text);
}

static int note_noise(nt_bench_state *b, const char **notes) {
    const nt_bench_info *info = b->trace->bench;
    char text[256];
    if (info->load > much_load * info->n_processors) {
        snprintf(text, sizeof text, "the load average was %.1f on %d processor%s at the beginning",
                 info->load, (int)info->n_processors, info->n_processors == 1 ? "" : "s");
        NT_TRY(add_note(b, notes, text));
    }
    if (info->others > much_others) {
        snprintf(text, sizeof text, "other processes took %.0f %% of all processors' time",
                 100 * info->others);
        NT_TRY(add_note(b, notes, text));
    }
    if (info->steal > much_steal) {
        snprintf(text, sizeof text, "the host took %.0f %% of all processors' time",
                 100 * info->steal);
        NT_TRY(add_note(b, notes, text));
    }
    return NT_OK;
}

static int add_notes(nt_bench_state *b, const char **notes) {
    nt_bench_info *info = b->trace->bench;
    unsigned jobs = b->options.jobs;
    size_t least = SIZE_MAX;
    for (size_t i = 0; i < b->n_works; i++)
        if (b->works[i].run && b->works[i].n < least) least = b->works[i].n;
    if (!info->whole) NT_TRY(add_note(b, notes, "cancelled: this is what was measured until then"));
    if (least < LEAST_ROUNDS)
        NT_TRY(add_note(b, notes, "fewer than three rounds: medians say little"));
    NT_TRY(note_noise(b, notes));
    NT_TRY(note_spread(b, notes));
    if (jobs & NT_BENCH_TOKENIZE && !b->tokenizes)
        NT_TRY(add_note(b, notes,
                        b->model->tokenizer ? "the tokenizer has no tokens for a text in English: "
                                              "it is not measured"
                                            : "the model has no tokenizer: none is measured"));
    return NT_OK;
}

/* "F32", "Q4_0 + F32": of what a step reads, the type of most bytes first. */
static int set_storage(nt_bench_state *b) {
    double bytes[NT_N_DTYPES] = {0}, all = nt_bench_step_bytes(b->network, bytes);
    char text[NAME] = "";
    for (int n = 0;; n++) {
        size_t most = 0;
        for (size_t i = 1; i < NT_N_DTYPES; i++)
            if (bytes[i] > bytes[most]) most = i;
        if (bytes[most] == 0) break;
        if (n > 0) strcat(text, " + ");
        strcat(text, nt_dtype_name((nt_dtype)most));
        bytes[most] = 0;
    }
    b->trace->bench->n_weight_bytes = (uint64_t)all;
    return nt_trace_string(&b->trace->bench->storage, b->trace, text);
}

static int describe(nt_bench_state *b, const nt_bench_clock *from, bool whole) {
    nt_bench_info *info = b->trace->bench;
    nt_bench_clock now = nt_bench_now();
    char name[NAME];
    const char **notes = nt_arena_alloc(&b->trace->arena, MOST_NOTES, sizeof *notes);
    if (!notes) return NT_E_MEMORY;
    info->whole = whole;
    info->threads = b->threads;
    info->n_processors = nt_bench_processor(name, sizeof name);
    NT_TRY(nt_trace_string(&info->processor, b->trace, name));
    NT_TRY(set_storage(b));
    info->seconds = now.seconds - from->seconds;
    double total = now.total - from->total, own = now.own - from->own;
    info->steal = total > 0 ? (now.stolen - from->stolen) / total : NAN;
    info->others = total > 0 ? (now.busy - from->busy - own) / total : NAN;
    if (info->others < 0) info->others = 0; /* they are counted in ticks */
    info->notes = notes;
    return add_notes(b, notes);
}

/* ---- The whole ------------------------------------------------------------------------------- */

static int measure(nt_bench_state *b) {
    nt_bench_clock from = nt_bench_now();
    double load;
    b->trace->bench = nt_arena_alloc(&b->trace->arena, 1, sizeof *b->trace->bench);
    if (!b->trace->bench) return NT_E_MEMORY;
    b->trace->bench->load = getloadavg(&load, 1) == 1 ? load : NAN;
    NT_TRY(nt_bench_prepare(b));
    if (b->options.seconds == 0) b->options.seconds = b->step > 0.02 ? 1000 * b->step : 20;
    NT_TRY(nt_bench_plan(b));
    int status = run_rounds(b);
    bool any = false;
    for (size_t i = 0; i < b->n_works; i++)
        any |= b->works[i].n > 0;
    if (status != NT_OK && (status != NT_E_CANCELLED || !any)) return status;
    NT_TRY(add_lines(b));
    return describe(b, &from, status == NT_OK);
}

static int check_options(const nt_bench_options *o) {
    if (o->jobs & ~(unsigned)NT_BENCH_ALL)
        return nt_fail(NT_E_ARGUMENT, "nt_bench_options: jobs has bits of no job");
    if (o->rounds < 0)
        return nt_fail(NT_E_ARGUMENT, "rounds is %d; it must be 0 or more", (int)o->rounds);
    if (!(o->seconds >= 0 && o->seconds < 1e6))
        return nt_fail(NT_E_ARGUMENT, "seconds is %g; it must lie in 0 .. 1000000", o->seconds);
    return NT_OK;
}

int nt_bench(nt_result **out, nt_session *session, const nt_bench_options *given) {
    *out = NULL;
    double started = nt_now_ms();
    nt_bench_options options = NT_BENCH_OPTIONS_INIT;
    NT_TRY(nt_take_options(&options, sizeof options, given, "nt_bench_options"));
    NT_TRY(check_options(&options));
    if (!session) return nt_fail(NT_E_ARGUMENT, "nt_bench: there is no session");
    if (options.jobs == 0) options.jobs = NT_BENCH_ALL;
    nt_bench_state *b = nt_alloc(1, sizeof *b);
    if (!b) return NT_E_MEMORY;
    b->session = session;
    b->model = session->model;
    b->network = session->model->network;
    b->options = options;
    b->callbacks = nt_without_progress(options.callbacks);
    b->limits = nt_cpu_limits(b->model->isa);
    b->threads = nt_pool_size(nt_runner_pool(session->runner));
    b->V = (size_t)b->model->n_vocab;
    b->context = (size_t)b->network->config.T;
    nt_session_options one = NT_SESSION_OPTIONS_INIT;
    one.threads = 1;
    int status = nt_job_begin(out, b->model, NT_RESULT_BENCH, NULL);
    b->trace = *out;
    if (status == NT_OK && b->threads > 1) status = nt_session_new(&b->alone, b->model, &one);
    if (status == NT_OK) status = measure(b);
    nt_bench_put_away(b);
    nt_free(b);
    return nt_job_finish(out, status, started);
}
