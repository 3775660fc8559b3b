/* Reading the "pre_tokenizer" section. */
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "text/split/pre_tokenizer.h"
#include "text/unicode/properties.h"

static int read_one(nt_pre_tokenizers *out, const json_t *component, const char *where);

/* A member that must be there and true or false. */
static int read_bool(bool *out, const json_t *component, const char *key, const char *where) {
    const json_t *value = json_object_get(component, key);
    if (!json_is_boolean(value)) {
        return nt_fail(NT_E_FORMAT, "%s: pre_tokenizer: \"%s\" must be true or false and is %s",
                       where, key, nt_json_kind(value));
    }
    *out = json_is_true(value);
    return NT_OK;
}

/* Which of names [n] a string member is. */
static int read_choice(unsigned *out, const json_t *component, const char *key,
                       const char *const *names, size_t n, const char *where) {
    const char *value = json_string_value(json_object_get(component, key));
    for (size_t i = 0; value && i < n; i++) {
        if (strcmp(value, names[i]) != 0) continue;
        *out = (unsigned)i;
        return NT_OK;
    }
    return nt_fail(NT_E_FORMAT, "%s: pre_tokenizer: \"%s\" is \"%s\", which is none of its values",
                   where, key, value ? value : nt_json_kind(json_object_get(component, key)));
}

static int read_behavior(nt_pre_tokenizer *out, const json_t *component, const char *where) {
    static const char *const names[] = {"Removed", "Isolated", "MergedWithPrevious",
                                        "MergedWithNext", "Contiguous"};
    unsigned behavior = 0;
    NT_TRY(read_choice(&behavior, component, "behavior", names, 5, where));
    out->behavior = (nt_behavior)behavior;
    return NT_OK;
}

static int read_class(nt_pre_tokenizer *out, const char *name) {
    bool known;
    NT_TRY(nt_property_add(&out->members, &known, name, strlen(name), true));
    nt_ranges_tidy(&out->members);
    return NT_OK;
}

static int read_byte_level(nt_pre_tokenizer *out, const json_t *component, const char *where) {
    bool trim_offsets; /* is the post-processor's */
    out->use_regex = true;
    NT_TRY(read_bool(&out->add_prefix_space, component, "add_prefix_space", where));
    NT_TRY(read_bool(&trim_offsets, component, "trim_offsets", where));
    if (!json_object_get(component, "use_regex")) return NT_OK;
    return read_bool(&out->use_regex, component, "use_regex", where);
}

static int read_split(nt_pre_tokenizer *out, const json_t *component, const char *where) {
    NT_TRY(read_behavior(out, component, where));
    NT_TRY(read_bool(&out->invert, component, "invert", where));
    return nt_pattern_read(&out->pattern, json_object_get(component, "pattern"), where);
}

static int read_digits(nt_pre_tokenizer *out, const json_t *component, const char *where) {
    NT_TRY(read_bool(&out->individual, component, "individual_digits", where));
    out->behavior = out->individual ? NT_ISOLATED : NT_CONTIGUOUS;
    return read_class(out, "=digits");
}

static int read_punctuation(nt_pre_tokenizer *out, const json_t *component, const char *where) {
    out->behavior = NT_ISOLATED;
    if (json_object_get(component, "behavior")) NT_TRY(read_behavior(out, component, where));
    return read_class(out, "=punctuation");
}

/* Files from before prepend_scheme say add_prefix_space, which must not speak against it. */
static int read_metaspace(nt_pre_tokenizer *out, const json_t *component, const char *where) {
    static const char *const names[] = {"first", "never", "always"};
    const json_t *replacement = json_object_get(component, "replacement");
    const char *text = json_string_value(replacement);
    size_t n = json_string_length(replacement);
    int32_t code;
    if (n == 0 || n > 4 || nt_utf8_next(&code, text, n) != n) {
        return nt_fail(NT_E_FORMAT,
                       "%s: pre_tokenizer: Metaspace's \"replacement\" must be one character",
                       where);
    }
    memcpy(out->replacement, text, n);
    unsigned scheme = NT_PREPEND_ALWAYS;
    bool add = true;
    out->split = true;
    if (json_object_get(component, "prepend_scheme")) {
        NT_TRY(read_choice(&scheme, component, "prepend_scheme", names, 3, where));
    }
    out->scheme = (nt_prepend_scheme)scheme;
    NT_TRY(nt_json_bool(&out->split, component, "split", where));
    NT_TRY(nt_json_bool(&add, component, "add_prefix_space", where));
    if (!add && out->scheme != NT_PREPEND_NEVER) {
        return nt_fail(NT_E_FORMAT,
                       "%s: pre_tokenizer: Metaspace's add_prefix_space false wants prepend_scheme "
                       "\"never\"",
                       where);
    }
    return NT_OK;
}

