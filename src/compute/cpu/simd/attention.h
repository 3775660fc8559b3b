/* Attention over vectors of sixteen lanes: scores are vectors of positions, outputs vectors of a
 * head's dimensions. Rows whose texts begin with the same page (rows of one text, beams, forks of a
 * prompt) go through the pages together: a page that several of them hold is taken up once, and
 * four rows at a time share each load of it. */
#include <math.h>

enum { GROUP = 4 };

/* One head of rows that go together, and the scratch that holds their scores. */
typedef struct attention_rows {
    size_t n;
    const float *q[NT_ATTENTION_ROWS]; /* [E] each */
    float *y[NT_ATTENTION_ROWS];       /* [E] each */
    float *probs[NT_ATTENTION_ROWS];   /* [length] each, or NULL */
    void *const *pages[NT_ATTENTION_ROWS];
    nt_dtype stored;                  /* what pages hold */
    size_t first[NT_ATTENTION_ROWS];  /* position that each row's window begins at */
    size_t length[NT_ATTENTION_ROWS]; /* position that it ends before */
    size_t start, longest; /* the page that the earliest window begins in; the largest length */
    size_t keys, values;   /* where this head's keys and values begin within a page */
    size_t E;
    float scale;
    float *scores; /* [n, stride]: positions [block, block + capacity) of each row */
    size_t stride, capacity, block;
} attention_rows;

/* Rows that hold the same pages from position `begin` to `most`. */
typedef struct page_group {
    size_t n, rows[GROUP]; /* n is 1 .. GROUP */
    void *const *pages;
    const float *q[GROUP];
    float *y[GROUP], *scores[GROUP]; /* scores from `begin` on */
    size_t first[GROUP];             /* where each row's window begins: at `begin` or after */
    size_t length[GROUP];            /* where each row ends: after begin, at most at `most` */
    size_t begin, least, most;       /* the least and the most of the lengths */
    size_t common;                   /* the most of first: from there to `least` all rows attend */
} page_group;

INLINE size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

INLINE size_t most(size_t a, size_t b) {
    return a > b ? a : b;
}

INLINE size_t pages_of(size_t length) {
    return (length + NT_PAGE - 1) / NT_PAGE;
}

/* ---- Who shares a page ----------------------------------------------------------------------- */

/* A bit for each row that reaches position t. */
static uint32_t rows_at(const attention_rows *a, size_t t) {
    uint32_t rows = 0;
    for (size_t r = 0; r < a->n; r++)
        rows |= (uint32_t)(a->length[r] > t) << r;
    return rows;
}

/* Takes from *left, bits of rows, the first one and those that hold the same page i, n_most at
 * most. Returns their number. */
static size_t take_sharers(size_t *rows, size_t n_most, void *const *const *pages, size_t i,
                           uint32_t *left) {
    size_t n = 0;
    for (uint32_t bits = *left; bits && n < n_most; bits &= bits - 1) {
        size_t r = (size_t)__builtin_ctz(bits);
        if (n && pages[r][i] != pages[rows[0]][i]) continue;
        rows[n++] = r;
        *left &= ~((uint32_t)1 << r);
    }
    return n;
}

/* Up to where, at page borders, all rows of a group hold the same pages, if they do at `begin`. */
static size_t held_until(const page_group *g, const attention_rows *a, size_t end) {
    for (size_t t = g->begin + NT_PAGE; t < end; t += NT_PAGE) {
        for (size_t i = 0; i < g->n; i++) {
            size_t r = g->rows[i];
            if (a->length[r] <= t || a->pages[r][t / NT_PAGE] != g->pages[t / NT_PAGE]) return t;
        }
    }
    return end;
}

