/* Rows that hold the same pages (beams, forks of a prompt): attention gives the bits that each row
 * has by itself, and takes up a shared page once for its keys and once for its values, however many
 * rows hold it. */
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "compute/arrays.h"

enum { MOST_ROWS = 70, MOST_PAGES = 5, LONGEST = MOST_PAGES * NT_PAGE };

/* ---- Bits ------------------------------------------------------------------------------------ */

/* How the rows of a batch come by their pages. */
typedef enum sharing {
    UNSHARED, /* each has its own */
    FORKS,    /* of one prompt: all but the last page is common */
    PROMPTS,  /* of several prompts, five rows each */
    BY_TURNS, /* of two prompts, row by row */
    TREE,     /* each leaves some earlier row at some page */
    ANYHOW,   /* no beginning in common, and yet the same pages here and there */
    N_SHARINGS
} sharing;

typedef struct batch {
    size_t R, H, E;
    float *pool; /* [MOST_ROWS * MOST_PAGES] pages */
    void *tables[MOST_ROWS][MOST_PAGES];
    void *const *pages[MOST_ROWS];
    int32_t position[MOST_ROWS];
    float *qkv, *scratch, *expected, *y, *probs, *seen;
} batch;

static float *page_at(const batch *b, size_t row, size_t i) {
    return b->pool + (row * MOST_PAGES + i) * 2 * b->H * b->E * NT_PAGE;
}

/* The row whose page i is row r's. */
static size_t holder(sharing how, uint64_t *seed, size_t r, size_t i) {
    switch (how) {
    case FORKS: return i + 1 < MOST_PAGES ? 0 : r;
    case PROMPTS: return i + 1 < MOST_PAGES ? r / 5 * 5 : r;
    case BY_TURNS: return i + 1 < MOST_PAGES ? r % 2 : r;
    case ANYHOW: return next_random(seed) % 3;
    default: return r;
    }
}

static void share(batch *b, sharing how, uint64_t *seed) {
    for (size_t r = 0; r < MOST_ROWS; r++) {
        b->pages[r] = b->tables[r];
        for (size_t i = 0; i < MOST_PAGES; i++)
            b->tables[r][i] = page_at(b, holder(how, seed, r, i), i);
        if (how != TREE || r == 0) continue;
        size_t parent = next_random(seed) % r, common = next_random(seed) % (MOST_PAGES + 1);
        memcpy(b->tables[r], b->tables[parent], common * sizeof *b->tables[r]);
    }
}

static void batch_make(batch *b, size_t H, size_t E, uint64_t *seed) {
    size_t D = H * E, n = MOST_ROWS * H * LONGEST;
    *b = (batch){.H = H, .E = E};
    b->pool = random_floats(seed, MOST_ROWS * MOST_PAGES * 2 * D * NT_PAGE, 2);
    b->qkv = random_floats(seed, MOST_ROWS * 3 * D, 2);
    b->scratch = aligned_floats(NT_SCRATCH);
    b->expected = room(MOST_ROWS * D, sizeof *b->expected);
    b->y = room(MOST_ROWS * D, sizeof *b->y);
    b->probs = room(n, sizeof *b->probs);
    b->seen = room(n, sizeof *b->seen);
}

static void batch_free(batch *b) {
    nt_free(b->pool);
    nt_free(b->qkv);
    nt_free(b->scratch);
    nt_free(b->expected);
    nt_free(b->y);
    nt_free(b->probs);
    nt_free(b->seen);
}

/* Lengths all alike, each its own, or within the last page, as beams have them. */
static void set_lengths(batch *b, size_t R, uint64_t *seed) {
    size_t kind = next_random(seed) % 3, longest = 1 + next_random(seed) % LONGEST;
    b->R = R;
    for (size_t r = 0; r < R; r++) {
        size_t t = kind == 0   ? longest - 1
                   : kind == 1 ? next_random(seed) % LONGEST
                               : LONGEST - 1 - next_random(seed) % NT_PAGE;
        b->position[r] = (int32_t)t;
    }
}

static nt_attention call_of(batch *b, float *y, float *probs) {
    memset(y, 0xFF, b->R * b->H * b->E * sizeof *y);
    if (probs) memset(probs, 0, b->R * b->H * LONGEST * sizeof *probs);
    return fused_attention(b->R, b->H, b->E, b->qkv, y, 0.3f, b->pages, b->position, probs,
                           LONGEST);
}

/* The reference, which knows nothing of other rows, is the oracle. */
static void expect(batch *b) {
    nt_attention a = call_of(b, b->expected, b->probs);
    for (size_t h = 0; h < b->H; h++)
        nt_kernels_ref.attend(&a, h, 0, b->R, b->scratch, NT_SCRATCH);
}

