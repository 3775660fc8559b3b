/* nt_versus: one text through two sessions, chunk by chunk, row beside row. */
#include <string.h>

#include "base/memory.h"
#include "base/options.h"
#include "decode/options/options.h"
#include "decode/options/shown.h"
#include "decode/process/processor.h"
#include "score/versus.h"
#include "wiring.h"

enum { CHUNK = 16 }; /* rows of logits that each holds */

typedef struct side {
    nt_session *session;
    int32_t sequence; /* -1: none */
    float *rows;      /* [CHUNK, V]; those of the other where both are one session */
    bool processes;
    nt_generate_options options; /* what the plan borrows from */
    nt_plan plan;
    nt_processors processors;
} side;

typedef struct versus {
    nt_result *trace;
    side sides[2];
    nt_ids_of ids;
    size_t V, n_prompt;
    const nt_callbacks *callbacks;
} versus;

/* "gpt2 in bf16 with temperature 0.7, top_p 0.9"; the caller's own where there is one. The
 * arithmetic is told where the other side has another. */
static int put_label(nt_buffer *out, const nt_side *given, const nt_side *other) {
    const nt_option_row *row;
    const nt_model *model = given->session->model;
    const char *precision = nt_model_precision(model);
    size_t n = 0;
    nt_buffer_puts(out, given->label ? given->label : model->path);
    if (!given->label && strcmp(precision, nt_model_precision(other->session->model)) != 0) {
        nt_buffer_puts(out, " in ");
        nt_buffer_puts(out, precision);
    }
    for (size_t i = 0; !given->label && given->generate && (row = nt_option_row_at(i)); i++) {
        if (!row->info.one_step || !nt_option_given(given->generate, row)) continue;
        nt_buffer_puts(out, n++ > 0 ? ", " : " with ");
        nt_buffer_puts(out, row->info.name);
        nt_buffer_putc(out, ' ');
        nt_option_show(out, given->generate, row);
    }
    return out->status;
}

static int check_vocabularies(const nt_session *a, const nt_session *b) {
    const nt_model *x = a->model, *y = b->model;
    size_t V = (size_t)x->n_vocab, id = V;
    if (x->n_vocab != y->n_vocab)
        return nt_fail(
            NT_E_UNSUPPORTED,
            "%s and %s have %d and %d token ids: what they make of a text cannot be held "
            "side by side token by token; compare bits_per_byte of their scores",
            x->path, y->path, (int)x->n_vocab, (int)y->n_vocab);
    if (x->tokenizer && y->tokenizer && x != y)
        id = nt_first_difference(x->tokenizer, y->tokenizer, V);
    if (id == V) return NT_OK;
    return nt_fail(NT_E_UNSUPPORTED,
                   "%s and %s have different vocabularies: token %zu is not the same; compare "
                   "bits_per_byte of their scores",
                   x->path, y->path, id);
}

static int begin_side(versus *v, size_t s, const nt_side *given) {
    side *own = &v->sides[s];
    own->session = given->session;
    if (given->generate) {
        own->processes = true;
        NT_TRY(nt_one_step_plan(&own->plan, &own->options, own->session, given->generate,
                                v->n_prompt, v->callbacks));
        if (own->plan.guidance_scale != 1)
            return nt_fail(NT_E_UNSUPPORTED, "guidance_scale leads away from a prompt of its own: "
                                             "there is none beside a given text");
        NT_TRY(nt_processors_begin(&own->processors, &own->plan, v->V));
    }
    if (s == 1 && own->session == v->sides[0].session) {
        own->rows = v->sides[0].rows;
        return NT_OK;
    }
    own->rows = nt_alloc_large(v->V, CHUNK * sizeof *own->rows);
    if (!own->rows) return NT_E_MEMORY;
    return nt_sequence_new(&own->sequence, own->session);
}

static void end_side(versus *v, size_t s) {
    side *own = &v->sides[s];
    nt_processors_free(&own->processors);
    if (s == 0 || own->rows != v->sides[0].rows) nt_free(own->rows);
    if (own->session && own->sequence >= 0) nt_sequence_drop(own->session, own->sequence);
}

/* The row behind id t - 1 as a side has it. */
static int row_of(const float **row, versus *v, size_t s, size_t in_chunk, size_t t) {
    side *own = &v->sides[s];
    *row = own->rows + in_chunk * v->V;
    if (!own->processes) return NT_OK;
    NT_TRY(nt_processors_run(&own->processors, *row, NULL, v->ids.ids, t));
    *row = nt_processed(&own->processors);
    return NT_OK;
}

