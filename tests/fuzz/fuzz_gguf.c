/* Fuzz entry of the GGUF reader: every number and every value that it hands out must lie in the
 * file, and what it tells of the model must be well-formed JSON. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "format/tensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static uint32_t read_tensors(const nt_tensors *tensors) {
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
    return all;
}

/* Whatever is told is JSON, unless a token of the file stands there twice. */
static void check_json(const nt_buffer *text) {
    json_t *json;
    if (nt_json_parse(&json, text->data, text->n, "fuzz") == NT_OK) {
        json_decref(json);
        return;
    }
    if (!strstr(nt_error_message(), "duplicate")) abort();
}

static void read_values(const nt_gguf *gguf) {
    nt_buffer config = {0}, tokenizer = {0};
    nt_gguf_roles roles;
    bool there, flag;
    int64_t number;
    double real;
    nt_gguf_text text;
    for (size_t i = 0; i < gguf->n_values; i++) {
        const char *key = gguf->values[i].key;
        if (!nt_gguf_find(gguf, key)) abort();
        nt_gguf_int(&number, gguf, key, INT64_MIN, INT64_MAX);
        nt_gguf_real(&real, gguf, key);
        nt_gguf_bool(&flag, gguf, key);
        nt_gguf_string(&text, gguf, key);
    }
    if (nt_gguf_config(&config, gguf, 7) == NT_OK) check_json(&config);
    if (nt_gguf_tokenizer(&there, &tokenizer, &roles, gguf, 7) == NT_OK && there)
        check_json(&tokenizer);
    nt_buffer_free(&config);
    nt_buffer_free(&tokenizer);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    nt_tensors *tensors;
    static volatile uint32_t seen;                         /* keeps the reads */
    if (n < 4 || memcmp(bytes, "GGUF", 4) != 0) return -1; /* what else there is, others fuzz */
    int status = nt_tensors_parse(&tensors, bytes, n, "fuzz");
    if (status != NT_OK) {
        if (tensors || !*nt_error_message()) abort();
        return 0;
    }
    seen = read_tensors(tensors);
    (void)seen;
    read_values(nt_tensors_gguf(tensors));
    nt_tensors_free(tensors);
    return 0;
}
