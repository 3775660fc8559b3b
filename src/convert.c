/* nt_convert: a checkpoint in another format or at another width. Tensors go through one by one,
 * some rows at a time, from the mapped source to a file that gets its name when it is whole. */
#include "convert.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/options.h"
#include "format/gguf_names.h"
#include "hub/hub.h"
#include "model/families/family.h"

enum { PIECE = 1 << 20 }; /* bytes that are written at a time */

/* ---- What is written ------------------------------------------------------------------------- */

/* A tensor's name behind the checkpoint's prefix. */
static const char *plain_name(const nt_network *network, const char *name) {
    size_t n = strlen(network->prefix);
    return strncmp(name, network->prefix, n) == 0 ? name + n : name;
}

static nt_dtype dtype_of(nt_width width) {
    switch (width) {
    case NT_WIDTH_F16: return NT_F16;
    case NT_WIDTH_BF16: return NT_BF16;
    case NT_WIDTH_Q8_0: return NT_Q8_0;
    default: return NT_F32;
    }
}

/* In GGUF, as llama.cpp has it, vectors and positions are F32, and rows that are no whole blocks
 * F16; in safetensors all of a checkpoint has one width. */
static nt_dtype choose_dtype(const nt_conversion *it, const nt_tensor *from, const char *name,
                             int64_t row) {
    bool keep = it->width == NT_WIDTH_KEEP;
    nt_dtype wanted = keep ? from->dtype : dtype_of(it->width);
    if (it->gguf) {
        bool vector = from->n_dims < 2 || strcmp(name, "position_embd.weight") == 0;
        if (vector || wanted == NT_F64) return NT_F32;
        return row % (int64_t)nt_dtype_block(wanted) == 0 ? wanted : NT_F16;
    }
    return nt_dtype_block(wanted) > 1 ? NT_F32 : wanted;
}

static bool is_head(const nt_family *family, const char *plain) {
    for (const char *const *head = family->heads; *head; head++)
        if (strcmp(*head, plain) == 0) return true;
    return false;
}

/* The names that a file of this kind has: Hugging Face's, where only the head has no prefix, or
 * llama.cpp's. */
static int choose_name(nt_copy *copy, const nt_conversion *it, const char *plain) {
    const nt_network *network = it->model->network;
    bool head = is_head(network->family, plain);
    const char *prefix = nt_tensors_gguf(network->tensors) ? "transformer." : network->prefix;
    if (it->gguf && nt_gguf_name_of(copy->name, sizeof copy->name, plain)) return NT_OK;
    int n = snprintf(copy->name, sizeof copy->name, "%s%s", head ? "" : prefix, plain);
    if (!it->gguf && n < (int)sizeof copy->name) return NT_OK;
    return nt_fail(NT_E_UNSUPPORTED, "%.400s: tensor %.100s has no name in GGUF", it->model->path,
                   plain);
}

static int make_copy(nt_copy *copy, const nt_conversion *it, const nt_tensor *from) {
    const nt_network *network = it->model->network;
    const char *plain = plain_name(network, from->name);
    *copy = (nt_copy){.from = from, .n_dims = from->n_dims};
    NT_TRY(choose_name(copy, it, plain));
    copy->turned = nt_family_is_in_out(network->family, plain) &&
                   nt_tensors_out_in(network->tensors) != it->gguf;
    for (int i = 0; i < from->n_dims; i++)
        copy->shape[i] = from->shape[copy->turned ? 1 - i : i];
    int64_t row = from->n_dims ? copy->shape[from->n_dims - 1] : 1;
    copy->dtype = choose_dtype(it, from, copy->name, row);
    if (copy->dtype == NT_F64 && copy->turned) copy->dtype = NT_F32;
    copy->n_bytes = nt_dtype_bytes(copy->dtype, from->n_items);
    return NT_OK;
}

/* Every weight but masks, which are computed, and in GGUF a head that is the table of embeddings
 * again. The widest numbers come first: so all stay aligned. */