/* Fills in what a group's rows have in positions [begin, stop). */
static void set_ends(page_group *g, const attention_rows *a, size_t stop) {
    g->least = stop;
    g->most = 0;
    g->common = g->begin;
    for (size_t i = 0; i < g->n; i++) {
        size_t r = g->rows[i];
        g->q[i] = a->q[r];
        g->y[i] = a->y[r];
        g->scores[i] = a->scores + r * a->stride + (g->begin - a->block);
        g->length[i] = least(a->length[r], stop);
        g->least = least(g->least, g->length[i]);
        g->most = most(g->most, g->length[i]);
        g->first[i] = least(most(a->first[r], g->begin), g->length[i]);
        g->common = most(g->common, g->first[i]);
    }
}

/* Page after page of the current block, and each page for all groups before the next: it comes from
 * memory once. A group that has its pages to itself keeps on, with its sums in registers. */
INLINE void each_group(const attention_rows *a,
                       void (*use)(const attention_rows *a, const page_group *g)) {
    size_t end = least(a->block + a->capacity, a->longest), stop;
    page_group g = {0};
    for (size_t begin = a->block; begin < end; begin = stop) {
        uint32_t left = rows_at(a, begin);
        g.begin = begin;
        stop = 0;
        do {
            g.n = take_sharers(g.rows, GROUP, a->pages, begin / NT_PAGE, &left);
            g.pages = a->pages[g.rows[0]];
            if (!stop) stop = left ? begin + NT_PAGE : held_until(&g, a, end);
            set_ends(&g, a, stop);
            use(a, &g);
        } while (left);
    }
}

/* ---- Scores ---------------------------------------------------------------------------------- */

/* How many vectors at a time: their accumulators fill the registers. */
INLINE size_t vectors_of(size_t n) {
    return n == 1 ? 4 : n == 2 ? most(2, ATTENTION_VECTORS) : ATTENTION_VECTORS;
}

/* Narrow tiles go over a page several times, each time through a column of it: the first asks for
 * the rest of each row [n], which begins at number `at`, too, so that memory is read in the order
 * in which it lies. */
INLINE void fetch(const void *page, nt_dtype dtype, size_t at, size_t n_vectors, size_t n) {
    size_t size = dtype == NT_F32 ? sizeof(float) : sizeof(uint16_t);
    for (size_t i = n_vectors * NT_LANES; i < n; i += 64 / size)
        __builtin_prefetch((const char *)page + (at + i) * size);
}

/* Scores of n rows for n_vectors * 16 positions from t on. */
INLINE void score_tile(const attention_rows *a, const page_group *g, nt_dtype dtype, size_t t,
                       size_t n, size_t n_vectors) {
    const void *page = g->pages[t / NT_PAGE];
    size_t at = a->keys + t % NT_PAGE;
    vec dot[GROUP][NT_PAGE / NT_LANES];
    for (size_t r = 0; r < n; r++)
        for (size_t v = 0; v < n_vectors; v++)
            dot[r][v] = v_zero();
    for (size_t e = 0; e < a->E; e++, at += NT_PAGE) {
        if (n > 1 && t % NT_PAGE == 0) fetch(page, dtype, at, n_vectors, NT_PAGE);
        for (size_t r = 0; r < n; r++) {
            vec q = v_set(g->q[r][e]);
            for (size_t v = 0; v < n_vectors; v++)
                dot[r][v] = v_fma(q, v_load_as(page, dtype, at + v * NT_LANES), dot[r][v]);
        }
    }
    vec scale = v_set(a->scale);
    for (size_t r = 0; r < n; r++)
        for (size_t v = 0; v < n_vectors; v++)
            v_store(g->scores[r] + (t - g->begin) + v * NT_LANES, v_mul(scale, dot[r][v]));
}

/* Several vectors at a time, the last ones singly. Lanes past the end of a row come from slots that
 * hold nothing yet, or nothing for it, and are never looked at. */
INLINE void score_rows(const attention_rows *a, const page_group *g, nt_dtype dtype, size_t n) {
    size_t wide = vectors_of(n);
    for (size_t t = g->begin; t < g->most;) {
        if (t % (wide * NT_LANES) == 0 && t + (wide - 1) * NT_LANES < g->most) {
            score_tile(a, g, dtype, t, n, wide);
            t += wide * NT_LANES;
        } else {
            score_tile(a, g, dtype, t, n, 1);
            t += NT_LANES;
        }
    }
}

