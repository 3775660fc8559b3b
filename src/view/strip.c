/* Making text visible and measuring it. */
#include "view/strip.h"

#include <stdio.h>
#include <string.h>
#include <utf8proc.h>

#include "base/memory.h"
#include "base/utf8.h"

enum { MOST_GLYPH_BYTES = 48 }; /* a character with more combining marks shows the rest escaped */

static void add(nt_strip *strip, const char *bytes, size_t n, size_t width, uint8_t style) {
    if (strip->status != NT_OK) return;
    void *glyphs = strip->glyphs;
    strip->status = nt_grow(&glyphs, &strip->capacity, strip->n + 1, sizeof(nt_glyph));
    strip->glyphs = glyphs;
    if (strip->status != NT_OK) return;
    size_t at = strip->bytes.n;
    nt_buffer_put(&strip->bytes, bytes, n);
    strip->status = strip->bytes.status;
    if (strip->status != NT_OK) return;
    strip->glyphs[strip->n++] = (nt_glyph){(uint32_t)at, (uint8_t)n, (uint8_t)width, style};
}

/* Puts a character without width on the glyph before it; false when there is no room or none. */
static bool join(nt_strip *strip, size_t first, const char *bytes, size_t n) {
    if (strip->status != NT_OK || strip->n == first) return false;
    nt_glyph *last = &strip->glyphs[strip->n - 1];
    if ((last->style & NT_STYLE_MARK) || last->n + n > MOST_GLYPH_BYTES) return false;
    nt_buffer_put(&strip->bytes, bytes, n);
    strip->status = strip->bytes.status;
    if (strip->status == NT_OK) last->n = (uint8_t)(last->n + n);
    return true;
}

static void escape(nt_strip *strip, int32_t code, uint8_t style) {
    char s[16];
    int n = snprintf(s, sizeof s,
                     code < 0x80      ? "\\x%02x"
                     : code < 0x10000 ? "\\u%04x"
                                      : "\\U%08x",
                     (unsigned)code);
    add(strip, s, (size_t)n, (size_t)n, style | NT_STYLE_MARK);
}

typedef enum looks { VISIBLE, COMBINING, JOINER, HIDDEN } looks;

static looks looks_of(int32_t code) {
    bool selector = (code >= 0xFE00 && code <= 0xFE0F) || (code >= 0x180B && code <= 0x180F) ||
                    (code >= 0xE0100 && code <= 0xE01EF);
    if (selector || code == 0x200C || code == 0x200D) return JOINER;
    /* fillers: letters and signs by category, blank by shape */
    if (code == 0x034F || code == 0x115F || code == 0x1160 || code == 0x17B4 || code == 0x17B5 ||
        code == 0x2800 || code == 0x3164 || code == 0xFFA0)
        return HIDDEN;
    int width = utf8proc_charwidth(code);
    switch (utf8proc_category(code)) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME: return width > 0 ? VISIBLE : COMBINING;
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP: return HIDDEN;
    default: return width > 0 ? VISIBLE : HIDDEN;
    }
}

static void show_white(nt_strip *strip, char c, uint8_t style) {
    const char *ascii = c == '\n' ? "\\n" : c == '\t' ? "\\t" : c == '\r' ? "\\r" : " ";
    const char *mark = c == '\n'   ? "\xE2\x86\xB5"
                       : c == '\t' ? "\xE2\x86\x92"
                       : c == '\r' ? "\\r"
                                   : "\xC2\xB7";
    uint8_t dim = style | NT_STYLE_MARK;
    if (strip->ascii)
        add(strip, ascii, strlen(ascii), strlen(ascii), c == ' ' ? style : dim);
    else
        add(strip, mark, strlen(mark), c == '\r' ? 2 : 1, dim);
}

