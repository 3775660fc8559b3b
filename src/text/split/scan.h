/* Scanners for the pre-tokenizer patterns that nearly all models have: where a text is cut into
 * words before BPE, which never merges across a cut. They read classes of 64 bytes at a time. */
#ifndef NT_TEXT_SCAN_H
#define NT_TEXT_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum nt_scan_kind {
    NT_SCAN_NONE = 0,
    NT_SCAN_WHOLE,       /* all of the text is one word (ByteLevel with use_regex false) */
    NT_SCAN_GPT2,        /* ByteLevel's own pattern */
    NT_SCAN_GPT2_DIGITS, /* the same after Digits(individual_digits): each digit alone */
    NT_SCAN_CL100K,      /* llama3: up to three digits together */
    NT_SCAN_QWEN2,       /* cl100k with each digit alone */
    NT_SCAN_O200K        /* words also cut by case */
} nt_scan_kind;

/* Which scanner gives the matches of a regex [n], in any of the spellings that mean the same. */
nt_scan_kind nt_scan_of_regex(const char *regex, size_t n);

enum { NT_SCAN_BLOCK = 64, NT_SCAN_SLOTS = 80 }; /* bytes read together; room that they may need */

/* What a scanner must know of the bytes before a block; 0 or 1 where not said otherwise. The first
 * row is about the last character before the block. */
typedef struct nt_scan_carry {
    uint64_t letter, lower, number, space, newline, blank, other;
    uint64_t fresh;     /* it is a word's first, a letter would join it */
    uint64_t absorbing; /* it is a newline (a slash) that belongs to the punctuation before it */
    uint64_t first;     /* nothing stands before the block */
    uint64_t digits;    /* 0 to 2: numbers in the unfinished group */
    size_t last_space;  /* where it begins, if it may still begin a word; 0: it does not */
    size_t newline_end; /* after the last newline of this run of spaces; 0: nothing to say there */
    size_t short_form;  /* where the last 's, 're, .. ends */
} nt_scan_carry;

/* A scan of text [n], well-formed UTF-8, n < 2^32. The ends of the text are those of the pattern's
 * world: \s+(?!\S) sees them. */
typedef struct nt_scan {
    nt_scan_kind kind;
    bool wide; /* with AVX2, where there is; tests turn it off */
    const char *text;
    size_t n, at;        /* words before `at` were handed out */
    size_t block;        /* where the next block begins */
    size_t slowly_until; /* word by word up to there: the block there is not for the fast way */
    nt_scan_carry carry;
    size_t n_waiting, next_waiting;
    uint32_t waiting[NT_SCAN_SLOTS]; /* ends for which there was no room */
} nt_scan;

void nt_scan_start(nt_scan *scan, nt_scan_kind kind, const char *text, size_t n);
/* Writes the ends of the next words, ascending, at most `room` > 0 of them; returns how many, 0 at
 * the end of the text. Words tile the text: each begins where the one before ended. Linear in n
 * over the whole scan, whatever the text. Fastest with room for a few times NT_SCAN_SLOTS. */
size_t nt_scan_next(uint32_t *ends, size_t room, nt_scan *scan);

/* The slow definition that the scanners are tested against: length of the first word at the start
 * of text [n], n > 0. */
size_t nt_scan_word(nt_scan_kind kind, const char *text, size_t n);

/* A place in [low, high) of the text where every scanner but WHOLE cuts whatever stands elsewhere,
 * so that two threads may scan the two sides alone: the space in "a b", letters of ASCII on both
 * sides. The one nearest to the middle of those in reach; high when there is none. low > 0. */
size_t nt_scan_border(const char *text, size_t n, size_t low, size_t high);

#endif
