/* What a GGUF file says of a model before its data: metadata, tokenizer, the tensors' places. */
#include <string.h>

#include "base/memory.h"
#include "convert.h"
#include "format/gguf_write.h"
#include "model/families/family.h"
#include "text/tokenizer.h"

/* ---- The model ------------------------------------------------------------------------------- */

static int refuse(const nt_model *model, const char *what) {
    return nt_fail(NT_E_UNSUPPORTED,
                   "%.400s: %s cannot be said in a GGUF file of architecture gpt2; give a folder "
                   "as the destination",
                   model->path, what);
}

int nt_convert_check_gguf(const nt_model *model) {
    const nt_config *config = &model->network->config;
    if (model->network->family != &nt_family_gpt2) {
        return nt_fail(NT_E_UNSUPPORTED,
                       "%.400s: model_type \"%s\" is not written to GGUF, gpt2 alone is; give a "
                       "folder as the destination",
                       model->path, model->network->family->type);
    }
    if (config->activation != NT_GELU_TANH)
        return refuse(model, "another activation than gelu_new");
    if (!config->scale_attn_weights) return refuse(model, "scale_attn_weights false");
    if (config->scale_by_inverse_layer)
        return refuse(model, "scale_attn_by_inverse_layer_idx true");
    return NT_OK;
}

/* llama.cpp's number for the width of most of a file. */
static uint32_t file_type(const nt_conversion *it) {
    for (size_t i = 0; i < it->n; i++) {
        if (strcmp(it->copies[i].name, "token_embd.weight") != 0) continue;
        switch (it->copies[i].dtype) {
        case NT_F16: return 1;
        case NT_Q4_0: return 2;
        case NT_Q8_0: return 7;
        case NT_Q6_K: return 18;
        case NT_BF16: return 32;
        default: return 0;
        }
    }
    return 0;
}

static uint64_t put_config(nt_conversion *it, const char *name) {
    nt_buffer *out = &it->header;
    const nt_config *config = &it->model->network->config;
    nt_gguf_put_string(out, "general.architecture", "gpt2", 4);
    nt_gguf_put_string(out, "general.type", "model", 5);
    nt_gguf_put_string(out, "general.name", name, strlen(name));
    nt_gguf_put_u32(out, "general.file_type", file_type(it));
    nt_gguf_put_u32(out, "general.quantization_version", 2);
    nt_gguf_put_u32(out, "gpt2.vocab_size", (uint32_t)config->V);
    nt_gguf_put_u32(out, "gpt2.block_count", (uint32_t)config->L);
    nt_gguf_put_u32(out, "gpt2.context_length", (uint32_t)config->T);
    nt_gguf_put_u32(out, "gpt2.embedding_length", (uint32_t)config->D);
    nt_gguf_put_u32(out, "gpt2.feed_forward_length", (uint32_t)config->F);
    nt_gguf_put_u32(out, "gpt2.attention.head_count", (uint32_t)config->H);
    nt_gguf_put_f32(out, "gpt2.attention.layer_norm_epsilon", (float)config->eps);
    return 12;
}

/* ---- The tokenizer --------------------------------------------------------------------------- */

/* Byte-level BPE behind GPT-2's pattern, and nothing that would change a text: what "gpt2" and
 * "gpt-2" stand for. */
static int check_tokenizer(const nt_model *model) {
    const nt_tokenizer *t = model->tokenizer;
    const nt_bpe *bpe = &t->subword.bpe;
    if (t->subword.kind != NT_BPE || t->lane.kind != NT_SCAN_GPT2 || t->lane.add_prefix_space ||
        t->normalizers.n || bpe->ignore_merges || !bpe->plain || t->truncation.on || t->padding.on)
        return refuse(model, "a tokenizer other than GPT-2's kind");
    for (size_t i = 0; i < t->added.n; i++) {
        const nt_added_token *added = &t->added.tokens[i];
        if (added->single_word || added->lstrip || added->rstrip)
            return refuse(model, "an added token with single_word, lstrip or rstrip");
    }
    return NT_OK;
}

/* Tokens before and behind a text: BOS, EOS or none. */
static int read_around(bool *bos, bool *eos, const nt_model *model) {
    const nt_tokenizer *t = model->tokenizer;
    bool before = true;
    *bos = *eos = false;
    for (size_t i = 0; t->post.templated && i < t->post.n_single; i++) {
        int32_t id = t->post.single[i].id;
        bool *side = before ? bos : eos;
        if (id == NT_TEMPLATE_A) {
            before = false;
        } else if (*side || id != (before ? t->bos : t->eos)) {
            return refuse(model, "a tokenizer's template of other tokens than BOS and EOS");
        } else {
            *side = true;
        }
    }
    return NT_OK;
}

enum token_type { NORMAL = 1, CONTROL = 3, USER_DEFINED = 4, UNUSED = 5 };

static void put_tokens(nt_buffer *out, const nt_tokenizer *t, int32_t V) {
    nt_gguf_put_array(out, "tokenizer.ggml.tokens", NT_GGUF_STRING, (uint64_t)V);
    for (int32_t id = 0; id < V; id++) {
        const nt_piece *piece = nt_lexicon_at(&t->lexicon, id);
        char unused[24];
        snprintf(unused, sizeof unused, "[PAD%d]", (int)id);
        if (piece) {
            nt_gguf_put_text(out, nt_piece_content(&t->lexicon, piece), piece->n_content);
        } else {
            nt_gguf_put_text(out, unused, strlen(unused));
        }
    }
    nt_gguf_put_array(out, "tokenizer.ggml.token_type", NT_GGUF_I32, (uint64_t)V);
    for (int32_t id = 0; id < V; id++) {
        const nt_piece *piece = nt_lexicon_at(&t->lexicon, id);
        const nt_added_token *added = piece ? nt_added_of(&t->added, piece) : NULL;
        nt_gguf_put_i32(out, !piece           ? UNUSED
                             : !added         ? NORMAL
                             : added->special ? CONTROL
                                              : USER_DEFINED);
    }
}

