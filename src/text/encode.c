/* Text -> ids and the bytes of the text that each stands for. */
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "text/pretokenize_gpt2.h"
#include "text/tokenizer.h"

typedef struct encoder {
    const nt_tokenizer *tokenizer;
    const char *text;
    bool prefix, skip_special;
    bool want_starts, want_ends;
    int32_t *ids; /* [n], and starts and ends where they are wanted */
    size_t *starts, *ends;
    size_t n, ids_capacity, starts_capacity, ends_capacity;
    uint32_t *lengths; /* of one word's tokens */
    size_t lengths_capacity;
    nt_bpe_work work;
    nt_buffer prefixed; /* a stretch with its space before it */
} encoder;

static int grow_sizes(size_t **array, size_t *capacity, size_t need) {
    void *memory = *array;
    int status = nt_grow(&memory, capacity, need, sizeof **array);
    *array = memory;
    return status;
}

/* Room for `more` further tokens. */
static int reserve(encoder *e, size_t more) {
    void *ids = e->ids;
    int status = nt_grow(&ids, &e->ids_capacity, e->n + more, sizeof *e->ids);
    e->ids = ids;
    NT_TRY(status);
    if (e->want_starts) NT_TRY(grow_sizes(&e->starts, &e->starts_capacity, e->n + more));
    if (e->want_ends) NT_TRY(grow_sizes(&e->ends, &e->ends_capacity, e->n + more));
    return NT_OK;
}

static int put(encoder *e, int32_t id, size_t start, size_t end) {
    NT_TRY(reserve(e, 1));
    e->ids[e->n] = id;
    if (e->want_starts) e->starts[e->n] = start;
    if (e->want_ends) e->ends[e->n] = end;
    e->n++;
    return NT_OK;
}

/* One word [n] that stands at byte `at` of the text plus `shift` (1: a space of ours is in it or
 * before it, and has no bytes in the text). */
static int put_word(encoder *e, const char *word, size_t n, size_t at, size_t shift, size_t low) {
    NT_TRY(reserve(e, n));
    void *lengths = e->lengths;
    int status = nt_grow(&lengths, &e->lengths_capacity, n, sizeof *e->lengths);
    e->lengths = lengths;
    NT_TRY(status);
    size_t count;
    NT_TRY(nt_bpe_word(&count, e->ids + e->n, e->lengths, &e->tokenizer->bpe, &e->work, word, n));
    for (size_t i = 0; i < count; i++) {
        size_t end = at + e->lengths[i];
        if (e->want_starts) e->starts[e->n + i] = at - shift < low + 0 || at < shift ? low : at - shift;
        if (e->want_ends) e->ends[e->n + i] = end - shift;
        at = end;
    }
    e->n += count;
    return NT_OK;
}
