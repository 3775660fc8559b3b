/* Draws under either generator; those of Philox where one id is drawn are by cumulated sums. */
#include "decode/draw/draw.h"

#include <float.h>
#include <math.h>

#include "base/math.h"
#include "base/memory.h"
#include "base/random.h"
#include "decode/draw/race.h"
#include "decode/draw/torch_rng.h"
#include "decode/process/float_softmax.h"
#include "trace/candidates.h"

enum { SPACE_UNIFORM = 1, SPACE_WEIGHTED = 2 };

int nt_draws_begin(nt_draws *draws, const nt_plan *plan, size_t V) {
    *draws = (nt_draws){.plan = plan, .V = V};
    draws->p = nt_alloc(V, sizeof *draws->p);
    if (!draws->p) return NT_E_MEMORY;
    if (plan->rng == NT_RNG_TORCH) {
        if (plan->torch_rng)
            draws->stream = nt_torch_rng_stream(plan->torch_rng);
        else
            nt_mersenne_seed(&draws->stream, (uint32_t)plan->seed);
        return NT_OK;
    }
    draws->sums = nt_alloc(V, sizeof *draws->sums);
    return draws->sums ? NT_OK : NT_E_MEMORY;
}

void nt_draws_free(nt_draws *draws) {
    nt_free(draws->sums);
    nt_free(draws->p);
}

void nt_draws_leave(const nt_draws *draws) {
    if (draws->plan->torch_rng) nt_torch_rng_leave(draws->plan->torch_rng, &draws->stream);
}

static double uniform_of(const nt_draws *draws, uint64_t sequence, uint64_t index, uint64_t space) {
    const uint64_t key[2] = {draws->plan->seed, 0}, counter[4] = {index, sequence, 0, space};
    uint64_t block[4];
    nt_philox(block, key, counter);
    return (double)(block[0] >> 11) * 0x1p-53;
}

enum { BLOCK = 64 };

/* Cumulates x [n] and returns all of it. Each sum waits for the one before, but for blocks of
 * zeros: behind top_k, most are. */
static double cumulate(double *x, size_t n) {
    double sum = 0;
    for (size_t begin = 0, end; begin < n; begin = end) {
        end = n - begin < BLOCK ? n : begin + BLOCK;
        int any = 0;
        for (size_t i = begin; i < end; i++)
            any |= x[i] != 0;
        for (size_t i = begin; i < end && any; i++)
            x[i] = sum += x[i];
        for (size_t i = begin; i < end && !any; i++)
            x[i] = sum;
    }
    return sum;
}

/* The first id whose cumulated weight is above u times all of it. draws->sums [V] come as weights
 * and are cumulated here. */
static int32_t by_sums(nt_draws *draws, double u) {
    double *sums = draws->sums;
    size_t V = draws->V, low = 0, high = V - 1;
    double all = cumulate(sums, V), target = u * all;
    while (low < high) { /* where u * all rounds up to all, the first that is all of it */
        size_t middle = low + (high - low) / 2;
        if (sums[middle] > target || sums[middle] >= all)
            high = middle;
        else
            low = middle + 1;
    }
    return (int32_t)low;
}

/* The first of the race over draws->p. */
static int32_t race_one(nt_draws *draws) {
    nt_drawn first = {.id = -1};
    nt_race race = {.heap = &first, .k = 1};
    nt_race_torch(&race, &draws->stream, draws->p, draws->V, 0);
    return first.id;
}

int32_t nt_draws_one(nt_draws *draws, double *u, const float *logits, uint64_t sequence,
                     uint64_t index) {
    size_t V = draws->V;
    if (draws->plan->rng == NT_RNG_TORCH) {
        *u = NAN;
        if (nt_float_softmax(draws->p, logits, V)) return race_one(draws);
        nt_draws_pass(draws, 1);
        return nt_argmax(logits, V);
    }
    *u = nt_random_uniform(draws->plan->seed, sequence, index);
    nt_exp_below(draws->sums, logits, V, logits[nt_argmax(logits, V)]);
    return by_sums(draws, *u);
}

/* The sum of weights [V]; 0 where there is one that is no weight. */
static double sum_of(const float *weights, size_t V) {
    double sum = 0;
    bool fit = true;
    for (size_t i = 0; i < V; i++) {
        sum += weights[i];
        fit = fit && weights[i] >= 0;
    }
    return fit && sum <= FLT_MAX ? sum : 0;
}

int32_t nt_draws_weighted(nt_draws *draws, double *u, const float *weights, uint64_t sequence,
                          uint64_t index) {
    size_t V = draws->V;
    double sum = sum_of(weights, V);
    *u = NAN;
    if (!(sum > 0)) {
        nt_draws_pass(draws, 1);
        return -1;
    }
    if (draws->plan->rng == NT_RNG_TORCH) {
        for (size_t i = 0; i < V; i++)
            draws->p[i] = weights[i] / (float)sum;
        return race_one(draws);
    }
    *u = uniform_of(draws, sequence, index, SPACE_WEIGHTED);
    for (size_t i = 0; i < V; i++)
        draws->sums[i] = weights[i];
    return by_sums(draws, *u);
}

void nt_draws_pass(nt_draws *draws, size_t n_rows) {
    if (draws->plan->rng == NT_RNG_TORCH)
        nt_mersenne_skip(&draws->stream, 2 * (uint64_t)draws->V * n_rows);
}

void nt_draws_before(nt_draws *draws, size_t n_rows) {
    nt_draws_pass(draws, draws->plan->batch_index * n_rows);
}

void nt_draws_behind(nt_draws *draws, size_t n_rows) {
    nt_draws_pass(draws, (draws->plan->batch_size - 1 - draws->plan->batch_index) * n_rows);
}

double nt_draws_uniform(nt_draws *draws, uint64_t sequence, uint64_t index) {
    if (draws->plan->rng != NT_RNG_TORCH) return uniform_of(draws, sequence, index, SPACE_UNIFORM);
    return (double)(nt_mersenne_next(&draws->stream) & 0xFFFFFF) * 0x1p-24;
}

/* Of rows laid end to end: their peak, and the sum of their exponentials. */
static double sum_of_rows(nt_draws *draws, float *peak, const float *const *rows, size_t n_rows) {
    double sum = 0;
    *peak = -INFINITY;
    for (size_t r = 0; r < n_rows; r++) {
        float top = nt_peak(rows[r], draws->V);
        *peak = !(top <= *peak) ? top : *peak;
        if (isnan(top)) return 0;
    }
    for (size_t r = 0; r<n_rows && * peak> - INFINITY; r++)
        sum += nt_exponentials(draws->p, rows[r], draws->V, *peak);
    return sum;
}

int nt_draws_several(nt_draws *draws, nt_drawn *out, size_t *n, const float *const *rows,
                     size_t n_rows, size_t k, uint64_t index) {
    float peak, sum = (float)sum_of_rows(draws, &peak, rows, n_rows);
    nt_race race = {.heap = out, .k = k};
    *n = 0;
    if (!(sum > 0) || k == 0) {
        nt_draws_pass(draws, n_rows);
        return NT_OK;
    }
    for (size_t r = 0; r < n_rows; r++) {
        nt_exponentials(draws->p, rows[r], draws->V, peak);
        for (size_t i = 0; i < draws->V; i++)
            draws->p[i] /= sum;
        if (draws->plan->rng == NT_RNG_TORCH)
            nt_race_torch(&race, &draws->stream, draws->p, draws->V, r);
        else
            nt_race_philox(&race, draws->plan->seed, index, draws->p, draws->V, r);
    }
    *n = nt_race_end(&race);
    return NT_OK;
}
