/* The CSV view: one table a kind of result. */
#include "view/changes.h"
#include "view/csv_put.h"
#include "view/input.h"

/* ---- Tables ---------------------------------------------------------------------------------- */

static void tokens(nt_csv *to) {
    const nt_result *trace = to->trace;
    for (size_t i = 0; i < trace->n_tokens; i++) {
        const nt_token *token = &trace->tokens[i];
        nt_csv_begin(to);
        nt_csv_count(to, i);
        nt_csv_token(to, token);
        nt_csv_count(to, token->start);
        nt_csv_count(to, token->end);
        nt_csv_end(to);
    }
}

static void text(nt_csv *to) {
    const nt_result *trace = to->trace;
    nt_csv_begin(to);
    nt_csv_string(to, trace->text, trace->n_text);
    nt_csv_end(to);
}

/* What processors made of a candidate: behind all other columns. */
static void processed(nt_csv *to, const nt_candidate *c) {
    nt_csv_number(to, c->processed_logit);
    nt_csv_words(to, nt_view_removed_by(c));
}

static void next(nt_csv *to) {
    const nt_result *trace = to->trace;
    const nt_trace_step *step = trace->n_steps > 0 ? &trace->steps[0] : &(nt_trace_step){0};
    for (size_t i = 0; i < step->n_candidates; i++) {
        const nt_candidate *c = &step->candidates[i];
        nt_csv_begin(to);
        nt_csv_whole(to, c->rank);
        nt_csv_token(to, &c->token);
        nt_csv_number(to, c->logit);
        nt_csv_number(to, c->logprob);
        nt_csv_number(to, c->prob);
        nt_csv_number(to, c->processed_prob);
        processed(to, c);
        nt_csv_end(to);
    }
}

static void choice(nt_csv *to, const nt_trace_step *step, const nt_buffer *input,
                   int64_t choice_rank, const nt_candidate *c) {
    nt_csv_begin(to);
    nt_csv_count(to, step->step.sequence);
    nt_csv_count(to, step->step.index);
    nt_csv_string(to, input->data, input->n);
    nt_csv_whole(to, choice_rank);
    nt_csv_token(to, &c->token);
    nt_csv_number(to, c->prob);
    nt_csv_number(to, c->logprob);
    nt_csv_number(to, c->processed_prob);
    nt_csv_truth(to, c->token.id == step->step.chosen.token.id);
    processed(to, c);
    nt_csv_end(to);
}

/* choice_rank counts the choices of a step from 1; a chosen token that is not among the likeliest
 * follows them with its own rank. */
static void steps(nt_csv *to) {
    const nt_result *trace = to->trace;
    nt_buffer input = {0};
    for (size_t s = 0; s < trace->n_steps && input.status == NT_OK; s++) {
        const nt_trace_step *step = &trace->steps[s];
        const nt_candidate *chosen = &step->step.chosen;
        bool among = false;
        nt_view_input(&input, trace, s);
        for (size_t i = 0; i < step->n_candidates; i++) {
            choice(to, step, &input, (int64_t)i + 1, &step->candidates[i]);
            among |= step->candidates[i].token.id == chosen->token.id;
        }
        if (!among && chosen->token.id >= 0) choice(to, step, &input, chosen->rank, chosen);
    }
    if (to->out->status == NT_OK) to->out->status = input.status;
    nt_buffer_free(&input);
}

/* ids are one field, with blanks between them. */
static void generate(nt_csv *to) {
    const nt_result *trace = to->trace;
    for (size_t o = 0; o < trace->n_outputs; o++) {
        const nt_output *output = &trace->outputs[o];
        nt_csv_begin(to);
        nt_csv_count(to, o);
        nt_csv_word(to, "");
        for (size_t i = 0; i < output->n_ids; i++)
            nt_buffer_printf(to->out, i > 0 ? " %d" : "%d", (int)output->ids[i]);
        nt_csv_string(to, output->text, output->n_text);
        nt_csv_number(to, output->logprob);
        nt_csv_words(to, output->finish_reason);
        nt_csv_number(to, output->score);
        nt_csv_end(to);
    }
}

static void inspect(nt_csv *to) {
    const nt_result *trace = to->trace;
    const nt_tensor_view *norms = nt_result_tensor(trace, "hidden_norms");
    for (size_t i = 0; norms && i < norms->shape[0]; i++) {
        nt_csv_begin(to);
        nt_csv_count(to, i);
        nt_csv_number(to, norms->data[i]);
        nt_csv_end(to);
    }
}

