/* Long words: the places of each rank's pair in a chain, ascending, and the ranks that have any in
 * a set of bits with two coarser ones above it. Every merge and every new pair costs the same
 * whatever the length of the word; only chains that did not fill in order are sorted. */
#include <string.h>

#include "base/memory.h"
#include "text/subword/bpe_merge.h"

#define NONE UINT32_MAX

struct nt_bpe_node { /* of a symbol's place: the number of its first symbol in the word */
    uint32_t id, prev, next;
    uint32_t rank; /* of the merge with the next one; NT_NO_MERGE also for what was merged away */
};

struct nt_bpe_entry {
    uint32_t place, next;
};

struct nt_bpe_bucket {
    uint32_t first, last; /* entries; undefined unless the rank's bit is set */
    bool sorted, started;
};

typedef struct queue {
    struct nt_bpe_entry *entries;
    struct nt_bpe_bucket *buckets;
    const struct nt_bpe_node *nodes;
    uint64_t *ranks, *groups, *tops; /* a bit for each bucket, each word of ranks, of groups */
    size_t n_tops;
    uint32_t current;          /* the rank that is worked off .. */
    bool again;                /* .. until one up to it got its first place */
    uint32_t spare, n_entries; /* entries that are free again; those ever used */
    nt_bpe_work *work;
} queue;

static int grow(void **array, size_t *n, size_t need, size_t size) {
    if (need <= *n) return NT_OK;
    void *bigger = nt_alloc_aligned(need, size);
    if (!bigger) return NT_E_MEMORY;
    nt_free(*array);
    *array = bigger;
    *n = need;
    return NT_OK;
}

static int start(queue *q, nt_bpe_work *work, size_t n, size_t n_ranks) {
    void *array = work->nodes;
    int status = grow(&array, &work->n_nodes, n, sizeof *work->nodes);
    work->nodes = array;
    NT_TRY(status);
    array = work->entries;
    status = grow(&array, &work->n_entries, n, sizeof *work->entries);
    work->entries = array;
    NT_TRY(status);
    array = work->buckets;
    status = grow(&array, &work->n_buckets, n_ranks, sizeof *work->buckets);
    work->buckets = array;
    NT_TRY(status);
    size_t n_words = n_ranks / 64 + 1, n_groups = n_words / 64 + 1, n_tops = n_groups / 64 + 1;
    array = work->bits;
    status = grow(&array, &work->n_bits, n_words + n_groups + n_tops, sizeof *work->bits);
    work->bits = array;
    NT_TRY(status);
    memset(work->bits, 0, (n_words + n_groups + n_tops) * sizeof *work->bits);
    *q = (queue){.entries = work->entries,
                 .buckets = work->buckets,
                 .nodes = work->nodes,
                 .ranks = work->bits,
                 .groups = work->bits + n_words,
                 .tops = work->bits + n_words + n_groups,
                 .n_tops = n_tops,
                 .spare = NONE,
                 .work = work};
    return NT_OK;
}

/* The least rank that has an entry, or NT_NO_MERGE. */
static inline uint32_t least_rank(const queue *q) {
    for (size_t top = 0; top < q->n_tops; top++) {
        if (!q->tops[top]) continue;
        size_t group = top << 6 | (size_t)__builtin_ctzll(q->tops[top]);
        size_t word = group << 6 | (size_t)__builtin_ctzll(q->groups[group]);
        return (uint32_t)(word << 6 | (size_t)__builtin_ctzll(q->ranks[word]));
    }
    return NT_NO_MERGE;
}

static inline bool is_set(const queue *q, uint32_t rank) {
    return q->ranks[rank >> 6] >> (rank & 63) & 1;
}

static inline void set(queue *q, uint32_t rank) {
    q->ranks[rank >> 6] |= (uint64_t)1 << (rank & 63);
    q->groups[rank >> 12] |= (uint64_t)1 << (rank >> 6 & 63);
    q->tops[rank >> 18] |= (uint64_t)1 << (rank >> 12 & 63);
}

