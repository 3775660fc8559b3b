/* Seeded hashing: whoever writes a tokenizer's files cannot know the seed, and so cannot choose
 * keys that collide. */
#ifndef NT_TEXT_HASH_H
#define NT_TEXT_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A seed that differs from run to run. Nothing that a caller sees depends on it. */
uint64_t nt_hash_seed(void);

static inline uint64_t nt_hash_fold(uint64_t a, uint64_t b) {
    __extension__ typedef unsigned __int128 wide;
    wide product = (wide)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t nt_hash_load8(const char *bytes) {
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

static inline uint64_t nt_hash_load4(const char *bytes) {
    uint32_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

/* Sixteen bytes a step; what is left as two words that may overlap. */
static inline uint64_t nt_hash_bytes(uint64_t seed, const char *bytes, size_t n) {
    uint64_t key = seed | 0x9E3779B97F4A7C15u;
    uint64_t state = nt_hash_fold(seed ^ n, 0xA0761D6478BD642Fu), a = 0, b = 0;
    for (; n > 16; bytes += 16, n -= 16)
        state = nt_hash_fold(nt_hash_load8(bytes) ^ key, nt_hash_load8(bytes + 8) ^ state);
    if (n >= 8) {
        a = nt_hash_load8(bytes);
        b = nt_hash_load8(bytes + n - 8);
    } else if (n >= 4) {
        a = nt_hash_load4(bytes);
        b = nt_hash_load4(bytes + n - 4);
    } else if (n > 0) {
        const unsigned char *few = (const unsigned char *)bytes;
        a = (uint64_t)few[0] << 16 | (uint64_t)few[n >> 1] << 8 | few[n - 1];
    }
    return nt_hash_fold(nt_hash_fold(a ^ key, b ^ state) ^ seed, 0xE7037ED1A0B428DBu);
}

/* The factor is the same for every seed: some seeds would make a bad one. */
static inline uint64_t nt_hash_pair(uint64_t seed, uint32_t left, uint32_t right) {
    return nt_hash_fold(((uint64_t)left << 32 | right) ^ seed, 0x9E3779B97F4A7C15u);
}

#endif
