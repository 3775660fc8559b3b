/* A network: a checkpoint's weights, checked and in their places. Immutable, shared by threads. */
#ifndef NT_MODEL_NETWORK_H
#define NT_MODEL_NETWORK_H

#include "base/arena.h"
#include "base/file.h"
#include "compute/device.h"
#include "format/config.h"
#include "format/tensors.h"

/* How one matrix gives queries, keys and values: all of each side by side, [H | G | G] heads, or a
 * head's three side by side, [H, 3] (and then G = H). */
typedef enum nt_fused { NT_FUSED_PARTS, NT_FUSED_HEADS } nt_fused;

/* Weights of one block. Matrices stay in the mapped file as stored (an F64 or unaligned one is
 * converted to F32); in mode bf16 all but BF16 and blocks are bfloat16 copies. Vectors are float32
 * copies. What a network lacks has no data, or is NULL:
 * biases; queries, keys and values are in one matrix or in three; the gate is of gated MLPs. */
typedef struct nt_block {
    const float *ln1_gain, *ln1_bias; /* [D] */
    nt_matrix attn_qkv;               /* K = D, N = (H + 2 G) E */
    const float *attn_qkv_bias;       /* [N] */
    nt_matrix attn_q, attn_k, attn_v; /* K = D, N = H E, G E, G E */
    const float *attn_q_bias, *attn_k_bias, *attn_v_bias;
    nt_matrix attn_out;               /* K = H E, N = D */
    const float *attn_out_bias;       /* [D] */
    const float *ln2_gain, *ln2_bias; /* [D] */
    nt_matrix mlp_gate;               /* K = D, N = F */
    const float *mlp_gate_bias;       /* [F] */
    nt_matrix mlp_in;                 /* K = D, N = F */
    const float *mlp_in_bias;         /* [F] */
    nt_matrix mlp_out;                /* K = F, N = D */
    const float *mlp_out_bias;        /* [D] */
} nt_block;

typedef struct nt_network {
    nt_config config;
    nt_precision precision; /* F32 or BF16, never AUTO */
    const struct nt_family *family;
    nt_matrix wte;                    /* [V, D] */
    nt_dtype stored;                  /* what the file has wte in */
    nt_matrix wpe;                    /* [T, D]; no data where positions are rotary */
    nt_fused fused;                   /* of attn_qkv */
    const float *frequencies;         /* [config.rope.n]: of rotary positions, else NULL */
    nt_matrix head;                   /* [V, D], OUT_IN: the file's lm_head.weight, else wte */
    const float *lnf_gain, *lnf_bias; /* [D] */
    nt_block *blocks;                 /* [L] */
    bool tied;                        /* config.json ties the head, and the file has no other */
    const char *prefix;               /* of all names but the head's: "" or "transformer." */
    uint64_t n_parameters;            /* a tied head counted once */
    uint64_t n_weight_bytes;          /* of these, as stored in the files */
    nt_tensors *tensors;
    nt_arena arena;   /* converted tensors, vectors, blocks */
    uint16_t *halves; /* [n_halves]: matrices of mode bf16, one after the other */
    uint64_t n_halves;
} nt_network;

/* folder_or_file as nt_model_open takes it, for one mode of arithmetic (AUTO: F32). Every tensor is
 * asked for with its shape; one that the family does not know is NT_E_FORMAT by name (buffers such
 * as attn.bias are skipped).
 */
int nt_network_open(nt_network **out, const char *folder_or_file, nt_precision precision);
/* The same from the bytes of config.json and model.safetensors, which must outlive it; `name`
 * stands for the folder in messages. */
int nt_network_parse(nt_network **out, nt_map config, nt_map tensors, const char *name,
                     nt_precision precision);
void nt_network_free(nt_network *network);

/* Looks for NaN and infinity in every tensor: NT_E_NUMERIC naming the first tensor and index that
 * holds one, NT_OK when all are finite. Called after logits came out broken. */
int nt_network_check_finite(const nt_network *network);

/* Terms that products cut their operands into (nt_cpu_take_terms): what a mode asks of a device. */
size_t nt_precision_terms(nt_precision precision);

#endif
