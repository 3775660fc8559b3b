#include "decode/draw/torch_rng.h"

#include <string.h>

#include "base/memory.h"
#include "base/status.h"

/* As torch 2.15 lays it out (CPUGeneratorImplState): its older state, and a float normal number
 * that was drawn ahead. `left` words are to come before the next twist, and one; a generator that
 * has just been seeded stands at word 0 with one left, and twists first. */
struct nt_torch_rng {
    uint64_t seed;
    int32_t left, seeded;
    uint64_t next, words[NT_MERSENNE_N];
    double normal_x, normal_y, normal_rho;
    int32_t normal_is_valid, unused;
    float float_normal;
    uint8_t float_normal_is_valid, padding[3];
};
_Static_assert(sizeof(nt_torch_rng) == NT_TORCH_STATE, "torch's state has no gaps");

enum { N = NT_MERSENNE_N };

int nt_torch_rng_new(nt_torch_rng **out, uint64_t seed) {
    *out = nt_alloc(1, sizeof **out);
    if (!*out) return NT_E_MEMORY;
    nt_mersenne stream;
    nt_mersenne_seed(&stream, (uint32_t)seed);
    (*out)->seed = seed;
    (*out)->seeded = (*out)->left = 1;
    for (size_t i = 0; i < N; i++)
        (*out)->words[i] = stream.state[i];
    return NT_OK;
}

void nt_torch_rng_free(nt_torch_rng *rng) {
    nt_free(rng);
}

static int check_size(size_t n) {
    if (n == NT_TORCH_STATE) return NT_OK;
    return nt_fail(NT_E_ARGUMENT, "a state of torch's CPU generator has %d bytes, and not %zu",
                   NT_TORCH_STATE, n);
}

int nt_torch_rng_get_state(uint8_t *state, size_t n, const nt_torch_rng *rng) {
    NT_TRY(check_size(n));
    memcpy(state, rng, sizeof *rng);
    return NT_OK;
}

static bool is_sound(const nt_torch_rng *rng) {
    bool fresh = rng->left == 1 && rng->next == 0;
    bool used = rng->left >= 1 && rng->left <= N && rng->next == (uint64_t)(N + 1 - rng->left);
    for (size_t i = 0; i < N; i++)
        if (rng->words[i] > UINT32_MAX) return false;
    return rng->seeded == 1 && (fresh || used);
}

int nt_torch_rng_set_state(nt_torch_rng *rng, const uint8_t *state, size_t n) {
    NT_TRY(check_size(n));
    nt_torch_rng given;
    memcpy(&given, state, sizeof given);
    if (!is_sound(&given)) {
        return nt_fail(NT_E_ARGUMENT, "these bytes are no state of torch's CPU generator; take "
                                      "them from torch.get_rng_state()");
    }
    *rng = given;
    return NT_OK;
}

nt_mersenne nt_torch_rng_stream(const nt_torch_rng *rng) {
    nt_mersenne stream = {.at = rng->left == 1 ? N : (size_t)rng->next};
    for (size_t i = 0; i < N; i++)
        stream.state[i] = (uint32_t)rng->words[i];
    return stream;
}

void nt_torch_rng_leave(nt_torch_rng *rng, const nt_mersenne *stream) {
    nt_mersenne begun = nt_torch_rng_stream(rng);
    if (begun.at == stream->at && memcmp(begun.state, stream->state, sizeof begun.state) == 0)
        return; /* nothing was drawn: one that is fresh stays so */
    for (size_t i = 0; i < N; i++)
        rng->words[i] = stream->state[i];
    rng->next = stream->at;
    rng->left = (int32_t)(N + 1 - stream->at);
}
