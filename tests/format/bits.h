/* The bits of all numbers of a tensor, or-ed: whoever computes them has read every byte. */
#ifndef TENSOR_BITS_H
#define TENSOR_BITS_H

#include <string.h>

#include "format/tensors.h"

static inline uint32_t tensor_bits(const nt_tensor *tensor) {
    uint32_t all = 0;
    for (uint64_t k = 0; k < tensor->n_items; k++) {
        float value = nt_dtype_load(tensor->data, tensor->dtype, k);
        uint32_t bits;
        memcpy(&bits, &value, sizeof bits);
        all |= bits;
    }
    return all;
}

#endif