static void check(batch *b, const char *isa, sharing how, bool with_probs) {
    size_t D = b->H * b->E, n = b->R * b->H * LONGEST,
           i = first_difference(b->y, b->expected, b->R * D);
    if (i < b->R * D)
        fail_msg("%s, sharing %d, %zu rows: row %zu number %zu is %a, not %a", isa, (int)how, b->R,
                 i / D, i % D, (double)b->y[i], (double)b->expected[i]);
    if (with_probs) assert_int_equal(first_difference(b->seen, b->probs, n), n);
}

static void any_sharing_gives_equal_bits(const nt_kernels *set) {
    static const size_t shapes[][2] = {{2, 24}, {1, 64}, {1, 7}};
    uint64_t seed = 71;
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        batch b;
        batch_make(&b, shapes[s][0], shapes[s][1], &seed);
        for (size_t R = 1 + s; R <= MOST_ROWS; R += (s ? 9 : 1) * SPARSER) {
            sharing how = (sharing)(R % N_SHARINGS);
            share(&b, how, &seed);
            set_lengths(&b, R, &seed);
            expect(&b);
            bool with_probs = R % 2;
            nt_attention a = call_of(&b, b.y, with_probs ? b.seen : NULL);
            for (size_t h = 0; h < b.H; h++)
                set->attend(&a, h, 0, R, b.scratch, NT_SCRATCH);
            check(&b, set->isa, how, with_probs);
        }
        batch_free(&b);
    }
}

/* Few rows at every border of a group, every way to share, with scratch for all scores, for those
 * of four rows, and for less. */
static void groups_give_equal_bits(const nt_kernels *set) {
    static const size_t scratch[] = {NT_SCRATCH, 25 * NT_PAGE, 9 * NT_PAGE, 4 * NT_PAGE};
    uint64_t seed = 72;
    batch b;
    batch_make(&b, 1, 20, &seed);
    for (size_t R = 1; R <= 18; R += SPARSER) {
        for (int how = 0; how < N_SHARINGS; how++) {
            share(&b, (sharing)how, &seed);
            set_lengths(&b, R, &seed);
            expect(&b);
            for (size_t i = 0; i < sizeof scratch / sizeof *scratch; i++) {
                nt_attention a = call_of(&b, b.y, b.seen);
                set->attend(&a, 0, 0, R, b.scratch, scratch[i]);
                check(&b, set->isa, (sharing)how, true);
            }
        }
    }
    batch_free(&b);
}

/* Through the device, which cuts rows into blocks and deals them out to threads. */
static void device_gives_equal_bits(const nt_kernels *set) {
    uint64_t seed = 73;
    batch b;
    batch_make(&b, 3, 16, &seed);
    setenv("NEXTOKEN_ISA", set->isa, 1);
    for (int threads = 1; threads <= 3; threads++) {
        nt_device *device;
        assert_int_equal(nt_cpu_open(&device, threads), NT_OK);
        for (size_t R = (size_t)threads; R <= MOST_ROWS; R += 4 * SPARSER) {
            sharing how = (sharing)(R % N_SHARINGS);
            share(&b, how, &seed);
            set_lengths(&b, R, &seed);
            expect(&b);
            nt_attention a = call_of(&b, b.y, b.seen);
            device->ops->attend(device, &a);
            check(&b, set->isa, how, true);
        }
        nt_cpu_close(device);
    }
    unsetenv("NEXTOKEN_ISA");
    batch_free(&b);
}

/* ---- Reading once ---------------------------------------------------------------------------- */

/* Pages of which only one at a time may be read: whoever turns to another one faults, which counts
 * as a visit of that one and shuts the one before. */
enum { MOST_WATCHED = 128, WATCHED_E = 16 };

typedef struct watch {
    char *memory; /* [n, stride] bytes */
    size_t n, stride;
    volatile size_t open; /* page that may be read; n: none */
    volatile size_t visits[MOST_WATCHED];
} watch;

static watch watched;

static void turn_to(int signal_number, siginfo_t *info, void *context) {
    (void)context;
    size_t at = (size_t)((char *)info->si_addr - watched.memory) / watched.stride;
    if ((char *)info->si_addr < watched.memory || at >= watched.n) { /* a fault of our own */
        signal(signal_number, SIG_DFL);
        return;
    }
    if (watched.open < watched.n)
        mprotect(watched.memory + watched.open * watched.stride, watched.stride, PROT_NONE);
    mprotect(watched.memory + at * watched.stride, watched.stride, PROT_READ);
    watched.open = at;
    watched.visits[at]++;
}

