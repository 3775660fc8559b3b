/* The JSON view: one object on one line, the same members for every result of a kind. Where the
 * bytes of a token are no UTF-8 alone, its string holds U+FFFD and its bytes stand beside it:
 *   "bytes": [240, 159]               next to a single "token"
 *   "token_bytes": {"3": [240, 159]}  next to "tokens": from the index to the bytes
 * A token without bytes (a model without a tokenizer) is null. What is not a finite number (the
 * first logprob of a score, -inf) is null, and so is the rank of a first token.
 * In steps, `chosen` is an id: `choices` always holds it, as an extra last entry when it is not
 * among the likeliest. `input` is the text so far, with U+FFFD for a character that is still cut.
 */
#include <math.h>
#include <string.h>

#include "base/utf8.h"
#include "view/figure.h"
#include "view/view.h"

/* ---- Writing --------------------------------------------------------------------------------- */

/* A comma unless a value opens its object or array; strings end in a quote, so the last byte
 * tells. */
static void comma(nt_buffer *out) {
    char last = out->n > 0 ? out->data[out->n - 1] : '{';
    if (last != '{' && last != '[' && last != ':') nt_buffer_putc(out, ',');
}

static void key(nt_buffer *out, const char *name) {
    comma(out);
    nt_buffer_putc(out, '"');
    nt_buffer_puts(out, name);
    nt_buffer_puts(out, "\":");
}

static void open_with(nt_buffer *out, char bracket) {
    comma(out);
    nt_buffer_putc(out, bracket);
}

static void whole(nt_buffer *out, int64_t x) {
    comma(out);
    nt_buffer_printf(out, "%lld", (long long)x);
}

static void null(nt_buffer *out) {
    comma(out);
    nt_buffer_puts(out, "null");
}

static void truth(nt_buffer *out, bool x) {
    comma(out);
    nt_buffer_puts(out, x ? "true" : "false");
}

static void number(nt_buffer *out, double x) {
    comma(out);
    nt_buffer_puts(out, isfinite(x) ? nt_figure_g9(x).s : "null");
}

static void string(nt_buffer *out, const char *bytes, size_t n) {
    comma(out);
    nt_buffer_putc(out, '"');
    size_t good = 0; /* [good, i) waits to be copied */
    for (size_t i = 0; i < n;) {
        int32_t code;
        size_t length = nt_utf8_next(&code, bytes + i, n - i);
        if (code >= 0x20 && code != '"' && code != '\\' && code != 0x7F) {
            i += length;
            continue;
        }
        nt_buffer_put(out, bytes + good, i - good);
        if (code < 0)
            nt_buffer_puts(out, "\xEF\xBF\xBD");
        else if (code == '"' || code == '\\')
            nt_buffer_printf(out, "\\%c", (char)code);
        else if (code == '\n')
            nt_buffer_puts(out, "\\n");
        else
            nt_buffer_printf(out, "\\u%04x", (unsigned)code);
        i += length;
        good = i;
    }
    nt_buffer_put(out, bytes + good, n - good);
    nt_buffer_putc(out, '"');
}

static void words(nt_buffer *out, const char *zero_ended) {
    if (zero_ended)
        string(out, zero_ended, strlen(zero_ended));
    else
        null(out);
}

/* ---- Tokens ---------------------------------------------------------------------------------- */

static bool lossy(const nt_token *token) {
    return nt_utf8_check(token->bytes, token->n_bytes) < token->n_bytes;
}

static void byte_list(nt_buffer *out, const nt_token *token) {
    open_with(out, '[');
    for (size_t i = 0; i < token->n_bytes; i++)
        whole(out, (unsigned char)token->bytes[i]);
    nt_buffer_putc(out, ']');
}

static void token_string(nt_buffer *out, const nt_token *token) {
    if (token->n_bytes > 0)
        string(out, token->bytes, token->n_bytes);
    else
        null(out);
}

/* "id", "token" and, where needed, "bytes" of the object that is open. */
static void token_members(nt_buffer *out, const nt_token *token) {
    key(out, "id");
    whole(out, token->id);
    key(out, "token");
    token_string(out, token);
    if (lossy(token)) {
        key(out, "bytes");
        byte_list(out, token);
    }
}

static void token_ids(nt_buffer *out, const char *name, const nt_result *trace) {
    key(out, name);
    open_with(out, '[');
    for (size_t i = 0; i < trace->n_tokens; i++)
        whole(out, trace->tokens[i].id);
    nt_buffer_putc(out, ']');
}

