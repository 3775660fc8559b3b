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

int64_t nt_gpt2_size(const nt_config *config, char dimension);

typedef enum nt_gpt2_kind { NT_GPT2_WEIGHT, NT_GPT2_BUFFER, NT_GPT2_UNKNOWN } nt_gpt2_kind;

/* What a file's tensor is to this family: a weight of a network of this config, a mask that is
 * computed here and skipped, or nothing that it knows. */
nt_gpt2_kind nt_gpt2_classify(const nt_config *config, const char *prefix, const char *name);

#endif