/* left << 32 | right of each rank; UINT64_MAX for a rank that no pair has. */
static uint64_t *pairs_by_rank(const nt_merges *merges) {
    uint64_t *pairs = nt_alloc(merges->n_ranks, sizeof *pairs);
    if (!pairs) return NULL;
    memset(pairs, 0xFF, merges->n_ranks * sizeof *pairs);
    for (size_t i = 0; merges->n_ranks && i <= merges->mask; i++) {
        uint64_t slot = merges->slots ? merges->slots[i] : merges->keys[i];
        if (slot == UINT64_MAX) continue;
        if (merges->slots) {
            uint64_t key = slot >> NT_PACKED_RANK_BITS;
            uint64_t left = key >> NT_PACKED_ID_BITS, right = key & ((1 << NT_PACKED_ID_BITS) - 1);
            pairs[slot & ((1 << NT_PACKED_RANK_BITS) - 1)] = left << 32 | right;
        } else {
            pairs[merges->ranks[i]] = slot;
        }
    }
    return pairs;
}

static int put_merges(nt_buffer *out, const nt_tokenizer *t) {
    const nt_merges *merges = &t->subword.bpe.merges;
    uint64_t *pairs = pairs_by_rank(merges), n = 0;
    if (!pairs) return NT_E_MEMORY;
    for (uint32_t i = 0; i < merges->n_ranks; i++)
        n += pairs[i] != UINT64_MAX;
    nt_gguf_put_array(out, "tokenizer.ggml.merges", NT_GGUF_STRING, n);
    nt_buffer merge = {0};
    for (uint32_t i = 0; i < merges->n_ranks; i++) {
        if (pairs[i] == UINT64_MAX) continue;
        const nt_piece *left = nt_lexicon_at(&t->lexicon, (int64_t)(pairs[i] >> 32));
        const nt_piece *right = nt_lexicon_at(&t->lexicon, (int64_t)(pairs[i] & UINT32_MAX));
        nt_buffer_clear(&merge);
        nt_buffer_put(&merge, nt_piece_content(&t->lexicon, left), left->n_content);
        nt_buffer_putc(&merge, ' ');
        nt_buffer_put(&merge, nt_piece_content(&t->lexicon, right), right->n_content);
        if (merge.status == NT_OK) nt_gguf_put_text(out, merge.data, merge.n);
    }
    int status = merge.status;
    nt_buffer_free(&merge);
    nt_free(pairs);
    return status;
}

static uint64_t put_role(nt_buffer *out, const char *key, int32_t id, int32_t V) {
    if (id < 0 || id >= V) return 0;
    nt_gguf_put_u32(out, key, (uint32_t)id);
    return 1;
}

static int put_tokenizer(nt_conversion *it, uint64_t *n_values) {
    nt_buffer *out = &it->header;
    const nt_model *model = it->model;
    const nt_tokenizer *t = model->tokenizer;
    int32_t V = model->network->config.V;
    bool bos, eos;
    if (!t) {
        nt_gguf_put_string(out, "tokenizer.ggml.model", "none", 4);
        *n_values += 1;
        return NT_OK;
    }
    NT_TRY(check_tokenizer(model));
    NT_TRY(read_around(&bos, &eos, model));
    nt_gguf_put_string(out, "tokenizer.ggml.model", "gpt2", 4);
    nt_gguf_put_string(out, "tokenizer.ggml.pre", "gpt-2", 5);
    put_tokens(out, t, V);
    NT_TRY(put_merges(out, t));
    *n_values += 5;
    *n_values += put_role(out, "tokenizer.ggml.bos_token_id", t->bos, V);
    *n_values += put_role(out, "tokenizer.ggml.eos_token_id", t->eos, V);
    *n_values += put_role(out, "tokenizer.ggml.padding_token_id", t->pad, V);
    nt_gguf_put_bool(out, "tokenizer.ggml.add_bos_token", bos);
    nt_gguf_put_bool(out, "tokenizer.ggml.add_eos_token", eos);
    *n_values += 2;
    return NT_OK;
}

int nt_convert_gguf_header(nt_conversion *it, const char *name) {
    nt_buffer *out = &it->header;
    nt_gguf_begin(out, it->n);
    uint64_t n_values = put_config(it, name), offset = 0;
    NT_TRY(put_tokenizer(it, &n_values));
    nt_gguf_end_values(out, n_values);
    for (size_t i = 0; i < it->n; i++) {
        nt_copy *copy = &it->copies[i];
        offset = (offset + NT_GGUF_ALIGNMENT - 1) / NT_GGUF_ALIGNMENT * NT_GGUF_ALIGNMENT;
        copy->offset = offset;
        nt_gguf_put_tensor(out, copy->name, copy->n_dims, copy->shape, copy->dtype, offset);
        offset += copy->n_bytes;
    }
    nt_gguf_put_padding(out);
    return out->status;
}
