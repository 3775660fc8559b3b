/* Models and sessions: where a checkpoint's weights, its tokenizer and the forward pass meet. */
#include "nextoken.h"

#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/options.h"
#include "builtin/builtin.h"
#include "decode/options/options.h"
#include "hub/hub.h"
#include "text/tokenizer.h"
#include "wiring.h"

#define TEXT_OF(x) #x
#define VERSION(major, minor, patch) TEXT_OF(major) "." TEXT_OF(minor) "." TEXT_OF(patch)

enum { MAX_CONFIG_BYTES = 16 << 20, MOST_CACHED = 256 << 20 };

const char *nt_version(void) {
    return VERSION(NT_VERSION_MAJOR, NT_VERSION_MINOR, NT_VERSION_PATCH);
}

nt_callbacks nt_without_progress(const nt_callbacks *callbacks) {
    nt_callbacks rest = NT_CALLBACKS_INIT;
    if (callbacks) rest = *callbacks;
    rest.progress = NULL;
    return rest;
}

static void span_progress(void *payload, const char *what, uint64_t done, uint64_t total) {
    const nt_stages *span = payload;
    (void)total;
    span->outer->progress(span->outer->payload, what, span->done + done, span->total);
}

static int span_cancel(void *payload) {
    const nt_stages *span = payload;
    return span->outer->cancel(span->outer->payload);
}

/* A pass only tells progress and asks whether to stop. */
nt_callbacks nt_stages_callbacks(nt_stages *span) {
    nt_callbacks callbacks = NT_CALLBACKS_INIT;
    callbacks.payload = span;
    if (span->outer && span->outer->progress) callbacks.progress = span_progress;
    if (span->outer && span->outer->cancel) callbacks.cancel = span_cancel;
    return callbacks;
}

/* ---- Models ---- */

static const char *vocab_bytes(const void *self, int32_t id, size_t *n) {
    return nt_tokenizer_bytes(self, id, n);
}

static bool vocab_special(const void *self, int32_t id) {
    return nt_tokenizer_is_special(self, id);
}

static int has_file(bool *there, const char *folder, const char *name) {
    char *path = nt_path_join(folder, name);
    *there = path && nt_file_look(path) != NT_FILE_NONE;
    nt_free(path);
    return path ? NT_OK : NT_E_MEMORY;
}

/* path: NULL for GPT-2's own. */
static int take_tokenizer(nt_model *model, const char *path, nt_reading reading) {
    nt_tokenizer_options options = NT_TOKENIZER_OPTIONS_INIT;
    options.reading = reading;
    NT_TRY(path ? nt_tokenizer_open_with(&model->tokenizer, path, &options)
                : nt_tokenizer_gpt2(&model->tokenizer));
    model->vocab = (nt_vocab){model->tokenizer, vocab_bytes, vocab_special};
    return NT_OK;
}

/* A folder without a tokenizer is a model for ids; one with a broken tokenizer is an error. */
static int open_tokenizer(nt_model *model, const char *folder, nt_reading reading) {
    bool there;
    NT_TRY(has_file(&there, folder, "tokenizer.json"));
    if (!there) NT_TRY(has_file(&there, folder, "vocab.json"));
    return there ? take_tokenizer(model, folder, reading) : NT_OK;
}

/* The tokenizer of a GGUF file, for V ids; a file without one is a model for ids. */
static int gguf_tokenizer(nt_model *model, const nt_gguf *gguf, int64_t V) {
    nt_buffer json = {0};
    nt_gguf_roles roles;
    bool there;
    char *bytes;
    size_t n;
    int status = nt_gguf_tokenizer(&there, &json, &roles, gguf, V);
    if (status != NT_OK || !there) {
        nt_buffer_free(&json);
        return status;
    }
    NT_TRY(nt_buffer_take(&bytes, &n, &json));
    NT_TRY(nt_tokenizer_take(&model->tokenizer, bytes, n, gguf->file, roles.bos, roles.eos,
                             roles.pad));
    model->vocab = (nt_vocab){model->tokenizer, vocab_bytes, vocab_special};
    return NT_OK;
}

/* GPT2Config's own EOS counts where a checkpoint has no generation_config.json; ids that this
 * vocabulary lacks can never come up. */
static void default_eos(nt_model *model) {
    const nt_config *config = &model->network->config;
    size_t n = 0;
    for (size_t i = 0; i < config->n_eos; i++) {
        if (config->eos[i] < config->V) model->eos[n++] = config->eos[i];
    }
    if (model->defaults.eos_token_id || n == 0) return;
    model->defaults.eos_token_id = model->eos;
    model->defaults.n_eos_token_id = n;
}

