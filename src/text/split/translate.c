/* Groups, quantifiers, anchors and references of Oniguruma's syntax. */
#include "text/split/translate.h"

#include <string.h>

#include "base/memory.h"
#include "text/split/regex_reader.h"
#include "text/unicode/properties.h"

enum { MAX_QUANTIFIERS = 8, MAX_REPEAT = 100000 };

static int read_branches(nt_regex_reader *reader, nt_regex_mode mode);

static int put(nt_regex_reader *reader, const char *text) {
    nt_buffer_puts(reader->out, text);
    return reader->out->status;
}

static bool at_end(const nt_regex_reader *reader) {
    return reader->at == reader->n;
}

static bool next_is(const nt_regex_reader *reader, const char *what) {
    size_t n = strlen(what);
    return reader->n - reader->at >= n && memcmp(reader->regex + reader->at, what, n) == 0;
}

static bool accept(nt_regex_reader *reader, const char *what) {
    if (!next_is(reader, what)) return false;
    reader->at += strlen(what);
    return true;
}

/* ---- Quantifiers ----------------------------------------------------------------------------- */

/* A number below 1e6 at *at; false when there is none. */
static bool read_number(unsigned *number, const nt_regex_reader *reader, size_t *at) {
    size_t start = *at;
    *number = 0;
    while (*at < reader->n && reader->regex[*at] >= '0' && reader->regex[*at] <= '9') {
        if (*number < 1000000) *number = *number * 10 + (unsigned)(reader->regex[*at] - '0');
        ++*at;
    }
    return *at > start;
}

/* {n}, {n,}, {,m} or {n,m} at reader->at; anything else leaves *found false and is text. */
static int read_interval(bool *found, bool *fixed, nt_regex_reader *reader) {
    size_t at = reader->at + 1, place = reader->at;
    unsigned low = 0, high = 0;
    bool has_low = read_number(&low, reader, &at), has_high = false;
    *fixed = true;
    if (at < reader->n && reader->regex[at] == ',') {
        at++;
        has_high = read_number(&high, reader, &at);
        *fixed = false;
    }
    *found = (has_low || has_high) && at < reader->n && reader->regex[at] == '}';
    if (!*found) return NT_OK;
    if (low > MAX_REPEAT || high > MAX_REPEAT) {
        return nt_regex_fail(reader, NT_E_FORMAT, place, "too big a number of times");
    }
    if (has_high && low > high) {
        return nt_regex_fail(reader, NT_E_UNSUPPORTED, place,
                             "the interval's ends the wrong way round");
    }
    reader->at = at + 1;
    nt_buffer_printf(reader->out, "{%u", low);
    if (!*fixed) nt_buffer_putc(reader->out, ',');
    if (has_high) nt_buffer_printf(reader->out, "%u", high);
    nt_buffer_putc(reader->out, '}');
    return reader->out->status;
}

/* White space and comments of (?x), and (?#..) anywhere. */
static int skip(nt_regex_reader *reader, nt_regex_mode mode, const nt_ranges *space) {
    for (;;) {
        size_t place = reader->at;
        if (accept(reader, "(?#")) {
            for (bool escaped = false;;
                 escaped = !escaped && reader->regex[reader->at - 1] == '\\') {
                if (at_end(reader)) {
                    return nt_regex_fail(reader, NT_E_FORMAT, place, "the comment has no end");
                }
                if (reader->regex[reader->at++] == ')' && !escaped) break;
            }
            continue;
        }
        if (!mode.spaced || at_end(reader)) return NT_OK;
        uint32_t code = nt_regex_take(reader);
        if (code == '#') {
            while (!at_end(reader) && reader->regex[reader->at++] != '\n')
                continue;
        } else if (!nt_ranges_has(space, code)) {
            reader->at = place;
            return NT_OK;
        }
    }
}

static int skip_blank(nt_regex_reader *reader, nt_regex_mode mode) {
    if (!mode.spaced) return skip(reader, mode, NULL);
    nt_ranges space = {0};
    bool known;
    int status = nt_property_add(&space, &known, "space", 5, true);
    nt_ranges_tidy(&space);
    if (status == NT_OK) status = skip(reader, mode, &space);
    nt_ranges_free(&space);
    return status;
}

