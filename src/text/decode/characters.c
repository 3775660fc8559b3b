/* Offsets in bytes -> offsets in characters. */
#include <string.h>

#include "nextoken.h"

enum { BLOCK = 64 };

/* A block of the text, and what stands before it. */
typedef struct place {
    const char *text;
    size_t n;
    size_t block;    /* the block begins at byte 64 * block */
    uint64_t firsts; /* bit b: byte b of the block begins a character */
    size_t before;   /* characters that begin before the block */
} place;

/* Bit i of the result: whether byte i of the word begins a character, which all but 10xxxxxx do. */
static uint64_t firsts_of_word(uint64_t word) {
    const uint64_t low = 0x0101010101010101u;
    uint64_t inner = (word >> 7) & ~(word >> 6) & low;
    return ~((inner * 0x0102040810204080u) >> 56) & 0xFF;
}

static unsigned count_bits(uint64_t bits) {
    bits -= bits >> 1 & 0x5555555555555555u;
    bits = (bits & 0x3333333333333333u) + (bits >> 2 & 0x3333333333333333u);
    bits = (bits + (bits >> 4)) & 0x0F0F0F0F0F0F0F0Fu;
    return (unsigned)((bits * 0x0101010101010101u) >> 56);
}

static void read_block(place *at) {
    size_t begin = at->block * BLOCK, n = at->n - begin;
    uint64_t words[BLOCK / 8] = {0}, some = 0; /* bytes behind the end count as characters */
    if (n) memcpy(words, at->text + begin, n < BLOCK ? n : BLOCK);
    for (size_t i = 0; i < BLOCK / 8; i++)
        some |= words[i];
    at->firsts = UINT64_MAX;
    if (!(some & 0x8080808080808080u)) return;
    at->firsts = 0;
    for (size_t i = 0; i < BLOCK / 8; i++)
        at->firsts |= firsts_of_word(words[i]) << 8 * i;
}

static void go_to(place *at, size_t wanted) {
    if (wanted < at->block / 2) { /* nearer from the beginning */
        at->block = at->before = 0;
        read_block(at);
    }
    while (at->block < wanted) {
        at->before += count_bits(at->firsts);
        at->block++;
        read_block(at);
    }
    while (at->block > wanted) {
        at->block--;
        read_block(at);
        at->before -= count_bits(at->firsts);
    }
}

/* Characters that begin before byte `offset`. */
static size_t characters_before(place *at, size_t offset) {
    if (offset > at->n) offset = at->n;
    if (offset == 0) return 0;
    size_t wanted = (offset - 1) / BLOCK; /* the block of the byte before it */
    if (wanted != at->block) go_to(at, wanted);
    unsigned last = (offset - 1) % BLOCK;
    if (at->firsts == UINT64_MAX) return at->before + last + 1;
    return at->before + count_bits(at->firsts << (BLOCK - 1 - last));
}

static bool begins_character(const char *text, size_t n, size_t offset) {
    return offset >= n || ((unsigned char)text[offset] & 0xC0) != 0x80;
}

void nt_offsets_to_characters(uint32_t *starts, uint32_t *ends, size_t n, const char *text,
                              size_t n_text) {
    if (n == 0) return;
    place at = {.text = text, .n = n_text};
    read_block(&at);
    uint32_t end = 0, n_end = 0; /* the last token's, in bytes and in characters */
    for (size_t i = 0; i < n; i++) {
        uint32_t before = n_end;
        if (starts[i] != end) before = (uint32_t)characters_before(&at, starts[i]);
        bool inside = before > 0 && !begins_character(text, n_text, starts[i]);
        starts[i] = before - inside;
        end = ends[i];
        ends[i] = n_end = (uint32_t)characters_before(&at, end);
    }
}
