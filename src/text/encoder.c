/* Many texts, or long ones, by threads. The work is cut into jobs, in order: a text with its pair,
 * or a part of a long text; the first thread takes them from the front, so that what it makes of a
 * long text's parts can stay where it is, and the others from the back. Which thread did what shows
 * nowhere: of jobs that fail the first one counts, and tokens of parts are joined in their order.
 */
#include <stdatomic.h>
#include <string.h>

#include "base/memory.h"
#include "base/options.h"
#include "base/threads.h"
#include "text/encode.h"
#include "text/split/scan.h"

enum {
    LEAST_PART = 128 << 10, /* bytes; a text of twice as many is cut */
    MOST_PART = 1 << 20,
    PARTS_A_THREAD = 8,
    DEAL = 32 << 10,           /* bytes that a thread takes at a time, at least */
    LEAST_SHARED = 32 << 10,   /* less is done by the caller alone */
    LEAST_TAKEN = 1 << 12,     /* tokens of which no copy is made */
    MOST_KEPT_TOKENS = 1 << 20 /* for which memory is kept from call to call */
};

typedef struct worker {
    nt_text_work work;
    nt_tokens a, b;     /* of a text and its pair */
    nt_tokens parts;    /* of parts of long texts, one behind the other */
    size_t failed;      /* job */
    int status;         /* its status */
    char message[1024]; /* and its message: those of status.h belong to a thread */
} worker;

struct nt_encoder {
    const nt_tokenizer *tokenizer;
    int n_threads;
    nt_pool *pool;   /* made when there first is work for more than one */
    worker *workers; /* [n_threads] */
};

typedef struct job {
    size_t input;
    size_t start, end; /* bytes of its text */
    size_t n_bytes;    /* the pair's too */
    bool part;
    int worker; /* of a part: who has its tokens, and where */
    size_t first, n;
    size_t at; /* where they go in the whole */
} job;

typedef struct call {
    nt_encoder *encoder;
    const nt_encode_plan *plan;
    const nt_encode_input *inputs;
    nt_encoding **encodings;
    job *jobs; /* [n_jobs] */
    size_t n_jobs, capacity;
    atomic_uint_fast64_t left;  /* jobs from the low half on, to the high half, are not taken yet */
    atomic_size_t next, failed; /* jobs: to be joined; the first that failed, SIZE_MAX for none */
    nt_tokens *joined;          /* [number of inputs] or NULL: of texts that were cut */
    bool may_cut;               /* nt_tokenizer_may_cut */
    const int32_t *stays;       /* ids of the text that the first thread's parts are the start of */
} call;

/* ---- Encoders -------------------------------------------------------------------------------- */

int nt_encoder_new(nt_encoder **out, const nt_tokenizer *tokenizer,
                   const nt_encoder_options *options) {
    enum { MOST_THREADS = 1024 };
    *out = NULL;
    nt_encoder_options o = NT_ENCODER_OPTIONS_INIT;
    NT_TRY(nt_take_options(&o, sizeof o, options, "nt_encoder_options"));
    if (!tokenizer) return nt_fail(NT_E_ARGUMENT, "no encoder: the tokenizer is NULL");
    if (o.threads < 0 || o.threads > MOST_THREADS)
        return nt_fail(NT_E_ARGUMENT, "threads is %d; the range is 0 to %d", o.threads,
                       MOST_THREADS);
    nt_encoder *encoder = nt_alloc(1, sizeof *encoder);
    if (!encoder) return NT_E_MEMORY;
    encoder->tokenizer = tokenizer;
    encoder->n_threads = o.threads ? o.threads : nt_default_threads();
    encoder->workers = nt_alloc((size_t)encoder->n_threads, sizeof *encoder->workers);
    if (!encoder->workers) {
        nt_free(encoder);
        return NT_E_MEMORY;
    }
    for (int i = 0; i < encoder->n_threads; i++)
        encoder->workers[i].work.lane.cache.max_bytes = o.cache_bytes;
    *out = encoder;
    return NT_OK;
}

void nt_encoder_free(nt_encoder *encoder) {
    if (!encoder) return;
    nt_pool_free(encoder->pool);
    for (int i = 0; i < encoder->n_threads; i++) {
        worker *w = &encoder->workers[i];
        nt_text_work_free(&w->work);
        nt_tokens_free(&w->a);
        nt_tokens_free(&w->b);
        nt_tokens_free(&w->parts);
    }
    nt_free(encoder->workers);
    nt_free(encoder);
}