static int read_nothing(nt_pre_tokenizer *out, const json_t *component, const char *where) {
    (void)component;
    (void)where;
    out->behavior = NT_REMOVED;
    return NT_OK;
}

static int read_sequence(nt_pre_tokenizers *out, const json_t *component, const char *where) {
    const json_t *parts = json_object_get(component, "pretokenizers");
    if (!json_is_array(parts)) {
        return nt_fail(NT_E_FORMAT,
                       "%s: pre_tokenizer: a Sequence's \"pretokenizers\" must be an array", where);
    }
    size_t i;
    const json_t *part;
    json_array_foreach(parts, i, part) {
        NT_TRY(read_one(out, part, where));
    }
    return NT_OK;
}

static int read_one(nt_pre_tokenizers *out, const json_t *component, const char *where) {
    static const struct {
        const char *name;
        nt_pre_tokenizer_kind kind;
        int (*read)(nt_pre_tokenizer *, const json_t *, const char *);
    } kinds[] = {{"ByteLevel", NT_BYTE_LEVEL, read_byte_level},
                 {"Split", NT_SPLIT, read_split},
                 {"Digits", NT_DIGITS, read_digits},
                 {"Metaspace", NT_METASPACE, read_metaspace},
                 {"Whitespace", NT_WHITESPACE, read_nothing},
                 {"WhitespaceSplit", NT_WHITESPACE_SPLIT, read_nothing},
                 {"Punctuation", NT_PUNCTUATION, read_punctuation}};
    const char *type = json_string_value(json_object_get(component, "type"));
    if (!type) {
        return nt_fail(NT_E_FORMAT, "%s: a pre_tokenizer must be an object with a \"type\"", where);
    }
    if (strcmp(type, "Sequence") == 0) return read_sequence(out, component, where);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(type, kinds[i].name) != 0) continue;
        nt_pre_tokenizer *list = nt_resize(out->list, out->n + 1, sizeof *list);
        if (!list) return NT_E_MEMORY;
        out->list = list;
        list[out->n] = (nt_pre_tokenizer){.kind = kinds[i].kind};
        return kinds[i].read(&list[out->n++], component, where);
    }
    return nt_fail(NT_E_UNSUPPORTED, "%s: the pre_tokenizer \"%s\" is not supported", where, type);
}

int nt_pre_tokenizers_read(nt_pre_tokenizers *out, const json_t *component, const char *where) {
    *out = (nt_pre_tokenizers){0};
    if (!component || json_is_null(component)) return NT_OK;
    int status = read_one(out, component, where);
    if (status != NT_OK) nt_pre_tokenizers_free(out);
    return status;
}

void nt_pre_tokenizers_free(nt_pre_tokenizers *pre_tokenizers) {
    for (size_t i = 0; i < pre_tokenizers->n; i++) {
        nt_pattern_free(pre_tokenizers->list[i].pattern);
        nt_ranges_free(&pre_tokenizers->list[i].members);
    }
    nt_free(pre_tokenizers->list);
    *pre_tokenizers = (nt_pre_tokenizers){0};
}

/* The patterns that scanners know match everywhere: Isolated keeps every match, and so does Removed
 * when it removes what does not match. */
static bool keeps_all(const nt_pre_tokenizer *split) {
    return split->behavior == NT_ISOLATED || (split->behavior == NT_REMOVED && split->invert);
}

nt_scan_kind nt_pre_tokenizers_scan(bool *add_prefix_space,
                                    const nt_pre_tokenizers *pre_tokenizers) {
    *add_prefix_space = false;
    size_t n = pre_tokenizers->n;
    if (n < 1 || n > 2) return NT_SCAN_NONE;
    const nt_pre_tokenizer *first = pre_tokenizers->list, *last = &first[n - 1];
    if (last->kind != NT_BYTE_LEVEL) return NT_SCAN_NONE;
    if (n == 1) {
        *add_prefix_space = last->add_prefix_space;
        return last->use_regex ? NT_SCAN_GPT2 : NT_SCAN_WHOLE;
    }
    if (last->add_prefix_space) return NT_SCAN_NONE; /* before every part, not only the first */
    if (first->kind == NT_SPLIT && !last->use_regex && keeps_all(first)) {
        return nt_pattern_scan(first->pattern);
    }
    if (first->kind == NT_DIGITS && first->individual && last->use_regex) {
        return NT_SCAN_GPT2_DIGITS;
    }
    return NT_SCAN_NONE;
}
