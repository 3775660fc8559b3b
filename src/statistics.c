#include "statistics.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

enum { PIECE = 16384, ROUND = 256, LANES = 8 }; /* numbers; pieces between two looks at cancel */

/* ---- Numbers of every type ------------------------------------------------------------------- */

#define READER(name, type)                                                                         \
    static void read_##name(double *out, const void *data, uint64_t first, size_t n) {             \
        const char *at = (const char *)data + first * sizeof(type);                                \
        for (size_t i = 0; i < n; i++, at += sizeof(type)) {                                       \
            type value;                                                                            \
            memcpy(&value, at, sizeof value);                                                      \
            out[i] = (double)value;                                                                \
        }                                                                                          \
    }
#define LOADER(name)                                                                               \
    static void read_##name(double *out, const void *data, uint64_t first, size_t n) {             \
        for (size_t i = 0; i < n; i++)                                                             \
            out[i] = (double)nt_dtype_load(data, NT_##name, (size_t)first + i);                    \
    }

READER(F32, float)
READER(F64, double)
READER(U8, uint8_t)
READER(I8, int8_t)
READER(U16, uint16_t)
READER(I16, int16_t)
READER(U32, uint32_t)
READER(I32, int32_t)
READER(U64, uint64_t)
READER(I64, int64_t)
LOADER(F16)
LOADER(BF16)
LOADER(Q8_0)
LOADER(Q4_0)
LOADER(Q6_K)

/* What is not 0 is true. */
static void read_BOOL(double *out, const void *data, uint64_t first, size_t n) {
    for (size_t i = 0; i < n; i++)
        out[i] = ((const unsigned char *)data)[first + i] != 0;
}

/* One sign, four bits of exponent, three of fraction; no infinities. */
static void read_F8_E4M3(double *out, const void *data, uint64_t first, size_t n) {
    for (size_t i = 0; i < n; i++) {
        int byte = ((const unsigned char *)data)[first + i], exponent = byte >> 3 & 15;
        double size = exponent ? ldexp(8 + (byte & 7), exponent - 10) : ldexp(byte & 7, -9);
        if ((byte & 127) == 127) size = (double)NAN;
        out[i] = byte & 128 ? -size : size;
    }
}

/* The upper half of an F16. */
static void read_F8_E5M2(double *out, const void *data, uint64_t first, size_t n) {
    for (size_t i = 0; i < n; i++) {
        uint16_t half = (uint16_t)(((const unsigned char *)data)[first + i] << 8);
        out[i] = (double)nt_dtype_load(&half, NT_F16, 0);
    }
}

bool nt_numbers_of(nt_numbers *out, const void *data, const char *type) {
#define TYPE(name)                                                                                 \
    { #name, read_##name }
    static const struct {
        const char *name;
        void (*read)(double *out, const void *data, uint64_t first, size_t n);
    } types[] = {TYPE(F32),  TYPE(F16), TYPE(BF16), TYPE(F64),  TYPE(Q8_0),    TYPE(Q4_0),
                 TYPE(Q6_K), TYPE(U8),  TYPE(I8),   TYPE(U16),  TYPE(I16),     TYPE(U32),
                 TYPE(I32),  TYPE(U64), TYPE(I64),  TYPE(BOOL), TYPE(F8_E4M3), TYPE(F8_E5M2)};
#undef TYPE
    *out = (nt_numbers){.data = data};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(types[i].name, type) == 0) out->read = types[i].read;
    return out->read != NULL;
}

static void read_numbers(double *out, const nt_numbers *numbers, uint64_t first, size_t n) {
    if (!numbers->turned) {
        numbers->read(out, numbers->data, first, n);
        return;
    }
    uint64_t row = first / numbers->columns, column = first % numbers->columns;
    for (size_t i = 0; i < n; i++) {
        numbers->read(&out[i], numbers->data, column * numbers->rows + row, 1);
        if (++column == numbers->columns) {
            column = 0;
            row++;
        }
    }
}

