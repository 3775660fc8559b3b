/* What stands before the data of a GGUF file (version 3), put into a buffer piece by piece. */
#ifndef NT_FORMAT_GGUF_WRITE_H
#define NT_FORMAT_GGUF_WRITE_H

#include "base/buffer.h"
#include "base/dtype.h"
#include "format/gguf.h"

enum { NT_GGUF_ALIGNMENT = 32 };

/* The beginning; how many values follow is set by nt_gguf_end_values. */
void nt_gguf_begin(nt_buffer *out, uint64_t n_tensors);
void nt_gguf_end_values(nt_buffer *out, uint64_t n_values);

/* One value each. */
void nt_gguf_put_u32(nt_buffer *out, const char *key, uint32_t value);
void nt_gguf_put_f32(nt_buffer *out, const char *key, float value);
void nt_gguf_put_bool(nt_buffer *out, const char *key, bool value);
void nt_gguf_put_string(nt_buffer *out, const char *key, const char *bytes, size_t n);
/* An array of n elements, which are put behind it. */
void nt_gguf_put_array(nt_buffer *out, const char *key, nt_gguf_type type, uint64_t n);
void nt_gguf_put_text(nt_buffer *out, const char *bytes, size_t n);
void nt_gguf_put_i32(nt_buffer *out, int32_t value);

/* A tensor [shape[0], ..] whose data begin at `offset` of the file's data. */
void nt_gguf_put_tensor(nt_buffer *out, const char *name, int n_dims, const int64_t *shape,
                        nt_dtype dtype, uint64_t offset);
/* Zeros up to the alignment. */
void nt_gguf_put_padding(nt_buffer *out);

#endif