/* n pages for H heads of WATCHED_E, filled and shut. */
static void watch_begin(size_t n, size_t H, struct sigaction *before) {
    size_t unit = (size_t)sysconf(_SC_PAGESIZE), floats = 2 * H * WATCHED_E * NT_PAGE;
    uint64_t seed = 74;
    assert_true(n <= MOST_WATCHED);
    watched = (watch){.n = n, .stride = (floats * sizeof(float) + unit - 1) / unit * unit};
    watched.open = n;
    watched.memory =
        mmap(NULL, n * watched.stride, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(watched.memory, MAP_FAILED);
    for (size_t i = 0; i < n; i++)
        for (size_t f = 0; f < floats; f++)
            ((float *)(void *)(watched.memory + i * watched.stride))[f] = next_float(&seed);
    assert_int_equal(mprotect(watched.memory, n * watched.stride, PROT_NONE), 0);
    struct sigaction action = {.sa_sigaction = turn_to, .sa_flags = SA_SIGINFO};
    assert_int_equal(sigaction(SIGSEGV, &action, before), 0);
}

static void watch_end(const struct sigaction *before) {
    assert_int_equal(sigaction(SIGSEGV, before, NULL), 0);
    munmap(watched.memory, watched.n * watched.stride);
}

/* n_prompts of `shared` pages, `forks` rows of each, with one more page to each row. Rows of a
 * prompt stand together, or the prompts take turns. Every page is to be turned to twice by each
 * head. Through a device of one thread where there is one, else by the kernel itself. */
static void visit(const nt_kernels *set, nt_device *device, size_t H, size_t n_prompts,
                  size_t forks, size_t shared, bool by_turns) {
    enum { MOST = 32 };
    size_t R = n_prompts * forks, D = H * WATCHED_E, n = n_prompts * shared + R;
    uint64_t seed = 75;
    struct sigaction before;
    float *qkv = random_floats(&seed, R * 3 * D, 1), *y = room(R * D, sizeof *y);
    float *scratch = aligned_floats(NT_SCRATCH);
    void *tables[MOST][4], *const *pages[MOST];
    int32_t position[MOST];
    assert_true(R <= MOST && shared < 4);
    watch_begin(n, H, &before);
    for (size_t r = 0; r < R; r++) {
        size_t prompt = by_turns ? r % n_prompts : r / forks;
        for (size_t i = 0; i <= shared; i++) {
            size_t page = i < shared ? prompt * shared + i : n_prompts * shared + r;
            tables[r][i] = watched.memory + page * watched.stride;
        }
        pages[r] = tables[r];
        position[r] = (int32_t)(shared * NT_PAGE + r % 5);
    }
    nt_attention a = fused_attention(R, H, WATCHED_E, qkv, y, 0.25f, pages, position, NULL, 0);
    if (device)
        device->ops->attend(device, &a);
    else
        set->attend(&a, 0, 0, R, scratch, NT_SCRATCH);
    watch_end(&before);
    for (size_t i = 0; i < n; i++)
        if (watched.visits[i] != 2 * H)
            fail_msg("%s, %zu prompts of %zu pages, %zu forks: page %zu of %zu was read %zu times, "
                     "not %zu",
                     set->isa, n_prompts, shared, forks, i, n, watched.visits[i], 2 * H);
    nt_free(qkv);
    nt_free(y);
    nt_free(scratch);
}

static void kernels_read_pages_once(const nt_kernels *set) {
    for (size_t forks = 1; forks <= NT_ATTENTION_ROWS; forks++)
        for (size_t shared = 2; shared < 4; shared++)
            visit(set, NULL, 1, 1, forks, shared, false);
    for (size_t prompts = 2; prompts <= 4; prompts++)
        for (int by_turns = 0; by_turns < 2; by_turns++)
            visit(set, NULL, 1, prompts, NT_ATTENTION_ROWS / prompts, 3, by_turns);
}

/* No prompt's rows are torn into two blocks where they fit into one. */
static void devices_read_pages_once(const nt_kernels *set) {
    nt_device *device;
    setenv("NEXTOKEN_ISA", set->isa, 1);
    assert_int_equal(nt_cpu_open(&device, 1), NT_OK);
    for (size_t forks = 2; forks <= NT_ATTENTION_ROWS; forks++)
        visit(set, device, 2, 32 / forks, forks, 2, false);
    nt_cpu_close(device);
    unsetenv("NEXTOKEN_ISA");
}

static void test_any(void **state) {
    (void)state;
    with_every_set(any_sharing_gives_equal_bits);
}

static void test_groups(void **state) {
    (void)state;
    with_every_set(groups_give_equal_bits);
}

static void test_device(void **state) {
    (void)state;
    with_every_set(device_gives_equal_bits);
}

static void test_kernels_once(void **state) {
    (void)state;
    with_every_set(kernels_read_pages_once);
}

static void test_devices_once(void **state) {
    (void)state;
    with_every_set(devices_read_pages_once);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any),          cmocka_unit_test(test_groups),
        cmocka_unit_test(test_device),       cmocka_unit_test(test_kernels_once),
        cmocka_unit_test(test_devices_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
