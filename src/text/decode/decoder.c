/* The "decoder" section: each kind is read with its fields, or refused by name. */
#include "text/decode/decoder.h"

#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"

static int read_list(nt_decoders *out, size_t *capacity, const json_t *component,
                     const char *where);

static int copy(char **out, size_t *n, const json_t *string) {
    *n = json_string_length(string);
    *out = nt_alloc(*n + 1, 1);
    if (!*out) return NT_E_MEMORY;
    if (*n) memcpy(*out, json_string_value(string), *n);
    return NT_OK;
}

/* Member `key`, which must be a string. */
static int get_string(const json_t **out, const json_t *component, const char *key,
                      const char *where) {
    *out = json_object_get(component, key);
    if (json_is_string(*out)) return NT_OK;
    return nt_fail(NT_E_FORMAT, "%s: decoder %s must have \"%s\", a string, and has %s", where,
                   json_string_value(json_object_get(component, "type")), key, nt_json_kind(*out));
}

/* Member `key`, which must be one character. */
static int get_char(const json_t **out, const json_t *component, const char *key,
                    const char *where) {
    NT_TRY(get_string(out, component, key, where));
    int32_t code;
    size_t n = json_string_length(*out);
    if (n && nt_utf8_next(&code, json_string_value(*out), n) == n && code >= 0) return NT_OK;
    return nt_fail(NT_E_FORMAT, "%s: \"%s\" of decoder %s must be one character", where, key,
                   json_string_value(json_object_get(component, "type")));
}

static int get_count(size_t *out, const json_t *component, const char *key, const char *where) {
    const json_t *value = json_object_get(component, key);
    if (json_is_integer(value) && json_integer_value(value) >= 0) {
        *out = (size_t)json_integer_value(value);
        return NT_OK;
    }
    return nt_fail(NT_E_FORMAT, "%s: \"%s\" of decoder Strip must be a whole number from 0 up",
                   where, key);
}

static int read_metaspace(nt_decoder *decoder, const json_t *component, const char *where) {
    static const char *const names[] = {"first", "never", "always"}; /* nt_prepend_scheme */
    const json_t *value;
    NT_TRY(get_char(&value, component, "replacement", where));
    memcpy(decoder->replacement, json_string_value(value), json_string_length(value));
    const char *scheme = "always";
    bool add_prefix_space = true;
    NT_TRY(nt_json_string(&scheme, component, "prepend_scheme", where));
    NT_TRY(nt_json_bool(&add_prefix_space, component, "add_prefix_space", where));
    int i = 0;
    while (i < 3 && strcmp(scheme, names[i]) != 0)
        i++;
    if (i == 3) {
        return nt_fail(NT_E_FORMAT,
                       "%s: prepend_scheme of decoder Metaspace is \"%.40s\"; it must be "
                       "\"first\", \"never\" or \"always\"",
                       where, scheme);
    }
    decoder->scheme = (nt_prepend_scheme)i;
    if (!add_prefix_space && decoder->scheme != NT_PREPEND_NEVER) {
        return nt_fail(NT_E_FORMAT,
                       "%s: decoder Metaspace has add_prefix_space false, which goes only with "
                       "prepend_scheme \"never\"",
                       where);
    }
    return NT_OK;
}

static void fill_border(nt_decoder *decoder) {
    const char *needle = decoder->needle;
    uint32_t length = 0; /* border[0] and border[1] are 0 */
    for (size_t i = 1; i < decoder->n_needle; i++) {
        while (length && needle[length] != needle[i])
            length = decoder->border[length];
        if (needle[length] == needle[i]) length++;
        decoder->border[i + 1] = length;
    }
}

/* A string is looked for by a search of our own, which can stop and go on anywhere; an empty one
 * matches between all characters, which patterns know. */
static int read_replace(nt_decoder *decoder, const json_t *component, const char *where) {
    const json_t *content, *pattern = json_object_get(component, "pattern");
    NT_TRY(get_string(&content, component, "content", where));
    NT_TRY(copy(&decoder->text, &decoder->n_text, content));
    const json_t *string = json_object_get(pattern, "String");
    if (json_object_size(pattern) != 1 || json_string_length(string) == 0)
        return nt_pattern_read(&decoder->pattern, pattern, where);
    NT_TRY(copy(&decoder->needle, &decoder->n_needle, string));
    if (decoder->n_needle >= UINT32_MAX)
        return nt_fail(NT_E_UNSUPPORTED, "%s: decoder Replace looks for 4 GiB or more", where);
    decoder->border = nt_alloc(decoder->n_needle + 1, sizeof *decoder->border);
    if (!decoder->border) return NT_E_MEMORY;
    fill_border(decoder);
    return NT_OK;
}

