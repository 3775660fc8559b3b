/* What every operation gives for fixed seeded inputs, as one line and one hash for each: the same
 * on every machine and with every instruction set (docs/numbers.md). scripts/arm compares the lines
 * of this machine with those of 64-bit Arm.
 *   bits_digest        names the instruction sets that this machine runs, one a line
 *   bits_digest SET    prints the digests */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/math.h"
#include "base/memory.h"
#include "compute/cpu/kernels.h"
#include "compute/fused.h"
#include "compute/numbers.h"

/* FNV-1a over bytes in a stated order, so that it does not depend on the machine's. */
static uint64_t hash_bits(uint64_t hash, uint64_t bits, int n_bytes) {
    for (int i = 0; i < n_bytes; i++)
        hash = (hash ^ (bits >> (8 * i) & 0xFF)) * 0x100000001B3;
    return hash;
}

static const uint64_t START = 0xCBF29CE484222325;

/* Which NaN comes out is left open. */
static uint64_t hash_floats(const float *x, size_t n) {
    uint64_t hash = START;
    for (size_t i = 0; i < n; i++)
        hash = hash_bits(hash, x[i] != x[i] ? 0x7FC00000 : bits_of_float(x[i]), 4);
    return hash;
}

static uint64_t hash_double(uint64_t hash, double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return hash_bits(hash, x != x ? 0x7FF8000000000000 : bits, 8);
}

static void print_hash(const char *what, uint64_t hash) {
    printf("%s %016llx\n", what, (unsigned long long)hash);
}

static void *room(size_t n, size_t size) {
    void *memory = nt_alloc(n, size);
    if (!memory) exit((fprintf(stderr, "bits_digest: error: no memory\n"), 1));
    return memory;
}

static float *floats(uint64_t *seed, size_t n, float scale) {
    float *x = room(n, sizeof *x);
    for (size_t i = 0; i < n; i++)
        x[i] = scale * next_float(seed);
    return x;
}

static void *weights(uint64_t *seed, nt_dtype dtype, size_t n) {
    void *data = room(nt_dtype_bytes(dtype, n), 1);
    for (size_t i = 0; i < n; i += nt_dtype_block(dtype))
        put_random(data, dtype, i, seed);
    return data;
}

static const size_t block_shapes[][3] = {{1, 768, 200}, {1, 256, 41}, {2, 512, 33},
                                         {5, 256, 64},  {7, 768, 50}, {64, 256, 130}};

static void digest_shapes(nt_device *device, nt_layout layout, nt_dtype dtype,
                          const size_t (*shapes)[3], size_t n_shapes) {
    for (size_t i = 0; i < n_shapes; i++) {
        size_t R = shapes[i][0], K = shapes[i][1], N = shapes[i][2];
        uint64_t seed = i;
        float *x = floats(&seed, R * K, i % 3 ? 2 : 0x1p-130f), *bias = floats(&seed, N, 1);
        float *y = room(R * N, sizeof *y);
        void *data = weights(&seed, dtype, K * N);
        nt_matrix w = {.data = data, .dtype = dtype, .layout = layout, .K = K, .N = N};
        char what[80];
        snprintf(what, sizeof what, "matmul %s %s R%zu K%zu N%zu",
                 layout == NT_IN_OUT ? "in_out" : "out_in", nt_dtype_name(dtype), R, K, N);
        device->ops->matmul(device, y, x, &w, i % 2 ? bias : NULL, R);
        print_hash(what, hash_floats(y, R * N));
        nt_free(x);
        nt_free(bias);
        nt_free(y);
        nt_free(data);
    }
}

static void digest_matmul(nt_device *device, nt_layout layout, nt_dtype dtype) {
    static const size_t shapes[][3] = {{1, 768, 200},  {1, 37, 41},  {2, 100, 33},  {5, 300, 64},
                                       {7, 259, 50},   {13, 65, 97}, {23, 513, 65}, {64, 80, 130},
                                       {193, 270, 37}, {3, 0, 5},    {9, 3, 1}};
    digest_shapes(device, layout, dtype, shapes, sizeof shapes / sizeof *shapes);
}

