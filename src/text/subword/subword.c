#include "text/subword/subword.h"

void nt_subword_work_free(nt_subword_work *work) {
    nt_bpe_work_free(&work->bpe);
    nt_unigram_work_free(&work->unigram);
}

void nt_subword_free(nt_subword *subword) {
    nt_bpe_free(&subword->bpe);
    nt_unigram_free(&subword->unigram);
    subword->n_pieces = 0;
}

static int word_level(nt_tokens *out, const nt_subword *subword, const nt_lexicon *lexicon,
                      const char *word, size_t n) {
    const nt_piece *piece = nt_lexicon_find(lexicon, word, n);
    size_t number = piece ? (size_t)(piece - lexicon->pieces) : 0;
    bool known = piece && (!subword->n_pieces || number < subword->n_pieces);
    int32_t id = known ? (int32_t)piece->id : subword->unk;
    if (id < 0) {
        return nt_fail(
            NT_E_UNSUPPORTED,
            "the vocabulary has neither the word \"%.*s\"%s nor the unknown token; leave "
            "it out of the text or use another tokenizer",
            n > 60 ? 60 : (int)n, word, n > 60 ? ".." : "");
    }
    return nt_tokens_put(out, id, 0, (uint32_t)n);
}

int nt_subword_tokenize(nt_tokens *out, const nt_subword *subword, const nt_lexicon *lexicon,
                        nt_subword_work *work, const char *word, size_t n) {
    switch (subword->kind) {
    case NT_BPE:
        return nt_bpe_chars(out, &subword->bpe, subword->unk, lexicon, &work->bpe, word, n);
    case NT_UNIGRAM:
        return nt_unigram_tokenize(out, &subword->unigram, subword->unk, lexicon, &work->unigram,
                                   word, n);
    case NT_WORD_LEVEL: break;
    }
    return word_level(out, subword, lexicon, word, n);
}
