/* The CSV view (RFC 4180, but lines end in \n): one table a kind of result. Strings are UTF-8: a
 * byte that is none, and NUL, which CSV readers stop at, are U+FFFD; the id beside tells the token.
 * A number that is not there is an empty field. */
#include <math.h>
#include <string.h>

#include "base/utf8.h"
#include "view/figure.h"
#include "view/view.h"

/* ---- Fields ---------------------------------------------------------------------------------- */

typedef struct csv_line {
    nt_buffer *out;
    size_t start; /* where the line begins */
} csv_line;

static csv_line begin(nt_buffer *out) {
    return (csv_line){out, out->n};
}

/* A line's first field is a number or in quotes, so only the first stands at its beginning. */
static void comma(const csv_line *to) {
    if (to->out->n > to->start) nt_buffer_putc(to->out, ',');
}

static void end(const csv_line *to) {
    nt_buffer_putc(to->out, '\n');
}

static void word(const csv_line *to, const char *plain) {
    comma(to);
    nt_buffer_puts(to->out, plain);
}

static void whole(const csv_line *to, int64_t x) {
    comma(to);
    nt_buffer_printf(to->out, "%lld", (long long)x);
}

static void number(const csv_line *to, double x) {
    word(to, isnan(x) ? "" : nt_figure_g9(x).s);
}

static void string(const csv_line *to, const char *bytes, size_t n) {
    nt_buffer *out = to->out;
    comma(to);
    nt_buffer_putc(out, '"');
    size_t good = 0; /* [good, i) waits to be copied */
    for (size_t i = 0; i < n;) {
        int32_t code;
        size_t length = nt_utf8_next(&code, bytes + i, n - i);
        if (code <= 0 || code == '"') {
            nt_buffer_put(out, bytes + good, i - good);
            nt_buffer_puts(out, code == '"' ? "\"\"" : "\xEF\xBF\xBD");
            good = i + length;
        }
        i += length;
    }
    nt_buffer_put(out, bytes + good, n - good);
    nt_buffer_putc(out, '"');
}

static void words(const csv_line *to, const char *zero_ended) {
    string(to, zero_ended ? zero_ended : "", zero_ended ? strlen(zero_ended) : 0);
}

/* ---- Tables ---------------------------------------------------------------------------------- */

static void tokens(nt_buffer *out, const nt_result *trace) {
    for (size_t i = 0; i < trace->n_tokens; i++) {
        const nt_token *token = &trace->tokens[i];
        csv_line r = begin(out);
        whole(&r, (int64_t)i);
        whole(&r, token->id);
        string(&r, token->bytes, token->n_bytes);
        whole(&r, (int64_t)token->start);
        whole(&r, (int64_t)token->end);
        end(&r);
    }
}

static void text(nt_buffer *out, const nt_result *trace) {
    csv_line r = begin(out);
    string(&r, trace->text, trace->n_text);
    end(&r);
}

static void next(nt_buffer *out, const nt_result *trace) {
    const nt_trace_step *step = trace->n_steps > 0 ? &trace->steps[0] : &(nt_trace_step){0};
    for (size_t i = 0; i < step->n_candidates; i++) {
        const nt_candidate *c = &step->candidates[i];
        csv_line r = begin(out);
        whole(&r, c->rank);
        whole(&r, c->token.id);
        string(&r, c->token.bytes, c->token.n_bytes);
        number(&r, c->logit);
        number(&r, c->logprob);
        number(&r, c->prob);
        number(&r, c->processed_prob);
        end(&r);
    }
}

static void choice(nt_buffer *out, const nt_trace_step *step, const nt_buffer *input,
                   int64_t choice_rank, const nt_candidate *c) {
    csv_line r = begin(out);
    whole(&r, (int64_t)step->step.index);
    string(&r, input->data, input->n);
    whole(&r, choice_rank);
    whole(&r, c->token.id);
    string(&r, c->token.bytes, c->token.n_bytes);
    number(&r, c->prob);
    number(&r, c->logprob);
    word(&r, c->token.id == step->step.chosen.token.id ? "true" : "false");
    end(&r);
}

/* choice_rank counts the choices of a step from 1; a chosen token that is not among the likeliest
 * follows them with its own rank. */