static int plan(nt_conversion *it) {
    const nt_network *network = it->model->network;
    size_t n = nt_tensors_count(network->tensors);
    it->copies = nt_alloc(n + 1, sizeof *it->copies); /* one is tried in */
    if (!it->copies) return NT_E_MEMORY;
    for (size_t size = 8; size >= 2; size /= 2) {
        for (size_t i = 0; i < n; i++) {
            const nt_tensor *from = nt_tensors_at(network->tensors, i);
            nt_copy *copy = &it->copies[it->n];
            if (nt_family_classify(network->family, &network->config, network->prefix,
                                   from->name) != NT_KIND_WEIGHT)
                continue;
            if (it->gguf && network->tied && strcmp(from->name, "lm_head.weight") == 0) continue;
            NT_TRY(make_copy(copy, it, from));
            size_t width = nt_dtype_block(copy->dtype) > 1 ? 2 : nt_dtype_size(copy->dtype);
            if (width != size) continue;
            it->n_bytes += copy->n_bytes;
            it->n++;
        }
    }
    return NT_OK;
}

/* The header of a safetensors file, and where the tensors lie. */
static int safetensors_header(nt_conversion *it) {
    nt_buffer *out = &it->header;
    uint64_t offset = 0, n_header = 0;
    nt_buffer_put(out, (const char *)&n_header, sizeof n_header);
    nt_buffer_puts(out, "{\"__metadata__\":{\"format\":\"pt\"}");
    for (size_t i = 0; i < it->n; i++) {
        nt_copy *copy = &it->copies[i];
        copy->offset = offset;
        offset += copy->n_bytes;
        nt_buffer_printf(out, ",\"%s\":{\"dtype\":\"%s\",\"shape\":[", copy->name,
                         nt_dtype_name(copy->dtype));
        for (int k = 0; k < copy->n_dims; k++)
            nt_buffer_printf(out, k ? ",%lld" : "%lld", (long long)copy->shape[k]);
        nt_buffer_printf(out, "],\"data_offsets\":[%llu,%llu]}", (unsigned long long)copy->offset,
                         (unsigned long long)offset);
    }
    nt_buffer_putc(out, '}');
    while (out->status == NT_OK && out->n % 8)
        nt_buffer_putc(out, ' ');
    NT_TRY(out->status);
    n_header = out->n - 8;
    memcpy(out->data, &n_header, sizeof n_header);
    return NT_OK;
}

/* ---- Writing --------------------------------------------------------------------------------- */

static int fail_writing(const nt_conversion *it) {
    int reason = errno;
    return nt_fail(NT_E_IO, "cannot write %.600s: %s", it->path, strerror(reason));
}

static int write_at(const nt_conversion *it, int fd, uint64_t at, const void *bytes, size_t n) {
    const char *next = bytes;
    while (n > 0) {
        ssize_t some = pwrite(fd, next, n, (off_t)at);
        if (some < 0 && errno == EINTR) continue;
        if (some <= 0) return fail_writing(it);
        next += some;
        at += (uint64_t)some;
        n -= (size_t)some;
    }
    return NT_OK;
}

static int tell(nt_conversion *it, uint64_t n) {
    const nt_callbacks *callbacks = it->callbacks;
    it->done += n;
    if (callbacks && callbacks->progress)
        callbacks->progress(callbacks->payload, "bytes", it->done, it->n_bytes);
    if (callbacks && callbacks->cancel && callbacks->cancel(callbacks->payload))
        return nt_fail(NT_E_CANCELLED, "stopped; nothing was written");
    return NT_OK;
}

/* The bytes as they are. */
static int write_same(nt_conversion *it, int fd, const nt_copy *copy, uint64_t at) {
    const char *bytes = copy->from->data;
    for (uint64_t done = 0, n; done < copy->n_bytes; done += n) {
        n = copy->n_bytes - done < PIECE ? copy->n_bytes - done : PIECE;
        NT_TRY(write_at(it, fd, at + done, bytes + done, (size_t)n));
        NT_TRY(tell(it, n));
    }
    return NT_OK;
}

static int does_not_fit(const nt_copy *copy, const float *row, size_t n) {
    float most = 0;
    for (size_t i = 0; i < n; i++) {
        float size = row[i] < 0 ? -row[i] : row[i];
        if (!(size <= most)) most = size; /* a NaN stays */
        if (most != most) break;
    }
    return nt_fail(NT_E_NUMERIC,
                   "%.400s: tensor %.200s holds %g, which %s cannot; choose the width f32 or bf16",
                   copy->from->file, copy->from->name, (double)most, nt_dtype_name(copy->dtype));
}

