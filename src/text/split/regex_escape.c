/* Escapes of Oniguruma's syntax, and the way out for errors. */
#include <string.h>

#include "base/utf8.h"
#include "text/split/regex_reader.h"
#include "text/unicode/properties.h"

int nt_regex_fail(const nt_regex_reader *reader, int status, size_t place, const char *what) {
    const char *text = reader->regex;
    size_t n = reader->n < 120 ? reader->n : 120;
    while (n < reader->n && n > 0 && ((unsigned char)text[n] & 0xC0) == 0x80)
        n--;
    return nt_fail(status, "%s: regex \"%.*s%s\": byte %zu: %s", reader->where, (int)n, text,
                   n < reader->n ? "..." : "", place, what);
}

uint32_t nt_regex_take(nt_regex_reader *reader) {
    int32_t code;
    reader->at += nt_utf8_next(&code, reader->regex + reader->at, reader->n - reader->at);
    return (uint32_t)code;
}

bool nt_regex_accept(nt_regex_reader *reader, char byte) {
    if (reader->at == reader->n || reader->regex[reader->at] != byte) return false;
    reader->at++;
    return true;
}

static int digit_of(char c, unsigned base) {
    int value = c >= '0' && c <= '9'   ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : 99;
    return value < (int)base ? value : -1;
}

/* At most `most` digits; returns how many. */
static unsigned read_digits(uint32_t *value, nt_regex_reader *reader, unsigned base,
                            unsigned most) {
    unsigned n = 0;
    *value = 0;
    while (n < most && reader->at < reader->n) {
        int digit = digit_of(reader->regex[reader->at], base);
        if (digit < 0) break;
        *value = *value * base + (unsigned)digit;
        reader->at++;
        n++;
    }
    return n;
}

/* {digits} after \x or \o. */
static int read_braces(uint32_t *code, nt_regex_reader *reader, unsigned base, size_t place) {
    reader->at++;
    if (read_digits(code, reader, base, base == 16 ? 7 : 9) == 0 || !nt_regex_accept(reader, '}')) {
        return nt_regex_fail(reader, NT_E_UNSUPPORTED, place,
                             "only one code point is understood between these braces");
    }
    if (*code > NT_MAX_CODE || (*code >= 0xD800 && *code < 0xE000)) {
        return nt_regex_fail(reader, NT_E_UNSUPPORTED, place, "no character has this code point");
    }
    return NT_OK;
}

static bool next_is_hex_pair(const nt_regex_reader *reader) {
    const char *p = reader->regex + reader->at;
    return reader->n - reader->at >= 4 && p[0] == '\\' && p[1] == 'x' && digit_of(p[2], 16) >= 0 &&
           digit_of(p[3], 16) >= 0;
}

/* A byte given by number: below 128 a character, else the first byte of one that further \xHH
 * complete. */
static int read_raw(uint32_t *code, nt_regex_reader *reader, uint32_t byte, size_t place) {
    *code = byte;
    if (byte < 0x80) return NT_OK;
    char bytes[4] = {(char)byte};
    for (size_t n = 1; byte < 0x100; n++) {
        int32_t whole;
        nt_utf8_next(&whole, bytes, n);
        *code = (uint32_t)whole;
        if (whole >= 0) return NT_OK;
        if (whole == -1 || n == 4 || !next_is_hex_pair(reader)) break;
        uint32_t more;
        reader->at += 2;
        read_digits(&more, reader, 16, 2);
        bytes[n] = (char)more;
    }
    return nt_regex_fail(reader, NT_E_FORMAT, place, "these bytes are no character of UTF-8");
}

static int read_hex(uint32_t *code, nt_regex_reader *reader, size_t place) {
    if (reader->at < reader->n && reader->regex[reader->at] == '{') {
        return read_braces(code, reader, 16, place);
    }
    uint32_t byte;
    if (read_digits(&byte, reader, 16, 2) == 0) {
        return nt_regex_fail(reader, NT_E_UNSUPPORTED, place, "\\x without digits");
    }
    return read_raw(code, reader, byte, place);
}

static int read_control(uint32_t *code, nt_regex_reader *reader, bool dash, size_t place) {
    if (dash && !nt_regex_accept(reader, '-')) {
        return nt_regex_fail(reader, NT_E_FORMAT, place, "\\C wants - and a letter");
    }
    char c = reader->at < reader->n ? reader->regex[reader->at] : 0;
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))) {
        return nt_regex_fail(reader, NT_E_UNSUPPORTED, place,
                             "only letters have a control character");
    }
    reader->at++;
    *code = (uint32_t)c & 0x1F;
    return NT_OK;
}

