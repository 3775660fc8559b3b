/* The GPT-2 family's tensors: what each is called, its shape, and where it goes. */
#ifndef NT_MODEL_GPT2_H
#define NT_MODEL_GPT2_H

#include "model/network.h"

/* A tensor of the family. Dimensions are letters of the config: V, T, D, F, and Q for 3 D; 0 ends
 * them. A matrix goes to an nt_matrix, a vector to a const float *, at `offset` of the nt_network
 * or of the nt_block. */
typedef struct nt_slot {
    const char *name; /* without the prefix "transformer." and "h.N." */
    char dims[3];
    size_t offset;
    nt_layout layout; /* of a matrix */
} nt_slot;

extern const nt_slot nt_gpt2_globals[4];
extern const nt_slot nt_gpt2_block[12];

/* Whether a name, without prefix, is that of a weight that lies as [in, out] in the family's own
 * checkpoints: GGUF files have it turned. */
bool nt_gpt2_is_in_out(const char *name);

int64_t nt_gpt2_size(const nt_config *config, char dimension);

typedef enum nt_gpt2_kind { NT_GPT2_WEIGHT, NT_GPT2_BUFFER, NT_GPT2_UNKNOWN } nt_gpt2_kind;

/* What a file's tensor is to this family: a weight of a network of this config, what is computed
 * here (a mask) or stands beside the language model (the second head of GPT2DoubleHeadsModel, the
 * value head of trl) and is skipped, or nothing that it knows. */
nt_gpt2_kind nt_gpt2_classify(const nt_config *config, const char *prefix, const char *name);

/* A head that stands in the place of the language model's in a fine-tune. */
typedef struct nt_gpt2_head {
    const char *architecture, *task; /* as config.json and as people call it */
    const char *name;                /* its tensors' names begin so */
} nt_gpt2_head;
/* The head that this tensor is of, or that this architecture has; NULL when there is none. Either
 * may be NULL. */
const nt_gpt2_head *nt_gpt2_other_head(const char *tensor, const char *architecture);

#endif
