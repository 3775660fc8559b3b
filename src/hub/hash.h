/* SHA-1 and SHA-256 (FIPS 180-4): the hashes by which the hub names files. Files in git go by the
 * SHA-1 of "blob <length>" and a zero byte before the content, large files by their SHA-256. */
#ifndef NT_HUB_HASH_H
#define NT_HUB_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NT_HASH_TEXT = 65, NT_HASH_BLOCK = 64 };

typedef enum nt_hash_kind { NT_HASH_NONE, NT_SHA1, NT_SHA256 } nt_hash_kind;

typedef struct nt_hash {
    nt_hash_kind kind;
    uint32_t state[8];
    uint64_t n; /* bytes so far */
    unsigned char block[NT_HASH_BLOCK];
} nt_hash;

void nt_hash_begin(nt_hash *hash, nt_hash_kind kind);
void nt_hash_put(nt_hash *hash, const void *bytes, size_t n);
/* The digits in lower case, 40 or 64. */
void nt_hash_end(char out[NT_HASH_TEXT], nt_hash *hash);

/* What a blob's name says that it is: by its length; NONE for any other name. */
nt_hash_kind nt_hash_kind_of(const char *name);
/* Begins the hash of a blob of n bytes: git's come behind a header. */
void nt_hash_begin_blob(nt_hash *hash, nt_hash_kind kind, uint64_t n);

#endif