/* One function for each of what pages may hold. */
#define SCORE(name, dtype)                                                                         \
    static void name(const attention_rows *a, const page_group *g) {                               \
        switch (g->n) {                                                                            \
            ROWS(1, 1, GROUP, score_rows(a, g, dtype, 1));                                         \
            ROWS(2, 1, GROUP, score_rows(a, g, dtype, 2));                                         \
            ROWS(3, 1, GROUP, score_rows(a, g, dtype, 3));                                         \
            ROWS(4, 1, GROUP, score_rows(a, g, dtype, 4));                                         \
        }                                                                                          \
    }
SCORE(score_f32, NT_F32)
SCORE(score_bf16, NT_BF16)
#undef SCORE

/* What lies before a row's window weighs nothing. */
static void score(const attention_rows *a) {
    if (a->stored == NT_BF16)
        each_group(a, score_bf16);
    else
        each_group(a, score_f32);
    for (size_t r = 0; r < a->n; r++)
        for (size_t t = a->block; t < least(a->first[r], a->block + a->capacity); t++)
            a->scores[r * a->stride + (t - a->block)] = -INFINITY;
}

/* ---- Values ---------------------------------------------------------------------------------- */

/* y[r][e ..] = chain over positions [begin, end) for n_vectors vectors of dimensions, the last
 * holding `part` lanes when that is not 0. */
INLINE void value_tile(const attention_rows *a, const page_group *g, nt_dtype dtype, size_t first,
                       size_t n, size_t begin, size_t end, size_t e, size_t n_vectors,
                       size_t part) {
    vec sum[GROUP][4];
    for (size_t r = 0; r < n; r++) {
        for (size_t v = 0; v < n_vectors; v++) {
            const float *y = g->y[first + r] + e + v * NT_LANES;
            sum[r][v] = part ? v_load_part(y, part) : v_load(y);
        }
    }
    for (size_t t = begin; t < end;) {
        size_t stop = least(end, (t / NT_PAGE + 1) * NT_PAGE);
        const void *page = g->pages[t / NT_PAGE];
        size_t at = a->values + t % NT_PAGE * a->E + e;
        for (; t < stop; t++, at += a->E) {
            if (n > 1 && e == 0) fetch(page, dtype, at, n_vectors, a->E);
            for (size_t v = 0; v < n_vectors; v++) {
                size_t from = at + v * NT_LANES;
                vec x =
                    part ? v_load_part_as(page, dtype, from, part) : v_load_as(page, dtype, from);
                for (size_t r = 0; r < n; r++)
                    sum[r][v] = v_fma(v_set(g->scores[first + r][t - g->begin]), x, sum[r][v]);
            }
        }
    }
    for (size_t r = 0; r < n; r++) {
        for (size_t v = 0; v < n_vectors; v++) {
            float *y = g->y[first + r] + e + v * NT_LANES;
            if (part)
                v_store_part(y, sum[r][v], part);
            else
                v_store(y, sum[r][v]);
        }
    }
}

INLINE void value_rows(const attention_rows *a, const page_group *g, nt_dtype dtype, size_t first,
                       size_t n, size_t begin, size_t end) {
    size_t e = 0, wide = vectors_of(n);
    for (; e + wide * NT_LANES <= a->E; e += wide * NT_LANES)
        value_tile(a, g, dtype, first, n, begin, end, e, wide, 0);
    for (; e + NT_LANES <= a->E; e += NT_LANES)
        value_tile(a, g, dtype, first, n, begin, end, e, 1, 0);
    if (e < a->E) value_tile(a, g, dtype, first, n, begin, end, e, 1, a->E - e);
}

/* Adds the values, weighted by the probabilities in scratch: for all rows together where all of
 * them attend, before and after that row by row. */