static void digest_embed(nt_device *device, nt_dtype dtype) {
    enum { R = 9, D = 77, V = 50, T = 20 };
    uint64_t seed = 41;
    void *token = weights(&seed, dtype, V * D), *place = weights(&seed, dtype, T * D);
    nt_matrix wte = {token, dtype, NT_OUT_IN, D, V}, wpe = {place, dtype, NT_OUT_IN, D, T};
    int32_t ids[R], position[R];
    float y[R * D];
    for (int r = 0; r < R; r++) {
        ids[r] = (int32_t)(next_random(&seed) % V);
        position[r] = (int32_t)(next_random(&seed) % T);
    }
    device->ops->embed(device, y, &wte, &wpe, ids, position, R);
    char what[40];
    snprintf(what, sizeof what, "embed %s", nt_dtype_name(dtype));
    print_hash(what, hash_floats(y, R * D));
    nt_free(token);
    nt_free(place);
}

static void digest_norm(nt_device *device) {
    static const size_t widths[] = {1, 7, 16, 33, 768, 1601};
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        enum { R = 5 };
        size_t D = widths[i];
        uint64_t seed = i;
        float *x = floats(&seed, R * D, 3), *gain = floats(&seed, D, 1),
              *bias = floats(&seed, D, 1);
        device->ops->layer_norm(device, x, x, gain, bias, 1e-5f, R, D);
        char what[40];
        snprintf(what, sizeof what, "layer_norm D%zu", D);
        print_hash(what, hash_floats(x, R * D));
        device->ops->rms_norm(device, x, x, gain, 1e-5f, R, D);
        snprintf(what, sizeof what, "rms_norm D%zu", D);
        print_hash(what, hash_floats(x, R * D));
        nt_rotary rotary = {D / 2, bias}; /* any numbers do for cosines and sines */
        nt_heads rows = {x, D, D};
        int32_t first[R] = {0};
        device->ops->rotate(device, &rows, R, 1, &rotary, first);
        device->ops->gate(device, NT_SILU, x, gain, D);
        snprintf(what, sizeof what, "rotate and gate D%zu", D);
        print_hash(what, hash_floats(x, R * D));
        nt_free(x);
        nt_free(gain);
        nt_free(bias);
    }
}

/* Two texts: rows of one in a run, then both by turns; positions across pages. */
static void digest_attention(nt_device *device, size_t H, size_t E) {
    enum { R = 14, PAGES = 4, LONGEST = PAGES * NT_PAGE };
    size_t D = H * E;
    uint64_t seed = E;
    void *pages[2][PAGES], *const *tables[R];
    int32_t position[R];
    for (size_t i = 0; i < 2 * PAGES; i++)
        pages[i / PAGES][i % PAGES] = floats(&seed, 2 * D * NT_PAGE, 2);
    for (size_t r = 0; r < R; r++) {
        tables[r] = pages[r < 9 ? 0 : r % 2];
        position[r] = (int32_t)(r < 9 ? 60 + r : r * 17);
    }
    float *qkv = floats(&seed, R * 3 * D, 2), *y = room(R * D, sizeof *y);
    float *probs = floats(&seed, R * H * LONGEST, 0);
    nt_attention a = fused_attention(R, H, E, qkv, y, 0.31f, tables, position, probs, LONGEST);
    device->ops->store_kv(device, &a);
    device->ops->attend(device, &a);
    char what[60];
    snprintf(what, sizeof what, "attend H%zu E%zu", H, E);
    print_hash(what, hash_floats(y, R * D));
    snprintf(what, sizeof what, "probabilities H%zu E%zu", H, E);
    print_hash(what, hash_floats(probs, R * H * LONGEST));
    a.window = 70;
    a.G = 1; /* every head reads the first one's keys and values */
    device->ops->attend(device, &a);
    snprintf(what, sizeof what, "attend H%zu E%zu, shared, window", H, E);
    print_hash(what, hash_floats(y, R * D));
    for (size_t i = 0; i < 2 * PAGES; i++)
        nt_free(pages[i / PAGES][i % PAGES]);
    nt_free(qkv);
    nt_free(y);
    nt_free(probs);
}

