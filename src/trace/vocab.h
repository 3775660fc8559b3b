/* The little that decoding, scoring and views need to know of a vocabulary. A table of strings in
 * a test is as good as a tokenizer. */
#ifndef NT_TRACE_VOCAB_H
#define NT_TRACE_VOCAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct nt_vocab {
    const void *self;
    /* The token's bytes; NULL (and *n = 0) for an id without any. */
    const char *(*bytes)(const void *self, int32_t id, size_t *n);
    bool (*special)(const void *self, int32_t id);
} nt_vocab;

#endif
