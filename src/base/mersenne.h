/* The Mersenne Twister MT19937 (Matsumoto, Nishimura 1998), seeded as its authors' init_genrand
 * does: the stream behind torch's CPU generator. */
#ifndef NT_BASE_MERSENNE_H
#define NT_BASE_MERSENNE_H

#include <stddef.h>
#include <stdint.h>

enum { NT_MERSENNE_N = 624 };

typedef struct nt_mersenne {
    uint32_t state[NT_MERSENNE_N];
    size_t at;
} nt_mersenne;

void nt_mersenne_seed(nt_mersenne *generator, uint32_t seed);
uint32_t nt_mersenne_next(nt_mersenne *generator);
/* The next n at once: the same numbers, sooner. */
void nt_mersenne_fill(nt_mersenne *generator, uint32_t *out, size_t n);
/* As if `next` had been called n times. */
void nt_mersenne_skip(nt_mersenne *generator, uint64_t n);

#endif