/* The file's object as defaults; `path` for messages. */
static int take_defaults(nt_model *model, const json_t *object, const char *path) {
    int32_t V = model->network->config.V;
    int64_t bos = model->bos;
    NT_TRY(nt_json_int(&bos, object, "bos_token_id", 0, INT32_MAX, path));
    model->bos = bos < V ? (int32_t)bos : -1;
    return nt_options_from_config(&model->defaults, &model->defaults_note, object, path, (size_t)V);
}

/* generation_config.json, or the generation fields of an older config.json, as defaults. */
static int read_defaults(nt_model *model, const char *folder) {
    bool own_file;
    NT_TRY(has_file(&own_file, folder, "generation_config.json"));
    char *path = nt_path_join(folder, own_file ? "generation_config.json" : "config.json");
    if (!path) return NT_E_MEMORY;
    json_t *object;
    int status = nt_json_read(&object, path, MAX_CONFIG_BYTES);
    if (status == NT_OK) {
        status = take_defaults(model, object, path);
        if (status == NT_OK && !own_file) default_eos(model);
        json_decref(object);
    }
    nt_free(path);
    return status;
}

static int fill_network(nt_model *model, const char *path, nt_reading reading) {
    char *folder = nt_path_home(path);
    if (!folder) return NT_E_MEMORY;
    int status = nt_network_open(&model->network, path, model->precision);
    const nt_gguf *gguf = status == NT_OK ? nt_tensors_gguf(model->network->tensors) : NULL;
    if (status == NT_OK) {
        model->bos = model->network->config.bos;
        model->n_vocab = model->network->config.V;
        status = gguf ? gguf_tokenizer(model, gguf, model->n_vocab)
                      : open_tokenizer(model, folder, reading);
    }
    if (gguf && status == NT_OK) default_eos(model);
    if (!gguf && status == NT_OK) status = read_defaults(model, folder);
    nt_free(folder);
    return status;
}

/* The checkpoint that is built in: what fill_network reads from a folder, from the program. */
static int fill_builtin(nt_model *model, const nt_builtin *files) {
    json_t *object;
    NT_TRY(nt_network_parse(&model->network, files->config, files->tensors, model->path,
                            model->precision));
    model->bos = model->network->config.bos;
    model->n_vocab = model->network->config.V;
    NT_TRY(take_tokenizer(model, NULL, NT_READ_FILE));
    NT_TRY(nt_json_parse(&object, (const char *)files->generation.data, files->generation.n,
                         model->path));
    int status = take_defaults(model, object, model->path);
    json_decref(object);
    return status;
}

/* A GGUF file's tokenizer alone. */
static int fill_gguf_tokenizer(nt_model *model, const char *path) {
    nt_tensors *tensors;
    NT_TRY(nt_tensors_open(&tensors, path));
    const nt_gguf *gguf = nt_tensors_gguf(tensors);
    int status = NT_OK;
    if (!gguf) status = nt_fail(NT_E_FORMAT, "%.400s is no GGUF file, as its name says", path);
    if (status == NT_OK) status = gguf_tokenizer(model, gguf, INT32_MAX);
    if (status == NT_OK && !model->tokenizer)
        status = nt_fail(NT_E_NOT_FOUND, "%.400s holds no tokenizer", path);
    nt_tensors_free(tensors);
    return status;
}

/* Whether a path is a checkpoint's file by its name. */
static bool is_weights(const char *path) {
    static const char *const ends[] = {".safetensors", ".bin", ".safetensors.index.json",
                                       ".bin.index.json"};
    size_t n = strlen(path);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        size_t n_end = strlen(ends[i]);
        if (n > n_end && strcmp(path + n - n_end, ends[i]) == 0) return true;
    }
    return false;
}

/* A checkpoint's file stands for its folder, a tokenizer.json and a GGUF file for themselves. */
static int fill_tokenizer(nt_model *model, const char *path, nt_reading reading) {
    model->bos = -1;
    const char *dot = path ? strrchr(path, '.') : NULL;
    if (dot && strcmp(dot, ".gguf") == 0) {
        NT_TRY(fill_gguf_tokenizer(model, path));
        model->n_vocab = (int32_t)nt_tokenizer_size(model->tokenizer);
        return NT_OK;
    }
    char *folder = path && is_weights(path) ? nt_path_home(path) : NULL;
    int status = take_tokenizer(model, folder ? folder : path, reading);
    nt_free(folder);
    NT_TRY(status);
    model->n_vocab = (int32_t)nt_tokenizer_size(model->tokenizer);
    return NT_OK;
}

