/* Llama (SmolLM, TinyLlama) and Qwen2, which differ in which products have biases. */
#include "model/families/tables.h"

static const nt_slot globals[] = {
    NT_GLOBAL("embed_tokens.weight", "VD", wte, NT_OUT_IN),
    NT_GLOBAL("norm.weight", "D", lnf_gain, NT_OUT_IN),
};

#define BLOCK(qkv_bias, out_bias)                                                                  \
    NT_IN_BLOCK("input_layernorm.weight", "D", ln1_gain, NT_OUT_IN, NT_ALWAYS),                    \
        NT_WEIGHT("self_attn.q_proj", "QD", attn_q),                                               \
        NT_BIAS("self_attn.q_proj", "Q", attn_q, qkv_bias),                                        \
        NT_WEIGHT("self_attn.k_proj", "KD", attn_k),                                               \
        NT_BIAS("self_attn.k_proj", "K", attn_k, qkv_bias),                                        \
        NT_WEIGHT("self_attn.v_proj", "KD", attn_v),                                               \
        NT_BIAS("self_attn.v_proj", "K", attn_v, qkv_bias),                                        \
        NT_WEIGHT("self_attn.o_proj", "DQ", attn_out),                                             \
        NT_BIAS("self_attn.o_proj", "D", attn_out, out_bias),                                      \
        NT_IN_BLOCK("post_attention_layernorm.weight", "D", ln2_gain, NT_OUT_IN, NT_ALWAYS),       \
        NT_WEIGHT("mlp.gate_proj", "FD", mlp_gate),                                                \
        NT_BIAS("mlp.gate_proj", "F", mlp_gate, NT_WITH_MLP_BIAS),                                 \
        NT_WEIGHT("mlp.up_proj", "FD", mlp_in),                                                    \
        NT_BIAS("mlp.up_proj", "F", mlp_in, NT_WITH_MLP_BIAS),                                     \
        NT_WEIGHT("mlp.down_proj", "DF", mlp_out),                                                 \
        NT_BIAS("mlp.down_proj", "D", mlp_out, NT_WITH_MLP_BIAS)

/* Qwen2Config knows neither attention_bias nor mlp_bias: both stay false. */
static const nt_slot llama_block[] = {BLOCK(NT_WITH_ATTENTION_BIAS, NT_WITH_ATTENTION_BIAS)};
static const nt_slot qwen2_block[] = {BLOCK(NT_ALWAYS, NT_WITH_ATTENTION_BIAS)};

#define FAMILY(model_type, called, class, slots)                                                   \
    {                                                                                              \
        .type = model_type, .title = called,                                                       \
        .prefixes = (const char *const[]){"model.", "", NULL}, .layers = "layers.",                \
        NT_TABLE(globals, globals), NT_TABLE(block, slots),                                        \
        .heads = (const char *const[]){"lm_head.weight", NULL}, .others = NT_OTHER_HEADS(class),   \
        .buffers = (const char *const[]){"self_attn.rotary_emb.inv_freq", NULL},                   \
    }

const nt_family nt_family_llama = FAMILY("llama", "a Llama", "Llama", llama_block);
const nt_family nt_family_qwen2 = FAMILY("qwen2", "a Qwen2", "Qwen2", qwen2_block);
