#include "base/mersenne.h"

enum { N = NT_MERSENNE_N, M = 397 };

void nt_mersenne_seed(nt_mersenne *generator, uint32_t seed) {
    uint32_t *state = generator->state;
    state[0] = seed;
    for (uint32_t i = 1; i < N; i++)
        state[i] = 1812433253u * (state[i - 1] ^ state[i - 1] >> 30) + i;
    generator->at = N;
}

static inline uint32_t twisted(uint32_t high, uint32_t low, uint32_t far) {
    uint32_t mixed = (high & 0x80000000u) | (low & 0x7FFFFFFFu);
    return far ^ mixed >> 1 ^ (0x9908B0DFu & -(low & 1u));
}

/* The next N words. In parts of which none reads what it has just written: vectors. */
static void twist(uint32_t *s) {
    for (int i = 0; i < N - M; i++)
        s[i] = twisted(s[i], s[i + 1], s[i + M]);
    for (int i = N - M; i < 2 * (N - M); i++)
        s[i] = twisted(s[i], s[i + 1], s[i + M - N]);
    for (int i = 2 * (N - M); i < N - 1; i++)
        s[i] = twisted(s[i], s[i + 1], s[i + M - N]);
    s[N - 1] = twisted(s[N - 1], s[0], s[M - 1]);
}

static inline uint32_t tempered(uint32_t y) {
    y ^= y >> 11;
    y ^= y << 7 & 0x9D2C5680u;
    y ^= y << 15 & 0xEFC60000u;
    return y ^ y >> 18;
}

uint32_t nt_mersenne_next(nt_mersenne *generator) {
    uint32_t next;
    nt_mersenne_fill(generator, &next, 1);
    return next;
}

void nt_mersenne_fill(nt_mersenne *generator, uint32_t *out, size_t n) {
    while (n > 0) {
        if (generator->at == N) {
            twist(generator->state);
            generator->at = 0;
        }
        const uint32_t *words = generator->state + generator->at;
        size_t part = n < N - generator->at ? n : N - generator->at;
        for (size_t i = 0; i < part; i++)
            out[i] = tempered(words[i]);
        generator->at += part;
        out += part;
        n -= part;
    }
}

void nt_mersenne_skip(nt_mersenne *generator, uint64_t n) {
    for (; n > N - generator->at; generator->at = 0) {
        n -= N - generator->at;
        twist(generator->state);
    }
    generator->at += (size_t)n;
}
