/* config.json of a checkpoint: every GPT2Config field that changes arithmetic, checked. */
#ifndef NT_FORMAT_CONFIG_H
#define NT_FORMAT_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/activation.h"
#include "base/status.h"

enum { NT_MAX_EOS = 64 };

typedef struct nt_config {
    int32_t V, T;       /* vocab_size, n_positions (context) */
    int32_t D, L, H, F; /* n_embd, n_layer, n_head, n_inner (4 D when null) */
    double eps;         /* layer_norm_epsilon, as the file has it; used as float32 */
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

/* Reads config.json. Aliases (hidden_size, num_attention_heads, num_hidden_layers,
 * max_position_embeddings) are understood and win, n_ctx is ignored, and defaults are GPT2Config's,
 * all as in transformers 5.23.
 * An unknown model_type, an unknown or parametrised activation, add_cross_attention, and other
 * values that would change the arithmetic in a way that we lack are NT_E_UNSUPPORTED by name and
 * value; sizes out of range or n_head that does not divide n_embd NT_E_FORMAT. */
int nt_config_read(nt_config *out, const char *path);
/* The same from bytes [n]; `where` is the name for messages. Fuzz entry. */
int nt_config_parse(nt_config *out, const char *bytes, size_t n, const char *where);

#endif
