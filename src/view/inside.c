/* What the views of layers and attention share. */
#include "view/inside.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "view/figure.h"

nt_window nt_inside_window(const nt_result *trace, int64_t position, size_t most) {
    size_t end = trace->n_tokens;
    if (position >= 0 && (uint64_t)position < end) end = (size_t)position + 1;
    size_t n = end < most ? end : most;
    return (nt_window){end - n, n};
}

int nt_inside_check(const nt_result *trace, int64_t position) {
    if (position < 0 || (uint64_t)position < trace->n_tokens) return NT_OK;
    return nt_fail(NT_E_ARGUMENT, "position %lld; the text's tokens are 0 .. %zu",
                   (long long)position, trace->n_tokens > 0 ? trace->n_tokens - 1 : 0);
}

nt_layer_name nt_layer_name_of(size_t layer) {
    nt_layer_name name = {"embedding"};
    if (layer > 0) snprintf(name.s, sizeof name.s, "block %zu", layer - 1);
    return name;
}

int nt_layer_class(double prob) {
    return prob >= 0.5 ? 3 : prob >= 0.1 ? 2 : prob >= 0.01 ? 1 : 0;
}

static int32_t likeliest(const nt_result *trace, size_t layer, size_t t) {
    const nt_layer_cell *cell = nt_result_layer(trace, layer, t);
    return cell && cell->n_likeliest > 0 ? cell->likeliest[0].token.id : -1;
}

size_t nt_layer_decided(const nt_result *trace, size_t t) {
    size_t last = trace->n_layers - 1, layer = 0;
    while (layer < last && likeliest(trace, layer, t) != likeliest(trace, last, t))
        layer++;
    return layer;
}

double nt_attention_share(const nt_result *trace, const nt_head_weights *of, size_t t, size_t s,
                          bool skip_first) {
    const float *row = of->weights + t * trace->n_tokens;
    if (!skip_first) return row[s];
    if (s == 0) return NAN;
    double sum = 0;
    for (size_t i = 1; i <= t; i++)
        sum += row[i];
    return sum > 0 ? row[s] / sum : 0;
}

size_t nt_attention_most(const nt_result *trace, const nt_head_weights *of, size_t t,
                         bool skip_first) {
    const float *row = of->weights + t * trace->n_tokens;
    size_t best = skip_first && t > 0 ? 1 : 0;
    for (size_t s = best + 1; s <= t; s++)
        if (row[s] > row[best]) best = s;
    return best;
}

nt_attention_name nt_attention_name_of(const nt_head_weights *of) {
    nt_attention_name name;
    if (of->head == NT_EVERY)
        snprintf(name.s, sizeof name.s, "layer %d, mean of its heads", (int)of->layer);
    else
        snprintf(name.s, sizeof name.s, "layer %d, head %d", (int)of->layer, (int)of->head);
    return name;
}

nt_attention_habit nt_attention_habit_of(const nt_result *trace, const nt_head_weights *of) {
    nt_attention_habit habit = {0};
    size_t T = trace->n_tokens;
    for (size_t t = 1; t < T; t++) {
        const float *row = of->weights + t * T;
        habit.first += row[0];
        if (t > 1) habit.previous += row[t - 1];
        habit.itself += row[t];
    }
    double n = T > 1 ? (double)(T - 1) : 1;
    habit.first /= n;
    habit.previous /= n;
    habit.itself /= n;
    habit.rest = fmax(0, 1 - habit.first - habit.previous - habit.itself);
    return habit;
}

void nt_inside_token(nt_strip *line, const nt_token *token, size_t width, uint8_t style) {
    size_t first = line->n, n;
    if (token->n_bytes > 0) {
        nt_strip_show(line, token->bytes, token->n_bytes, NT_SHOW_TOKEN, style);
    } else if (token->id >= 0) {
        nt_strip_puts(line, "#", style);
        nt_strip_puts(line, nt_figure_plain(token->id).s, style);
    }
    if (line->status != NT_OK) return;
    n = line->n - first;
    if (nt_strip_cut(line, &first, &n, width, false)) {
        line->n = first + n;
        nt_strip_puts(line, line->ascii ? "~" : "\xE2\x80\xA6", style);
    }
    for (size_t used = nt_strip_width(line, first, line->n - first); used < width; used++)
        nt_strip_puts(line, " ", style);
}

void nt_inside_words(nt_strip *line, const char *words, uint8_t style) {
    nt_strip_show(line, words, strlen(words), NT_SHOW_TEXT, style);
}

void nt_inside_note(nt_strip *line, const nt_result *trace, nt_window shown, const char *what) {
    if (shown.n == trace->n_tokens) return;
    char text[200];
    bool last = shown.first + shown.n == trace->n_tokens, one = last && shown.n == 1;
    snprintf(text, sizeof text, "%s%s of %s %s; --position N shows those up to N",
             last ? (one ? "the last" : "the last ") : "", one ? "" : nt_figure_count(shown.n).s,
             nt_figure_count(trace->n_tokens).s, what);
    nt_inside_words(line, text, NT_STYLE_DIM);
}
