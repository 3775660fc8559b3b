#include "model/rotary.h"

#include "base/math.h"
#include "base/memory.h"

/* As transformers' llama3 does it: waves that are long against the context a model was first
 * trained on are stretched by the factor, short ones stay, and between them it slopes. */
static float stretched(float frequency, const nt_config_rope *rope) {
    const float tau = 6.28318530717958647692f, factor = (float)rope->factor;
    float wave = 1.0f / frequency * tau;
    double longest = rope->original / rope->low, shortest = rope->original / rope->high;
    if (wave > (float)longest) return frequency / factor;
    if (wave < (float)shortest) return frequency;
    float part = 1.0f / wave * (float)rope->original - (float)rope->low;
    float smooth = part / (float)(rope->high - rope->low);
    return (1.0f - smooth) * frequency / factor + smooth * frequency;
}

int nt_rotary_frequencies(const float **out, const nt_config *config, nt_arena *arena) {
    const nt_config_rope *rope = &config->rope;
    size_t n = (size_t)rope->n;
    *out = NULL;
    if (n == 0) return NT_OK;
    float *frequencies = nt_arena_alloc(arena, n, sizeof *frequencies);
    if (!frequencies) return NT_E_MEMORY;
    double log_theta = nt_log((float)rope->theta);
    for (size_t i = 0; i < n; i++) {
        float exponent = (float)(2 * i) / (float)rope->width;
        frequencies[i] = 1.0f / (float)nt_exp((double)exponent * log_theta);
        if (rope->kind == NT_ROPE_LINEAR) frequencies[i] /= (float)rope->factor;
        if (rope->kind == NT_ROPE_LLAMA3) frequencies[i] = stretched(frequencies[i], rope);
    }
    *out = frequencies;
    return NT_OK;
}

int nt_turns_ready(nt_turns *turns, const float *frequencies, size_t n_pairs, size_t n) {
    if (n <= turns->positions) return NT_OK;
    size_t capacity = turns->positions, row = 2 * n_pairs;
    NT_TRY(nt_grow((void **)&turns->table, &capacity, n, row * sizeof *turns->table));
    for (size_t t = turns->positions; t < capacity; t++) {
        float *cosine = turns->table + t * row, *sine = cosine + n_pairs;
        for (size_t i = 0; i < n_pairs; i++) {
            double both[2];
            nt_turn(both, (float)t * frequencies[i]);
            cosine[i] = (float)both[0];
            sine[i] = (float)both[1];
        }
    }
    turns->positions = capacity;
    return NT_OK;
}

void nt_turns_free(nt_turns *turns) {
    nt_free(turns->table);
    *turns = (nt_turns){0};
}
