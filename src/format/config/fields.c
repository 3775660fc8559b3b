/* What the families' readers share. */
#include "format/config/fields.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

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

/* Unlike a missing field, a null has no default: transformers refuses it too. */
static int refuse_null(nt_config_source in, const char *key) {
    if (!json_is_null(json_object_get(in.json, key))) return NT_OK;
    return nt_fail(NT_E_FORMAT, "%.400s: \"%s\" is null; give it a value or leave it out", in.where,
                   key);
}

int nt_config_size(int32_t *out, nt_config_source in, const char *name, const char *alias,
                   int64_t max, int64_t standard) {
    const char *key = alias && json_object_get(in.json, alias) ? alias : name;
    int64_t value = standard;
    NT_TRY(refuse_null(in, key));
    NT_TRY(nt_json_int(&value, in.json, key, 1, max, in.where));
    *out = (int32_t)value;
    return NT_OK;
}

int nt_config_size_or_null(int32_t *out, nt_config_source in, const char *name, int64_t max,
                           int64_t standard) {
    int64_t value = standard;
    NT_TRY(nt_json_int(&value, in.json, name, 1, max, in.where));
    *out = (int32_t)value;
    return NT_OK;
}

int nt_config_flag(bool *out, nt_config_source in, const char *key, bool standard) {
    *out = standard;
    NT_TRY(refuse_null(in, key));
    return nt_json_bool(out, in.json, key, in.where);
}

int nt_config_epsilon(nt_config *out, nt_config_source in, const char *key, double standard) {
    double eps = standard;
    NT_TRY(refuse_null(in, key));
    NT_TRY(nt_json_real(&eps, in.json, key, in.where));
    if (!(eps >= 0) || !isfinite((float)eps)) {
        return nt_fail(NT_E_FORMAT, "%.400s: \"%s\" is %g; it must be 0 or a small number above",
                       in.where, key, eps);
    }
    out->eps = eps;
    return NT_OK;
}

int nt_config_activation(nt_config *out, nt_config_source in, const char *key,
                         const char *standard) {
    const char *name = standard;
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
static int read_id(int32_t *out, nt_config_source in, const char *key, int64_t standard) {
    int64_t id = json_object_get(in.json, key) ? -1 : standard;
    NT_TRY(nt_json_int(&id, in.json, key, -1, INT32_MAX, in.where));
    *out = (int32_t)id;
    return NT_OK;
}

static int read_eos(nt_config *out, nt_config_source in, int64_t standard) {
    const char *key = "eos_token_id";
    const json_t *list = json_object_get(in.json, key);
    if (!json_is_array(list)) {
        NT_TRY(read_id(&out->eos[0], in, key, standard));
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

int nt_config_roles(nt_config *out, nt_config_source in, int64_t bos, int64_t eos, int64_t pad) {
    NT_TRY(read_id(&out->bos, in, "bos_token_id", bos));
    NT_TRY(read_id(&out->pad, in, "pad_token_id", pad));
    return read_eos(out, in, eos);
}

int nt_config_heads(nt_config *out, nt_config_source in, const char *width, const char *heads) {
    if (out->D % out->H) {
        return nt_fail(NT_E_FORMAT,
                       "%.400s: %s %" PRId32 " cannot be divided among %s %" PRId32 " heads",
                       in.where, width, out->D, heads, out->H);
    }
    out->E = out->D / out->H;
    out->G = out->H;
    return NT_OK;
}

int nt_config_shared_heads(nt_config *out, nt_config_source in, int64_t standard) {
    const char *key = "num_key_value_heads";
    NT_TRY(nt_config_size_or_null(&out->E, in, "head_dim", NT_MAX_D, out->E));
    if (json_object_get(in.json, key)) standard = out->H;
    NT_TRY(nt_config_size_or_null(&out->G, in, key, NT_MAX_D, standard));
    if (out->H % out->G) {
        return nt_fail(NT_E_FORMAT,
                       "%.400s: num_attention_heads %" PRId32 " cannot share %s %" PRId32 " evenly",
                       in.where, out->H, key, out->G);
    }
    return NT_OK;
}

int nt_config_only(nt_config_source in, const char *key, bool supported, bool standard) {
    bool value = standard;
    NT_TRY(nt_config_flag(&value, in, key, standard));
    if (value == supported) return NT_OK;
    return nt_fail(NT_E_UNSUPPORTED, "%.400s: %s %s is not supported", in.where, key,
                   value ? "true" : "false");
}