/* ---- Jobs ------------------------------------------------------------------------------------ */

static int put_job(call *c, const job *new) {
    void *jobs = c->jobs;
    int status = nt_grow(&jobs, &c->capacity, c->n_jobs + 1, sizeof *c->jobs);
    c->jobs = jobs;
    NT_TRY(status);
    c->jobs[c->n_jobs++] = *new;
    return NT_OK;
}

/* A text as parts of about `size` bytes, cut where that changes nothing. */
static int put_parts(call *c, size_t input, size_t size) {
    const nt_encode_input *in = &c->inputs[input];
    job part = {.input = input, .part = true};
    while (part.start < in->n_text) {
        size_t low = part.start + size;
        part.end = in->n_text;
        if (in->n_text - part.start >= 2 * size)
            part.end = nt_tokenizer_border(c->plan->tokenizer, in->text, in->n_text, low);
        part.n_bytes = part.end - part.start;
        NT_TRY(put_job(c, &part));
        part.start = part.end;
    }
    return NT_OK;
}

static int make_jobs(call *c, size_t n, size_t total) {
    const nt_encoder *e = c->encoder;
    c->may_cut = total >= 2 * LEAST_PART && nt_tokenizer_may_cut(e->tokenizer);
    size_t size = total / ((size_t)e->n_threads * PARTS_A_THREAD);
    if (size < LEAST_PART) size = LEAST_PART;
    if (size > MOST_PART) size = MOST_PART;
    bool cuts = e->n_threads > 1 && c->may_cut && !c->plan->options.words &&
                !nt_encode_trims(c->plan); /* whose margins would have to be joined */
    for (size_t i = 0; i < n; i++) {
        const nt_encode_input *in = &c->inputs[i];
        bool good = in->text && in->n_text < UINT32_MAX - 1; /* else the job says what is wrong */
        if (cuts && good && !in->pair && in->n_text >= 2 * size) {
            NT_TRY(put_parts(c, i, size));
            continue;
        }
        job whole = {.input = i, .end = in->n_text, .n_bytes = in->n_text + in->n_pair};
        NT_TRY(put_job(c, &whole));
    }
    return NT_OK;
}

/* Takes the next jobs, some tens of kilobytes of text; false when there are none. */
static bool take_jobs(size_t *first, size_t *end, call *c, bool from_front) {
    uint_fast64_t left = atomic_load(&c->left), rest;
    do {
        size_t front = left & UINT32_MAX, back = left >> 32, n_bytes = 0;
        if (front >= back) return false;
        *first = from_front ? front : back;
        *end = *first;
        while (front < back && n_bytes < DEAL) {
            size_t i = from_front ? front++ : --back;
            n_bytes += c->jobs[i].n_bytes + 1;
        }
        *(from_front ? end : first) = from_front ? front : back;
        rest = (uint_fast64_t)back << 32 | front;
    } while (!atomic_compare_exchange_weak(&c->left, &left, rest));
    return true;
}

static int do_part(call *c, job *j, worker *w, int thread) {
    const nt_encode_input *in = &c->inputs[j->input];
    /* Tokens, for the first guess; the first thread's array will be that of the whole. */
    size_t share = in->n_text / (thread ? (size_t)c->encoder->n_threads : 1) / 5 * 2;
    if (w->parts.capacity == 0) NT_TRY(nt_tokens_reserve(&w->parts, share));
    NT_TRY(nt_tokens_skip(&w->parts, (uint32_t)j->start));
    j->worker = thread;
    j->first = w->parts.n;
    NT_TRY(nt_encode_stretch(&w->parts, c->plan, &w->work, in->text, in->n_text, j->start, j->end,
                             true));
    j->n = w->parts.n - j->first;
    return NT_OK;
}

static int do_text(nt_tokens *out, const call *c, worker *w, const char *text, size_t n) {
    NT_TRY(nt_encode_check(text, n));
    nt_tokens_clear(out);
    return nt_encode_stretch(out, c->plan, &w->work, text ? text : "", n, 0, n, c->may_cut);
}

