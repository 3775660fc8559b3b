/* The JSON view: one object on one line, the same members for every result of a kind (of a score:
 * for every one told by the same units). Where the bytes of a token are no UTF-8 alone, its string
 * holds U+FFFD and its bytes stand beside it: "bytes": [240, 159]               next to a single
 * "token", "word", "char" or "text" "token_bytes": {"3": [240, 159]}  next to "tokens": from the
 * index to the bytes A token without bytes (a model without a tokenizer) is null. What is not a
 * finite number (the first logprob of a score, -inf) is null, and so is the rank of a first token.
 * In steps, `chosen` is an id: `choices` always holds it, as an extra last entry when it is not
 * among the likeliest. `input` is the text so far, with U+FFFD for a character that is still cut.
 */
#include <string.h>

#include "view/input.h"
#include "view/json_put.h"

/* ---- One function a kind --------------------------------------------------------------------- */

static void tokens(nt_buffer *out, const nt_result *trace) {
    nt_put_ids(out, "ids", trace->tokens, trace->n_tokens);
    nt_put_tokens(out, trace->tokens, trace->n_tokens);
    nt_put_offsets(out, trace->tokens, trace->n_tokens);
}

static void text(nt_buffer *out, const nt_result *trace) {
    nt_put_ids(out, "ids", trace->tokens, trace->n_tokens);
    nt_put_tokens(out, trace->tokens, trace->n_tokens);
    bool placed = false;
    for (size_t i = 0; i < trace->n_tokens; i++)
        placed |= trace->tokens[i].end > 0;
    if (placed) nt_put_offsets(out, trace->tokens, trace->n_tokens);
    nt_put_key(out, "text");
    nt_put_string(out, trace->text, trace->n_text);
}

static void next(nt_buffer *out, const nt_result *trace) {
    const nt_trace_step *step = trace->n_steps > 0 ? &trace->steps[0] : &(nt_trace_step){0};
    nt_put_ids(out, "ids", trace->tokens, trace->n_tokens);
    nt_put_key(out, "next");
    nt_put_open(out, '[');
    for (size_t i = 0; i < step->n_candidates; i++) {
        const nt_candidate *c = &step->candidates[i];
        nt_put_open(out, '{');
        nt_member_whole(out, "rank", c->rank);
        nt_put_token(out, &c->token);
        nt_member_number(out, "logit", c->logit);
        nt_member_number(out, "logprob", c->logprob);
        nt_member_number(out, "prob", c->prob);
        nt_member_number(out, "processed_prob", c->processed_prob);
        nt_buffer_putc(out, '}');
    }
    nt_buffer_putc(out, ']');
    nt_member_count(out, "kept", step->step.kept);
    nt_member_number(out, "entropy", step->step.entropy);
}

/* How it was decoded; seed is null where nothing was drawn. */
static void method(nt_buffer *out, const nt_result *trace) {
    nt_member_words(out, "method", trace->method);
    nt_put_key(out, "seed");
    if (trace->seeded)
        nt_put_count(out, trace->seed);
    else
        nt_put_null(out);
}

static void choice(nt_buffer *out, const nt_candidate *c, bool sampled) {
    nt_put_open(out, '{');
    nt_put_token(out, &c->token);
    nt_member_number(out, "prob", c->prob);
    nt_member_number(out, "logprob", c->logprob);
    if (sampled) nt_member_number(out, "processed_prob", c->processed_prob);
    nt_buffer_putc(out, '}');
}

static void step(nt_buffer *out, const nt_trace_step *s, const nt_buffer *input, bool sampled) {
    nt_put_open(out, '{');
    nt_member_count(out, "sequence", s->step.sequence);
    nt_member_count(out, "step", s->step.index);
    nt_put_key(out, "input");
    nt_put_string(out, input->data, input->n);
    nt_member_whole(out, "chosen", s->step.chosen.token.id);
    nt_put_key(out, "choices");
    nt_put_open(out, '[');
    bool among = false;
    for (size_t i = 0; i < s->n_candidates; i++) {
        choice(out, &s->candidates[i], sampled);
        among |= s->candidates[i].token.id == s->step.chosen.token.id;
    }
    if (!among && s->step.chosen.token.id >= 0) choice(out, &s->step.chosen, sampled);
    nt_buffer_puts(out, "]}");
}

static void steps(nt_buffer *out, const nt_result *trace) {
    nt_buffer input = {0};
    nt_put_ids(out, "prompt_ids", trace->tokens, trace->n_tokens);
    method(out, trace);
    nt_put_key(out, "steps");
    nt_put_open(out, '[');
    for (size_t s = 0; s < trace->n_steps && input.status == NT_OK; s++) {
        nt_view_input(&input, trace, s);
        step(out, &trace->steps[s], &input, nt_view_sampled(trace));
    }
    nt_buffer_putc(out, ']');
    if (out->status == NT_OK) out->status = input.status;
    nt_buffer_free(&input);
}