static void token_strings(nt_buffer *out, const nt_result *trace) {
    key(out, "tokens");
    open_with(out, '[');
    bool any = false;
    for (size_t i = 0; i < trace->n_tokens; i++) {
        token_string(out, &trace->tokens[i]);
        any |= lossy(&trace->tokens[i]);
    }
    nt_buffer_putc(out, ']');
    if (!any) return;
    key(out, "token_bytes");
    open_with(out, '{');
    for (size_t i = 0; i < trace->n_tokens; i++) {
        if (!lossy(&trace->tokens[i])) continue;
        key(out, nt_figure_plain((double)i).s);
        byte_list(out, &trace->tokens[i]);
    }
    nt_buffer_putc(out, '}');
}

static void token_offsets(nt_buffer *out, const nt_result *trace) {
    key(out, "offsets");
    open_with(out, '[');
    for (size_t i = 0; i < trace->n_tokens; i++) {
        open_with(out, '[');
        whole(out, (int64_t)trace->tokens[i].start);
        whole(out, (int64_t)trace->tokens[i].end);
        nt_buffer_putc(out, ']');
    }
    nt_buffer_putc(out, ']');
}

/* ---- One function a kind --------------------------------------------------------------------- */

static void tokens(nt_buffer *out, const nt_result *trace) {
    token_ids(out, "ids", trace);
    token_strings(out, trace);
    token_offsets(out, trace);
}

static void text(nt_buffer *out, const nt_result *trace) {
    token_ids(out, "ids", trace);
    token_strings(out, trace);
    bool placed = false;
    for (size_t i = 0; i < trace->n_tokens; i++)
        placed |= trace->tokens[i].end > 0;
    if (placed) token_offsets(out, trace);
    key(out, "text");
    string(out, trace->text, trace->n_text);
}

static void next(nt_buffer *out, const nt_result *trace) {
    const nt_trace_step *step = trace->n_steps > 0 ? &trace->steps[0] : &(nt_trace_step){0};
    token_ids(out, "ids", trace);
    key(out, "next");
    open_with(out, '[');
    for (size_t i = 0; i < step->n_candidates; i++) {
        const nt_candidate *c = &step->candidates[i];
        open_with(out, '{');
        key(out, "rank");
        whole(out, c->rank);
        token_members(out, &c->token);
        key(out, "logit");
        number(out, c->logit);
        key(out, "logprob");
        number(out, c->logprob);
        key(out, "prob");
        number(out, c->prob);
        key(out, "processed_prob");
        number(out, c->processed_prob);
        nt_buffer_putc(out, '}');
    }
    nt_buffer_putc(out, ']');
    key(out, "kept");
    whole(out, (int64_t)step->step.kept);
    key(out, "entropy");
    number(out, step->step.entropy);
}

static void choice(nt_buffer *out, const nt_candidate *c) {
    open_with(out, '{');
    token_members(out, &c->token);
    key(out, "prob");
    number(out, c->prob);
    key(out, "logprob");
    number(out, c->logprob);
    nt_buffer_putc(out, '}');
}

static void step(nt_buffer *out, const nt_trace_step *s, const nt_buffer *input) {
    open_with(out, '{');
    key(out, "step");
    whole(out, (int64_t)s->step.index);
    key(out, "input");
    string(out, input->data, input->n);
    key(out, "chosen");
    whole(out, s->step.chosen.token.id);
    key(out, "choices");
    open_with(out, '[');
    bool among = false;
    for (size_t i = 0; i < s->n_candidates; i++) {
        choice(out, &s->candidates[i]);
        among |= s->candidates[i].token.id == s->step.chosen.token.id;
    }
    if (!among && s->step.chosen.token.id >= 0) choice(out, &s->step.chosen);
    nt_buffer_puts(out, "]}");
}

static void steps(nt_buffer *out, const nt_result *trace) {
    nt_buffer input = {0};
    nt_buffer_put(&input, "", 0);
    for (size_t i = 0; i < trace->n_tokens; i++)
        nt_buffer_put(&input, trace->tokens[i].bytes, trace->tokens[i].n_bytes);
    token_ids(out, "prompt_ids", trace);
    key(out, "steps");
    open_with(out, '[');
    for (size_t s = 0; s < trace->n_steps && input.status == NT_OK; s++) {
        const nt_token *chosen = &trace->steps[s].step.chosen.token;
        step(out, &trace->steps[s], &input);
        nt_buffer_put(&input, chosen->bytes, chosen->n_bytes);
    }
    nt_buffer_putc(out, ']');
    if (out->status == NT_OK) out->status = input.status;
    nt_buffer_free(&input);
}

