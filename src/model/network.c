#include "model/network.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/memory.h"
#include "model/families/family.h"
#include "model/narrow.h"
#include "model/rotary.h"

enum { MAX_NAME = 96 };

/* The numbers of a tensor as float32 in the network's arena. */
static float *convert(nt_network *network, const nt_tensor *tensor) {
    float *copy = nt_arena_alloc(&network->arena, tensor->n_items, sizeof *copy);
    if (!copy) return NULL;
    if (tensor->dtype == NT_F32) {
        memcpy(copy, tensor->data, tensor->n_items * sizeof *copy);
    } else {
        for (size_t i = 0; i < tensor->n_items; i++)
            copy[i] = nt_dtype_load(tensor->data, tensor->dtype, i);
    }
    return copy;
}

static int place_matrix(nt_matrix *out, nt_network *network, const nt_tensor *tensor,
                        nt_layout layout) {
    bool in_out = layout == NT_IN_OUT;
    *out = (nt_matrix){.data = tensor->data,
                       .dtype = tensor->dtype,
                       .layout = layout,
                       .K = (size_t)tensor->shape[in_out ? 0 : 1],
                       .N = (size_t)tensor->shape[in_out ? 1 : 0]};
    bool aligned = (uintptr_t)tensor->data % nt_dtype_alignment(tensor->dtype) == 0;
    if (network->precision == NT_PRECISION_BF16) return NT_OK; /* nt_network_narrow has it */
    if (aligned && tensor->dtype != NT_F64) return NT_OK;
    out->data = convert(network, tensor);
    out->dtype = NT_F32;
    return out->data ? NT_OK : NT_E_MEMORY;
}

static void count(nt_network *network, const nt_tensor *tensor) {
    network->n_parameters += tensor->n_items;
    network->n_weight_bytes += nt_dtype_bytes(tensor->dtype, tensor->n_items);
}

/* Fetches the tensor of one slot into a struct of the network; `within` is "" or "h.N.". */
static int load_slot(nt_network *network, void *into, const nt_slot *slot, const char *within) {
    char name[MAX_NAME];
    snprintf(name, sizeof name, "%s%s%s", network->prefix, within, slot->name);
    int n_dims = slot->dims[1] ? 2 : 1;
    nt_layout layout = nt_tensors_out_in(network->tensors) ? NT_OUT_IN : slot->layout;
    bool turned = n_dims == 2 && layout != slot->layout;
    int64_t shape[2] = {nt_family_size(&network->config, slot->dims[turned ? 1 : 0]),
                        nt_family_size(&network->config, slot->dims[turned ? 0 : 1])};
    const nt_tensor *tensor;
    NT_TRY(nt_tensors_get(&tensor, network->tensors, name, n_dims, shape));
    count(network, tensor);
    char *place = (char *)into + slot->offset;
    if (n_dims == 2) return place_matrix((nt_matrix *)(void *)place, network, tensor, layout);
    const float *vector = convert(network, tensor);
    if (!vector) return NT_E_MEMORY;
    memcpy(place, &vector, sizeof vector);
    return NT_OK;
}

static int load_blocks(nt_network *network) {
    const nt_family *family = network->family;
    size_t L = (size_t)network->config.L;
    network->blocks = nt_arena_alloc(&network->arena, L, sizeof *network->blocks);
    if (!network->blocks) return NT_E_MEMORY;
    for (size_t layer = 0; layer < L; layer++) {
        char within[MAX_NAME / 2];
        snprintf(within, sizeof within, "%s%zu.", family->layers, layer);
        for (size_t i = 0; i < family->n_block; i++)
            if (nt_slot_wanted(&family->block[i], &network->config))
                NT_TRY(load_slot(network, &network->blocks[layer], &family->block[i], within));
    }
    return NT_OK;
}

/* The table of embeddings, as the file names it. */
static void name_of_embeddings(char name[MAX_NAME], const nt_network *network) {
    snprintf(name, MAX_NAME, "%s%s", network->prefix, network->family->globals[0].name);
}

/* The name of the file's own head; NULL where it has none. */
static const char *own_head(const nt_network *network) {
    const char *const *head = network->family->heads;
    while (*head && !nt_tensors_has(network->tensors, *head))
        head++;
    return *head;
}

/* The head: the file's own where it has one, as transformers does even when the config says tied;
 * else the embedding table. */
static int load_head(nt_network *network, const char *path) {
    const nt_config *config = &network->config;
    const char *head = own_head(network);
    if (!head) {
        if (!config->tied)
            return nt_fail(NT_E_FORMAT,
                           "%s: %s [%d, %d] is missing although config.json has "
                           "tie_word_embeddings false; add the tensor, or set it to true",
                           path, network->family->heads[0], (int)config->V, (int)config->D);
        network->tied = true;
        network->head = network->wte;
        return NT_OK;
    }
    const nt_tensor *own, *wte;
    char name[MAX_NAME];
    int64_t shape[2] = {config->V, config->D};
    name_of_embeddings(name, network);
    NT_TRY(nt_tensors_get(&own, network->tensors, head, 2, shape));
    NT_TRY(nt_tensors_get(&wte, network->tensors, name, 2, shape));
    network->tied = config->tied && own->dtype == wte->dtype &&
                    memcmp(own->data, wte->data, nt_dtype_bytes(own->dtype, own->n_items)) == 0;
    if (network->tied) {
        network->head = network->wte;
        return NT_OK;
    }
    count(network, own);
    return place_matrix(&network->head, network, own, NT_OUT_IN);
}

