/* Layers and attention as JSON and CSV. */
#include "view/csv_put.h"
#include "view/json_put.h"

/* ---- JSON ------------------------------------------------------------------------------------ */

static void put_cell(nt_buffer *out, const nt_layer_cell *cell, nt_measure in) {
    nt_put_open(out, '{');
    nt_put_key(out, "likeliest");
    nt_put_open(out, '[');
    for (size_t i = 0; i < cell->n_likeliest; i++) {
        nt_put_open(out, '{');
        nt_put_token(out, &cell->likeliest[i].token);
        nt_member_number(out, "prob", cell->likeliest[i].prob);
        nt_member_number(out, "logprob", in.scale * cell->likeliest[i].logprob);
        nt_buffer_putc(out, '}');
    }
    nt_buffer_putc(out, ']');
    nt_member_number(out, "entropy", in.scale * cell->entropy);
    nt_member_whole(out, "next_rank", cell->next_rank);
    nt_member_number(out, "next_prob", cell->next_prob);
    nt_member_number(out, "next_logprob", in.scale * cell->next_logprob);
    nt_buffer_putc(out, '}');
}

static void put_layers(nt_buffer *out, const nt_result *trace, nt_measure in) {
    nt_put_tokens(out, trace->tokens, trace->n_tokens);
    nt_put_key(out, "next");
    nt_put_open(out, '[');
    for (size_t t = 0; t < trace->n_tokens; t++) {
        nt_put_open(out, '{');
        nt_put_token(out, &trace->layer_next[t]);
        nt_buffer_putc(out, '}');
    }
    nt_buffer_putc(out, ']');
    nt_put_key(out, "layers");
    nt_put_open(out, '[');
    for (size_t layer = 0; layer < trace->n_layers; layer++) {
        nt_put_open(out, '[');
        for (size_t t = 0; t < trace->n_tokens; t++)
            put_cell(out, nt_result_layer(trace, layer, t), in);
        nt_buffer_putc(out, ']');
    }
    nt_buffer_putc(out, ']');
}

static void put_attention(nt_buffer *out, const nt_result *trace, const nt_head_weights *of) {
    size_t T = trace->n_tokens;
    nt_put_open(out, '{');
    nt_member_whole(out, "layer", of->layer);
    nt_member_id(out, "head", of->head);
    nt_put_key(out, "weights");
    nt_put_open(out, '[');
    for (size_t t = 0; t < T; t++) {
        nt_put_open(out, '[');
        for (size_t s = 0; s < T; s++)
            nt_put_number(out, of->weights[t * T + s]);
        nt_buffer_putc(out, ']');
    }
    nt_buffer_putc(out, ']');
}

enum { MOST_VALUES = 500000 }; /* of heads on a page */

void nt_json_inside(nt_buffer *out, const nt_result *trace, nt_measure in, bool on_page) {
    if (trace->n_layers > 0) put_layers(out, trace, in);
    if (trace->n_attentions == 0) return;
    if (trace->n_layers == 0) nt_put_tokens(out, trace->tokens, trace->n_tokens);
    nt_put_key(out, "attention");
    put_attention(out, trace, &trace->attentions[0]);
    double n_values = (double)trace->n_attentions * (double)trace->n_tokens;
    bool few = n_values * (double)trace->n_tokens <= MOST_VALUES;
    if (trace->n_attentions > 1 && (few || !on_page)) {
        nt_put_key(out, "heads");
        nt_put_open(out, '[');
        for (size_t i = 1; i < trace->n_attentions; i++) {
            put_attention(out, trace, &trace->attentions[i]);
            nt_buffer_putc(out, '}');
        }
        nt_buffer_putc(out, ']');
    }
    nt_buffer_putc(out, '}');
}

/* ---- CSV ------------------------------------------------------------------------------------- */

/* A row a candidate. */
static void layers(nt_csv *to) {
    const nt_result *trace = to->trace;
    for (size_t layer = 0; layer < trace->n_layers; layer++) {
        for (size_t t = 0; t < trace->n_tokens; t++) {
            const nt_layer_cell *cell = nt_result_layer(trace, layer, t);
            for (size_t i = 0; i < cell->n_likeliest; i++) {
                nt_csv_begin(to);
                nt_csv_count(to, layer);
                nt_csv_count(to, t);
                nt_csv_count(to, i + 1);
                nt_csv_token(to, &cell->likeliest[i].token);
                nt_csv_number(to, cell->likeliest[i].prob);
                nt_csv_number(to, to->in.scale * cell->likeliest[i].logprob);
                nt_csv_number(to, to->in.scale * cell->entropy);
                nt_csv_whole(to, cell->next_rank);
                nt_csv_number(to, cell->next_prob);
                nt_csv_end(to);
            }
        }
    }
}

/* A row a weight, those behind a position left out. */
static void attention(nt_csv *to) {
    const nt_result *trace = to->trace;
    size_t T = trace->n_tokens;
    for (size_t i = 0; i < trace->n_attentions; i++) {
        const nt_head_weights *of = &trace->attentions[i];
        for (size_t t = 0; t < T; t++) {
            for (size_t s = 0; s <= t; s++) {
                nt_csv_begin(to);
                nt_csv_whole(to, of->layer);
                if (of->head == NT_EVERY)
                    nt_csv_word(to, "");
                else
                    nt_csv_whole(to, of->head);
                nt_csv_count(to, t);
                nt_csv_token(to, &trace->tokens[t]);
                nt_csv_count(to, s);
                nt_csv_token(to, &trace->tokens[s]);
                nt_csv_number(to, of->weights[t * T + s]);
                nt_csv_end(to);
            }
        }
    }
}

nt_csv_table nt_csv_inside(const nt_result *trace) {
    if (trace->n_layers > 0)
        return (nt_csv_table){
            "layer,position,rank,id,token,prob,logprob,entropy,next_rank,next_prob", layers};
    return (nt_csv_table){"layer,head,position,id,token,to,to_id,to_token,weight", attention};
}
