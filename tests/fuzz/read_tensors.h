/* What the fuzz programs of the checkpoint readers do with a file that was taken: read all of it.
 */
#ifndef NT_TESTS_FUZZ_READ_TENSORS_H
#define NT_TESTS_FUZZ_READ_TENSORS_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../format/bits.h"

/* Every tensor is found by its name and shape; the bits of all numbers, or-ed. */
static uint32_t read_tensors(const nt_tensors *tensors) {
    uint32_t all = 0;
    for (size_t i = 0; i < nt_tensors_count(tensors); i++) {
        const nt_tensor *tensor = nt_tensors_at(tensors, i), *again;
        if (nt_tensors_get(&again, tensors, tensor->name, tensor->n_dims, tensor->shape) != NT_OK ||
            again != tensor)
            abort();
        all |= tensor_bits(tensor);
    }
    return all;
}

#endif