/* Puts a group around what was written since `start`. */
static void enclose(nt_buffer *out, size_t start) {
    nt_buffer_puts(out, "(?:)");
    if (out->status != NT_OK) return;
    memmove(out->data + start + 3, out->data + start, out->n - 4 - start);
    memcpy(out->data + start, "(?:", 3);
    out->data[out->n - 1] = ')';
}

/* The quantifiers after an atom written since `start`. */
static int read_quantifiers(nt_regex_reader *reader, nt_regex_mode mode, size_t start,
                            bool anchor) {
    for (unsigned n = 0;; n++) {
        NT_TRY(skip_blank(reader, mode));
        size_t place = reader->at, written = reader->out->n;
        char sign = at_end(reader) ? 0 : reader->regex[reader->at];
        if (!sign || !strchr("*+?{", sign)) return NT_OK;
        if (n > 0) { /* only now is it known that there is another one */
            enclose(reader->out, start);
            written = reader->out->n;
        }
        bool found = true, fixed = false;
        if (sign == '{') {
            NT_TRY(read_interval(&found, &fixed, reader));
            if (!found) return NT_OK; /* a brace as it is */
        } else {
            reader->at++;
            nt_buffer_putc(reader->out, sign);
        }
        if (anchor) {
            return nt_regex_fail(reader, NT_E_FORMAT, place,
                                 "what stands before cannot be repeated");
        }
        if (n == MAX_QUANTIFIERS) {
            return nt_regex_fail(reader, NT_E_UNSUPPORTED, place, "too many quantifiers in a row");
        }
        if (!fixed && nt_regex_accept(reader, '?')) {
            nt_buffer_putc(reader->out, '?');
        } else if (sign != '{' && nt_regex_accept(reader, '+')) {
            nt_buffer_putc(reader->out, '+');
        }
        if (reader->out->n > written) reader->before = NT_REGEX_NO_CODE;
        if (reader->out->status != NT_OK) return reader->out->status;
    }
}

/* ---- Groups ---------------------------------------------------------------------------------- */

static int unsupported(const nt_regex_reader *reader, size_t place, const char *what) {
    return nt_regex_fail(reader, NT_E_UNSUPPORTED, place, what);
}

/* The branches of a group past its ')'. */
static int read_rest(nt_regex_reader *reader, nt_regex_mode mode, size_t place) {
    NT_TRY(read_branches(reader, mode));
    if (!nt_regex_accept(reader, ')')) {
        return nt_regex_fail(reader, NT_E_FORMAT, place, "the parenthesis is not closed");
    }
    return put(reader, ")");
}

static bool word_byte(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (unsigned char)c >= 0x80;
}

/* A name and what closes it. */
static int read_name(size_t *start, size_t *n, nt_regex_reader *reader, char close, size_t place) {
    *start = reader->at;
    while (!at_end(reader) && word_byte(reader->regex[reader->at]))
        reader->at++;
    *n = reader->at - *start;
    char first = *n > 0 ? reader->regex[*start] : '0';
    if ((first >= '0' && first <= '9') || !nt_regex_accept(reader, close)) {
        return nt_regex_fail(reader, NT_E_FORMAT, place, "this is no name of a group");
    }
    return NT_OK;
}

static int open_named(nt_regex_reader *reader, nt_regex_mode mode, char close, size_t place) {
    nt_regex_name name;
    reader->groups++;
    NT_TRY(read_name(&name.start, &name.n, reader, close, place));
    if (mode.not_behind) {
        return nt_regex_fail(reader, NT_E_FORMAT, place, "a capture in a negative look-behind");
    }
    if (reader->collecting) {
        NT_TRY(nt_grow((void **)&reader->names, &reader->names_capacity, reader->n_names + 1,
                       sizeof(nt_regex_name)));
        reader->names[reader->n_names++] = name;
        reader->any_name = true;
    }
    NT_TRY(put(reader, "("));
    return read_rest(reader, mode, place);
}

/* (?imx-imx) and (?imx-imx:..) past "(?". Without a colon it reaches to the end of the group,
 * branches included. */
