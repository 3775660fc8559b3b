/* What a bench measures: each job as one round of it, through the calls that every program makes,
 * and the list of them. */
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "bench.h"
#include "decode/options/options.h"

enum {
    PROMPT = 64,  /* of one sequence and of beams: contexts of up to 128 */
    CHECKED = 16, /* new tokens that all ways of decoding must agree on */
    BEAMS = 5,
    TEXTS = 8,         /* that are scored, */
    TEXT_LENGTH = 512, /* tokens of each */
    IDS = TEXTS * TEXT_LENGTH,
    TEXT_BYTES = 1 << 20,
    LEAST_CONTEXT = 24
};

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

/* ---- Decoding -------------------------------------------------------------------------------- */

typedef struct watch {
    size_t first, last; /* ids of the whole sequence */
    double begun, ended;
} watch;

static int see_length(void *payload, const int32_t *ids, size_t n_ids) {
    watch *w = payload;
    (void)ids;
    if (n_ids == w->first && w->begun == 0) w->begun = nt_clock();
    if (n_ids == w->last && w->ended == 0) w->ended = nt_clock();
    return 0;
}

/* Seconds of n steps behind the first token, by nt_generate; its result where it is asked for. */
static int time_steps(double *seconds, nt_result **kept, nt_bench_state *b, nt_session *session,
                      int32_t beams, size_t n_prompt, size_t n) {
    static const int32_t none[1] = {0};
    watch w = {.first = n_prompt + 1, .last = n_prompt + 1 + n};
    nt_result *result = NULL;
    nt_generate_options options = NT_GENERATE_OPTIONS_INIT;
    options.max_new_tokens = (int32_t)n + 2; /* the last one is not told of */
    options.eos_token_id = none;             /* and n_eos_token_id 0 */
    options.do_sample = -1;
    options.num_beams = beams;
    options.num_return_sequences = 1;
    options.callbacks = &b->callbacks;
    options.stop = see_length;
    options.payload = &w;
    int status = nt_generate(&result, session, nt_ids(b->ids, n_prompt), &options);
    if (status == NT_OK && (w.begun == 0 || w.ended == 0))
        status = nt_fail(NT_E_UNSUPPORTED,
                         "%s: decoding ends by itself before %zu tokens (generation_config.json "
                         "says when), so that it cannot be measured",
                         b->model->path, n + 2);
    *seconds = w.ended - w.begun;
    if (kept)
        *kept = result;
    else
        nt_result_free(result);
    return status;
}

static int run_steps(nt_bench_state *b, nt_bench_work *work, double *value) {
    double seconds;
    int32_t beams = work->line.job == NT_BENCH_BEAMS ? BEAMS : 1;
    NT_TRY(
        time_steps(&seconds, NULL, b, work->session, beams, work->line.n_prompt, work->line.n_new));
    *value = (double)work->line.n_new / seconds;
    return NT_OK;
}

static int run_prompt(nt_bench_state *b, nt_bench_work *work, double *value) {
    int32_t sequence;
    size_t n = work->line.n_prompt;
    NT_TRY(nt_sequence_new(&sequence, work->session));
    double t = nt_clock();
    int status =
        nt_forward(work->session, sequence, b->ids, n, NT_WANT_LAST, b->logits, &b->callbacks);
    *value = (double)n / (nt_clock() - t);
    nt_sequence_drop(work->session, sequence);
    return status;
}

static int run_score(nt_bench_state *b, nt_bench_work *work, double *value) {
    nt_prompt prompts[TEXTS];
    nt_score_item items[TEXTS];
    size_t n = work->line.n_prompt;
    for (size_t i = 0; i < TEXTS; i++) {
        prompts[i] = *nt_ids(b->ids + i * TEXT_LENGTH, n);
        items[i] = (nt_score_item){.size = sizeof items[i], .prompt = &prompts[i]};
    }
    double t = nt_clock();
    int status = nt_score_many(work->session, items, TEXTS, &b->callbacks);
    *value = (double)(TEXTS * n) / (nt_clock() - t);
    for (size_t i = 0; i < TEXTS; i++) {
        if (status == NT_OK && items[i].status != NT_OK)
            status = nt_fail((nt_status)items[i].status, "%s", items[i].error);
        nt_result_free(items[i].result);
        nt_free(items[i].error);
    }
    return status;
}