/* A model of the hub: the folder that its cache has it in. */
static int fill_named(nt_model *model, const char *name, const nt_model_options *options) {
    char *folder;
    bool only = options->tokenizer_only;
    NT_TRY(nt_hub_resolve(&folder, name, only ? NT_HUB_TOKENIZER : NT_HUB_MODEL, options->hub));
    int status = only ? fill_tokenizer(model, folder, options->reading)
                      : fill_network(model, folder, options->reading);
    nt_free(folder);
    return status;
}

static int fill_model(nt_model *model, const char *path, const nt_model_options *options) {
    nt_builtin files;
    bool tales = path ? strcmp(path, NT_BUILTIN_NAME) == 0 : !options->tokenizer_only;
    const char *name = tales ? NT_BUILTIN_NAME : path ? path : "gpt2 (built in)";
    if (tales && !nt_builtin_files(&files)) {
        return nt_fail(NT_E_UNSUPPORTED, "this build carries no model (" NT_BUILTIN_NAME
                                         " was left out of it): name another");
    }
    model->path = nt_alloc(strlen(name) + 1, 1);
    if (!model->path) return NT_E_MEMORY;
    strcpy(model->path, name);
    model->built_in = tales;
    NT_TRY(nt_cpu_isa(&model->isa));
    if (path && !tales) NT_TRY(nt_hub_check_path(path));
    if (path && !tales && !nt_hub_is_path(path)) {
        NT_TRY(fill_named(model, path, options));
    } else if (options->tokenizer_only) {
        NT_TRY(fill_tokenizer(model, tales ? NULL : path, options->reading));
    } else {
        NT_TRY(tales ? fill_builtin(model, &files) : fill_network(model, path, options->reading));
    }
    if (model->bos < 0) model->bos = nt_tokenizer_bos(model->tokenizer);
    return NT_OK;
}

const char *nt_builtin_model(void) {
    nt_builtin files;
    return nt_builtin_files(&files) ? NT_BUILTIN_NAME : NULL;
}

int nt_model_open(nt_model **out, const char *path, const nt_model_options *given) {
    *out = NULL;
    nt_model_options options = NT_MODEL_OPTIONS_INIT;
    NT_TRY(nt_take_options(&options, sizeof options, given, "nt_model_options"));
    nt_precision precision = options.precision;
    if ((int)precision < NT_PRECISION_AUTO || precision > NT_PRECISION_BF16) {
        return nt_fail(NT_E_ARGUMENT,
                       "precision %d is not one of this version's (auto, f32, f32-amx, bf16)",
                       (int)precision);
    }
    NT_TRY(nt_cpu_check_terms(nt_precision_terms(precision)));
    nt_model *model = nt_alloc(1, sizeof *model);
    if (!model) return NT_E_MEMORY;
    model->precision = precision;
    model->defaults = (nt_generate_options)NT_GENERATE_OPTIONS_INIT;
    int status = fill_model(model, path, &options);
    if (status != NT_OK) {
        nt_model_free(model);
        return status;
    }
    *out = model;
    return NT_OK;
}

void nt_model_free(nt_model *model) {
    if (!model) return;
    nt_network_free(model->network);
    nt_tokenizer_free(model->tokenizer);
    nt_generate_options_clear(&model->defaults);
    nt_buffer_free(&model->defaults_note);
    nt_free(model->path);
    nt_free(model);
}

const nt_tokenizer *nt_model_tokenizer(const nt_model *model) {
    return model->tokenizer;
}

int nt_need_network(const nt_model *model) {
    if (model->network) return NT_OK;
    return nt_fail(NT_E_ARGUMENT, "%s was opened for its tokenizer only", model->path);
}

const char *nt_model_precision(const nt_model *model) {
    switch (model->network ? model->network->precision : NT_PRECISION_F32) {
    case NT_PRECISION_BF16: return "bf16";
    case NT_PRECISION_F32_AMX: return "f32-amx";
    default: return "f32";
    }
}

int nt_model_get_info(nt_model_info *info, const nt_model *model) {
    NT_TRY(nt_need_network(model));
    const nt_network *network = model->network;
    const nt_config *config = &network->config;
    const nt_model_info all = {
        .size = info->size,
        .path = model->path,
        .architecture = config->type,
        .precision = nt_model_precision(model),
        .isa = model->isa,
        .activation = config->activation_name,
        .n_parameters = network->n_parameters,
        .n_weight_bytes = network->n_weight_bytes,
        .n_vocab = config->V,
        .n_context = config->T,
        .n_embd = config->D,
        .n_layer = config->L,
        .n_head = config->H,
        .n_inner = config->F,
        .tied = network->tied,
        .built_in = model->built_in,
        .n_copied_bytes = network->n_halves * sizeof *network->halves,
    };
    if (info->size < sizeof(size_t)) {
        return nt_fail(NT_E_ARGUMENT, "nt_model_info: set size to sizeof(nt_model_info) first");
    }
    memcpy(info, &all, info->size < sizeof all ? info->size : sizeof all);
    return NT_OK;
}