INLINE void weigh_group(const attention_rows *a, const page_group *g, nt_dtype dtype) {
    size_t common = least(g->common, g->least);
    for (size_t r = 0; r < g->n; r++)
        if (g->first[r] < common) value_rows(a, g, dtype, r, 1, g->first[r], common);
    if (common < g->least) {
        switch (g->n) {
            ROWS(1, 1, GROUP, value_rows(a, g, dtype, 0, 1, common, g->least));
            ROWS(2, 1, GROUP, value_rows(a, g, dtype, 0, 2, common, g->least));
            ROWS(3, 1, GROUP, value_rows(a, g, dtype, 0, 3, common, g->least));
            ROWS(4, 1, GROUP, value_rows(a, g, dtype, 0, 4, common, g->least));
        }
    }
    for (size_t r = 0; r < g->n; r++) {
        size_t begin = most(g->first[r], g->least);
        if (g->length[r] > begin) value_rows(a, g, dtype, r, 1, begin, g->length[r]);
    }
}

static void weigh_f32(const attention_rows *a, const page_group *g) {
    weigh_group(a, g, NT_F32);
}

static void weigh_bf16(const attention_rows *a, const page_group *g) {
    weigh_group(a, g, NT_BF16);
}

static void weigh_values(const attention_rows *a) {
    if (a->stored == NT_BF16)
        each_group(a, weigh_bf16);
    else
        each_group(a, weigh_f32);
}

/* ---- Softmax --------------------------------------------------------------------------------- */

/* Largest of max and scores [n]. */
INLINE float max_of(const float *scores, size_t n, float max) {
    vec most = v_set(max);
    size_t t = 0;
    for (; t + NT_LANES <= n; t += NT_LANES)
        most = v_max(v_load(scores + t), most);
    if (t < n) most = v_max(v_select_part(v_load(scores + t), most, n - t), most);
    return v_max_lane(most);
}

/* scores [n] become exp(score - max) and are added to the sixteen lanes. */
INLINE vec exponents(float *scores, size_t n, float max, vec lanes) {
    vec m = v_set(max);
    size_t t = 0;
    for (; t + NT_LANES <= n; t += NT_LANES) {
        vec p = v_exp(v_sub(v_load(scores + t), m));
        v_store(scores + t, p);
        lanes = v_add(lanes, p);
    }
    if (t < n) {
        vec p = v_exp(v_sub(v_load(scores + t), m));
        v_store(scores + t, p);
        lanes = v_add_part(p, lanes, n - t);
    }
    return lanes;
}

INLINE void multiply(float *p, size_t n, float factor) {
    vec f = v_set(factor);
    for (size_t t = 0; t < n; t += NT_LANES) /* scratch has room for whole vectors */
        v_store(p + t, v_mul(v_load(p + t), f));
}

/* ---- All of it ------------------------------------------------------------------------------- */

/* How many of row r's positions lie in the current block. */
INLINE size_t in_block(const attention_rows *a, size_t r) {
    if (a->length[r] <= a->block) return 0;
    return least(a->length[r] - a->block, a->capacity);
}

/* Three passes over the blocks: largest score, sum, weighted values. One block, the usual case,
 * keeps its scores in scratch; more than one computes them again in each pass. */
