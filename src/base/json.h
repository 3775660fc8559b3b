/* Reading JSON files and asking for members with the expected type in hand (over jansson). */
#ifndef NT_BASE_JSON_H
#define NT_BASE_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

/* Parses bytes [n] strictly (UTF-8, no duplicate keys, nothing after the value, nesting to 2048,
 * from 1 MiB on at most one object or array in 16 bytes), integers beyond 63 bits as reals; `where`
 * is the file's name for messages.
 * Errors: FORMAT (line and column), MEMORY. json_decref the result. */
int nt_json_parse(json_t **out, const char *bytes, size_t n, const char *where);
/* The same of a text whose density is known, for a caller that tells errors in its own words: *out
 * is NULL and *error jansson's for what is no valid JSON. Errors: MEMORY. */
int nt_json_load(json_t **out, const char *bytes, size_t n, json_error_t *error);
/* Reads and parses a file of at most max bytes, whose top value must be an object. */
int nt_json_read(json_t **out, const char *path, size_t max);

/* Member `key` of object, when it is there and not null; *out keeps its value otherwise.
 * A wrong type or a value outside [low, high] is NT_E_FORMAT naming where, key, wanted, found. */
int nt_json_int(int64_t *out, const json_t *object, const char *key, int64_t low, int64_t high,
                const char *where);
int nt_json_real(double *out, const json_t *object, const char *key, const char *where);
int nt_json_bool(bool *out, const json_t *object, const char *key, const char *where);
/* *out is borrowed from the object. */
int nt_json_string(const char **out, const json_t *object, const char *key, const char *where);

/* "an object", "a string", ... for messages. */
const char *nt_json_kind(const json_t *value);

#endif
