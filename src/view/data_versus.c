/* JSON and CSV of one text seen by two. */
#include "view/csv_put.h"
#include "view/json_put.h"

/* Values of all tokens under a name, of a and b apart: "logprobs": [[..], [..]]. */
static void both(nt_buffer *out, const nt_result *trace, const char *name,
                 void (*put)(nt_buffer *out, const nt_versus_token *token, size_t s, double scale),
                 double scale) {
    nt_put_key(out, name);
    nt_put_open(out, '[');
    for (size_t s = 0; s < 2; s++) {
        nt_put_open(out, '[');
        for (size_t i = 0; i < trace->n_tokens; i++)
            put(out, &trace->versus[i], s, scale);
        nt_buffer_putc(out, ']');
    }
    nt_buffer_putc(out, ']');
}

static void put_logprob(nt_buffer *out, const nt_versus_token *token, size_t s, double scale) {
    nt_put_number(out, scale * token->logprob[s]);
}

static void put_entropy(nt_buffer *out, const nt_versus_token *token, size_t s, double scale) {
    nt_put_number(out, scale * token->entropy[s]);
}

static void put_divergence(nt_buffer *out, const nt_versus_token *token, size_t s, double scale) {
    nt_put_number(out, scale * token->divergence[s]);
}

static void put_rank(nt_buffer *out, const nt_versus_token *token, size_t s, double scale) {
    (void)scale;
    if (token->rank[s] > 0)
        nt_put_whole(out, token->rank[s]);
    else
        nt_put_null(out);
}

static void put_likeliest(nt_buffer *out, const nt_versus_token *token, size_t s, double scale) {
    (void)scale;
    if (token->likeliest[s].id < 0) {
        nt_put_null(out);
        return;
    }
    nt_put_open(out, '{');
    nt_put_token(out, &token->likeliest[s]);
    nt_member_number(out, "prob", token->likeliest_prob[s]);
    nt_buffer_putc(out, '}');
}

static void put_side(nt_buffer *out, const nt_versus_totals *totals, size_t s, double scale) {
    const nt_totals *of = &totals->side[s];
    nt_put_key(out, s == 0 ? "a" : "b");
    nt_put_open(out, '{');
    nt_member_words(out, "label", totals->label[s]);
    nt_member_number(out, "logprob", scale * of->logprob);
    nt_member_number(out, "loss", scale * of->loss);
    nt_member_number(out, "perplexity", of->perplexity);
    nt_member_number(out, "bits_per_byte", of->bits_per_byte);
    nt_member_number(out, "divergence", scale * totals->divergence[s]);
    nt_member_number(out, "divergence_max", scale * totals->divergence_max[s]);
    nt_member_count(out, "infinite", totals->n_infinite[s]);
    nt_buffer_putc(out, '}');
}

void nt_json_versus(nt_buffer *out, const nt_result *trace, nt_measure in) {
    const nt_versus_totals *totals = &trace->versus_totals;
    put_side(out, totals, 0, in.scale);
    put_side(out, totals, 1, in.scale);
    nt_put_ids(out, "ids", trace->tokens, trace->n_tokens);
    nt_put_tokens(out, trace->tokens, trace->n_tokens);
    both(out, trace, "logprobs", put_logprob, in.scale);
    both(out, trace, "ranks", put_rank, 1);
    both(out, trace, "entropies", put_entropy, in.scale);
    both(out, trace, "divergences", put_divergence, in.scale);
    both(out, trace, "likeliest", put_likeliest, 1);
    nt_member_count(out, "prompt_len", trace->prompt_len);
    nt_member_count(out, "counted", totals->side[0].n_counted);
    nt_member_count(out, "flips", totals->n_flips);
    nt_member_number(out, "agreement", totals->agreement);
    nt_member_words(out, "unit", in.name);
}

static void csv_rank(nt_csv *to, int64_t rank) {
    if (rank > 0)
        nt_csv_whole(to, rank);
    else
        nt_csv_word(to, "");
}

static void rows(nt_csv *to) {
    const nt_result *trace = to->trace;
    for (size_t i = 0; i < trace->n_tokens; i++) {
        const nt_versus_token *v = &trace->versus[i];
        nt_csv_begin(to);
        nt_csv_count(to, i);
        nt_csv_token(to, &trace->tokens[i]);
        for (size_t s = 0; s < 2; s++)
            nt_csv_number(to, to->in.scale * v->logprob[s]);
        for (size_t s = 0; s < 2; s++)
            csv_rank(to, v->rank[s]);
        for (size_t s = 0; s < 2; s++)
            nt_csv_number(to, to->in.scale * v->entropy[s]);
        for (size_t s = 0; s < 2; s++)
            nt_csv_number(to, to->in.scale * v->divergence[s]);
        for (size_t s = 0; s < 2; s++)
            nt_csv_string(to, v->likeliest[s].bytes, v->likeliest[s].n_bytes);
        nt_csv_truth(to, v->counted);
        nt_csv_end(to);
    }
}

nt_csv_table nt_csv_versus(void) {
    return (nt_csv_table){"index,id,token,logprob_a,logprob_b,rank_a,rank_b,entropy_a,entropy_b,"
                          "divergence_a,divergence_b,likeliest_a,likeliest_b,counted",
                          rows};
}
