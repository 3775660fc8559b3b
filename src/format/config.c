/* config.json of a GPT-2 checkpoint, read as transformers 5.23 reads it, and checked. */
#include "format/config.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/json.h"

enum {
    MAX_BYTES = 1 << 20,
    MAX_V = 1 << 24,
    MAX_T = 1 << 20,
    MAX_D = 1 << 16,
    MAX_L = 1024,
    MAX_F = 1 << 20
};

/* ACT2FN of transformers 5.23, without those that have learned parameters. */
static const struct {
    const char *name;
    nt_activation activation;
} activations[] = {
    {"gelu", NT_GELU_ERF},
    {"gelu_10", NT_GELU_10},
    {"gelu_accurate", NT_GELU_TANH},
    {"gelu_fast", NT_GELU_FAST},
    {"gelu_new", NT_GELU_TANH},
    {"gelu_python", NT_GELU_ERF},
    {"gelu_python_tanh", NT_GELU_TANH},
    {"gelu_pytorch_tanh", NT_GELU_TANH},
    {"hardswish", NT_HARDSWISH},
    {"laplace", NT_LAPLACE},
    {"leaky_relu", NT_LEAKY_RELU},
    {"linear", NT_IDENTITY},
    {"mish", NT_MISH},
    {"quick_gelu", NT_GELU_QUICK},
    {"relu", NT_RELU},
    {"relu2", NT_RELU2},
    {"relu6", NT_RELU6},
    {"sigmoid", NT_SIGMOID},
    {"silu", NT_SILU},
    {"sqrtsoftplus", NT_SQRT_SOFTPLUS},
    {"swish", NT_SILU},
    {"tanh", NT_TANH},
};

/* The file's object and its name. */
typedef struct source {
    const json_t *json;
    const char *where;
} source;

/* Unlike a missing field, a null has no default: transformers refuses it too. */
static int refuse_null(source in, const char *key) {
    if (!json_is_null(json_object_get(in.json, key))) return NT_OK;
    return nt_fail(NT_E_FORMAT, "%.400s: \"%s\" is null; give it a value or leave it out", in.where,
                   key);
}

/* A size under its name or, which wins as in transformers, its alias. */
static int read_size(int32_t *out, source in, const char *name, const char *alias, int64_t max,
                     int64_t standard) {
    const char *key = alias && json_object_get(in.json, alias) ? alias : name;
    int64_t value = standard;
    NT_TRY(refuse_null(in, key));
    NT_TRY(nt_json_int(&value, in.json, key, 1, max, in.where));
    *out = (int32_t)value;
    return NT_OK;
}

static int read_flag(bool *out, source in, const char *key, bool standard) {
    *out = standard;
    NT_TRY(refuse_null(in, key));
    return nt_json_bool(out, in.json, key, in.where);
}

/* n_ctx of old files is not read: transformers 5.23 ignores it too. */
static int read_sizes(nt_config *out, source in) {
    NT_TRY(read_size(&out->V, in, "vocab_size", NULL, MAX_V, 50257));
    NT_TRY(read_size(&out->T, in, "n_positions", "max_position_embeddings", MAX_T, 1024));
    NT_TRY(read_size(&out->D, in, "n_embd", "hidden_size", MAX_D, 768));
    NT_TRY(read_size(&out->L, in, "n_layer", "num_hidden_layers", MAX_L, 12));
    NT_TRY(read_size(&out->H, in, "n_head", "num_attention_heads", MAX_D, 12));
    int64_t n_inner = 4 * (int64_t)out->D;
    NT_TRY(nt_json_int(&n_inner, in.json, "n_inner", 1, MAX_F, in.where));
    out->F = (int32_t)n_inner;
    if (out->D % out->H) {
        return nt_fail(NT_E_FORMAT,
                       "%.400s: n_embd %" PRId32 " cannot be divided among n_head %" PRId32
                       " heads",
                       in.where, out->D, out->H);
    }
    return NT_OK;
}

static int read_epsilon(nt_config *out, source in) {
    const char *key = "layer_norm_epsilon";
    double eps = 1e-5;
    NT_TRY(refuse_null(in, key));
    NT_TRY(nt_json_real(&eps, in.json, key, in.where));
    if (!(eps >= 0) || !isfinite((float)eps)) {
        return nt_fail(NT_E_FORMAT, "%.400s: \"%s\" is %g; it must be 0 or a small number above",
                       in.where, key, eps);
    }
    out->eps = eps;
    return NT_OK;
}

static int read_activation(nt_config *out, source in) {
    const char *key = "activation_function", *name = "gelu_new";
    NT_TRY(refuse_null(in, key));
    NT_TRY(nt_json_string(&name, in.json, key, in.where));
    for (size_t i = 0; i < sizeof activations / sizeof *activations; i++) {
        if (strcmp(activations[i].name, name) == 0) {
            out->activation = activations[i].activation;
            memcpy(out->activation_name, name, strlen(name) + 1);
            return NT_OK;
        }
    }
    const char *why = "is not known";
    if (strcmp(name, "prelu") == 0 || strcmp(name, "xielu") == 0)
        why = "has learned parameters, which this version does not read";
    return nt_fail(NT_E_UNSUPPORTED, "%.400s: %s \"%.100s\" %s", in.where, key, name, why);
}

/* A token id that may be null or -1, both for none. */
static int read_id(int32_t *out, source in, const char *key, int64_t standard) {
    int64_t id = json_object_get(in.json, key) ? -1 : standard;
    NT_TRY(nt_json_int(&id, in.json, key, -1, INT32_MAX, in.where));
    *out = (int32_t)id;
    return NT_OK;
}