static int see_chunk(versus *v, size_t from, size_t n) {
    nt_callbacks quiet = nt_without_progress(v->callbacks);
    for (size_t s = 0; s < 2; s++)
        if (v->sides[s].sequence >= 0)
            NT_TRY(nt_forward(v->sides[s].session, v->sides[s].sequence, v->ids.ids + from, n,
                              NT_WANT_ALL, v->sides[s].rows, &quiet));
    for (size_t i = 0; i < n; i++) {
        const float *rows[2];
        size_t t = from + i + 1; /* the token that this row is about */
        for (size_t s = 0; s < 2; s++)
            NT_TRY(row_of(&rows[s], v, s, i, t));
        NT_TRY(nt_versus_see(v->trace, t, rows, v->V));
    }
    return NT_OK;
}

static int see_all(versus *v) {
    size_t n_rows = v->ids.n > 0 ? v->ids.n - 1 : 0;
    for (size_t from = 0; from < n_rows; from += CHUNK) {
        NT_TRY(see_chunk(v, from, n_rows - from < CHUNK ? n_rows - from : CHUNK));
        if (v->callbacks && v->callbacks->progress)
            v->callbacks->progress(v->callbacks->payload, "tokens", from + CHUNK, n_rows);
    }
    nt_versus_finish(v->trace);
    return NT_OK;
}

/* The other's tokens must be those of the first. */
static int check_ids(const versus *v, const nt_side *b, const nt_prompt *prompt) {
    nt_ids_of others = {0};
    const nt_model *x = v->sides[0].session->model, *y = b->session->model;
    if (x == y || prompt->ids) return NT_OK;
    int status = nt_prompt_ids(&others, y, prompt, NULL);
    bool same = status == NT_OK && others.n == v->ids.n &&
                memcmp(others.ids, v->ids.ids, v->ids.n * sizeof *v->ids.ids) == 0;
    nt_ids_free(&others);
    if (status == NT_OK && !same)
        return nt_fail(NT_E_UNSUPPORTED,
                       "%s and %s cut the text into other tokens; compare bits_per_byte of their "
                       "scores",
                       x->path, y->path);
    return status;
}

static int run(versus *v, const nt_side *const given[2], const nt_prompt *prompt,
               size_t prompt_len) {
    nt_buffer label[2] = {{0}};
    int status = put_label(&label[0], given[0], given[1]);
    if (status == NT_OK) status = put_label(&label[1], given[1], given[0]);
    const char *const labels[2] = {label[0].data, label[1].data};
    if (status == NT_OK) status = nt_versus_begin(v->trace, labels, prompt_len);
    for (size_t s = 0; s < 2; s++)
        nt_buffer_free(&label[s]);
    NT_TRY(status);
    v->n_prompt = v->trace->prompt_len;
    NT_TRY(check_ids(v, given[1], prompt));
    for (size_t s = 0; s < 2; s++)
        NT_TRY(begin_side(v, s, given[s]));
    return see_all(v);
}

int nt_versus(nt_result **out, const nt_side *a, const nt_side *b, const nt_prompt *prompt,
              const nt_versus_options *given) {
    *out = NULL;
    double started = nt_now_ms();
    nt_versus_options options = NT_VERSUS_OPTIONS_INIT;
    NT_TRY(nt_take_options(&options, sizeof options, given, "nt_versus_options"));
    if (!a || !b || !a->session || !b->session)
        return nt_fail(NT_E_ARGUMENT, "nt_versus: a side has no session");
    NT_TRY(check_vocabularies(a->session, b->session));
    const nt_side *const sides[2] = {a, b};
    versus v = {.sides = {{.sequence = -1}, {.sequence = -1}}, .callbacks = options.callbacks};
    v.V = (size_t)a->session->model->n_vocab;
    v.sides[0].session = a->session;
    int status = nt_prompt_ids(&v.ids, a->session->model, prompt, options.callbacks);
    if (status == NT_OK) status = nt_job_begin(out, a->session->model, NT_RESULT_VERSUS, &v.ids);
    v.trace = *out;
    if (status == NT_OK) status = run(&v, sides, prompt, options.prompt_len);
    for (size_t s = 2; s-- > 0;)
        end_side(&v, s);
    nt_ids_free(&v.ids);
    return nt_job_finish(out, status, started);
}
