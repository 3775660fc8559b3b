#include "text/files/json_pull.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"

void nt_pull_init(nt_pull *pull, const char *bytes, size_t n, size_t line, const char *where) {
    if (!bytes) bytes = ""; /* nothing there */
    *pull = (nt_pull){
        .at = bytes, .end = bytes + n, .start = bytes, .line = line ? line : 1, .where = where};
}

void nt_pull_free(nt_pull *pull) {
    nt_free(pull->text);
    *pull = (nt_pull){0};
}

size_t nt_pull_count(const char *bytes, size_t n, char byte) {
    size_t count = 0;
    while (n) {
        size_t some = n < 255 ? n : 255;
        uint8_t few = 0; /* one byte wide, so that a vector counts many at once */
        for (size_t i = 0; i < some; i++)
            few = (uint8_t)(few + (bytes[i] == byte));
        count += few;
        bytes += some;
        n -= some;
    }
    return count;
}

size_t nt_pull_line(const nt_pull *pull, const char *at) {
    size_t line = pull->line;
    for (const char *p = pull->start; (p = memchr(p, '\n', (size_t)(at - p))); p++)
        line++;
    return line;
}

int nt_pull_fail(const nt_pull *pull, const char *at, const char *what) {
    size_t column = 1;
    for (const char *p = at; p > pull->start && p[-1] != '\n'; p--)
        column += ((unsigned char)p[-1] & 0xC0) != 0x80; /* characters, not bytes */
    return nt_fail(NT_E_FORMAT, "%s is not valid JSON: line %zu, column %zu: %s", pull->where,
                   nt_pull_line(pull, at), column, what);
}

/* ---- Eight bytes at a time ------------------------------------------------------------------ */

#define EACH(byte) (0x0101010101010101u * (uint64_t)(byte))

static inline uint64_t load8(const char *bytes) {
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

/* The high bit of each byte that equals `byte`; bits above the lowest that is right may be wrong.
 */
static inline uint64_t equal(uint64_t word, unsigned char byte) {
    uint64_t x = word ^ EACH(byte);
    return (x - EACH(1)) & ~x & EACH(0x80);
}

/* Bytes before the lowest marked one. Little-endian, as every machine that this is built for. */
static inline size_t n_before(uint64_t marks) {
    return (size_t)__builtin_ctzll(marks) / 8;
}
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "n_before counts from the lowest byte");

/* Bytes of a string that mean themselves and are ASCII: how many stand at the front. */
static inline size_t n_plain(const char *at, const char *end) {
    const char *from = at;
    for (; end - at >= 8; at += 8) {
        uint64_t word = load8(at);
        uint64_t control = (word - EACH(0x20)) & ~word;
        uint64_t marks = (equal(word, '"') | equal(word, '\\') | control | word) & EACH(0x80);
        if (marks) return (size_t)(at - from) + n_before(marks);
    }
    for (; at < end; at++) {
        unsigned char c = (unsigned char)*at;
        if (c == '"' || c == '\\' || c < 0x20 || c >= 0x80) break;
    }
    return (size_t)(at - from);
}