/* Row r of what is written, as float32. */
static void read_row(float *row, const nt_copy *copy, size_t r, size_t rows, size_t n) {
    const nt_tensor *from = copy->from;
    for (size_t i = 0; i < n; i++)
        row[i] = nt_dtype_load(from->data, from->dtype, copy->turned ? i * rows + r : r * n + i);
}

/* Rows of `n` numbers through memory, as many at a time as make a piece. */
static int write_rows(nt_conversion *it, int fd, const nt_copy *copy, uint64_t at, float *row,
                      char *bytes, size_t n) {
    size_t rows = n ? (size_t)(copy->from->n_items / n) : 0;
    size_t n_row = (size_t)nt_dtype_bytes(copy->dtype, n), filled = 0;
    for (size_t r = 0; r < rows; r++) {
        read_row(row, copy, r, rows, n);
        if (!nt_dtype_store(bytes + filled, copy->dtype, row, n)) return does_not_fit(copy, row, n);
        filled += n_row;
        if (filled + n_row <= PIECE && r + 1 < rows) continue;
        NT_TRY(write_at(it, fd, at, bytes, filled));
        NT_TRY(tell(it, filled));
        at += filled;
        filled = 0;
    }
    return NT_OK;
}

static int write_copy(nt_conversion *it, int fd, const nt_copy *copy, uint64_t at) {
    if (copy->dtype == copy->from->dtype && !copy->turned) return write_same(it, fd, copy, at);
    size_t n = copy->n_dims ? (size_t)copy->shape[copy->n_dims - 1] : 1;
    size_t n_row = (size_t)nt_dtype_bytes(copy->dtype, n);
    float *row = nt_alloc(n, sizeof *row);
    char *bytes = nt_alloc(n_row > PIECE ? n_row : PIECE, 1);
    int status = row && bytes ? write_rows(it, fd, copy, at, row, bytes, n) : NT_E_MEMORY;
    nt_free(row);
    nt_free(bytes);
    return status;
}

static int fill_file(void *payload, int fd) {
    nt_conversion *it = payload;
    uint64_t data_at = it->header.n, end = data_at;
    if (it->n) end += it->copies[it->n - 1].offset + it->copies[it->n - 1].n_bytes;
    if (fallocate(fd, 0, 0, (off_t)end) != 0 && (errno == ENOSPC || errno == EFBIG))
        return fail_writing(it); /* told before the work, where the system can tell */
    NT_TRY(write_at(it, fd, 0, it->header.data, it->header.n));
    for (size_t i = 0; i < it->n; i++)
        NT_TRY(write_copy(it, fd, &it->copies[i], data_at + it->copies[i].offset));
    return NT_OK;
}

/* ---- Places ---------------------------------------------------------------------------------- */

static bool is_gguf_name(const char *path) {
    size_t n = strlen(path);
    return n > 5 && strcmp(path + n - 5, ".gguf") == 0;
}

typedef struct job {
    nt_conversion *it;
    const char *source; /* the folder of the source's files; NULL: GGUF */
} job;

static int fill_folder(void *payload, const char *folder) {
    job *j = payload;
    NT_TRY(nt_convert_files(j->it, folder, j->source));
    char *path = nt_path_join(folder, "model.safetensors");
    if (!path) return NT_E_MEMORY;
    j->it->path = path;
    int status = nt_file_replace(path, fill_file, j->it);
    nt_free(path);
    return status;
}

static int write_folder(nt_conversion *it, const char *source, const char *destination,
                        bool overwrite) {
    char *home = nt_tensors_gguf(it->model->network->tensors) ? NULL : nt_path_home(source);
    if (!home && !nt_tensors_gguf(it->model->network->tensors)) return NT_E_MEMORY;
    job j = {it, home};
    int status = safetensors_header(it);
    if (status == NT_OK) status = nt_convert_replace(destination, overwrite, fill_folder, &j);
    nt_free(home);
    return status;
}

