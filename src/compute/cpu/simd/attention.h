/* Attention over vectors of sixteen lanes: scores are vectors of positions, outputs vectors of a
 * head's dimensions. Four query rows of one sequence share what they read of its pages. */
#include <math.h>

enum { GROUP = 4 };

/* One head of up to GROUP rows of one sequence, and the scratch that holds their scores. */
typedef struct attention_group {
    size_t n;              /* rows: GROUP, or 1 */
    const float *q[GROUP]; /* [E] each */
    float *y[GROUP];       /* [E] each */
    size_t length[GROUP];  /* positions that each row attends to */
    size_t longest;
    float *const *pages;
    size_t keys, values; /* where this head's keys and values begin within a page */
    size_t E;
    float scale;
    float *scores; /* [n, capacity]: positions [block, block + capacity) of each row */
    size_t capacity, block;
} attention_group;

INLINE size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

/* Scores of n_rows rows for n_vectors * 16 positions, whose keys begin at `keys`. */
INLINE void score_tile(const attention_group *g, const float *keys, size_t at, size_t n_rows,
                       size_t n_vectors) {
    vec dot[GROUP][NT_PAGE / NT_LANES];
    for (size_t r = 0; r < n_rows; r++)
        for (size_t v = 0; v < n_vectors; v++)
            dot[r][v] = v_zero();
    for (size_t e = 0; e < g->E; e++, keys += NT_PAGE) {
        for (size_t r = 0; r < n_rows; r++) {
            vec q = v_set(g->q[r][e]);
            for (size_t v = 0; v < n_vectors; v++)
                dot[r][v] = v_fma(q, v_load(keys + v * NT_LANES), dot[r][v]);
        }
    }
    vec scale = v_set(g->scale);
    for (size_t r = 0; r < n_rows; r++)
        for (size_t v = 0; v < n_vectors; v++)
            v_store(g->scores + r * g->capacity + at + v * NT_LANES, v_mul(scale, dot[r][v]));
}

/* How many vectors at a time: their accumulators fill the registers. */
INLINE size_t vectors_of(size_t n_rows) {
    return n_rows == 1 ? 4 : ATTENTION_VECTORS;
}

/* Scores of the current block: several vectors at a time, the last ones singly. Lanes past the end
 * of a row come from slots that hold nothing yet, and are never looked at. */
INLINE void score_block(const attention_group *g, size_t n_rows) {
    size_t end = least(g->block + g->capacity, g->longest), wide = vectors_of(n_rows);
    for (size_t t = g->block; t < end;) {
        const float *keys = g->pages[t / NT_PAGE] + g->keys + t % NT_PAGE;
        if (t % (wide * NT_LANES) == 0 && t + (wide - 1) * NT_LANES < end) {
            score_tile(g, keys, t - g->block, n_rows, wide);
            t += wide * NT_LANES;
        } else {
            score_tile(g, keys, t - g->block, n_rows, 1);
            t += NT_LANES;
        }
    }
}

static void score(const attention_group *g) {
    if (g->n == GROUP)
        score_block(g, GROUP);
    else
        score_block(g, 1);
}

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

/* y[r][e ..] = chain over positions [begin, end) for n_vectors vectors of dimensions, the last
 * holding `part` lanes when that is not 0. */
INLINE void value_tile(const attention_group *g, size_t first_row, size_t n_rows, size_t begin,
                       size_t end, size_t e, size_t n_vectors, size_t part) {
    vec sum[GROUP][4];
    for (size_t r = 0; r < n_rows; r++) {
        for (size_t v = 0; v < n_vectors; v++) {
            const float *y = g->y[first_row + r] + e + v * NT_LANES;
            sum[r][v] = part ? v_load_part(y, part) : v_load(y);
        }
    }
    for (size_t t = begin; t < end;) {
        size_t stop = least(end, (t / NT_PAGE + 1) * NT_PAGE);
        const float *value = g->pages[t / NT_PAGE] + g->values + t % NT_PAGE * g->E + e;
        const float *p = g->scores + first_row * g->capacity + (t - g->block);
        for (; t < stop; t++, value += g->E, p++) {
            for (size_t v = 0; v < n_vectors; v++) {
                const float *from = value + v * NT_LANES;
                vec x = part ? v_load_part(from, part) : v_load(from);
                for (size_t r = 0; r < n_rows; r++)
                    sum[r][v] = v_fma(v_set(p[r * g->capacity]), x, sum[r][v]);
            }
        }
    }
    for (size_t r = 0; r < n_rows; r++) {
        for (size_t v = 0; v < n_vectors; v++) {
            float *y = g->y[first_row + r] + e + v * NT_LANES;
            if (part)
                v_store_part(y, sum[r][v], part);
            else
                v_store(y, sum[r][v]);
        }
    }
}

