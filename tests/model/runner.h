/* Networks and runners of seeded checkpoints, and which rows a test wants the logits of. */
#ifndef TESTS_MODEL_RUNNER_H
#define TESTS_MODEL_RUNNER_H

#include "checkpoint.h"

#include "compute/cpu/kernels.h"
#include "model/forward.h"

static inline nt_network *network_in(const char *name, nt_precision precision) {
    char path[CHECKPOINT_PATH];
    nt_network *network;
    checkpoint_path(path, name);
    if (nt_network_open(&network, path, precision) != NT_OK) fail_msg("%s", nt_error_message());
    return network;
}

static inline nt_network *network_named(const char *name) {
    return network_in(name, NT_PRECISION_F32);
}

static inline nt_runner *runner_of(const nt_network *network, int threads) {
    nt_runner *runner;
    if (nt_runner_new(&runner, network, threads) != NT_OK) fail_msg("%s", nt_error_message());
    return runner;
}

static inline int32_t sequence_of(nt_runner *runner) {
    int32_t sequence;
    if (nt_kv_sequence_new(&sequence, nt_runner_kv(runner)) != NT_OK)
        fail_msg("%s", nt_error_message());
    return sequence;
}

/* Whether products of a mode run in tiles on a set, whose order is not the reference kernels'. */
static inline bool has_own_bits(const nt_kernels *kernels, nt_precision precision) {
    return kernels->tiles && nt_precision_terms(precision) > 0;
}

/* nt_input.wanted for n ids. */
static inline size_t wanted_of(nt_want want, size_t n) {
    return want == NT_WANT_ALL ? 0 : want == NT_WANT_LAST ? n - 1 : n;
}

static inline nt_input input_of(int32_t sequence, const int32_t *ids, size_t n, nt_want want) {
    return (nt_input){sequence, ids, n, wanted_of(want, n), false};
}

#endif
