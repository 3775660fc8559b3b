/* CSV of scores: rows of the finest unit that was asked for, endings in the order given, and one
 * row for a file's perplexity. */
#include <math.h>
#include <string.h>

#include "view/csv_put.h"

/* ---- score ----------------------------------------------------------------------------------- */

static void tokens(nt_csv *to) {
    const nt_result *trace = to->trace;
    for (size_t i = 0; trace->scored && i < trace->n_tokens; i++) {
        const nt_scored *s = &trace->scored[i];
        nt_csv_begin(to);
        nt_csv_count(to, i);
        nt_csv_token(to, &trace->tokens[i]);
        nt_csv_number(to, to->in.scale * s->logprob);
        if (s->rank > 0)
            nt_csv_whole(to, s->rank);
        else
            nt_csv_word(to, "");
        nt_csv_number(to, to->in.scale * s->entropy);
        nt_csv_truth(to, s->counted);
        nt_csv_end(to);
    }
}

static void words(nt_csv *to) {
    for (size_t i = 0; i < to->trace->n_words; i++) {
        const nt_unit *word = &to->trace->words[i];
        nt_csv_begin(to);
        nt_csv_count(to, i);
        nt_csv_string(to, word->bytes, word->n_bytes);
        nt_csv_count(to, word->start);
        nt_csv_count(to, word->end);
        nt_csv_count(to, word->first);
        nt_csv_count(to, word->n_tokens);
        nt_csv_number(to, nt_surprisal(to->in, word->logprob));
        nt_csv_number(to, nt_surprisal(to->in, word->corrected));
        nt_csv_truth(to, word->counted);
        nt_csv_end(to);
    }
}

static void chars(nt_csv *to) {
    for (size_t i = 0; i < to->trace->n_chars; i++) {
        const nt_unit *c = &to->trace->chars[i];
        nt_csv_begin(to);
        nt_csv_count(to, i);
        nt_csv_string(to, c->bytes, c->n_bytes);
        nt_csv_count(to, c->start);
        nt_csv_count(to, c->end);
        nt_csv_number(to, nt_surprisal(to->in, c->logprob));
        nt_csv_end(to);
    }
}

static void sums(nt_csv *to) {
    const nt_totals *totals = &to->trace->totals;
    nt_csv_begin(to);
    nt_csv_count(to, to->trace->n_tokens);
    nt_csv_count(to, totals->n_counted);
    nt_csv_number(to, to->in.scale * totals->logprob);
    nt_csv_number(to, to->in.scale * totals->loss);
    nt_csv_number(to, totals->perplexity);
    nt_csv_number(to, totals->bits_per_byte);
    nt_csv_end(to);
}

nt_csv_table nt_csv_score(const nt_result *trace) {
    unsigned by = nt_shown_by(trace);
    if (by & NT_BY_CHAR) return (nt_csv_table){"index,char,start,end,surprisal", chars};
    if (by & NT_BY_WORD)
        return (nt_csv_table){
            "index,word,start,end,first,n_tokens,surprisal,surprisal_corrected,counted", words};
    if (by & NT_BY_TOKEN)
        return (nt_csv_table){"index,id,token,logprob,rank,entropy,counted", tokens};
    return (nt_csv_table){"n_tokens,counted,logprob,loss,perplexity,bits_per_byte", sums};
}

/* ---- continuations --------------------------------------------------------------------------- */

static void continuations(nt_csv *to) {
    for (size_t i = 0; i < to->trace->n_continuations; i++) {
        const nt_continuation *c = &to->trace->continuations[i];
        nt_csv_begin(to);
        nt_csv_count(to, i);
        nt_csv_words(to, c->text);
        nt_csv_word(to, "");
        for (size_t t = 0; t < c->n_tokens; t++)
            nt_buffer_printf(to->out, t > 0 ? " %d" : "%d", (int)c->tokens[t].id);
        nt_csv_count(to, c->n_tokens);
        nt_csv_number(to, to->in.scale * c->logprob);
        nt_csv_number(to, to->in.scale * c->per_byte);
        nt_csv_number(to, c->share);
        nt_csv_whole(to, c->place);
        nt_csv_truth(to, c->greedy);
        nt_csv_end(to);
    }
}

nt_csv_table nt_csv_continuations(void) {
    return (nt_csv_table){"index,text,ids,n_tokens,logprob,logprob_per_byte,share,place,greedy",
                          continuations};
}

/* ---- perplexity ------------------------------------------------------------------------------ */

static void perplexity(nt_csv *to) {
    const nt_result *trace = to->trace;
    const nt_totals *totals = &trace->totals;
    const nt_fact *first = nt_fact_of(trace, "first_token");
    nt_csv_begin(to);
    nt_csv_plain(to, nt_fact_number_of(trace, "tokens", (double)trace->n_tokens));
    nt_csv_count(to, totals->n_counted);
    nt_csv_plain(to, nt_fact_number_of(trace, "bytes", (double)totals->n_bytes));
    nt_csv_count(to, trace->window);
    nt_csv_count(to, trace->stride);
    nt_csv_count(to, trace->n_windows);
    nt_csv_words(to, first ? first->text : NULL);
    nt_csv_words(to, to->in.name);
    nt_csv_number(to, to->in.scale * totals->loss);
    nt_csv_number(to, to->in.scale * totals->loss_stderr);
    nt_csv_number(to, totals->perplexity);
    nt_csv_number(to, totals->perplexity_stderr);
    nt_csv_number(to, totals->bits_per_byte);
    nt_csv_number(to, nt_measure_of(true).scale * totals->loss);
    nt_csv_number(to, to->in.scale * nt_fact_number_of(trace, "loss_as_transformers", NAN));
    nt_csv_number(to, nt_fact_number_of(trace, "perplexity_as_transformers", NAN));
    nt_csv_end(to);
}

nt_csv_table nt_csv_perplexity(void) {
    return (nt_csv_table){
        "tokens,counted,bytes,window,stride,windows,first_token,unit,loss,loss_stderr,perplexity,"
        "stderr,bits_per_byte,bits_per_token,loss_as_transformers,perplexity_as_transformers",
        perplexity};
}
