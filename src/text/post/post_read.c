/* Reading the "post_processor", "truncation" and "padding" sections of tokenizer.json. */
#include <string.h>

#include "base/memory.h"
#include "text/files/show.h"
#include "text/post/post.h"

enum {
    MAX_SEQUENCES = 8,    /* times that texts may stand in one template */
    MAX_LENGTH = 1 << 28, /* of truncation and padding */
    MAX_DEPTH = 16        /* of Sequence in Sequence */
};

static int refuse(const char *where, const char *section, const json_t *value) {
    char shown[NT_SHOWN];
    nt_show(shown, value);
    return nt_fail(NT_E_UNSUPPORTED, "%s: %s %s is not supported", where, section, shown);
}

/* Fails unless all of the keys stand there; names ends with NULL. */
static int need(const json_t *component, const char *section, const char *const *names,
                const char *where) {
    if (!json_is_object(component)) {
        return nt_fail(NT_E_FORMAT, "%s: \"%s\" must be an object and is %s", where, section,
                       nt_json_kind(component));
    }
    for (; *names; names++) {
        const json_t *value = json_object_get(component, *names);
        if (!value || json_is_null(value))
            return nt_fail(NT_E_FORMAT, "%s: %s lacks \"%s\"", where, section, *names);
    }
    return NT_OK;
}

/* ---- Templates ------------------------------------------------------------------------------- */

static int add_part(nt_template_part **parts, size_t *n, int32_t id, uint32_t type) {
    nt_template_part *bigger = nt_resize(*parts, *n + 1, sizeof **parts);
    if (!bigger) return NT_E_MEMORY;
    *parts = bigger;
    bigger[(*n)++] = (nt_template_part){id, type};
    return NT_OK;
}

static int read_id(int32_t *id, const json_t *value, const char *name, const nt_lexicon *lexicon,
                   const char *where) {
    json_int_t number = json_is_integer(value) ? json_integer_value(value) : -1;
    if (!nt_lexicon_at(lexicon, number)) {
        return nt_fail(NT_E_FORMAT, "%s: post_processor token \"%s\" has an id that is no token",
                       where, name);
    }
    *id = (int32_t)number;
    return NT_OK;
}

/* All ids of one special token of a template. */
static int add_special(nt_template_part **parts, size_t *n, const json_t *tokens, const char *name,
                       uint32_t type, const nt_lexicon *lexicon, const char *where) {
    const json_t *list = json_object_get(json_object_get(tokens, name), "ids"), *value;
    if (!json_is_array(list)) {
        return nt_fail(NT_E_FORMAT, "%s: post_processor has no ids for \"%s\"", where, name);
    }
    size_t i;
    json_array_foreach(list, i, value) {
        int32_t id = -1;
        NT_TRY(read_id(&id, value, name, lexicon, where));
        NT_TRY(add_part(parts, n, id, type));
    }
    return NT_OK;
}

static int read_part(nt_template_part **parts, size_t *n, const json_t *piece, const json_t *tokens,
                     const nt_lexicon *lexicon, const char *where) {
    const json_t *sequence = json_object_get(piece, "Sequence");
    const json_t *special = json_object_get(piece, "SpecialToken");
    const json_t *body = sequence ? sequence : special;
    const char *id = json_string_value(json_object_get(body, "id"));
    int64_t type = -1;
    NT_TRY(nt_json_int(&type, body, "type_id", 0, UINT32_MAX, where));
    if (!id || type < 0 || (sequence && special))
        return refuse(where, "post_processor template", piece);
    if (special) return add_special(parts, n, tokens, id, (uint32_t)type, lexicon, where);
    if (strcmp(id, "A") != 0 && strcmp(id, "B") != 0)
        return refuse(where, "post_processor template", piece);
    return add_part(parts, n, *id == 'A' ? NT_TEMPLATE_A : NT_TEMPLATE_B, (uint32_t)type);
}

static int read_parts(nt_template_part **parts, size_t *n, const json_t *list, const json_t *tokens,
                      const nt_lexicon *lexicon, const char *where) {
    size_t i;
    const json_t *piece;
    json_array_foreach(list, i, piece) NT_TRY(read_part(parts, n, piece, tokens, lexicon, where));
    return NT_OK;
}

static size_t count_parts(const nt_template_part *parts, size_t n, int32_t id) {
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += parts[i].id == id;
    return count;
}

/* What a text would be left out of, or what tokenizers itself cannot run, is refused. A template
 * for two texts may lack one as long as it is not used. */