/* The likeliest, the lowest of equals. */
static int32_t likeliest(const float *logits, size_t V) {
    size_t best = 0;
    for (size_t v = 1; v < V; v++)
        if (logits[v] > logits[best]) best = v;
    return (int32_t)best;
}

/* Greedy steps of the first B sequences of the batch, which are then as they were. */
static int batch_steps(nt_bench_state *b, size_t B, size_t n) {
    nt_forward_item items[NT_BENCH_BATCHED];
    int32_t next[NT_BENCH_BATCHED];
    int status = NT_OK;
    for (size_t i = 0; i < B; i++) {
        next[i] = b->ids[i];
        items[i] = (nt_forward_item){.size = sizeof items[i],
                                     .sequence = b->batch[i],
                                     .want = NT_WANT_LAST,
                                     .ids = &next[i],
                                     .n_ids = 1,
                                     .logits = b->logits + i * b->V};
    }
    for (size_t k = 0; k < n && status == NT_OK; k++) {
        status = nt_forward_many(b->session, items, B, &b->callbacks);
        for (size_t i = 0; status == NT_OK && i < B; i++)
            next[i] = likeliest(items[i].logits, b->V);
    }
    for (size_t i = 0; i < B; i++)
        if (nt_sequence_length(b->session, b->batch[i]) > b->n_batch_prompt)
            nt_sequence_cut(b->session, b->batch[i], b->n_batch_prompt);
    return status;
}

static int run_batch(nt_bench_state *b, nt_bench_work *work, double *value) {
    size_t B = work->line.n_sequences, n = work->line.n_new;
    double t = nt_clock();
    NT_TRY(batch_steps(b, B, n));
    *value = (double)(B * n) / (nt_clock() - t);
    return NT_OK;
}

static int run_tokenize(nt_bench_state *b, nt_bench_work *work, double *value) {
    nt_encoder *encoder;
    nt_encoding *encoding = NULL;
    nt_encoder_options threads = NT_ENCODER_OPTIONS_INIT;
    nt_encode_options options = NT_ENCODE_OPTIONS_INIT;
    nt_encode_input input = {.text = b->text.data, .n_text = b->text.n};
    threads.threads = work->line.threads;
    options.add_special_tokens = options.truncation = options.padding = -1;
    NT_TRY(nt_encoder_new(&encoder, b->model->tokenizer, &threads)); /* with an empty cache */
    double t = nt_clock();
    int status = nt_encoder_run(&encoding, encoder, &input, 1, &options);
    *value = (double)b->text.n / (nt_clock() - t) * 1e-6;
    nt_encoding_free(encoding);
    nt_encoder_free(encoder);
    return status;
}

static int run_start(nt_bench_state *b, nt_bench_work *work, double *value) {
    *value = b->options.start(b->options.payload);
    if (*value < 0) work->run = NULL; /* whoever starts it has said why */
    return NT_OK;
}

/* ---- Before anything is timed ---------------------------------------------------------------- */

/* Whether the checkpoint's own defaults change what greedy decoding chooses. */
static bool is_shaped(const nt_model *model) {
    const nt_option_row *row;
    for (size_t i = 0; (row = nt_option_row_at(i)); i++)
        if (row->info.one_step && nt_option_given(&model->defaults, row)) return true;
    return false;
}

/* What nt_generate chose, step by step, against the rows of the text as a whole. */
static int check_whole(nt_bench_state *b, const nt_result *made, size_t n_prompt) {
    const nt_output *output = nt_result_output(made, 0);
    int32_t rows[NT_BENCH_BATCHED], sequence;
    size_t n = least(output->n_ids, NT_BENCH_BATCHED);
    rows[0] = b->ids[n_prompt - 1];
    memcpy(rows + 1, output->ids, (n - 1) * sizeof *rows);
    NT_TRY(nt_sequence_new(&sequence, b->session));
    int status = nt_forward(b->session, sequence, b->ids, n_prompt - 1, NT_WANT_NOTHING, NULL,
                            &b->callbacks);
    if (status == NT_OK)
        status = nt_forward(b->session, sequence, rows, n, NT_WANT_ALL, b->logits, &b->callbacks);
    nt_sequence_drop(b->session, sequence);
    NT_TRY(status);
    for (size_t i = 0; i < n; i++)
        if (likeliest(b->logits + i * b->V, b->V) != output->ids[i])
            return nt_fail(NT_E_NUMERIC,
                           "%s: new token %zu is %d when it is decoded step by step and %d when "
                           "the whole text is read at once: nothing is timed",
                           b->model->path, i, (int)output->ids[i],
                           (int)likeliest(b->logits + i * b->V, b->V));
    return NT_OK;
}