/* ---- Sessions ---- */

int nt_session_new(nt_session **out, const nt_model *model, const nt_session_options *given) {
    *out = NULL;
    nt_session_options options = NT_SESSION_OPTIONS_INIT;
    NT_TRY(nt_take_options(&options, sizeof options, given, "nt_session_options"));
    NT_TRY(nt_need_network(model));
    int threads = options.threads;
    if (threads < 0 || threads > 1024) {
        return nt_fail(NT_E_ARGUMENT, "threads is %d; it must lie in 0 .. 1024", threads);
    }
    nt_session *session = nt_alloc(1, sizeof *session);
    if (!session) return NT_E_MEMORY;
    session->model = model;
    session->most_cached = MOST_CACHED;
    int status = nt_runner_new(&session->runner, model->network, threads);
    if (status != NT_OK) {
        nt_session_free(session);
        return status;
    }
    *out = session;
    return NT_OK;
}

void nt_session_free(nt_session *session) {
    if (!session) return;
    nt_runner_free(session->runner);
    nt_lexis_free(session->lexis);
    nt_free(session->logits);
    nt_free(session);
}

int nt_session_lexis(const nt_lexis **out, nt_session *session) {
    const nt_model *model = session->model;
    if (!session->lexis) {
        const nt_generate_options *defaults = &model->defaults;
        size_t n = defaults->n_eos_token_id;
        int32_t *eos = nt_alloc(n + 1, sizeof *eos);
        if (!eos) return NT_E_MEMORY;
        if (n) memcpy(eos, defaults->eos_token_id, n * sizeof *eos);
        eos[n] = nt_tokenizer_eos(model->tokenizer);
        if (eos[n] >= 0 && eos[n] < model->network->config.V) n++;
        int status = nt_lexis_new(&session->lexis, model->tokenizer ? &model->vocab : NULL,
                                  (size_t)model->network->config.V, eos, n);
        nt_free(eos);
        NT_TRY(status);
    }
    *out = session->lexis;
    return NT_OK;
}

int nt_sequence_new(int32_t *sequence, nt_session *session) {
    return nt_kv_sequence_new(sequence, nt_runner_kv(session->runner));
}

int nt_sequence_fork(int32_t *child, nt_session *session, int32_t parent) {
    return nt_kv_fork(child, nt_runner_kv(session->runner), parent);
}

void nt_sequence_drop(nt_session *session, int32_t sequence) {
    if (!session) return;
    nt_kv *kv = nt_runner_kv(session->runner);
    if (nt_kv_exists(kv, sequence)) nt_kv_drop(kv, sequence);
}

size_t nt_sequence_length(const nt_session *session, int32_t sequence) {
    if (!session) return 0;
    const nt_kv *kv = nt_runner_kv(session->runner);
    return nt_kv_exists(kv, sequence) ? nt_kv_length(kv, sequence) : 0;
}

int nt_sequence_cut(nt_session *session, int32_t sequence, size_t length) {
    nt_kv *kv = nt_runner_kv(session->runner);
    if (!nt_kv_exists(kv, sequence))
        return nt_fail(NT_E_RANGE, "no sequence %d; make one first", (int)sequence);
    size_t n = nt_kv_length(kv, sequence);
    if (length > n) {
        return nt_fail(NT_E_RANGE, "sequence %d has %zu positions; it cannot be cut to %zu",
                       (int)sequence, n, length);
    }
    nt_kv_truncate(kv, sequence, length);
    if ((int64_t)length + nt_kv_shift(kv, sequence) < 0)
        nt_kv_set_shift(kv, sequence, -(int64_t)length);
    return NT_OK;
}

int nt_sequence_place(nt_session *session, int32_t sequence, size_t position) {
    nt_kv *kv = nt_runner_kv(session->runner);
    size_t most = (size_t)session->model->network->config.T;
    if (!nt_kv_exists(kv, sequence)) return nt_fail(NT_E_RANGE, "no sequence %d", (int)sequence);
    if (position >= most)
        return nt_fail(NT_E_CONTEXT, "position %zu is outside the model's context of %zu", position,
                       most);
    nt_kv_set_shift(kv, sequence, (int64_t)position - (int64_t)nt_kv_length(kv, sequence));
    return NT_OK;
}

