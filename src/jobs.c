/* What jobs have in common: a prompt as ids, a trace with its heading; and what a model is, and how
 * a result is shown and saved. */
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/options.h"
#include "format/npz.h"
#include "nextoken.h"
#include "tensors.h"
#include "view/view.h"
#include "wiring.h"

double nt_now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

void nt_ids_free(nt_ids_of *e) {
    nt_free(e->ids);
    nt_free(e->starts);
    nt_free(e->ends);
}

static int put_bos_first(nt_ids_of *e, int32_t bos) {
    int32_t *ids = nt_resize(e->ids, e->n + 1, sizeof *ids);
    if (!ids) return NT_E_MEMORY;
    e->ids = ids;
    memmove(ids + 1, ids, e->n * sizeof *ids);
    ids[0] = bos;
    for (int i = 0; i < 2; i++) {
        size_t **offsets = i ? &e->ends : &e->starts;
        if (!*offsets) continue;
        size_t *bigger = nt_resize(*offsets, e->n + 1, sizeof *bigger);
        if (!bigger) return NT_E_MEMORY;
        memmove(bigger + 1, bigger, e->n * sizeof *bigger);
        bigger[0] = 0;
        *offsets = bigger;
    }
    e->n++;
    e->bos = true;
    return NT_OK;
}

int nt_need_tokenizer(const nt_model *model) {
    if (model->tokenizer) return NT_OK;
    return nt_fail(NT_E_UNSUPPORTED,
                   "%s has no tokenizer (tokenizer.json, or vocab.json and merges.txt): give token "
                   "ids instead of text",
                   model->path);
}

size_t nt_prompt_length(const nt_prompt *prompt) {
    return prompt->n_text == NT_ZERO_ENDED ? strlen(prompt->text) : prompt->n_text;
}

int nt_encode_prompt(nt_ids_of *out, const nt_model *model, const nt_prompt *prompt,
                     const nt_encode_options *options) {
    *out = (nt_ids_of){0};
    if (!prompt || (!prompt->ids && !prompt->text)) {
        return nt_fail(NT_E_ARGUMENT, "the prompt has neither a text nor ids");
    }
    if (prompt->size < sizeof prompt->size) {
        return nt_fail(NT_E_ARGUMENT, "nt_prompt: set size to sizeof(nt_prompt) first");
    }
    if (prompt->ids) {
        out->ids = nt_alloc(prompt->n_ids, sizeof *out->ids);
        if (!out->ids) return NT_E_MEMORY;
        memcpy(out->ids, prompt->ids, prompt->n_ids * sizeof *out->ids);
        out->n = prompt->n_ids;
        return NT_OK;
    }
    NT_TRY(nt_need_tokenizer(model));
    /* What runs the model sees all of the text: a file's truncation and padding are for training.
     */
    nt_encode_options encode = NT_ENCODE_OPTIONS_INIT;
    encode.truncation = encode.padding = -1;
    if (options) encode = *options;
    if (prompt->add_prefix_space) encode.add_prefix_space = 1;
    NT_TRY(nt_encode(&out->ids, &out->starts, &out->ends, &out->n, model->tokenizer, prompt->text,
                     nt_prompt_length(prompt), &encode));
    /* A BOS of the tokenizer's own making has no bytes in the text. */
    int32_t bos = nt_tokenizer_bos(model->tokenizer);
    out->bos = out->n > 0 && out->ids[0] == bos && out->ends[0] == 0;
    return NT_OK;
}

