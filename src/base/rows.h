/* Whole rows of numbers in vectors of WIDTH doubles (2, 4 or 8). math.c includes this once for each
 * width that the processor family may have, with FOR (the function's attribute) and NAME(f). What
 * is computed does not depend on the width, only how much of it side by side: eight sums, element i
 * in sum i % 8, lie in 8 / WIDTH vectors. Vectors wider than the registers would pass through
 * memory. */

enum { NAME(PARTS) = LANES / WIDTH };
typedef double NAME(vec) __attribute__((vector_size(WIDTH * sizeof(double))));
typedef float NAME(floats) __attribute__((vector_size(WIDTH * sizeof(float))));
typedef int64_t NAME(whole) __attribute__((vector_size(WIDTH * sizeof(int64_t))));
typedef float NAME(row) __attribute__((vector_size(2 * WIDTH * sizeof(float))));
typedef int32_t NAME(row_mask) __attribute__((vector_size(2 * WIDTH * sizeof(int32_t))));

/* e = exp(d) of n vectors of d <= 0. exp below 2^-1021 counts as 0, and d is then -708. The n go
 * side by side, an operation of each before the next operation: alone, each would wait for its own
 * result. n is a constant where this is called. */
FOR static inline __attribute__((always_inline)) void NAME(exps)(NAME(vec) * e, NAME(vec) * d,
                                                                 int n) {
    const NAME(vec) lowest = -708 - (NAME(vec)){0};
    NAME(whole) keep[SIDE_BY_SIDE];
    NAME(vec) shifted[SIDE_BY_SIDE], r[SIDE_BY_SIDE], p[SIDE_BY_SIDE];
    for (int k = 0; k < n; k++) {
        keep[k] = d[k] >= lowest;
        d[k] = (NAME(vec))(((NAME(whole))d[k] & keep[k]) | ((NAME(whole))lowest & ~keep[k]));
        shifted[k] = d[k] * LOG2E + ROUND;
    }
    for (int k = 0; k < n; k++) {
        NAME(vec) whole = shifted[k] - ROUND;
        r[k] = (d[k] - whole * LN2_HIGH) - whole * LN2_LOW;
        p[k] = EXP[9] * r[k] + EXP[8];
    }
    for (int i = 7; i >= 0; i--)
        for (int k = 0; k < n; k++)
            p[k] = p[k] * r[k] + EXP[i];
    for (int k = 0; k < n; k++) {
        p[k] = 1 + (r[k] + r[k] * r[k] * p[k]);
        p[k] = p[k] * (NAME(vec))(((NAME(whole))shifted[k] + 1023) << 52);
        e[k] = (NAME(vec))((NAME(whole))p[k] & keep[k]);
    }
}

/* Whether all of x [2 rows] are -inf (or NaN): exp of them is 0, and adds nothing to any sum. A row
 * of logits behind top_k is mostly such; elsewhere the first number tells that it is not. */
FOR static inline __attribute__((always_inline)) bool NAME(nothing)(const float *x) {
    if (x[0] > -INFINITY) return false;
    NAME(row) v[2];
    memcpy(v, x, sizeof v);
    NAME(row_mask) above = (v[0] > -INFINITY) | (v[1] > -INFINITY);
    int32_t any = 0;
    for (int l = 0; l < 2 * WIDTH; l++)
        any |= above[l];
    return !any;
}

/* Adds exp(d) and exp(d) d of n vectors to the sums, in order. */
FOR static inline __attribute__((always_inline)) void
NAME(add)(NAME(vec) * sum, NAME(vec) * weighted, NAME(vec) * d, int n) {
    NAME(vec) e[SIDE_BY_SIDE];
    NAME(exps)(e, d, n);
    for (int k = 0; k < n; k++) {
        sum[k % NAME(PARTS)] += e[k];
        weighted[k % NAME(PARTS)] += e[k] * d[k];
    }
}

FOR static inline __attribute__((always_inline)) double NAME(tree)(const NAME(vec) * sum) {
    double l[LANES], four[4];
    memcpy(l, sum, sizeof l);
    for (int i = 0; i < 4; i++)
        four[i] = l[i] + l[i + 4];
    return (four[0] + four[2]) + (four[1] + four[3]);
}

