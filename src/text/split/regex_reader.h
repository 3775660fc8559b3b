/* Between the files that translate Oniguruma's syntax to PCRE2's; translate.h is the door. */
#ifndef NT_TEXT_REGEX_READER_H
#define NT_TEXT_REGEX_READER_H

#include "base/buffer.h"
#include "text/unicode/ranges.h"

enum {
    NT_REGEX_MAX_DEPTH = 200,      /* groups and classes in one another */
    NT_REGEX_NO_CODE = 0x7FFFFFFF, /* no character */
    NT_REGEX_MAX_BYTES = 1 << 16,  /* of the regex */
    NT_REGEX_MAX_OUT = 16 << 20    /* of what is written for it */
};

typedef struct nt_regex_name {
    size_t start, n; /* in the regex */
} nt_regex_name;

typedef struct nt_regex_reader {
    const char *regex; /* [n] well-formed UTF-8 */
    size_t n, at;
    const char *where;
    nt_buffer *out;
    unsigned depth;
    unsigned groups; /* that captures were numbered to so far */
    nt_regex_name *names;
    size_t n_names, names_capacity;
    bool collecting;       /* first pass: names and numbers of groups are not known yet */
    bool any_name;         /* some group has a name: those without do not capture */
    unsigned total_groups; /* of the whole regex */
    bool lone_anchor;      /* one of the branches read last is only an anchor */
    bool words;            /* \b was written, which refers to the class named w */
    uint32_t before;       /* folded character just before, NT_REGEX_NO_CODE for none */
} nt_regex_reader;

/* What is on inside a group. */
typedef struct nt_regex_mode {
    bool fold, dot_all, spaced; /* (?i) (?m) (?x) */
    bool behind, not_behind;    /* inside (?<=..) or (?<!..) */
} nt_regex_mode;

/* An escape: one character, a set, or (kind) what its letter says. */
typedef struct nt_regex_escape {
    char kind;     /* 'c': code; 's': set; other letters: \b, \R, ... for the caller */
    uint32_t code; /* of 'c' */
    nt_ranges set; /* of 's', tidy; the caller frees it */
} nt_regex_escape;

/* NT_E_FORMAT: Oniguruma itself refuses it; NT_E_UNSUPPORTED: it does not, we do. Both name the
 * place. */
int nt_regex_fail(const nt_regex_reader *reader, int status, size_t place, const char *what);

/* The character at reader->at and past it; the regex must not be at its end. */
uint32_t nt_regex_take(nt_regex_reader *reader);
/* Takes the byte if it is next. */
bool nt_regex_accept(nt_regex_reader *reader, char byte);
/* Reads what follows a backslash. */
int nt_regex_read_escape(nt_regex_escape *out, nt_regex_reader *reader, bool in_class);
/* Reads the class that a '[' has opened, writes it or adds it to `out`. */
int nt_regex_read_class(nt_regex_reader *reader, nt_regex_mode mode);
/* Writes a tidy set as one class. */
int nt_regex_put_set(nt_regex_reader *reader, nt_ranges *set);
/* Writes one character, or the class of those that are the same. */
int nt_regex_put_code(nt_regex_reader *reader, nt_regex_mode mode, uint32_t code, size_t place);

#endif