static int read_options(nt_regex_reader *reader, nt_regex_mode mode, size_t place) {
    for (bool on = true; !at_end(reader);) {
        char c = reader->regex[reader->at++];
        switch (c) {
        case '-': on = false; break;
        case 'i': mode.fold = on; break;
        case 'm': mode.dot_all = on; break;
        case 'x': mode.spaced = on; break;
        case ':': NT_TRY(put(reader, "(?:")); return read_rest(reader, mode, place);
        case ')':
            NT_TRY(put(reader, "(?:"));
            NT_TRY(read_branches(reader, mode));
            return put(reader, ")");
        default:
            if (strchr("WDSPyICL~({|&@", c) && !(c == 'P' && next_is(reader, "<"))) {
                return unsupported(reader, place, "this kind of group or option");
            }
            return nt_regex_fail(reader, NT_E_FORMAT, place, "there is no such kind of group");
        }
    }
    return nt_regex_fail(reader, NT_E_FORMAT, place, "the group has no end");
}

/* What stands after '('. *anchor: it cannot be repeated. */
static int read_group(nt_regex_reader *reader, nt_regex_mode mode, bool *anchor, size_t place) {
    static const struct {
        const char *begin;
        bool ahead, behind, negative;
    } kinds[] = {{"?:", false, false, false}, {"?>", false, false, false},
                 {"?=", true, false, false},  {"?!", true, false, true},
                 {"?<=", false, true, false}, {"?<!", false, true, true}};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (!accept(reader, kinds[i].begin)) continue;
        *anchor = kinds[i].ahead || kinds[i].behind;
        if (kinds[i].ahead && mode.behind) {
            return nt_regex_fail(reader, NT_E_FORMAT, place, "a look-ahead in a look-behind");
        }
        if (kinds[i].behind && kinds[i].negative && mode.behind && !mode.not_behind) {
            return nt_regex_fail(reader, NT_E_FORMAT, place,
                                 "a negative look-behind in a look-behind");
        }
        if (kinds[i].behind) mode.behind = true;
        if (kinds[i].behind && kinds[i].negative) mode.not_behind = true;
        nt_buffer_putc(reader->out, '(');
        NT_TRY(put(reader, kinds[i].begin));
        NT_TRY(read_rest(reader, mode, place));
        if (i == 0) *anchor = reader->lone_anchor; /* such a group is as if it were not there */
        return NT_OK;
    }
    if (accept(reader, "?<")) return open_named(reader, mode, '>', place);
    if (accept(reader, "?'")) return open_named(reader, mode, '\'', place);
    if (accept(reader, "?")) return read_options(reader, mode, place);
    if (next_is(reader, "*")) return unsupported(reader, place, "callouts");
    if (reader->any_name) {
        NT_TRY(put(reader, "(?:"));
    } else {
        if (mode.not_behind && !reader->collecting) {
            return nt_regex_fail(reader, NT_E_FORMAT, place, "a capture in a negative look-behind");
        }
        reader->groups++;
        NT_TRY(put(reader, "("));
    }
    return read_rest(reader, mode, place);
}

/* ---- References and other escapes ------------------------------------------------------------ */

static int put_reference(nt_regex_reader *reader, nt_regex_mode mode, unsigned group,
                         size_t place) {
    if (!reader->collecting && (group == 0 || group > reader->total_groups)) {
        return nt_regex_fail(reader, NT_E_FORMAT, place, "there is no such group");
    }
    if (mode.fold) return unsupported(reader, place, "a reference with (?i)");
    nt_buffer_printf(reader->out, "\\g{%u}", group);
    return reader->out->status;
}

/* \1 .. \9, or more digits when there are so many groups before; else an octal number. */
static int read_numbered(nt_regex_reader *reader, nt_regex_mode mode, size_t place) {
    size_t at = place + 1;
    unsigned number;
    read_number(&number, reader, &at);
    if (number <= 9 || number <= reader->groups) {
        reader->at = at;
        if (reader->any_name) {
            return nt_regex_fail(reader, NT_E_FORMAT, place, "a number where groups have names");
        }
        return put_reference(reader, mode, number, place);
    }
    uint32_t code = 0;
    reader->at = place + 1;
    for (int n = 0; n < 3 && !at_end(reader); n++, reader->at++) {
        char c = reader->regex[reader->at];
        if (c < '0' || c > '7') break;
        code = code * 8 + (uint32_t)(c - '0');
    }
    if (reader->at == place + 1 || code >= 0x80) {
        return unsupported(reader, place, "neither the number of a group nor a character of ASCII");
    }
    return nt_regex_put_code(reader, mode, code, place);
}

