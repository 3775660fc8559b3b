/* A GGUF file's metadata as config.json and tokenizer.json: what is checked in those is then
 * checked once, and where they are written to a folder they are these. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "format/gguf.h"

/* ---- config.json ----------------------------------------------------------------------------- */

static bool is(nt_gguf_text text, const char *word) {
    return text.n == strlen(word) && memcmp(text.bytes, word, text.n) == 0;
}

int nt_gguf_check(const nt_gguf *gguf) {
    nt_gguf_text name = {"", 0};
    int64_t n_parts = 1;
    NT_TRY(nt_gguf_string(&name, gguf, "general.architecture"));
    if (!is(name, "gpt2")) {
        return nt_fail(NT_E_UNSUPPORTED,
                       "%.400s: general.architecture \"%.*s\" is not supported; this version runs "
                       "gpt2",
                       gguf->file, name.n > 60 ? 60 : (int)name.n, name.bytes);
    }
    NT_TRY(nt_gguf_int(&n_parts, gguf, "split.count", 0, UINT16_MAX));
    if (n_parts < 2) return NT_OK;
    return nt_fail(NT_E_UNSUPPORTED,
                   "%.400s is one of %d parts of a model: join them with llama-gguf-split --merge",
                   gguf->file, (int)n_parts);
}

/* A size that must be there. Its range is the business of whoever reads config.json. */
static int put_size(nt_buffer *out, const nt_gguf *gguf, const char *key, const char *name) {
    int64_t size = -1;
    NT_TRY(nt_gguf_int(&size, gguf, key, 0, INT64_MAX));
    if (size < 0) return nt_fail(NT_E_FORMAT, "%.400s lacks %s", gguf->file, key);
    nt_buffer_printf(out, "\n  \"%s\": %" PRId64 ",", name, size);
    return NT_OK;
}

/* The shortest number that is this float. */
static int put_epsilon(nt_buffer *out, const nt_gguf *gguf) {
    static const char key[] = "gpt2.attention.layer_norm_epsilon";
    double eps = -1;
    char text[40];
    NT_TRY(nt_gguf_real(&eps, gguf, key));
    if (!nt_gguf_find(gguf, key)) return nt_fail(NT_E_FORMAT, "%.400s lacks %s", gguf->file, key);
    if (!isfinite(eps)) return nt_fail(NT_E_FORMAT, "%.400s: %s is no number", gguf->file, key);
    for (int digits = 1; digits <= 9; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, eps);
        if (strtof(text, NULL) == (float)eps) break;
    }
    char *point = text + strspn(text, "-0123456789"); /* as the locale writes it */
    if (*point && *point != 'e') *point = '.';
    bool whole = !*point;
    nt_buffer_printf(out, "\n  \"layer_norm_epsilon\": %s%s,", text, whole ? ".0" : "");
    return NT_OK;
}

/* llama.cpp reads one number for keys and values where the file gives it; GPT-2 has no other. */
static int check_heads(const nt_gguf *gguf) {
    int64_t n_head = 0, n_kv;
    NT_TRY(nt_gguf_int(&n_head, gguf, "gpt2.attention.head_count", 0, INT64_MAX));
    n_kv = n_head;
    NT_TRY(nt_gguf_int(&n_kv, gguf, "gpt2.attention.head_count_kv", 0, INT64_MAX));
    if (n_kv == n_head) return NT_OK;
    return nt_fail(NT_E_UNSUPPORTED,
                   "%.400s: gpt2.attention.head_count_kv %" PRId64
                   " is not supported; it must be the number of heads, %" PRId64,
                   gguf->file, n_kv, n_head);
}

/* An id of the metadata; one that the model has not counts as none, as in llama.cpp. */
static int read_id(int32_t *out, const nt_gguf *gguf, const char *key, int64_t V) {
    int64_t id = *out;
    NT_TRY(nt_gguf_int(&id, gguf, key, -1, UINT32_MAX));
    *out = id < V ? (int32_t)id : -1;
    return NT_OK;
}