static void info(nt_csv *to) {
    const nt_result *trace = to->trace;
    for (size_t i = 0; i < trace->n_facts; i++) {
        const nt_fact *fact = &trace->facts[i];
        nt_csv_begin(to);
        nt_csv_words(to, fact->key);
        if (fact->text)
            nt_csv_words(to, fact->text);
        else if (fact->is_bool)
            nt_csv_truth(to, fact->number != 0);
        else
            nt_csv_plain(to, fact->number);
        nt_csv_end(to);
    }
}

/* Every token of every tokenizer, with the number of the stretch that it stands in. */
static void compared(nt_csv *to) {
    const nt_result *trace = to->trace;
    for (size_t v = 0; v < trace->n_compared; v++) {
        for (size_t i = 0; i < trace->n_stretches; i++) {
            const nt_stretch *s = &trace->stretches[i];
            for (size_t t = 0; t < s->n_tokens[v]; t++) {
                const nt_token *token = &trace->compared[v].tokens[s->first[v] + t];
                nt_csv_begin(to);
                nt_csv_words(to, trace->compared[v].model);
                nt_csv_count(to, i);
                nt_csv_truth(to, s->differs);
                nt_csv_token(to, token);
                nt_csv_count(to, token->start);
                nt_csv_count(to, token->end);
                nt_csv_end(to);
            }
        }
    }
}

static void counts(nt_csv *to) {
    const nt_result *trace = to->trace;
    for (size_t i = 0; i < trace->n_counted; i++) {
        const nt_counted *file = &trace->counted[i];
        for (size_t v = 0; v < trace->n_compared; v++) {
            nt_csv_begin(to);
            nt_csv_words(to, file->name);
            nt_csv_words(to, trace->compared[v].model);
            nt_csv_count(to, file->n_bytes);
            nt_csv_count(to, file->n_characters);
            nt_csv_count(to, file->n_tokens[v]);
            nt_csv_end(to);
        }
    }
}

/* rows NULL: no such view. */
static nt_csv_table table_of(const nt_result *trace) {
    switch (trace->kind) {
    case NT_RESULT_TOKENS: return (nt_csv_table){"index,id,token,start,end", tokens};
    case NT_RESULT_TEXT: return (nt_csv_table){"text", text};
    case NT_RESULT_NEXT:
        return (nt_csv_table){
            "rank,id,token,logit,logprob,prob,processed_prob,processed_logit,removed_by", next};
    case NT_RESULT_STEPS:
        return (nt_csv_table){"sequence,step,input,choice_rank,id,token,prob,logprob,processed_"
                              "prob,chosen,processed_logit,removed_by",
                              steps};
    case NT_RESULT_GENERATE:
        return (nt_csv_table){"sequence,ids,text,logprob,finish_reason,score", generate};
    case NT_RESULT_SCORE: return nt_csv_score(trace);
    case NT_RESULT_INSPECT:
        if (trace->n_layers > 0 || trace->n_attentions > 0) return nt_csv_inside(trace);
        return (nt_csv_table){"layer,hidden_norm", inspect};
    case NT_RESULT_INFO: return (nt_csv_table){"key,value", info};
    case NT_RESULT_CONTINUATIONS: return nt_csv_continuations();
    case NT_RESULT_PERPLEXITY: return nt_csv_perplexity();
    case NT_RESULT_COMPARED:
        return (nt_csv_table){"model,stretch,differs,id,token,start,end", compared};
    case NT_RESULT_COUNTS: return (nt_csv_table){"file,model,bytes,characters,tokens", counts};
    case NT_RESULT_TENSORS: return nt_csv_tensors();
    case NT_RESULT_DIFF: return nt_csv_diff();
    case NT_RESULT_VERSUS: return nt_csv_versus();
    case NT_RESULT_BENCH: return nt_csv_bench();
    default: return (nt_csv_table){0};
    }
}

static void header(nt_buffer *out, const char *columns, char separator, const char *prefix) {
    nt_buffer_puts(out, prefix);
    for (const char *c = columns; *c; c++)
        nt_buffer_putc(out, *c == ',' ? separator : *c);
    nt_buffer_putc(out, '\n');
}

int nt_view_csv(nt_buffer *out, const nt_result *trace, const nt_view_options *options) {
    nt_csv_table table = table_of(trace);
    if (!table.rows)
        return nt_fail(NT_E_UNSUPPORTED, "a result of kind %d has no CSV", (int)trace->kind);
    nt_csv to = {.out = out,
                 .trace = trace,
                 .in = nt_measure_of(options->bits),
                 .separator = options->format == NT_TSV ? '\t' : ',',
                 .prefix = options->row_prefix ? options->row_prefix : ""};
    if (!options->no_header)
        header(out, table.columns, to.separator,
               options->header_prefix ? options->header_prefix : "");
    table.rows(&to);
    return out->status;
}
