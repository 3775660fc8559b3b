/* torch's CPU generator as an object that outlives a generation: the words of
 * torch.get_rng_state(), of which draws move the Mersenne Twister alone. */
#ifndef NT_DECODE_TORCH_RNG_H
#define NT_DECODE_TORCH_RNG_H

#include "base/mersenne.h"
#include "nextoken.h"

/* The stream that it stands at. */
nt_mersenne nt_torch_rng_stream(const nt_torch_rng *rng);
/* Leaves it where a stream that began there has come. */
void nt_torch_rng_leave(nt_torch_rng *rng, const nt_mersenne *stream);

#endif
