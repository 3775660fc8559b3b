/* mkmodel FOLDER [options]: writes the files of a checkpoint. Each file appears whole or not at
 * all; model files come last, so that a folder with one is complete. */
#include "mkmodel.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH = 4096, CHUNK = 1 << 20 };

/* A file under a temporary name; the first failure sticks. */
typedef struct output {
    char path[PATH], temporary[PATH + 16];
    FILE *file;
    int reason; /* errno of the first failure */
} output;

static void start(output *o, const char *folder, const char *name) {
    *o = (output){0};
    snprintf(o->path, sizeof o->path, "%s/%s", folder, name);
    snprintf(o->temporary, sizeof o->temporary, "%s.%ld", o->path, (long)getpid());
    o->file = fopen(o->temporary, "wb");
    if (!o->file) o->reason = errno;
}

static void put(output *o, const void *bytes, size_t n) {
    if (o->reason) return;
    if (fwrite(bytes, 1, n, o->file) != n) o->reason = errno ? errno : EIO;
}

__attribute__((format(printf, 2, 3))) static void print(output *o, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    if (!o->reason && vfprintf(o->file, format, arguments) < 0) o->reason = errno ? errno : EIO;
    va_end(arguments);
}

static bool finish(output *o) {
    if (o->file && fclose(o->file) != 0 && !o->reason) o->reason = errno;
    if (!o->reason && rename(o->temporary, o->path) != 0) o->reason = errno;
    if (!o->reason) return true;
    if (o->file) unlink(o->temporary);
    fprintf(stderr, "mkmodel: error: cannot write %s: %s\n", o->path, strerror(o->reason));
    return false;
}

static bool write_config(const recipe *r) {
    output o;
    long long V = r->V, T = r->T, D = r->D, L = r->L, H = r->H, F = r->F;
    start(&o, r->folder, "config.json");
    print(&o, "{\n  \"activation_function\": \"%s\",\n", r->activation);
    print(&o, "  \"architectures\": [\"GPT2LMHeadModel\"],\n  \"attn_pdrop\": 0.1,\n");
    print(&o, "  \"bos_token_id\": %lld,\n  \"embd_pdrop\": 0.1,\n", V - 1);
    print(&o, "  \"eos_token_id\": %lld,\n  \"initializer_range\": 0.02,\n", V - 1);
    print(&o, "  \"layer_norm_epsilon\": %s,\n  \"model_type\": \"gpt2\",\n", r->epsilon);
    print(&o, "  \"n_ctx\": %lld,\n  \"n_embd\": %lld,\n  \"n_head\": %lld,\n", T, D, H);
    if (F == 4 * D)
        print(&o, "  \"n_inner\": null,\n");
    else
        print(&o, "  \"n_inner\": %lld,\n", F);
    print(&o, "  \"n_layer\": %lld,\n  \"n_positions\": %lld,\n", L, T);
    print(&o, "  \"reorder_and_upcast_attn\": %s,\n", r->reorder ? "true" : "false");
    print(&o, "  \"resid_pdrop\": 0.1,\n  \"scale_attn_by_inverse_layer_idx\": %s,\n",
          r->inverse_layer ? "true" : "false");
    print(&o, "  \"scale_attn_weights\": %s,\n", r->no_scale ? "false" : "true");
    print(&o, "  \"tie_word_embeddings\": %s,\n", r->head == HEAD_UNTIED ? "false" : "true");
    print(&o, "  \"vocab_size\": %lld\n}\n", V);
    return finish(&o);
}

static bool write_generation_config(const recipe *r) {
    output o;
    start(&o, r->folder, "generation_config.json");
    print(&o, "{\n  \"_from_model_config\": true,\n  \"bos_token_id\": %lld,\n",
          (long long)r->V - 1);
    print(&o, "  \"eos_token_id\": %lld\n}\n", (long long)r->V - 1);
    return finish(&o);
}

/* The header's JSON, padded with spaces so that the data begin at a multiple of 8. Space for n
 * tensors is reckoned by the caller. */
static char *make_header(uint64_t *n_header, const tensor *tensors, size_t n, width w) {
    size_t room = 128 + n * 320;
    char *text = malloc(room);
    if (!text) return NULL;
    size_t at = (size_t)snprintf(text, room, "{\"__metadata__\":{\"format\":\"pt\"}");
    uint64_t offset = 0;
    for (size_t i = 0; i < n; i++) {
        const tensor *t = &tensors[i];
        at += (size_t)snprintf(text + at, room - at, ",\"%s\":{\"dtype\":\"%s\",\"shape\":[",
                               t->name, tensor_type(t, w));
        for (int d = 0; d < t->n_dims; d++)
            at += (size_t)snprintf(text + at, room - at, d ? ",%lld" : "%lld",
                                   (long long)t->shape[d]);
        uint64_t end = offset + tensor_bytes(t, w);
        at += (size_t)snprintf(text + at, room - at, "],\"data_offsets\":[%llu,%llu]}",
                               (unsigned long long)offset, (unsigned long long)end);
        offset = end;
    }
    text[at++] = '}';
    while (at % 8 != 0)
        text[at++] = ' ';
    *n_header = at;
    return text;
}

static void put_tensor(output *o, const tensor *t, const recipe *r, unsigned char *chunk) {
    int64_t items = tensor_items(t), size = tensor_item_bytes(t, r->width), most = CHUNK / size;
    for (int64_t i = 0; i < items && !o->reason; i += most) {
        int64_t end = items - i < most ? items : i + most;
        tensor_fill(chunk, t, r, i, end);
        put(o, chunk, (size_t)((end - i) * size));
    }
}