/* ---- A piece --------------------------------------------------------------------------------- */

/* Eight sums, as a tree. */
static double joined(const double *sums) {
    return ((sums[0] + sums[4]) + (sums[2] + sums[6])) +
           ((sums[1] + sums[5]) + (sums[3] + sums[7]));
}

/* x [n] is overwritten: its finite numbers move to the front. */
static nt_moments moments_of(double *x, size_t n) {
    nt_moments m = {.min = HUGE_VAL, .max = -HUGE_VAL};
    size_t kept = 0;
    double sums[LANES] = {0}, squares[LANES] = {0};
    for (size_t i = 0; i < n; i++) {
        double value = x[i];
        if (!isfinite(value)) {
            m.n_nan += isnan(value) != 0;
            m.n_inf += isinf(value) != 0;
            continue;
        }
        m.n_zeros += value == 0;
        m.min = value < m.min ? value : m.min;
        m.max = value > m.max ? value : m.max;
        x[kept++] = value;
    }
    m.n = kept;
    if (kept == 0) return m;
    for (size_t i = 0; i < kept; i++)
        sums[i % LANES] += x[i];
    m.mean = joined(sums) / (double)kept;
    for (size_t i = 0; i < kept; i++)
        squares[i % LANES] += (x[i] - m.mean) * (x[i] - m.mean);
    m.m2 = joined(squares);
    return m;
}

/* Two parts as one (Chan, Golub & LeVeque 1979). */
static void join_moments(nt_moments *all, const nt_moments *part) {
    all->n_zeros += part->n_zeros;
    all->n_nan += part->n_nan;
    all->n_inf += part->n_inf;
    if (part->n == 0) return;
    double n = (double)all->n, more = (double)part->n, apart = part->mean - all->mean;
    all->n += part->n;
    all->min = part->min < all->min ? part->min : all->min;
    all->max = part->max > all->max ? part->max : all->max;
    all->mean += apart * (more / (n + more));
    all->m2 += part->m2 + apart * (n * (more / (n + more))) * apart; /* 0 of none, never NaN */
}

static nt_pairs pairs_of(const double *a, const double *b, size_t n) {
    nt_pairs p = {.n_pairs = n};
    double dd[LANES] = {0}, aa[LANES] = {0}, bb[LANES] = {0}, ab[LANES] = {0};
    for (size_t i = 0; i < n; i++) {
        double x = a[i], y = b[i];
        p.n_changed += !(x == y || (isnan(x) && isnan(y)));
        if (!isfinite(x) || !isfinite(y)) continue;
        double d = y - x, size = fabs(d);
        size_t lane = p.n++ % LANES;
        p.max_abs = size > p.max_abs ? size : p.max_abs;
        dd[lane] += d * d;
        aa[lane] += x * x;
        bb[lane] += y * y;
        ab[lane] += x * y;
    }
    p.dd = joined(dd);
    p.aa = joined(aa);
    p.bb = joined(bb);
    p.ab = joined(ab);
    return p;
}

static void join_pairs(nt_pairs *all, const nt_pairs *part) {
    all->n += part->n;
    all->n_pairs += part->n_pairs;
    all->n_changed += part->n_changed;
    all->max_abs = part->max_abs > all->max_abs ? part->max_abs : all->max_abs;
    all->dd += part->dd;
    all->aa += part->aa;
    all->bb += part->bb;
    all->ab += part->ab;
}

/* ---- All pieces, some rounds of them --------------------------------------------------------- */

/* What a tally's parts hold. */
typedef union part {
    nt_moments moments;
    nt_pairs pairs;
} part;

/* A round: pieces [first, first + n_pieces). */
typedef struct job {
    const nt_tally *tally;
    const nt_numbers *a, *b; /* b NULL: moments of a */
    uint64_t first, n;       /* n: of all numbers */
    size_t n_pieces;
} job;

