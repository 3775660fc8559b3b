/* nextoken_tensors.h: what files of weights hold, tensor by tensor, and how two of them differ.
 * Included by nextoken.h, whose rules hold here too.
 *
 * What a fine-tune changed, tensor by tensor:
 *
 *     nt_result *diff;
 *     if (nt_diff_tensors(&diff, "gpt2", "my-fine-tune", NULL) == NT_OK)
 *         for (size_t i = 0; i < nt_result_n_tensor_diffs(diff); i++) {
 *             const nt_tensor_diff *d = nt_result_tensor_diff(diff, i);
 *             if (d->difference == NT_DIFF_CHANGED) printf("%s %g\n", d->name, d->relative);
 *         }
 *     nt_result_free(diff);
 */
#ifndef NEXTOKEN_TENSORS_H
#define NEXTOKEN_TENSORS_H

#include "nextoken.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct nt_tensors_options {
    size_t size;
    bool no_statistics; /* of nt_list_tensors: names, types and shapes alone, without reading the
                           numbers */
    int threads;        /* 0: OMP_NUM_THREADS, else the processors that this process may use */
    const nt_callbacks *callbacks; /* progress in "bytes", cancel */
    const nt_hub_options *hub;     /* for names; NULL: its defaults */
} nt_tensors_options;
#define NT_TENSORS_OPTIONS_INIT                                                                    \
    { .size = sizeof(nt_tensors_options) }

/* Every tensor of a checkpoint, with statistics (kind TENSORS). path: as nt_model_open takes it,
 * but there need be no config.json, and the family may be any: one file of safetensors, GGUF or
 * PyTorch, an index of shards, a folder, a name, NULL and "tales" for the model that is built in.
 * Sums are in double, in an order that does not depend on threads: equal files give equal bits on
 * every machine. Memory does not grow with the file.
 * Errors: NOT_FOUND, IO, FORMAT, UNSUPPORTED, CANCELLED, and of names those of nt_hub_pull. */
NT_API int nt_list_tensors(nt_result **out, const char *path, const nt_tensors_options *options);

/* What tensors of b differ from those of a (kind DIFF). Tensors are matched by
 * nt_tensor_info.plain, so that prefixes and formats do not matter: a GGUF file can be held against
 * the folder that it was made from, and what a quantisation cost is told. Errors as
 * nt_list_tensors'. */
NT_API int nt_diff_tensors(nt_result **out, const char *a, const char *b,
                           const nt_tensors_options *options);

/* A tensor as its file has it. Statistics are over its finite numbers, and NaN where there are
 * none, where they were not asked for, or for a type whose numbers are not read. */
typedef struct nt_tensor_info {
    const char *name;     /* as the file has it */
    const char *plain;    /* Hugging Face's, also in a GGUF file of GPT-2, without the prefix that
                             the file's names have: "h.0.ln_1.weight" */
    const char *type;     /* as it is stored: "F32", "Q8_0", "I64" */
    const char *file;     /* that holds it */
    const int64_t *shape; /* [n_dims], slowest first, in GGUF files too; at most 8 dimensions are
                             told */
    size_t n_dims;
    uint64_t n_numbers, n_bytes;
    bool counted;     /* there are statistics */
    double min, max;  /* smallest, largest */
    double mean, std; /* std: of all its numbers (divided by their count, not by one less) */
    double rms;       /* square root of the mean square */
    double norm;      /* L2, in statistics' books Frobenius: rms times the root of the count */
    uint64_t n_zeros, n_nan, n_inf;
} nt_tensor_info;

/* Of TENSORS, in order of name, numbers in names by their value. NULL past the end. */
NT_API size_t nt_result_n_tensor_infos(const nt_result *result);
NT_API const nt_tensor_info *nt_result_tensor_info(const nt_result *result, size_t i);

typedef enum nt_difference {
    NT_DIFF_IDENTICAL, /* the same type and the same bytes */
    NT_DIFF_EQUAL,     /* the same numbers, stored in another type or turned */
    NT_DIFF_CHANGED,
    NT_DIFF_SHAPE,  /* shapes that cannot be compared */
    NT_DIFF_UNREAD, /* bytes differ, in a type whose numbers are not read */
    NT_DIFF_ONLY_A,
    NT_DIFF_ONLY_B
} nt_difference;

/* What became of a tensor. Numbers of CHANGED; in sums only pairs count of which both numbers are
 * finite. NaN where there is no such number. */
typedef struct nt_tensor_diff {
    const char *name; /* nt_tensor_info.plain */
    nt_difference difference;
    const nt_tensor_info *a, *b; /* without statistics; NULL: it has none */
    bool turned;                 /* one is stored as [out, in] and the other as [in, out] */
    uint64_t n_rows;       /* tables of other lengths (resized embeddings): so many first rows were
                              compared; 0: all */
    uint64_t n_compared;   /* pairs of numbers */
    uint64_t n_changed;    /* of them; two NaN are no change */
    uint64_t n_not_finite; /* pairs that are left out of the sums */
    double max_abs;        /* largest |b - a| */
    double rms;            /* root of the mean square of b - a */
    double relative;       /* the same over the root mean square of a; INFINITY from zeros */
    double cosine;         /* of the two as vectors */
} nt_tensor_diff;

/* Of DIFF, in order of name, what only b has at its place among them. */
NT_API size_t nt_result_n_tensor_diffs(const nt_result *result);
NT_API const nt_tensor_diff *nt_result_tensor_diff(const nt_result *result, size_t i);

/* Tensors together: of a block ("h.0"), of the part before a name's last point, or of all (""). */
typedef struct nt_diff_sum {
    const char *name;
    size_t n_tensors; /* in both, and compared */
    size_t n_changed; /* of them */
    double relative;  /* root of the summed squares of b - a over that of a; NaN without tensors */
} nt_diff_sum;

/* Of DIFF: the sum of all, then blocks in order. NULL past the end. */
NT_API size_t nt_result_n_diff_sums(const nt_result *result);
NT_API const nt_diff_sum *nt_result_diff_sum(const nt_result *result, size_t i);

#ifdef __cplusplus
}
#endif
#endif
