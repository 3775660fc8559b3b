/* Values of options: from text and from JSON into the field that a row describes. */
#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "decode/options/options.h"

/* Where a value comes from, for messages. */
typedef struct nt_source {
    const char *text;   /* as it was given, or NULL */
    const json_t *json; /* or this */
    const char *where;  /* the JSON's file; NULL for text */
} nt_source;

static void *field(void *target, size_t offset) {
    return (char *)target + offset;
}

static const void *field_of(const void *target, size_t offset) {
    return (const char *)target + offset;
}

static const void *list_of(const void *target, const nt_option_row *row) {
    const void *list;
    memcpy(&list, field_of(target, row->offset), sizeof list);
    return list;
}

bool nt_option_given(const void *target, const nt_option_row *row) {
    const void *value = field_of(target, row->offset);
    switch (row->type) {
    case NT_OPTION_INTEGER: return *(const int32_t *)value != (int32_t)row->unset;
    case NT_OPTION_NUMBER: return *(const double *)value != row->unset;
    case NT_OPTION_BOOLEAN: return *(const int *)value != 0;
    case NT_OPTION_SEED: return *(const bool *)field_of(target, row->offset_n);
    default: return list_of(target, row) != NULL;
    }
}

/* The beginning of a dump, as far as it fits. */
typedef struct nt_shown {
    char *out;
    size_t n; /* of the whole */
} nt_shown;

static int show_some(const char *bytes, size_t n, void *payload) {
    nt_shown *shown = payload;
    size_t room = shown->n < NT_SHOWN ? NT_SHOWN - shown->n : 0;
    if (room) memcpy(shown->out + shown->n, bytes, n < room ? n : room);
    shown->n += n;
    return 0;
}

void nt_option_show_json(char out[NT_SHOWN + 8], const json_t *value) {
    nt_shown shown = {out, 0};
    json_dump_callback(value, show_some, &shown,
                       JSON_ENCODE_ANY | JSON_ENSURE_ASCII | JSON_COMPACT);
    bool whole = shown.n <= NT_SHOWN;
    strcpy(out + (whole ? shown.n : NT_SHOWN), whole ? "" : "...");
}

/* The value as a message shows it: whole characters, at most about NT_SHOWN bytes. */
static void show(char out[NT_SHOWN + 8], const nt_source *source) {
    if (source->json) {
        nt_option_show_json(out, source->json);
        return;
    }
    size_t n = strlen(source->text), at = 0;
    while (at < n) {
        int32_t code;
        size_t step = nt_utf8_next(&code, source->text + at, n - at);
        if (at + step > NT_SHOWN) break;
        memcpy(out + at, source->text + at, step);
        if (code < 0) memset(out + at, '?', step);
        at += step;
    }
    strcpy(out + at, at < n ? "..." : "");
}

static int refuse(const nt_option_row *row, const nt_source *source) {
    static const char *const takes[] = {"an integer", "a number", "true or false",
                                        "token ids",  "strings",  "an integer"};
    char shown[NT_SHOWN + 8];
    show(shown, source);
    const char *range = row->info.range ? row->info.range : "";
    if (strcmp(range, takes[row->type]) == 0) range = "";
    return nt_fail(source->where ? NT_E_FORMAT : NT_E_ARGUMENT,
                   "%s%s%s cannot be %s%s%s: it takes %s%s%s", source->where ? source->where : "",
                   source->where ? ": " : "", row->info.name, source->json ? "" : "\"", shown,
                   source->json ? "" : "\"", takes[row->type], *range ? ", " : "", range);
}

static bool is_none(const char *text) {
    return strcasecmp(text, "none") == 0 || strcasecmp(text, "null") == 0;
}

/* An integer that fills text [n] whole. */
static bool read_integer(int64_t *out, const char *text, size_t n) {
    char digits[24];
    if (n == 0 || n >= sizeof digits || strspn(text, "+-0123456789") < n) return false;
    memcpy(digits, text, n);
    digits[n] = 0;
    char *end;
    errno = 0;
    *out = strtoll(digits, &end, 10);
    return errno == 0 && *end == 0;
}

/* A decimal number that fills the text whole, in the C locale whatever the program's is. */
static int read_number(bool *ok, double *out, const char *text) {
    *ok = false;
    if (!*text || strspn(text, "+-.0123456789eE") < strlen(text)) return NT_OK;
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!c) return nt_fail_memory(sizeof c);
    char *end;
    *out = strtod_l(text, &end, c);
    *ok = *end == 0 && end != text;
    freelocale(c);
    return NT_OK;
}

static void set_number(void *target, const nt_option_row *row, double value) {
    if (row->type == NT_OPTION_INTEGER) {
        *(int32_t *)field(target, row->offset) = (int32_t)value;
    } else {
        *(double *)field(target, row->offset) = value;
    }
}

