#include "model/kv.h"

#include <stdint.h>
#include <string.h>

#include "base/memory.h"
#include "compute/device.h"

/* All layers of a sequence grow together, so one allocation, a leaf, holds the pages of every layer
 * for the same NT_PAGE positions (of a brief sequence: the page that its layers take in turn), and
 * one count tells how many sequences hold it. The pages follow the leaf's head, which fills a cache
 * line to keep them on one. */
typedef struct leaf {
    struct leaf *next; /* in the list of free ones */
    size_t holders;
    char filler[48];
} leaf;

/* Leaves of one size. */
typedef struct store {
    size_t layers; /* pages in a leaf: L, or 1 in those of brief sequences */
    leaf *spare;   /* held back for the next extend */
    size_t n_spare, n_held;
    size_t least; /* spare ones that are never too many */
} store;

typedef struct sequence {
    bool used;
    store *store;    /* where its leaves are from */
    size_t length;   /* positions */
    int64_t shift;   /* of the next one against length */
    size_t n_leaves; /* ceil(length / NT_PAGE) */
    size_t capacity; /* leaves that each table has room for */
    void **tables;   /* [layers, capacity]: the pages of each layer */
} sequence;

/* Brief sequences come and go a chunk of rows at a time: so many texts of usual length fill one,
 * and the next ones need as many leaves. */
enum { BRIEF_SPARE = 64 };

struct nt_kv {
    size_t page; /* bytes of a page */
    nt_dtype stored;
    sequence *sequences;
    size_t n_sequences, capacity;
    store whole, brief;
};

int nt_kv_new(nt_kv **out, size_t L, size_t width, nt_dtype stored) {
    *out = NULL;
    size_t page, bytes, place = 2 * NT_PAGE * nt_dtype_size(stored); /* of one number's column */
    if (L == 0 || width == 0 || __builtin_mul_overflow(width, place, &page) ||
        __builtin_mul_overflow(page, L, &bytes) || bytes > PTRDIFF_MAX / 2)
        return nt_fail(NT_E_ARGUMENT, "no KV cache for %zu layers of width %zu", L, width);
    nt_kv *kv = nt_alloc(1, sizeof *kv);
    if (!kv) return NT_E_MEMORY;
    kv->page = page;
    kv->stored = stored;
    kv->whole = (store){.layers = L, .least = 2};
    kv->brief = (store){.layers = 1, .least = BRIEF_SPARE};
    *out = kv;
    return NT_OK;
}

static void *leaf_page(const nt_kv *kv, leaf *of, size_t layer) {
    return (char *)(of + 1) + layer * kv->page;
}

/* The leaf that a sequence holds at index i, found through its first layer's page. */
static leaf *leaf_at(const sequence *s, size_t i) {
    return (leaf *)s->tables[i] - 1;
}

static void free_spare(store *from, size_t keep) {
    while (from->n_spare > keep) {
        leaf *first = from->spare;
        from->spare = first->next;
        from->n_spare--;
        nt_free(first);
    }
}

/* Spare leaves serve the next fork or text; more of them than are in use would be a leak. */
static void trim_spare(store *from) {
    free_spare(from, from->n_held > from->least ? from->n_held : from->least);
}

static void release(store *from, leaf *held) {
    if (--held->holders > 0) return;
    held->next = from->spare;
    from->spare = held;
    from->n_spare++;
    from->n_held--;
}

/* Makes sure that n leaves are spare. */
static int reserve(const nt_kv *kv, store *from, size_t n) {
    while (from->n_spare < n) {
        leaf *fresh = nt_alloc_aligned(1, sizeof(leaf) + from->layers * kv->page);
        if (!fresh) return NT_E_MEMORY;
        fresh->next = from->spare;
        from->spare = fresh;
        from->n_spare++;
    }
    return NT_OK;
}

static leaf *take(store *from) {
    leaf *first = from->spare;
    from->spare = first->next;
    from->n_spare--;
    from->n_held++;
    first->holders = 1;
    return first;
}

void nt_kv_free(nt_kv *kv) {
    if (!kv) return;
    for (size_t i = 0; i < kv->n_sequences; i++)
        nt_kv_drop(kv, (int32_t)i);
    free_spare(&kv->whole, 0);
    free_spare(&kv->brief, 0);
    nt_free(kv->sequences);
    nt_free(kv);
}

static sequence *sequence_at(const nt_kv *kv, int32_t number) {
    if (number < 0 || (size_t)number >= kv->n_sequences) return NULL;
    sequence *s = &kv->sequences[number];
    return s->used ? s : NULL;
}

static int begin(int32_t *out, nt_kv *kv, store *from) {
    *out = 0;
    size_t i = 0;
    while (i < kv->n_sequences && kv->sequences[i].used)
        i++;
    if (i >= INT32_MAX) return nt_fail(NT_E_RANGE, "no more than %d sequences", INT32_MAX);
    if (i == kv->n_sequences) {
        NT_TRY(nt_grow((void **)&kv->sequences, &kv->capacity, i + 1, sizeof *kv->sequences));
        kv->n_sequences = i + 1;
    }
    kv->sequences[i] = (sequence){.used = true, .store = from};
    *out = (int32_t)i;
    return NT_OK;
}

int nt_kv_sequence_new(int32_t *out, nt_kv *kv) {
    return begin(out, kv, &kv->whole);
}

