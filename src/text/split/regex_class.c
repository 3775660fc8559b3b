/* Character classes of Oniguruma's syntax, and writing sets of characters. */
#include <string.h>

#include "base/utf8.h"
#include "text/split/regex_reader.h"
#include "text/unicode/properties.h"

static void put_code(nt_buffer *out, uint32_t code) {
    if ((code >= '0' && code <= '9') || (code >= 'a' && code <= 'z') ||
        (code >= 'A' && code <= 'Z')) {
        nt_buffer_putc(out, (char)code);
    } else {
        nt_buffer_printf(out, "\\x{%x}", (unsigned)code);
    }
}

/* Takes the surrogates, which are no characters and which PCRE2 refuses, out of a tidy set. */
static int without_surrogates(nt_ranges *set) {
    nt_range all[] = {{0, 0xD7FF}, {0xE000, NT_MAX_CODE}};
    return nt_ranges_intersect(set, &(nt_ranges){.list = all, .n = 2});
}

int nt_regex_put_set(nt_regex_reader *reader, nt_ranges *set) {
    nt_buffer *out = reader->out;
    NT_TRY(without_surrogates(set));
    if (set->n == 0) {
        nt_buffer_puts(out, "(?!)");
        return out->status;
    }
    /* What is left out may be shorter to say; of the two gaps only surrogates do not count. */
    bool inverse = set->list[0].low == 0 && set->list[set->n - 1].high == NT_MAX_CODE;
    if (inverse) {
        NT_TRY(nt_ranges_invert(set));
        NT_TRY(without_surrogates(set));
        if (set->n == 0) {
            nt_buffer_putc(out, '.');
            return out->status;
        }
    }
    nt_buffer_puts(out, inverse ? "[^" : "[");
    for (size_t i = 0; i < set->n; i++) {
        put_code(out, set->list[i].low);
        if (set->list[i].high == set->list[i].low) continue;
        nt_buffer_putc(out, '-');
        put_code(out, set->list[i].high);
    }
    nt_buffer_putc(out, ']');
    return out->status;
}

static int unsupported_many(const nt_regex_reader *reader, size_t place) {
    return nt_regex_fail(
        reader, NT_E_UNSUPPORTED, place,
        "with (?i) this is the same as one or several other characters, like ss and "
        "U+00DF, which is not supported");
}

int nt_regex_put_code(nt_regex_reader *reader, nt_regex_mode mode, uint32_t code, size_t place) {
    uint32_t before = reader->before;
    reader->before = NT_REGEX_NO_CODE;
    if (!mode.fold) {
        put_code(reader->out, code);
        return reader->out->status;
    }
    uint32_t folded = nt_fold(code);
    if (nt_fold_is_many(code) || (before != NT_REGEX_NO_CODE && nt_fold_pair(before, folded))) {
        return unsupported_many(reader, place);
    }
    reader->before = folded;
    nt_ranges set = {0};
    int status = nt_ranges_add(&set, code, code);
    if (status == NT_OK) status = nt_fold_close(&set);
    if (status == NT_OK && set.n == 1 && set.list[0].low == set.list[0].high) {
        put_code(reader->out, code);
        status = reader->out->status;
    } else if (status == NT_OK) {
        status = nt_regex_put_set(reader, &set);
    }
    nt_ranges_free(&set);
    return status;
}

/* Where a class stands between its items. */
typedef enum state {
    START,
    VALUE,    /* after one character, which a '-' would make the low end of a range */
    RANGE,    /* after that '-' */
    COMPLETE, /* after a range */
    SET       /* after \w, [:alpha:], [..] */
} state;

typedef struct class_reader {
    nt_regex_reader *reader;
    nt_ranges sum; /* since the last && */
    nt_ranges all; /* what stood before it */
    bool has_and;
    state state;
    uint32_t value; /* of VALUE and RANGE */
    size_t place;   /* where the class begins */
} class_reader;

static int read_nested(nt_ranges *out, nt_regex_reader *reader);