/* The id of <|endoftext|> among the tokens, -1 when it is not there. */
static int32_t find_end(const nt_gguf_value *tokens, int64_t V) {
    const unsigned char *at = tokens ? tokens->data : NULL;
    for (uint64_t i = 0; tokens && i < tokens->n && i < (uint64_t)V; i++) {
        if (is(nt_gguf_next_string(&at), "<|endoftext|>")) return (int32_t)i;
    }
    return -1;
}

/* Where the metadata does not say, GPT-2's token of both roles, if it is there. */
static int read_roles(nt_gguf_roles *out, const nt_gguf *gguf, int64_t V) {
    const nt_gguf_value *tokens;
    NT_TRY(nt_gguf_array(&tokens, gguf, "tokenizer.ggml.tokens", NT_GGUF_STRING));
    int32_t end = find_end(tokens, V);
    *out = (nt_gguf_roles){end, end, -1};
    NT_TRY(read_id(&out->bos, gguf, "tokenizer.ggml.bos_token_id", V));
    NT_TRY(read_id(&out->eos, gguf, "tokenizer.ggml.eos_token_id", V));
    return read_id(&out->pad, gguf, "tokenizer.ggml.padding_token_id", V);
}

static void put_id(nt_buffer *out, const char *name, int32_t id) {
    if (id < 0) {
        nt_buffer_printf(out, "\n  \"%s\": null,", name);
    } else {
        nt_buffer_printf(out, "\n  \"%s\": %" PRId32 ",", name, id);
    }
}

/* Text ends at EOS, and where there are such, at the ends of a turn and of a message. */
static int put_ids(nt_buffer *out, const nt_gguf *gguf, int64_t V) {
    nt_gguf_roles roles;
    int32_t ends[3] = {-1, -1, -1};
    size_t n = 0;
    NT_TRY(read_roles(&roles, gguf, V));
    NT_TRY(read_id(&ends[1], gguf, "tokenizer.ggml.eot_token_id", V));
    NT_TRY(read_id(&ends[2], gguf, "tokenizer.ggml.eom_token_id", V));
    ends[0] = roles.eos;
    for (size_t i = 0; i < 3; i++) {
        bool known = ends[i] < 0;
        for (size_t k = 0; k < n; k++)
            known = known || ends[k] == ends[i];
        if (!known) ends[n++] = ends[i];
    }
    put_id(out, "bos_token_id", roles.bos);
    put_id(out, "pad_token_id", roles.pad);
    if (n < 2) {
        put_id(out, "eos_token_id", n ? ends[0] : -1);
        return NT_OK;
    }
    nt_buffer_puts(out, "\n  \"eos_token_id\": [");
    for (size_t i = 0; i < n; i++)
        nt_buffer_printf(out, "%s%" PRId32, i ? ", " : "", ends[i]);
    nt_buffer_puts(out, "],");
    return NT_OK;
}

int nt_gguf_config(nt_buffer *out, const nt_gguf *gguf, int64_t V) {
    static const char inner[] = "gpt2.feed_forward_length";
    NT_TRY(nt_gguf_check(gguf));
    NT_TRY(check_heads(gguf));
    nt_buffer_puts(out,
                   "{\n  \"architectures\": [\"GPT2LMHeadModel\"],\n  \"model_type\": \"gpt2\","
                   "\n  \"activation_function\": \"gelu_new\",");
    NT_TRY(put_size(out, gguf, "gpt2.context_length", "n_positions"));
    NT_TRY(put_size(out, gguf, "gpt2.context_length", "n_ctx")); /* llama.cpp's converter asks */
    NT_TRY(put_size(out, gguf, "gpt2.embedding_length", "n_embd"));
    NT_TRY(put_size(out, gguf, "gpt2.block_count", "n_layer"));
    NT_TRY(put_size(out, gguf, "gpt2.attention.head_count", "n_head"));
    if (nt_gguf_find(gguf, inner)) NT_TRY(put_size(out, gguf, inner, "n_inner"));
    NT_TRY(put_epsilon(out, gguf));
    NT_TRY(put_ids(out, gguf, V));
    nt_buffer_printf(out, "\n  \"vocab_size\": %" PRId64 "\n}\n", V);
    return out->status;
}