static void attend_rows(attention_rows *a) {
    bool again = a->longest - a->start > a->capacity;
    float max[NT_ATTENTION_ROWS], inverse[NT_ATTENTION_ROWS];
    vec lanes[NT_ATTENTION_ROWS];
    for (size_t r = 0; r < a->n; r++) {
        max[r] = -INFINITY;
        lanes[r] = v_zero();
        for (size_t e = 0; e < a->E; e++)
            a->y[r][e] = 0.0f;
    }
    for (a->block = a->start; a->block < a->longest; a->block += a->capacity) {
        score(a);
        for (size_t r = 0; r < a->n; r++)
            max[r] = max_of(a->scores + r * a->stride, in_block(a, r), max[r]);
    }
    for (a->block = a->start; a->block < a->longest; a->block += a->capacity) {
        if (again) score(a);
        for (size_t r = 0; r < a->n; r++) {
            lanes[r] = exponents(a->scores + r * a->stride, in_block(a, r), max[r], lanes[r]);
        }
    }
    for (size_t r = 0; r < a->n; r++)
        inverse[r] = 1.0f / v_tree(lanes[r]);
    for (a->block = a->start; a->block < a->longest; a->block += a->capacity) {
        if (again) score(a);
        for (size_t r = 0; r < a->n; r++) {
            float *p = a->scores + r * a->stride;
            size_t n = in_block(a, r);
            if (again) exponents(p, n, max[r], v_zero());
            multiply(p, n, inverse[r]);
            if (a->probs[r] && n) memcpy(a->probs[r] + a->block, p, n * sizeof *p);
        }
        weigh_values(a);
    }
}

/* Where row r's window begins. */
INLINE size_t window_of(const nt_attention *a, size_t r) {
    size_t length = (size_t)a->position[r] + 1;
    return a->window && length > a->window ? length - a->window : 0;
}

/* Rows `rows` [n] of a call, which go together. */
static void attend_together(const nt_attention *all, size_t h, const size_t *rows, size_t n,
                            float *scratch, size_t n_scratch) {
    size_t E = all->E, g = h / (all->H / all->G);
    attention_rows a; /* set field by field: for short texts clearing it all would show */
    a.n = n;
    a.keys = g * E * NT_PAGE;
    a.values = (all->G + g) * E * NT_PAGE;
    a.E = E;
    a.scale = all->scale;
    a.stored = all->stored;
    a.longest = 0;
    a.start = SIZE_MAX;
    for (size_t i = 0; i < n; i++) {
        size_t r = rows[i];
        a.q[i] = all->q.data + r * all->q.row + h * all->q.head;
        a.y[i] = all->y + (r * all->H + h) * E;
        a.probs[i] = all->probs ? all->probs + (r * all->H + h) * all->ld_probs : NULL;
        a.pages[i] = all->pages[r];
        a.first[i] = window_of(all, r);
        a.length[i] = (size_t)all->position[r] + 1;
        a.start = least(a.start, a.first[i] / NT_PAGE * NT_PAGE);
        a.longest = most(a.longest, a.length[i]);
    }
    for (size_t i = 0; i < n; i++)
        if (a.probs[i]) memset(a.probs[i], 0, least(a.start, a.length[i]) * sizeof(float));
    a.scores = scratch;
    /* Rows one after the other, a vector apart: at distances of 4096 bytes they would push each
     * other out of the cache. */
    size_t span = pages_of(a.longest) * NT_PAGE - a.start;
    a.stride = least(n_scratch / n / NT_LANES, span / NT_LANES + 1) * NT_LANES;
    a.capacity = a.stride / NT_PAGE * NT_PAGE;
    attend_rows(&a);
}

/* As many rows go together as scratch holds all scores of, but GROUP at least. */
static void attend(const nt_attention *a, size_t h, size_t begin, size_t end, float *scratch,
                   size_t n_scratch) {
    size_t longest = 1;
    for (size_t r = begin; r < end; r++)
        longest = most(longest, (size_t)a->position[r] + 1);
    size_t together = n_scratch / (pages_of(longest) * NT_PAGE + NT_LANES);
    together = least(most(together, GROUP), NT_ATTENTION_ROWS);
    for (size_t first = begin; first < end; first += NT_ATTENTION_ROWS) {
        size_t n = least(end - first, NT_ATTENTION_ROWS), rows[NT_ATTENTION_ROWS];
        uint32_t left = ((uint32_t)1 << n) - 1;
        while (left) {
            n = take_sharers(rows, together, a->pages + first, 0, &left);
            for (size_t i = 0; i < n; i++)
                rows[i] += first;
            attend_together(a, h, rows, n, scratch, n_scratch);
        }
    }
}
