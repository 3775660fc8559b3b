/* Weights of mode bf16: what a checkpoint stores in wider numbers becomes bfloat16 once. */
#ifndef NT_MODEL_NARROW_H
#define NT_MODEL_NARROW_H

#include "model/network.h"

/* Puts bfloat16 copies (rounded to nearest, ties to even) in the place of the network's matrices of
 * F32, F16 and F64, and of BF16 that lies unaligned; BF16 and blocks stay where they are. Reads the
 * file once, with all threads, and lets go of the memory that reading it took. Errors: MEMORY. */
int nt_network_narrow(nt_network *network);

#endif