/* Integer, number, boolean or seed: back to "not given" */
static void unset(void *target, const nt_option_row *row) {
    void *value = field(target, row->offset);
    switch (row->type) {
    case NT_OPTION_INTEGER: *(int32_t *)value = (int32_t)row->unset; break;
    case NT_OPTION_NUMBER: *(double *)value = row->unset; break;
    case NT_OPTION_SEED:
        *(uint64_t *)value = 0;
        *(bool *)field(target, row->offset_n) = false;
        break;
    default: *(int *)value = 0; break;
    }
}

static nt_arena *arena_of(nt_option_memory **memory) {
    if (!*memory) *memory = nt_alloc(1, sizeof **memory);
    return *memory ? &(*memory)->arena : NULL;
}

static void set_list(void *target, const nt_option_row *row, const void *list, size_t n) {
    memcpy(field(target, row->offset), &list, sizeof list);
    *(size_t *)field(target, row->offset_n) = n;
}

/* ---- Ids ---- */

/* The items of "1,2" or "[1, 2]": *text [*n] without the brackets. */
static void strip_brackets(const char **text, size_t *n) {
    *n = strlen(*text);
    if (*n >= 2 && (*text)[0] == '[' && (*text)[*n - 1] == ']') {
        *text += 1;
        *n -= 2;
    }
}

static int ids_from_text(void *target, const nt_option_row *row, nt_option_memory **memory,
                         const nt_source *source) {
    const char *text = source->text;
    size_t n, count = 0, capacity = 1;
    strip_brackets(&text, &n);
    bool empty = is_none(text) || (text != source->text && strspn(text, " ") >= n);
    for (size_t i = 0; i < n; i++)
        capacity += text[i] == ',';
    nt_arena *arena = arena_of(memory);
    int32_t *ids = arena ? nt_arena_alloc(arena, capacity, sizeof *ids) : NULL;
    if (!ids) return NT_E_MEMORY;
    for (const char *end = text + n; !empty && text <= end;) {
        const char *comma = memchr(text, ',', (size_t)(end - text));
        const char *next = comma ? comma : end;
        const char *last = next;
        while (text < last && *text == ' ')
            text++;
        while (last > text && last[-1] == ' ')
            last--;
        int64_t id;
        if (!read_integer(&id, text, (size_t)(last - text)) || id < row->low || id > row->high)
            return refuse(row, source);
        ids[count++] = (int32_t)id;
        text = next + 1;
    }
    set_list(target, row, ids, count);
    return NT_OK;
}

static int ids_from_json(void *target, const nt_option_row *row, nt_option_memory **memory,
                         const nt_source *source) {
    bool list = json_is_array(source->json);
    size_t n = list ? json_array_size(source->json) : 1;
    nt_arena *arena = arena_of(memory);
    int32_t *ids = arena ? nt_arena_alloc(arena, n, sizeof *ids) : NULL;
    if (!ids) return NT_E_MEMORY;
    for (size_t i = 0; i < n; i++) {
        const json_t *item = list ? json_array_get(source->json, i) : source->json;
        json_int_t id = json_integer_value(item);
        if (!json_is_integer(item) || id < row->low || id > row->high) return refuse(row, source);
        ids[i] = (int32_t)id;
    }
    set_list(target, row, ids, n);
    return NT_OK;
}

/* ---- Strings ---- */

/* Adds one string to the list, which may also be an array of the caller's own: then it is copied
 * first. */
static int append_string(void *target, const nt_option_row *row, nt_option_memory **memory,
                         const nt_source *source) {
    size_t n_text = strlen(source->text);
    if (n_text == 0 || nt_utf8_check(source->text, n_text) != n_text) return refuse(row, source);
    nt_arena *arena = arena_of(memory);
    if (!arena) return NT_E_MEMORY;
    nt_option_memory *m = *memory;
    const char **list;
    memcpy(&list, field_of(target, row->offset), sizeof list);
    size_t n = list ? *(const size_t *)field_of(target, row->offset_n) : 0;
    const char *copy = nt_arena_copy(arena, source->text, n_text);
    if (!copy) return NT_E_MEMORY;
    if (!list || m->list != list || n == m->capacity) {
        const char **bigger = list;
        size_t capacity = n;
        NT_TRY(nt_arena_grow(arena, (void **)&bigger, &capacity, n + 1, sizeof *bigger));
        m->list = list = bigger;
        m->capacity = capacity;
    }
    list[n] = copy;
    set_list(target, row, list, n + 1);
    return NT_OK;
}

static int strings_from_json(void *target, const nt_option_row *row, nt_option_memory **memory,
                             const nt_source *source) {
    bool array = json_is_array(source->json);
    size_t n = array ? json_array_size(source->json) : 1;
    nt_arena *arena = arena_of(memory);
    const char **list = arena ? nt_arena_alloc(arena, n, sizeof *list) : NULL;
    if (!list) return NT_E_MEMORY;
    for (size_t i = 0; i < n; i++) {
        const json_t *item = array ? json_array_get(source->json, i) : source->json;
        if (!json_is_string(item) || json_string_length(item) == 0) return refuse(row, source);
        list[i] = nt_arena_copy(arena, json_string_value(item), json_string_length(item));
        if (!list[i]) return NT_E_MEMORY;
    }
    (*memory)->list = list;
    (*memory)->capacity = n;
    set_list(target, row, list, n);
    return NT_OK;
}

