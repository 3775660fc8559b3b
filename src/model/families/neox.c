/* GPT-NeoX and Pythia: queries, keys and values in one matrix, head by head. */
#include "model/families/tables.h"

static const nt_slot globals[] = {
    NT_GLOBAL("embed_in.weight", "VD", wte, NT_OUT_IN),
    NT_GLOBAL("final_layer_norm.weight", "D", lnf_gain, NT_OUT_IN),
    NT_GLOBAL("final_layer_norm.bias", "D", lnf_bias, NT_OUT_IN),
};

static const nt_slot block[] = {
    NT_LAYER_NORM("input_layernorm", ln1),
    NT_WEIGHT("attention.query_key_value", "AD", attn_qkv),
    NT_BIAS("attention.query_key_value", "A", attn_qkv, NT_WITH_ATTENTION_BIAS),
    NT_WEIGHT("attention.dense", "DQ", attn_out),
    NT_BIAS("attention.dense", "D", attn_out, NT_WITH_ATTENTION_BIAS),
    NT_LAYER_NORM("post_attention_layernorm", ln2),
    NT_WEIGHT("mlp.dense_h_to_4h", "FD", mlp_in),
    NT_BIAS("mlp.dense_h_to_4h", "F", mlp_in, NT_ALWAYS),
    NT_WEIGHT("mlp.dense_4h_to_h", "DF", mlp_out),
    NT_BIAS("mlp.dense_4h_to_h", "D", mlp_out, NT_ALWAYS),
};

const nt_family nt_family_gpt_neox = {
    .type = "gpt_neox",
    .title = "a GPT-NeoX",
    .prefixes = (const char *const[]){"gpt_neox.", "", NULL},
    .layers = "layers.",
    NT_TABLE(globals, globals),
    NT_TABLE(block, block),
    .heads = (const char *const[]){"embed_out.weight", "lm_head.weight", NULL},
    .others = NT_OTHER_HEADS("GPTNeoX"),
    .buffers = (const char *const[]){"attention.bias", "attention.masked_bias",
                                     "attention.rotary_emb.inv_freq", NULL},
    .fused = NT_FUSED_HEADS,
};