/* \k<name>, \k<1>, \k<-1>, also with ' for < and >. */
static int read_named(nt_regex_reader *reader, nt_regex_mode mode, size_t place) {
    char close = nt_regex_accept(reader, '<') ? '>' : '\'';
    if (close == '\'' && !nt_regex_accept(reader, '\'')) {
        return nt_regex_fail(reader, NT_E_FORMAT, place, "\\k wants a name");
    }
    char sign = accept(reader, "-") ? '-' : accept(reader, "+") ? '+' : 0;
    unsigned number;
    if (read_number(&number, reader, &reader->at)) {
        if (!nt_regex_accept(reader, close))
            return unsupported(reader, place, "levels of recursion");
        if (reader->any_name) {
            return nt_regex_fail(reader, NT_E_FORMAT, place, "a number where groups have names");
        }
        if (sign == '-') number = number > reader->groups ? 0 : reader->groups + 1 - number;
        if (sign == '+') number += reader->groups;
        return put_reference(reader, mode, number, place);
    }
    size_t start, n;
    NT_TRY(read_name(&start, &n, reader, close, place));
    unsigned group = 0;
    for (size_t i = 0; i < reader->n_names; i++) {
        const nt_regex_name *name = &reader->names[i];
        if (name->n != n || memcmp(reader->regex + name->start, reader->regex + start, n) != 0)
            continue;
        if (group && !reader->collecting) {
            return unsupported(reader, place, "a reference to one of several groups of one name");
        }
        group = (unsigned)i + 1; /* groups without a name have no number then */
    }
    return put_reference(reader, mode, group, place);
}

static int read_escape(nt_regex_reader *reader, nt_regex_mode mode, bool *anchor, size_t place) {
    nt_regex_escape escape;
    NT_TRY(nt_regex_read_escape(&escape, reader, false));
    if (escape.kind == 'c') return nt_regex_put_code(reader, mode, escape.code, place);
    reader->before = NT_REGEX_NO_CODE;
    if (escape.kind == 's') {
        int status = nt_regex_put_set(reader, &escape.set);
        nt_ranges_free(&escape.set);
        return status;
    }
    *anchor = strchr("bBAzZGK", escape.kind) != NULL;
    if (mode.behind && (escape.kind == 'z' || escape.kind == 'Z')) {
        return nt_regex_fail(reader, NT_E_FORMAT, place, "the end of the text in a look-behind");
    }
    switch (escape.kind) {
    case 'A': return put(reader, "\\A");
    case 'z': return put(reader, "\\z");
    case 'Z': return put(reader, "\\Z");
    case 'G': return put(reader, "\\G");
    case 'K': return put(reader, "\\K");
    case 'N': return put(reader, "\\N");
    case 'O': return put(reader, ".");
    case 'R': return put(reader, "(?>\\r\\n|[\\n-\\r\\x85\\x{2028}\\x{2029}])");
    case 'b': reader->words = true; return put(reader, "(?(?<=(?&w))(?!(?&w))|(?=(?&w)))");
    case 'B': reader->words = true; return put(reader, "(?(?<=(?&w))(?=(?&w))|(?!(?&w)))");
    case 'k': return read_named(reader, mode, place);
    case 'g': return unsupported(reader, place, "calls of groups");
    case 'X':
    case 'y':
    case 'Y': return unsupported(reader, place, "text segments (\\X, \\y, \\Y)");
    default: return read_numbered(reader, mode, place);
    }
}

/* ---- The whole ------------------------------------------------------------------------------- */

static int read_atom(nt_regex_reader *reader, nt_regex_mode mode, bool *anchor) {
    size_t place = reader->at;
    uint32_t code = nt_regex_take(reader);
    *anchor = false;
    switch (code) {
    case '\\': return read_escape(reader, mode, anchor, place);
    case '[': return nt_regex_read_class(reader, mode);
    case '(': return read_group(reader, mode, anchor, place);
    case '.': reader->before = NT_REGEX_NO_CODE; return put(reader, mode.dot_all ? "." : "\\N");
    case '^':
    case '$':
        *anchor = true;
        reader->before = NT_REGEX_NO_CODE;
        return put(reader, code == '^' ? "^" : "$");
    case '*':
    case '+':
    case '?':
        return nt_regex_fail(reader, NT_E_FORMAT, place,
                             "nothing stands before that can be repeated");
    default: return nt_regex_put_code(reader, mode, code, place);
    }
}