static int refuse_strangers(const nt_network *network, const char *path) {
    const nt_family *family = network->family;
    const char *name, *prefix = network->prefix;
    for (size_t i = 0; (name = nt_tensors_name(network->tensors, i)) != NULL; i++) {
        if (nt_family_classify(family, &network->config, prefix, name) != NT_KIND_UNKNOWN) continue;
        return nt_fail(NT_E_FORMAT,
                       "%s: tensor %.200s is no part of a %s network with n_layer %d; expected "
                       "names are %s%s, %s%s0 to %s%s%d and %s",
                       path, name, family->type, (int)network->config.L, prefix,
                       family->globals[0].name, prefix, family->layers, prefix, family->layers,
                       (int)network->config.L - 1, family->heads[0]);
    }
    return NT_OK;
}

/* A fine-tune whose head is not a language model's. transformers would put the embeddings in the
 * head's place, warn, and give logits that nobody trained. */
static int refuse_other_heads(const nt_network *network, const char *path) {
    const nt_family *family = network->family;
    const char *name = NULL;
    const nt_other_head *head = NULL;
    for (size_t i = 0; !head && (name = nt_tensors_name(network->tensors, i)) != NULL; i++)
        head = nt_family_other_head(family, name, NULL);
    if (!head && !own_head(network))
        head = nt_family_other_head(family, NULL, network->config.architecture);
    if (!head) return NT_OK;
    return nt_fail(NT_E_UNSUPPORTED,
                   "%s is %s that was tuned for %s (%s): its head, %s, does not say what comes "
                   "next; use transformers for it, or the language model that it was made from",
                   path, family->title, head->task, head->architecture, name ? name : head->name);
}

/* The first of the family's prefixes under which the file has a table of embeddings. Others, such
 * as "module." of DataParallel, are told: transformers finds no weights behind them either. */
static int find_prefix(nt_network *network, const char *path) {
    const char *const *prefixes = network->family->prefixes;
    const char *table = network->family->globals[0].name, *name;
    for (const char *const *prefix = prefixes; *prefix; prefix++) {
        network->prefix = *prefix;
        char full[MAX_NAME];
        name_of_embeddings(full, network);
        if (nt_tensors_has(network->tensors, full)) return NT_OK;
    }
    network->prefix = prefixes[0];
    for (size_t i = 0; (name = nt_tensors_name(network->tensors, i)) != NULL; i++) {
        size_t n = strlen(name), n_table = strlen(table);
        if (n <= n_table || strcmp(name + n - n_table, table) != 0) continue;
        return nt_fail(NT_E_FORMAT,
                       "%s: its names begin with \"%.*s\" (%.200s), where transformers finds none: "
                       "take that off, so that this one is %s%s",
                       path, (int)(n - n_table < 100 ? n - n_table : 100), name, name,
                       prefixes[0][0] ? prefixes[0] : prefixes[1], table);
    }
    return NT_OK;
}

/* Positions count from the row of the table that is position 0's. */
static void skip_positions(nt_network *network) {
    size_t skipped = (size_t)network->config.position_offset;
    nt_matrix *wpe = &network->wpe;
    if (!skipped) return;
    wpe->data = (const char *)wpe->data + nt_dtype_bytes(wpe->dtype, skipped * wpe->K);
    wpe->N -= skipped;
}

static int load(nt_network *network, const char *path) {
    const nt_family *family = network->family = nt_family_of(network->config.type);
    if (!family) {
        return nt_fail(NT_E_UNSUPPORTED, "%s: model_type %s has no table of tensors here", path,
                       network->config.type);
    }
    NT_TRY(refuse_other_heads(network, path));
    NT_TRY(find_prefix(network, path));
    network->fused = family->fused;
    for (size_t i = 0; i < family->n_globals; i++)
        NT_TRY(load_slot(network, network, &family->globals[i], ""));
    network->stored = network->wte.dtype;
    skip_positions(network);
    NT_TRY(nt_rotary_frequencies(&network->frequencies, &network->config, &network->arena));
    NT_TRY(load_blocks(network));
    NT_TRY(load_head(network, path));
    NT_TRY(refuse_strangers(network, path));
    return network->precision == NT_PRECISION_BF16 ? nt_network_narrow(network) : NT_OK;
}