static bool all_strings(const json_t *array) {
    for (size_t i = 0; i < json_array_size(array); i++)
        if (!json_is_string(json_array_get(array, i))) return false;
    return json_is_array(array);
}

/* "[...]" that is a JSON array of strings sets the list; all else is one string, such as "[END]".
 */
static int strings_from_text(void *target, const nt_option_row *row, nt_option_memory **memory,
                             const nt_source *source) {
    json_t *array = *source->text == '[' ? json_loads(source->text, 0, NULL) : NULL;
    int status;
    if (all_strings(array)) {
        nt_source whole = {.json = array};
        status = strings_from_json(target, row, memory, &whole);
    } else {
        status = append_string(target, row, memory, source);
    }
    json_decref(array);
    return status;
}

/* ---- All types ---- */

static int set_boolean(void *target, const nt_option_row *row, const nt_source *source) {
    static const char *const yes[] = {"true", "1", "yes", "on"}, *const no[] = {"false", "0", "no",
                                                                                "off"};
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) {
        int value =
            (strcasecmp(source->text, yes[i]) == 0) - (strcasecmp(source->text, no[i]) == 0);
        if (!value) continue;
        *(int *)field(target, row->offset) = value;
        return NT_OK;
    }
    return refuse(row, source);
}

static void set_seed(void *target, const nt_option_row *row, uint64_t seed) {
    *(uint64_t *)field(target, row->offset) = seed;
    *(bool *)field(target, row->offset_n) = true;
}

/* All 64 bits, which numbers in JSON do not have. */
static int seed_from_text(void *target, const nt_option_row *row, const nt_source *source) {
    const char *text = source->text;
    size_t n = strlen(text);
    uint64_t seed = 0;
    if (n == 0 || strspn(text, "0123456789") < n) return refuse(row, source);
    for (size_t i = 0; i < n; i++) {
        if (__builtin_mul_overflow(seed, 10, &seed) ||
            __builtin_add_overflow(seed, (uint64_t)(text[i] - '0'), &seed))
            return refuse(row, source);
    }
    set_seed(target, row, seed);
    return NT_OK;
}

int nt_option_set_text(void *target, const nt_option_row *row, nt_option_memory **memory,
                       const char *value) {
    nt_source source = {.text = value};
    if (row->type == NT_OPTION_STRINGS) return strings_from_text(target, row, memory, &source);
    if (row->type == NT_OPTION_IDS) return ids_from_text(target, row, memory, &source);
    if (is_none(value)) {
        unset(target, row);
        return NT_OK;
    }
    if (row->type == NT_OPTION_BOOLEAN) return set_boolean(target, row, &source);
    if (row->type == NT_OPTION_SEED) return seed_from_text(target, row, &source);
    double number;
    bool ok;
    if (row->type == NT_OPTION_INTEGER) {
        int64_t integer = 0;
        ok = read_integer(&integer, value, strlen(value));
        number = (double)integer;
    } else {
        NT_TRY(read_number(&ok, &number, value));
    }
    if (!ok || !(number >= row->low && number <= row->high)) return refuse(row, &source);
    set_number(target, row, number);
    return NT_OK;
}

bool nt_option_takes_json(const nt_option_row *row, const json_t *value) {
    double number = json_number_value(value);
    if (json_is_null(value)) return true;
    switch (row->type) {
    case NT_OPTION_BOOLEAN: return json_is_boolean(value);
    case NT_OPTION_SEED: return json_is_integer(value) && json_integer_value(value) >= 0;
    case NT_OPTION_INTEGER:
        return json_is_integer(value) && number >= row->low && number <= row->high;
    case NT_OPTION_NUMBER:
        return json_is_number(value) && number >= row->low && number <= row->high;
    default: return false;
    }
}

int nt_option_set_json(void *target, const nt_option_row *row, nt_option_memory **memory,
                       const json_t *value, const char *where) {
    nt_source source = {.json = value, .where = where};
    if (row->type == NT_OPTION_STRINGS) return strings_from_json(target, row, memory, &source);
    if (row->type == NT_OPTION_IDS) return ids_from_json(target, row, memory, &source);
    if (!nt_option_takes_json(row, value)) return refuse(row, &source);
    if (json_is_null(value)) {
        unset(target, row);
    } else if (row->type == NT_OPTION_BOOLEAN) {
        *(int *)field(target, row->offset) = json_is_true(value) ? 1 : -1;
    } else if (row->type == NT_OPTION_SEED) {
        set_seed(target, row, (uint64_t)json_integer_value(value));
    } else {
        set_number(target, row, json_number_value(value));
    }
    return NT_OK;
}