/* One good character, bytes [n]; plain_space: a space stays one. */
static void show_code(nt_strip *strip, size_t first, int32_t code, const char *bytes, size_t n,
                      nt_show show, bool plain_space, uint8_t style) {
    if (code == ' ' && plain_space) {
        add(strip, " ", 1, 1, show == NT_SHOW_TEXT ? style | NT_STYLE_BREAK : style);
    } else if (code == '\t' && show == NT_SHOW_TEXT) {
        add(strip, "    ", 4, 4, style | NT_STYLE_BREAK);
    } else if (code == ' ' || code == '\n' || code == '\t' || code == '\r') {
        show_white(strip, (char)code, style);
    } else if (strip->ascii && show != NT_SHOW_TEXT && (code == '"' || code == '\\')) {
        add(strip, code == '"' ? "\\\"" : "\\\\", 2, 2, style);
    } else if (code < 0x7F && code > 0x20) {
        add(strip, bytes, n, 1, style);
    } else if (strip->ascii) {
        escape(strip, code, style);
    } else if (code == 0xA0) {
        if (show == NT_SHOW_TEXT)
            add(strip, bytes, n, 1, style);
        else
            add(strip, "\xE2\x8D\xBD", 3, 1, style | NT_STYLE_MARK);
    } else {
        looks as = looks_of(code);
        if (as == VISIBLE) {
            add(strip, bytes, n, (size_t)utf8proc_charwidth(code), style);
        } else if (as == COMBINING &&
                   strip->n == first) { /* a lone accent gets a circle to sit on */
            char on[8] = "\xE2\x97\x8C";
            memcpy(on + 3, bytes, n);
            add(strip, on, 3 + n, 1, style);
        } else if (as == HIDDEN || (as == JOINER && show != NT_SHOW_TEXT) ||
                   !join(strip, first, bytes, n)) {
            escape(strip, code, style);
        }
    }
}

void nt_strip_show(nt_strip *strip, const char *bytes, size_t n, nt_show show, uint8_t style) {
    bool quoted = strip->ascii && show != NT_SHOW_TEXT && show != NT_SHOW_FIELD;
    size_t begin = 0, end = n; /* spaces in [begin, end) stay spaces */
    if (show == NT_SHOW_TOKEN && !quoted) begin = n;
    if (show == NT_SHOW_INPUT && !quoted) {
        while (begin < n && bytes[begin] == ' ')
            begin++;
        while (end > begin && bytes[end - 1] == ' ')
            end--;
    }
    if (quoted) add(strip, "\"", 1, 1, style | NT_STYLE_MARK);
    size_t first = strip->n;
    for (size_t i = 0; i < n && strip->status == NT_OK;) {
        int32_t code;
        size_t length = nt_utf8_next(&code, bytes + i, n - i);
        if (code >= 0) {
            show_code(strip, first, code, bytes + i, length, show, i >= begin && i < end, style);
        } else {
            for (size_t b = 0; b < length; b++) {
                char s[8];
                snprintf(s, sizeof s, "\\x%02x", (unsigned)(unsigned char)bytes[i + b]);
                add(strip, s, 4, 4, style | NT_STYLE_MARK);
            }
        }
        i += length;
    }
    if (quoted) add(strip, "\"", 1, 1, style | NT_STYLE_MARK);
}

void nt_strip_puts(nt_strip *strip, const char *utf8, uint8_t style) {
    for (size_t i = 0, n = strlen(utf8); i < n;) {
        int32_t code;
        size_t length = nt_utf8_next(&code, utf8 + i, n - i);
        add(strip, utf8 + i, length, 1, style);
        i += length;
    }
}

size_t nt_strip_width(const nt_strip *strip, size_t first, size_t n) {
    size_t width = 0;
    for (size_t i = 0; i < n; i++)
        width += strip->glyphs[first + i].width;
    return width;
}

bool nt_strip_cut(const nt_strip *strip, size_t *first, size_t *n, size_t width, bool cut_left) {
    size_t wide = nt_strip_width(strip, *first, *n), used = 1, taken = 0;
    if (wide <= width) return false;
    if (cut_left) {
        for (; *n > 0 && wide + 1 > width; --*n)
            wide -= strip->glyphs[(*first)++].width;
        return true;
    }
    for (; taken < *n && used + strip->glyphs[*first + taken].width <= width; taken++)
        used += strip->glyphs[*first + taken].width;
    *n = taken;
    return true;
}

void nt_strip_clear(nt_strip *strip) {
    strip->n = 0;
    nt_buffer_clear(&strip->bytes);
}

void nt_strip_free(nt_strip *strip) {
    nt_buffer_free(&strip->bytes);
    nt_free(strip->glyphs);
    *strip = (nt_strip){.ascii = strip->ascii};
}
