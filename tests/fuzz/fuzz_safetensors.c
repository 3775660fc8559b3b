/* Fuzz entry of the safetensors reader: every number that it hands out must lie in the file. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "format/tensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    nt_tensors *tensors;
    int status = nt_tensors_parse(&tensors, bytes, n, "fuzz");
    if (status != NT_OK) {
        if (tensors || !*nt_error_message()) abort();
        return 0;
    }
    uint32_t all = 0;
    for (size_t i = 0; i < nt_tensors_count(tensors); i++) {
        const nt_tensor *tensor = nt_tensors_at(tensors, i), *again;
        if (nt_tensors_get(&again, tensors, tensor->name, tensor->n_dims, tensor->shape) != NT_OK ||
            again != tensor)
            abort();
        for (uint64_t k = 0; k < tensor->n_items; k++) {
            float value = nt_dtype_load(tensor->data, tensor->dtype, k);
            uint32_t bits;
            memcpy(&bits, &value, sizeof bits);
            all |= bits;
        }
    }
    static volatile uint32_t seen; /* keeps the reads */
    seen = all;
    (void)seen;
    nt_tensors_free(tensors);
    return 0;
}
