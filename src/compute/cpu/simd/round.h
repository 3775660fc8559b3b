/* Rounding to bfloat16. Integers alone, one number at a time: the compiler makes vectors of it. */

static void round_all(float *x, size_t n) {
    for (size_t i = 0; i < n; i++) {
        uint32_t bits = (uint32_t)nt_bfloat(x[i]) << 16;
        memcpy(x + i, &bits, sizeof bits);
    }
}
