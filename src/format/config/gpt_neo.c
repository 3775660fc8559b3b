/* GPTNeoConfig: layers attend to everything ("global") or to a window ("local"), by a list. */
#include "format/config/fields.h"

#include <inttypes.h>
#include <string.h>

/* The layers that were read so far. */
typedef struct layers {
    nt_config *config;
    size_t n; /* may go past L; what does is only counted */
} layers;

static int add_layer(layers *to, nt_config_source in, const char *key, const json_t *name) {
    const char *kind = json_string_value(name);
    bool local = kind && strcmp(kind, "local") == 0;
    if (!kind || (!local && strcmp(kind, "global") != 0)) {
        return nt_fail(NT_E_UNSUPPORTED,
                       "%.400s: \"%s\": layer %zu attends \"%.100s\"; it must be \"global\" or "
                       "\"local\"",
                       in.where, key, to->n, kind ? kind : nt_json_kind(name));
    }
    if (to->n < (size_t)to->config->L) to->config->windowed[to->n] = local;
    to->n++;
    return NT_OK;
}

/* An entry of attention_types: [[kinds ..], how many times]. */
static int add_entry(layers *to, nt_config_source in, const json_t *entry) {
    const json_t *kinds = json_array_get(entry, 0), *times = json_array_get(entry, 1);
    if (json_array_size(entry) != 2 || !json_is_array(kinds) || !json_is_integer(times)) {
        return nt_fail(NT_E_FORMAT,
                       "%.400s: \"attention_types\" must list pairs of kinds and how many times, "
                       "as [[\"global\", \"local\"], 12]",
                       in.where);
    }
    json_int_t most = json_array_size(kinds) ? to->config->L + 1 : 0;
    json_int_t n = json_integer_value(times) < most ? json_integer_value(times) : most;
    for (json_int_t i = 0; i < n && to->n <= (size_t)to->config->L; i++)
        for (size_t k = 0; k < json_array_size(kinds) && to->n <= (size_t)to->config->L; k++)
            NT_TRY(add_layer(to, in, "attention_types", json_array_get(kinds, k)));
    return NT_OK;
}

/* attention_types, or GPTNeoConfig's own: global and local by turns, 24 layers. */
static int read_types(layers *to, nt_config_source in) {
    const json_t *types = json_object_get(in.json, "attention_types");
    if (types && !json_is_null(types)) {
        if (!json_is_array(types)) {
            return nt_fail(NT_E_FORMAT, "%.400s: \"attention_types\" must be a list", in.where);
        }
        for (size_t i = 0; i < json_array_size(types); i++)
            NT_TRY(add_entry(to, in, json_array_get(types, i)));
        return NT_OK;
    }
    to->n = 24;
    for (int32_t layer = 1; layer < to->config->L; layer += 2)
        to->config->windowed[layer] = true;
    return NT_OK;
}

static int read_layers(nt_config *out, nt_config_source in) {
    layers to = {.config = out};
    const json_t *list = json_object_get(in.json, "attention_layers");
    NT_TRY(read_types(&to, in));
    if (json_is_array(list)) { /* what attention_types was made into, once: it wins */
        to.n = 0;
        for (size_t i = 0; i < json_array_size(list) && to.n <= (size_t)out->L; i++)
            NT_TRY(add_layer(&to, in, "attention_layers", json_array_get(list, i)));
    }
    if (to.n == (size_t)out->L) return NT_OK;
    return nt_fail(NT_E_FORMAT,
                   "%.400s: \"attention_types\" speaks of %s%zu layers, \"num_layers\" is %" PRId32,
                   in.where, to.n > (size_t)out->L ? "at least " : "", to.n, out->L);
}

int nt_config_gpt_neo(nt_config *out, nt_config_source in) {
    NT_TRY(nt_config_size(&out->V, in, "vocab_size", NULL, NT_MAX_V, 50257));
    NT_TRY(nt_config_size(&out->T, in, "max_position_embeddings", NULL, NT_MAX_T, 2048));
    NT_TRY(nt_config_size(&out->D, in, "hidden_size", NULL, NT_MAX_D, 2048));
    NT_TRY(nt_config_size(&out->L, in, "num_layers", "num_hidden_layers", NT_MAX_L, 24));
    NT_TRY(nt_config_size(&out->H, in, "num_heads", "num_attention_heads", NT_MAX_D, 16));
    NT_TRY(nt_config_size_or_null(&out->F, in, "intermediate_size", NT_MAX_F, 4 * (int64_t)out->D));
    NT_TRY(nt_config_size(&out->window, in, "window_size", NULL, NT_MAX_T, 256));
    NT_TRY(nt_config_heads(out, in, "hidden_size", "num_heads"));
    NT_TRY(read_layers(out, in));
    NT_TRY(nt_config_epsilon(out, in, "layer_norm_epsilon", 1e-5));
    NT_TRY(nt_config_activation(out, in, "activation_function", "gelu_new"));
    NT_TRY(nt_config_flag(&out->tied, in, "tie_word_embeddings", true));
    return nt_config_roles(out, in, 50256, 50256, -1);
}