static int check_parts(const nt_post *post, const json_t *component, const char *where) {
    size_t a = count_parts(post->single, post->n_single, NT_TEMPLATE_A);
    size_t pair = count_parts(post->pair, post->n_pair, NT_TEMPLATE_A) +
                  count_parts(post->pair, post->n_pair, NT_TEMPLATE_B);
    if (count_parts(post->single, post->n_single, NT_TEMPLATE_B)) {
        return nt_fail(
            NT_E_UNSUPPORTED,
            "%s: post_processor template for one text with {\"Sequence\":{\"id\":\"B\"}} "
            "is not supported",
            where);
    }
    if (a == 0 || a > MAX_SEQUENCES || pair > MAX_SEQUENCES)
        return refuse(where, "post_processor", component);
    return NT_OK;
}

static int read_template(nt_post *out, const json_t *component, const nt_lexicon *lexicon,
                         const char *where) {
    const json_t *single = json_object_get(component, "single");
    const json_t *pair = json_object_get(component, "pair");
    const json_t *tokens = json_object_get(component, "special_tokens");
    if (!json_is_array(single) || !json_is_array(pair) || !json_is_object(tokens))
        return refuse(where, "post_processor", component);
    NT_TRY(read_parts(&out->single, &out->n_single, single, tokens, lexicon, where));
    NT_TRY(read_parts(&out->pair, &out->n_pair, pair, tokens, lexicon, where));
    return check_parts(out, component, where);
}

/* BertProcessing and RobertaProcessing: [CLS] A [SEP] and a pair behind it. */
static int read_cls_sep(nt_post *out, const json_t *component, bool roberta,
                        const nt_lexicon *lexicon, const char *where) {
    static const char *const names[] = {"sep", "cls", "trim_offsets", "add_prefix_space", NULL};
    static const char *const berts[] = {"sep", "cls", NULL};
    NT_TRY(need(component, "post_processor", roberta ? names : berts, where));
    int32_t ids[2] = {-1, -1};
    for (int i = 0; i < 2; i++) {
        const json_t *pair = json_object_get(component, names[i]);
        if (json_array_size(pair) != 2 || !json_is_string(json_array_get(pair, 0)))
            return refuse(where, "post_processor", component);
        NT_TRY(read_id(&ids[i], json_array_get(pair, 1), names[i], lexicon, where));
    }
    int32_t sep = ids[0], cls = ids[1];
    uint32_t b = roberta ? 0 : 1;
    const nt_template_part parts[] = {{cls, 0}, {NT_TEMPLATE_A, 0}, {sep, 0},
                                      {sep, 0}, {NT_TEMPLATE_B, b}, {sep, b}};
    for (int i = 0; i < 6; i++) {
        if (i < 3) NT_TRY(add_part(&out->single, &out->n_single, parts[i].id, parts[i].type));
        if (i != 3 || roberta)
            NT_TRY(add_part(&out->pair, &out->n_pair, parts[i].id, parts[i].type));
    }
    out->types_of_windows = true;
    return NT_OK;
}

/* ---- The section ----------------------------------------------------------------------------- */

/* Trimming twice, which tokenizers does, would take white space off twice. */
static int read_trim(nt_post *out, const json_t *component, bool trim, const char *where) {
    bool add_prefix_space = true;
    NT_TRY(nt_json_bool(&trim, component, "trim_offsets", where));
    NT_TRY(nt_json_bool(&add_prefix_space, component, "add_prefix_space", where));
    if (!trim) return NT_OK;
    if (out->trim_offsets) {
        return nt_fail(NT_E_UNSUPPORTED,
                       "%s: post_processor with \"trim_offsets\" true twice is not supported",
                       where);
    }
    out->trim_offsets = true;
    out->add_prefix_space = add_prefix_space;
    return NT_OK;
}

static int read_byte_level(nt_post *out, const json_t *component, const char *where) {
    static const char *const names[] = {"add_prefix_space", "trim_offsets", NULL};
    NT_TRY(need(component, "post_processor", names, where));
    return read_trim(out, component, false, where);
}

static int read_component(nt_post *out, const json_t *component, const nt_lexicon *lexicon,
                          const char *where, int depth) {
    const char *type = json_string_value(json_object_get(component, "type"));
    if (!type) return refuse(where, "post_processor", component);
    if (strcmp(type, "ByteLevel") == 0) return read_byte_level(out, component, where);
    if (strcmp(type, "Sequence") == 0) {
        const json_t *parts = json_object_get(component, "processors"), *part;
        if (!json_is_array(parts) || depth == MAX_DEPTH)
            return refuse(where, "post_processor", component);
        size_t i;
        json_array_foreach(parts, i, part)
            NT_TRY(read_component(out, part, lexicon, where, depth + 1));
        return NT_OK;
    }
    bool template = strcmp(type, "TemplateProcessing") == 0;
    bool roberta = strcmp(type, "RobertaProcessing") == 0;
    bool bert = strcmp(type, "BertProcessing") == 0;
    if ((!template && !roberta && !bert) || out->templated)
        return refuse(where, "post_processor", component);
    out->templated = true;
    if (template) return read_template(out, component, lexicon, where);
    NT_TRY(read_cls_sep(out, component, roberta, lexicon, where));
    return roberta ? read_trim(out, component, true, where) : NT_OK;
}

