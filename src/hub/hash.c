#include "hub/hash.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "hub/name.h"

static inline uint32_t left(uint32_t x, int n) {
    return x << n | x >> (32 - n);
}

static inline uint32_t right(uint32_t x, int n) {
    return x >> n | x << (32 - n);
}

/* Numbers stand with their highest byte first. */
static inline uint32_t load(const unsigned char *b) {
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static void sha1_block(uint32_t state[8], const unsigned char *block) {
    static const uint32_t K[4] = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6};
    uint32_t w[80], a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];
    for (int t = 0; t < 16; t++)
        w[t] = load(block + 4 * t);
    for (int t = 16; t < 80; t++)
        w[t] = left(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
    for (int t = 0; t < 80; t++) {
        uint32_t f = t < 20   ? (b & c) | (~b & d)
                     : t < 40 ? b ^ c ^ d
                     : t < 60 ? (b & c) | (b & d) | (c & d)
                              : b ^ c ^ d;
        uint32_t next = left(a, 5) + f + e + K[t / 20] + w[t];
        e = d;
        d = c;
        c = left(b, 30);
        b = a;
        a = next;
    }
    const uint32_t sums[5] = {a, b, c, d, e};
    for (int i = 0; i < 5; i++)
        state[i] += sums[i];
}

static const uint32_t K256[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static void sha256_block(uint32_t state[8], const unsigned char *block) {
    uint32_t w[64], s[8];
    memcpy(s, state, sizeof s);
    for (int t = 0; t < 16; t++)
        w[t] = load(block + 4 * t);
    for (int t = 16; t < 64; t++) {
        uint32_t low = right(w[t - 15], 7) ^ right(w[t - 15], 18) ^ w[t - 15] >> 3;
        uint32_t high = right(w[t - 2], 17) ^ right(w[t - 2], 19) ^ w[t - 2] >> 10;
        w[t] = w[t - 16] + low + w[t - 7] + high;
    }
    for (int t = 0; t < 64; t++) {
        uint32_t choice = (s[4] & s[5]) ^ (~s[4] & s[6]);
        uint32_t most = (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]);
        uint32_t one =
            s[7] + (right(s[4], 6) ^ right(s[4], 11) ^ right(s[4], 25)) + choice + K256[t] + w[t];
        uint32_t two = (right(s[0], 2) ^ right(s[0], 13) ^ right(s[0], 22)) + most;
        memmove(s + 1, s, 7 * sizeof *s);
        s[4] += one;
        s[0] = one + two;
    }
    for (int i = 0; i < 8; i++)
        state[i] += s[i];
}

static void take_block(nt_hash *hash, const unsigned char *block) {
    if (hash->kind == NT_SHA1)
        sha1_block(hash->state, block);
    else
        sha256_block(hash->state, block);
}

void nt_hash_begin(nt_hash *hash, nt_hash_kind kind) {
    static const uint32_t first[2][8] = {
        {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0, 0, 0, 0},
        {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab,
         0x5be0cd19}};
    *hash = (nt_hash){.kind = kind};
    memcpy(hash->state, first[kind == NT_SHA256], sizeof hash->state);
}

void nt_hash_put(nt_hash *hash, const void *bytes, size_t n) {
    const unsigned char *at = bytes;
    size_t held = hash->n % NT_HASH_BLOCK;
    hash->n += n;
    if (held) {
        size_t room = NT_HASH_BLOCK - held, part = n < room ? n : room;
        memcpy(hash->block + held, at, part);
        if (part < room) return;
        take_block(hash, hash->block);
        at += part;
        n -= part;
    }
    for (; n >= NT_HASH_BLOCK; n -= NT_HASH_BLOCK, at += NT_HASH_BLOCK)
        take_block(hash, at);
    if (n) memcpy(hash->block, at, n);
}

void nt_hash_end(char out[NT_HASH_TEXT], nt_hash *hash) {
    uint64_t bits = hash->n * 8;
    unsigned char tail[NT_HASH_BLOCK + 8] = {0x80};
    size_t held = hash->n % NT_HASH_BLOCK, pad = (held < 56 ? 56 : 120) - held;
    for (size_t i = 0; i < 8; i++)
        tail[pad + i] = (unsigned char)(bits >> (56 - 8 * i));
    nt_hash_put(hash, tail, pad + 8);
    for (int i = 0; i < (hash->kind == NT_SHA1 ? 5 : 8); i++)
        snprintf(out + 8 * i, 9, "%08" PRIx32, hash->state[i]);
}

nt_hash_kind nt_hash_kind_of(const char *name) {
    size_t n = strnlen(name, NT_HASH_TEXT);
    if ((n != 40 && n != 64) || !nt_hub_is_hex(name, n)) return NT_HASH_NONE;
    return n == 40 ? NT_SHA1 : NT_SHA256;
}

void nt_hash_begin_blob(nt_hash *hash, nt_hash_kind kind, uint64_t n) {
    nt_hash_begin(hash, kind);
    if (kind != NT_SHA1) return;
    char header[32];
    int length = snprintf(header, sizeof header, "blob %" PRIu64, n);
    nt_hash_put(hash, header, (size_t)length + 1); /* with its zero byte */
}
