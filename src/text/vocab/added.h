/* Added tokens: found in the text before anything else looks at it. */
#ifndef NT_TEXT_ADDED_H
#define NT_TEXT_ADDED_H

#include "text/vocab/lexicon.h"
#include "text/vocab/pairs.h"

enum { NT_MAX_ADDED_BYTES = 1024 }; /* longest content: bounds the time of a search */

typedef struct nt_added_token {
    int32_t id;
    bool single_word; /* no match beside a word character */
    bool lstrip;      /* takes the white space before it */
    bool rstrip;      /* takes the white space after it */
    bool normalized;  /* looked for after the others, in what they left */
    bool special;
    bool skipped; /* left out of decoded text with the special ones */
} nt_added_token;

/* A trie over the contents of some added tokens. */
typedef struct nt_trie {
    nt_pairs edges;    /* (node, byte) -> child; node 0 is the root */
    uint32_t *tokens;  /* [n_nodes] token + 1 that ends here, 0 for none */
    uint32_t n_nodes;  /* 0: no tokens at all */
    bool starts[256];  /* bytes that some token starts with */
    uint32_t n_starts; /* how many of them */
    unsigned char last_start;
} nt_trie;

typedef struct nt_added {
    nt_added_token *tokens; /* [n] */
    size_t n, capacity;
    size_t n_new;            /* tokens among them that the model's vocabulary lacks */
    nt_trie raw, normalized; /* what each of the two passes looks for */
} nt_added;

/* Adds a token as tokenizers does: where the vocabulary has its content it keeps that id; new ones
 * are numbered on from n_model, the number of tokens in the model's vocabulary. Ids that the file
 * states are not read there either; two tokens with one id, which a vocabulary with holes can lead
 * to and tokenizers lets pass, are refused. Content that was added before gets the new flags. Empty
 * content is passed over. Errors: FORMAT, UNSUPPORTED (too long), MEMORY. */
int nt_added_add(nt_added *added, nt_lexicon *lexicon, size_t n_model, const char *content,
                 size_t n, nt_added_token flags, const char *where);
/* Turns *bytes [*n], the content of a token, into what is looked for in normalized text, valid
 * until the next call. */
typedef int nt_added_normalize(void *payload, const char **bytes, size_t *n);
/* Builds the tries; after the last nt_added_add. normalize (NULL: contents stay as they are) is
 * called for normalized tokens. Of two that it makes equal the one added first is found; tokenizers
 * takes one of them by chance. One that it leaves nothing of is never found.
 * Errors: normalize's, UNSUPPORTED (too long), MEMORY. */
int nt_added_finish(nt_added *added, const nt_lexicon *lexicon, nt_added_normalize *normalize,
                    void *payload);
/* The added token that a piece is, or NULL. */
const nt_added_token *nt_added_of(const nt_added *added, const nt_piece *piece);
void nt_added_free(nt_added *added);

/* Cuts a text at the tokens of one trie. */
typedef struct nt_added_scan {
    const nt_added *added;
    const nt_trie *trie;
    const char *text;
    size_t n;
    bool skip_special; /* matches of special tokens stay text */
    size_t at;         /* where the search goes on */
    size_t start;      /* end of the last span that was handed out */
    const nt_added_token *pending;
    size_t pending_start, pending_end;
    size_t run_end; /* of the white space behind the last match that took it */
} nt_added_scan;

typedef struct nt_span {
    size_t start, end;
    const nt_added_token *token; /* NULL: text */
} nt_span;

/* The next span, text or token; false at the end. Spans of tokens may overlap the one before, as in
 * tokenizers, when rstrip took white space that is itself an added token. */
bool nt_added_next(nt_span *span, nt_added_scan *scan);

/* Whether some token may be found at a place before the space text[at] that it takes, or across it:
 * then a text is not the same when it is cut there. Looks at what stands there only. */
bool nt_added_crosses(const nt_added *added, const char *text, size_t n, size_t at);

#endif
