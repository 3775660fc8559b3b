/* Qwen2Config: as Llama, with biases where queries, keys and values are made, and with windows on
 * the upper layers where use_sliding_window says so. */
#include "format/config/fields.h"

#include <inttypes.h>
#include <string.h>

/* layer_types, where there is one; else the layers from max_window_layers on have the window. */
static int read_layer_types(nt_config *out, nt_config_source in) {
    const json_t *types = json_object_get(in.json, "layer_types");
    int64_t first = 28;
    NT_TRY(nt_json_int(&first, in.json, "max_window_layers", 0, INT32_MAX, in.where));
    if (!types || json_is_null(types)) {
        for (int32_t layer = 0; layer < out->L; layer++)
            out->windowed[layer] = out->window && layer >= first;
        return NT_OK;
    }
    if (json_array_size(types) != (size_t)out->L) {
        return nt_fail(NT_E_FORMAT,
                       "%.400s: \"layer_types\" must list num_hidden_layers %" PRId32 " kinds",
                       in.where, out->L);
    }
    for (int32_t layer = 0; layer < out->L; layer++) {
        const char *type = json_string_value(json_array_get(types, (size_t)layer));
        bool sliding = type && strcmp(type, "sliding_attention") == 0;
        out->windowed[layer] = sliding;
        if (type && (strcmp(type, "full_attention") == 0 || (sliding && out->window))) continue;
        return nt_fail(NT_E_UNSUPPORTED,
                       "%.400s: layer_types: \"%.100s\" of layer %" PRId32 " is not supported%s",
                       in.where, type ? type : "what is no name", layer,
                       sliding ? " without use_sliding_window" : "");
    }
    return NT_OK;
}

int nt_config_qwen2(nt_config *out, nt_config_source in) {
    static const nt_rotary_keys keys = {"rope_theta", NULL, 1};
    bool windows;
    NT_TRY(nt_config_size(&out->V, in, "vocab_size", NULL, NT_MAX_V, 151936));
    NT_TRY(nt_config_size(&out->T, in, "max_position_embeddings", NULL, NT_MAX_T, 32768));
    NT_TRY(nt_config_size(&out->D, in, "hidden_size", NULL, NT_MAX_D, 4096));
    NT_TRY(nt_config_size(&out->L, in, "num_hidden_layers", NULL, NT_MAX_L, 32));
    NT_TRY(nt_config_size(&out->H, in, "num_attention_heads", NULL, NT_MAX_D, 32));
    NT_TRY(nt_config_size(&out->F, in, "intermediate_size", NULL, NT_MAX_F, 22016));
    NT_TRY(nt_config_heads(out, in, "hidden_size", "num_attention_heads"));
    NT_TRY(nt_config_shared_heads(out, in, 32));
    NT_TRY(nt_config_flag(&windows, in, "use_sliding_window", false));
    const json_t *window = json_object_get(in.json, "sliding_window");
    if (windows && !json_is_null(window))
        NT_TRY(nt_config_size(&out->window, in, "sliding_window", NULL, INT32_MAX, 4096));
    NT_TRY(read_layer_types(out, in));
    NT_TRY(nt_config_rotary(out, in, &keys));
    NT_TRY(nt_config_epsilon(out, in, "rms_norm_eps", 1e-6));
    NT_TRY(nt_config_activation(out, in, "hidden_act", "silu"));
    out->rms = out->gated = out->scale_attn_weights = true;
    NT_TRY(nt_config_flag(&out->tied, in, "tie_word_embeddings", false));
    return nt_config_roles(out, in, -1, -1, -1);
}
