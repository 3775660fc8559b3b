/* Ids of a row in the order of a key, as far as warpers need it: never sorted whole. */
#ifndef NT_DECODE_ORDER_H
#define NT_DECODE_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "decode/process/processor.h"

/* Numbers whose order is that of floats; 0 and -0 are one. */
static inline uint32_t nt_key_of(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    if (bits == 0x80000000u) bits = 0;
    return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

static inline float nt_key_float(uint32_t key) {
    uint32_t bits = key & 0x80000000u ? key & INT32_MAX : ~key;
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* An id with its key. */
static inline uint64_t nt_item(uint32_t key, size_t id) {
    return (uint64_t)key << 32 | id;
}

/* Where a running sum passes its limit. */
typedef struct nt_cut {
    uint32_t key;  /* the item that passes it has this key; the last one's where none does */
    size_t before; /* items that stand before it, or all */
} nt_cut;

/* Walks items [n], n > 0, from the lowest key up, adding p of their ids to `sum` in double as
 * torch's cumsum does, until the sum in float32 is no longer below the limit (or_at: no longer
 * below or at it). Equal keys keep the order in which they stand in items. Leaves items in
 * disorder. */
nt_cut nt_find_cut(uint64_t *items, size_t n, const float *p, double sum, float limit, bool or_at);

/* The key of the k-th of items [n] from above, 0 < k <= n. Leaves items in disorder. */
uint32_t nt_kth_item(uint64_t *items, size_t n, size_t k);
/* The k-th largest logit, 0 < k <= V, of a row without NaN. Uses row->scratch. */
float nt_kth_largest(const nt_row *row, size_t k);

/* Leaves n ids: those above `least`, and of those equal to it the lower ones. */
void nt_keep_from(const nt_row *row, float least, size_t n);
/* Leaves the n largest (V: all), the lower id first among equals. */
void nt_keep_largest(const nt_row *row, size_t n);

#endif
