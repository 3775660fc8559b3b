/* Reading a BPE model's vocabulary and merges, as both tokenizer.json and the pair of files have
 * them. */
#include <string.h>

#include "text/tokenizer.h"

int nt_read_vocab(nt_tokenizer *tokenizer, const json_t *vocab, const char *where) {
    if (!json_is_object(vocab)) {
        return nt_fail(NT_E_FORMAT, "%s: the vocabulary must be an object and is %s", where,
                       nt_json_kind(vocab));
    }
    json_t *object = (json_t *)(uintptr_t)vocab; /* jansson's iterators take no const */
    for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at)) {
        const char *content = json_object_iter_key(at);
        const json_t *value = json_object_iter_value(at);
        json_int_t id = json_integer_value(value);
        if (!json_is_integer(value) || id < 0 || id > NT_MAX_ID) {
            return nt_fail(NT_E_FORMAT,
                           "%s: the id of token \"%.40s\" must be an integer in 0 .. %d", where,
                           content, NT_MAX_ID);
        }
        NT_TRY(nt_lexicon_add(&tokenizer->lexicon, content, strlen(content), (uint32_t)id, where));
    }
    tokenizer->n_model = tokenizer->lexicon.n;
    return NT_OK;
}

int nt_read_merges_start(nt_tokenizer *tokenizer, size_t n, const char *where) {
    if (n > NT_MAX_ID) {
        return nt_fail(NT_E_UNSUPPORTED, "%s has %zu merges; the most is %d", where, n, NT_MAX_ID);
    }
    return nt_bpe_init(&tokenizer->bpe, &tokenizer->lexicon, n);
}

int nt_read_merge(nt_tokenizer *tokenizer, const char *line, size_t n, uint32_t rank,
                  const char *where, const char *unit, size_t number) {
    const char *space = memchr(line, ' ', n);
    size_t left = space ? (size_t)(space - line) : 0;
    size_t right = space ? n - left - 1 : 0;
    if (left == 0 || right == 0 || memchr(space + 1, ' ', right)) {
        return nt_fail(NT_E_FORMAT,
                       "%s, %s %zu: \"%.*s\" is no merge; two tokens with one space between them "
                       "were expected",
                       where, unit, number, n > 60 ? 60 : (int)n, line);
    }
    return nt_bpe_add(&tokenizer->bpe, &tokenizer->lexicon, line, left, space + 1, right, rank,
                      where, unit, number);
}
