/* Statistics of tensors where they lie, whatever type they are stored in. Numbers pass in pieces of
 * a fixed length, so that memory is bounded; within a piece eight sums run side by side, and pieces
 * are joined in order: the bits depend neither on threads nor on the machine. */
#ifndef NT_STATISTICS_H
#define NT_STATISTICS_H

#include "base/threads.h"
#include "format/tensors.h"
#include "nextoken.h"

/* The numbers of a tensor, row-major as [rows, columns]. */
typedef struct nt_numbers {
    void (*read)(double *out, const void *data, uint64_t first, size_t n);
    const void *data;
    uint64_t rows, columns; /* of a matrix that is turned: it lies as [columns, rows] */
    bool turned;
} nt_numbers;

/* Numbers of a type as a file writes it. False for one that is not read. */
bool nt_numbers_of(nt_numbers *out, const void *data, const char *type);

/* What is known of numbers: the finite ones are counted in n, and in all below zeros. */
typedef struct nt_moments {
    uint64_t n, n_zeros, n_nan, n_inf;
    double min, max, mean;
    double m2; /* sum of squared distances from the mean */
} nt_moments;

/* What is known of pairs (a, b). Sums are over the n of which both are finite. */
typedef struct nt_pairs {
    uint64_t n, n_pairs, n_changed; /* two NaN are no change */
    double max_abs, dd, aa, bb, ab; /* sums of squares and products; d = b - a */
} nt_pairs;

/* What counting works with. */
typedef struct nt_tally {
    nt_pool *pool;
    double *room; /* of each thread, for pieces */
    void *parts;  /* what pieces came to */
    const nt_callbacks *callbacks;
    uint64_t done, total; /* bytes, for progress */
} nt_tally;

int nt_tally_new(nt_tally *out, int threads, const nt_callbacks *callbacks, uint64_t total);
void nt_tally_free(nt_tally *tally);
/* Counts bytes as done. Errors: CANCELLED. */
int nt_tally_tell(nt_tally *tally, uint64_t n_bytes);

/* Over the first n numbers, which take n_bytes. Errors: CANCELLED. */
int nt_tally_moments(nt_moments *out, nt_tally *tally, const nt_numbers *numbers, uint64_t n,
                     uint64_t n_bytes);
int nt_tally_pairs(nt_pairs *out, nt_tally *tally, const nt_numbers *a, const nt_numbers *b,
                   uint64_t n, uint64_t n_bytes);

#endif