int nt_tally_new(nt_tally *out, int threads, const nt_callbacks *callbacks, uint64_t total) {
    *out = (nt_tally){.callbacks = callbacks, .total = total};
    int status = nt_pool_new(&out->pool, threads);
    if (status == NT_OK) {
        out->room = nt_alloc((size_t)nt_pool_size(out->pool), 2 * PIECE * sizeof *out->room);
        out->parts = nt_alloc(ROUND, sizeof(part));
        if (!out->room || !out->parts) status = NT_E_MEMORY;
    }
    if (status != NT_OK) nt_tally_free(out);
    return status;
}

void nt_tally_free(nt_tally *tally) {
    nt_pool_free(tally->pool);
    nt_free(tally->room);
    nt_free(tally->parts);
    *tally = (nt_tally){0};
}

int nt_tally_tell(nt_tally *tally, uint64_t n_bytes) {
    const nt_callbacks *callbacks = tally->callbacks;
    tally->done += n_bytes;
    if (callbacks && callbacks->progress)
        callbacks->progress(callbacks->payload, "bytes", tally->done, tally->total);
    if (callbacks && callbacks->cancel && callbacks->cancel(callbacks->payload))
        return nt_fail(NT_E_CANCELLED, "stopped before all tensors were read");
    return NT_OK;
}

static void run_part(void *payload, int thread, int n_threads) {
    const job *j = payload;
    double *a = j->tally->room + (size_t)thread * 2 * PIECE, *b = a + PIECE;
    part *parts = j->tally->parts;
    size_t begin, end;
    nt_partition(&begin, &end, j->n_pieces, 1, thread, n_threads);
    for (size_t i = begin; i < end; i++) {
        uint64_t first = (j->first + i) * PIECE, left = j->n - first;
        size_t n = left < PIECE ? (size_t)left : PIECE;
        read_numbers(a, j->a, first, n);
        if (j->b) read_numbers(b, j->b, first, n);
        if (j->b)
            parts[i].pairs = pairs_of(a, b, n);
        else
            parts[i].moments = moments_of(a, n);
    }
}

/* Runs round after round; join takes their parts in order. */
static int run(nt_tally *tally, job j, uint64_t n_bytes, void *all,
               void (*join)(void *all, const part *one)) {
    uint64_t n_pieces = j.n / PIECE + (j.n % PIECE != 0), told = 0;
    j.tally = tally;
    for (; j.first < n_pieces; j.first += ROUND) {
        j.n_pieces = n_pieces - j.first < ROUND ? (size_t)(n_pieces - j.first) : ROUND;
        if (j.n_pieces == 1)
            run_part(&j, 0, 1);
        else
            nt_pool_run(tally->pool, run_part, &j);
        for (size_t i = 0; i < j.n_pieces; i++)
            join(all, &((const part *)tally->parts)[i]);
        uint64_t gone =
            (uint64_t)((double)n_bytes * ((double)(j.first + j.n_pieces) / (double)n_pieces));
        NT_TRY(nt_tally_tell(tally, gone - told));
        told = gone;
    }
    return nt_tally_tell(tally, n_bytes - told);
}

static void take_moments(void *all, const part *one) {
    join_moments(all, &one->moments);
}

static void take_pairs(void *all, const part *one) {
    join_pairs(all, &one->pairs);
}

int nt_tally_moments(nt_moments *out, nt_tally *tally, const nt_numbers *numbers, uint64_t n,
                     uint64_t n_bytes) {
    *out = (nt_moments){.min = HUGE_VAL, .max = -HUGE_VAL};
    return run(tally, (job){.a = numbers, .n = n}, n_bytes, out, take_moments);
}

int nt_tally_pairs(nt_pairs *out, nt_tally *tally, const nt_numbers *a, const nt_numbers *b,
                   uint64_t n, uint64_t n_bytes) {
    *out = (nt_pairs){0};
    return run(tally, (job){.a = a, .b = b, .n = n}, n_bytes, out, take_pairs);
}
