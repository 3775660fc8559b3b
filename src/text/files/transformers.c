/* The other reading: what AutoTokenizer.from_pretrained of transformers 5 makes of a folder. Most
 * classes take tokenizer.json as it is. Some take only its vocabulary, merges and post-processor
 * and make everything else anew, whatever the file says. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "text/files/readings.h"
#include "text/files/transformers_classes.h"

#define LEVEL(prefix, regex)                                                                       \
    "{\"type\":\"ByteLevel\",\"add_prefix_space\":" prefix                                         \
    ",\"trim_offsets\":true,\"use_regex\":" regex "}"
#define SPLIT(regex)                                                                               \
    "{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Split\",\"pattern\":{\"Regex\":"        \
    "\"" regex "\"},\"behavior\":\"Isolated\",\"invert\":false},"
#define QWEN2                                                                                      \
    SPLIT("(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?\\\\p{L}+|\\\\p{N}| "        \
          "?[^\\\\s\\\\p{L}\\\\p{N}]+[\\\\r\\\\n]*|\\\\s*[\\\\r\\\\n]+|\\\\s+(?!\\\\S)|\\\\s+")
#define QWEN3_5                                                                                    \
    SPLIT("(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?[\\\\p{L}\\\\p{M}]+|"        \
          "\\\\p{N}| ?[^\\\\s\\\\p{L}\\\\p{M}\\\\p{N}]+[\\\\r\\\\n]*|\\\\s*[\\\\r\\\\n]+|"         \
          "\\\\s+(?!\\\\S)|\\\\s+")
#define SPACE "\xE2\x96\x81" /* U+2581 */
#define METASPACE(scheme)                                                                          \
    "{\"type\":\"Metaspace\",\"replacement\":\"" SPACE "\",\"prepend_scheme\":\"" scheme           \
    "\",\"split\":false}"
#define DECODERS(more)                                                                             \
    "{\"type\":\"Sequence\",\"decoders\":[{\"type\":\"Replace\",\"pattern\":{\"String\":\"" SPACE  \
    "\"},\"content\":\" \"},{\"type\":\"ByteFallback\"},{\"type\":\"Fuse\"}" more "]}"
#define STRIP ",{\"type\":\"Strip\",\"content\":\" \",\"start\":1,\"stop\":0}"
#define NFC "{\"type\":\"NFC\"}"

/* The parts that a class makes, and the special tokens that it has where nothing is stated. */
typedef struct made_class {
    const char *name;
    const char *normalizer;
    const char *pre_tokenizers[2]; /* without and with add_prefix_space */
    const char *decoders[2];
    bool llama;         /* Metaspace; add_prefix_space unless it is said to be false */
    bool byte_fallback; /* and fuse_unk */
    bool knows_unk;     /* the model has the unknown token */
    bool surrounds;     /* makes the post-processor anew, too */
    bool special_anew;  /* adds special tokens without the flags that are stated */
    const char *roles[NT_ROLES];
} made_class;

#define END "<|endoftext|>"
#define GPT2_PARTS                                                                                 \
    .pre_tokenizers = {LEVEL("false", "true"), LEVEL("true", "true")},                             \
    .decoders = {LEVEL("true", "true"), LEVEL("true", "true")}
#define QWEN_PARTS(split)                                                                          \
    .normalizer = NFC,                                                                             \
    .pre_tokenizers = {split LEVEL("false", "false") "]}", split LEVEL("true", "false") "]}"},     \
    .decoders = {LEVEL("true", "true"), LEVEL("true", "true")},                                    \
    .roles = {[NT_ROLE_UNK] = END, [NT_ROLE_EOS] = END, [NT_ROLE_PAD] = END}
#define END_ROLES [NT_ROLE_BOS] = END, [NT_ROLE_EOS] = END, [NT_ROLE_UNK] = END

static const made_class classes[] = {
    {.name = "GPT2Tokenizer", GPT2_PARTS, .roles = {END_ROLES}},
    {.name = "CodeGenTokenizer", GPT2_PARTS, .roles = {END_ROLES}},
    {.name = "GPTNeoXTokenizer",
     .normalizer = NFC,
     GPT2_PARTS,
     .surrounds = true,
     .roles = {END_ROLES, [NT_ROLE_PAD] = "<|padding|>"}},
    {.name = "LlamaTokenizer",
     .pre_tokenizers = {METASPACE("never"), METASPACE("first")},
     .decoders = {DECODERS(""), DECODERS(STRIP)},
     .llama = true,
     .byte_fallback = true,
     .roles = {[NT_ROLE_UNK] = "<unk>", [NT_ROLE_BOS] = "<s>", [NT_ROLE_EOS] = "</s>"}},
    {.name = "Qwen2Tokenizer", QWEN_PARTS(QWEN2), .special_anew = true},
    {.name = "Qwen3_5Tokenizer", QWEN_PARTS(QWEN3_5)},
    {.name = "GemmaTokenizer",
     .normalizer =
         "{\"type\":\"Replace\",\"pattern\":{\"String\":\" \"},\"content\":\"" SPACE "\"}",
     .pre_tokenizers = {"{\"type\":\"Split\",\"pattern\":{\"String\":\" \"},\"behavior\":"
                        "\"MergedWithPrevious\",\"invert\":false}"},
     .decoders = {DECODERS("")},
     .byte_fallback = true,
     .knows_unk = true,
     .roles = {[NT_ROLE_UNK] = "<unk>",
               [NT_ROLE_BOS] = "<bos>",
               [NT_ROLE_EOS] = "<eos>",
               [NT_ROLE_PAD] = "<pad>",
               [NT_ROLE_MASK] = "<mask>"}},
};

