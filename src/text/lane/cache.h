/* A bounded memory of words and the ids that BPE gave them. Nothing that a caller sees depends on
 * what is in it.
 *
 * Short words (at most 15 bytes and 3 ids: nearly all) lie in slots of 32 bytes. A word's home is
 * the slot that its hash names; it may also lie in one of the three beside it, no further, so that
 * nobody can make a search long. Others, up to 64 bytes and 12 ids, have a table of their own. Both
 * grow as they fill; at their largest a new word takes the place of an older one. */
#ifndef NT_TEXT_CACHE_H
#define NT_TEXT_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/status.h"
#include "text/vocab/hash.h"

enum {
    NT_CACHE_DEFAULT_BYTES = 16 << 20, /* most that one thread's cache takes */
    NT_CACHE_SHORT = 15,               /* bytes */
    NT_CACHE_SHORT_IDS = 3,
    NT_CACHE_LONG = 64,
    NT_CACHE_LONG_IDS = 12
};

typedef struct nt_cache_key {
    uint64_t low, high; /* the word's bytes, then zeros; its length in the highest byte */
} nt_cache_key;

typedef struct nt_cache_slot {
    nt_cache_key key; /* high is 0 in a free slot */
    int32_t ids[NT_CACHE_SHORT_IDS];
    uint8_t ends[NT_CACHE_SHORT_IDS]; /* of each id's bytes in the word */
    uint8_t n_ids;
} nt_cache_slot;

typedef struct nt_cache_long {
    char word[NT_CACHE_LONG];
    int32_t ids[NT_CACHE_LONG_IDS];
    uint8_t ends[NT_CACHE_LONG_IDS];
    uint8_t n, n_ids; /* n is 0 in a free slot */
    uint8_t unused[2];
} nt_cache_long;

typedef struct nt_cache {
    nt_cache_slot *slots;  /* [1 << (64 - shift)] or NULL */
    unsigned shift;        /* of a hash, to the number of a slot */
    size_t n;              /* taken slots */
    nt_cache_long *longer; /* [longer_mask + 1] or NULL */
    size_t longer_mask, n_longer;
    uint64_t seeds[2]; /* odd */
    uint32_t turn;     /* which slot is given up next */
    size_t max_bytes;  /* 0: NT_CACHE_DEFAULT_BYTES */
} nt_cache;            /* all zero is empty */

void nt_cache_free(nt_cache *cache);

/* Makes the first slots, for a text of n bytes, unless they are there or max_bytes is too few for
 * any: then slots stays NULL. */
int nt_cache_start(nt_cache *cache, size_t n);
/* Grows what is more than three eighths full, where max_bytes lets it. */
int nt_cache_grow(nt_cache *cache);

/* A place to search where there is no cache: nothing is found in it. */
extern const nt_cache_slot nt_cache_none[2];
extern const uint64_t nt_cache_masks[NT_CACHE_SHORT + 2][2];

static inline uint64_t nt_cache_load(const char *bytes) {
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

/* The key of a word [n] with 16 bytes to read. One that is too long has a key that none equals. */
static inline nt_cache_key nt_cache_key_of(const char *word, size_t n) {
    size_t length = n <= NT_CACHE_SHORT ? n : NT_CACHE_SHORT + 1; /* never 0, as in a free slot */
    const uint64_t *mask = nt_cache_masks[length];
    return (nt_cache_key){nt_cache_load(word) & mask[0],
                          (nt_cache_load(word + 8) & mask[1]) | (uint64_t)length << 56};
}

/* Its highest bits are the number of the home. Whoever does not know the seeds cannot choose keys
 * that meet. */
static inline uint64_t nt_cache_hash(const uint64_t seeds[2], nt_cache_key key) {
    return key.low * seeds[0] + key.high * seeds[1];
}

static inline bool nt_cache_equal(nt_cache_key a, nt_cache_key b) {
    return ((a.low ^ b.low) | (a.high ^ b.high)) == 0;
}

/* A short word that is not in its home but may be beside it: it moves in, and changes places with
 * what was there. NULL: it is nowhere. */
const nt_cache_slot *nt_cache_beside(nt_cache *cache, nt_cache_key key);
const nt_cache_long *nt_cache_find(const nt_cache *cache, const char *word, size_t n);

/* Remembers the ids of a word [n] that is not there, and their lengths in bytes; words and ids
 * that are too many are passed over. */
int nt_cache_put(nt_cache *cache, const char *word, size_t n, const int32_t *ids,
                 const uint32_t *lengths, size_t n_ids);

#endif
