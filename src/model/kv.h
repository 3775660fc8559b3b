/* The KV cache of a session: pages of NT_PAGE positions with reference counts, and sequences as
 * lists of pages. A fork takes references; a page that two sequences hold is copied when one of
 * them writes into it. A page spans one block (layer), so that tables per layer are plain arrays.
 */
#ifndef NT_MODEL_KV_H
#define NT_MODEL_KV_H

#include <stddef.h>
#include <stdint.h>

#include "base/dtype.h"
#include "base/status.h"

typedef struct nt_kv nt_kv;

/* width: of a position's keys, and of its values: G E. stored: what pages hold, NT_F32 or NT_BF16.
 */
int nt_kv_new(nt_kv **out, size_t L, size_t width, nt_dtype stored);
void nt_kv_free(nt_kv *kv);

/* Sequence numbers are small, reused after drop. Errors: MEMORY, RANGE (no such parent). */
int nt_kv_sequence_new(int32_t *sequence, nt_kv *kv);
/* A sequence whose layers share one layer's pages: right for a text that goes through the blocks
 * whole, in one chunk, and is dropped then. It cannot be forked (ARGUMENT). */
int nt_kv_brief_new(int32_t *sequence, nt_kv *kv);
int nt_kv_fork(int32_t *child, nt_kv *kv, int32_t parent);
void nt_kv_drop(nt_kv *kv, int32_t sequence);
bool nt_kv_exists(const nt_kv *kv, int32_t sequence);
size_t nt_kv_length(const nt_kv *kv, int32_t sequence);

/* Makes positions [length, length + n) writable (new pages, or private copies of shared ones) and
 * counts them as part of the sequence. On failure the sequence is as before. */
int nt_kv_extend(nt_kv *kv, int32_t sequence, size_t n);
/* How far the next id stands from where the sequence's length would put it, as behind padding that
 * is not kept; 0 in a new sequence, its parent's in a fork. */
void nt_kv_set_shift(nt_kv *kv, int32_t sequence, int64_t shift);
int64_t nt_kv_shift(const nt_kv *kv, int32_t sequence);
/* Takes positions [length, ...) off the end. */
void nt_kv_truncate(nt_kv *kv, int32_t sequence, size_t length);
/* The page table of one layer, [ceil(length / NT_PAGE)], the same for every layer of a brief
 * sequence; valid until the next extend. */
void *const *nt_kv_pages(const nt_kv *kv, int32_t sequence, size_t layer);
/* What pages hold. */
nt_dtype nt_kv_stored(const nt_kv *kv);
/* Bytes held in pages, for `info` and tests. */
size_t nt_kv_bytes(const nt_kv *kv);

#endif
