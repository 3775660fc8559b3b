/* The "model" section of tokenizer.json: what turns one word into tokens. */
#ifndef NT_TEXT_SUBWORD_H
#define NT_TEXT_SUBWORD_H

#include "text/subword/bpe.h"
#include "text/subword/unigram.h"
#include "text/tokens.h"

typedef enum nt_subword_kind { NT_BPE, NT_WORD_LEVEL, NT_UNIGRAM } nt_subword_kind;

typedef struct nt_subword {
    nt_subword_kind kind;
    nt_bpe bpe;         /* BPE */
    nt_unigram unigram; /* UNIGRAM */
    int32_t unk;        /* id of the unknown token, -1 for none */
    size_t n_pieces;    /* WORD_LEVEL: the lexicon's first ones are the model's; 0: all are */
} nt_subword;

typedef struct nt_subword_work {
    nt_bpe_work bpe;
    nt_unigram_work unigram;
} nt_subword_work; /* all zero is empty; one thread's */

/* Appends the tokens of one word [n], n > 0, a part of a form: what each stands for is told in
 * bytes of the word (not of the text), as tokenizers does before it maps them back.
 * Errors: UNSUPPORTED (a character without a token where there is no unknown one: tokenizers would
 * leave it out in silence, and the text would no longer be the text that was given), MEMORY. */
int nt_subword_tokenize(nt_tokens *out, const nt_subword *subword, const nt_lexicon *lexicon,
                        nt_subword_work *work, const char *word, size_t n);
void nt_subword_work_free(nt_subword_work *work);
void nt_subword_free(nt_subword *subword);

#endif
