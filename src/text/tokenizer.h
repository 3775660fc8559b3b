/* The tokenizer's insides.
 *
 * A text passes through: added tokens (vocab/added.h) -> normalizers (normal/) -> added tokens that
 * are looked for in what these leave -> pre-tokenizers (split/) -> model (subword/) -> what stands
 * around it (post/). Where all of these amount to a known pattern and byte-level BPE, a text takes
 * the lane (lane/lane.h): the same ids, many times faster. Ids come back through decode/. */
#ifndef NT_TEXT_TOKENIZER_H
#define NT_TEXT_TOKENIZER_H

#include "text/decode/decoder.h"
#include "text/lane/lane.h"
#include "text/normal/normalizer.h"
#include "text/post/post.h"
#include "text/split/pre_tokenizer.h"
#include "text/subword/subword.h"
#include "text/vocab/added.h"
#include "text/vocab/lexicon.h"

struct nt_tokenizer {
    nt_lexicon lexicon;
    size_t n_model; /* tokens of the model's own vocabulary, added ones not counted */
    nt_added added;
    nt_normalizers normalizers;
    nt_pre_tokenizers pre_tokenizers;
    nt_subword subword;
    nt_post post;
    nt_truncation truncation;
    nt_padding padding;
    nt_decoders decoders;
    nt_lane lane;
    int32_t bos, eos, pad; /* -1: none */
};

/* One thread's memory for encoding; all zero is empty. */
typedef struct nt_text_work {
    nt_form form; /* of a stretch between added tokens */
    nt_form part; /* of what the second search for them left */
    nt_splits splits;
    nt_pattern_work pattern;
    nt_subword_work subword;
    nt_lane_work lane;
} nt_text_work;

void nt_text_work_free(nt_text_work *work);

/* Bytes [start, end) of a text, well-formed UTF-8 -> their tokens with nothing around them,
 * appended to `out`; offsets count from the text's beginning. What stands before and behind them is
 * not looked at. */
int nt_tokens_of_text(nt_tokens *out, const nt_tokenizer *tokenizer, nt_text_work *work,
                      const char *text, size_t start, size_t end, const nt_encode_options *options);
/* Whether the tokens of a text begin where the one before ends, but for rare ones. */
bool nt_tokenizer_tiles(const nt_tokenizer *tokenizer);

/* Whether a text that is cut at nt_scan_border has the tokens of its parts. */
bool nt_tokenizer_may_cut(const nt_tokenizer *tokenizer);
/* Where such a text may be cut, soon after low > 0 if it may be there: at a border that no added
 * token lies across or takes the space of; n when there is none. */
size_t nt_tokenizer_border(const nt_tokenizer *tokenizer, const char *text, size_t n, size_t low);

/* A tokenizer from the bytes [n] of a tokenizer.json, of nt_alloc, which become its own, also on
 * failure; `where` is the name for messages. Ids of the roles: -1 for none.
 * Errors: as nt_tokenizer_open's. */
int nt_tokenizer_take(nt_tokenizer **out, char *bytes, size_t n, const char *where, int32_t bos,
                      int32_t eos, int32_t pad);

/* After all sections are read: tries, spelled bytes, the lane. */
int nt_tokenizer_finish(nt_tokenizer *tokenizer);

#endif