static int add_code(class_reader *class, uint32_t code, size_t place) {
    if (class->state == RANGE) {
        if (code < class->value) {
            return nt_regex_fail(class->reader, NT_E_FORMAT, place,
                                 "the range ends below its start");
        }
        class->state = COMPLETE;
        return nt_ranges_add(&class->sum, class->value, code);
    }
    class->state = VALUE;
    class->value = code;
    return nt_ranges_add(&class->sum, code, code);
}

static int add_set(class_reader *class, const nt_ranges *set, size_t place) {
    if (class->state == RANGE) {
        return nt_regex_fail(class->reader, NT_E_FORMAT, place, "a range cannot end with a class");
    }
    class->state = SET;
    return nt_ranges_join(&class->sum, set);
}

static bool next_is(const nt_regex_reader *reader, const char *what) {
    size_t n = strlen(what);
    return reader->n - reader->at >= n && memcmp(reader->regex + reader->at, what, n) == 0;
}

static int add_dash(class_reader *class, size_t place) {
    nt_regex_reader *reader = class->reader;
    bool last = next_is(reader, "]");
    if (class->state == VALUE && !last) {
        if (next_is(reader, "[") || next_is(reader, "&&")) {
            return nt_regex_fail(reader, NT_E_UNSUPPORTED, place, "write \\- for this -");
        }
        class->state = RANGE;
        return NT_OK;
    }
    if (class->state == SET && !last) {
        return nt_regex_fail(reader, NT_E_FORMAT, place, "a range cannot start with a class");
    }
    if (class->state == COMPLETE && next_is(reader, "-")) {
        return nt_regex_fail(reader, NT_E_UNSUPPORTED, place, "write \\- for this -");
    }
    return add_code(class, '-', place);
}

static int add_and(class_reader *class, size_t place) {
    if (class->sum.n == 0 || class->state == RANGE) {
        return nt_regex_fail(class->reader, NT_E_UNSUPPORTED, place,
                             "&& wants a class on each side");
    }
    nt_ranges_tidy(&class->sum);
    if (class->has_and) NT_TRY(nt_ranges_intersect(&class->all, &class->sum));
    if (!class->has_and) NT_TRY(nt_ranges_join(&class->all, &class->sum));
    class->sum.n = 0;
    class->has_and = true;
    class->state = START;
    return NT_OK;
}

/* [:name:] or [:^name:] when that is what the '[' before reader->at opens. */
static int read_posix(bool *found, class_reader *class, size_t place) {
    static const char *const names[] = {"alnum", "alpha", "ascii",  "blank", "cntrl",
                                        "digit", "graph", "lower",  "print", "punct",
                                        "space", "upper", "xdigit", "word"};
    nt_regex_reader *reader = class->reader;
    const char *start = reader->regex + reader->at + 1, *end = start;
    const char *limit = reader->regex + reader->n;
    *found = false;
    if (!next_is(reader, ":")) return NT_OK;
    while (end < limit && *end != ']' && !(end + 1 < limit && end[0] == ':' && end[1] == ']'))
        end++;
    if (end == limit || *end == ']') return NT_OK;
    *found = true;
    bool negated = *start == '^';
    size_t n = (size_t)(end - start) - negated;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strlen(names[i]) != n || memcmp(names[i], start + negated, n) != 0) continue;
        reader->at = (size_t)(end + 2 - reader->regex);
        nt_ranges set = {0};
        bool known;
        bool punct = strcmp(names[i], "punct") == 0; /* with the symbols of ASCII */
        int status = punct ? nt_property_add(&set, &known, "posixpunct", 10, false)
                           : nt_property_add(&set, &known, names[i], n, false);
        nt_ranges_tidy(&set);
        if (status == NT_OK && negated) status = nt_ranges_invert(&set);
        if (status == NT_OK) status = add_set(class, &set, place);
        nt_ranges_free(&set);
        return status;
    }
    return nt_regex_fail(reader, NT_E_FORMAT, place, "there is no such POSIX bracket");
}

