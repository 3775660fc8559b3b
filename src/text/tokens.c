#include "text/tokens.h"

#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "text/unicode/unicode.h"

static int grow(uint32_t **array, size_t capacity) {
    uint32_t *bigger = nt_resize(*array, capacity, sizeof *bigger);
    if (!bigger) return NT_E_MEMORY;
    *array = bigger;
    nt_memory_large(bigger, capacity * sizeof *bigger);
    return NT_OK;
}

int nt_tokens_reserve(nt_tokens *tokens, size_t more) {
    if (more <= tokens->capacity - tokens->n) return NT_OK;
    if (more > SIZE_MAX / 2 - tokens->n) return nt_fail_memory(SIZE_MAX);
    size_t wanted = tokens->n + more, capacity = tokens->capacity * 2;
    if (capacity < wanted) capacity = wanted < 16 ? 16 : wanted;
    int32_t *ids = nt_resize(tokens->ids, capacity, sizeof *ids);
    if (!ids) return NT_E_MEMORY;
    tokens->ids = ids;
    nt_memory_large(ids, capacity * sizeof *ids);
    if (tokens->offsets) {
        NT_TRY(grow(&tokens->starts, capacity + 1));
        if (tokens->tiled) {
            tokens->ends = tokens->starts + 1;
        } else {
            NT_TRY(grow(&tokens->ends, capacity));
        }
    }
    if (tokens->worded) NT_TRY(grow(&tokens->words, capacity));
    tokens->capacity = capacity; /* last: arrays that grew alone are only too large */
    return NT_OK;
}

int nt_tokens_untile(nt_tokens *tokens) {
    if (!tokens->tiled) return NT_OK;
    uint32_t *ends = NULL;
    if (tokens->starts) {
        NT_TRY(grow(&ends, tokens->capacity));
        memcpy(ends, tokens->starts + 1, tokens->n * sizeof *ends);
    }
    tokens->ends = ends;
    tokens->tiled = false;
    return NT_OK;
}

int nt_tokens_skip(nt_tokens *tokens, uint32_t start) {
    if (!tokens->tiled || tokens->n == 0 || tokens->starts[tokens->n] == start) return NT_OK;
    NT_TRY(nt_tokens_reserve(tokens, 2));
    tokens->ids[tokens->n++] = -1;
    tokens->starts[tokens->n] = start;
    return NT_OK;
}

int nt_tokens_put(nt_tokens *tokens, int32_t id, uint32_t start, uint32_t end) {
    NT_TRY(nt_tokens_reserve(tokens, 1));
    tokens->ids[tokens->n] = id;
    if (tokens->offsets) {
        if (tokens->tiled && tokens->n && tokens->starts[tokens->n] != start)
            NT_TRY(nt_tokens_untile(tokens));
        tokens->starts[tokens->n] = start;
        tokens->ends[tokens->n] = end;
    }
    tokens->n++;
    return NT_OK;
}

void nt_tokens_word(nt_tokens *tokens, size_t first) {
    if (!tokens->worded) return;
    for (size_t i = first; i < tokens->n; i++)
        tokens->words[i] = tokens->word;
    tokens->word++;
}

nt_margin nt_margin_of(const char *bytes, size_t n) {
    static const char byte_level_space[] = "\xC4\xA0"; /* U+0120 */
    nt_margin margin = {0};
    bool all = true;
    for (size_t i = 0; i < n;) {
        int32_t code;
        size_t length = nt_utf8_next(&code, bytes + i, n - i);
        bool space = code >= 0 && (nt_unicode_class((uint32_t)code) & NT_SPACE);
        if (length == 2 && memcmp(bytes + i, byte_level_space, 2) == 0) space = true;
        if (!space) all = false;
        margin.trailing = space ? margin.trailing + 1 : 0;
        if (all) margin.leading++;
        i += length;
    }
    return margin;
}

int nt_tokens_put_margin(nt_tokens *tokens, const char *bytes, size_t n) {
    if (!tokens->trimmed) return NT_OK;
    void *margins = tokens->margins;
    int status = nt_grow(&margins, &tokens->margins_capacity, tokens->n_margins + 1,
                         sizeof *tokens->margins);
    tokens->margins = margins;
    NT_TRY(status);
    nt_margin margin = nt_margin_of(bytes, n);
    margin.token = tokens->n;
    tokens->margins[tokens->n_margins++] = margin;
    return NT_OK;
}

static void shrink(uint32_t **array, size_t n) {
    uint32_t *smaller = nt_resize(*array, n, sizeof *smaller);
    if (smaller) *array = smaller;
}

void nt_tokens_shrink(nt_tokens *tokens) {
    int32_t *ids = nt_resize(tokens->ids, tokens->n, sizeof *ids);
    if (ids) tokens->ids = ids;
    if (tokens->offsets) {
        shrink(&tokens->starts, tokens->n + 1);
        if (tokens->tiled) {
            tokens->ends = tokens->starts + 1;
        } else {
            shrink(&tokens->ends, tokens->n);
        }
    }
    tokens->capacity = tokens->n;
}

void nt_tokens_clear(nt_tokens *tokens) {
    tokens->n = tokens->n_margins = 0;
    tokens->word = 0;
}

void nt_tokens_free(nt_tokens *tokens) {
    nt_free(tokens->ids);
    if (!tokens->tiled) nt_free(tokens->ends);
    nt_free(tokens->starts);
    nt_free(tokens->words);
    nt_free(tokens->margins);
    *tokens = (nt_tokens){0};
}
