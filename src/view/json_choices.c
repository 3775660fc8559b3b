/* The JSON of what stood to choose: the next token, and the choices step by step. What processors
 * did is told where they did something, by the same rule for every entry of a result. In steps,
 * `chosen` is an id: `choices` (and a trace's `candidates`) always hold it, as an extra last entry
 * when it is not among the likeliest. `input` is the text so far, with U+FFFD for a character that
 * is still cut. */
#include "view/changes.h"
#include "view/input.h"
#include "view/json_put.h"

/* "changes": what each option made of the logit; null for what is out. */
static void put_changes(nt_buffer *out, const nt_candidate *c) {
    nt_put_key(out, "changes");
    nt_put_open(out, '[');
    for (size_t i = 0; i < c->n_changes; i++) {
        nt_put_open(out, '{');
        nt_member_words(out, "option", c->changes[i].option);
        nt_member_number(out, "before", c->changes[i].before);
        nt_member_number(out, "after", c->changes[i].after);
        nt_buffer_putc(out, '}');
    }
    nt_buffer_putc(out, ']');
}

void nt_put_removed(nt_buffer *out, const nt_candidate *c) {
    nt_member_words(out, "removed_by", nt_view_removed_by(c));
    if (c->n_changes > 0) put_changes(out, c);
}

static void put_candidate(nt_buffer *out, const nt_candidate *c, bool processed) {
    nt_put_open(out, '{');
    nt_member_whole(out, "rank", c->rank);
    nt_put_token(out, &c->token);
    nt_member_number(out, "logit", c->logit);
    nt_member_number(out, "logprob", c->logprob);
    nt_member_number(out, "prob", c->prob);
    nt_member_number(out, "processed_prob", c->processed_prob);
    if (processed) {
        nt_member_number(out, "processed_logit", c->processed_logit);
        nt_put_removed(out, c);
    }
    nt_buffer_putc(out, '}');
}

typedef void (*put_fn)(nt_buffer *out, const nt_candidate *c, bool processed);

static void put_list(nt_buffer *out, const char *name, const nt_candidate *list, size_t n,
                     put_fn put, bool processed) {
    nt_put_key(out, name);
    nt_put_open(out, '[');
    for (size_t i = 0; i < n; i++)
        put(out, &list[i], processed);
    nt_buffer_putc(out, ']');
}

void nt_put_candidates(nt_buffer *out, const char *name, const nt_candidate *list, size_t n,
                       bool processed) {
    put_list(out, name, list, n, put_candidate, processed);
}

/* ---- next ------------------------------------------------------------------------------------ */

void nt_json_next(nt_buffer *out, const nt_result *trace) {
    const nt_trace_step *step = trace->n_steps > 0 ? &trace->steps[0] : &(nt_trace_step){0};
    bool processed = nt_view_processed(trace);
    nt_put_ids(out, "ids", trace->tokens, trace->n_tokens);
    nt_put_candidates(out, "next", step->candidates, step->n_candidates, processed);
    if (step->n_demoted > 0)
        nt_put_candidates(out, "demoted", step->demoted, step->n_demoted, processed);
    nt_member_count(out, "kept", step->step.kept);
    nt_member_number(out, "entropy", step->step.entropy);
}

/* ---- steps ----------------------------------------------------------------------------------- */

void nt_put_method(nt_buffer *out, const nt_result *trace) {
    nt_member_words(out, "method", trace->method);
    nt_put_key(out, "seed");
    if (trace->seeded)
        nt_put_count(out, trace->seed);
    else
        nt_put_null(out);
}

void nt_put_draw(nt_buffer *out, const nt_step *step, bool assisted) {
    nt_member_number(out, "draw", step->draw);
    if (!assisted) return;
    nt_member_id(out, "drafted", step->drafted);
    nt_put_key(out, "accepted");
    if (step->drafted >= 0)
        nt_put_truth(out, step->drafted == step->chosen.token.id);
    else
        nt_put_null(out);
}

static void choice(nt_buffer *out, const nt_candidate *c, bool processed) {
    nt_put_open(out, '{');
    nt_put_token(out, &c->token);
    nt_member_number(out, "prob", c->prob);
    nt_member_number(out, "logprob", c->logprob);
    if (processed) {
        nt_member_number(out, "processed_prob", c->processed_prob);
        nt_put_removed(out, c);
    }
    nt_buffer_putc(out, '}');
}

/* The candidates of a step, the chosen one always among them. */
static void put_choices(nt_buffer *out, const char *name, const nt_trace_step *s, put_fn put,
                        bool processed) {
    int32_t chosen = s->step.chosen.token.id;
    bool among = chosen < 0;
    nt_put_key(out, name);
    nt_put_open(out, '[');
    for (size_t i = 0; i < s->n_candidates; i++) {
        put(out, &s->candidates[i], processed);
        among |= s->candidates[i].token.id == chosen;
    }
    if (!among) put(out, &s->step.chosen, processed);
    nt_buffer_putc(out, ']');
    if (s->n_demoted > 0) put_list(out, "demoted", s->demoted, s->n_demoted, put, processed);
}

void nt_put_choices(nt_buffer *out, const nt_trace_step *step) {
    put_choices(out, "candidates", step, put_candidate, true);
}

static void step(nt_buffer *out, const nt_trace_step *s, const nt_buffer *input, bool processed,
                 bool assisted) {
    nt_put_open(out, '{');
    nt_member_count(out, "sequence", s->step.sequence);
    nt_member_count(out, "step", s->step.index);
    nt_put_key(out, "input");
    nt_put_string(out, input->data, input->n);
    nt_member_whole(out, "chosen", s->step.chosen.token.id);
    nt_put_draw(out, &s->step, assisted);
    put_choices(out, "choices", s, choice, processed);
    nt_buffer_putc(out, '}');
}

void nt_json_steps(nt_buffer *out, const nt_result *trace) {
    nt_buffer input = {0};
    bool processed = nt_view_processed(trace), assisted = nt_view_assisted(trace);
    nt_put_ids(out, "prompt_ids", trace->tokens, trace->n_tokens);
    nt_put_method(out, trace);
    nt_put_key(out, "steps");
    nt_put_open(out, '[');
    for (size_t s = 0; s < trace->n_steps && input.status == NT_OK; s++) {
        nt_view_input(&input, trace, s);
        step(out, &trace->steps[s], &input, processed, assisted);
    }
    nt_buffer_putc(out, ']');
    if (out->status == NT_OK) out->status = input.status;
    nt_buffer_free(&input);
}
