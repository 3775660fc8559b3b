/* Attention over vectors of sixteen lanes: scores are vectors of positions, outputs vectors of a
 * head's dimensions. Rows go through the pages together: a page that several of them hold (rows of
 * one text, beams, forks of a prompt) is taken up once, and four rows at a time share each load. */
#include <math.h>

enum { GROUP = 4 };

/* One head of the rows that go together, and the scratch that holds their scores. */
typedef struct attention_rows {
    size_t n;
    const float *q[NT_ATTENTION_ROWS]; /* [E] each */
    float *y[NT_ATTENTION_ROWS];       /* [E] each */
    float *probs[NT_ATTENTION_ROWS];   /* [length], or NULL */
    float *const *pages[NT_ATTENTION_ROWS];
    size_t length[NT_ATTENTION_ROWS]; /* positions that each row attends to */
    size_t longest;
    size_t keys, values; /* where this head's keys and values begin within a page */
    size_t E;
    float scale;
    float *scores; /* [n, capacity]: positions [block, block + capacity) of each row */
    size_t capacity, block;
} attention_rows;

/* Rows that hold the same page, with all that is theirs seen from its first position. */
typedef struct page_group {
    size_t n; /* 1 .. GROUP */
    const float *page;
    const float *q[GROUP];
    float *y[GROUP], *scores[GROUP];
    size_t length[GROUP];
    size_t least, most; /* of the lengths; 1 .. NT_PAGE */
} page_group;

INLINE size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

INLINE size_t most(size_t a, size_t b) {
    return a > b ? a : b;
}

/* Takes from *left, a bit a row, the next rows that hold one page, position `begin` being its
 * first. A row that does not reach it has no such page. */
static bool next_group(page_group *g, const attention_rows *a, size_t begin, uint32_t *left) {
    g->n = g->most = 0;
    g->least = NT_PAGE;
    for (uint32_t rows = *left; rows && g->n < GROUP; rows &= rows - 1) {
        size_t r = (size_t)__builtin_ctz(rows);
        if (a->length[r] > begin) {
            const float *page = a->pages[r][begin / NT_PAGE];
            if (g->n == 0) g->page = page;
            if (g->page != page) continue;
            size_t length = least(a->length[r] - begin, NT_PAGE);
            g->q[g->n] = a->q[r];
            g->y[g->n] = a->y[r];
            g->scores[g->n] = a->scores + r * a->capacity + (begin - a->block);
            g->length[g->n++] = length;
            g->least = least(g->least, length);
            g->most = most(g->most, length);
        }
        *left &= ~((uint32_t)1 << r);
    }
    return g->n > 0;
}

/* How many vectors at a time: their accumulators fill the registers. */
INLINE size_t vectors_of(size_t n) {
    return n == 1 ? 4 : n == 2 ? most(2, ATTENTION_VECTORS) : ATTENTION_VECTORS;
}

/* ---- Scores ---------------------------------------------------------------------------------- */

/* Of n rows for n_vectors * 16 positions, from position t of the page on. */
INLINE void score_tile(const attention_rows *a, const page_group *g, size_t t, size_t n,
                       size_t n_vectors) {
    const float *keys = g->page + a->keys + t;
    vec dot[GROUP][NT_PAGE / NT_LANES];
    for (size_t r = 0; r < n; r++)
        for (size_t v = 0; v < n_vectors; v++)
            dot[r][v] = v_zero();
    for (size_t e = 0; e < a->E; e++, keys += NT_PAGE) {
        for (size_t r = 0; r < n; r++) {
            vec q = v_set(g->q[r][e]);
            for (size_t v = 0; v < n_vectors; v++)
                dot[r][v] = v_fma(q, v_load(keys + v * NT_LANES), dot[r][v]);
        }
    }
    vec scale = v_set(a->scale);
    for (size_t r = 0; r < n; r++)
        for (size_t v = 0; v < n_vectors; v++)
            v_store(g->scores[r] + t + v * NT_LANES, v_mul(scale, dot[r][v]));
}

/* Several vectors at a time, the last ones singly. Lanes past the end of a row come from slots that
 * hold nothing yet or nothing of its own, and are never looked at. */
INLINE void score_rows(const attention_rows *a, const page_group *g, size_t n) {
    size_t t = 0, wide = vectors_of(n);
    for (; t + (wide - 1) * NT_LANES < g->most; t += wide * NT_LANES)
        score_tile(a, g, t, n, wide);
    for (; t < g->most; t += NT_LANES)
        score_tile(a, g, t, n, 1);
}

static void score_group(const attention_rows *a, const page_group *g) {
    switch (g->n) {
        ROWS(1, 1, GROUP, score_rows(a, g, 1));
        ROWS(2, 1, GROUP, score_rows(a, g, 2));
        ROWS(3, 1, GROUP, score_rows(a, g, 3));
        ROWS(4, 1, GROUP, score_rows(a, g, 4));
    }
}

/* ---- Values ---------------------------------------------------------------------------------- */

/* y[r][e ..] = chain over positions [begin, end) of the page for n_vectors vectors of dimensions,
 * the last holding `part` lanes when that is not 0. */
