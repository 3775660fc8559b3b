/* Values that are lists of ids or of strings, or one text. */
#include "base/utf8.h"
#include "decode/options/values.h"

/* ---- Ids ---- */

/* "1,2" or "[1, 2]"; "[]" is an empty list. */
static int ids_from_text(const nt_option_setting *s) {
    const char *text = s->source.text;
    size_t n = strlen(text), count = 0, capacity = 1;
    nt_option_strip(&text, &n, '[', ']');
    bool empty = n == 0 && strchr(s->source.text, '[');
    for (size_t i = 0; i < n; i++)
        capacity += text[i] == ',';
    nt_arena *arena = nt_option_arena(s->memory);
    int32_t *ids = arena ? nt_arena_alloc(arena, capacity, sizeof *ids) : NULL;
    if (!ids) return NT_E_MEMORY;
    for (const char *end = text + n; !empty && text <= end;) {
        const char *comma = memchr(text, ',', (size_t)(end - text));
        size_t n_item = (size_t)((comma ? comma : end) - text);
        const char *item = text;
        text += n_item + 1;
        nt_option_strip(&item, &n_item, '\0', '\0');
        int64_t id;
        if (!nt_option_integer(&id, item, n_item) || id < s->row->low || id > s->row->high)
            return nt_option_refuse(s);
        ids[count++] = (int32_t)id;
    }
    nt_option_set_list(s, ids, count);
    return NT_OK;
}

static int ids_from_json(const nt_option_setting *s) {
    const json_t *json = s->source.json;
    bool list = json_is_array(json);
    size_t n = list ? json_array_size(json) : 1;
    nt_arena *arena = nt_option_arena(s->memory);
    int32_t *ids = arena ? nt_arena_alloc(arena, n, sizeof *ids) : NULL;
    if (!ids) return NT_E_MEMORY;
    for (size_t i = 0; i < n; i++) {
        const json_t *item = list ? json_array_get(json, i) : json;
        json_int_t id = json_integer_value(item);
        if (!json_is_integer(item) || id < s->row->low || id > s->row->high)
            return nt_option_refuse(s);
        ids[i] = (int32_t)id;
    }
    nt_option_set_list(s, ids, n);
    return NT_OK;
}

int nt_option_set_ids(const nt_option_setting *s) {
    return s->source.json ? ids_from_json(s) : ids_from_text(s);
}

/* ---- Strings ---- */

/* Adds one string to the list, which may also be an array of the caller's own: then it is copied
 * first. */
static int append_string(const nt_option_setting *s) {
    size_t n_text = strlen(s->source.text);
    if (n_text == 0 || nt_utf8_check(s->source.text, n_text) != n_text) return nt_option_refuse(s);
    nt_arena *arena = nt_option_arena(s->memory);
    if (!arena) return NT_E_MEMORY;
    nt_option_memory *m = *s->memory;
    const char **list;
    memcpy(&list, nt_option_field(s, s->row->offset), sizeof list);
    size_t n = list ? *(const size_t *)nt_option_field(s, s->row->offset_n) : 0;
    const char *copy = nt_arena_copy(arena, s->source.text, n_text);
    if (!copy) return NT_E_MEMORY;
    if (!list || m->list != list || n == m->capacity) {
        const char **bigger = list;
        size_t capacity = n;
        NT_TRY(nt_arena_grow(arena, (void **)&bigger, &capacity, n + 1, sizeof *bigger));
        m->list = list = bigger;
        m->capacity = capacity;
    }
    list[n] = copy;
    nt_option_set_list(s, list, n + 1);
    return NT_OK;
}

static int strings_from_json(const nt_option_setting *s) {
    const json_t *json = s->source.json;
    bool array = json_is_array(json);
    size_t n = array ? json_array_size(json) : 1;
    nt_arena *arena = nt_option_arena(s->memory);
    const char **list = arena ? nt_arena_alloc(arena, n, sizeof *list) : NULL;
    if (!list) return NT_E_MEMORY;
    for (size_t i = 0; i < n; i++) {
        const json_t *item = array ? json_array_get(json, i) : json;
        if (!json_is_string(item) || json_string_length(item) == 0) return nt_option_refuse(s);
        list[i] = nt_arena_copy(arena, json_string_value(item), json_string_length(item));
        if (!list[i]) return NT_E_MEMORY;
    }
    (*s->memory)->list = list;
    (*s->memory)->capacity = n;
    nt_option_set_list(s, list, n);
    return NT_OK;
}

static bool all_strings(const json_t *array) {
    for (size_t i = 0; i < json_array_size(array); i++)
        if (!json_is_string(json_array_get(array, i))) return false;
    return json_is_array(array);
}

/* Text "[...]" that is a JSON array of strings sets the list; all else is one string, such as
 * "[END]". */
int nt_option_set_strings(const nt_option_setting *s) {
    if (s->source.json) return strings_from_json(s);
    json_t *array = NULL;
    if (*s->source.text == '[') NT_TRY(nt_option_parse(&array, s->source.text));
    nt_option_setting whole = *s;
    whole.source = (nt_option_source){.json = array};
    int status = all_strings(array) ? strings_from_json(&whole) : append_string(s);
    json_decref(array);
    return status;
}

/* One text, whatever it says; it may be empty. */
int nt_option_set_string(const nt_option_setting *s) {
    const char *text = s->source.json ? json_string_value(s->source.json) : s->source.text;
    size_t n = strlen(text);
    if (nt_utf8_check(text, n) != n) return nt_option_refuse(s);
    nt_arena *arena = nt_option_arena(s->memory);
    const char *copy = arena ? nt_arena_copy(arena, text, n) : NULL;
    if (!copy) return NT_E_MEMORY;
    memcpy(nt_option_field(s, s->row->offset), &copy, sizeof copy);
    return NT_OK;
}