/* ---- Which class ----------------------------------------------------------------------------- */

/* Whether word stands in a list of words between spaces. */
static bool listed(const char *list, const char *word) {
    size_t n = strlen(word);
    for (const char *at = list; n && (at = strstr(at, word)); at++)
        if (at > list && at[-1] == ' ' && at[n] == ' ') return true;
    return false;
}

static size_t stem(const char *name) {
    size_t n = strlen(name);
    return n > 4 && strcmp(name + n - 4, "Fast") == 0 ? n - 4 : n;
}

static bool same_class(const char *a, const char *b) {
    return stem(a) == stem(b) && memcmp(a, b, stem(a)) == 0;
}

/* Whether a class takes tokenizer.json as it is. */
static bool takes_file(const char *name) {
    static const char *const names[] = {"TokenizersBackend", "PreTrainedTokenizer", "PythonBackend",
                                        "BloomTokenizer"};
    for (int i = 0; i < 4; i++)
        if (same_class(name, names[i])) return true;
    return false;
}

/* How transformers tells that LlamaTokenizer cannot be meant: this stands anywhere in the file. */
static bool has_level(const nt_sections *sections) {
    static const char level[] = "\"ByteLevel\"";
    return memmem(sections->bytes, sections->n, level, sizeof level - 1) != NULL;
}

/* The class that transformers takes: by the names that tokenizer_config.json and config.json give,
 * and by the model type. *name is NULL for a class that takes the file. */
static int choose(const char **name, const nt_sections *sections, const nt_token_config *config,
                  const char *model_type, const char *model_class) {
    const char *stated = config->class_name ? config->class_name : model_class;
    const nt_class_models *registered = NULL;
    for (size_t i = 0; model_type && i < nt_n_class_models; i++)
        if (listed(nt_class_models_table[i].models, model_type))
            registered = &nt_class_models_table[i];
    bool mistaken = model_type && listed(nt_class_mistaken, model_type);
    *name = NULL;
    if (stated && !mistaken && same_class(stated, "LlamaTokenizer") && has_level(sections))
        return NT_OK;
    if (!stated && registered && !registered->class_name) {
        return nt_fail(
            NT_E_UNSUPPORTED,
            "%s: transformers' class for the model type \"%.40s\" is not supported; read "
            "the file as it is",
            sections->where, model_type);
    }
    const char *chosen = stated;
    if (registered && registered->class_name &&
        (!stated || (!same_class(stated, registered->class_name) &&
                     (mistaken || takes_file(registered->class_name)))))
        chosen = registered->class_name;
    if (chosen && !takes_file(chosen)) *name = chosen;
    return NT_OK;
}

static int find_class(const made_class **out, const char *name, const char *where) {
    *out = NULL;
    if (!name) return NT_OK;
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        if (same_class(name, classes[i].name)) *out = &classes[i];
    if (*out) return NT_OK;
    return nt_fail(
        NT_E_UNSUPPORTED,
        "%s: tokenizer_class \"%.60s\" of transformers is not supported; read the file as "
        "it is",
        where, name);
}

/* ---- What it makes --------------------------------------------------------------------------- */

/* What tokenizer_config.json may ask for that changes ids or text in ways that are not built. */
static int check_config(const nt_token_config *config) {
    bool split = false;
    NT_TRY(nt_json_bool(&split, config->config, "split_special_tokens", config->config_path));
    if (split) {
        return nt_fail(NT_E_UNSUPPORTED,
                       "%s: split_special_tokens true is not supported; say so when encoding",
                       config->config_path);
    }
    const json_t *map = json_object_get(config->config, "auto_map");
    if (map && !json_is_null(map)) return nt_refuse_section(config->config_path, "auto_map", map);
    return NT_OK;
}