/* Warms up and learns how long a step takes. */
static int prepare_steps(nt_bench_state *b) {
    size_t n_prompt = least(PROMPT, b->context / 2);
    size_t n = least(CHECKED, b->context - n_prompt - 2);
    nt_result *made = NULL;
    double seconds;
    NT_TRY(time_steps(&seconds, NULL, b, b->session, 1, n_prompt, n));
    nt_bench_memory(&b->memory); /* before the bench takes some of its own */
    int status = time_steps(&seconds, &made, b, b->session, 1, n_prompt, n);
    b->step = seconds / (double)n;
    if (status == NT_OK && !is_shaped(b->model)) status = check_whole(b, made, n_prompt);
    nt_result_free(made);
    return status;
}

int nt_bench_prepare(nt_bench_state *b) {
    nt_bench_work whole = {.session = b->session};
    double rate;
    if (b->context < LEAST_CONTEXT)
        return nt_fail(NT_E_CONTEXT, "%s: a context of %zu positions is too short to measure in",
                       b->model->path, b->context);
    b->n_ids = IDS;
    b->ids = nt_alloc(b->n_ids, sizeof *b->ids);
    b->logits = nt_alloc_large(b->V, NT_BENCH_BATCHED * sizeof *b->logits);
    if (!b->ids || !b->logits) return NT_E_MEMORY;
    uint64_t state = 1;
    for (size_t i = 0; i < b->n_ids; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        b->ids[i] = (int32_t)((state >> 33) % b->V);
    }
    NT_TRY(prepare_steps(b));
    b->row = b->step;
    if (!(b->options.jobs & (NT_BENCH_PROMPT | NT_BENCH_SCORE | NT_BENCH_BATCH))) return NT_OK;
    for (size_t n = 32; n <= 128; n += 96) { /* the first warms up */
        whole.line.n_prompt = least(n, b->context);
        NT_TRY(run_prompt(b, &whole, &rate));
        b->row = 1 / rate;
        if (32 * b->row > 1) break; /* it is known well enough */
    }
    return NT_OK;
}

/* Prompts of their own for all sequences of the batch; a step of all of them gives the first and
 * the last the bits that they have alone. */
static int prepare_batch(nt_bench_state *b) {
    size_t n = least(128, b->context / 2), V = b->V;
    double most = 0.2 * b->options.seconds; /* seconds that all prompts may take */
    while (n > 16 && (double)(n * NT_BENCH_BATCHED) * b->row > most)
        n /= 2;
    b->n_batch_prompt = n;
    for (; b->n_batch < NT_BENCH_BATCHED; b->n_batch++) {
        int32_t *sequence = &b->batch[b->n_batch];
        NT_TRY(nt_sequence_new(sequence, b->session));
        int status = nt_forward(b->session, *sequence, b->ids + b->n_batch * 128 % b->n_ids, n,
                                NT_WANT_NOTHING, NULL, &b->callbacks);
        if (status != NT_OK) {
            nt_sequence_drop(b->session, *sequence);
            return status;
        }
    }
    float *alone = nt_alloc(V, sizeof *alone);
    if (!alone) return NT_E_MEMORY;
    int status = batch_steps(b, NT_BENCH_BATCHED, 1);
    for (size_t i = 0; status == NT_OK && i < NT_BENCH_BATCHED; i += NT_BENCH_BATCHED - 1) {
        status =
            nt_forward(b->session, b->batch[i], &b->ids[i], 1, NT_WANT_LAST, alone, &b->callbacks);
        if (status == NT_OK) status = nt_sequence_cut(b->session, b->batch[i], n);
        if (status == NT_OK && memcmp(alone, b->logits + i * V, V * sizeof *alone) != 0)
            status = nt_fail(NT_E_NUMERIC,
                             "%s: a sequence has other logits in a batch than alone: nothing is "
                             "timed",
                             b->model->path);
    }
    nt_free(alone);
    return status;
}

