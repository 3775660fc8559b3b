#include "text/vocab/hash.h"

#include <string.h>
#include <sys/random.h>
#include <time.h>

uint64_t nt_hash_seed(void) {
    uint64_t seed;
    if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) != (ssize_t)sizeof seed) {
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        seed = (uint64_t)now.tv_nsec * 0xD1342543DE82EF95u ^ (uintptr_t)&seed;
    }
    return seed;
}

uint64_t nt_hash_bytes(uint64_t seed, const char *bytes, size_t n) {
    uint64_t key = seed | 0x9E3779B97F4A7C15u, state = seed ^ n;
    while (n > 0) {
        uint64_t word = 0;
        size_t some = n < 8 ? n : 8;
        memcpy(&word, bytes, some);
        state = nt_hash_fold(state ^ word, key) + seed;
        bytes += some;
        n -= some;
    }
    return nt_hash_fold(state ^ 0xA0761D6478BD642Fu, key);
}
