#include "model/families/family.h"

#include <string.h>

static const nt_family *const families[] = {&nt_family_gpt2,     &nt_family_gpt_neo,
                                            &nt_family_gpt_neox, &nt_family_opt,
                                            &nt_family_llama,    &nt_family_qwen2};

const nt_family *nt_family_of(const char *type) {
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        if (strcmp(families[i]->type, type) == 0) return families[i];
    return NULL;
}

int64_t nt_family_size(const nt_config *config, char dimension) {
    int64_t E = config->E;
    switch (dimension) {
    case 'V': return config->V;
    case 'T': return config->T;
    case 'P': return config->T + config->position_offset;
    case 'F': return config->F;
    case 'Q': return config->H * E;
    case 'K': return config->G * E;
    case 'A': return (config->H + 2 * (int64_t)config->G) * E;
    default: return config->D;
    }
}

bool nt_slot_wanted(const nt_slot *slot, const nt_config *config) {
    switch (slot->need) {
    case NT_WITH_ATTENTION_BIAS: return config->attention_bias;
    case NT_WITH_MLP_BIAS: return config->mlp_bias;
    default: return true;
    }
}

static bool among(const nt_slot *slots, size_t n, const nt_config *config, const char *name) {
    for (size_t i = 0; i < n; i++)
        if (strcmp(slots[i].name, name) == 0) return nt_slot_wanted(&slots[i], config);
    return false;
}

static bool listed(const char *const *names, const char *name) {
    for (; *names; names++)
        if (strcmp(*names, name) == 0) return true;
    return false;
}

/* The part of a name after "h.N.", N in its shortest decimal form below L; NULL otherwise. */
static const char *after_layer(const char *layers, const char *name, int32_t L) {
    size_t n = strlen(layers);
    if (strncmp(name, layers, n) != 0) return NULL;
    const char *at = name + n;
    int64_t layer = 0;
    if (*at < '0' || *at > '9' || (*at == '0' && at[1] != '.')) return NULL;
    for (; *at >= '0' && *at <= '9'; at++) {
        layer = layer * 10 + (*at - '0');
        if (layer >= L) return NULL;
    }
    return *at == '.' ? at + 1 : NULL;
}

bool nt_family_is_in_out(const nt_family *family, const char *name) {
    const char *rest = after_layer(family->layers, name, INT32_MAX);
    for (size_t i = 0; rest && i < family->n_block; i++) {
        const nt_slot *slot = &family->block[i];
        if (strcmp(slot->name, rest) == 0) return slot->dims[1] && slot->layout == NT_IN_OUT;
    }
    return false;
}

static bool begins(const char *name, const char *start) {
    return strncmp(name, start, strlen(start)) == 0;
}

const nt_other_head *nt_family_other_head(const nt_family *family, const char *tensor,
                                          const char *architecture) {
    for (const nt_other_head *head = family->others; head->name; head++) {
        if (tensor && begins(tensor, head->name)) return head;
        if (architecture && strcmp(architecture, head->architecture) == 0) return head;
    }
    return NULL;
}

nt_kind nt_family_classify(const nt_family *family, const nt_config *config, const char *prefix,
                           const char *name) {
    if (listed(family->heads, name)) return NT_KIND_WEIGHT;
    if (begins(name, "multiple_choice_head.") || begins(name, "v_head.")) return NT_KIND_BUFFER;
    if (!begins(name, prefix)) return NT_KIND_UNKNOWN;
    name += strlen(prefix);
    if (among(family->globals, family->n_globals, config, name)) return NT_KIND_WEIGHT;
    const char *rest = after_layer(family->layers, name, config->L);
    if (!rest) return NT_KIND_UNKNOWN;
    if (among(family->block, family->n_block, config, rest)) return NT_KIND_WEIGHT;
    return listed(family->buffers, rest) ? NT_KIND_BUFFER : NT_KIND_UNKNOWN;
}