/* ---- tokenizer.json -------------------------------------------------------------------------- */

enum token_type { CONTROL = 3, USER_DEFINED = 4, UNUSED = 5 };

typedef struct vocabulary {
    const nt_gguf *gguf;
    const nt_gguf_value *tokens, *types, *merges; /* types may be NULL */
    nt_gguf_roles roles;
} vocabulary;

static void put_string(nt_buffer *out, nt_gguf_text text) {
    size_t from = 0;
    nt_buffer_putc(out, '"');
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.bytes[i];
        if (c >= 0x20 && c != '"' && c != '\\') continue;
        nt_buffer_put(out, text.bytes + from, i - from);
        nt_buffer_printf(out, "\\u%04x", c);
        from = i + 1;
    }
    nt_buffer_put(out, text.bytes + from, text.n - from);
    nt_buffer_putc(out, '"');
}

/* Without types, tokens with a role are taken for control tokens. */
static int32_t type_of(const vocabulary *v, uint64_t i) {
    if (v->types) return nt_gguf_i32_at(v->types, i);
    bool role = (int64_t)i == v->roles.bos || (int64_t)i == v->roles.eos;
    return role || (int64_t)i == v->roles.pad ? CONTROL : 1;
}

static bool is_added(int32_t type) {
    return type == CONTROL || type == USER_DEFINED;
}

/* Found in a text before anything else is looked at; control tokens are left out of decoded text.
 */
static void put_added(nt_buffer *out, const vocabulary *v) {
    const unsigned char *at = v->tokens->data;
    const char *before = "";
    nt_buffer_puts(out, "\n  \"added_tokens\": [");
    for (uint64_t i = 0; i < v->tokens->n; i++) {
        nt_gguf_text text = nt_gguf_next_string(&at);
        int32_t type = type_of(v, i);
        if (!is_added(type)) continue;
        nt_buffer_printf(out, "%s\n    {\"id\": %" PRIu64 ", \"content\": ", before, i);
        put_string(out, text);
        nt_buffer_printf(out,
                         ", \"single_word\": false, \"lstrip\": false, \"rstrip\": false, "
                         "\"normalized\": false, \"special\": %s}",
                         type == CONTROL ? "true" : "false");
        before = ",";
    }
    nt_buffer_puts(out, "\n  ],");
}

/* Ids without a token, which the converter fills up to the model's size, are left out. */
static void put_vocabulary(nt_buffer *out, const vocabulary *v) {
    const unsigned char *at = v->tokens->data;
    const char *before = "";
    nt_buffer_puts(out, "\n    \"vocab\": {");
    for (uint64_t i = 0; i < v->tokens->n; i++) {
        nt_gguf_text text = nt_gguf_next_string(&at);
        if (type_of(v, i) == UNUSED) continue;
        nt_buffer_printf(out, "%s\n      ", before);
        put_string(out, text);
        nt_buffer_printf(out, ": %" PRIu64, i);
        before = ",";
    }
    nt_buffer_puts(out, "\n    },\n    \"merges\": [");
    at = v->merges->data;
    before = "";
    for (uint64_t i = 0; i < v->merges->n; i++) {
        nt_buffer_printf(out, "%s\n      ", before);
        put_string(out, nt_gguf_next_string(&at));
        before = ",";
    }
    nt_buffer_puts(out, "\n    ]\n  }\n}\n");
}

static nt_gguf_text token_at(const vocabulary *v, int32_t id) {
    const unsigned char *at = v->tokens->data;
    nt_gguf_text text = {"", 0};
    for (int32_t i = 0; i <= id; i++)
        text = nt_gguf_next_string(&at);
    return text;
}

static void put_part(nt_buffer *out, const vocabulary *v, int32_t id, int type) {
    nt_buffer_puts(out, "{\"SpecialToken\": {\"id\": ");
    put_string(out, token_at(v, id));
    nt_buffer_printf(out, ", \"type_id\": %d}}", type);
}