void nt_pull_space(nt_pull *pull) {
    const char *at = pull->at, *end = pull->end;
    for (;; at++) {
        while (end - at >= 8 && load8(at) == EACH(' ')) /* indentation */
            at += 8;
        if (at == end || (*at != ' ' && *at != '\n' && *at != '\t' && *at != '\r')) break;
    }
    pull->at = at;
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

const char *nt_pull_kind(nt_pull *pull) {
    char c = nt_pull_peek(pull);
    switch (c) {
    case '{': return "an object";
    case '[': return "an array";
    case '"': return "a string";
    case 't': return "true";
    case 'f': return "false";
    case 'n': return "null";
    default: return c == '-' || is_digit(c) ? "a number" : "nothing";
    }
}

int nt_pull_unexpected(const nt_pull *pull, char byte) {
    char what[40];
    snprintf(what, sizeof what, "%s'%c' was expected", byte == '}' || byte == ']' ? "',' or " : "",
             byte);
    return nt_pull_fail(pull, pull->at, what);
}

int nt_pull_end(nt_pull *pull) {
    nt_pull_space(pull);
    if (pull->at == pull->end) return NT_OK;
    return nt_pull_fail(pull, pull->at, "the end of the file was expected");
}

/* ---- Strings -------------------------------------------------------------------------------- */

static int hex_digit(char c) {
    if (is_digit(c)) return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The four digits of \uXXXX, or -1. */
static int32_t hex4(const char *at, const char *end) {
    if (end - at < 4) return -1;
    int a = hex_digit(at[0]), b = hex_digit(at[1]), c = hex_digit(at[2]), d = hex_digit(at[3]);
    return (a | b | c | d) < 0 ? -1 : a << 12 | b << 8 | c << 4 | d;
}

/* What an escape at *at, on its 'u', stands for; *at moves behind it. */
static int read_unicode(int32_t *code, const nt_pull *pull, const char **at) {
    const char *backslash = *at - 1;
    *code = hex4(*at + 1, pull->end);
    *at += 5;
    if (*code < 0) return nt_pull_fail(pull, backslash, "\\u needs four hexadecimal digits");
    if (*code == 0) return nt_pull_fail(pull, backslash, "a string may not hold \\u0000");
    if (*code < 0xD800 || *code > 0xDFFF) return NT_OK;
    if (*code < 0xDC00 && pull->end - *at >= 2 && (*at)[0] == '\\' && (*at)[1] == 'u') {
        int32_t low = hex4(*at + 2, pull->end);
        if (low >= 0xDC00 && low <= 0xDFFF) {
            *code = 0x10000 + (*code - 0xD800) * 0x400 + (low - 0xDC00);
            *at += 6;
            return NT_OK;
        }
    }
    return nt_pull_fail(pull, backslash, "half of a surrogate pair stands alone");
}

/* The escape at *at, on its backslash, to out [4]; *at moves behind it. */
static int read_escape(char **out, const nt_pull *pull, const char **at) {
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *backslash = (*at)++;
    if (*at < pull->end && **at == 'u') {
        int32_t code;
        NT_TRY(read_unicode(&code, pull, at));
        *out += nt_utf8_put(*out, code);
        return NT_OK;
    }
    const char *found = *at < pull->end ? memchr(from, **at, sizeof from - 1) : NULL;
    if (!found) return nt_pull_fail(pull, backslash, "there is no such escape");
    *(*out)++ = to[found - from];
    ++*at;
    return NT_OK;
}

/* Length of the non-ASCII character at `at`, or 0. */
static inline size_t wide_char(const char *at, const char *end) {
    unsigned char lead = (unsigned char)*at;
    if (lead >= 0xC2 && lead <= 0xDF && end - at >= 2 && ((unsigned char)at[1] & 0xC0) == 0x80)
        return 2;
    int32_t code;
    size_t n = nt_utf8_next(&code, at, (size_t)(end - at));
    return code < 0 ? 0 : n;
}

/* Passes over bytes of a string that mean themselves, up to a quote or a backslash. */
static inline int pass_literal(const char **at, const nt_pull *pull) {
    for (;;) {
        *at += n_plain(*at, pull->end);
        if (*at == pull->end) return nt_pull_fail(pull, *at, "a string does not end");
        unsigned char c = (unsigned char)**at;
        if (c == '"' || c == '\\') return NT_OK;
        if (c < 0x20) return nt_pull_fail(pull, *at, "a string holds a control character");
        size_t n = wide_char(*at, pull->end);
        if (n == 0) return nt_pull_fail(pull, *at, "this is not UTF-8");
        *at += n;
    }
}

/* Appends n bytes to the string that is written out, with room for an escape behind them. */
static inline int append(size_t *n_text, nt_pull *pull, const char *bytes, size_t n) {
    if (pull->capacity - *n_text < n + 4) {
        void *text = pull->text;
        int status = nt_grow(&text, &pull->capacity, *n_text + n + 4, 1);
        pull->text = text;
        NT_TRY(status);
    }
    if (n) memcpy(pull->text + *n_text, bytes, n);
    *n_text += n;
    return NT_OK;
}

int nt_pull_string(const char **out, size_t *n, nt_pull *pull) {
    *out = NULL;
    *n = 0;
    if (nt_pull_peek(pull) != '"') return nt_pull_fail(pull, pull->at, "a string was expected");
    const char *from = pull->at + 1, *at = from;
    NT_TRY(pass_literal(&at, pull));
    if (*at == '"') {
        *out = from;
        *n = (size_t)(at - from);
        pull->at = at + 1;
        return NT_OK;
    }
    size_t n_text = 0;
    for (;;) {
        NT_TRY(append(&n_text, pull, from, (size_t)(at - from)));
        if (*at == '"') break;
        char *to = pull->text + n_text;
        NT_TRY(read_escape(&to, pull, &at));
        n_text = (size_t)(to - pull->text);
        from = at;
        NT_TRY(pass_literal(&at, pull));
    }
    pull->at = at + 1;
    *out = pull->text;
    *n = n_text;
    return NT_OK;
}

/* A string that nobody wants to see. */
static int skip_string(nt_pull *pull) {
    if (nt_pull_peek(pull) != '"') return nt_pull_fail(pull, pull->at, "a string was expected");
    const char *at = pull->at + 1;
    for (;;) {
        NT_TRY(pass_literal(&at, pull));
        if (*at == '"') break;
        char bytes[4], *to = bytes;
        NT_TRY(read_escape(&to, pull, &at));
    }
    pull->at = at + 1;
    return NT_OK;
}

/* ---- Numbers, words, whole values ----------------------------------------------------------- */

int nt_pull_number(const char **out, size_t *n, bool *whole, nt_pull *pull) {
    nt_pull_peek(pull);
    const char *at = pull->at, *end = pull->end, *from = at;
    *out = from;
    *n = 0;
    *whole = true;
    if (at < end && *at == '-') at++;
    const char *digits = at;
    while (at < end && is_digit(*at))
        at++;
    bool good = at > digits && (*digits != '0' || at == digits + 1);
    if (good && at < end && *at == '.') {
        const char *point = at++;
        while (at < end && is_digit(*at))
            at++;
        good = at > point + 1;
        *whole = false;
    }
    if (good && at < end && (*at == 'e' || *at == 'E')) {
        at++;
        if (at < end && (*at == '+' || *at == '-')) at++;
        const char *exponent = at;
        while (at < end && is_digit(*at))
            at++;
        good = at > exponent;
        *whole = false;
    }
    if (!good) return nt_pull_fail(pull, from, "this is no value");
    *n = (size_t)(at - from);
    pull->at = at;
    return NT_OK;
}

static int skip_word(nt_pull *pull) {
    static const char *const words[] = {"true", "false", "null"};
    for (int i = 0; i < 3; i++) {
        size_t n = strlen(words[i]);
        if ((size_t)(pull->end - pull->at) >= n && memcmp(pull->at, words[i], n) == 0) {
            pull->at += n;
            return NT_OK;
        }
    }
    return nt_pull_fail(pull, pull->at,
                        pull->at == pull->end ? "the file ends too early" : "this is no value");
}

/* A value that is no array and no object. */
static int skip_plain(nt_pull *pull, char first) {
    const char *number;
    size_t n;
    bool whole;
    if (first == '"') return skip_string(pull);
    if (first == '-' || is_digit(first)) return nt_pull_number(&number, &n, &whole, pull);
    return skip_word(pull);
}

static int skip_key(nt_pull *pull) {
    NT_TRY(skip_string(pull));
    return nt_pull_expect(pull, ':');
}

int nt_pull_skip(nt_pull *pull) {
    uint64_t objects[NT_PULL_DEPTH / 64 + 1] = {0}; /* a bit for each level: is it an object? */
    unsigned outside = pull->depth, depth = outside;
    do {
        char first = nt_pull_peek(pull);
        bool open = first == '{' || first == '[';
        if (open) {
            if (++depth > NT_PULL_DEPTH)
                return nt_pull_fail(pull, pull->at, "values lie too deep within each other");
            uint64_t bit = (uint64_t)1 << depth % 64;
            if (first == '{')
                objects[depth / 64] |= bit;
            else
                objects[depth / 64] &= ~bit;
            pull->at++;
            char close = first == '{' ? '}' : ']';
            if (nt_pull_peek(pull) != close) {
                if (first == '{') NT_TRY(skip_key(pull));
                continue;
            }
            pull->at++;
            depth--;
        } else {
            NT_TRY(skip_plain(pull, first));
        }
        for (bool more = false; depth > outside && !more;) { /* what the value ends, if any */
            bool object = objects[depth / 64] >> depth % 64 & 1;
            NT_TRY(nt_pull_next(&more, pull, object ? '}' : ']'));
            if (!more)
                depth--;
            else if (object)
                NT_TRY(skip_key(pull));
        }
    } while (depth > outside);
    return NT_OK;
}
