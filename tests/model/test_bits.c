/* The promise of equal bits, whole: in each mode logits of a text are the same on every instruction
 * set (in bf16: on every one without tiles), with
 * any number of threads, alone or in a batch in any order, as a sequence or standing alone, whole
 * or in pieces of any size, fresh or forked from a prefix. Every way is held, bit by bit, against
 * one reference: the reference kernels, one thread, each text alone and whole. */
#include "runner.h"

#include "compute/cpu/kernels.h"

enum { N_SHORT = 33, MOST_TEXTS = N_SHORT + 2, MOST_PIECE = 150, JUNK = 3, NONE = -1 };

typedef struct text {
    int32_t *ids; /* [n] */
    size_t n, wanted;
    float *rows; /* [n - wanted, V]: the reference */
    int parent;  /* text that it begins as, or NONE */
    size_t fork; /* up to where */
} text;

/* A model, its texts, and how to run them. */
typedef struct trial {
    const char *name;
    const char *args[20];
    size_t longest;  /* of the free texts; shapes the cost */
    size_t longs[2]; /* texts over several chunks of rows; 0: none */
    size_t tail;     /* logits are wanted of so many rows at a text's end; 0: of all */
    bool small;      /* the ways that cost little */
    nt_precision precision;
    nt_network *network;
    size_t V, context;
    size_t n_texts, n_short, n_family; /* the family comes first, the long ones last */
    text texts[MOST_TEXTS];
} trial;

/* What is being tried, for the message of a failure. */
static char way[300], machine[64];

static uint64_t random_state;

static size_t below(size_t n) {
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (size_t)(random_state >> 33) % n;
}

/* ---- Calls ----------------------------------------------------------------------------------- */

/* One call of nt_runner_step; every row that it gives is compared. */
typedef struct call {
    trial *t;
    nt_input inputs[MOST_TEXTS + JUNK];
    size_t text[MOST_TEXTS],
        from[MOST_TEXTS]; /* of the first inputs; nothing is wanted of others */
    size_t n, rows, seen;
    bool keep; /* the rows become the reference */
} call;

static void differs(const call *c, size_t k, size_t position, const float *found,
                    const float *expected) {
    size_t id = 0, n = 0;
    uint32_t a, b;
    for (size_t i = c->t->V; i-- > 0;)
        if (memcmp(found + i, expected + i, sizeof *found) != 0) id = i, n++;
    memcpy(&a, found + id, sizeof a);
    memcpy(&b, expected + id, sizeof b);
    fail_msg("%s, %s, %s: text %zu of %zu ids (forked from %d at %zu), position %zu: %zu of %zu "
             "logits differ, the first of id %zu: %.9g (%08x) where the reference has %.9g (%08x)",
             c->t->name, machine, way, k, c->t->texts[k].n, c->t->texts[k].parent,
             c->t->texts[k].fork, position, n, c->t->V, id, (double)found[id], a,
             (double)expected[id], b);
}

static int receive(void *payload, const nt_logits_row *rows, size_t n) {
    call *c = payload;
    size_t V = c->t->V;
    for (size_t i = 0; i < n; i++) {
        size_t k = c->text[rows[i].input], position = c->from[rows[i].input] + rows[i].t;
        text *x = &c->t->texts[k];
        float *reference = x->rows + (position - x->wanted) * V;
        if (c->keep)
            memcpy(reference, rows[i].logits, V * sizeof *reference);
        else if (memcmp(rows[i].logits, reference, V * sizeof *reference) != 0)
            differs(c, k, position, rows[i].logits, reference);
        c->seen++;
    }
    return NT_OK;
}

/* n ids of text k, from position `from` on, into a sequence or NT_ALONE. */
static void add(call *c, int32_t sequence, size_t k, size_t from, size_t n) {
    const text *x = &c->t->texts[k];
    size_t wanted = x->wanted > from ? x->wanted - from : 0;
    c->text[c->n] = k;
    c->from[c->n] = from;
    c->rows += wanted < n ? n - wanted : 0;
    c->inputs[c->n++] = (nt_input){sequence, x->ids + from, n, wanted, false};
}

