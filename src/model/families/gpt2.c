/* GPT-2: Conv1D matrices [in, out], queries, keys and values in one. */
#include "model/families/tables.h"

static const nt_slot globals[] = {
    NT_GLOBAL("wte.weight", "VD", wte, NT_OUT_IN),
    NT_GLOBAL("wpe.weight", "PD", wpe, NT_OUT_IN),
    NT_GLOBAL("ln_f.weight", "D", lnf_gain, NT_IN_OUT),
    NT_GLOBAL("ln_f.bias", "D", lnf_bias, NT_IN_OUT),
};

static const nt_slot block[] = {
    NT_LAYER_NORM("ln_1", ln1),
    NT_IN_BLOCK("attn.c_attn.weight", "DA", attn_qkv, NT_IN_OUT, NT_ALWAYS),
    NT_BIAS("attn.c_attn", "A", attn_qkv, NT_ALWAYS),
    NT_IN_BLOCK("attn.c_proj.weight", "QD", attn_out, NT_IN_OUT, NT_ALWAYS),
    NT_BIAS("attn.c_proj", "D", attn_out, NT_ALWAYS),
    NT_LAYER_NORM("ln_2", ln2),
    NT_IN_BLOCK("mlp.c_fc.weight", "DF", mlp_in, NT_IN_OUT, NT_ALWAYS),
    NT_BIAS("mlp.c_fc", "F", mlp_in, NT_ALWAYS),
    NT_IN_BLOCK("mlp.c_proj.weight", "FD", mlp_out, NT_IN_OUT, NT_ALWAYS),
    NT_BIAS("mlp.c_proj", "D", mlp_out, NT_ALWAYS),
};

const nt_family nt_family_gpt2 = {
    .type = "gpt2",
    .title = "a GPT-2",
    .prefixes = (const char *const[]){"", "transformer.", NULL},
    .layers = "h.",
    NT_TABLE(globals, globals),
    NT_TABLE(block, block),
    .heads = (const char *const[]){"lm_head.weight", NULL},
    .others = NT_OTHER_HEADS("GPT2"),
    .buffers = (const char *const[]){"attn.bias", "attn.masked_bias", NULL},
    .fused = NT_FUSED_PARTS,
};