/* {name} or {^name} after \p or \P. */
static int read_property(nt_ranges *set, nt_regex_reader *reader, bool negated, bool alone,
                         size_t place) {
    const char *start = reader->regex + reader->at + 1;
    const char *end = memchr(start, '}', reader->n - reader->at - 1);
    if (!end) return nt_regex_fail(reader, NT_E_FORMAT, place, "the property has no end");
    reader->at = (size_t)(end + 1 - reader->regex);
    if (start < end && *start == '^') {
        negated = !negated;
        start++;
    }
    bool known = false;
    if (start < end && *start != '=') {
        NT_TRY(nt_property_add(set, &known, start, (size_t)(end - start), alone));
    }
    if (!known) {
        return nt_regex_fail(reader, NT_E_UNSUPPORTED, place,
                             "this Unicode property is not among those that are built in");
    }
    nt_ranges_tidy(set);
    return negated ? nt_ranges_invert(set) : NT_OK;
}

static int class_escape(nt_ranges *set, const char *name, bool negated, bool alone) {
    bool known;
    NT_TRY(nt_property_add(set, &known, name, strlen(name), alone));
    nt_ranges_tidy(set);
    return negated ? nt_ranges_invert(set) : NT_OK;
}

static int read_set(nt_regex_escape *out, nt_regex_reader *reader, char letter, bool alone,
                    size_t place) {
    bool negated = letter >= 'A' && letter <= 'Z';
    const char *name = NULL;
    switch (letter | 0x20) {
    case 'd': name = "digit"; break;
    case 'h': name = "xdigit"; break;
    case 's': name = "space"; break;
    case 'w': name = "word"; break;
    default: break;
    }
    out->kind = 's';
    int status = name ? class_escape(&out->set, name, negated, alone)
                      : read_property(&out->set, reader, negated, alone, place);
    if (status != NT_OK) nt_ranges_free(&out->set);
    return status;
}

/* The control characters that have a letter; 0 for other letters. */
static uint32_t named_control(uint32_t letter, bool in_class) {
    switch (letter) {
    case 't': return '\t';
    case 'n': return '\n';
    case 'r': return '\r';
    case 'f': return '\f';
    case 'v': return '\v';
    case 'a': return '\a';
    case 'e': return 0x1B;
    case 'b': return in_class ? '\b' : 0;
    default: return 0;
    }
}

int nt_regex_read_escape(nt_regex_escape *out, nt_regex_reader *reader, bool in_class) {
    *out = (nt_regex_escape){.kind = 'c'};
    size_t place = reader->at - 1;
    if (reader->at == reader->n) {
        return nt_regex_fail(reader, NT_E_FORMAT, place, "nothing follows the backslash");
    }
    uint32_t letter = nt_regex_take(reader);
    char ascii = letter < 0x80 ? (char)letter : 0;
    out->code = letter;
    if (!ascii) return NT_OK;
    uint32_t control = named_control(letter, in_class);
    bool braced = reader->at < reader->n && reader->regex[reader->at] == '{';
    if (control) {
        out->code = control;
    } else if (strchr("dDhHsSwW", ascii) || ((ascii == 'p' || ascii == 'P') && braced)) {
        return read_set(out, reader, ascii, !in_class, place);
    } else if (ascii == 'x') {
        return read_hex(&out->code, reader, place);
    } else if (ascii == 'o' && braced) {
        return read_braces(&out->code, reader, 8, place);
    } else if (ascii == 'u') {
        if (read_digits(&out->code, reader, 16, 4) < 4 || (out->code & 0xF800) == 0xD800) {
            return nt_regex_fail(reader, NT_E_FORMAT, place, "\\u wants four hexadecimal digits");
        }
    } else if (ascii == 'c' || ascii == 'C') {
        return read_control(&out->code, reader, ascii == 'C', place);
    } else if (ascii == 'M') {
        return nt_regex_fail(reader, NT_E_UNSUPPORTED, place, "\\M is no character of UTF-8");
    } else if (ascii == '0' || (in_class && ascii >= '1' && ascii <= '7')) {
        uint32_t byte;
        reader->at--;
        read_digits(&byte, reader, 8, 3);
        return read_raw(&out->code, reader, byte, place);
    } else if (!in_class && strchr("bBAzZGKRXyYNOkg123456789", ascii)) {
        out->kind = ascii;
    } else if (in_class && strchr("RXK", ascii)) {
        return nt_regex_fail(reader, NT_E_UNSUPPORTED, place, "this escape inside a class");
    }
    return NT_OK;
}
