/* GPT2Config. n_ctx of old files is not read: transformers 5.23 ignores it too. */
#include "format/config/fields.h"

int nt_config_gpt2(nt_config *out, nt_config_source in) {
    NT_TRY(nt_config_size(&out->V, in, "vocab_size", NULL, NT_MAX_V, 50257));
    NT_TRY(nt_config_size(&out->T, in, "n_positions", "max_position_embeddings", NT_MAX_T, 1024));
    NT_TRY(nt_config_size(&out->D, in, "n_embd", "hidden_size", NT_MAX_D, 768));
    NT_TRY(nt_config_size(&out->L, in, "n_layer", "num_hidden_layers", NT_MAX_L, 12));
    NT_TRY(nt_config_size(&out->H, in, "n_head", "num_attention_heads", NT_MAX_D, 12));
    NT_TRY(nt_config_size_or_null(&out->F, in, "n_inner", NT_MAX_F, 4 * (int64_t)out->D));
    NT_TRY(nt_config_heads(out, in, "n_embd", "n_head"));
    NT_TRY(nt_config_epsilon(out, in, "layer_norm_epsilon", 1e-5));
    NT_TRY(nt_config_activation(out, in, "activation_function", "gelu_new"));
    NT_TRY(nt_config_flag(&out->scale_attn_weights, in, "scale_attn_weights", true));
    NT_TRY(
        nt_config_flag(&out->scale_by_inverse_layer, in, "scale_attn_by_inverse_layer_idx", false));
    NT_TRY(nt_config_flag(&out->reorder_and_upcast_attn, in, "reorder_and_upcast_attn", false));
    NT_TRY(nt_config_flag(&out->tied, in, "tie_word_embeddings", true));
    return nt_config_roles(out, in, 50256, 50256, -1);
}