static void run(call *c, nt_runner *runner) {
    if (nt_runner_step(runner, c->inputs, c->n, receive, c, NULL) != NT_OK)
        fail_msg("%s, %s, %s: %s", c->t->name, machine, way, nt_error_message());
    assert_int_equal(c->seen, c->rows);
    c->n = c->rows = c->seen = 0;
}

/* ---- Ways ------------------------------------------------------------------------------------ */

typedef enum mode { SEQUENCES, STANDING_ALONE, BY_TURNS } mode;

static const char *const modes[] = {"sequences", "standing alone", "both by turns"};

/* The texts of order [n], `size` of them in each call. */
static void in_batches(trial *t, nt_runner *runner, const size_t *order, size_t n, size_t size,
                       mode how) {
    nt_kv *kv = nt_runner_kv(runner);
    call c = {.t = t};
    for (size_t begin = 0; begin < n; begin += size) {
        size_t end = begin + size < n ? begin + size : n;
        for (size_t i = begin; i < end; i++) {
            bool alone = how == STANDING_ALONE || (how == BY_TURNS && i % 2);
            add(&c, alone ? NT_ALONE : sequence_of(runner), order[i], 0, t->texts[order[i]].n);
        }
        nt_input used[MOST_TEXTS];
        size_t n_used = c.n;
        memcpy(used, c.inputs, n_used * sizeof *used);
        run(&c, runner);
        for (size_t i = 0; i < n_used; i++)
            if (used[i].sequence != NT_ALONE) nt_kv_drop(kv, used[i].sequence);
    }
}

static void in_order(size_t order[MOST_TEXTS], size_t n) {
    for (size_t i = 0; i < n; i++)
        order[i] = i;
}

static void shuffle(size_t order[MOST_TEXTS], size_t n) {
    in_order(order, n);
    for (size_t i = n; i > 1; i--) {
        size_t k = below(i), swapped = order[k];
        order[k] = order[i - 1];
        order[i - 1] = swapped;
    }
}

/* Texts [first, end) side by side in pieces of `piece` ids, or, with 0, of as many as chance gives,
 * now and then none. */
static void in_pieces(trial *t, nt_runner *runner, size_t first, size_t end, size_t piece) {
    nt_kv *kv = nt_runner_kv(runner);
    int32_t sequences[MOST_TEXTS];
    size_t at[MOST_TEXTS] = {0}, left = end - first;
    for (size_t k = first; k < end; k++)
        sequences[k] = sequence_of(runner);
    call c = {.t = t};
    while (left > 0) {
        for (size_t k = first; k < end; k++) {
            size_t rest = t->texts[k].n - at[k], n = piece ? piece : below(MOST_PIECE);
            if (n > rest) n = rest;
            if (n == 0) continue;
            add(&c, sequences[k], k, at[k], n);
            at[k] += n;
            if (at[k] == t->texts[k].n) left--;
        }
        if (c.n) run(&c, runner);
    }
    for (size_t k = first; k < end; k++)
        nt_kv_drop(kv, sequences[k]);
}

/* ---- Forks ----------------------------------------------------------------------------------- */

/* Texts that begin as others do, growing side by side: each is forked off its parent where they
 * part, and the parent goes on. Beside each fork a sibling is made that gets other ids, and is
 * dropped while the others stand in the middle of a page. */
typedef struct grove {
    trial *t;
    nt_runner *runner;
    call c;
    int32_t sequences[MOST_TEXTS]; /* NONE: not begun, or done */
    bool begun[MOST_TEXTS];
    size_t at[MOST_TEXTS], alive, forks;
    int32_t junk[JUNK];
} grove;

/* How far text k may go before a child leaves it. */
static size_t next_stop(const grove *g, size_t k) {
    size_t stop = g->t->texts[k].n;
    for (size_t i = 0; i < g->t->n_short; i++) {
        const text *x = &g->t->texts[i];
        if (x->parent == (int)k && !g->begun[i] && x->fork < stop) stop = x->fork;
    }
    return stop;
}

static void drop_junk(grove *g, size_t i) {
    if (g->junk[i] == NONE) return;
    nt_kv_drop(nt_runner_kv(g->runner), g->junk[i]);
    g->junk[i] = NONE;
}

