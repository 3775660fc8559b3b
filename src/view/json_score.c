/* JSON of scores: a text's, those of given endings, and a whole file's perplexity. By TEXT alone an
 * object is sums only: small lines for millions of texts. */
#include <math.h>
#include <string.h>

#include "view/json_put.h"

/* ---- score ----------------------------------------------------------------------------------- */

/* The likeliest ids at each place, likeliest first; null where there is no choice. */
static void alternatives(nt_buffer *out, const nt_result *trace, nt_measure in) {
    nt_put_key(out, "alternatives");
    nt_put_open(out, '[');
    for (size_t i = 0; i < trace->n_steps; i++) {
        const nt_trace_step *step = &trace->steps[i];
        if (step->n_candidates == 0) {
            nt_put_null(out);
            continue;
        }
        nt_put_open(out, '[');
        for (size_t c = 0; c < step->n_candidates; c++) {
            nt_put_open(out, '{');
            nt_put_token(out, &step->candidates[c].token);
            nt_member_number(out, "logprob", in.scale * step->candidates[c].logprob);
            nt_member_number(out, "prob", step->candidates[c].prob);
            nt_buffer_putc(out, '}');
        }
        nt_buffer_putc(out, ']');
    }
    nt_buffer_putc(out, ']');
}

static void by_token(nt_buffer *out, const nt_result *trace, nt_measure in) {
    size_t n = trace->scored ? trace->n_tokens : 0;
    nt_put_ids(out, "ids", trace->tokens, trace->n_tokens);
    nt_put_tokens(out, trace->tokens, trace->n_tokens);
    nt_put_scored(out, trace->scored, n, in);
    nt_put_key(out, "entropies");
    nt_put_open(out, '[');
    for (size_t i = 0; i < n; i++)
        nt_put_number(out, in.scale * trace->scored[i].entropy);
    nt_buffer_putc(out, ']');
    if (trace->n_steps > 0) alternatives(out, trace, in);
}

static void by_word(nt_buffer *out, const nt_result *trace, nt_measure in) {
    nt_put_key(out, "words");
    nt_put_open(out, '[');
    for (size_t i = 0; i < trace->n_words; i++) {
        const nt_unit *word = &trace->words[i];
        nt_put_open(out, '{');
        nt_put_text(out, "word", word->bytes, word->n_bytes);
        nt_member_count(out, "start", word->start);
        nt_member_count(out, "end", word->end);
        nt_member_count(out, "first", word->first);
        nt_member_count(out, "n_tokens", word->n_tokens);
        nt_member_number(out, "surprisal", nt_surprisal(in, word->logprob));
        nt_member_number(out, "surprisal_corrected", nt_surprisal(in, word->corrected));
        nt_member_truth(out, "counted", word->counted);
        nt_buffer_putc(out, '}');
    }
    nt_buffer_putc(out, ']');
    nt_member_words(out, "correction", nt_correction_name(trace->correction));
}

static void by_char(nt_buffer *out, const nt_result *trace, nt_measure in) {
    nt_put_key(out, "chars");
    nt_put_open(out, '[');
    for (size_t i = 0; i < trace->n_chars; i++) {
        const nt_unit *c = &trace->chars[i];
        nt_put_open(out, '{');
        nt_put_text(out, "char", c->bytes, c->n_bytes);
        nt_member_count(out, "start", c->start);
        nt_member_count(out, "end", c->end);
        nt_member_number(out, "surprisal", nt_surprisal(in, c->logprob));
        nt_buffer_putc(out, '}');
    }
    nt_buffer_putc(out, ']');
}

static void windows(nt_buffer *out, const nt_result *trace) {
    nt_member_count(out, "window", trace->window);
    nt_member_count(out, "stride", trace->stride);
    nt_member_count(out, "windows", trace->n_windows);
}

