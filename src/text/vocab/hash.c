#include "text/vocab/hash.h"

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