static void fork_off(grove *g, size_t parent) {
    nt_kv *kv = nt_runner_kv(g->runner);
    for (size_t i = 0; i < g->t->n_short; i++) {
        const text *x = &g->t->texts[i];
        if (x->parent != (int)parent || g->begun[i] || x->fork != g->at[parent]) continue;
        drop_junk(g, i % JUNK);
        assert_int_equal(nt_kv_fork(&g->junk[i % JUNK], kv, g->sequences[parent]), NT_OK);
        assert_int_equal(nt_kv_fork(&g->sequences[i], kv, g->sequences[parent]), NT_OK);
        g->begun[i] = true;
        g->at[i] = x->fork;
        g->alive++;
        g->forks++;
        fork_off(g, i); /* a fork of a fork at the same place */
    }
}

/* Ids of their own for the siblings that are to be dropped, in the same call as the others. */
static void add_junk(grove *g) {
    static const int32_t other[] = {1, 0, 3, 2, 5, 4, 1, 1};
    const nt_kv *kv = nt_runner_kv(g->runner);
    for (size_t i = 0; i < JUNK; i++) {
        size_t n = 1 + below(8);
        if (g->junk[i] == NONE || nt_kv_length(kv, g->junk[i]) + n > g->t->context) continue;
        g->c.inputs[g->c.n++] = (nt_input){g->junk[i], other, n, n, false};
    }
}

/* One call: every text that has begun gets `piece` ids, or with 0 as many as chance gives, but goes
 * no further than to where a child leaves it. */
static void grow(grove *g, size_t piece) {
    for (size_t k = 0; k < g->t->n_short; k++) {
        if (g->sequences[k] == NONE) continue;
        size_t most = next_stop(g, k) - g->at[k], n = piece ? piece : below(40);
        if (n > most) n = most;
        if (n == 0) continue;
        add(&g->c, g->sequences[k], k, g->at[k], n);
        g->at[k] += n;
    }
    if (g->c.n) {
        add_junk(g);
        run(&g->c, g->runner);
    }
    for (size_t k = 0; k < g->t->n_short; k++) {
        if (g->sequences[k] == NONE) continue;
        fork_off(g, k);
        if (g->at[k] < g->t->texts[k].n) continue;
        nt_kv_drop(nt_runner_kv(g->runner), g->sequences[k]);
        g->sequences[k] = NONE;
        g->alive--;
    }
    if (below(2)) drop_junk(g, below(JUNK));
}

static void forked(trial *t, nt_runner *runner, size_t piece) {
    grove *g = calloc(1, sizeof *g);
    assert_non_null(g);
    g->t = g->c.t = t;
    g->runner = runner;
    for (size_t k = 0; k < t->n_short; k++)
        g->sequences[k] = NONE;
    for (size_t i = 0; i < JUNK; i++)
        g->junk[i] = NONE;
    g->sequences[0] = sequence_of(runner);
    g->begun[0] = true;
    for (g->alive = 1; g->alive > 0;)
        grow(g, piece);
    for (size_t i = 0; i < JUNK; i++)
        drop_junk(g, i);
    assert_int_equal(g->forks, t->n_family - 1);
    free(g);
}

/* ---- Texts ----------------------------------------------------------------------------------- */

/* The first texts, which are forked from one another: around the borders of pages, off them, from
 * forks, and where the parent itself begins. */
typedef struct branch {
    int parent;
    size_t fork, more;
} branch;

static const branch family[] = {
    {NONE, 0, 210}, {0, 1, 20},   {0, 17, 9},   {0, 63, 30},  {0, 64, 70},
    {0, 65, 5},     {0, 127, 10}, {0, 128, 66}, {0, 129, 3},  {0, 191, 4},
    {0, 193, 20},   {4, 100, 40}, {4, 64, 9},   {7, 129, 20}, {13, 130, 5},
};
static const branch small_family[] = {
    {NONE, 0, 67}, {0, 1, 2}, {0, 63, 2}, {0, 64, 2}, {0, 65, 1}, {2, 64, 2}, {2, 63, 1},
};