static int do_whole(call *c, const job *j, worker *w) {
    const nt_encode_input *in = &c->inputs[j->input];
    NT_TRY(do_text(&w->a, c, w, in->text, in->n_text));
    if (in->pair) NT_TRY(do_text(&w->b, c, w, in->pair, in->n_pair));
    return nt_encode_finish(&c->encodings[j->input], c->plan, &w->a, in->pair ? &w->b : NULL,
                            in->text, in->pair, w->a.n >= LEAST_TAKEN);
}

static void note_failure(call *c, worker *w, size_t number, int status) {
    if (w->status != NT_OK && w->failed < number) return;
    w->failed = number;
    w->status = status;
    const char *message = nt_error_message();
    size_t n = strlen(message);
    if (n >= sizeof w->message) n = sizeof w->message - 1;
    memcpy(w->message, message, n);
    w->message[n] = 0;
    size_t failed = atomic_load(&c->failed);
    while (number < failed && !atomic_compare_exchange_weak(&c->failed, &failed, number)) {
    }
}

/* All jobs before the first that fails are done by someone. */
static void do_jobs(void *payload, int thread, int n_threads) {
    (void)n_threads;
    call *c = payload;
    worker *w = &c->encoder->workers[thread];
    size_t first, end;
    while (take_jobs(&first, &end, c, thread == 0)) {
        for (size_t i = first; i < end; i++) {
            if (i > atomic_load_explicit(&c->failed, memory_order_relaxed)) break;
            job *j = &c->jobs[i];
            int status = nt_cache_start(&w->work.lane.cache, j->n_bytes);
            if (status == NT_OK) status = j->part ? do_part(c, j, w, thread) : do_whole(c, j, w);
            if (status != NT_OK) note_failure(c, w, i, status);
        }
    }
}

/* ---- Joining --------------------------------------------------------------------------------- */

/* Parts go to their places, each by whoever comes first. */
static void join_jobs(void *payload, int thread, int n_threads) {
    (void)thread;
    (void)n_threads;
    call *c = payload;
    for (size_t i; (i = atomic_fetch_add(&c->next, 1)) < c->n_jobs;) {
        const job *j = &c->jobs[i];
        if (!j->part || j->n == 0) continue;
        const nt_tokens *from = &c->encoder->workers[j->worker].parts;
        nt_tokens *to = &c->joined[j->input];
        if (to->ids == c->stays && j->worker == 0) continue;
        memcpy(to->ids + j->at, from->ids + j->first, j->n * sizeof *to->ids);
        if (!to->offsets) continue;
        memcpy(to->starts + j->at, from->starts + j->first, j->n * sizeof *to->starts);
        if (to->tiled) continue;
        memcpy(to->ends + j->at, from->ends + j->first, j->n * sizeof *to->ends);
    }
}

static void run_on_all(call *c, nt_task task) {
    if (c->encoder->pool) {
        nt_pool_run(c->encoder->pool, task, c);
    } else {
        task(c, 0, 1);
    }
}

static int join(call *c, size_t n) {
    c->joined = nt_alloc(n, sizeof *c->joined);
    if (!c->joined) return NT_E_MEMORY;
    worker *first = &c->encoder->workers[0];
    for (size_t i = 0; i < c->n_jobs; i++) {
        job *j = &c->jobs[i];
        nt_tokens *whole = &c->joined[j->input];
        j->at = whole->n;
        whole->n += j->n;
    }
    bool tiled = c->plan->options.offsets;
    for (int i = 0; i < c->encoder->n_threads; i++)
        tiled &= c->encoder->workers[i].parts.tiled;
    for (size_t i = 0; i < n; i++) {
        nt_tokens *whole = &c->joined[i];
        size_t n_tokens = whole->n;
        *whole = (nt_tokens){.offsets = c->plan->options.offsets, .tiled = tiled};
        if (n == 1 && first->parts.n && first->parts.tiled == tiled) {
            *whole = first->parts;
            first->parts = (nt_tokens){.offsets = whole->offsets, .tiled = tiled};
            NT_TRY(nt_tokens_reserve(whole, n_tokens - whole->n));
            c->stays = whole->ids;
        } else if (n_tokens) {
            NT_TRY(nt_tokens_reserve(whole, n_tokens));
        }
        whole->n = n_tokens;
    }
    atomic_store(&c->next, 0);
    run_on_all(c, join_jobs);
    for (size_t i = 0; i < c->n_jobs && tiled; i++) {
        const job *j = &c->jobs[i];
        if (!j->part || j->n == 0 || (c->stays && j->worker == 0)) continue;
        uint32_t end = c->encoder->workers[j->worker].parts.ends[j->first + j->n - 1];
        c->joined[j->input].ends[j->at + j->n - 1] = end;
    }
    for (size_t i = 0; i < c->n_jobs; i++) {
        const job *j = &c->jobs[i];
        if (!j->part || j->start > 0) continue;
        const char *text = c->inputs[j->input].text;
        NT_TRY(nt_encode_finish(&c->encodings[j->input], c->plan, &c->joined[j->input], NULL, text,
                                NULL, true));
    }
    return NT_OK;
}