static inline void clear(queue *q, uint32_t rank) {
    if (q->ranks[rank >> 6] &= ~((uint64_t)1 << (rank & 63))) return;
    if (q->groups[rank >> 12] &= ~((uint64_t)1 << (rank >> 6 & 63))) return;
    q->tops[rank >> 18] &= ~((uint64_t)1 << (rank >> 12 & 63));
}

/* Takes the first place of a rank that has one. */
static inline uint32_t pop(queue *q, uint32_t rank) {
    struct nt_bpe_bucket *bucket = &q->buckets[rank];
    uint32_t first = bucket->first, place = q->entries[first].place;
    if (first == bucket->last) {
        clear(q, rank);
    } else {
        bucket->first = q->entries[first].next;
        __builtin_prefetch(&q->nodes[q->entries[bucket->first].place]);
    }
    q->entries[first].next = q->spare;
    q->spare = first;
    return place;
}

static int more_entries(queue *q) {
    size_t n = q->work->n_entries, wanted = n + n / 2 + 64;
    if (wanted >= NONE) {
        return nt_fail(NT_E_UNSUPPORTED, "one word of the text is longer than 2 GiB; "
                                         "tokenize the text in parts");
    }
    void *bigger = nt_resize(q->entries, wanted, sizeof *q->entries);
    if (!bigger) return NT_E_MEMORY;
    q->entries = q->work->entries = bigger;
    q->work->n_entries = wanted;
    return NT_OK;
}

/* Puts a place into a chain that is being worked off. Since the last place was taken from it only
 * the token that was made there has grown, by merges with its neighbours, and the new pair is one
 * of this token. So what the chain still holds lies behind it, but for places that are no longer
 * this rank's, and for the pair before the token, which may just have been put there. */
static void put_into_started(queue *q, uint32_t rank, uint32_t entry) {
    struct nt_bpe_bucket *bucket = &q->buckets[rank];
    uint32_t place = q->entries[entry].place;
    while (q->nodes[q->entries[bucket->first].place].rank != rank) {
        pop(q, rank);
        if (is_set(q, rank)) continue;
        q->entries[entry].next = NONE;
        *bucket = (struct nt_bpe_bucket){entry, entry, true, true};
        set(q, rank);
        return;
    }
    uint32_t first = bucket->first;
    if (q->entries[first].place < place) {
        q->entries[entry].next = q->entries[first].next;
        q->entries[first].next = entry;
        if (bucket->last == first) bucket->last = entry;
    } else {
        q->entries[entry].next = first;
        bucket->first = entry;
    }
}

static inline int push(queue *q, uint32_t rank, uint32_t place) {
    uint32_t entry = q->spare;
    if (entry != NONE) {
        q->spare = q->entries[entry].next;
    } else {
        if (q->n_entries == q->work->n_entries) NT_TRY(more_entries(q));
        entry = q->n_entries++;
    }
    q->entries[entry] = (struct nt_bpe_entry){place, NONE};
    struct nt_bpe_bucket *bucket = &q->buckets[rank];
    if (!is_set(q, rank)) {
        *bucket = (struct nt_bpe_bucket){entry, entry, true, false};
        set(q, rank);
        q->again |= rank <= q->current;
    } else if (bucket->started) {
        put_into_started(q, rank, entry);
    } else {
        if (place < q->entries[bucket->last].place) bucket->sorted = false;
        q->entries[bucket->last].next = entry;
        bucket->last = entry;
    }
    return NT_OK;
}

/* Two ascending chains as one. */
static uint32_t merged(struct nt_bpe_entry *entries, uint32_t a, uint32_t b) {
    uint32_t first = NONE, *to = &first;
    while (a != NONE && b != NONE) {
        uint32_t *less = entries[b].place < entries[a].place ? &b : &a;
        *to = *less;
        to = &entries[*less].next;
        *less = *to;
    }
    *to = a != NONE ? a : b;
    return first;
}