/* Every 2^14th float of all there are, and n that divides by nothing. */
static void digest_vectors(nt_device *device) {
    size_t n = 0, most = 1 << 18;
    float *x = room(most, sizeof *x), *y = room(most, sizeof *y);
    for (uint64_t bits = 0; bits < (uint64_t)1 << 32; bits += (1 << 14) + 1)
        x[n++] = float_of_bits((uint32_t)bits);
    for (int i = 0; i < NT_N_ACTIVATIONS; i++) {
        memcpy(y, x, n * sizeof *y);
        device->ops->activate(device, (nt_activation)i, y, n);
        char what[40];
        snprintf(what, sizeof what, "activation %d", i);
        print_hash(what, hash_floats(y, n));
    }
    uint64_t seed = 5;
    for (size_t i = 0; i < n; i++)
        y[i] = 1e-38f * next_float(&seed);
    device->ops->add(device, y, x, n);
    print_hash("add", hash_floats(y, n));
    nt_free(x);
    nt_free(y);
}

/* From logits to probabilities, in double. */
static void digest_softmax(void) {
    enum { V = 50257 };
    uint64_t seed = 6, hash = START, exps = START, logs = START, sums = START;
    float *x = floats(&seed, V, 12);
    for (size_t n = V; n > 0; n = n * 2 / 3) {
        nt_softmax s = nt_softmax_of(x, n);
        hash = hash_double(hash_double(hash_double(hash, s.max), s.logsum), s.entropy);
    }
    for (size_t i = 0; i < V; i++) {
        exps = hash_double(exps, nt_exp((double)x[i] * 60));
        logs = hash_double(logs, nt_log(fabs((double)x[i])));
    }
    int32_t at[1000];
    for (size_t i = 0; i < 1000; i++)
        at[i] = (int32_t)(next_random(&seed) % V);
    double max = nt_softmax_of(x, V).max;
    for (size_t n = 0; n < 1000; n += 37)
        sums = hash_double(sums, nt_log_add(nt_log_sum_at(x, at, n, max), (double)x[n]));
    print_hash("sums of some", sums);
    print_hash("softmax", hash);
    print_hash("exp in double", exps);
    print_hash("log in double", logs);
    nt_free(x);
}

static int digest(const char *isa) {
    nt_device *device;
    setenv("NEXTOKEN_ISA", isa, 1);
    if (nt_cpu_open(&device, 2) != NT_OK)
        return fprintf(stderr, "bits_digest: error: %s\n", nt_error_message()), 1;
    for (int dtype = NT_F32; dtype <= NT_BF16; dtype++) {
        digest_embed(device, (nt_dtype)dtype);
        digest_matmul(device, NT_IN_OUT, (nt_dtype)dtype);
        digest_matmul(device, NT_OUT_IN, (nt_dtype)dtype);
    }
    for (int dtype = NT_Q8_0; dtype <= NT_Q6_K; dtype++)
        digest_shapes(device, NT_OUT_IN, (nt_dtype)dtype, block_shapes,
                      sizeof block_shapes / sizeof *block_shapes);
    digest_norm(device);
    digest_attention(device, 3, 16);
    digest_attention(device, 2, 64);
    digest_attention(device, 1, 37);
    digest_vectors(device);
    digest_softmax();
    nt_cpu_close(device);
    return 0;
}

int main(int argc, char **argv) {
    if (argc > 2) return fprintf(stderr, "usage: bits_digest [SET]\n"), 2;
    if (argc == 2) return digest(argv[1]);
    for (const nt_kernels *const *k = nt_cpu_kernels(); *k; k++)
        puts((*k)->isa);
    return 0;
}
