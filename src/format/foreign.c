/* Files and folders that hold no checkpoint of ours: says what they are and what to do about it. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "base/buffer.h"
#include "format/entries.h"

/* transformers 5 reads neither TensorFlow's nor Flax's files. */
#define CONVERT(from)                                                                              \
    "in Python with transformers 4, GPT2LMHeadModel.from_pretrained(FOLDER, " from                 \
    "=True).save_pretrained(FOLDER) writes model.safetensors"
#define TENSORFLOW "weights of TensorFlow: " CONVERT("from_tf")
#define FLAX "weights of Flax: " CONVERT("from_flax")
#define ADAPTER                                                                                    \
    "an adapter, not a model: in Python with peft, merge_and_unload() puts it into its base "      \
    "model, and save_pretrained(FOLDER) writes that"
#define GIVE_PATH(index)                                                                           \
    "give the path of that file, or, if it is one of several shards, fetch " index " too"
#define ORIGINAL "use the checkpoint that it was made from (model.safetensors or pytorch_model.bin)"
#define ONNX "a graph of ONNX: " ORIGINAL
#define RUST "weights of rust-bert: " ORIGINAL

/* Files known by their first bytes. */
static const struct magic {
    const char *bytes;
    size_t n;
    int status;
    const char *what;
} magics[] = {
    {"version https://git-lfs", 23, NT_E_FORMAT,
     "a Git LFS pointer, not the weights: fetch them with `git lfs pull`"},
    {"PK\x05\x06", 4, NT_E_FORMAT, "an empty zip file; a checkpoint is needed"},
    {"\x89HDF\r\n\x1a\n", 8, NT_E_UNSUPPORTED, "an HDF5 file, " TENSORFLOW},
    {"\x93NUMPY", 6, NT_E_UNSUPPORTED, "a NumPy array; a checkpoint in safetensors is needed"},
    {"\x1f\x8b", 2, NT_E_UNSUPPORTED, "compressed by gzip: unpack it first"},
    {"<!DOCTYPE", 9, NT_E_FORMAT, "a web page, not the weights: fetch the file itself"},
    {"<!doctype", 9, NT_E_FORMAT, "a web page, not the weights: fetch the file itself"},
    {"<html", 5, NT_E_FORMAT, "a web page, not the weights: fetch the file itself"},
};

/* A kind of file by the end of its name. */
struct other {
    const char *end;
    bool whole; /* end is the whole name */
    int status;
    const char *what;
};

static bool is_called(const char *name, const struct other *other) {
    size_t n = strlen(name), length = strlen(other->end);
    return n >= length && (!other->whole || n == length) &&
           strcmp(name + n - length, other->end) == 0;
}

/* Formats that have no first bytes of their own. */
static const struct other unmarked[] = {
    {".onnx", false, NT_E_UNSUPPORTED, ONNX},
    {".msgpack", false, NT_E_UNSUPPORTED, FLAX},
    {".ckpt.index", false, NT_E_UNSUPPORTED, TENSORFLOW},
    {".ckpt.meta", false, NT_E_UNSUPPORTED, TENSORFLOW},
    {".data-00000-of-00001", false, NT_E_UNSUPPORTED, TENSORFLOW},
};

static bool is_text(const unsigned char *bytes, size_t n) {
    for (size_t i = 0; i < n && i < 64; i++) {
        if (!isprint(bytes[i]) && !isspace(bytes[i])) return false;
    }
    return true;
}

int nt_foreign_file(const unsigned char *bytes, size_t n, const char *file) {
    if (n == 0) return nt_fail(NT_E_FORMAT, "%.400s is empty", file);
    for (size_t i = 0; i < sizeof magics / sizeof *magics; i++) {
        const struct magic *magic = &magics[i];
        if (n >= magic->n && memcmp(bytes, magic->bytes, magic->n) == 0)
            return nt_fail(magic->status, "%.400s is %s", file, magic->what);
    }
    for (size_t i = 0; i < sizeof unmarked / sizeof *unmarked; i++) {
        if (is_called(file, &unmarked[i]))
            return nt_fail(unmarked[i].status, "%.400s is %s", file, unmarked[i].what);
    }
    if (n >= 262 && memcmp(bytes + 257, "ustar", 5) == 0) {
        return nt_fail(NT_E_UNSUPPORTED,
                       "%.400s is a tar archive: unpack it first; if torch.save wrote it (before "
                       "2017), load and save it with PyTorch",
                       file);
    }
    if (is_text(bytes, n))
        return nt_fail(NT_E_FORMAT, "%.400s is a text, not a safetensors file", file);
    if (n < 10)
        return nt_fail(NT_E_FORMAT, "%.400s has %zu bytes, too few for a safetensors file", file,
                       n);
    return nt_fail(NT_E_FORMAT, "%.400s is not a safetensors file: no '{' opens its header", file);
}

