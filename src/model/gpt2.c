#include "model/gpt2.h"

#include <stdio.h>
#include <string.h>

const nt_slot nt_gpt2_globals[4] = {
    {"wte.weight", "VD", offsetof(nt_network, wte), NT_OUT_IN},
    {"wpe.weight", "TD", offsetof(nt_network, wpe), NT_OUT_IN},
    {"ln_f.weight", "D", offsetof(nt_network, lnf_gain), NT_IN_OUT},
    {"ln_f.bias", "D", offsetof(nt_network, lnf_bias), NT_IN_OUT},
};

const nt_slot nt_gpt2_block[12] = {
    {"ln_1.weight", "D", offsetof(nt_block, ln1_gain), NT_IN_OUT},
    {"ln_1.bias", "D", offsetof(nt_block, ln1_bias), NT_IN_OUT},
    {"attn.c_attn.weight", "DQ", offsetof(nt_block, attn_qkv), NT_IN_OUT},
    {"attn.c_attn.bias", "Q", offsetof(nt_block, attn_qkv_bias), NT_IN_OUT},
    {"attn.c_proj.weight", "DD", offsetof(nt_block, attn_out), NT_IN_OUT},
    {"attn.c_proj.bias", "D", offsetof(nt_block, attn_out_bias), NT_IN_OUT},
    {"ln_2.weight", "D", offsetof(nt_block, ln2_gain), NT_IN_OUT},
    {"ln_2.bias", "D", offsetof(nt_block, ln2_bias), NT_IN_OUT},
    {"mlp.c_fc.weight", "DF", offsetof(nt_block, mlp_in), NT_IN_OUT},
    {"mlp.c_fc.bias", "F", offsetof(nt_block, mlp_in_bias), NT_IN_OUT},
    {"mlp.c_proj.weight", "FD", offsetof(nt_block, mlp_out), NT_IN_OUT},
    {"mlp.c_proj.bias", "D", offsetof(nt_block, mlp_out_bias), NT_IN_OUT},
};

int64_t nt_gpt2_size(const nt_config *config, char dimension) {
    switch (dimension) {
    case 'V': return config->V;
    case 'T': return config->T;
    case 'F': return config->F;
    case 'Q': return 3 * (int64_t)config->D;
    default: return config->D;
    }
}

static bool among(const nt_slot *slots, size_t n, const char *name) {
    for (size_t i = 0; i < n; i++)
        if (strcmp(slots[i].name, name) == 0) return true;
    return false;
}

/* The part of a name after "h.N.", N in its shortest decimal form below L; NULL otherwise. */
static const char *after_layer(const char *name, int32_t L) {
    if (strncmp(name, "h.", 2) != 0) return NULL;
    const char *at = name + 2;
    int64_t layer = 0;
    if (*at < '0' || *at > '9' || (*at == '0' && at[1] != '.')) return NULL;
    for (; *at >= '0' && *at <= '9'; at++) {
        layer = layer * 10 + (*at - '0');
        if (layer >= L) return NULL;
    }
    return *at == '.' ? at + 1 : NULL;
}

bool nt_gpt2_is_in_out(const char *name) {
    const char *rest = after_layer(name, INT32_MAX);
    for (size_t i = 0; rest && i < sizeof nt_gpt2_block / sizeof *nt_gpt2_block; i++) {
        const nt_slot *slot = &nt_gpt2_block[i];
        if (strcmp(slot->name, rest) == 0) return slot->dims[1] && slot->layout == NT_IN_OUT;
    }
    return false;
}

static bool begins(const char *name, const char *start) {
    return strncmp(name, start, strlen(start)) == 0;
}

const nt_gpt2_head *nt_gpt2_other_head(const char *tensor, const char *architecture) {
    static const nt_gpt2_head heads[] = {
        {"GPT2ForSequenceClassification", "classifying texts", "score."},
        {"GPT2ForTokenClassification", "classifying tokens", "classifier."},
        {"GPT2ForQuestionAnswering", "answering questions", "qa_outputs."},
    };
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        if (tensor && begins(tensor, heads[i].name)) return &heads[i];
        if (architecture && strcmp(architecture, heads[i].architecture) == 0) return &heads[i];
    }
    return NULL;
}

nt_gpt2_kind nt_gpt2_classify(const nt_config *config, const char *prefix, const char *name) {
    if (strcmp(name, "lm_head.weight") == 0) return NT_GPT2_WEIGHT;
    if (begins(name, "multiple_choice_head.") || begins(name, "v_head.")) return NT_GPT2_BUFFER;
    if (!begins(name, prefix)) return NT_GPT2_UNKNOWN;
    name += strlen(prefix);
    if (among(nt_gpt2_globals, 4, name)) return NT_GPT2_WEIGHT;
    const char *rest = after_layer(name, config->L);
    if (!rest) return NT_GPT2_UNKNOWN;
    if (among(nt_gpt2_block, 12, rest)) return NT_GPT2_WEIGHT;
    bool buffer = strcmp(rest, "attn.bias") == 0 || strcmp(rest, "attn.masked_bias") == 0;
    return buffer ? NT_GPT2_BUFFER : NT_GPT2_UNKNOWN;
}
