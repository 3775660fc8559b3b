// llama.cpp from a cold process, without Python's start: opens MODEL, runs the prompt, prints NEW
// greedy ids. usage: llama_first MODEL THREADS FLOAT32_CACHE NEW ID...
#include "llama.h"

#include <stdio.h>
#include <stdlib.h>

static void quiet(enum ggml_log_level level, const char *text, void *data) {
    (void)level, (void)text, (void)data;
}

static llama_token best(struct llama_context *context, int n_vocab) {
    const float *logits = llama_get_logits_ith(context, -1);
    llama_token id = 0;
    for (int i = 1; i < n_vocab; i++)
        if (logits[i] > logits[id]) id = i;
    return id;
}

int main(int n, char **words) {
    if (n < 6) return 2;
    llama_log_set(quiet, NULL);
    llama_backend_init();
    struct llama_model *model = llama_model_load_from_file(words[1], llama_model_default_params());
    if (!model) return 1;
    int n_ids = n - 5, new_ids = atoi(words[4]),
        n_vocab = llama_vocab_n_tokens(llama_model_get_vocab(model));
    struct llama_context_params params = llama_context_default_params();
    params.n_ctx = (uint32_t)((n_ids + new_ids + 63) / 64 * 64);
    params.n_threads = params.n_threads_batch = atoi(words[2]);
    params.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_ENABLED;
    params.type_k = params.type_v = atoi(words[3]) ? GGML_TYPE_F32 : GGML_TYPE_F16;
    struct llama_context *context = llama_init_from_model(model, params);
    llama_token *ids = calloc((size_t)n_ids, sizeof *ids);
    if (!context || !ids) return 1;
    for (int i = 0; i < n_ids; i++)
        ids[i] = atoi(words[5 + i]);
    for (int i = 0; i < new_ids; i++) {
        if (llama_decode(context, llama_batch_get_one(ids, i ? 1 : n_ids)) != 0) return 1;
        ids[0] = best(context, n_vocab);
        printf("%d\n", ids[0]);
    }
    return fflush(stdout);
}
