/* GPT-Neo: Linear matrices [out, in], queries, keys and values apart and without biases. */
#include "model/families/tables.h"

static const nt_slot globals[] = {
    NT_GLOBAL("wte.weight", "VD", wte, NT_OUT_IN),
    NT_GLOBAL("wpe.weight", "PD", wpe, NT_OUT_IN),
    NT_GLOBAL("ln_f.weight", "D", lnf_gain, NT_OUT_IN),
    NT_GLOBAL("ln_f.bias", "D", lnf_bias, NT_OUT_IN),
};

static const nt_slot block[] = {
    NT_LAYER_NORM("ln_1", ln1),
    NT_WEIGHT("attn.attention.q_proj", "QD", attn_q),
    NT_WEIGHT("attn.attention.k_proj", "KD", attn_k),
    NT_WEIGHT("attn.attention.v_proj", "KD", attn_v),
    NT_WEIGHT("attn.attention.out_proj", "DQ", attn_out),
    NT_BIAS("attn.attention.out_proj", "D", attn_out, NT_ALWAYS),
    NT_LAYER_NORM("ln_2", ln2),
    NT_WEIGHT("mlp.c_fc", "FD", mlp_in),
    NT_BIAS("mlp.c_fc", "F", mlp_in, NT_ALWAYS),
    NT_WEIGHT("mlp.c_proj", "DF", mlp_out),
    NT_BIAS("mlp.c_proj", "D", mlp_out, NT_ALWAYS),
};

const nt_family nt_family_gpt_neo = {
    .type = "gpt_neo",
    .title = "a GPT-Neo",
    .prefixes = (const char *const[]){"transformer.", "", NULL},
    .layers = "h.",
    NT_TABLE(globals, globals),
    NT_TABLE(block, block),
    .heads = (const char *const[]){"lm_head.weight", NULL},
    .others = NT_OTHER_HEADS("GPTNeo"),
    .buffers = (const char *const[]){"attn.attention.bias", "attn.attention.masked_bias", NULL},
};