/* general.name is the last part of what names the source. */
static int write_gguf(nt_conversion *it, const char *source, const char *destination,
                      bool overwrite) {
    nt_buffer name = {0};
    size_t n = strlen(source), from;
    while (n > 1 && source[n - 1] == '/')
        n--;
    for (from = n; from > 0 && source[from - 1] != '/';)
        from--;
    nt_buffer_put(&name, source + from, n - from);
    nt_buffer_putc(&name, 0);
    int status = name.status;
    if (status == NT_OK && nt_file_look(destination) != NT_FILE_NONE && !overwrite) {
        status = nt_fail(NT_E_IO, "%.600s is there already; it is not replaced unless forced",
                         destination);
    }
    if (status == NT_OK) status = nt_convert_gguf_header(it, name.data);
    it->path = destination;
    if (status == NT_OK) status = nt_file_replace(destination, fill_file, it);
    nt_buffer_free(&name);
    return status;
}

static int check_width(nt_width width, bool gguf) {
    if ((int)width < NT_WIDTH_KEEP || width > NT_WIDTH_Q8_0)
        return nt_fail(NT_E_ARGUMENT, "nt_convert: there is no nt_width %d", (int)width);
    if (gguf || width != NT_WIDTH_Q8_0) return NT_OK;
    return nt_fail(NT_E_ARGUMENT, "safetensors has no q8_0: give a destination that ends in .gguf");
}

/* What was written, for who asked. */
static void report(nt_converted *out, const nt_conversion *it) {
    if (!out) return;
    const nt_copy *largest = it->copies;
    for (size_t i = 1; i < it->n; i++)
        if (it->copies[i].from->n_items > largest->from->n_items) largest = &it->copies[i];
    nt_converted all = {.size = out->size,
                        .format = it->gguf ? "gguf" : "safetensors",
                        .width = nt_dtype_name(largest->dtype),
                        .n_tensors = it->n,
                        .n_bytes = it->header.n + it->n_bytes};
    if (it->n)
        all.n_bytes = it->header.n + it->copies[it->n - 1].offset + it->copies[it->n - 1].n_bytes;
    memcpy(out, &all, out->size < sizeof all ? out->size : sizeof all);
}

/* name: as the source was given; source: where it is. */
static int convert(nt_converted *out, const char *name, const char *source, const char *destination,
                   const nt_convert_options *options) {
    nt_model *model;
    nt_model_options how = NT_MODEL_OPTIONS_INIT;
    NT_TRY(nt_model_open(&model, source, &how));
    nt_conversion it = {.model = model,
                        .width = options->width,
                        .gguf = is_gguf_name(destination),
                        .callbacks = options->callbacks};
    int status = it.gguf ? nt_convert_check_gguf(model) : NT_OK;
    if (status == NT_OK) status = plan(&it);
    if (status == NT_OK) {
        status = it.gguf ? write_gguf(&it, name, destination, options->overwrite)
                         : write_folder(&it, source, destination, options->overwrite);
    }
    if (status == NT_OK) report(out, &it);
    nt_buffer_free(&it.header);
    nt_free(it.copies);
    nt_model_free(model);
    return status;
}

int nt_convert(nt_converted *out, const char *source, const char *destination,
               const nt_convert_options *given) {
    nt_convert_options options = NT_CONVERT_OPTIONS_INIT;
    const char *name = source;
    char *folder = NULL;
    NT_TRY(nt_take_options(&options, sizeof options, given, "nt_convert_options"));
    if (!source || !destination || !*destination)
        return nt_fail(NT_E_ARGUMENT, "nt_convert: source or destination is missing");
    if (out && out->size < sizeof(size_t))
        return nt_fail(NT_E_ARGUMENT, "nt_converted: set size to sizeof(nt_converted) first");
    NT_TRY(check_width(options.width, is_gguf_name(destination)));
    if (nt_builtin_model() && strcmp(source, nt_builtin_model()) == 0)
        return nt_fail(NT_E_UNSUPPORTED, "%s is built in: there are no files to convert", source);
    if (!nt_hub_is_path(source)) {
        NT_TRY(nt_hub_resolve(&folder, source, NT_HUB_MODEL, options.hub));
        source = folder;
    }
    int status = convert(out, name, source, destination, &options);
    nt_free(folder);
    return status;
}