static int read_item(class_reader *class) {
    nt_regex_reader *reader = class->reader;
    size_t place = reader->at;
    if (next_is(reader, "&&")) {
        reader->at += 2;
        return add_and(class, place);
    }
    uint32_t code = nt_regex_take(reader);
    if (code == '-')
        return class->state == RANGE ? add_code(class, code, place) : add_dash(class, place);
    if (code == '[') {
        bool found;
        NT_TRY(read_posix(&found, class, place));
        if (found) return NT_OK;
        nt_ranges nested = {0};
        int status = read_nested(&nested, reader);
        if (status == NT_OK) status = add_set(class, &nested, place);
        nt_ranges_free(&nested);
        return status;
    }
    if (code != '\\') return add_code(class, code, place);
    nt_regex_escape escape;
    NT_TRY(nt_regex_read_escape(&escape, reader, true));
    if (escape.kind == 'c') return add_code(class, escape.code, place);
    int status = add_set(class, &escape.set, place);
    nt_ranges_free(&escape.set);
    return status;
}

static int read_items(class_reader *class) {
    nt_regex_reader *reader = class->reader;
    for (bool first = true;; first = false) {
        if (reader->at == reader->n) {
            return nt_regex_fail(reader, NT_E_FORMAT, class->place, "the class has no end");
        }
        if (reader->regex[reader->at] != ']') {
            NT_TRY(read_item(class));
            continue;
        }
        size_t place = reader->at++;
        if (!first) break;
        if (!memchr(reader->regex + reader->at, ']', reader->n - reader->at)) {
            return nt_regex_fail(reader, NT_E_FORMAT, class->place, "the class is empty");
        }
        NT_TRY(add_code(class, ']', place));
    }
    return class->has_and ? add_and(class, reader->at - 1) : NT_OK;
}

/* Reads a class past its ']' as what stands in it, tidy; *negated: it means all but that. */
static int read_raw(nt_ranges *out, bool *negated, nt_regex_reader *reader) {
    class_reader class = {.reader = reader, .place = reader->at - 1};
    if (++reader->depth > NT_REGEX_MAX_DEPTH) {
        return nt_regex_fail(reader, NT_E_UNSUPPORTED, class.place,
                             "too many levels in one another");
    }
    *negated = nt_regex_accept(reader, '^');
    int status = read_items(&class);
    reader->depth--;
    nt_ranges *result = class.has_and ? &class.all : &class.sum;
    nt_ranges_tidy(result);
    if (status == NT_OK) status = nt_ranges_join(out, result);
    nt_ranges_free(&class.sum);
    nt_ranges_free(&class.all);
    return status;
}

static int read_nested(nt_ranges *out, nt_regex_reader *reader) {
    bool negated;
    NT_TRY(read_raw(out, &negated, reader));
    return negated ? nt_ranges_invert(out) : NT_OK;
}

/* Oniguruma adds to a class the strings that its characters are the same as, but not to a negated
 * one: there it is enough that all such characters stand in it, or none. */
static bool may_fold(const nt_ranges *set, bool negated) {
    size_t n = nt_fold_many_in(set);
    return n == 0 || (negated && n == nt_property_n.many);
}

int nt_regex_read_class(nt_regex_reader *reader, nt_regex_mode mode) {
    nt_ranges set = {0};
    bool negated = false;
    size_t place = reader->at - 1;
    uint32_t before = reader->before;
    reader->before = NT_REGEX_NO_CODE;
    int status = read_raw(&set, &negated, reader);
    if (status == NT_OK && mode.fold) {
        bool one = set.n == 1 && set.list[0].low == set.list[0].high && !negated;
        uint32_t only = one ? set.list[0].low : 0;
        if (!may_fold(&set, negated)) status = unsupported_many(reader, place);
        if (status == NT_OK && one) {
            reader->before = before;
            status = nt_regex_put_code(reader, mode, only, place);
            nt_ranges_free(&set);
            return status;
        }
        if (status == NT_OK) status = nt_fold_close(&set);
    }
    if (status == NT_OK && negated) status = nt_ranges_invert(&set);
    if (status == NT_OK) status = nt_regex_put_set(reader, &set);
    nt_ranges_free(&set);
    return status;
}
