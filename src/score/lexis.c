/* How the ids of a vocabulary begin, and their order by bytes. */
#include "score/lexis.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"

bool nt_is_white(int32_t code) {
    static const struct {
        int32_t first, last;
    } ranges[] = {{0x09, 0x0D},     {0x20, 0x20},     {0x85, 0x85},     {0xA0, 0xA0},
                  {0x1680, 0x1680}, {0x2000, 0x200A}, {0x2028, 0x2029}, {0x202F, 0x202F},
                  {0x205F, 0x205F}, {0x3000, 0x3000}};
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (code >= ranges[i].first && code <= ranges[i].last) return true;
    return false;
}

/* Bytes of an id, NULL and 0 for one that has none or is special. */
static const char *plain_bytes(const nt_vocab *vocab, int32_t id, size_t *n) {
    *n = 0;
    if (!vocab || !vocab->bytes) return NULL;
    if (vocab->special && vocab->special(vocab->self, id)) return NULL;
    const char *bytes = vocab->bytes(vocab->self, id, n);
    return *n > 0 ? bytes : NULL;
}

static nt_opening opening_of(const char *bytes, size_t n) {
    int32_t code;
    if (!bytes) return NT_OPENS_NOTHING;
    if (bytes[0] == ' ') return NT_OPENS_SPACE;
    nt_utf8_next(&code, bytes, n);
    return nt_is_white(code) ? NT_OPENS_WHITE : NT_OPENS_REST;
}

static void class_ids(nt_lexis *lexis, const int32_t *eos, size_t n_eos) {
    size_t n;
    for (size_t id = 0; id < lexis->V; id++) {
        const char *bytes = plain_bytes(lexis->vocab, (int32_t)id, &n);
        lexis->opens[id] = (uint8_t)opening_of(bytes, n);
        if (bytes) lexis->n_sorted++;
    }
    for (size_t i = 0; i < n_eos; i++) {
        if (eos[i] < 0 || (size_t)eos[i] >= lexis->V) continue;
        if (lexis->opens[eos[i]] != NT_OPENS_SPACE) lexis->opens[eos[i]] = NT_OPENS_EOS;
    }
    size_t at = 0;
    for (int o = 0; o < NT_N_OPENINGS; o++) {
        lexis->class_at[o] = at;
        for (size_t id = 0; id < lexis->V; id++)
            if (lexis->opens[id] == o) lexis->classes[at++] = (int32_t)id;
    }
    lexis->class_at[NT_N_OPENINGS] = at;
}

typedef struct nt_spelled {
    const char *bytes;
    size_t n;
    int32_t id;
} nt_spelled;

static int by_bytes(const void *left, const void *right) {
    const nt_spelled *a = left, *b = right;
    int order = memcmp(a->bytes, b->bytes, a->n < b->n ? a->n : b->n);
    if (order != 0) return order;
    if (a->n != b->n) return a->n < b->n ? -1 : 1;
    return a->id < b->id ? -1 : a->id > b->id;
}

static int sort_ids(nt_lexis *lexis) {
    nt_spelled *spelled = nt_alloc(lexis->n_sorted, sizeof *spelled);
    lexis->sorted = nt_alloc(lexis->n_sorted, sizeof *lexis->sorted);
    if (!spelled || !lexis->sorted) {
        nt_free(spelled);
        return NT_E_MEMORY;
    }
    size_t at = 0;
    for (size_t id = 0; id < lexis->V; id++) {
        size_t n;
        const char *bytes = plain_bytes(lexis->vocab, (int32_t)id, &n);
        if (!bytes) continue;
        spelled[at++] = (nt_spelled){bytes, n, (int32_t)id};
    }
    qsort(spelled, at, sizeof *spelled, by_bytes);
    for (size_t i = 0; i < at; i++)
        lexis->sorted[i] = spelled[i].id;
    nt_free(spelled);
    return NT_OK;
}

int nt_lexis_new(nt_lexis **out, const nt_vocab *vocab, size_t V, const int32_t *eos,
                 size_t n_eos) {
    *out = NULL;
    nt_lexis *lexis = nt_alloc(1, sizeof *lexis);
    if (!lexis) return NT_E_MEMORY;
    lexis->vocab = vocab;
    lexis->V = V;
    lexis->opens = nt_alloc(V, sizeof *lexis->opens);
    lexis->classes = nt_alloc(V, sizeof *lexis->classes);
    int status = lexis->opens && lexis->classes ? NT_OK : NT_E_MEMORY;
    if (status == NT_OK) {
        class_ids(lexis, eos, n_eos);
        status = sort_ids(lexis);
    }
    if (status != NT_OK) {
        nt_lexis_free(lexis);
        return status;
    }
    *out = lexis;
    return NT_OK;
}

void nt_lexis_free(nt_lexis *lexis) {
    if (!lexis) return;
    nt_free(lexis->opens);
    nt_free(lexis->classes);
    nt_free(lexis->sorted);
    nt_free(lexis);
}