/* For jobs that run the model: BOS where it is asked for, or where there is nothing else. */
int nt_prompt_ids(nt_ids_of *out, const nt_model *model, const nt_prompt *prompt,
                  const nt_callbacks *callbacks) {
    NT_TRY(nt_encode_prompt(out, model, prompt, NULL));
    bool empty = out->n == 0;
    if (out->bos || (!empty && !prompt->add_bos)) return NT_OK;
    if (model->bos < 0) {
        return nt_fail(NT_E_ARGUMENT, "%s: the model has no BOS token to %s", model->path,
                       empty ? "start an empty prompt from" : "put before the text");
    }
    if (empty) {
        size_t n = 0;
        const char *name =
            model->tokenizer ? nt_tokenizer_bytes(model->tokenizer, model->bos, &n) : NULL;
        nt_note(callbacks, "empty prompt: starting from %s (id %d)", name ? name : "BOS",
                (int)model->bos);
    }
    return put_bos_first(out, model->bos);
}

/* A trace with heading and prompt; `finish` stamps the time. */
int nt_job_begin(nt_result **out, const nt_model *model, nt_result_kind kind, const nt_ids_of *e) {
    NT_TRY(nt_trace_new(out, kind, model->tokenizer ? &model->vocab : NULL));
    nt_result *trace = *out;
    trace->n_vocab = model->n_vocab;
    trace->bos = e && e->bos;
    NT_TRY(nt_trace_head(trace, model->path, nt_model_precision(model), model->isa));
    return e ? nt_trace_set_tokens(trace, e->ids, e->starts, e->ends, e->n) : NT_OK;
}

int nt_job_finish(nt_result **out, int status, double started) {
    if (status == NT_OK) {
        (*out)->milliseconds = nt_now_ms() - started;
    } else {
        nt_result_free(*out);
        *out = NULL;
    }
    return status;
}

/* ---- Info ---- */

/* GPT2Config's switches of the attention scale. */
static int add_scale_facts(nt_result *trace, const nt_config *c) {
    NT_TRY(nt_trace_fact_bool(trace, "scale_attn_weights", c->scale_attn_weights));
    NT_TRY(nt_trace_fact_bool(trace, "scale_attn_by_inverse_layer_idx", c->scale_by_inverse_layer));
    return nt_trace_fact_bool(trace, "reorder_and_upcast_attn", c->reorder_and_upcast_attn);
}

/* What only some families have. */
static int add_family_facts(nt_result *trace, const nt_config *c) {
    if (c->G != c->H) NT_TRY(nt_trace_fact_number(trace, "n_kv_head", c->G));
    if (c->H * (int64_t)c->E != c->D) NT_TRY(nt_trace_fact_number(trace, "head_dim", c->E));
    if (c->rope.n) {
        NT_TRY(nt_trace_fact_number(trace, "rotary_dims", 2 * c->rope.n));
        NT_TRY(nt_trace_fact_number(trace, "rope_theta", c->rope.theta));
    }
    if (c->window) NT_TRY(nt_trace_fact_number(trace, "window", c->window));
    if (c->parallel) NT_TRY(nt_trace_fact_bool(trace, "parallel_residual", true));
    return NT_OK;
}

static int add_facts(nt_result *trace, const nt_model *model) {
    const nt_network *network = model->network;
    const nt_config *c = &network->config;
    const struct {
        const char *key;
        double number;
    } numbers[] = {
        {"parameters", (double)network->n_parameters},
        {"weight_bytes", (double)network->n_weight_bytes},
        {"vocab_size", c->V},
        {"context", c->T},
        {"n_embd", c->D},
        {"n_layer", c->L},
        {"n_head", c->H},
        {"n_inner", c->F},
    };
    NT_TRY(nt_trace_fact_text(trace, "architecture", c->type));
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        NT_TRY(nt_trace_fact_number(trace, numbers[i].key, numbers[i].number));
    }
    NT_TRY(add_family_facts(trace, c));
    NT_TRY(nt_trace_fact_text(trace, "activation_function", c->activation_name));
    NT_TRY(nt_trace_fact_number(trace, c->rms ? "rms_norm_epsilon" : "layer_norm_epsilon", c->eps));
    if (strcmp(c->type, "gpt2") == 0) NT_TRY(add_scale_facts(trace, c));
    NT_TRY(nt_trace_fact_bool(trace, "tied_head", network->tied));
    NT_TRY(nt_trace_fact_bool(trace, "built_in", model->built_in));
    NT_TRY(nt_trace_fact_text(trace, "stored_as", nt_dtype_name(network->stored)));
    if (network->n_halves)
        NT_TRY(nt_trace_fact_number(trace, "copied_bytes",
                                    (double)(network->n_halves * sizeof *network->halves)));
    if (!model->tokenizer) return NT_OK;
    return nt_trace_fact_number(trace, "tokenizer_size",
                                (double)nt_tokenizer_size(model->tokenizer));
}