static void steps(nt_buffer *out, const nt_result *trace) {
    nt_buffer input = {0};
    for (size_t i = 0; i < trace->n_tokens; i++)
        nt_buffer_put(&input, trace->tokens[i].bytes, trace->tokens[i].n_bytes);
    for (size_t s = 0; s < trace->n_steps && input.status == NT_OK; s++) {
        const nt_trace_step *step = &trace->steps[s];
        const nt_candidate *chosen = &step->step.chosen;
        bool among = false;
        for (size_t i = 0; i < step->n_candidates; i++) {
            choice(out, step, &input, (int64_t)i + 1, &step->candidates[i]);
            among |= step->candidates[i].token.id == chosen->token.id;
        }
        if (!among && chosen->token.id >= 0) choice(out, step, &input, chosen->rank, chosen);
        nt_buffer_put(&input, chosen->token.bytes, chosen->token.n_bytes);
    }
    if (out->status == NT_OK) out->status = input.status;
    nt_buffer_free(&input);
}

/* ids are one field, with blanks between them. */
static void generate(nt_buffer *out, const nt_result *trace) {
    for (size_t o = 0; o < trace->n_outputs; o++) {
        const nt_output *output = &trace->outputs[o];
        csv_line r = begin(out);
        whole(&r, (int64_t)o);
        word(&r, "");
        for (size_t i = 0; i < output->n_ids; i++)
            nt_buffer_printf(out, i > 0 ? " %d" : "%d", (int)output->ids[i]);
        string(&r, output->text, output->n_text);
        number(&r, output->logprob);
        words(&r, output->finish_reason);
        end(&r);
    }
}

static void score(nt_buffer *out, const nt_result *trace) {
    for (size_t i = 0; trace->scored && i < trace->n_tokens; i++) {
        const nt_scored *s = &trace->scored[i];
        csv_line r = begin(out);
        whole(&r, (int64_t)i);
        whole(&r, trace->tokens[i].id);
        string(&r, trace->tokens[i].bytes, trace->tokens[i].n_bytes);
        number(&r, s->logprob);
        if (s->rank > 0)
            whole(&r, s->rank);
        else
            word(&r, "");
        number(&r, s->entropy);
        word(&r, s->counted ? "true" : "false");
        end(&r);
    }
}

static void inspect(nt_buffer *out, const nt_result *trace) {
    const nt_tensor_view *norms = nt_result_tensor(trace, "hidden_norms");
    for (size_t i = 0; norms && i < norms->shape[0]; i++) {
        csv_line r = begin(out);
        whole(&r, (int64_t)i);
        number(&r, norms->data[i]);
        end(&r);
    }
}

static void info(nt_buffer *out, const nt_result *trace) {
    for (size_t i = 0; i < trace->n_facts; i++) {
        const nt_fact *fact = &trace->facts[i];
        csv_line r = begin(out);
        words(&r, fact->key);
        if (fact->text)
            words(&r, fact->text);
        else if (fact->is_bool)
            word(&r, fact->number != 0 ? "true" : "false");
        else
            word(&r, isnan(fact->number) ? "" : nt_figure_plain(fact->number).s);
        end(&r);
    }
}

typedef struct csv_view {
    const char *header;
    void (*rows)(nt_buffer *out, const nt_result *trace);
} csv_view;

int nt_view_csv(nt_buffer *out, const nt_result *trace, const nt_view_options *options) {
    static const csv_view views[] = {
        [NT_RESULT_TOKENS] = {"index,id,token,start,end\n", tokens},
        [NT_RESULT_TEXT] = {"text\n", text},
        [NT_RESULT_NEXT] = {"rank,id,token,logit,logprob,prob,processed_prob\n", next},
        [NT_RESULT_STEPS] = {"step,input,choice_rank,id,token,prob,logprob,chosen\n", steps},
        [NT_RESULT_GENERATE] = {"sequence,ids,text,logprob,finish_reason\n", generate},
        [NT_RESULT_SCORE] = {"index,id,token,logprob,rank,entropy,counted\n", score},
        [NT_RESULT_INSPECT] = {"layer,hidden_norm\n", inspect},
        [NT_RESULT_INFO] = {"key,value\n", info}};
    if ((size_t)trace->kind >= sizeof views / sizeof *views)
        return nt_fail(NT_E_UNSUPPORTED, "a result of kind %d has no CSV", (int)trace->kind);
    if (!options->no_header) nt_buffer_puts(out, views[trace->kind].header);
    views[trace->kind].rows(out, trace);
    return out->status;
}
