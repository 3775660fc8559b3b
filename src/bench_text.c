/* A text for the tokenizer, the same on every machine. Words come by Zipf's law (the r-th commonest
 * with a probability of about 1 / r), so that caches of words help as much as they do in books:
 * the first are English, all others are made of syllables by their number. */
#include <math.h>
#include <string.h>

#include "bench.h"

enum { WORDS = 60000, LINE = 72 };

static const char *const common[] = {
    "the",  "of",     "and",  "to",    "a",     "in",    "that",   "he",     "was",  "it",
    "his",  "is",     "with", "as",    "for",   "I",     "had",    "you",    "not",  "be",
    "her",  "on",     "at",   "by",    "which", "have",  "or",     "from",   "this", "him",
    "but",  "all",    "she",  "they",  "were",  "my",    "are",    "me",     "one",  "their",
    "so",   "an",     "said", "them",  "we",    "who",   "would",  "been",   "will", "no",
    "when", "there",  "if",   "more",  "out",   "up",    "into",   "do",     "any",  "your",
    "what", "has",    "man",  "could", "other", "than",  "our",    "some",   "very", "time",
    "upon", "about",  "may",  "its",   "only",  "now",   "like",   "little", "then", "can",
    "made", "should", "did",  "us",    "such",  "great", "before", "must",   "two",  "these",
    "see",  "know",   "over", "much",  "down",  "after", "first",  "good",   "men",  "don't"};

enum { COMMON = sizeof common / sizeof *common };

/* One of n, by a linear congruence. */
static uint64_t draw(uint64_t *state, uint64_t n) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (*state >> 33) % n;
}

static void put_word(nt_buffer *out, size_t rank) {
    static const char *const heads[] = {"b",  "c",  "d", "f",  "g",  "h", "l",  "m",
                                        "n",  "p",  "r", "s",  "t",  "w", "st", "tr",
                                        "ch", "sh", "",  "br", "pl", "v", "gr", "qu"};
    static const char *const vowels[] = {"a", "e", "i", "o", "u", "ea", "ou", "ai"};
    static const char *const ends[] = {"", "n", "r", "s", "t", "ng", "ll", "d"};
    if (rank < COMMON) {
        nt_buffer_puts(out, common[rank]);
        return;
    }
    uint64_t state = rank * 2654435761u;
    size_t syllables = 1 + draw(&state, 3);
    for (size_t i = 0; i < syllables; i++) {
        nt_buffer_puts(out, heads[draw(&state, sizeof heads / sizeof *heads)]);
        nt_buffer_puts(out, vowels[draw(&state, sizeof vowels / sizeof *vowels)]);
        nt_buffer_puts(out, ends[draw(&state, sizeof ends / sizeof *ends)]);
    }
}

int nt_bench_text(nt_buffer *out, size_t n) {
    static const char *const marks[] = {".", ",", ",", ";", "?", "!", " -", ":"};
    uint64_t state = 1;
    size_t line = 0;
    while (out->n < n && out->status == NT_OK) {
        double u = (double)draw(&state, 1 << 24) * 0x1p-24;
        size_t before = out->n;
        put_word(out, (size_t)pow(WORDS, u) - 1);
        if (draw(&state, 40) == 0) nt_buffer_printf(out, " %d", (int)draw(&state, 2000));
        if (draw(&state, 8) == 0) nt_buffer_puts(out, marks[draw(&state, 8)]);
        line += out->n - before + 1;
        nt_buffer_putc(out, line > LINE ? '\n' : ' ');
        if (line > LINE) line = 0;
    }
    return out->status;
}