/* Sorts a chain by place, by its ascending runs: chains mostly consist of a few. */
static void sort(queue *q, struct nt_bpe_bucket *bucket) {
    struct nt_bpe_entry *entries = q->entries;
    uint32_t runs[33]; /* [k] 2^k runs as one */
    size_t n = 0;
    for (size_t k = 0; k < 33; k++)
        runs[k] = NONE;
    for (uint32_t at = bucket->first; at != NONE;) {
        uint32_t run = at, next;
        while ((next = entries[at].next) != NONE && entries[next].place >= entries[at].place)
            at = next;
        entries[at].next = NONE;
        at = next;
        size_t k = 0;
        for (; runs[k] != NONE; k++) {
            run = merged(entries, runs[k], run);
            runs[k] = NONE;
        }
        runs[k] = run;
        if (k >= n) n = k + 1;
    }
    uint32_t all = NONE;
    for (size_t k = 0; k < n; k++)
        all = merged(entries, runs[k], all);
    bucket->first = all;
    while (entries[all].next != NONE)
        all = entries[all].next;
    bucket->last = all;
    bucket->sorted = true;
}

/* Looks at the pair of a place and the next one again. */
static inline int renew(queue *q, struct nt_bpe_node *nodes, const nt_bpe *bpe, uint32_t place) {
    struct nt_bpe_node *node = &nodes[place];
    node->rank =
        node->next == NONE ? NT_NO_MERGE : nt_bpe_rank(bpe, node->id, nodes[node->next].id);
    return node->rank == NT_NO_MERGE ? NT_OK : push(q, node->rank, place);
}

/* Merges a place's pair, if it still is the rank's. */
static inline int merge_at(queue *q, struct nt_bpe_node *nodes, const nt_bpe *bpe, uint32_t place,
                           uint32_t whole) {
    struct nt_bpe_node *node = &nodes[place];
    if (node->rank != q->current) return NT_OK;
    struct nt_bpe_node *gone = &nodes[node->next];
    node->id = whole;
    node->next = gone->next;
    gone->rank = NT_NO_MERGE;
    if (node->next != NONE) nodes[node->next].prev = place;
    if (node->prev != NONE) NT_TRY(renew(q, nodes, bpe, node->prev));
    return renew(q, nodes, bpe, place);
}

static int work_off(queue *q, struct nt_bpe_node *nodes, const nt_bpe *bpe) {
    for (uint32_t rank; (rank = least_rank(q)) != NT_NO_MERGE;) {
        struct nt_bpe_bucket *bucket = &q->buckets[rank];
        if (!bucket->sorted) sort(q, bucket);
        bucket->started = true;
        q->current = rank;
        q->again = false;
        uint32_t whole = bpe->merges.wholes[rank];
        do {
            NT_TRY(merge_at(q, nodes, bpe, pop(q, rank), whole));
        } while (!q->again && is_set(q, rank));
    }
    return NT_OK;
}

int nt_bpe_merge_long(size_t *n_merged, uint32_t *ids, uint32_t *at, size_t n, const nt_bpe *bpe,
                      nt_bpe_work *work) {
    queue q;
    NT_TRY(start(&q, work, n, bpe->merges.n_ranks));
    struct nt_bpe_node *nodes = work->nodes;
    for (size_t i = 0; i < n; i++) {
        uint32_t next = i + 1 < n ? (uint32_t)i + 1 : NONE;
        nodes[i] = (struct nt_bpe_node){ids[i], (uint32_t)i - 1, next, NT_NO_MERGE};
        if (next != NONE) nodes[i].rank = nt_bpe_rank(bpe, ids[i], ids[i + 1]);
        if (nodes[i].rank != NT_NO_MERGE) NT_TRY(push(&q, nodes[i].rank, (uint32_t)i));
    }
    NT_TRY(work_off(&q, nodes, bpe));
    size_t count = 0;
    for (uint32_t i = 0; i != NONE; i = nodes[i].next) {
        ids[count] = nodes[i].id;
        at[count++] = i;
    }
    *n_merged = count;
    return NT_OK;
}
