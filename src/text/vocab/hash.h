/* Seeded hashing: whoever writes a tokenizer's files cannot know the seed, and so cannot choose
 * keys that collide. */
#ifndef NT_TEXT_HASH_H
#define NT_TEXT_HASH_H

#include <stddef.h>
#include <stdint.h>

/* A seed that differs from run to run. Nothing that a caller sees depends on it. */
uint64_t nt_hash_seed(void);
uint64_t nt_hash_bytes(uint64_t seed, const char *bytes, size_t n);

static inline uint64_t nt_hash_fold(uint64_t a, uint64_t b) {
    __extension__ typedef unsigned __int128 wide;
    wide product = (wide)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t nt_hash_pair(uint64_t seed, uint32_t left, uint32_t right) {
    return nt_hash_fold(((uint64_t)left << 32 | right) ^ seed, seed | 0x9E3779B97F4A7C15u);
}

#endif
