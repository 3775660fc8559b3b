/* LlamaConfig (SmolLM, TinyLlama, Llama 2 and 3). */
#include "format/config/fields.h"

#include <inttypes.h>

int nt_config_llama(nt_config *out, nt_config_source in) {
    static const nt_rotary_keys keys = {"rope_theta", NULL, 1};
    NT_TRY(nt_config_size(&out->V, in, "vocab_size", NULL, NT_MAX_V, 32000));
    NT_TRY(nt_config_size(&out->T, in, "max_position_embeddings", NULL, NT_MAX_T, 2048));
    NT_TRY(nt_config_size(&out->D, in, "hidden_size", NULL, NT_MAX_D, 4096));
    NT_TRY(nt_config_size(&out->L, in, "num_hidden_layers", NULL, NT_MAX_L, 32));
    NT_TRY(nt_config_size(&out->H, in, "num_attention_heads", NULL, NT_MAX_D, 32));
    NT_TRY(nt_config_size(&out->F, in, "intermediate_size", NULL, NT_MAX_F, 11008));
    NT_TRY(nt_config_heads(out, in, "hidden_size", "num_attention_heads"));
    NT_TRY(nt_config_shared_heads(out, in, out->H));
    NT_TRY(nt_config_rotary(out, in, &keys));
    NT_TRY(nt_config_epsilon(out, in, "rms_norm_eps", 1e-6));
    NT_TRY(nt_config_activation(out, in, "hidden_act", "silu"));
    out->rms = out->gated = out->scale_attn_weights = true;
    NT_TRY(nt_config_flag(&out->attention_bias, in, "attention_bias", false));
    NT_TRY(nt_config_flag(&out->mlp_bias, in, "mlp_bias", false));
    NT_TRY(nt_config_flag(&out->tied, in, "tie_word_embeddings", false));
    return nt_config_roles(out, in, 1, 2, -1);
}
