/* Files and folders that hold no safetensors: says what they are and what to do about it. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "base/buffer.h"
#include "format/tensors.h"

#define CONVERT                                                                                    \
    "convert it with transformers: save_pretrained(folder, safe_serialization=True) writes "       \
    "model.safetensors"

/* Files known by their first bytes. */
static const struct magic {
    const char *bytes;
    size_t n;
    int status;
    const char *what;
} magics[] = {
    {"version https://git-lfs", 23, NT_E_FORMAT,
     "a Git LFS pointer, not the weights: fetch them with `git lfs pull`"},
    {"GGUF", 4, NT_E_UNSUPPORTED,
     "a GGUF file; this version reads safetensors: use the model's original checkpoint"},
    {"PK\x03\x04", 4, NT_E_UNSUPPORTED, "a PyTorch (zip) file; " CONVERT},
    {"\x80\x02", 2, NT_E_UNSUPPORTED, "a Python pickle; " CONVERT},
    {"\x80\x04", 2, NT_E_UNSUPPORTED, "a Python pickle; " CONVERT},
    {"\x89HDF\r\n\x1a\n", 8, NT_E_UNSUPPORTED, "an HDF5 file; " CONVERT},
    {"\x93NUMPY", 6, NT_E_UNSUPPORTED, "a NumPy array; a checkpoint in safetensors is needed"},
    {"\x1f\x8b", 2, NT_E_UNSUPPORTED, "compressed by gzip: unpack it first"},
    {"<!DOCTYPE", 9, NT_E_FORMAT, "a web page, not the weights: fetch the file itself"},
    {"<!doctype", 9, NT_E_FORMAT, "a web page, not the weights: fetch the file itself"},
    {"<html", 5, NT_E_FORMAT, "a web page, not the weights: fetch the file itself"},
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
    if (is_text(bytes, n))
        return nt_fail(NT_E_FORMAT, "%.400s is a text, not a safetensors file", file);
    if (n < 10)
        return nt_fail(NT_E_FORMAT, "%.400s has %zu bytes, too few for a safetensors file", file,
                       n);
    return nt_fail(NT_E_FORMAT, "%.400s is not a safetensors file: no '{' opens its header", file);
}

/* What a folder may hold in place of safetensors, the telling ones first. */
static const struct other {
    const char *end;
    bool whole; /* end is the whole name */
    int status;
    const char *what;
} others[] = {
    {".safetensors.index.json", false, NT_E_NOT_FOUND, "give the path of that index"},
    {".safetensors", false, NT_E_NOT_FOUND,
     "give the path of that file, or, if it is one of several shards, fetch "
     "model.safetensors.index.json too"},
    {"pytorch_model.bin", true, NT_E_UNSUPPORTED, CONVERT},
    {"pytorch_model.bin.index.json", true, NT_E_UNSUPPORTED, CONVERT},
    {"tf_model.h5", true, NT_E_UNSUPPORTED, CONVERT},
    {"flax_model.msgpack", true, NT_E_UNSUPPORTED, CONVERT},
    {".gguf", false, NT_E_UNSUPPORTED,
     "this version reads safetensors: use the model's original checkpoint"},
    {".bin", false, NT_E_UNSUPPORTED, CONVERT},
    {".h5", false, NT_E_UNSUPPORTED, CONVERT},
    {".pt", false, NT_E_UNSUPPORTED, CONVERT},
    {".pth", false, NT_E_UNSUPPORTED, CONVERT},
    {".ckpt", false, NT_E_UNSUPPORTED, CONVERT},
    {".index", false, NT_E_UNSUPPORTED, CONVERT},
};

/* Place of name in `others`; their number when it is not among them. */
static size_t rank_of(const char *name) {
    size_t n_others = sizeof others / sizeof *others, n = strlen(name);
    for (size_t i = 0; i < n_others; i++) {
        size_t length = strlen(others[i].end);
        if (n >= length && (!others[i].whole || n == length) &&
            strcmp(name + n - length, others[i].end) == 0)
            return i;
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
        status = nt_fail(others[best].status, "%.400s has no model.safetensors; it has %.200s: %s",
                         folder, name.data, others[best].what);
    } else if (status == NT_OK) {
        status = nt_fail(NT_E_NOT_FOUND,
                         "%.400s has no model.safetensors and no model.safetensors.index.json: it "
                         "is no checkpoint that can be read",
                         folder);
    }
    nt_buffer_free(&name);
    return status;
}