static void make_text(trial *t, size_t k, size_t n, int parent, size_t fork) {
    text *x = &t->texts[k];
    *x = (text){.ids = malloc(n * sizeof *x->ids), .n = n, .parent = parent, .fork = fork};
    assert_non_null(x->ids);
    for (size_t i = 0; i < n; i++)
        x->ids[i] = i < fork ? t->texts[parent].ids[i] : (int32_t)below(t->V);
    if (parent != NONE && x->ids[fork] == t->texts[parent].ids[fork])
        x->ids[fork] = (int32_t)((size_t)(x->ids[fork] + 1) % t->V);
    x->wanted = t->tail && n > t->tail ? n - t->tail : 0;
    x->rows = malloc((n - x->wanted) * t->V * sizeof *x->rows);
    assert_non_null(x->rows);
}

static void make_texts(trial *t) {
    const branch *branches = t->small ? small_family : family;
    random_state = 2024;
    t->n_family = t->small ? sizeof small_family / sizeof *family : sizeof family / sizeof *family;
    for (; t->n_texts < t->n_family; t->n_texts++) {
        const branch *b = &branches[t->n_texts];
        make_text(t, t->n_texts, b->fork + b->more, b->parent, b->fork);
    }
    for (size_t n = 1; t->n_texts < N_SHORT; t->n_texts++, n++)
        make_text(t, t->n_texts, n < 4 ? n : 1 + below(t->longest), NONE, 0);
    t->n_short = t->n_texts;
    for (size_t i = 0; i < 2 && t->longs[i]; i++)
        make_text(t, t->n_texts++, t->longs[i], NONE, 0);
}

/* ---- All of it ------------------------------------------------------------------------------- */

/* The reference kernels are slow: there the numbers of threads take the ways in turn. Sanitizers,
 * which make all slower and look for other faults than these, leave more of them out, and so does
 * an emulated processor. */
#if defined(NT_EMULATOR)
enum { TURNS = 12, TURNS_REF = 40 };
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { TURNS = 3, TURNS_REF = 12 };
#else
enum { TURNS = 1, TURNS_REF = 3 };
#endif
static int turn, n_turns;

static bool is_due(void) {
    return ++turn % n_turns == 0;
}

#define TRY(call, ...)                                                                             \
    do {                                                                                           \
        snprintf(way, sizeof way, __VA_ARGS__);                                                    \
        if (is_due()) call;                                                                        \
    } while (0)

static void try_batches(trial *t, nt_runner *runner) {
    static const size_t sizes[] = {1, 7, N_SHORT};
    size_t order[MOST_TEXTS];
    for (size_t i = 0; i < 3; i++) {
        for (int how = SEQUENCES; how <= BY_TURNS; how++) {
            if (sizes[i] == 1 && how == BY_TURNS) continue;
            for (int again = 0; again < (t->small || sizes[i] == 1 ? 1 : 2); again++) {
                shuffle(order, t->n_short);
                TRY(in_batches(t, runner, order, t->n_short, sizes[i], (mode)how),
                    "%zu at a time, %s, shuffle %d", sizes[i], modes[how], again);
            }
        }
    }
    if (t->n_texts == t->n_short) return;
    shuffle(order, t->n_texts);
    TRY(in_batches(t, runner, order, t->n_texts, t->n_texts, BY_TURNS),
        "all with the long ones in one call, %s", modes[BY_TURNS]);
    for (size_t i = 0; t->n_short + i < t->n_texts; i++)
        order[i] = t->n_short + i;
    TRY(in_batches(t, runner, order, t->n_texts - t->n_short, 1, STANDING_ALONE),
        "long ones alone, %s", modes[STANDING_ALONE]);
}

static void try_pieces(trial *t, nt_runner *runner) {
    static const size_t sizes[] = {1, 2, 3, 5, 7, 13, 61, 64, 65, 127}, long_sizes[] = {127, 513};
    enum { N = sizeof sizes / sizeof *sizes, BATCH = 7 };
    for (size_t i = 0; i < N; i += t->small ? 3 : 1) {
        size_t first = i * BATCH % (N_SHORT - BATCH);
        TRY(in_pieces(t, runner, first, first + BATCH, sizes[i]),
            "seven side by side, %zu ids at a "
            "time",
            sizes[i]);
    }
    TRY(in_pieces(t, runner, 0, t->n_short, 1), "side by side, token by token");
    TRY(in_pieces(t, runner, 0, t->n_short, 0), "side by side, in pieces of chance");
    for (size_t i = 0; i < 2 && t->n_texts > t->n_short; i++)
        TRY(in_pieces(t, runner, t->n_short, t->n_texts, long_sizes[i]),
            "long ones side by side, %zu ids at a time", long_sizes[i]);
    if (t->small) return;
    TRY(in_pieces(t, runner, 0, t->n_texts, 0), "side by side with the long ones, in pieces of "
                                                "chance");
}

