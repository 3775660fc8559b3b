/* OPTConfig, but for the one checkpoint (opt-350m) that normalises after each sublayer and projects
 * its embeddings. */
#include "format/config/fields.h"

#include <inttypes.h>

int nt_config_opt(nt_config *out, nt_config_source in) {
    int32_t projected;
    NT_TRY(nt_config_size(&out->V, in, "vocab_size", NULL, NT_MAX_V, 50272));
    NT_TRY(nt_config_size(&out->T, in, "max_position_embeddings", NULL, NT_MAX_T, 2048));
    NT_TRY(nt_config_size(&out->D, in, "hidden_size", NULL, NT_MAX_D, 768));
    NT_TRY(nt_config_size(&out->L, in, "num_hidden_layers", NULL, NT_MAX_L, 12));
    NT_TRY(nt_config_size(&out->H, in, "num_attention_heads", NULL, NT_MAX_D, 12));
    NT_TRY(nt_config_size(&out->F, in, "ffn_dim", NULL, NT_MAX_F, 3072));
    NT_TRY(nt_config_heads(out, in, "hidden_size", "num_attention_heads"));
    NT_TRY(nt_config_only(in, "do_layer_norm_before", true, true));
    NT_TRY(nt_config_only(in, "_remove_final_layer_norm", false, false));
    NT_TRY(nt_config_only(in, "layer_norm_elementwise_affine", true, true));
    NT_TRY(nt_config_size_or_null(&projected, in, "word_embed_proj_dim", NT_MAX_D, out->D));
    if (projected != out->D) {
        return nt_fail(NT_E_UNSUPPORTED,
                       "%.400s: word_embed_proj_dim %" PRId32 " beside hidden_size %" PRId32
                       " is not supported",
                       in.where, projected, out->D);
    }
    NT_TRY(nt_config_activation(out, in, "activation_function", "relu"));
    out->eps = 1e-5;
    out->position_offset = 2;
    out->scale_attn_weights = true;
    NT_TRY(nt_config_flag(&out->attention_bias, in, "enable_bias", true));
    out->mlp_bias = out->attention_bias;
    NT_TRY(nt_config_flag(&out->tied, in, "tie_word_embeddings", true));
    return nt_config_roles(out, in, 2, 2, 1);
}
