/* Reading JSON files and asking for members with the expected type in hand (over jansson). */
#ifndef NT_BASE_JSON_H
#define NT_BASE_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

/* Parses bytes [n] strictly (UTF-8, no duplicate keys, nothing after the value, nesting to 2048,
 * from 1 MiB on at most one object or array in 16 bytes); `where` is the file's name for messages.
 * Errors: FORMAT (line and column), MEMORY. json_decref the result. */
int nt_json_parse(json_t **out, const char *bytes, size_t n, const char *where);
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
