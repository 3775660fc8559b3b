/* OPT. Its table of positions begins two rows before that of position 0. */
#include "model/families/tables.h"

static const nt_slot globals[] = {
    NT_GLOBAL("embed_tokens.weight", "VD", wte, NT_OUT_IN),
    NT_GLOBAL("embed_positions.weight", "PD", wpe, NT_OUT_IN),
    NT_GLOBAL("final_layer_norm.weight", "D", lnf_gain, NT_OUT_IN),
    NT_GLOBAL("final_layer_norm.bias", "D", lnf_bias, NT_OUT_IN),
};

static const nt_slot block[] = {
    NT_LAYER_NORM("self_attn_layer_norm", ln1),
    NT_WEIGHT("self_attn.q_proj", "QD", attn_q),
    NT_BIAS("self_attn.q_proj", "Q", attn_q, NT_WITH_ATTENTION_BIAS),
    NT_WEIGHT("self_attn.k_proj", "KD", attn_k),
    NT_BIAS("self_attn.k_proj", "K", attn_k, NT_WITH_ATTENTION_BIAS),
    NT_WEIGHT("self_attn.v_proj", "KD", attn_v),
    NT_BIAS("self_attn.v_proj", "K", attn_v, NT_WITH_ATTENTION_BIAS),
    NT_WEIGHT("self_attn.out_proj", "DQ", attn_out),
    NT_BIAS("self_attn.out_proj", "D", attn_out, NT_WITH_ATTENTION_BIAS),
    NT_LAYER_NORM("final_layer_norm", ln2),
    NT_WEIGHT("fc1", "FD", mlp_in),
    NT_BIAS("fc1", "F", mlp_in, NT_WITH_MLP_BIAS),
    NT_WEIGHT("fc2", "DF", mlp_out),
    NT_BIAS("fc2", "D", mlp_out, NT_WITH_MLP_BIAS),
};

const nt_family nt_family_opt = {
    .type = "opt",
    .title = "an OPT",
    .prefixes = (const char *const[]){"model.decoder.", "decoder.", NULL},
    .layers = "layers.",
    NT_TABLE(globals, globals),
    NT_TABLE(block, block),
    .heads = (const char *const[]){"lm_head.weight", NULL},
    .others = NT_OTHER_HEADS("OPT"),
    .buffers = (const char *const[]){NULL},
};