static int make_parts(nt_tokenizer *tokenizer, const made_class *class,
                      const nt_token_config *config) {
    bool prefix = class->llama, legacy = false;
    NT_TRY(nt_json_bool(&prefix, config->config, "add_prefix_space", config->config_path));
    NT_TRY(nt_json_bool(&legacy, config->config, "legacy", config->config_path));
    if (!class->pre_tokenizers[1]) prefix = false;
    const char *pre_tokenizer = class->pre_tokenizers[prefix];
    if (class->llama && prefix && legacy) pre_tokenizer = METASPACE("always");
    return nt_make_parts(tokenizer, class->normalizer, pre_tokenizer, class->decoders[prefix]);
}

/* The padding token of tokenizer.json, for classes that name none themselves. */
static const char *padding_token(const nt_sections *sections) {
    const json_t *padding = json_object_get(sections->file, "padding");
    return json_string_value(json_object_get(padding, "pad_token"));
}

/* The class of GPT-2 and its kin: vocabulary, merges and post-processor are the file's. */
static int read_made(nt_tokenizer *tokenizer, const nt_sections *sections, const char *folder,
                     const nt_token_config *config, const made_class *class) {
    const char *roles[NT_ROLES];
    memcpy(roles, class->roles, sizeof roles);
    if (class->llama) roles[NT_ROLE_PAD] = padding_token(sections);
    nt_role unk;
    NT_TRY(nt_token_config_role(&unk, config, NT_ROLE_UNK, roles));
    const nt_bpe_form form = {.fuse_unk = class->byte_fallback,
                              .byte_fallback = class->byte_fallback,
                              .unk = class->knows_unk ? unk.content : NULL};
    NT_TRY(nt_read_model(tokenizer, sections, &form));
    NT_TRY(make_parts(tokenizer, class, config));
    NT_TRY(nt_add_configured(tokenizer, folder, config, sections));
    NT_TRY(nt_add_special(tokenizer, config, roles, NT_SPECIAL_ALL));
    if (class->special_anew) NT_TRY(nt_add_special(tokenizer, config, roles, NT_SPECIAL_ANEW));
    NT_TRY(nt_apply_roles(tokenizer, config, roles));
    if (class->surrounds) return nt_post_surround(&tokenizer->post, -1, -1);
    return nt_post_read(&tokenizer->post, json_object_get(sections->file, "post_processor"),
                        &tokenizer->lexicon, sections->where);
}

/* The class that takes the file, and adds what the configuration names. */
static int read_taken(nt_tokenizer *tokenizer, const nt_sections *sections, const char *folder,
                      const nt_token_config *config) {
    NT_TRY(nt_read_components(tokenizer, sections));
    NT_TRY(nt_read_model(tokenizer, sections, NULL));
    NT_TRY(nt_read_added(tokenizer, sections));
    const char *const roles[NT_ROLES] = {[NT_ROLE_PAD] = padding_token(sections)};
    NT_TRY(nt_add_configured(tokenizer, folder, config, NULL));
    NT_TRY(nt_add_special(tokenizer, config, roles, NT_SPECIAL_ALL));
    NT_TRY(nt_apply_roles(tokenizer, config, roles));
    /* Each call of transformers says for itself whether it cuts and pads. */
    tokenizer->truncation = (nt_truncation){0};
    tokenizer->padding = (nt_padding){0};
    bool clean = false;
    NT_TRY(
        nt_json_bool(&clean, config->config, "clean_up_tokenization_spaces", config->config_path));
    if (clean && tokenizer->subword.kind != NT_BPE) {
        return nt_fail(NT_E_UNSUPPORTED, "%s: clean_up_tokenization_spaces true is not supported",
                       config->config_path);
    }
    return nt_post_read(&tokenizer->post, json_object_get(sections->file, "post_processor"),
                        &tokenizer->lexicon, sections->where);
}

/* The two names in config.json, borrowed from it. */
static int read_model_names(const char **model_type, const char **model_class, json_t **file,
                            const char *folder) {
    char *path;
    int status = nt_config_file(file, &path, folder, "config.json");
    if (status == NT_OK) status = nt_json_string(model_type, *file, "model_type", path);
    if (status == NT_OK) status = nt_json_string(model_class, *file, "tokenizer_class", path);
    nt_free(path);
    return status;
}

int nt_tokenizer_read_class(nt_tokenizer *tokenizer, const char *path, const char *folder,
                            const nt_token_config *config) {
    json_t *model = NULL;
    const char *model_type = NULL, *model_class = NULL, *name = NULL;
    const made_class *class = NULL;
    nt_sections sections = {0};
    int status = check_config(config);
    if (status == NT_OK) status = read_model_names(&model_type, &model_class, &model, folder);
    if (status == NT_OK) status = nt_sections_read(&sections, path);
    if (status == NT_OK) status = choose(&name, &sections, config, model_type, model_class);
    if (status == NT_OK) status = find_class(&class, name, path);
    if (status == NT_OK) {
        status = class ? read_made(tokenizer, &sections, folder, config, class)
                       : read_taken(tokenizer, &sections, folder, config);
    }
    nt_sections_free(&sections);
    json_decref(model);
    return status;
}