void nt_json_score(nt_buffer *out, const nt_result *trace, nt_measure in) {
    const nt_totals *totals = &trace->totals;
    unsigned by = nt_shown_by(trace);
    if (by & NT_BY_TOKEN) by_token(out, trace, in);
    if (by & NT_BY_WORD) by_word(out, trace, in);
    if (by & NT_BY_CHAR) by_char(out, trace, in);
    if (trace->n_windows > 0) windows(out, trace);
    nt_member_count(out, "prompt_len", trace->prompt_len);
    nt_member_count(out, "counted", totals->n_counted);
    nt_member_count(out, "bytes", totals->n_bytes);
    nt_member_number(out, "logprob", in.scale * totals->logprob);
    nt_member_number(out, "loss", in.scale * totals->loss);
    nt_member_number(out, "perplexity", totals->perplexity);
    nt_member_number(out, "bits_per_byte", totals->bits_per_byte);
    nt_member_number(out, "loss_stderr", in.scale * totals->loss_stderr);
    nt_member_number(out, "perplexity_stderr", totals->perplexity_stderr);
    nt_member_words(out, "unit", in.name);
}

/* ---- continuations --------------------------------------------------------------------------- */

static void continuation(nt_buffer *out, const nt_continuation *c, nt_measure in) {
    nt_put_open(out, '{');
    nt_put_text(out, "text", c->text ? c->text : "", c->text ? strlen(c->text) : 0);
    nt_put_ids(out, "ids", c->tokens, c->n_tokens);
    nt_put_tokens(out, c->tokens, c->n_tokens);
    nt_put_scored(out, c->scored, c->n_tokens, in);
    nt_member_number(out, "logprob", in.scale * c->logprob);
    nt_member_number(out, "logprob_per_byte", in.scale * c->per_byte);
    nt_member_number(out, "share", c->share);
    nt_member_whole(out, "place", c->place);
    nt_member_truth(out, "greedy", c->greedy);
    nt_buffer_putc(out, '}');
}

void nt_json_continuations(nt_buffer *out, const nt_result *trace, nt_measure in) {
    size_t best = 0;
    nt_put_ids(out, "prompt_ids", trace->tokens, trace->n_tokens);
    nt_put_key(out, "continuations");
    nt_put_open(out, '[');
    for (size_t i = 0; i < trace->n_continuations; i++)
        continuation(out, &trace->continuations[i], in);
    nt_buffer_putc(out, ']');
    while (best < trace->n_continuations && trace->continuations[best].place != 1)
        best++;
    nt_put_key(out, "best");
    if (best < trace->n_continuations)
        nt_put_count(out, best);
    else
        nt_put_null(out);
    nt_member_words(out, "unit", in.name);
}

/* ---- perplexity ------------------------------------------------------------------------------ */

void nt_json_perplexity(nt_buffer *out, const nt_result *trace, nt_measure in) {
    const nt_totals *totals = &trace->totals;
    const nt_fact *first = nt_fact_of(trace, "first_token");
    nt_put_key(out, "tokens");
    nt_put_plain(out, nt_fact_number_of(trace, "tokens", (double)trace->n_tokens));
    nt_member_count(out, "counted", totals->n_counted);
    nt_put_key(out, "bytes");
    nt_put_plain(out, nt_fact_number_of(trace, "bytes", (double)totals->n_bytes));
    windows(out, trace);
    nt_member_words(out, "first_token", first ? first->text : NULL);
    nt_member_words(out, "unit", in.name);
    nt_member_number(out, "loss", in.scale * totals->loss);
    nt_member_number(out, "loss_stderr", in.scale * totals->loss_stderr);
    nt_member_number(out, "perplexity", totals->perplexity);
    nt_member_number(out, "stderr", totals->perplexity_stderr);
    nt_member_number(out, "bits_per_byte", totals->bits_per_byte);
    nt_member_number(out, "bits_per_token", nt_measure_of(true).scale * totals->loss);
    nt_member_number(out, "loss_as_transformers",
                     in.scale * nt_fact_number_of(trace, "loss_as_transformers", NAN));
    nt_member_number(out, "perplexity_as_transformers",
                     nt_fact_number_of(trace, "perplexity_as_transformers", NAN));
}
