/* A network: a checkpoint's weights, checked and in their places. Immutable, shared by threads. */
#ifndef NT_MODEL_NETWORK_H
#define NT_MODEL_NETWORK_H

#include "base/arena.h"
#include "base/file.h"
#include "compute/device.h"
#include "format/config.h"
#include "format/tensors.h"

/* Weights of one block. Matrices stay in the mapped file as stored (an F64 or unaligned one is
 * converted to F32); vectors are float32 copies. */
typedef struct nt_block {
    const float *ln1_gain, *ln1_bias; /* [D] */
    nt_matrix attn_qkv;               /* K = D, N = 3 D */
    const float *attn_qkv_bias;       /* [3 D] */
    nt_matrix attn_out;               /* K = D, N = D */
    const float *attn_out_bias;       /* [D] */
    const float *ln2_gain, *ln2_bias; /* [D] */
    nt_matrix mlp_in;                 /* K = D, N = F */
    const float *mlp_in_bias;         /* [F] */
    nt_matrix mlp_out;                /* K = F, N = D */
    const float *mlp_out_bias;        /* [D] */
} nt_block;

typedef struct nt_network {
    nt_config config;
    nt_matrix wte;                    /* [V, D] */
    nt_matrix wpe;                    /* [T, D] */
    nt_matrix head;                   /* [V, D], OUT_IN: the file's lm_head.weight, else wte */
    const float *lnf_gain, *lnf_bias; /* [D] */
    nt_block *blocks;                 /* [L] */
    bool tied;                        /* config.json ties the head, and the file has no other */
    const char *prefix;               /* of all names but lm_head's: "" or "transformer." */
    uint64_t n_parameters;            /* a tied head counted once */
    uint64_t n_weight_bytes;          /* of these, as stored in the files */
    nt_tensors *tensors;
    nt_arena arena; /* converted tensors, vectors, blocks */
} nt_network;

/* folder_or_file as nt_model_open takes it. Every tensor is asked for with its shape; one that the
 * family does not know is NT_E_FORMAT by name (attn.bias and attn.masked_bias buffers are skipped).
 */
int nt_network_open(nt_network **out, const char *folder_or_file);
/* The same from the bytes of config.json and model.safetensors, which must outlive it; `name`
 * stands for the folder in messages. */
int nt_network_parse(nt_network **out, nt_map config, nt_map tensors, const char *name);
void nt_network_free(nt_network *network);

/* Looks for NaN and infinity in every tensor: NT_E_NUMERIC naming the first tensor and index that
 * holds one, NT_OK when all are finite. Called after logits came out broken. */
int nt_network_check_finite(const nt_network *network);

#endif
