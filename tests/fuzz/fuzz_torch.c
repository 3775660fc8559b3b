/* Fuzz entry of the reader of torch.save's files: every number that it hands out must lie in the
 * file, or in a copy. The first byte says what follows: a file, or (1) the pickle of a zip file
 * whose other members are made here, so that mutations of the pickle need not mend a zip. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "format/tensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

enum { MOST = 1 << 16, STORAGE = 48 };

static size_t put(uint8_t *out, size_t at, const void *bytes, size_t n) {
    memcpy(out + at, bytes, n);
    return at + n;
}

static size_t put_number(uint8_t *out, size_t at, uint64_t number, size_t n) {
    for (size_t i = 0; i < n; i++)
        out[at++] = (uint8_t)(number >> 8 * i);
    return at;
}

/* Signature, then what a local header and an entry of the directory have in common. */
static size_t put_header(uint8_t *out, size_t at, const char *signature, size_t skip,
                         const char *name, size_t n) {
    at = put(out, at, signature, 4);
    memset(out + at, 0, skip);
    at = put_number(out, at + skip, n, 4);
    at = put_number(out, at, n, 4);
    at = put_number(out, at, strlen(name), 2);
    return put_number(out, at, 0, 2);
}

/* A zip file with the pickle [n] and a storage; returns its length. */
static size_t make_zip(uint8_t *out, const uint8_t *pickle, size_t n) {
    static const uint8_t storage[STORAGE] = {1, 2, 3};
    const char *const names[] = {"a/data.pkl", "a/data/0"};
    const uint8_t *const contents[] = {pickle, storage};
    size_t lengths[] = {n, STORAGE}, starts[2], at = 0;
    for (int i = 0; i < 2; i++) {
        starts[i] = at;
        at = put_header(out, at, "PK\3\4", 14, names[i], lengths[i]);
        at = put(out, at, names[i], strlen(names[i]));
        at = put(out, at, contents[i], lengths[i]);
    }
    size_t directory = at;
    for (int i = 0; i < 2; i++) {
        at = put_header(out, at, "PK\1\2", 16, names[i], lengths[i]);
        memset(out + at, 0, 10);
        at = put_number(out, at + 10, starts[i], 4);
        at = put(out, at, names[i], strlen(names[i]));
    }
    size_t length = at - directory;
    at = put(out, at, "PK\5\6\0\0\0\0\2\0\2\0", 12);
    at = put_number(out, at, length, 4);
    at = put_number(out, at, directory, 4);
    return put_number(out, at, 0, 2);
}

static void look(const uint8_t *bytes, size_t n) {
    nt_tensors *tensors;
    int status = nt_tensors_parse(&tensors, bytes, n, "fuzz");
    if (status != NT_OK) {
        if (tensors || !*nt_error_message()) abort();
        return;
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
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    if (n == 0 || n > MOST) return 0;
    uint8_t *file = malloc(n + 1024);
    if (!file) abort();
    size_t length = bytes[0] == 1 ? make_zip(file, bytes + 1, n - 1) : n - 1;
    if (bytes[0] != 1 && length) memcpy(file, bytes + 1, length);
    uint8_t *exact = malloc(length ? length : 1); /* a read behind its end is seen */
    if (!exact) abort();
    if (length) memcpy(exact, file, length);
    free(file);
    look(exact, length);
    free(exact);
    return 0;
}
