/* A bounded memory of words and the ids that BPE gave them. Nothing that a caller sees depends on
 * what is in it.
 *
 * Short words (at most 12 bytes and 3 ids: nearly all) lie in slots of 16 bytes, with their id;
 * those of several ids say where these are. A word's home is the slot that its hash names; it may
 * also lie in one of the three that share a line of memory with it, no further, so that nobody can
 * make a search long. Others, up to 64 bytes and 12 ids, have a table of their own. All grow as
 * they fill; at their largest a new word takes the place of an older one. */
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
    NT_CACHE_SHORT = 12,               /* bytes */
    NT_CACHE_SHORT_IDS = 3,
    NT_CACHE_N_IDS_AT = 36, /* in a slot's high word, 2 bits: how many ids */
    NT_CACHE_VALUE_AT = 38, /* above them: the id, or the number of its nt_cache_some */
    NT_CACHE_LONG = 64,
    NT_CACHE_LONG_IDS = 12
};

/* The word's bytes, then zeros; above the last four its length in 4 bits. The key of a word is what
 * its slot would be with one id that is 0. */
typedef struct nt_cache_key {
    uint64_t low, high;
} nt_cache_key;

typedef nt_cache_key nt_cache_slot; /* high is 0 in a free slot */

/* Two ids or three. */
typedef struct nt_cache_some {
    int32_t ids[NT_CACHE_SHORT_IDS];
    uint8_t ends[NT_CACHE_SHORT_IDS]; /* of each id's bytes in the word */
    uint8_t unused;
} nt_cache_some;

typedef struct nt_cache_long {
    char word[NT_CACHE_LONG];
    int32_t ids[NT_CACHE_LONG_IDS];
    uint8_t ends[NT_CACHE_LONG_IDS];
    uint8_t n, n_ids;
    uint8_t unused[2];
} nt_cache_long;

typedef struct nt_cache {
    nt_cache_slot *slots; /* [1 << (64 - shift)] or NULL */
    unsigned shift;       /* of a hash, to the number of a slot */
    size_t n;             /* taken slots */
    nt_cache_some *some;  /* [n_some of some_capacity] no more than slots */
    size_t n_some, some_capacity;
    uint32_t spare;        /* a free one, and in its first id the next; UINT32_MAX: none */
    nt_cache_long *longer; /* [longer_mask + 1] or NULL */
    uint32_t *tags;        /* [longer_mask + 1] bits of their hashes; 0: free */
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
/* By length: masks of the two words of a key, and what stands above the second. */
extern const uint64_t nt_cache_masks[NT_CACHE_SHORT + 2][4];

static inline uint64_t nt_cache_load(const char *bytes, size_t n) {
    uint64_t word = 0;
    memcpy(&word, bytes, n);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

/* The key of a word [n] with NT_CACHE_SHORT bytes to read. One that is too long has a key that none
 * equals. */
static inline nt_cache_key nt_cache_key_of(const char *word, size_t n) {
    size_t length = n <= NT_CACHE_SHORT ? n : NT_CACHE_SHORT + 1; /* never 0, as in a free slot */
    const uint64_t *mask = nt_cache_masks[length];
    return (nt_cache_key){nt_cache_load(word, 8) & mask[0],
                          (nt_cache_load(word + 8, 4) & mask[1]) | mask[2]};
}

/* Its highest bits are the number of the home. Whoever does not know the seeds cannot choose keys
 * that meet. */
static inline uint64_t nt_cache_hash(const uint64_t seeds[2], nt_cache_key key) {
    return key.low * seeds[0] + key.high * seeds[1];
}

/* Whether a slot is that of a word, which has one id. */
static inline bool nt_cache_is_one(nt_cache_slot slot, nt_cache_key key) {
    return ((slot.low ^ key.low) | (slot.high ^ key.high) << (64 - NT_CACHE_VALUE_AT)) == 0;
}

/* Whether a slot is that of a word, which has any number of ids. */
static inline bool nt_cache_is(nt_cache_slot slot, nt_cache_key key) {
    return ((slot.low ^ key.low) | (slot.high ^ key.high) << (64 - NT_CACHE_N_IDS_AT)) == 0;
}

static inline uint32_t nt_cache_value(nt_cache_slot slot) {
    return (uint32_t)(slot.high >> NT_CACHE_VALUE_AT);
}

static inline unsigned nt_cache_n_ids(nt_cache_slot slot) {
    return slot.high >> NT_CACHE_N_IDS_AT & 3;
}

/* The slot of a short word. One that is beside its home moves in, and changes places with what was
 * there. NULL: it is nowhere. */
const nt_cache_slot *nt_cache_beside(nt_cache *cache, nt_cache_key key);
const nt_cache_long *nt_cache_find(const nt_cache *cache, const char *word, size_t n);

/* Remembers the ids of a word [n] that is not there, and their lengths in bytes; words and ids
 * that are too many are passed over. */
int nt_cache_put(nt_cache *cache, const char *word, size_t n, const int32_t *ids,
                 const uint32_t *lengths, size_t n_ids);

#endif