static int read_strip(nt_decoder *decoder, const json_t *component, const char *where) {
    const json_t *content;
    NT_TRY(get_char(&content, component, "content", where));
    NT_TRY(copy(&decoder->text, &decoder->n_text, content));
    NT_TRY(get_count(&decoder->start, component, "start", where));
    return get_count(&decoder->stop, component, "stop", where);
}

static int read_fields(nt_decoder *decoder, const json_t *component, const char *where) {
    switch (decoder->kind) {
    case NT_DECODE_METASPACE: return read_metaspace(decoder, component, where);
    case NT_DECODE_REPLACE: return read_replace(decoder, component, where);
    case NT_DECODE_STRIP: return read_strip(decoder, component, where);
    default: return NT_OK; /* what ByteLevel's fields say is not for decoding */
    }
}

static int add(nt_decoders *out, size_t *capacity, nt_decoder_kind kind, const json_t *component,
               const char *where) {
    if (out->n == NT_MAX_DECODERS) {
        return nt_fail(NT_E_UNSUPPORTED, "%s: decoder is a Sequence of more than %d", where,
                       NT_MAX_DECODERS);
    }
    void *list = out->list;
    int status = nt_grow(&list, capacity, out->n + 1, sizeof *out->list);
    out->list = list;
    NT_TRY(status);
    nt_decoder *decoder = &out->list[out->n++];
    *decoder = (nt_decoder){.kind = kind};
    return read_fields(decoder, component, where);
}

static int read_sequence(nt_decoders *out, size_t *capacity, const json_t *component,
                         const char *where) {
    const json_t *parts = json_object_get(component, "decoders"), *part;
    if (!json_is_array(parts))
        return nt_fail(NT_E_FORMAT, "%s: decoder Sequence has no array \"decoders\"", where);
    size_t i;
    json_array_foreach(parts, i, part) NT_TRY(read_list(out, capacity, part, where));
    return NT_OK;
}

static int read_list(nt_decoders *out, size_t *capacity, const json_t *component,
                     const char *where) {
    static const struct {
        const char *name;
        nt_decoder_kind kind;
    } kinds[] = {
        {"ByteLevel", NT_DECODE_BYTE_LEVEL},
        {"Metaspace", NT_DECODE_METASPACE},
        {"ByteFallback", NT_DECODE_BYTE_FALLBACK},
        {"Replace", NT_DECODE_REPLACE},
        {"Fuse", NT_DECODE_FUSE},
        {"Strip", NT_DECODE_STRIP},
    };
    const char *type = json_string_value(json_object_get(component, "type"));
    if (!type) {
        return nt_fail(NT_E_FORMAT, "%s: decoder must be an object with a \"type\" and is %s",
                       where, nt_json_kind(component));
    }
    if (strcmp(type, "Sequence") == 0) return read_sequence(out, capacity, component, where);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(type, kinds[i].name) == 0)
            return add(out, capacity, kinds[i].kind, component, where);
    }
    return nt_fail(NT_E_UNSUPPORTED, "%s: decoder \"%.60s\" is not supported", where, type);
}

int nt_decoders_read(nt_decoders *out, const json_t *component, const char *where) {
    *out = (nt_decoders){0};
    if (!component || json_is_null(component)) return NT_OK;
    size_t capacity = 0;
    int status = read_list(out, &capacity, component, where);
    /* An empty Sequence is a decoder all the same: no spaces between the tokens. */
    if (status == NT_OK && out->n == 0)
        status = add(out, &capacity, NT_DECODE_FUSE, component, where);
    if (status != NT_OK) nt_decoders_free(out);
    return status;
}

void nt_decoders_free(nt_decoders *decoders) {
    for (size_t i = 0; i < decoders->n; i++) {
        nt_decoder *decoder = &decoders->list[i];
        nt_pattern_free(decoder->pattern);
        nt_free(decoder->needle);
        nt_free(decoder->border);
        nt_free(decoder->text);
    }
    nt_free(decoders->list);
    nt_free(decoders->plain);
    *decoders = (nt_decoders){0};
}

bool nt_decoders_byte_level(const nt_decoders *decoders) {
    if (decoders->n == 0 || decoders->list[0].kind != NT_DECODE_BYTE_LEVEL) return false;
    for (size_t i = 1; i < decoders->n; i++)
        if (decoders->list[i].kind != NT_DECODE_FUSE) return false;
    return true;
}
