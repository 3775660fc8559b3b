#include "format/gguf_write.h"

#include <string.h>

enum { N_VALUES_AT = 16 }; /* where their number stands */

/* Little-endian, as the machine is (text/files/image.h). */
static void put_u64(nt_buffer *out, uint64_t value) {
    nt_buffer_put(out, (const char *)&value, sizeof value);
}

static void put_u32(nt_buffer *out, uint32_t value) {
    nt_buffer_put(out, (const char *)&value, sizeof value);
}

static void put_key(nt_buffer *out, const char *key, nt_gguf_type type) {
    nt_gguf_put_text(out, key, strlen(key));
    put_u32(out, (uint32_t)type);
}

void nt_gguf_begin(nt_buffer *out, uint64_t n_tensors) {
    nt_buffer_puts(out, "GGUF");
    put_u32(out, 3);
    put_u64(out, n_tensors);
    put_u64(out, 0);
}

void nt_gguf_end_values(nt_buffer *out, uint64_t n_values) {
    if (out->status == NT_OK) memcpy(out->data + N_VALUES_AT, &n_values, sizeof n_values);
}

void nt_gguf_put_u32(nt_buffer *out, const char *key, uint32_t value) {
    put_key(out, key, NT_GGUF_U32);
    put_u32(out, value);
}

void nt_gguf_put_f32(nt_buffer *out, const char *key, float value) {
    put_key(out, key, NT_GGUF_F32);
    nt_buffer_put(out, (const char *)&value, sizeof value);
}

void nt_gguf_put_bool(nt_buffer *out, const char *key, bool value) {
    put_key(out, key, NT_GGUF_BOOL);
    nt_buffer_putc(out, value ? 1 : 0);
}

void nt_gguf_put_string(nt_buffer *out, const char *key, const char *bytes, size_t n) {
    put_key(out, key, NT_GGUF_STRING);
    nt_gguf_put_text(out, bytes, n);
}

void nt_gguf_put_array(nt_buffer *out, const char *key, nt_gguf_type type, uint64_t n) {
    put_key(out, key, NT_GGUF_ARRAY);
    put_u32(out, (uint32_t)type);
    put_u64(out, n);
}

void nt_gguf_put_text(nt_buffer *out, const char *bytes, size_t n) {
    put_u64(out, n);
    nt_buffer_put(out, bytes, n);
}

void nt_gguf_put_i32(nt_buffer *out, int32_t value) {
    put_u32(out, (uint32_t)value);
}

void nt_gguf_put_tensor(nt_buffer *out, const char *name, int n_dims, const int64_t *shape,
                        nt_dtype dtype, uint64_t offset) {
    static const uint32_t numbers[NT_N_DTYPES] = {
        [NT_F32] = 0,  [NT_F16] = 1,  [NT_BF16] = 30, [NT_F64] = 28,
        [NT_Q8_0] = 8, [NT_Q4_0] = 2, [NT_Q6_K] = 14}; /* ggml's */
    nt_gguf_put_text(out, name, strlen(name));
    put_u32(out, (uint32_t)n_dims);
    for (int i = n_dims; i-- > 0;)
        put_u64(out, (uint64_t)shape[i]);
    put_u32(out, numbers[dtype]);
    put_u64(out, offset);
}

void nt_gguf_put_padding(nt_buffer *out) {
    while (out->status == NT_OK && out->n % NT_GGUF_ALIGNMENT)
        nt_buffer_putc(out, 0);
}
