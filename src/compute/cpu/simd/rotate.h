/* Rotary positions over vectors of sixteen lanes. */

/* Numbers (x[l], x[n + l]) of `part` lanes, 0 for all of them. */
INLINE void turn(float *x, const float *cosine, const float *sine, size_t n, size_t part) {
    vec a = part ? v_load_part(x, part) : v_load(x);
    vec b = part ? v_load_part(x + n, part) : v_load(x + n);
    vec c = part ? v_load_part(cosine, part) : v_load(cosine);
    vec s = part ? v_load_part(sine, part) : v_load(sine);
    vec first = v_sub(v_mul(a, c), v_mul(b, s)), second = v_add(v_mul(b, c), v_mul(a, s));
    if (part) {
        v_store_part(x, first, part);
        v_store_part(x + n, second, part);
    } else {
        v_store(x, first);
        v_store(x + n, second);
    }
}

static void rotate(float *x, const float *cosine, const float *sine, size_t n) {
    size_t i = 0;
    for (; i + NT_LANES <= n; i += NT_LANES)
        turn(x + i, cosine + i, sine + i, n, 0);
    if (i < n) turn(x + i, cosine + i, sine + i, n, n - i);
}