/* Of a GGUF file, whose vocabulary is as large as its table of embeddings. */
static int read_metadata(nt_config *out, const nt_tensors *tensors, const char *path) {
    static const char table[] = "wte.weight";
    const nt_gguf *gguf = nt_tensors_gguf(tensors);
    const nt_tensor *wte;
    nt_buffer json = {0};
    NT_TRY(nt_gguf_check(gguf));
    if (!nt_tensors_has(tensors, table))
        return nt_fail(NT_E_FORMAT, "%.400s lacks the tensor token_embd.weight", path);
    wte = nt_tensors_find(tensors, table);
    if (!wte) return nt_tensors_get(&wte, tensors, table, 0, NULL); /* of a type that we lack */
    if (wte->n_dims != 2)
        return nt_fail(NT_E_FORMAT, "%.400s: token_embd.weight must have 2 dimensions and has %d",
                       path, wte->n_dims);
    int status = nt_gguf_config(&json, gguf, wte->shape[0]);
    if (status == NT_OK) status = nt_config_parse(out, json.data, json.n, path);
    nt_buffer_free(&json);
    return status;
}

/* What a folder has in place of a model is told before its config.json is missed. */
static int fail_without_config(const nt_tensors *tensors, const char *path) {
    nt_tensors *of_folder = NULL;
    if (!tensors) NT_TRY(nt_tensors_open(&of_folder, path));
    nt_tensors_free(of_folder);
    return nt_fail(
        NT_E_NOT_FOUND,
        "%.400s comes without config.json, which says what model its weights are of: get "
        "that file from where they are from, into the same folder",
        path);
}

static int read_config(nt_config *out, const nt_tensors *tensors, const char *path) {
    if (tensors && nt_tensors_gguf(tensors)) return read_metadata(out, tensors, path);
    char *folder = nt_path_home(path);
    char *name = folder ? nt_path_join(folder, "config.json") : NULL;
    int status = name ? NT_OK : NT_E_MEMORY;
    if (name && nt_file_look(name) == NT_FILE_NONE)
        status = fail_without_config(tensors, path);
    else if (name)
        status = nt_config_read(out, name);
    nt_free(name);
    nt_free(folder);
    return status;
}

/* Puts config and tensors, once they are there, in their places; gives all back when it fails. */
static int finish(nt_network **out, nt_network *network, int status, const char *path) {
    if (status == NT_OK) status = load(network, path);
    if (status != NT_OK) {
        nt_network_free(network);
        return status;
    }
    *out = network;
    return NT_OK;
}

/* One with nothing in it, for a mode; NULL when memory ends. */
static nt_network *begin(nt_precision precision) {
    nt_network *network = nt_alloc(1, sizeof *network);
    if (network) network->precision = precision == NT_PRECISION_AUTO ? NT_PRECISION_F32 : precision;
    return network;
}

int nt_network_open(nt_network **out, const char *folder_or_file, nt_precision precision) {
    *out = NULL;
    nt_file_kind kind = nt_file_look(folder_or_file);
    if (kind == NT_FILE_NONE)
        return nt_fail(NT_E_NOT_FOUND, "%s: no such file or folder", folder_or_file);
    nt_network *network = begin(precision);
    if (!network) return NT_E_MEMORY;
    int status = NT_OK;
    /* A file that is no checkpoint is told as such, before a config.json beside it is missed. */
    if (kind != NT_FILE_FOLDER) status = nt_tensors_open(&network->tensors, folder_or_file);
    if (status == NT_OK) status = read_config(&network->config, network->tensors, folder_or_file);
    if (status == NT_OK && kind == NT_FILE_FOLDER)
        status = nt_tensors_open(&network->tensors, folder_or_file);
    return finish(out, network, status, folder_or_file);
}

int nt_network_parse(nt_network **out, nt_map config, nt_map tensors, const char *name,
                     nt_precision precision) {
    *out = NULL;
    nt_network *network = begin(precision);
    if (!network) return NT_E_MEMORY;
    int status = nt_config_parse(&network->config, (const char *)config.data, config.n, name);
    if (status == NT_OK)
        status = nt_tensors_parse(&network->tensors, tensors.data, tensors.n, name);
    return finish(out, network, status, name);
}

void nt_network_free(nt_network *network) {
    if (!network) return;
    nt_tensors_free(network->tensors);
    nt_arena_free(&network->arena);
    nt_free(network->halves);
    nt_free(network);
}

int nt_network_check_finite(const nt_network *network) {
    const nt_tensor *tensor;
    for (size_t i = 0; (tensor = nt_tensors_at(network->tensors, i)) != NULL; i++) {
        if (nt_family_classify(network->family, &network->config, network->prefix, tensor->name) !=
            NT_KIND_WEIGHT)
            continue;
        for (size_t k = 0; k < tensor->n_items; k++) {
            float value = nt_dtype_load(tensor->data, tensor->dtype, k);
            if (isfinite(value)) continue;
            return nt_fail(NT_E_NUMERIC,
                           "%s: tensor %s holds %s at index %zu of %zu; the file is broken, get "
                           "it again",
                           tensor->file, tensor->name, isnan(value) ? "NaN" : "infinity", k,
                           (size_t)tensor->n_items);
        }
    }
    return NT_OK;
}

size_t nt_precision_terms(nt_precision precision) {
    switch (precision) {
    case NT_PRECISION_F32_AMX: return 3;
    case NT_PRECISION_BF16: return 1;
    default: return 0;
    }
}
