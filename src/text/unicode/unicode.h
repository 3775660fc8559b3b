/* Classes of code points, as the regex engines of Hugging Face tokenizers see them. */
#ifndef NT_TEXT_UNICODE_H
#define NT_TEXT_UNICODE_H

#include <stdint.h>

enum {
    NT_LETTER = 1,  /* \p{L}: upper, lower, or neither (\p{Lm}, \p{Lo}) */
    NT_NUMBER = 2,  /* \p{N} */
    NT_SPACE = 4,   /* \s */
    NT_WORD = 8,    /* \w: letters, marks, decimal digits, connectors, joiners */
    NT_UPPER = 16,  /* \p{Lu}, \p{Lt} */
    NT_LOWER = 32,  /* \p{Ll} */
    NT_MARK = 64,   /* \p{M} */
    NT_DIGIT = 128, /* what the pre-tokenizer Digits cuts out: all of \p{N} and a few more */
};

extern const uint32_t nt_unicode_limit;          /* no class from here on */
extern const uint8_t nt_unicode_kinds[16];       /* the sets of classes that occur */
extern const uint8_t nt_unicode_index[7172];     /* code / 128 -> block */
extern const uint8_t nt_unicode_blocks[231][64]; /* two codes a byte, the lower one low -> kind */

static inline unsigned nt_unicode_class(uint32_t code) {
    if (code >= nt_unicode_limit) return 0;
    uint8_t pair = nt_unicode_blocks[nt_unicode_index[code >> 7]][(code & 127) >> 1];
    return nt_unicode_kinds[pair >> (code & 1) * 4 & 15];
}

#endif