static void generate(nt_buffer *out, const nt_result *trace) {
    nt_put_ids(out, "prompt_ids", trace->tokens, trace->n_tokens);
    method(out, trace);
    nt_put_key(out, "sequences");
    nt_put_open(out, '[');
    for (size_t o = 0; o < trace->n_outputs; o++) {
        const nt_output *output = &trace->outputs[o];
        nt_put_open(out, '{');
        nt_put_key(out, "ids");
        nt_put_open(out, '[');
        for (size_t i = 0; i < output->n_ids; i++)
            nt_put_whole(out, output->ids[i]);
        nt_buffer_putc(out, ']');
        nt_put_key(out, "text");
        nt_put_string(out, output->text, output->n_text);
        nt_member_number(out, "logprob", output->logprob);
        nt_member_words(out, "finish_reason", output->finish_reason);
        nt_buffer_putc(out, '}');
    }
    nt_buffer_putc(out, ']');
}

static void inspect(nt_buffer *out, const nt_result *trace) {
    const nt_tensor_view *logits = nt_result_tensor(trace, "logits");
    const nt_tensor_view *norms = nt_result_tensor(trace, "hidden_norms");
    size_t T = logits ? logits->shape[0] : 0, V = logits ? logits->shape[1] : 0; /* [T, V] */
    nt_put_ids(out, "ids", trace->tokens, trace->n_tokens);
    nt_put_key(out, "logits");
    nt_put_open(out, '[');
    for (size_t v = 0; T > 0 && v < V; v++)
        nt_put_number(out, logits->data[(T - 1) * V + v]);
    nt_buffer_putc(out, ']');
    nt_put_key(out, "hidden_norms");
    nt_put_open(out, '[');
    for (size_t i = 0; norms && i < norms->shape[0]; i++)
        nt_put_number(out, norms->data[i]);
    nt_buffer_putc(out, ']');
}

static bool in_heading(const char *name) {
    static const char *const names[] = {"schema", "index", "model", "precision", "isa", "bos"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], name) == 0) return true;
    return false;
}

static void info(nt_buffer *out, const nt_result *trace) {
    for (size_t i = 0; i < trace->n_facts; i++) {
        const nt_fact *fact = &trace->facts[i];
        if (in_heading(fact->key)) continue;
        nt_put_words(out, fact->key);
        nt_buffer_putc(out, ':');
        if (fact->text) {
            nt_put_words(out, fact->text);
        } else if (fact->is_bool) {
            nt_put_truth(out, fact->number != 0);
        } else {
            nt_put_plain(out, fact->number);
        }
    }
}

static void heading(nt_buffer *out, const nt_result *trace, int64_t index) {
    nt_member_words(out, "schema", "nextoken/1");
    if (index >= 0) nt_member_whole(out, "index", index);
    nt_member_words(out, "model", trace->model);
    nt_member_words(out, "precision", trace->precision);
    nt_member_words(out, "isa", trace->isa);
    nt_member_truth(out, "bos", trace->bos);
}

static void body(nt_buffer *out, const nt_result *trace, nt_measure in) {
    switch (trace->kind) {
    case NT_RESULT_TOKENS: tokens(out, trace); break;
    case NT_RESULT_TEXT: text(out, trace); break;
    case NT_RESULT_NEXT: next(out, trace); break;
    case NT_RESULT_STEPS: steps(out, trace); break;
    case NT_RESULT_GENERATE: generate(out, trace); break;
    case NT_RESULT_SCORE: nt_json_score(out, trace, in); break;
    case NT_RESULT_INSPECT: inspect(out, trace); break;
    case NT_RESULT_INFO: info(out, trace); break;
    case NT_RESULT_CONTINUATIONS: nt_json_continuations(out, trace, in); break;
    case NT_RESULT_PERPLEXITY: nt_json_perplexity(out, trace, in); break;
    case NT_RESULT_COMPARED: nt_json_compared(out, trace); break;
    case NT_RESULT_COUNTS: nt_json_counts(out, trace); break;
    }
}

int nt_view_json(nt_buffer *out, const nt_result *trace, const nt_view_options *options) {
    if ((unsigned)trace->kind > NT_RESULT_COUNTS)
        return nt_fail(NT_E_UNSUPPORTED, "a result of kind %d has no JSON", (int)trace->kind);
    nt_buffer_putc(out, '{');
    heading(out, trace, options->index);
    body(out, trace, nt_measure_of(options->bits));
    nt_buffer_puts(out, "}\n");
    return out->status;
}