/* One text, with BOS and EOS around it where ids are not -1. */
static void put_sequence(nt_buffer *out, const vocabulary *v, char name, int32_t bos, int32_t eos) {
    int type = name - 'A';
    if (bos >= 0) {
        put_part(out, v, bos, type);
        nt_buffer_puts(out, ", ");
    }
    nt_buffer_printf(out, "{\"Sequence\": {\"id\": \"%c\", \"type_id\": %d}}", name, type);
    if (eos >= 0) {
        nt_buffer_puts(out, ", ");
        put_part(out, v, eos, type);
    }
}

static void put_special(nt_buffer *out, const vocabulary *v, int32_t id) {
    nt_gguf_text text = token_at(v, id);
    put_string(out, text);
    nt_buffer_puts(out, ": {\"id\": ");
    put_string(out, text);
    nt_buffer_printf(out, ", \"ids\": [%" PRId32 "], \"tokens\": [", id);
    put_string(out, text);
    nt_buffer_puts(out, "]}");
}

/* What stands around a text: GPT-2's own nothing, or BOS and EOS where the metadata asks for them.
 */
static int put_post(nt_buffer *out, const vocabulary *v) {
    bool add_bos = false, add_eos = false;
    NT_TRY(nt_gguf_bool(&add_bos, v->gguf, "tokenizer.ggml.add_bos_token"));
    NT_TRY(nt_gguf_bool(&add_eos, v->gguf, "tokenizer.ggml.add_eos_token"));
    int32_t bos = add_bos ? v->roles.bos : -1, eos = add_eos ? v->roles.eos : -1;
    if (bos < 0 && eos < 0) {
        nt_buffer_puts(out, "\n  \"post_processor\": {\"type\": \"ByteLevel\", "
                            "\"add_prefix_space\": true, \"trim_offsets\": false, "
                            "\"use_regex\": true},");
        return NT_OK;
    }
    nt_buffer_puts(out, "\n  \"post_processor\": {\"type\": \"TemplateProcessing\", \"single\": [");
    put_sequence(out, v, 'A', bos, eos);
    nt_buffer_puts(out, "], \"pair\": [");
    put_sequence(out, v, 'A', bos, eos);
    nt_buffer_puts(out, ", ");
    put_sequence(out, v, 'B', bos, eos);
    nt_buffer_puts(out, "], \"special_tokens\": {");
    if (bos >= 0) put_special(out, v, bos);
    if (bos >= 0 && eos >= 0 && eos != bos) nt_buffer_puts(out, ", ");
    if (eos >= 0 && eos != bos) put_special(out, v, eos);
    nt_buffer_puts(out, "}},");
    return NT_OK;
}

/* llama.cpp's names for pre-tokenizers that split as GPT-2's does. "default", and none, are what
 * old files of this architecture have: their checkpoints split so, whatever llama.cpp makes of it.
 */
static int check_pre(const nt_gguf *gguf) {
    static const char *const known[] = {
        "gpt-2",   "default", "",           "phi-2",      "mpt",      "olmo",  "jais",
        "jina-es", "jina-de", "jina-v2-es", "jina-v2-de", "gigachat", "mellum"};
    nt_gguf_text pre = {"", 0};
    NT_TRY(nt_gguf_string(&pre, gguf, "tokenizer.ggml.pre"));
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (is(pre, known[i])) return NT_OK;
    }
    return nt_fail(NT_E_UNSUPPORTED,
                   "%.400s: tokenizer.ggml.pre \"%.*s\" is not supported; texts are split as gpt-2 "
                   "does",
                   gguf->file, pre.n > 60 ? 60 : (int)pre.n, pre.bytes);
}

/* Whether there is a tokenizer, and that it is of the one kind that is read. */
static int check_kind(bool *there, const nt_gguf *gguf) {
    nt_gguf_text kind = {"", 0};
    *there = false;
    NT_TRY(nt_gguf_string(&kind, gguf, "tokenizer.ggml.model"));
    if (kind.n == 0 || is(kind, "none") || is(kind, "no_vocab")) return NT_OK;
    if (!is(kind, "gpt2")) {
        return nt_fail(NT_E_UNSUPPORTED,
                       "%.400s: tokenizer.ggml.model \"%.*s\" is not supported; gpt2 is read",
                       gguf->file, kind.n > 60 ? 60 : (int)kind.n, kind.bytes);
    }
    *there = true;
    return check_pre(gguf);
}

