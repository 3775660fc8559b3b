/* Tokens as they come: ids, and where each stands in the text when that is asked for. */
#ifndef NT_TEXT_TOKENS_H
#define NT_TEXT_TOKENS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* White space at the two ends of a token, in characters. */
typedef struct nt_margin {
    size_t token;
    uint32_t leading, trailing;
} nt_margin;

typedef struct nt_tokens {
    int32_t *ids;            /* [n] */
    uint32_t *starts, *ends; /* [n] bytes [start, end); NULL unless `offsets`. While `tiled`, ends
                                are starts + 1: one array of n + 1 serves both */
    size_t n, capacity;
    nt_margin *margins; /* [n_margins] ascending: of tokens whose content does not tell it */
    size_t n_margins, margins_capacity;
    bool offsets; /* set before the first token */
    bool tiled;   /* so far each token begins where the one before it ends. Set with `offsets` where
                     only nt_tokens_put and the lane write; both give it up where it ends */
    bool trimmed; /* and this: margins are wanted */
    bool worded;  /* and this, beside offsets: words are wanted */
    uint32_t *words; /* [n] which word each is of, unless NULL */
    uint32_t word;   /* the next word's number */
} nt_tokens;         /* all zero is empty, without offsets */

/* Room for `more` further tokens, which then may be written behind n without a check. */
int nt_tokens_reserve(nt_tokens *tokens, size_t more);
/* Ends get an array of their own. */
int nt_tokens_untile(nt_tokens *tokens);
/* Tokens that follow begin at byte `start`, wherever the last one ended: in tiled ones a token that
 * means nothing may come between. */
int nt_tokens_skip(nt_tokens *tokens, uint32_t start);
int nt_tokens_put(nt_tokens *tokens, int32_t id, uint32_t start, uint32_t end);
/* The next token is bytes [n] of the normalized text, whatever its content is. */
int nt_tokens_put_margin(nt_tokens *tokens, const char *bytes, size_t n);
/* Tokens from number `first` on are one word, if words are wanted. */
void nt_tokens_word(nt_tokens *tokens, size_t first);
/* What tokenizers takes for white space at the ends of a token. */
nt_margin nt_margin_of(const char *bytes, size_t n);
void nt_tokens_shrink(nt_tokens *tokens); /* to what they need, where the system lets it */
void nt_tokens_clear(nt_tokens *tokens);  /* keeps the memory, and tiled as it is */
void nt_tokens_free(nt_tokens *tokens);

#endif
