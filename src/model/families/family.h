/* A family of checkpoints: what its tensors are called, their shapes, and where they go. All else
 * that sets families apart stands in nt_config, in words of arithmetic. */
#ifndef NT_MODEL_FAMILIES_FAMILY_H
#define NT_MODEL_FAMILIES_FAMILY_H

#include "model/network.h"

/* Which networks of a family have a tensor. */
typedef enum nt_need { NT_ALWAYS, NT_WITH_ATTENTION_BIAS, NT_WITH_MLP_BIAS } nt_need;

/* A tensor of the family. Dimensions are letters of the config: V, T, D, F, and Q for what the
 * heads of queries are wide together (H E), K for keys or values (G E), A for all three, P for the
 * rows of the table of positions; 0 ends them. A matrix goes to an nt_matrix, a vector to a const
 * float *, at `offset` of the nt_network or of the nt_block. */
typedef struct nt_slot {
    const char *name; /* without the prefix and "h.N." */
    char dims[3];
    size_t offset;
    nt_layout layout; /* of a matrix */
    nt_need need;
} nt_slot;

/* A head that stands in the place of the language model's in a fine-tune. */
typedef struct nt_other_head {
    const char *architecture, *task; /* as config.json and as people call it */
    const char *name;                /* its tensors' names begin so */
} nt_other_head;

/* Lists of names end with NULL. */
typedef struct nt_family {
    const char *type;            /* config.json's model_type */
    const char *title;           /* as people call it: "a GPT-2" */
    const char *const *prefixes; /* one of them begins all names but the head's; tried in turn */
    const char *layers;          /* what a layer's number follows: "h." */
    const nt_slot *globals;      /* the first is the table of embeddings */
    size_t n_globals;
    const nt_slot *block; /* of each layer */
    size_t n_block;
    const char *const *heads;    /* what the head may be called: without a prefix */
    const char *const *buffers;  /* of a layer; computed here, and skipped */
    const nt_other_head *others; /* of fine-tunes for something else; the last has no name */
    nt_fused fused;              /* how attn_qkv lays out the heads */
} nt_family;

extern const nt_family nt_family_gpt2, nt_family_gpt_neo, nt_family_gpt_neox, nt_family_opt,
    nt_family_llama, nt_family_qwen2;

/* Of a config's type; NULL where there is none. */
const nt_family *nt_family_of(const char *type);

int64_t nt_family_size(const nt_config *config, char dimension);
bool nt_slot_wanted(const nt_slot *slot, const nt_config *config);

typedef enum nt_kind { NT_KIND_WEIGHT, NT_KIND_BUFFER, NT_KIND_UNKNOWN } nt_kind;

/* What a file's tensor is to a network of this config: a weight, what is computed here (a mask) or
 * stands beside the language model (the second head of GPT2DoubleHeadsModel, the value head of trl)
 * and is skipped, or nothing that the family knows. */
nt_kind nt_family_classify(const nt_family *family, const nt_config *config, const char *prefix,
                           const char *name);

/* Whether a name, without prefix, is that of a weight that lies as [in, out] in the family's own
 * checkpoints: GGUF files have it turned. */
bool nt_family_is_in_out(const nt_family *family, const char *name);

/* The other head that this tensor is of, or that this architecture has; NULL when there is none.
 * Either may be NULL. */
const nt_other_head *nt_family_other_head(const nt_family *family, const char *tensor,
                                          const char *architecture);

#endif
