#include "base/random.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "base/status.h"

/* Multipliers and key increments of the paper. */
static const uint64_t MULTIPLIERS[2] = {0xD2E7470EE14C6C93, 0xCA5A826395121157};
static const uint64_t INCREMENTS[2] = {0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B};
enum { ROUNDS = 10 };

static uint64_t multiply(uint64_t *high, uint64_t a, uint64_t b) {
    __extension__ unsigned __int128 product = (unsigned __int128)a * b;
    *high = (uint64_t)(product >> 64);
    return (uint64_t)product;
}

void nt_philox(uint64_t out[4], const uint64_t key[2], const uint64_t counter[4]) {
    uint64_t k[2] = {key[0], key[1]}, c[4] = {counter[0], counter[1], counter[2], counter[3]};
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t high[2], low[2];
        for (int i = 0; i < 2; i++)
            low[i] = multiply(&high[i], MULTIPLIERS[i], c[2 * i]);
        c[0] = high[1] ^ c[1] ^ k[0];
        c[1] = low[1];
        c[2] = high[0] ^ c[3] ^ k[1];
        c[3] = low[0];
        for (int i = 0; i < 2; i++)
            k[i] += INCREMENTS[i];
    }
    memcpy(out, c, sizeof c);
}

double nt_random_uniform(uint64_t seed, uint64_t sequence, uint64_t draw) {
    uint64_t key[2] = {seed, 0}, counter[4] = {draw, sequence, 0, 0}, block[4];
    nt_philox(block, key, counter);
    return (double)(block[0] >> 11) * 0x1p-53;
}

int nt_random_seed(uint64_t *seed) {
    uint64_t bits;
    ssize_t n;
    do
        n = getrandom(&bits, sizeof bits, 0);
    while (n < 0 && errno == EINTR);
    if (n != (ssize_t)sizeof bits) {
        *seed = 0;
        return nt_fail(NT_E_IO, "the system gave no random seed (getrandom: %s); give one (seed)",
                       n < 0 ? strerror(errno) : "too few bytes");
    }
    *seed = bits >> 11;
    return NT_OK;
}
