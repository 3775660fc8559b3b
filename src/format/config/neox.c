/* GPTNeoXConfig (Pythia). */
#include "format/config/fields.h"

int nt_config_gpt_neox(nt_config *out, nt_config_source in) {
    static const nt_rotary_keys keys = {"rotary_emb_base", "rotary_pct", 0.25};
    NT_TRY(nt_config_size(&out->V, in, "vocab_size", NULL, NT_MAX_V, 50432));
    NT_TRY(nt_config_size(&out->T, in, "max_position_embeddings", NULL, NT_MAX_T, 2048));
    NT_TRY(nt_config_size(&out->D, in, "hidden_size", NULL, NT_MAX_D, 6144));
    NT_TRY(nt_config_size(&out->L, in, "num_hidden_layers", NULL, NT_MAX_L, 44));
    NT_TRY(nt_config_size(&out->H, in, "num_attention_heads", NULL, NT_MAX_D, 64));
    NT_TRY(nt_config_size(&out->F, in, "intermediate_size", NULL, NT_MAX_F, 24576));
    NT_TRY(nt_config_heads(out, in, "hidden_size", "num_attention_heads"));
    NT_TRY(nt_config_rotary(out, in, &keys));
    NT_TRY(nt_config_epsilon(out, in, "layer_norm_eps", 1e-5));
    NT_TRY(nt_config_activation(out, in, "hidden_act", "gelu"));
    out->scale_attn_weights = true;
    NT_TRY(nt_config_flag(&out->attention_bias, in, "attention_bias", true));
    NT_TRY(nt_config_flag(&out->parallel, in, "use_parallel_residual", true));
    NT_TRY(nt_config_flag(&out->tied, in, "tie_word_embeddings", false));
    return nt_config_roles(out, in, 0, 2, -1);
}
