/* config.json of a checkpoint of any family: every field that changes arithmetic, checked, in words
 * that are the same for all families. */
#ifndef NT_FORMAT_CONFIG_H
#define NT_FORMAT_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/activation.h"
#include "base/status.h"

enum { NT_MAX_EOS = 64, NT_MAX_L = 1024 };

/* How the frequencies of rotary positions follow from theta. */
typedef enum nt_rope {
    NT_ROPE_DEFAULT,
    NT_ROPE_LINEAR, /* divided by factor */
    NT_ROPE_LLAMA3  /* low ones divided by factor, with a slope between low and high */
} nt_rope;

typedef struct nt_config_rope {
    int32_t n; /* pairs of numbers that are turned in each head; 0: there is a table of positions */
    int32_t width; /* what the exponents of theta are divided by: 2 n, or less by one */
    nt_rope kind;
    double theta, factor, low, high, original; /* of the kinds that use them */
} nt_config_rope;

typedef struct nt_config {
    const char *type;   /* model_type: "gpt2"; lives as long as the program */
    int32_t V, T;       /* vocab_size, n_positions (context) */
    int32_t D, L, H, F; /* n_embd, n_layer, n_head, n_inner (4 D when null) */
    int32_t G, E;  /* heads of keys and values (divides H), width of a head; H E may not be D */
    double eps;    /* layer_norm_epsilon, as the file has it; used as float32 */
    bool rms;      /* norms are RMSNorm, else LayerNorm */
    bool parallel; /* attention and MLP of a block both read the block's input */
    bool gated;    /* the MLP's activation multiplies a second product */
    bool attention_bias, mlp_bias; /* where a family has them only if its config says so */
    int32_t position_offset;       /* rows of the table of positions before that of position 0 */
    nt_config_rope rope;
    int32_t window; /* positions that a windowed layer attends to, its own included; 0: none */
    bool windowed[NT_MAX_L]; /* [L] */
    nt_activation activation;
    char activation_name[32]; /* as the file has it */
    bool scale_attn_weights;
    bool scale_by_inverse_layer;  /* scale_attn_by_inverse_layer_idx */
    bool reorder_and_upcast_attn; /* the same arithmetic in float32; kept for `info` */
    bool tied;                    /* tie_word_embeddings */
    char architecture[48];        /* architectures' first; "" where there is none */
    int32_t bos, pad;             /* -1: none; may lie outside the vocabulary, as eos may */
    int32_t eos[NT_MAX_EOS];
    size_t n_eos;
} nt_config;

/* Reads config.json. Each family's keys, aliases and defaults are those of its Configuration class
 * in transformers 5.23: for GPT-2 hidden_size, num_attention_heads, num_hidden_layers and
 * max_position_embeddings are understood and win, and n_ctx is ignored.
 * An unknown model_type, an unknown or parametrised activation, add_cross_attention, and other
 * values that would change the arithmetic in a way that we lack are NT_E_UNSUPPORTED by name and
 * value; sizes out of range or that do not fit each other NT_E_FORMAT. */
int nt_config_read(nt_config *out, const char *path);
/* The same from bytes [n]; `where` is the name for messages. Fuzz entry. */
int nt_config_parse(nt_config *out, const char *bytes, size_t n, const char *where);

#endif