/* What a folder may hold in place of a checkpoint, the telling ones first. */
static const struct other others[] = {
    {"adapter_model.safetensors", true, NT_E_UNSUPPORTED, ADAPTER},
    {"adapter_model.bin", true, NT_E_UNSUPPORTED, ADAPTER},
    {".safetensors.index.json", false, NT_E_NOT_FOUND, "give the path of that index"},
    {".safetensors", false, NT_E_NOT_FOUND, GIVE_PATH("model.safetensors.index.json")},
    {".bin.index.json", false, NT_E_NOT_FOUND, "give the path of that index"},
    {"tf_model.h5", true, NT_E_UNSUPPORTED, TENSORFLOW},
    {"tf_model.h5.index.json", true, NT_E_UNSUPPORTED, TENSORFLOW},
    {".ckpt.index", false, NT_E_UNSUPPORTED, TENSORFLOW},
    {"flax_model.msgpack", true, NT_E_UNSUPPORTED, FLAX},
    {"rust_model.ot", true, NT_E_UNSUPPORTED, RUST},
    {".onnx", false, NT_E_UNSUPPORTED, ONNX},
    {".gguf", false, NT_E_NOT_FOUND, "give the path of that file"},
    {".bin", false, NT_E_NOT_FOUND, GIVE_PATH("pytorch_model.bin.index.json")},
    {".pt", false, NT_E_NOT_FOUND, "give the path of that file"},
    {".pth", false, NT_E_NOT_FOUND, "give the path of that file"},
    {".ckpt", false, NT_E_NOT_FOUND, "give the path of that file"},
    {".msgpack", false, NT_E_UNSUPPORTED, FLAX},
    {".h5", false, NT_E_UNSUPPORTED, TENSORFLOW},
    {".ot", false, NT_E_UNSUPPORTED, RUST},
};

/* Place of name in `others`; their number when it is not among them. */
static size_t rank_of(const char *name) {
    size_t n_others = sizeof others / sizeof *others;
    for (size_t i = 0; i < n_others; i++) {
        if (is_called(name, &others[i])) return i;
    }
    return n_others;
}

int nt_foreign_folder(const char *folder) {
    DIR *entries = opendir(folder);
    if (!entries) {
        int reason = errno;
        return nt_fail(reason == ENOENT ? NT_E_NOT_FOUND : NT_E_IO, "cannot read %.400s: %s",
                       folder, strerror(reason));
    }
    size_t n_others = sizeof others / sizeof *others, best = n_others;
    nt_buffer name = {0};
    const struct dirent *entry;
    while ((entry = readdir(entries))) {
        size_t rank = rank_of(entry->d_name);
        /* The first in order of name, so that the message does not depend on the file system. */
        if (rank < best ||
            (rank == best && rank < n_others && strcmp(entry->d_name, name.data) < 0)) {
            best = rank;
            nt_buffer_clear(&name);
            nt_buffer_puts(&name, entry->d_name);
            if (name.status != NT_OK) break;
        }
    }
    closedir(entries);
    int status = name.status;
    if (status == NT_OK && best < n_others) {
        status = nt_fail(others[best].status, "%.300s has no model.safetensors; it has %.200s: %s",
                         folder, name.data, others[best].what);
    } else if (status == NT_OK) {
        status = nt_fail(NT_E_NOT_FOUND,
                         "%.400s has no model.safetensors and no pytorch_model.bin, nor an "
                         "index.json of either. A model is a folder with one of these, config.json "
                         "and tokenizer.json, or a .gguf file, or a name of the hub such as gpt2",
                         folder);
    }
    nt_buffer_free(&name);
    return status;
}