static void generate(nt_buffer *out, const nt_result *trace) {
    token_ids(out, "prompt_ids", trace);
    key(out, "sequences");
    open_with(out, '[');
    for (size_t o = 0; o < trace->n_outputs; o++) {
        const nt_output *output = &trace->outputs[o];
        open_with(out, '{');
        key(out, "ids");
        open_with(out, '[');
        for (size_t i = 0; i < output->n_ids; i++)
            whole(out, output->ids[i]);
        nt_buffer_putc(out, ']');
        key(out, "text");
        string(out, output->text, output->n_text);
        key(out, "logprob");
        number(out, output->logprob);
        key(out, "finish_reason");
        words(out, output->finish_reason);
        nt_buffer_putc(out, '}');
    }
    nt_buffer_putc(out, ']');
}

static void score(nt_buffer *out, const nt_result *trace) {
    size_t n = trace->scored ? trace->n_tokens : 0;
    token_ids(out, "ids", trace);
    token_strings(out, trace);
    key(out, "logprobs");
    open_with(out, '[');
    for (size_t i = 0; i < n; i++)
        number(out, trace->scored[i].logprob);
    nt_buffer_putc(out, ']');
    key(out, "ranks");
    open_with(out, '[');
    for (size_t i = 0; i < n; i++) {
        if (trace->scored[i].rank > 0)
            whole(out, trace->scored[i].rank);
        else
            null(out);
    }
    nt_buffer_putc(out, ']');
    key(out, "entropies");
    open_with(out, '[');
    for (size_t i = 0; i < n; i++)
        number(out, trace->scored[i].entropy);
    nt_buffer_putc(out, ']');
    key(out, "prompt_len");
    whole(out, (int64_t)trace->prompt_len);
    key(out, "counted");
    whole(out, (int64_t)trace->totals.n_counted);
    key(out, "logprob");
    number(out, trace->totals.logprob);
    key(out, "loss");
    number(out, trace->totals.loss);
    key(out, "perplexity");
    number(out, trace->totals.perplexity);
}

static void inspect(nt_buffer *out, const nt_result *trace) {
    const nt_tensor_view *logits = nt_result_tensor(trace, "logits");
    const nt_tensor_view *norms = nt_result_tensor(trace, "hidden_norms");
    size_t T = logits ? logits->shape[0] : 0, V = logits ? logits->shape[1] : 0; /* [T, V] */
    token_ids(out, "ids", trace);
    key(out, "logits");
    open_with(out, '[');
    for (size_t v = 0; T > 0 && v < V; v++)
        number(out, logits->data[(T - 1) * V + v]);
    nt_buffer_putc(out, ']');
    key(out, "hidden_norms");
    open_with(out, '[');
    for (size_t i = 0; norms && i < norms->shape[0]; i++)
        number(out, norms->data[i]);
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
        words(out, fact->key);
        nt_buffer_putc(out, ':');
        if (fact->text) {
            words(out, fact->text);
        } else if (fact->is_bool) {
            truth(out, fact->number != 0);
        } else if (isfinite(fact->number)) {
            nt_buffer_puts(out, nt_figure_plain(fact->number).s);
        } else {
            null(out);
        }
    }
}

static void heading(nt_buffer *out, const nt_result *trace, int64_t index) {
    key(out, "schema");
    words(out, "nextoken/1");
    if (index >= 0) {
        key(out, "index");
        whole(out, index);
    }
    key(out, "model");
    words(out, trace->model);
    key(out, "precision");
    words(out, trace->precision);
    key(out, "isa");
    words(out, trace->isa);
    key(out, "bos");
    truth(out, trace->bos);
}

int nt_view_json(nt_buffer *out, const nt_result *trace, const nt_view_options *options) {
    static void (*const views[])(nt_buffer *, const nt_result *) = {
        [NT_RESULT_TOKENS] = tokens,   [NT_RESULT_TEXT] = text,         [NT_RESULT_NEXT] = next,
        [NT_RESULT_STEPS] = steps,     [NT_RESULT_GENERATE] = generate, [NT_RESULT_SCORE] = score,
        [NT_RESULT_INSPECT] = inspect, [NT_RESULT_INFO] = info};
    if ((size_t)trace->kind >= sizeof views / sizeof *views)
        return nt_fail(NT_E_UNSUPPORTED, "a result of kind %d has no JSON", (int)trace->kind);
    nt_buffer_putc(out, '{');
    heading(out, trace, options->index);
    views[trace->kind](out, trace);
    nt_buffer_puts(out, "}\n");
    return out->status;
}