/* ---- One call -------------------------------------------------------------------------------- */

static int run(call *c, size_t n) {
    nt_encoder *e = c->encoder;
    size_t total = 0;
    bool parts = false;
    for (size_t i = 0; i < n; i++)
        total += c->inputs[i].n_text + c->inputs[i].n_pair;
    NT_TRY(make_jobs(c, n, total));
    if (c->n_jobs > UINT32_MAX)
        return nt_fail(NT_E_ARGUMENT, "%zu texts are too many for one call", n);
    atomic_init(&c->left, (uint_fast64_t)c->n_jobs << 32);
    for (size_t i = 0; i < c->n_jobs; i++)
        parts = parts || c->jobs[i].part;
    bool alone = c->n_jobs == 1 || total < LEAST_SHARED;
    if (!e->pool && !alone && e->n_threads > 1) NT_TRY(nt_pool_new(&e->pool, e->n_threads));
    if (alone) {
        do_jobs(c, 0, 1);
    } else {
        run_on_all(c, do_jobs);
    }
    size_t failed = atomic_load(&c->failed);
    for (int i = 0; failed != SIZE_MAX && i < e->n_threads; i++) {
        const worker *w = &e->workers[i];
        if (w->status == NT_OK || w->failed != failed) continue;
        return nt_fail(w->status, "text %zu: %s", c->jobs[failed].input, w->message);
    }
    if (parts) NT_TRY(join(c, n));
    return nt_pad(c->encodings, n, &c->plan->padding);
}

static void prepare(nt_tokens *tokens, const nt_encode_plan *plan) {
    bool offsets = plan->options.offsets;
    bool tiled = offsets && nt_tokenizer_tiles(plan->tokenizer);
    bool worded = plan->options.words;
    if (tokens->offsets != offsets || tokens->tiled != tiled || tokens->worded != worded)
        nt_tokens_free(tokens);
    tokens->offsets = offsets;
    tokens->tiled = tiled;
    tokens->trimmed = offsets && nt_encode_trims(plan);
    tokens->worded = worded;
    nt_tokens_clear(tokens);
}

static void tidy(nt_tokens *tokens) {
    if (tokens->capacity > MOST_KEPT_TOKENS) nt_tokens_free(tokens);
}

int nt_encoder_run(nt_encoding **encodings, nt_encoder *encoder, const nt_encode_input *inputs,
                   size_t n, const nt_encode_options *options) {
    for (size_t i = 0; i < n; i++)
        encodings[i] = NULL;
    nt_encode_plan plan;
    NT_TRY(nt_encode_plan_make(&plan, encoder->tokenizer, options));
    if (n == 0) return NT_OK;
    if (!inputs) return nt_fail(NT_E_ARGUMENT, "the texts are NULL");
    for (int i = 0; i < encoder->n_threads; i++) {
        worker *w = &encoder->workers[i];
        w->status = NT_OK;
        prepare(&w->a, &plan);
        prepare(&w->b, &plan);
        prepare(&w->parts, &plan);
    }
    call c = {.encoder = encoder, .plan = &plan, .inputs = inputs, .encodings = encodings};
    atomic_init(&c.failed, SIZE_MAX);
    atomic_init(&c.next, 0);
    int status = run(&c, n);
    for (size_t i = 0; c.joined && i < n; i++)
        nt_tokens_free(&c.joined[i]);
    nt_free(c.joined);
    nt_free(c.jobs);
    for (int i = 0; i < encoder->n_threads; i++) {
        tidy(&encoder->workers[i].a);
        tidy(&encoder->workers[i].b);
        tidy(&encoder->workers[i].parts);
    }
    if (status == NT_OK) return NT_OK;
    for (size_t i = 0; i < n; i++) {
        nt_encoding_free(encodings[i]);
        encodings[i] = NULL;
    }
    return status;
}