int nt_session_set_edits(nt_session *session, const nt_edit *edits, size_t n_edits) {
    return nt_points_set_edits(nt_runner_points(session->runner), &session->model->network->config,
                               edits, n_edits);
}

int nt_session_set_captures(nt_session *session, const nt_capture *captures, size_t n_captures) {
    return nt_points_set_captures(nt_runner_points(session->runner),
                                  &session->model->network->config, captures, n_captures);
}

/* ---- Forward ---- */

int nt_copy_rows(void *payload, const nt_logits_row *rows, size_t n) {
    nt_rows_copy *copy = payload;
    for (size_t i = 0; i < n; i++, copy->logits += copy->V)
        memcpy(copy->logits, rows[i].logits, copy->V * sizeof *copy->logits);
    return NT_OK;
}

/* The first row whose logits are wanted. */
static size_t wanted_from(nt_want want, size_t n_ids) {
    return want == NT_WANT_ALL ? 0 : want == NT_WANT_LAST ? n_ids - 1 : n_ids;
}

/* What is asked of one sequence, as the runner takes it. */
static int take_forward(nt_input *out, const nt_forward_item *item) {
    nt_want want = item->want;
    if (want != NT_WANT_NOTHING && want != NT_WANT_LAST && want != NT_WANT_ALL)
        return nt_fail(NT_E_ARGUMENT, "nt_forward: there is no nt_want %d", (int)want);
    if (want != NT_WANT_NOTHING && !item->logits)
        return nt_fail(NT_E_ARGUMENT, "nt_forward: logits is NULL and logits are wanted");
    if (item->n_ids == 0) return nt_fail(NT_E_ARGUMENT, "nt_forward: no ids");
    if (item->sequence < 0)
        return nt_fail(NT_E_RANGE, "no sequence %d; make one first", (int)item->sequence);
    *out = (nt_input){.sequence = item->sequence,
                      .ids = item->ids,
                      .n_ids = item->n_ids,
                      .wanted = wanted_from(want, item->n_ids),
                      .padding = item->padding};
    return NT_OK;
}

int nt_forward(nt_session *session, int32_t sequence, const int32_t *ids, size_t n_ids,
               nt_want want, float *logits, const nt_callbacks *callbacks) {
    nt_forward_item item = {
        .sequence = sequence, .want = want, .ids = ids, .n_ids = n_ids, .logits = logits};
    nt_input input;
    NT_TRY(take_forward(&input, &item));
    nt_rows_copy copy = {logits, (size_t)session->model->network->config.V};
    return nt_runner_step(session->runner, &input, 1, nt_copy_rows, &copy, callbacks);
}

/* Where the rows of several inputs go. */
typedef struct nt_forward_rows {
    float **next; /* [n_inputs] the next row of each */
    size_t V;
} nt_forward_rows;

static int deal_rows(void *payload, const nt_logits_row *rows, size_t n) {
    nt_forward_rows *to = payload;
    for (size_t i = 0; i < n; i++) {
        float **next = &to->next[rows[i].input];
        memcpy(*next, rows[i].logits, to->V * sizeof **next);
        *next += to->V;
    }
    return NT_OK;
}

int nt_forward_many(nt_session *session, const nt_forward_item *items, size_t n_items,
                    const nt_callbacks *callbacks) {
    if (n_items == 0) return NT_OK;
    if (!items || items->size < sizeof *items)
        return nt_fail(NT_E_ARGUMENT, "nt_forward_item: set size to sizeof(nt_forward_item) first");
    nt_input *inputs = nt_alloc(n_items, sizeof *inputs);
    float **next = inputs ? nt_alloc(n_items, sizeof *next) : NULL;
    int status = next ? NT_OK : NT_E_MEMORY;
    for (size_t i = 0; i < n_items && status == NT_OK; i++) {
        const void *at = (const char *)items + i * items->size; /* may have later fields */
        const nt_forward_item *item = at;
        status = take_forward(&inputs[i], item);
        next[i] = item->logits;
    }
    if (status == NT_OK) {
        nt_forward_rows to = {next, (size_t)session->model->network->config.V};
        status = nt_runner_step(session->runner, inputs, n_items, deal_rows, &to, callbacks);
    }
    nt_free(next);
    nt_free(inputs);
    return status;
}

int nt_session_each_row(nt_session *session, const int32_t *ids, size_t n_ids, size_t wanted,
                        nt_logits_fn rows, void *payload, const nt_callbacks *callbacks) {
    nt_input input = {NT_ALONE, ids, n_ids, wanted, false};
    return nt_runner_step(session->runner, &input, 1, rows, payload, callbacks);
}