int nt_post_read(nt_post *out, const json_t *component, const nt_lexicon *lexicon,
                 const char *where) {
    *out = (nt_post){0};
    if (!component || json_is_null(component)) return NT_OK;
    int status = read_component(out, component, lexicon, where, 0);
    if (status != NT_OK) nt_post_free(out);
    return status;
}

int nt_post_surround(nt_post *post, int32_t bos, int32_t eos) {
    *post = (nt_post){.templated = true};
    int status = NT_OK;
    for (int text = 0; text < 2 && status == NT_OK; text++) {
        const nt_template_part parts[] = {{bos, (uint32_t)text},
                                          {text ? NT_TEMPLATE_B : NT_TEMPLATE_A, (uint32_t)text},
                                          {eos, (uint32_t)text}};
        for (int i = 0; i < 3 && status == NT_OK; i++) {
            if (i != 1 && parts[i].id < 0) continue;
            if (!text) status = add_part(&post->single, &post->n_single, parts[i].id, 0);
            if (status == NT_OK)
                status = add_part(&post->pair, &post->n_pair, parts[i].id, parts[i].type);
        }
    }
    if (status != NT_OK) nt_post_free(post);
    return status;
}

void nt_post_free(nt_post *post) {
    nt_free(post->single);
    nt_free(post->pair);
    *post = (nt_post){0};
}

/* ---- Truncation and padding ------------------------------------------------------------------ */

static int read_side(bool *left, const json_t *component, const char *section, const char *where) {
    const char *direction = "Right";
    NT_TRY(nt_json_string(&direction, component, "direction", where));
    *left = strcmp(direction, "Left") == 0;
    if (*left || strcmp(direction, "Right") == 0) return NT_OK;
    return nt_fail(NT_E_UNSUPPORTED, "%s: %s direction \"%.40s\" is not supported", where, section,
                   direction);
}

int nt_truncation_read(nt_truncation *out, const json_t *component, const char *where) {
    static const char *const names[] = {"max_length", "strategy", "stride", NULL};
    static const char *const strategies[] = {"LongestFirst", "OnlyFirst", "OnlySecond"};
    *out = (nt_truncation){0};
    if (!component || json_is_null(component)) return NT_OK;
    NT_TRY(need(component, "truncation", names, where));
    int64_t max_length = 0, stride = 0;
    const char *strategy = "";
    nt_truncation read = {.on = true};
    NT_TRY(nt_json_int(&max_length, component, "max_length", 0, INT64_MAX, where));
    NT_TRY(nt_json_int(&stride, component, "stride", 0, INT64_MAX, where));
    NT_TRY(nt_json_string(&strategy, component, "strategy", where));
    NT_TRY(read_side(&read.left, component, "truncation", where));
    int i = 0;
    while (i < 3 && strcmp(strategy, strategies[i]) != 0)
        i++;
    if (i == 3) {
        return nt_fail(NT_E_UNSUPPORTED, "%s: truncation strategy \"%.40s\" is not supported",
                       where, strategy);
    }
    read.strategy = (int)NT_LONGEST_FIRST + i;
    read.max_length = (size_t)max_length;
    read.stride = (size_t)stride;
    *out = read;
    return NT_OK;
}

int nt_padding_read(nt_padding *out, const json_t *component, const char *where) {
    static const char *const names[] = {"strategy",    "direction", "pad_id",
                                        "pad_type_id", "pad_token", NULL};
    *out = (nt_padding){0};
    if (!component || json_is_null(component)) return NT_OK;
    NT_TRY(need(component, "padding", names, where));
    int64_t id = 0, type = 0, length = 0, multiple = 0;
    const char *token;
    nt_padding read = {.on = true};
    NT_TRY(nt_json_int(&id, component, "pad_id", 0, NT_MAX_ID, where));
    NT_TRY(nt_json_int(&type, component, "pad_type_id", 0, UINT32_MAX, where));
    NT_TRY(nt_json_string(&token, component, "pad_token", where));
    NT_TRY(nt_json_int(&multiple, component, "pad_to_multiple_of", 0, MAX_LENGTH, where));
    NT_TRY(read_side(&read.left, component, "padding", where));
    const json_t *strategy = json_object_get(component, "strategy");
    const char *name = json_string_value(strategy);
    if (json_is_object(strategy) && json_object_get(strategy, "Fixed")) {
        NT_TRY(nt_json_int(&length, strategy, "Fixed", 0, MAX_LENGTH, where));
        read.on = length > 0;
    } else if (!name || strcmp(name, "BatchLongest") != 0) {
        return refuse(where, "padding strategy", strategy);
    }
    read.length = (size_t)length;
    read.multiple = (size_t)multiple;
    read.id = (int32_t)id;
    read.type = (uint32_t)type;
    *out = read;
    return NT_OK;
}
