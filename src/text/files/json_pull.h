/* JSON read piece by piece from where it stands, for the parts of a file that are too large to
 * become objects first. As strict as base/json.h: UTF-8, whole surrogate pairs, no control
 * characters and no NUL in strings, nothing after the value. Duplicate keys are the caller's to
 * find. */
#ifndef NT_TEXT_JSON_PULL_H
#define NT_TEXT_JSON_PULL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

enum { NT_PULL_DEPTH = 2048 }; /* arrays and objects within each other, as jansson allows */

typedef struct nt_pull {
    const char *at, *end; /* what is not read yet */
    const char *start;    /* where `at` was at first */
    size_t line;          /* that `start` stands in, from 1 */
    const char *where;    /* the file's name, for messages */
    unsigned depth;       /* arrays and objects that are open around `at` */
    char *text;           /* strings with escapes are written out here */
    size_t capacity;
} nt_pull; /* nt_pull_free ends it */

void nt_pull_init(nt_pull *pull, const char *bytes, size_t n, size_t line, const char *where);
void nt_pull_free(nt_pull *pull);

/* How often a byte stands in bytes [n]. */
size_t nt_pull_count(const char *bytes, size_t n, char byte);
/* The line in which a place of the bytes stands. */
size_t nt_pull_line(const nt_pull *pull, const char *at);
/* NT_E_FORMAT: "FILE is not valid JSON: line 3, column 7: " and what is wrong at this place. */
int nt_pull_fail(const nt_pull *pull, const char *at, const char *what);

void nt_pull_space(nt_pull *pull);
/* Passes over white space; returns the byte behind it, 0 at the end. */
static inline char nt_pull_peek(nt_pull *pull) {
    if (pull->at < pull->end && (unsigned char)*pull->at > ' ') return *pull->at;
    nt_pull_space(pull);
    return pull->at < pull->end ? *pull->at : 0;
}
/* The kind of the value that stands next, in nt_json_kind's words; by its first byte. */
const char *nt_pull_kind(nt_pull *pull);
/* NT_E_FORMAT: "... was expected". */
int nt_pull_unexpected(const nt_pull *pull, char byte);
/* Passes over white space and this byte, or fails. */
static inline int nt_pull_expect(nt_pull *pull, char byte) {
    if (nt_pull_peek(pull) != byte) return nt_pull_unexpected(pull, byte);
    pull->at++;
    return NT_OK;
}
/* After a member or item: passes over "," (*more is true) or over the end, `close`. */
static inline int nt_pull_next(bool *more, nt_pull *pull, char close) {
    *more = nt_pull_peek(pull) == ',';
    return *more ? (pull->at++, NT_OK) : nt_pull_expect(pull, close);
}
/* The string that stands next: its bytes, good until the next one is read. */
int nt_pull_string(const char **out, size_t *n, nt_pull *pull);
/* The number that stands next, as it is written. */
int nt_pull_number(const char **out, size_t *n, bool *whole, nt_pull *pull);
/* Passes over one whole value, all of it checked. */
int nt_pull_skip(nt_pull *pull);
/* Nothing but white space is left, or it fails. */
int nt_pull_end(nt_pull *pull);

#endif