/* ---- The list -------------------------------------------------------------------------------- */

nt_bench_work *nt_bench_add(nt_bench_state *b, nt_bench_job job, const char *name,
                            nt_bench_unit unit,
                            int (*run)(nt_bench_state *, nt_bench_work *, double *)) {
    nt_bench_work *work = &b->works[b->n_works++];
    *work = (nt_bench_work){.run = run, .reading = -1, .multiplying = -1, .against = -1};
    work->line = (nt_measured){.job = job, .name = name, .unit = unit, .threads = b->threads};
    work->session = b->session;
    work->per_pass = 1;
    return work;
}

static int index_of(const nt_bench_state *b, const nt_bench_work *work) {
    return (int)(work - b->works);
}

/* Adds what bounds a job on all threads (or on one): bytes and operations of a pass. */
static void bound(nt_bench_state *b, nt_bench_work *work, double flops, double per_pass) {
    bool alone = work->line.threads == 1 && b->threads > 1;
    work->reading = b->reading[alone];
    work->multiplying = b->multiplying[alone];
    work->line.n_bytes = nt_bench_bytes(b->network);
    work->line.n_flops = flops;
    work->per_pass = per_pass;
}

/* Steps that take about as long as a round of one job should. */
static size_t steps_for(const nt_bench_state *b, double step, size_t least_steps, size_t room) {
    double n = b->options.seconds / 60 / step;
    size_t steps = n > 64 ? 64 : n < (double)least_steps ? least_steps : (size_t)n;
    return least(steps, room);
}

static int add_decode(nt_bench_state *b, nt_bench_job job, const char *name, nt_session *session) {
    size_t n_prompt = least(PROMPT, b->context / 2);
    size_t n = steps_for(b, b->step, 8, b->context - n_prompt - 2);
    size_t rows = job == NT_BENCH_BEAMS ? BEAMS : 1;
    nt_bench_unit unit = job == NT_BENCH_BEAMS ? NT_UNIT_STEPS : NT_UNIT_TOKENS;
    nt_bench_work *work = nt_bench_add(b, job, name, unit, run_steps);
    work->session = session;
    work->line.threads = session == b->alone ? 1 : b->threads;
    work->line.n_sequences = rows;
    work->line.n_prompt = n_prompt;
    work->line.n_new = n;
    bound(b, work, (double)rows * nt_bench_flops(b->network, n_prompt + n / 2, 1, 1), 1);
    return index_of(b, work);
}

static int add_prompt(nt_bench_state *b, const char *name, size_t n, nt_session *session) {
    nt_bench_work *work = nt_bench_add(b, NT_BENCH_PROMPT, name, NT_UNIT_TOKENS, run_prompt);
    work->session = session;
    work->line.threads = session == b->alone ? 1 : b->threads;
    work->line.n_sequences = 1;
    work->line.n_prompt = n;
    bound(b, work, nt_bench_flops(b->network, 0, n, 1), (double)n);
    return index_of(b, work);
}

static void plan_decode(nt_bench_state *b) {
    int one = -1, beams = -1;
    if (b->options.jobs & (NT_BENCH_DECODE | NT_BENCH_BEAMS))
        one = add_decode(b, NT_BENCH_DECODE, "one sequence", b->session);
    if (b->options.jobs & NT_BENCH_DECODE && b->alone) {
        int alone = add_decode(b, NT_BENCH_DECODE, "on one thread", b->alone);
        b->works[one].against = alone;
    }
    if (b->options.jobs & NT_BENCH_BEAMS && b->V > BEAMS) {
        beams = add_decode(b, NT_BENCH_BEAMS, "five beams", b->session);
        b->works[beams].against = one;
        b->works[beams].is_cost = true;
    }
}

static void plan_prompt(nt_bench_state *b) {
    size_t first = least(128, b->context);
    int at = add_prompt(b, "at once", first, b->session);
    if (b->alone) {
        int alone = add_prompt(b, "on one thread", first, b->alone);
        b->works[at].against = alone;
    }
    if (b->context > first) add_prompt(b, "at once", least(512, b->context), b->session);
}

