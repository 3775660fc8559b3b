/* The known patterns word by word, as a regex engine would try their alternatives: what the
 * scanners of scan_block.h are tested against, and what takes over where they do not reach. Any
 * series of these calls over a text is linear: what a word looks at beyond its end is taken by one
 * of the next two. */
#include "text/split/scan.h"
#include "text/split/scan_char.h"

enum { LETTER = NT_LETTER, NUMBER = NT_NUMBER, SPACE = NT_SPACE };

/* Letter, number, space or none of them (0) for the character at text [n]; its length too. */
static unsigned kind_at(size_t *length, const char *text, size_t n, nt_scan_kind kind) {
    unsigned class = nt_scan_class(length, text, n);
    if (kind == NT_SCAN_GPT2_DIGITS && class & NT_DIGIT) return NUMBER;
    return class & (LETTER | NUMBER | SPACE);
}

/* Where the run of characters of this kind at text + at ends. */
static size_t run_end(const char *text, size_t n, size_t at, unsigned kind) {
    for (size_t length; at < n; at += length)
        if (kind_at(&length, text + at, n - at, NT_SCAN_NONE) != kind) break;
    return at;
}

/*   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
 * With digits cut out before, a digit is a word, and for what stands before it the text's end. */
static size_t gpt2_word(const char *text, size_t n, nt_scan_kind scan) {
    if (text[0] == '\'') {
        size_t short_form = nt_scan_short_form(text, n, false);
        if (short_form) return short_form;
    }
    bool digits = scan == NT_SCAN_GPT2_DIGITS;
    size_t length, last = 0, i = 0;
    unsigned kind = kind_at(&length, text, n, scan), next = kind;
    if (digits && kind == NUMBER) return length;
    if (text[0] == ' ' && n > 1) { /* " ?" of the next three alternatives */
        size_t after;
        unsigned second = kind_at(&after, text + 1, n - 1, scan);
        if (second != SPACE && !(digits && second == NUMBER)) {
            next = kind = second;
            length = 1 + after;
        }
    }
    do {
        last = i;
        i += length;
    } while (i < n && (next = kind_at(&length, text + i, n - i, scan)) == kind);
    /* \s+(?!\S): before a visible character a run of spaces leaves its last one for what follows;
     * a single one cannot, and is taken by \s+. */
    if (kind == SPACE && i < n && last > 0 && !(digits && next == NUMBER)) return last;
    return i;
}

static bool is_newline(char c) {
    return c == '\n' || c == '\r';
}

/*   \s*[\r\n]+|\s+(?!\S)|\s+   at a space. */
static size_t spaces(const char *text, size_t n) {
    size_t newline_end = 0, last = 0, i = 0, length;
    for (; i < n && kind_at(&length, text + i, n - i, NT_SCAN_NONE) == SPACE; i += length) {
        last = i;
        if (is_newline(text[i])) newline_end = i + 1;
    }
    if (newline_end) return newline_end;
    return i < n && last > 0 ? last : i;
}

/*    ?[^\s\p{L}\p{N}]+[\r\n]*   or [\r\n/]*; 0 when there is no match. */
static size_t others(const char *text, size_t n, bool slash) {
    size_t start = text[0] == ' ', i = run_end(text, n, start, 0);
    if (i == start) return 0;
    while (i < n && (is_newline(text[i]) || (slash && text[i] == '/')))
        i++;
    return i;
}

/*   \p{N}{1,3}   at a number, with another limit too. */
static size_t numbers(const char *text, size_t n, int limit) {
    size_t i = 0, length;
    while (i < n && limit-- > 0 && kind_at(&length, text + i, n - i, NT_SCAN_NONE) == NUMBER)
        i += length;
    return i;
}

/*   (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|
 *   \s*[\r\n]+|\s+(?!\S)|\s+   ; qwen2 has \p{N} in place of \p{N}{1,3}. */
static size_t cl100k_word(const char *text, size_t n, int digits) {
    if (text[0] == '\'') {
        size_t short_form = nt_scan_short_form(text, n, true);
        if (short_form) return short_form;
    }
    size_t length, start = 0;
    unsigned kind = kind_at(&length, text, n, NT_SCAN_NONE);
    if (kind != LETTER && kind != NUMBER && !is_newline(text[0])) start = length;
    size_t letters = run_end(text, n, start, LETTER);
    if (letters > start) return letters;
    if (kind == NUMBER) return numbers(text, n, digits);
    size_t i = others(text, n, false);
    return i ? i : spaces(text, n);
}

/* \p{Lu}, \p{Lt} are UPPER, \p{Ll} is LOWER, what stands in both sets of o200k is BOTH. */
enum { UPPER = 1, LOWER = 2, BOTH = 3 };

static unsigned case_at(size_t *length, const char *text, size_t n) {
    unsigned class = nt_scan_class(length, text, n);
    if (class & NT_UPPER) return UPPER;
    if (class & NT_LOWER) return LOWER;
    return class & (NT_LETTER | NT_MARK) ? BOTH : 0;
}

/* Where the run of letters of `set` ends; *both_end after the last of them that is BOTH. */
static size_t case_end(size_t *both_end, const char *text, size_t n, size_t at, unsigned set) {
    for (size_t length; at < n; at += length) {
        unsigned letter = case_at(&length, text + at, n - at);
        if (!(letter & set)) break;
        if (letter == BOTH) *both_end = at + length;
    }
    return at;
}

/* End of the match at text + at, `at` for none, of the first of these that has one:
 *   [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+
 *   [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*
 * In the first, the second set needs one: what follows the first set's run, or the last of the run
 * that both sets have, which the first set then gives back. Without either, the run is the second
 * pattern's. */
static size_t cased_word(const char *text, size_t n, size_t at) {
    size_t both_end = at, upper = case_end(&both_end, text, n, at, UPPER), unused;
    size_t lower = case_end(&unused, text, n, upper, LOWER);
    if (lower > upper) return lower;
    return both_end > at ? both_end : upper;
}

/* The two patterns above, each after [^\r\n\p{L}\p{N}]? and before a short form or nothing, then
 *   \p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+
 * A mark may stand for the [^..]? too, which gives the same words as taking it for a letter. */
static size_t o200k_word(const char *text, size_t n) {
    size_t length, start = 0;
    unsigned kind = kind_at(&length, text, n, NT_SCAN_NONE);
    if (kind == NUMBER) return numbers(text, n, 3);
    if (kind != LETTER && !is_newline(text[0]) && !case_at(&length, text, n)) start = length;
    size_t end = cased_word(text, n, start);
    if (end > start) {
        if (end < n && text[end] == '\'') end += nt_scan_short_form(text + end, n - end, true);
        return end;
    }
    size_t i = others(text, n, true);
    return i ? i : spaces(text, n);
}

size_t nt_scan_word(nt_scan_kind kind, const char *text, size_t n) {
    switch (kind) {
    case NT_SCAN_GPT2:
    case NT_SCAN_GPT2_DIGITS: return gpt2_word(text, n, kind);
    case NT_SCAN_CL100K: return cl100k_word(text, n, 3);
    case NT_SCAN_QWEN2: return cl100k_word(text, n, 1);
    case NT_SCAN_O200K: return o200k_word(text, n);
    case NT_SCAN_NONE:
    case NT_SCAN_WHOLE: break;
    }
    return n;
}