/* Sums over x [n], or over x[at[i]] where there is at [n]. */
FOR static inline __attribute__((always_inline)) void
NAME(sums_over)(double *sums, const float *x, const int32_t *at, size_t n, double max) {
    enum { STEP = WIDTH * SIDE_BY_SIDE };
    NAME(vec) sum[NAME(PARTS)] = {0}, weighted[NAME(PARTS)] = {0}, d[SIDE_BY_SIDE] = {0};
    size_t i = 0;
    for (; i + STEP <= n; i += STEP) {
        if (!at && NAME(nothing)(x + i)) continue;
        for (int k = 0; k < SIDE_BY_SIDE; k++) {
            NAME(floats) part = {0};
            size_t begin = i + (size_t)(WIDTH * k);
            if (at) {
                for (size_t l = 0; l < WIDTH; l++)
                    part[l] = x[at[begin + l]];
            } else {
                memcpy(&part, x + begin, sizeof part);
            }
            d[k] = __builtin_convertvector(part, NAME(vec)) - max;
        }
        NAME(add)(sum, weighted, d, SIDE_BY_SIDE);
    }
    for (; i < n; i += LANES) { /* absent elements are -inf: they add 0 */
        double last[LANES];
        for (size_t l = 0; l < LANES; l++)
            last[l] = i + l < n ? (double)x[at ? (size_t)at[i + l] : i + l] - max : -INFINITY;
        memcpy(d, last, sizeof last);
        NAME(add)(sum, weighted, d, NAME(PARTS));
    }
    sums[0] = NAME(tree)(sum);
    sums[1] = NAME(tree)(weighted);
}

/* The largest of x [n]; *fit is false when a number is NaN or +inf. */
FOR static inline __attribute__((always_inline)) float NAME(max)(bool *fit, const float *x,
                                                                 size_t n) {
    enum { STEP = 2 * WIDTH };
    float most = -INFINITY;
    int32_t bad = 0;
    size_t i = 0;
    if (n >= STEP) {
        NAME(row) top = most - (NAME(row)){0}, v; /* most in every lane */
        NAME(row_mask) broken = {0};
        for (; i + STEP <= n; i += STEP) {
            memcpy(&v, x + i, sizeof v);
            NAME(row_mask) above = v > top;
            top = (NAME(row))(((NAME(row_mask))v & above) | ((NAME(row_mask))top & ~above));
            broken |= ~(v <= FLT_MAX);
        }
        for (int l = 0; l < STEP; l++) {
            most = top[l] > most ? top[l] : most;
            bad |= broken[l];
        }
    }
    for (; i < n; i++) {
        most = x[i] > most ? x[i] : most;
        bad |= !(x[i] <= FLT_MAX);
    }
    *fit = !bad;
    return most;
}

FOR static row_sums NAME(row_sums)(const float *x, size_t n) {
    row_sums s = {0};
    float max = NAME(max)(&s.finite, x, n);
    s.finite = s.finite && max != -INFINITY;
    s.max = max;
    if (s.finite) NAME(sums_over)(s.sums, x, NULL, n, max);
    return s;
}

FOR static double NAME(sum_at)(const float *x, const int32_t *at, size_t n, double max) {
    double sums[2];
    NAME(sums_over)(sums, x, at, n, max);
    return sums[0];
}

/* out = exp(x - max), [4 WIDTH] */
FOR static inline __attribute__((always_inline)) void NAME(exp_part)(double *out, const float *x,
                                                                     double max) {
    NAME(vec) d[SIDE_BY_SIDE], e[SIDE_BY_SIDE] = {0};
    for (int k = 0; k < SIDE_BY_SIDE; k++) {
        NAME(floats) floats;
        memcpy(&floats, x + WIDTH * k, sizeof floats);
        d[k] = __builtin_convertvector(floats, NAME(vec)) - max;
    }
    NAME(exps)(e, d, SIDE_BY_SIDE);
    memcpy(out, e, sizeof e);
}

FOR static void NAME(exp_below)(double *out, const float *x, size_t n, double max) {
    enum { STEP = WIDTH * SIDE_BY_SIDE };
    size_t i = 0;
    for (; i + STEP <= n; i += STEP) {
        if (NAME(nothing)(x + i))
            memset(out + i, 0, STEP * sizeof *out);
        else
            NAME(exp_part)(out + i, x + i, max);
    }
    if (i == n) return;
    float last[STEP];
    double exact[STEP];
    for (size_t l = 0; l < STEP; l++)
        last[l] = i + l < n ? x[i + l] : -INFINITY;
    NAME(exp_part)(exact, last, max);
    memcpy(out + i, exact, (n - i) * sizeof *out);
}

#undef WIDTH
#undef FOR
#undef NAME