static void plan_score(nt_bench_state *b) {
    size_t n = least(TEXT_LENGTH, b->context);
    while (n > 32 && (double)(TEXTS * n) * b->row > 0.25 * b->options.seconds)
        n /= 2;
    nt_bench_work *work = nt_bench_add(b, NT_BENCH_SCORE, "eight texts", NT_UNIT_TOKENS, run_score);
    work->line.n_sequences = TEXTS;
    work->line.n_prompt = n;
    bound(b, work, TEXTS * nt_bench_flops(b->network, 0, n, n - 1), (double)(TEXTS * n));
}

static int plan_batch(nt_bench_state *b) {
    static const size_t sizes[] = {1, 8, 32};
    static const char *const names[] = {"one sequence", "8 sequences", "32 sequences"};
    int first = (int)b->n_works;
    NT_TRY(prepare_batch(b));
    size_t room = b->context - b->n_batch_prompt;
    for (size_t i = 0; i < 3; i++) {
        nt_bench_work *work = nt_bench_add(b, NT_BENCH_BATCH, names[i], NT_UNIT_TOKENS, run_batch);
        size_t B = sizes[i];
        work->line.n_sequences = B;
        work->line.n_prompt = b->n_batch_prompt;
        work->line.n_new = steps_for(b, b->step + (double)(B - 1) * b->row, 4, room);
        size_t middle = b->n_batch_prompt + work->line.n_new / 2;
        bound(b, work, (double)B * nt_bench_flops(b->network, middle, 1, 1), (double)B);
        work->against = i > 0 ? first : -1;
    }
    return NT_OK;
}

static int plan_tokenize(nt_bench_state *b) {
    nt_bench_work trial = {.line = {.threads = b->threads}};
    double rate;
    NT_TRY(nt_bench_text(&b->text, TEXT_BYTES));
    int status = run_tokenize(b, &trial, &rate);
    b->tokenizes = status == NT_OK;
    if (status != NT_OK) return status == NT_E_UNSUPPORTED ? NT_OK : status;
    nt_bench_work *work =
        nt_bench_add(b, NT_BENCH_TOKENIZE, "1 MiB of text", NT_UNIT_MEGABYTES, run_tokenize);
    if (b->threads == 1) return NT_OK;
    nt_bench_work *alone =
        nt_bench_add(b, NT_BENCH_TOKENIZE, "on one thread", NT_UNIT_MEGABYTES, run_tokenize);
    alone->line.threads = 1;
    work->against = index_of(b, alone);
    return NT_OK;
}

static void add_bytes(nt_bench_state *b, const char *name, double bytes) {
    nt_bench_work *work = nt_bench_add(b, NT_BENCH_MEMORY, name, NT_UNIT_BYTES, NULL);
    work->known = bytes;
    work->line.n_sequences = 1;
    work->line.n_prompt = least(PROMPT, b->context / 2);
    work->line.n_new = least(CHECKED, b->context - work->line.n_prompt - 2);
}

int nt_bench_plan(nt_bench_state *b) {
    unsigned jobs = b->options.jobs;
    nt_bench_plan_limits(b);
    plan_decode(b);
    if (jobs & NT_BENCH_PROMPT) plan_prompt(b);
    if (jobs & NT_BENCH_SCORE) plan_score(b);
    if (jobs & NT_BENCH_BATCH) NT_TRY(plan_batch(b));
    if (jobs & NT_BENCH_TOKENIZE && b->model->tokenizer) NT_TRY(plan_tokenize(b));
    if (jobs & NT_BENCH_START && b->options.start)
        nt_bench_add(b, NT_BENCH_START, "to the first table", NT_UNIT_SECONDS, run_start);
    if (jobs & NT_BENCH_MEMORY && b->memory.told) {
        add_bytes(b, "its own", b->memory.own);
        add_bytes(b, "mapped files", b->memory.mapped);
        add_bytes(b, "most of both", b->memory.peak);
    }
    return NT_OK;
}

void nt_bench_put_away(nt_bench_state *b) {
    for (size_t i = 0; i < b->n_batch; i++)
        nt_sequence_drop(b->session, b->batch[i]);
    for (size_t i = 0; i < b->n_works; i++) {
        nt_free(b->works[i].values);
        nt_free(b->works[i].rounds);
    }
    nt_session_free(b->alone);
    nt_free(b->ids);
    nt_free(b->logits);
    nt_free(b->small);
    nt_free(b->huge);
    nt_buffer_free(&b->text);
}