INLINE void value_rows(const attention_group *g, size_t first_row, size_t n_rows, size_t begin,
                       size_t end) {
    size_t e = 0, wide = vectors_of(n_rows);
    if (begin >= end) return;
    for (; e + wide * NT_LANES <= g->E; e += wide * NT_LANES)
        value_tile(g, first_row, n_rows, begin, end, e, wide, 0);
    for (; e + NT_LANES <= g->E; e += NT_LANES)
        value_tile(g, first_row, n_rows, begin, end, e, 1, 0);
    if (e < g->E) value_tile(g, first_row, n_rows, begin, end, e, 1, g->E - e);
}

/* Adds the values of the current block, weighted by the probabilities in scratch: for all rows
 * together as far as all of them reach, then row by row. */
static void weigh_values(const attention_group *g) {
    size_t stop = g->block + g->capacity, common = g->block;
    if (g->n == GROUP) {
        common = stop;
        for (size_t r = 0; r < GROUP; r++)
            common = least(common, g->length[r]);
        if (common < g->block) common = g->block;
        value_rows(g, 0, GROUP, g->block, common);
    }
    for (size_t r = 0; r < g->n; r++)
        value_rows(g, r, 1, common, least(stop, g->length[r]));
}

/* How many of row r's positions lie in the current block. */
INLINE size_t in_block(const attention_group *g, size_t r) {
    if (g->length[r] <= g->block) return 0;
    return least(g->length[r] - g->block, g->capacity);
}

/* Three passes over the blocks: largest score, sum, weighted values. One block, the usual case,
 * keeps its scores in scratch; more than one computes them again in each pass. */
INLINE void attend_group(attention_group *g, float *const probs[GROUP]) {
    bool again = g->longest > g->capacity;
    float max[GROUP], inverse[GROUP];
    vec lanes[GROUP];
    for (size_t r = 0; r < g->n; r++) {
        max[r] = -INFINITY;
        lanes[r] = v_zero();
        for (size_t e = 0; e < g->E; e++)
            g->y[r][e] = 0.0f;
    }
    for (g->block = 0; g->block < g->longest; g->block += g->capacity) {
        score(g);
        for (size_t r = 0; r < g->n; r++)
            max[r] = max_of(g->scores + r * g->capacity, in_block(g, r), max[r]);
    }
    for (g->block = 0; g->block < g->longest; g->block += g->capacity) {
        if (again) score(g);
        for (size_t r = 0; r < g->n; r++) {
            lanes[r] = exponents(g->scores + r * g->capacity, in_block(g, r), max[r], lanes[r]);
        }
    }
    for (size_t r = 0; r < g->n; r++)
        inverse[r] = 1.0f / v_tree(lanes[r]);
    for (g->block = 0; g->block < g->longest; g->block += g->capacity) {
        if (again) score(g);
        for (size_t r = 0; r < g->n; r++) {
            float *p = g->scores + r * g->capacity;
            size_t n = in_block(g, r);
            if (again) exponents(p, n, max[r], v_zero());
            multiply(p, n, inverse[r]);
            if (probs[r] && n) memcpy(probs[r] + g->block, p, n * sizeof *p);
        }
        weigh_values(g);
    }
}

static void attend(const nt_attention *a, size_t h, size_t begin, size_t end, float *scratch,
                   size_t n_scratch) {
    size_t D = a->H * a->E;
    for (size_t r = begin; r < end;) {
        attention_group g = {.n = 1,
                             .pages = a->pages[r],
                             .keys = h * a->E * NT_PAGE,
                             .values = (D + h * a->E) * NT_PAGE,
                             .E = a->E,
                             .scale = a->scale,
                             .scores = scratch};
        if (r + GROUP <= end && a->pages[r + 1] == g.pages && a->pages[r + 2] == g.pages &&
            a->pages[r + 3] == g.pages) {
            g.n = GROUP;
        }
        g.capacity = n_scratch / g.n / NT_PAGE * NT_PAGE;
        float *probs[GROUP] = {NULL};
        for (size_t i = 0; i < g.n; i++, r++) {
            g.q[i] = a->qkv + r * 3 * D + h * a->E;
            g.y[i] = a->y + r * D + h * a->E;
            g.length[i] = (size_t)a->position[r] + 1;
            if (g.length[i] > g.longest) g.longest = g.length[i];
            if (a->probs) probs[i] = a->probs + (r * a->H + h) * a->ld_probs;
        }
        attend_group(&g, probs);
    }
}