static int read_eos(nt_config *out, source in) {
    const char *key = "eos_token_id";
    const json_t *list = json_object_get(in.json, key);
    if (!json_is_array(list)) {
        NT_TRY(read_id(&out->eos[0], in, key, 50256));
        out->n_eos = out->eos[0] >= 0;
        return NT_OK;
    }
    if (json_array_size(list) > NT_MAX_EOS) {
        return nt_fail(NT_E_UNSUPPORTED, "%.400s: \"%s\" lists %zu ids; at most %d are read",
                       in.where, key, json_array_size(list), NT_MAX_EOS);
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *id = json_array_get(list, i);
        if (!json_is_integer(id) || json_integer_value(id) < -1 ||
            json_integer_value(id) > INT32_MAX) {
            return nt_fail(NT_E_FORMAT, "%.400s: \"%s\": entry %zu must be a token id", in.where,
                           key, i);
        }
        if (json_integer_value(id) >= 0) out->eos[out->n_eos++] = (int32_t)json_integer_value(id);
    }
    return NT_OK;
}

/* Whether a file without model_type speaks of GPT-2: its architecture's name or its own keys. */
static bool looks_like_gpt2(const json_t *json) {
    const json_t *architectures = json_object_get(json, "architectures");
    if (json_is_array(architectures) && json_array_size(architectures) > 0) {
        const char *name = json_string_value(json_array_get(architectures, 0));
        return name && strncmp(name, "GPT2", 4) == 0;
    }
    return json_object_get(json, "n_embd") && json_object_get(json, "n_layer") &&
           json_object_get(json, "n_head");
}

/* Its first; a name that is longer than any of GPT-2's is none of them. */
static void read_architecture(nt_config *out, const json_t *json) {
    const json_t *list = json_object_get(json, "architectures");
    const char *name = json_string_value(json_array_get(list, 0));
    if (name && strlen(name) < sizeof out->architecture)
        memcpy(out->architecture, name, strlen(name) + 1);
}

static int check_type(source in) {
    const char *type = NULL;
    NT_TRY(nt_json_string(&type, in.json, "model_type", in.where));
    if (type && strcmp(type, "gpt2") == 0) return NT_OK;
    if (type) {
        return nt_fail(NT_E_UNSUPPORTED,
                       "%.400s: model_type \"%.100s\" is not supported; this version runs gpt2",
                       in.where, type);
    }
    if (looks_like_gpt2(in.json)) return NT_OK;
    return nt_fail(NT_E_UNSUPPORTED,
                   "%.400s: without \"model_type\" it cannot be told what the model is; this "
                   "version runs gpt2",
                   in.where);
}

/* Fields that would change the arithmetic in a way that we lack. */
static int refuse_unsupported(source in) {
    bool cross = false;
    NT_TRY(read_flag(&cross, in, "add_cross_attention", false));
    if (cross) {
        return nt_fail(NT_E_UNSUPPORTED, "%.400s: add_cross_attention true is not supported",
                       in.where);
    }
    const json_t *quantized = json_object_get(in.json, "quantization_config");
    if (quantized && !json_is_null(quantized)) {
        const char *method = json_string_value(json_object_get(quantized, "quant_method"));
        return nt_fail(NT_E_UNSUPPORTED,
                       "%.400s: quantization_config (%.100s) is not supported; use the checkpoint "
                       "that was quantised",
                       in.where, method ? method : "no quant_method");
    }
    const json_t *pruned = json_object_get(in.json, "pruned_heads");
    if (json_object_size(pruned) > 0) {
        return nt_fail(NT_E_UNSUPPORTED, "%.400s: pruned_heads is not supported", in.where);
    }
    return NT_OK;
}

static int read_fields(nt_config *out, source in) {
    NT_TRY(check_type(in));
    read_architecture(out, in.json);
    NT_TRY(refuse_unsupported(in));
    NT_TRY(read_sizes(out, in));
    NT_TRY(read_epsilon(out, in));
    NT_TRY(read_activation(out, in));
    NT_TRY(read_flag(&out->scale_attn_weights, in, "scale_attn_weights", true));
    NT_TRY(read_flag(&out->scale_by_inverse_layer, in, "scale_attn_by_inverse_layer_idx", false));
    NT_TRY(read_flag(&out->reorder_and_upcast_attn, in, "reorder_and_upcast_attn", false));
    NT_TRY(read_flag(&out->tied, in, "tie_word_embeddings", true));
    NT_TRY(read_id(&out->bos, in, "bos_token_id", 50256));
    NT_TRY(read_id(&out->pad, in, "pad_token_id", -1));
    return read_eos(out, in);
}

/* Reads the fields and gives json back. */
static int take_fields(nt_config *out, json_t *json, const char *where) {
    int status = NT_OK;
    if (!json_is_object(json)) {
        status = nt_fail(NT_E_FORMAT, "%.400s holds %s where an object was expected", where,
                         nt_json_kind(json));
    }
    if (status == NT_OK) status = read_fields(out, (source){json, where});
    json_decref(json);
    if (status != NT_OK) *out = (nt_config){0};
    return status;
}

int nt_config_read(nt_config *out, const char *path) {
    json_t *json;
    *out = (nt_config){0};
    NT_TRY(nt_json_read(&json, path, MAX_BYTES));
    return take_fields(out, json, path);
}

int nt_config_parse(nt_config *out, const char *bytes, size_t n, const char *where) {
    json_t *json;
    *out = (nt_config){0};
    NT_TRY(nt_json_parse(&json, bytes, n, where));
    return take_fields(out, json, where);
}