/* JSON holds no other. */
static int check_strings(const nt_gguf *gguf, const nt_gguf_value *array) {
    const unsigned char *at = array->data;
    for (uint64_t i = 0; i < array->n; i++) {
        nt_gguf_text text = nt_gguf_next_string(&at);
        bool zero = memchr(text.bytes, 0, text.n) != NULL;
        if (!zero && nt_utf8_check(text.bytes, text.n) == text.n) continue;
        return nt_fail(NT_E_FORMAT, "%.400s: %.100s: string %" PRIu64 " %s", gguf->file, array->key,
                       i, zero ? "holds a zero byte" : "is no UTF-8");
    }
    return NT_OK;
}

static int read_vocabulary(vocabulary *v, int64_t V) {
    const nt_gguf *gguf = v->gguf;
    NT_TRY(nt_gguf_array(&v->tokens, gguf, "tokenizer.ggml.tokens", NT_GGUF_STRING));
    NT_TRY(nt_gguf_array(&v->types, gguf, "tokenizer.ggml.token_type", NT_GGUF_I32));
    NT_TRY(nt_gguf_array(&v->merges, gguf, "tokenizer.ggml.merges", NT_GGUF_STRING));
    if (!v->tokens || !v->merges) {
        return nt_fail(NT_E_FORMAT, "%.400s lacks tokenizer.ggml.%s", gguf->file,
                       v->tokens ? "merges" : "tokens");
    }
    if (v->tokens->n > (uint64_t)V) {
        return nt_fail(NT_E_FORMAT,
                       "%.400s: tokenizer.ggml.tokens holds %" PRIu64
                       " tokens; the model has %" PRId64,
                       gguf->file, v->tokens->n, V);
    }
    if (v->types && v->types->n != v->tokens->n) {
        return nt_fail(NT_E_FORMAT,
                       "%.400s: tokenizer.ggml.token_type holds %" PRIu64 " types for %" PRIu64
                       " tokens",
                       gguf->file, v->types->n, v->tokens->n);
    }
    NT_TRY(check_strings(gguf, v->tokens));
    NT_TRY(check_strings(gguf, v->merges));
    return read_roles(&v->roles, gguf, (int64_t)v->tokens->n);
}

int nt_gguf_tokenizer(bool *there, nt_buffer *out, nt_gguf_roles *roles, const nt_gguf *gguf,
                      int64_t V) {
    vocabulary v = {.gguf = gguf};
    *roles = (nt_gguf_roles){-1, -1, -1};
    NT_TRY(check_kind(there, gguf));
    if (!*there) return NT_OK;
    NT_TRY(read_vocabulary(&v, V));
    *roles = v.roles;
    nt_buffer_puts(out,
                   "{\n  \"version\": \"1.0\",\n  \"truncation\": null,\n  \"padding\": null,");
    put_added(out, &v);
    nt_buffer_puts(out, "\n  \"normalizer\": null,\n  \"pre_tokenizer\": {\"type\": \"ByteLevel\", "
                        "\"add_prefix_space\": false, \"trim_offsets\": true, \"use_regex\": "
                        "true},");
    NT_TRY(put_post(out, &v));
    nt_buffer_puts(out, "\n  \"decoder\": {\"type\": \"ByteLevel\", \"add_prefix_space\": true, "
                        "\"trim_offsets\": true, \"use_regex\": true},\n  \"model\": {\n    "
                        "\"type\": \"BPE\",\n    \"dropout\": null,\n    \"unk_token\": null,\n    "
                        "\"continuing_subword_prefix\": \"\",\n    \"end_of_word_suffix\": \"\",\n"
                        "    \"fuse_unk\": false,\n    \"byte_fallback\": false,");
    put_vocabulary(out, &v);
    return out->status;
}