int nt_info(nt_result **out, const nt_model *model) {
    *out = NULL;
    NT_TRY(nt_need_network(model));
    int status = nt_job_begin(out, model, NT_RESULT_INFO, NULL);
    if (status == NT_OK) status = add_facts(*out, model);
    if (status == NT_OK) status = nt_tensors_groups(*out, model->network->tensors);
    status = nt_job_finish(out, status, 0);
    if (status == NT_OK) (*out)->milliseconds = 0; /* nothing ran */
    return status;
}

/* ---- Showing and saving ---- */

static int view(nt_buffer *text, const nt_result *result, const nt_view_options *given) {
    nt_view_options options = NT_VIEW_OPTIONS_INIT;
    NT_TRY(nt_take_options(&options, sizeof options, given, "nt_view_options"));
    if (options.width <= 0) options.width = 80;
    int status;
    switch (options.format) {
    case NT_TABLE: status = nt_view_table(text, result, &options); break;
    case NT_JSON: status = nt_view_json(text, result, &options); break;
    case NT_CSV:
    case NT_TSV: status = nt_view_csv(text, result, &options); break;
    case NT_HTML: status = nt_view_html(text, result, &options); break;
    case NT_SVG: status = nt_view_svg(text, result, &options); break;
    default: status = nt_fail(NT_E_ARGUMENT, "%d is no nt_format", (int)options.format);
    }
    return status == NT_OK ? text->status : status;
}

int nt_result_show(const nt_result *result, const nt_view_options *options, nt_write_fn write,
                   void *payload) {
    if (!result || !write) {
        return nt_fail(NT_E_ARGUMENT, "nt_result_show: result or write is NULL");
    }
    nt_buffer text = {0};
    int status = view(&text, result, options);
    if (status == NT_OK && write(payload, text.data, text.n) != 0) {
        status = nt_fail(NT_E_IO, "the output could not be written");
    }
    nt_buffer_free(&text);
    return status;
}

int nt_result_save(const nt_result *result, const nt_view_options *options, const char *path) {
    if (!result || !path) return nt_fail(NT_E_ARGUMENT, "nt_result_save: result or path is NULL");
    nt_buffer text = {0};
    int status = view(&text, result, options);
    if (status == NT_OK) status = nt_file_write(path, text.data, text.n);
    nt_buffer_free(&text);
    return status;
}

int nt_result_save_npz(const nt_result *result, const char *path) {
    if (!result || !path || result->n_tensors == 0) {
        return nt_fail(NT_E_ARGUMENT, "nt_result_save_npz: %s",
                       path ? "the result holds no arrays; take one of nt_inspect"
                            : "path is NULL");
    }
    nt_npz_array *arrays = nt_alloc(result->n_tensors, sizeof *arrays);
    if (!arrays) return NT_E_MEMORY;
    for (size_t i = 0; i < result->n_tensors; i++) {
        const nt_tensor_view *tensor = &result->tensors[i];
        arrays[i] = (nt_npz_array){.name = tensor->name, .data = tensor->data};
        arrays[i].n_dims = tensor->n_dims;
        memcpy(arrays[i].shape, tensor->shape, sizeof arrays[i].shape);
    }
    int status = nt_npz_write(path, arrays, result->n_tensors);
    nt_free(arrays);
    return status;
}