static void try_forks(trial *t, nt_runner *runner) {
    static const size_t pieces[] = {0, 1, 13, 64};
    for (size_t i = 0; i < (t->small ? 2 : 4); i++)
        TRY(forked(t, runner, pieces[i]), "forked, %zu ids at a time (0: by chance)", pieces[i]);
}

static nt_runner *runner_on(const trial *t, const char *isa, int threads) {
    snprintf(machine, sizeof machine, "%s, %d threads", isa, threads);
    assert_int_equal(setenv("NEXTOKEN_ISA", isa, 1), 0);
    nt_runner *runner = runner_of(t->network, threads);
    assert_int_equal(unsetenv("NEXTOKEN_ISA"), 0);
    return runner;
}

static void make_reference(trial *t, const char *isa) {
    nt_runner *runner = runner_on(t, isa, 1);
    call c = {.t = t, .keep = true};
    n_turns = 1;
    for (size_t k = 0; k < t->n_texts; k++) {
        int32_t sequence = sequence_of(runner);
        add(&c, sequence, k, 0, t->texts[k].n);
        TRY(run(&c, runner), "the reference");
        nt_kv_drop(nt_runner_kv(runner), sequence);
    }
    nt_runner_free(runner);
}

static void hold_on(trial *t, const nt_kernels *kernels) {
    for (int threads = 1; threads <= 3; threads++) {
        nt_runner *runner = runner_on(t, kernels->isa, threads);
        random_state = (uint64_t)threads;
        turn = threads;
        n_turns = kernels == &nt_kernels_ref ? TURNS_REF : TURNS;
        try_batches(t, runner);
        try_pieces(t, runner);
        try_forks(t, runner);
        nt_runner_free(runner);
    }
}

/* Every set against the reference kernels; one that multiplies in tiles, against itself. */
static void hold(trial *t) {
    size_t n_args = 0;
    while (t->args[n_args])
        n_args++;
    assert_int_equal(checkpoint_make(t->name, t->args, n_args), 0);
    t->network = network_in(t->name, t->precision);
    t->V = (size_t)t->network->config.V;
    t->context = (size_t)t->network->config.T;
    make_texts(t);
    const char *made_on = NULL;
    for (const nt_kernels *const *kernels = nt_cpu_kernels(); *kernels; kernels++) {
        if (t->precision == NT_PRECISION_F32_AMX && !(*kernels)->tiles) break;
        const char *isa =
            has_own_bits(*kernels, t->precision) ? (*kernels)->isa : nt_kernels_ref.isa;
        if (isa != made_on) make_reference(t, isa);
        made_on = isa;
        hold_on(t, *kernels);
    }
    for (size_t k = 0; k < t->n_texts; k++) {
        free(t->texts[k].ids);
        free(t->texts[k].rows);
    }
    nt_network_free(t->network);
}

/* Odd in every dimension; texts of up to three chunks of rows and eighteen pages. */
static void odd_shape(void **state) {
    (void)state;
    hold(&(trial){.name = "odd",
                  .args = {"--shape", "tiny", "--n-embd", "21", "--n-head", "3", "--n-inner", "45",
                           "--vocab-size", "67", "--n-positions", "1200"},
                  .longest = 60,
                  .longs = {515, 1030}});
}

/* Wide enough that several threads share the work of a single row. */
static void wide_blocks(void **state) {
    (void)state;
    hold(&(trial){.name = "wide",
                  .args = {"--shape", "tiny", "--n-embd", "105", "--n-head", "7", "--n-inner",
                           "331", "--vocab-size", "355", "--n-layer", "1", "--n-positions", "100"},
                  .longest = 6,
                  .small = true});
}

