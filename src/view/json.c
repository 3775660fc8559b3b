/* The JSON view: one object on one line, the same members for every result of a kind (of a score:
 * for every one told by the same units; of decoding: for every one that the same was done in).
 *
 * Where the bytes of a token are no UTF-8 alone, its string holds U+FFFD and its bytes stand beside
 * it: "bytes": [240, 159] next to a single "token", "word", "char" or "text", "token_bytes": {"3":
 * [240, 159]} (from the index to the bytes) next to "tokens". A token without bytes (a model
 * without a tokenizer) is null. What is not a finite number (the first logprob of a score, -inf) is
 * null, and so is the rank of a first token. */
#include <string.h>

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

static void inspect(nt_buffer *out, const nt_result *trace, nt_measure in, bool on_page) {
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
    nt_json_inside(out, trace, in, on_page);
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
    if (trace->kind == NT_RESULT_TENSORS || trace->kind == NT_RESULT_DIFF)
        return; /* no arithmetic of a model */
    nt_member_words(out, "precision", trace->precision);
    nt_member_words(out, "isa", trace->isa);
    nt_member_truth(out, "bos", trace->bos);
}

static void body(nt_buffer *out, const nt_result *trace, const nt_view_options *options,
                 bool on_page) {
    nt_measure in = nt_measure_of(options->bits);
    switch (trace->kind) {
    case NT_RESULT_TOKENS: tokens(out, trace); break;
    case NT_RESULT_TEXT: text(out, trace); break;
    case NT_RESULT_NEXT: nt_json_next(out, trace); break;
    case NT_RESULT_STEPS: nt_json_steps(out, trace); break;
    case NT_RESULT_GENERATE: nt_json_generate(out, trace, options->trace); break;
    case NT_RESULT_SCORE: nt_json_score(out, trace, in); break;
    case NT_RESULT_INSPECT: inspect(out, trace, in, on_page); break;
    case NT_RESULT_INFO: info(out, trace); break;
    case NT_RESULT_CONTINUATIONS: nt_json_continuations(out, trace, in); break;
    case NT_RESULT_PERPLEXITY: nt_json_perplexity(out, trace, in); break;
    case NT_RESULT_COMPARED: nt_json_compared(out, trace); break;
    case NT_RESULT_COUNTS: nt_json_counts(out, trace); break;
    case NT_RESULT_EXPLAIN: nt_json_explain(out, trace); break;
    case NT_RESULT_TENSORS: nt_json_tensors(out, trace); break;
    case NT_RESULT_DIFF: nt_json_diff(out, trace); break;
    case NT_RESULT_VERSUS: nt_json_versus(out, trace, in); break;
    case NT_RESULT_BENCH: nt_json_bench(out, trace); break;
    }
}

static int object(nt_buffer *out, const nt_result *trace, const nt_view_options *options,
                  bool on_page) {
    if ((unsigned)trace->kind > NT_RESULT_BENCH)
        return nt_fail(NT_E_UNSUPPORTED, "a result of kind %d has no JSON", (int)trace->kind);
    nt_buffer_putc(out, '{');
    heading(out, trace, options->index);
    body(out, trace, options, on_page);
    nt_buffer_puts(out, "}\n");
    return out->status;
}

int nt_view_json(nt_buffer *out, const nt_result *trace, const nt_view_options *options) {
    return object(out, trace, options, false);
}

int nt_view_json_on_page(nt_buffer *out, const nt_result *trace, const nt_view_options *options) {
    return object(out, trace, options, true);
}
