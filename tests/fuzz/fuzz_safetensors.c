/* Fuzz entry of the safetensors reader: every number that it hands out must lie in the file. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "read_tensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    nt_tensors *tensors;
    int status = nt_tensors_parse(&tensors, bytes, n, "fuzz");
    if (status != NT_OK) {
        if (tensors || !*nt_error_message()) abort();
        return 0;
    }
    static volatile uint32_t seen; /* keeps the reads */
    seen = read_tensors(tensors);
    (void)seen;
    nt_tensors_free(tensors);
    return 0;
}