int nt_kv_brief_new(int32_t *out, nt_kv *kv) {
    return begin(out, kv, &kv->brief);
}

/* Room for n leaves in every layer's table. */
static int grow_tables(sequence *s, size_t n) {
    if (n <= s->capacity) return NT_OK;
    size_t capacity = s->capacity < 4 ? 4 : s->capacity * 2;
    if (capacity < n) capacity = n;
    size_t layers = s->store->layers;
    void **tables = nt_alloc(layers * capacity, sizeof *tables);
    if (!tables) return NT_E_MEMORY;
    for (size_t l = 0; l < layers && s->n_leaves; l++)
        memcpy(tables + l * capacity, s->tables + l * s->capacity, s->n_leaves * sizeof *tables);
    nt_free(s->tables);
    s->tables = tables;
    s->capacity = capacity;
    return NT_OK;
}

static void put_leaf(const nt_kv *kv, sequence *s, size_t i, leaf *of) {
    for (size_t l = 0; l < s->store->layers; l++)
        s->tables[l * s->capacity + i] = leaf_page(kv, of, l);
}

int nt_kv_fork(int32_t *child, nt_kv *kv, int32_t parent) {
    *child = 0;
    const sequence *s = sequence_at(kv, parent);
    if (!s) return nt_fail(NT_E_RANGE, "no sequence %d to fork", (int)parent);
    if (s->store == &kv->brief)
        return nt_fail(NT_E_ARGUMENT, "sequence %d is brief and cannot be forked", (int)parent);
    int32_t number;
    NT_TRY(nt_kv_sequence_new(&number, kv));
    sequence *from = &kv->sequences[parent], *to = &kv->sequences[number];
    int status = grow_tables(to, from->n_leaves);
    if (status != NT_OK) {
        to->used = false;
        return status;
    }
    for (size_t i = 0; i < from->n_leaves; i++) {
        leaf_at(from, i)->holders++;
        put_leaf(kv, to, i, leaf_at(from, i));
    }
    to->n_leaves = from->n_leaves;
    to->length = from->length;
    to->shift = from->shift;
    *child = number;
    return NT_OK;
}

void nt_kv_truncate(nt_kv *kv, int32_t number, size_t length) {
    sequence *s = sequence_at(kv, number);
    if (!s || length >= s->length) return;
    size_t keep = (length + NT_PAGE - 1) / NT_PAGE;
    while (s->n_leaves > keep)
        release(s->store, leaf_at(s, --s->n_leaves));
    s->length = length;
    trim_spare(s->store);
}

void nt_kv_drop(nt_kv *kv, int32_t number) {
    sequence *s = sequence_at(kv, number);
    if (!s) return;
    nt_kv_truncate(kv, number, 0);
    nt_free(s->tables);
    *s = (sequence){0};
}

bool nt_kv_exists(const nt_kv *kv, int32_t number) {
    return sequence_at(kv, number) != NULL;
}

size_t nt_kv_length(const nt_kv *kv, int32_t number) {
    const sequence *s = sequence_at(kv, number);
    return s ? s->length : 0;
}

void nt_kv_set_shift(nt_kv *kv, int32_t number, int64_t shift) {
    sequence *s = sequence_at(kv, number);
    if (s) s->shift = shift;
}

int64_t nt_kv_shift(const nt_kv *kv, int32_t number) {
    const sequence *s = sequence_at(kv, number);
    return s ? s->shift : 0;
}

int nt_kv_extend(nt_kv *kv, int32_t number, size_t n) {
    sequence *s = sequence_at(kv, number);
    if (!s) return nt_fail(NT_E_RANGE, "no sequence %d", (int)number);
    if (n > SIZE_MAX / 2 - s->length) return nt_fail_memory(SIZE_MAX);
    if (n == 0) return NT_OK;
    /* Only the last leaf can be written into and already hold something; whoever shares it keeps
     * what stands there. */
    size_t wanted = (s->length + n + NT_PAGE - 1) / NT_PAGE, last = s->length / NT_PAGE;
    bool copy = s->length % NT_PAGE != 0 && leaf_at(s, last)->holders > 1;
    NT_TRY(grow_tables(s, wanted));
    store *from = s->store;
    int status = reserve(kv, from, wanted - s->n_leaves + copy);
    if (status != NT_OK) {
        trim_spare(from);
        return status;
    }
    if (copy) {
        leaf *shared = leaf_at(s, last), *own = take(from);
        memcpy(own + 1, shared + 1, from->layers * kv->page);
        release(from, shared);
        put_leaf(kv, s, last, own);
    }
    while (s->n_leaves < wanted)
        put_leaf(kv, s, s->n_leaves++, take(from));
    s->length += n;
    return NT_OK;
}

void *const *nt_kv_pages(const nt_kv *kv, int32_t number, size_t layer) {
    const sequence *s = sequence_at(kv, number);
    if (!s || !s->tables) return NULL;
    return s->tables + (s->store == &kv->brief ? 0 : layer * s->capacity);
}

nt_dtype nt_kv_stored(const nt_kv *kv) {
    return kv->stored;
}

static size_t pages_in(const store *of) {
    return (of->n_held + of->n_spare) * of->layers;
}

size_t nt_kv_bytes(const nt_kv *kv) {
    return (pages_in(&kv->whole) + pages_in(&kv->brief)) * kv->page;
}
