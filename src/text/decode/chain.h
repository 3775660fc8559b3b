/* Decoders at work, one behind the other, each taking tokens as they come and handing on what it
 * can already tell: whole texts and streams are made by the same steps.
 *
 * ByteLevel and Fuse make one token of all. Decoders behind them get it in pieces, each of whole
 * characters; those that must see all of it at once (a regular expression) keep it to the end. */
#ifndef NT_TEXT_CHAIN_H
#define NT_TEXT_CHAIN_H

#include "base/buffer.h"
#include "text/decode/decoder.h"

typedef struct nt_stage {
    const nt_decoder *decoder;
    bool joined;  /* a decoder before this one makes one token of all */
    bool gathers; /* keeps all to the end */
    bool raw;     /* any bytes may be handed on: no regular expression follows */
    bool past;    /* SPACES, METASPACE: the first token; STRIP: the beginning; joined BYTE_FALLBACK:
                     what could still be one byte */
    bool bad;     /* BYTE_FALLBACK: the run is no UTF-8 */
    size_t count; /* REPLACE: bytes of the needle that stand; STRIP: characters that were cut;
                     BYTE_FALLBACK: bytes of the run that are UTF-8 */
    size_t held;  /* STRIP: characters that would be cut if the text ended here */
    nt_buffer kept; /* not handed on yet */
    nt_buffer out;
} nt_stage;

typedef struct nt_chain {
    const nt_decoders *decoders;
    nt_stage *stages; /* [n] */
    size_t n;
    bool steady; /* a plain token would add its own bytes */
    bool inside; /* spelling: what a token adds, whatever follows */
    nt_pattern_work pattern;
    nt_buffer *out; /* the text; the caller's */
} nt_chain;

int nt_chain_start(nt_chain *chain, const nt_decoders *decoders);
void nt_chain_free(nt_chain *chain);
/* Puts a token, or the end, behind which the chain starts anew. Errors: UNSUPPORTED (a match
 * limit), MEMORY. */
int nt_chain_put(nt_chain *chain, const nt_lexicon *lexicon, const nt_piece *piece);
int nt_chain_end(nt_chain *chain);

/* As if texts stood before and nothing were kept. */
void nt_chain_settle(nt_chain *chain);
/* Puts a content without a look at its spelled bytes. */
int nt_chain_put_content(nt_chain *chain, const char *content, size_t n);

#endif