/* {2} where no atom stands before it. */
static int refuse_interval(nt_regex_reader *reader) {
    bool found, fixed;
    size_t place = reader->at;
    if (at_end(reader) || reader->regex[reader->at] != '{') return NT_OK;
    NT_TRY(read_interval(&found, &fixed, reader));
    if (!found) return NT_OK;
    return nt_regex_fail(reader, NT_E_FORMAT, place, "nothing stands before that can be repeated");
}

/* Branches up to the ')' of the group around, or to the end. */
static int read_branches(nt_regex_reader *reader, nt_regex_mode mode) {
    if (++reader->depth > NT_REGEX_MAX_DEPTH) {
        return unsupported(reader, reader->at, "too many groups in one another");
    }
    bool first = true;                      /* of its branch */
    bool lone = false, only_anchor = false; /* some branch, this branch is one anchor */
    for (;;) {
        NT_TRY(skip_blank(reader, mode));
        if (at_end(reader) || reader->regex[reader->at] == ')') break;
        if (nt_regex_accept(reader, '|')) {
            NT_TRY(put(reader, "|"));
            reader->before = NT_REGEX_NO_CODE;
            first = true;
            lone = lone || only_anchor;
            only_anchor = false;
            continue;
        }
        if (first) NT_TRY(refuse_interval(reader));
        size_t start = reader->out->n;
        bool anchor;
        NT_TRY(read_atom(reader, mode, &anchor));
        only_anchor = first && anchor;
        first = false;
        NT_TRY(read_quantifiers(reader, mode, start, anchor));
    }
    reader->depth--;
    reader->lone_anchor = lone || only_anchor;
    return NT_OK;
}

static int read_all(nt_regex_reader *reader) {
    reader->at = 0;
    reader->depth = 0;
    reader->groups = 0;
    reader->before = NT_REGEX_NO_CODE;
    NT_TRY(read_branches(reader, (nt_regex_mode){0}));
    if (!at_end(reader)) {
        return nt_regex_fail(reader, NT_E_FORMAT, reader->at, "a parenthesis that closes nothing");
    }
    return NT_OK;
}

/* What \b asks for: the class of word characters, which nothing else runs into. */
static int put_words(nt_regex_reader *reader) {
    nt_ranges set = {0};
    bool known;
    int status = nt_property_add(&set, &known, "word", 4, true);
    nt_ranges_tidy(&set);
    if (status == NT_OK) status = put(reader, "(?(DEFINE)(?<w>");
    if (status == NT_OK) status = nt_regex_put_set(reader, &set);
    if (status == NT_OK) status = put(reader, "))");
    nt_ranges_free(&set);
    return status;
}

int nt_translate(nt_buffer *out, const char *regex, size_t n, const char *where) {
    nt_buffer unused = {.max = NT_REGEX_MAX_OUT}, text = {.max = NT_REGEX_MAX_OUT};
    nt_regex_reader reader = {
        .regex = regex, .n = n, .where = where, .out = &unused, .collecting = true};
    int status = NT_OK;
    if (n > NT_REGEX_MAX_BYTES) status = unsupported(&reader, 0, "it is longer than 64 KiB");
    if (status == NT_OK) status = read_all(&reader);
    if (status == NT_OK) {
        reader.total_groups = reader.any_name ? (unsigned)reader.n_names : reader.groups;
        reader.collecting = false;
        reader.out = &text;
        status = read_all(&reader);
    }
    if (status == NT_OK) {
        nt_buffer_puts(out, "(?:");
        nt_buffer_put(out, text.data, text.n);
        nt_buffer_putc(out, ')');
        reader.out = out;
        status = reader.words ? put_words(&reader) : out->status;
    }
    nt_buffer_free(&unused);
    nt_buffer_free(&text);
    nt_free(reader.names);
    return status;
}
