/* Inside nt_convert: what is written, tensor by tensor, and what stands around it. */
#ifndef NT_CONVERT_H
#define NT_CONVERT_H

#include "wiring.h"

/* One tensor on its way. */
typedef struct nt_copy {
    const nt_tensor *from;
    char name[96];
    nt_dtype dtype;
    int n_dims;
    int64_t shape[NT_MAX_DIMS];
    bool turned; /* rows of it are columns of `from` */
    uint64_t n_bytes, offset;
} nt_copy;

typedef struct nt_conversion {
    const nt_model *model;
    nt_width width;
    bool gguf;       /* the destination is a GGUF file, else a folder */
    nt_copy *copies; /* [n] in the order of the file */
    size_t n;
    uint64_t n_bytes, done; /* of the data */
    nt_buffer header;
    const char *path; /* of the file that is written, for messages */
    const nt_callbacks *callbacks;
} nt_conversion;

/* convert_gguf.c: whether a GGUF file of architecture gpt2 can say what this model is.
 * Errors: UNSUPPORTED. */
int nt_convert_check_gguf(const nt_model *model);
/* Metadata and tensors' heads of a GGUF file. name: for general.name.
 * Errors: UNSUPPORTED (a tokenizer that GGUF cannot say), MEMORY. */
int nt_convert_gguf_header(nt_conversion *it, const char *name);

/* convert_folder.c: all files of a folder but the weights: from folder `source`, or (NULL) from
 * the model's GGUF metadata. Errors: IO, FORMAT, MEMORY. */
int nt_convert_files(const nt_conversion *it, const char *folder, const char *source);
/* Makes folder by calling fill on one beside it, which is then put in its place, or removed when
 * anything failed. An old one is replaced if overwrite, and if it is a checkpoint's. */
int nt_convert_replace(const char *folder, bool overwrite,
                       int (*fill)(void *payload, const char *folder), void *payload);

#endif