static bool write_tensors(const char *name, const tensor *tensors, size_t n, const recipe *r) {
    output o;
    uint64_t n_header = 0;
    start(&o, r->folder, name);
    char *header = make_header(&n_header, tensors, n, r->width);
    unsigned char *chunk = malloc(CHUNK);
    if (!header || !chunk) {
        if (!o.reason) o.reason = ENOMEM;
    } else {
        put(&o, &n_header, 8);
        put(&o, header, n_header);
        for (size_t i = 0; i < n; i++)
            put_tensor(&o, &tensors[i], r, chunk);
    }
    free(header);
    free(chunk);
    return finish(&o);
}

static void shard_name(char *out, size_t size, int64_t i, int64_t n) {
    snprintf(out, size, "model-%05d-of-%05d.safetensors", (int)(i + 1), (int)n);
}

/* Cuts the table into shards of about equal bytes and writes them, then the index. */
static bool write_shards(const tensor *tensors, size_t n, const recipe *r) {
    uint64_t total = 0, before = 0;
    for (size_t i = 0; i < n; i++)
        total += tensor_bytes(&tensors[i], r->width);
    output o;
    char name[64];
    bool ok = true, first = true;
    start(&o, r->folder, "model.safetensors.index.json");
    print(&o, "{\n  \"metadata\": {\"total_size\": %llu},\n  \"weight_map\": {",
          (unsigned long long)total);
    size_t at = 0;
    for (int64_t shard = 0; shard < r->shards && ok; shard++) {
        size_t begin = at;
        shard_name(name, sizeof name, shard, r->shards);
        while (at < n && n - at > (size_t)(r->shards - shard - 1) &&
               (at == begin || before < total / (uint64_t)r->shards * (uint64_t)(shard + 1))) {
            print(&o, "%s\n    \"%s\": \"%s\"", first ? "" : ",", tensors[at].name, name);
            before += tensor_bytes(&tensors[at++], r->width);
            first = false;
        }
        if (shard + 1 == r->shards)
            for (; at < n; at++)
                print(&o, ",\n    \"%s\": \"%s\"", tensors[at].name, name);
        ok = write_tensors(name, tensors + begin, at - begin, r);
    }
    print(&o, "\n  }\n}\n");
    if (!ok && !o.reason) o.reason = EIO;
    return finish(&o);
}

static bool copy_file(const recipe *r, const char *path, const char *name) {
    char chunk[1 << 16];
    FILE *from = fopen(path, "rb");
    if (!from) {
        fprintf(stderr, "mkmodel: error: cannot read %s: %s\n", path, strerror(errno));
        return false;
    }
    output o;
    size_t n;
    start(&o, r->folder, name);
    while ((n = fread(chunk, 1, sizeof chunk, from)) > 0)
        put(&o, chunk, n);
    if (ferror(from) && !o.reason) o.reason = EIO;
    fclose(from);
    return finish(&o);
}

static bool copy_tokenizer(const recipe *r) {
    static const char *const names[] = {"vocab.json", "merges.txt"};
    char path[PATH];
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", r->tokenizer, names[i]);
        if (!copy_file(r, path, names[i])) return false;
    }
    return true;
}

static bool write_configs(const recipe *r) {
    if (r->config) return copy_file(r, r->config, "config.json");
    return write_config(r) && write_generation_config(r);
}

/* Shards beside a single file of an earlier run would be two models in one folder. */
static void remove_other_form(const recipe *r) {
    char path[PATH];
    snprintf(path, sizeof path, "%s/model.safetensors%s", r->folder,
             r->shards ? "" : ".index.json");
    unlink(path);
}

/* A name that fits no tensor would silently make an unbroken model. */
static bool check_marks(const tensor *tensors, size_t n, const recipe *r) {
    size_t marked = 0;
    for (size_t i = 0; i < n; i++)
        marked += (size_t)tensors[i].nan + (size_t)tensors[i].boost;
    if (marked == (r->nan != NULL) + r->n_boost) return true;
    fprintf(stderr, "mkmodel: error: --nan or --boost names a tensor that the model lacks\n");
    return false;
}

static bool write_model(const recipe *r) {
    size_t n;
    tensor *tensors = r->list ? listed_tensors(&n, r) : recipe_tensors(&n, r);
    if (!tensors) {
        fprintf(stderr, "mkmodel: error: no tensors, or out of memory\n");
        return false;
    }
    bool ok = check_marks(tensors, n, r);
    if (ok && (size_t)r->shards > n) {
        fprintf(stderr, "mkmodel: error: more shards than the %zu tensors\n", n);
        ok = false;
    }
    if (ok) ok = write_configs(r);
    if (ok && r->tokenizer) ok = copy_tokenizer(r);
    if (ok) remove_other_form(r);
    if (ok)
        ok = r->shards ? write_shards(tensors, n, r)
                       : write_tensors("model.safetensors", tensors, n, r);
    free(tensors);
    return ok;
}

int main(int argc, char **argv) {
    recipe r;
    if (!recipe_read(&r, argc, argv)) return 2;
    if (strlen(r.folder) > PATH - 64 || (r.tokenizer && strlen(r.tokenizer) > PATH - 64)) {
        fprintf(stderr, "mkmodel: error: the folder's name is too long\n");
        return 1;
    }
    if (mkdir(r.folder, 0777) != 0 && errno != EEXIST) {
        fprintf(stderr, "mkmodel: error: cannot make %s: %s\n", r.folder, strerror(errno));
        return 1;
    }
    return write_model(&r) ? 0 : 1;
}
