#include "base/json.h"

#include <inttypes.h>
#include <string.h>

#include "base/buffer.h"
#include "base/file.h"

enum { SMALL = 1 << 20, LEAST_BYTES = 16 };

/* Refuses a large text with more objects and arrays than any file of ours needs (tensors' headers
 * have three in at least 49 bytes): read into memory, 25 MB of "{}," would take 2 GB. */
static int check_density(const char *bytes, size_t n, const char *where) {
    if (n < SMALL) return NT_OK;
    size_t n_containers = 0;
    bool quoted = false;
    for (size_t i = 0; i < n; i++) {
        if (quoted && bytes[i] == '\\')
            i++;
        else if (bytes[i] == '"')
            quoted = !quoted;
        else
            n_containers += !quoted && (bytes[i] == '{' || bytes[i] == '[');
    }
    if (n_containers <= n / LEAST_BYTES) return NT_OK;
    return nt_fail(NT_E_FORMAT,
                   "%.400s has %zu objects and arrays in %zu bytes: it is made to fill memory",
                   where, n_containers, n);
}

/* Whether the digits [k] are more than 63 bits hold. */
static bool is_long(const char *digits, size_t k) {
    static const char largest[] = "9223372036854775807";
    size_t most = sizeof largest - 1;
    return k > most || (k == most && memcmp(digits, largest, most) > 0);
}

/* The text with integers beyond 63 bits as reals. Python writes integers of any length, and
 * transformers 1e30 as one: the model_max_length of most tokenizers. */
static void write_reals(nt_buffer *out, const char *bytes, size_t n) {
    bool quoted = false;
    for (size_t i = 0, k; i < n; i += k) {
        char before = i ? bytes[i - 1] : 0;
        bool sign = before == '-' && i > 1 && strchr("eE", bytes[i - 2]);
        bool begins = !quoted && !sign && !(before && strchr(".eE+", before));
        for (k = 0; i + k < n && bytes[i + k] >= '0' && bytes[i + k] <= '9';)
            k++;
        bool integer = k && begins && (i + k == n || !memchr(".eE", bytes[i + k], 3));
        if (k == 0) {
            k = quoted && bytes[i] == '\\' && i + 1 < n ? 2 : 1;
            quoted ^= bytes[i] == '"';
        }
        nt_buffer_put(out, bytes + i, k);
        if (integer && is_long(bytes + i, k)) nt_buffer_puts(out, "e0");
    }
}

int nt_json_load(json_t **out, const char *bytes, size_t n, json_error_t *error) {
    size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY;
    *out = json_loadb(bytes, n, flags, error);
    json_error_t last = *error;
    if (!*out && json_error_code(error) == json_error_numeric_overflow) {
        nt_buffer reals = {0};
        write_reals(&reals, bytes, n);
        int status = reals.status; /* *error stays: it tells places of the text as it is written */
        if (status == NT_OK) *out = json_loadb(reals.data, reals.n, flags, &last);
        nt_buffer_free(&reals);
        NT_TRY(status);
    }
    bool full = !*out && json_error_code(&last) == json_error_out_of_memory;
    return full ? nt_fail_memory(n) : NT_OK;
}

int nt_json_parse(json_t **out, const char *bytes, size_t n, const char *where) {
    json_error_t error;
    *out = NULL;
    NT_TRY(check_density(bytes, n, where));
    NT_TRY(nt_json_load(out, bytes, n, &error));
    if (*out) return NT_OK;
    return nt_fail(NT_E_FORMAT, "%s is not valid JSON: line %d, column %d: %s", where, error.line,
                   error.column, error.text);
}

int nt_json_read(json_t **out, const char *path, size_t max) {
    *out = NULL;
    char *bytes;
    size_t n;
    NT_TRY(nt_file_read(&bytes, &n, path, max));
    int status = nt_json_parse(out, bytes, n, path);
    nt_free(bytes);
    if (status == NT_OK && !json_is_object(*out)) {
        status = nt_fail(NT_E_FORMAT, "%s holds %s where an object was expected", path,
                         nt_json_kind(*out));
        json_decref(*out);
        *out = NULL;
    }
    return status;
}

const char *nt_json_kind(const json_t *value) {
    if (!value) return "nothing";
    switch (json_typeof(value)) {
    case JSON_OBJECT: return "an object";
    case JSON_ARRAY: return "an array";
    case JSON_STRING: return "a string";
    case JSON_INTEGER: return "an integer";
    case JSON_REAL: return "a number";
    case JSON_TRUE: return "true";
    case JSON_FALSE: return "false";
    default: return "null";
    }
}

static const json_t *member(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    return json_is_null(value) ? NULL : value;
}

static int wrong(const char *where, const char *key, const char *wanted, const json_t *found) {
    return nt_fail(NT_E_FORMAT, "%s: \"%s\" must be %s and is %s", where, key, wanted,
                   nt_json_kind(found));
}

int nt_json_int(int64_t *out, const json_t *object, const char *key, int64_t low, int64_t high,
                const char *where) {
    const json_t *value = member(object, key);
    if (!value) return NT_OK;
    if (!json_is_integer(value)) return wrong(where, key, "an integer", value);
    int64_t number = json_integer_value(value);
    if (number < low || number > high) {
        return nt_fail(NT_E_FORMAT,
                       "%s: \"%s\" is %" PRId64 "; it must lie in %" PRId64 " .. %" PRId64, where,
                       key, number, low, high);
    }
    *out = number;
    return NT_OK;
}

int nt_json_real(double *out, const json_t *object, const char *key, const char *where) {
    const json_t *value = member(object, key);
    if (!value) return NT_OK;
    if (!json_is_number(value)) return wrong(where, key, "a number", value);
    *out = json_number_value(value);
    return NT_OK;
}

int nt_json_bool(bool *out, const json_t *object, const char *key, const char *where) {
    const json_t *value = member(object, key);
    if (!value) return NT_OK;
    if (!json_is_boolean(value)) return wrong(where, key, "true or false", value);
    *out = json_is_true(value);
    return NT_OK;
}

int nt_json_string(const char **out, const json_t *object, const char *key, const char *where) {
    const json_t *value = member(object, key);
    if (!value) return NT_OK;
    if (!json_is_string(value)) return wrong(where, key, "a string", value);
    *out = json_string_value(value);
    return NT_OK;
}
