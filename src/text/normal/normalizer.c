/* Reading the "normalizer" section. */
#include "text/normal/normalizer.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"

typedef struct part_reader {
    nt_normalizers *out;
    size_t capacity;
    const char *where;
} part_reader;

/* Member `key`, which must be a string, copied. */
static int read_string(char **out, size_t *n, const json_t *component, const char *key,
                       const char *where) {
    const char *text = NULL;
    NT_TRY(nt_json_string(&text, component, key, where));
    if (!text) return nt_fail(NT_E_FORMAT, "%s: a normalizer lacks \"%s\"", where, key);
    *n = json_string_length(json_object_get(component, key));
    *out = nt_alloc(*n + 1, 1);
    if (!*out) return NT_E_MEMORY;
    memcpy(*out, text, *n);
    return NT_OK;
}

static int read_flag(bool *out, const json_t *component, const char *key, const char *where) {
    const json_t *value = json_object_get(component, key);
    if (!value || json_is_null(value))
        return nt_fail(NT_E_FORMAT, "%s: the normalizer Strip lacks \"%s\"", where, key);
    return nt_json_bool(out, component, key, where);
}

static int read_replace(nt_normalizer *part, const json_t *component, const char *where) {
    char place[512];
    snprintf(place, sizeof place, "%.450s: the normalizer Replace", where);
    const json_t *pattern = json_object_get(component, "pattern");
    if (!pattern) return nt_fail(NT_E_FORMAT, "%s lacks \"pattern\"", place);
    NT_TRY(nt_pattern_read(&part->pattern, pattern, place));
    if (json_object_get(pattern, "String"))
        NT_TRY(read_string(&part->literal, &part->n_literal, pattern, "String", where));
    return read_string(&part->text, &part->n_text, component, "content", where);
}

static int read_fields(nt_normalizer *part, const json_t *component, const char *where) {
    switch (part->kind) {
    case NT_PREPEND: return read_string(&part->text, &part->n_text, component, "prepend", where);
    case NT_REPLACE_MATCHES: return read_replace(part, component, where);
    case NT_STRIP:
        NT_TRY(read_flag(&part->left, component, "strip_left", where));
        return read_flag(&part->right, component, "strip_right", where);
    default: return NT_OK;
    }
}

static int read_component(part_reader *reader, const json_t *component);

static int read_sequence(part_reader *reader, const json_t *component) {
    const json_t *list = json_object_get(component, "normalizers");
    if (!json_is_array(list))
        return nt_fail(NT_E_FORMAT, "%s: \"normalizers\" must be an array and is %s", reader->where,
                       nt_json_kind(list));
    for (size_t i = 0; i < json_array_size(list); i++)
        NT_TRY(read_component(reader, json_array_get(list, i)));
    return NT_OK;
}

static int read_component(part_reader *reader, const json_t *component) {
    static const struct {
        const char *name;
        nt_normalizer_kind kind;
    } kinds[] = {{"NFC", NT_NFC},
                 {"NFD", NT_NFD},
                 {"NFKC", NT_NFKC},
                 {"NFKD", NT_NFKD},
                 {"Prepend", NT_PREPEND},
                 {"Replace", NT_REPLACE_MATCHES},
                 {"Lowercase", NT_LOWERCASE},
                 {"Strip", NT_STRIP},
                 {"StripAccents", NT_STRIP_ACCENTS}};
    const char *type = NULL;
    if (!json_is_object(component))
        return nt_fail(NT_E_FORMAT, "%s: a normalizer must be an object and is %s", reader->where,
                       nt_json_kind(component));
    NT_TRY(nt_json_string(&type, component, "type", reader->where));
    if (!type) return nt_fail(NT_E_FORMAT, "%s: a normalizer has no \"type\"", reader->where);
    if (strcmp(type, "Sequence") == 0) return read_sequence(reader, component);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(type, kinds[i].name) != 0) continue;
        void *list = reader->out->list;
        NT_TRY(nt_grow(&list, &reader->capacity, reader->out->n + 1, sizeof(nt_normalizer)));
        reader->out->list = list;
        nt_normalizer *part = &reader->out->list[reader->out->n++];
        *part = (nt_normalizer){.kind = kinds[i].kind};
        return read_fields(part, component, reader->where);
    }
    return nt_fail(NT_E_UNSUPPORTED, "%s: the normalizer %.100s is not supported", reader->where,
                   type);
}

int nt_normalizers_read(nt_normalizers *out, const json_t *component, const char *where) {
    *out = (nt_normalizers){0};
    if (!component || json_is_null(component)) return NT_OK;
    part_reader reader = {.out = out, .where = where};
    int status = read_component(&reader, component);
    if (status != NT_OK) nt_normalizers_free(out);
    return status;
}

void nt_normalizers_free(nt_normalizers *normalizers) {
    for (size_t i = 0; i < normalizers->n; i++) {
        nt_pattern_free(normalizers->list[i].pattern);
        nt_free(normalizers->list[i].literal);
        nt_free(normalizers->list[i].text);
    }
    nt_free(normalizers->list);
    *normalizers = (nt_normalizers){0};
}
