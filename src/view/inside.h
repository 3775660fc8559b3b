/* Inside: what the views of layers and attention share: what is shown of a long text, classes,
 * names.
 */
#ifndef NT_VIEW_INSIDE_H
#define NT_VIEW_INSIDE_H

#include "trace/trace.h"
#include "view/strip.h"

/* Positions [first, first + n). */
typedef struct nt_window {
    size_t first, n;
} nt_window;

/* Those up to `position` (-1: the last), at most `most` of them. */
nt_window nt_inside_window(const nt_result *trace, int64_t position, size_t most);
/* ARGUMENT for a position that the text does not have. */
int nt_inside_check(const nt_result *trace, int64_t position);

/* "embedding", "block 0", .. of a layer of nt_result_layer. */
typedef struct nt_layer_name {
    char s[32];
} nt_layer_name;
nt_layer_name nt_layer_name_of(size_t layer);

/* How sure a layer is of its likeliest: 0 under 1 %, 1 to 10 %, 2 to 50 %, 3 from there on. */
int nt_layer_class(double prob);
/* The first layer whose likeliest id at t is that of the last layer. */
size_t nt_layer_decided(const nt_result *trace, size_t t);

/* What position t gives to s <= t. skip_first: its share of what the first token leaves; of the
 * first token NaN. */
double nt_attention_share(const nt_result *trace, const nt_head_weights *of, size_t t, size_t s,
                          bool skip_first);
/* The s that t gives most to; t itself where skip_first leaves nothing. */
size_t nt_attention_most(const nt_result *trace, const nt_head_weights *of, size_t t,
                         bool skip_first);
/* "layer 3, head 7", "layer 3, mean of its heads" */
typedef struct nt_attention_name {
    char s[64];
} nt_attention_name;
nt_attention_name nt_attention_name_of(const nt_head_weights *of);

/* What one head does over a text, mean over the positions from 1 on: shares of the first token, of
 * the one before, of the token itself (each counted once, in this order), and the rest. */
typedef struct nt_attention_habit {
    double first, previous, itself, rest;
} nt_attention_habit;
nt_attention_habit nt_attention_habit_of(const nt_result *trace, const nt_head_weights *of);

/* A token in at most `width` columns, cut with a mark, and blanks up to there. */
void nt_inside_token(nt_strip *line, const nt_token *token, size_t width, uint8_t style);

/* Words that a line may break between. */
void nt_inside_words(nt_strip *line, const char *words, uint8_t style);
/* "the last 6 of 40 positions; --position N shows those up to N"; nothing where all are shown. */
void nt_inside_note(nt_strip *line, const nt_result *trace, nt_window shown, const char *what);

#endif