INLINE void value_tile(const attention_rows *a, const page_group *g, size_t first, size_t n,
                       size_t begin, size_t end, size_t e, size_t n_vectors, size_t part) {
    vec sum[GROUP][4];
    for (size_t r = 0; r < n; r++) {
        for (size_t v = 0; v < n_vectors; v++) {
            const float *y = g->y[first + r] + e + v * NT_LANES;
            sum[r][v] = part ? v_load_part(y, part) : v_load(y);
        }
    }
    const float *value = g->page + a->values + begin * a->E + e;
    for (size_t t = begin; t < end; t++, value += a->E) {
        for (size_t v = 0; v < n_vectors; v++) {
            const float *from = value + v * NT_LANES;
            vec x = part ? v_load_part(from, part) : v_load(from);
            for (size_t r = 0; r < n; r++)
                sum[r][v] = v_fma(v_set(g->scores[first + r][t]), x, sum[r][v]);
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

INLINE void value_rows(const attention_rows *a, const page_group *g, size_t first, size_t n,
                       size_t begin, size_t end) {
    size_t e = 0, wide = vectors_of(n);
    for (; e + wide * NT_LANES <= a->E; e += wide * NT_LANES)
        value_tile(a, g, first, n, begin, end, e, wide, 0);
    for (; e + NT_LANES <= a->E; e += NT_LANES)
        value_tile(a, g, first, n, begin, end, e, 1, 0);
    if (e < a->E) value_tile(a, g, first, n, begin, end, e, 1, a->E - e);
}

/* Adds the page's values, weighted by the probabilities in scratch: for all rows together as far
 * as all of them reach, then row by row. */
static void weigh_group(const attention_rows *a, const page_group *g) {
    switch (g->n) {
        ROWS(1, 1, GROUP, value_rows(a, g, 0, 1, 0, g->least));
        ROWS(2, 1, GROUP, value_rows(a, g, 0, 2, 0, g->least));
        ROWS(3, 1, GROUP, value_rows(a, g, 0, 3, 0, g->least));
        ROWS(4, 1, GROUP, value_rows(a, g, 0, 4, 0, g->least));
    }
    for (size_t r = 0; r < g->n; r++)
        if (g->length[r] > g->least) value_rows(a, g, r, 1, g->least, g->length[r]);
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

/* How many of row r's positions lie in the current block. */
INLINE size_t in_block(const attention_rows *a, size_t r) {
    if (a->length[r] <= a->block) return 0;
    return least(a->length[r] - a->block, a->capacity);
}

/* ---- All of it ------------------------------------------------------------------------------- */

/* Page after page of the current block, and within a page all rows that hold it. */
static void each_group(const attention_rows *a,
                       void (*use)(const attention_rows *a, const page_group *g)) {
    size_t end = least(a->block + a->capacity, a->longest);
    for (size_t begin = a->block; begin < end; begin += NT_PAGE) {
        uint32_t left = ((uint32_t)1 << a->n) - 1;
        page_group g;
        while (next_group(&g, a, begin, &left))
            use(a, &g);
    }
}

/* Three passes over the blocks: largest score, sum, weighted values. One block, the usual case,
 * keeps its scores in scratch; more than one computes them again in each pass. */
static void attend_rows(attention_rows *a) {
    bool again = a->longest > a->capacity;
    float max[NT_ATTENTION_ROWS], inverse[NT_ATTENTION_ROWS];
    vec lanes[NT_ATTENTION_ROWS];
    for (size_t r = 0; r < a->n; r++) {
        max[r] = -INFINITY;
        lanes[r] = v_zero();
        for (size_t e = 0; e < a->E; e++)
            a->y[r][e] = 0.0f;
    }
    for (a->block = 0; a->block < a->longest; a->block += a->capacity) {
        each_group(a, score_group);
        for (size_t r = 0; r < a->n; r++)
            max[r] = max_of(a->scores + r * a->capacity, in_block(a, r), max[r]);
    }
    for (a->block = 0; a->block < a->longest; a->block += a->capacity) {
        if (again) each_group(a, score_group);
        for (size_t r = 0; r < a->n; r++) {
            lanes[r] = exponents(a->scores + r * a->capacity, in_block(a, r), max[r], lanes[r]);
        }
    }
    for (size_t r = 0; r < a->n; r++)
        inverse[r] = 1.0f / v_tree(lanes[r]);
    for (a->block = 0; a->block < a->longest; a->block += a->capacity) {
        if (again) each_group(a, score_group);
        for (size_t r = 0; r < a->n; r++) {
            float *p = a->scores + r * a->capacity;
            size_t n = in_block(a, r);
            if (again) exponents(p, n, max[r], v_zero());
            multiply(p, n, inverse[r]);
            if (a->probs[r] && n) memcpy(a->probs[r] + a->block, p, n * sizeof *p);
        }
        each_group(a, weigh_group);
    }
}

/* So many rows go together as scratch holds all scores of; GROUP at least. */
static void attend(const nt_attention *all, size_t h, size_t begin, size_t end, float *scratch,
                   size_t n_scratch) {
    size_t E = all->E, D = all->H * E, longest = 0;
    for (size_t r = begin; r < end; r++)
        longest = most(longest, (size_t)all->position[r] + 1);
    longest = (longest + NT_PAGE - 1) / NT_PAGE * NT_PAGE;
    size_t together = least(most(n_scratch / most(longest, 1), GROUP), NT_ATTENTION_ROWS);
    for (size_t r = begin; r < end;) {
        attention_rows a = {.n = least(together, end - r),
                            .keys = h * E * NT_PAGE,
                            .values = (D + h * E) * NT_PAGE,
                            .E = E,
                            .scale = all->scale,
                            .scores = scratch};
        a.capacity = least(n_scratch / a.n / NT_PAGE * NT_PAGE, longest);
        for (size_t i = 0; i < a.n; i++, r++) {
            a.q[i] = all->qkv + r * 3 * D + h * E;
            a.y[i] = all->y + r * D + h * E;
            a.probs[i] = all->probs ? all->probs + (r * all->H + h) * all->ld_probs : NULL;
            a.pages[i] = all->pages[r];
            a.length[i] = (size_t)all->position[r] + 1;
            a.longest = most(a.longest, a.length[i]);
        }
        attend_rows(&a);
    }
}