static void f16_weights(void **state) {
    (void)state;
    hold(&(trial){.name = "f16",
                  .args = {"--shape", "tiny", "--n-embd", "42", "--n-head", "3", "--n-inner", "75",
                           "--dtype", "F16", "--untied", "--n-positions", "600"},
                  .longest = 20,
                  .longs = {530},
                  .small = true});
}

static void bf16_weights(void **state) {
    (void)state;
    hold(&(trial){.name = "bf16",
                  .args = {"--shape", "tiny", "--n-embd", "26", "--n-head", "2", "--n-inner", "133",
                           "--dtype", "BF16", "--untied", "--n-positions", "600"},
                  .longest = 20,
                  .longs = {530},
                  .small = true});
}

/* GPT-2's 50,257 ids, and a text of more than 256 positions. */
static void true_vocabulary(void **state) {
    (void)state;
    hold(&(trial){.name = "vocabulary",
                  .args = {"--shape", "tiny", "--n-embd", "10", "--n-head", "2", "--vocab-size",
                           "50257", "--n-layer", "1", "--n-positions", "320"},
                  .longest = 6,
                  .longs = {310},
                  .tail = 2,
                  .small = true});
}

/* ---- Mode bf16 ---- */

static void odd_shape_in_bf16(void **state) {
    (void)state;
    hold(&(trial){.name = "odd in bf16",
                  .args = {"--shape", "tiny", "--n-embd", "21", "--n-head", "3", "--n-inner", "45",
                           "--vocab-size", "67", "--n-positions", "1200"},
                  .longest = 60,
                  .longs = {515, 1030},
                  .precision = NT_PRECISION_BF16});
}

static void wide_blocks_in_bf16(void **state) {
    (void)state;
    hold(&(trial){.name = "wide in bf16",
                  .args = {"--shape", "tiny", "--n-embd", "105", "--n-head", "7", "--n-inner",
                           "331", "--vocab-size", "355", "--n-layer", "1", "--n-positions", "100"},
                  .longest = 6,
                  .small = true,
                  .precision = NT_PRECISION_BF16});
}

static void bf16_weights_in_bf16(void **state) {
    (void)state;
    hold(&(trial){.name = "bf16 in bf16",
                  .args = {"--shape", "tiny", "--n-embd", "26", "--n-head", "2", "--n-inner", "133",
                           "--dtype", "BF16", "--untied", "--n-positions", "600"},
                  .longest = 20,
                  .longs = {530},
                  .small = true,
                  .precision = NT_PRECISION_BF16});
}

/* ---- Mode f32-amx, where there are tiles ---- */

static void odd_shape_in_f32_amx(void **state) {
    (void)state;
    if (!nt_cpu_kernels()[0]->tiles) skip();
    hold(&(trial){.name = "odd in f32-amx",
                  .args = {"--shape", "tiny", "--n-embd", "42", "--n-head", "3", "--n-inner", "75",
                           "--vocab-size", "67", "--n-positions", "600"},
                  .longest = 20,
                  .longs = {530},
                  .small = true,
                  .precision = NT_PRECISION_F32_AMX});
}

static void f16_weights_in_f32_amx(void **state) {
    (void)state;
    if (!nt_cpu_kernels()[0]->tiles) skip();
    hold(&(trial){.name = "f16 in f32-amx",
                  .args = {"--shape", "tiny", "--n-embd", "26", "--n-head", "2", "--n-inner", "133",
                           "--dtype", "F16", "--untied", "--n-positions", "100"},
                  .longest = 20,
                  .small = true,
                  .precision = NT_PRECISION_F32_AMX});
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(odd_shape),
        cmocka_unit_test(wide_blocks),
        cmocka_unit_test(f16_weights),
        cmocka_unit_test(bf16_weights),
        cmocka_unit_test(true_vocabulary),
        cmocka_unit_test(odd_shape_in_bf16),
        cmocka_unit_test(wide_blocks_in_bf16),
        cmocka_unit_test(bf16_weights_in_bf16),
        cmocka_unit_test(odd_shape_in_f32_amx),
        cmocka_unit_test(f16_weights_in_f32_amx),
    };
    return cmocka_run_group_tests(tests, NULL, checkpoints_remove);
}
