/* Traces to show in tests: one of each kind with the figures of a small job, and random ones full
 * of hostile tokens. They are filled in by hand: a view needs no model. */
#ifndef TESTS_VIEW_SAMPLE_H
#define TESTS_VIEW_SAMPLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above */
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "view/view.h"

#define MAY_BE_UNUSED __attribute__((unused)) /* no test uses all of this */
#define BYTES(literal) (literal), sizeof(literal) - 1

typedef struct piece { /* a token's bytes */
    const char *bytes;
    size_t n;
} piece;

/* What tokens must not do to a terminal, a parser or a layout. */
static const piece hostile[] = {
    {BYTES("</script>")},
    {BYTES("\"quoted\"")},
    {BYTES("back\\slash\\")},
    {BYTES("\x1b[31m")},
    {BYTES("\x1b]0;title\x07")},
    {BYTES("\x80")},
    {BYTES("\xf0\x9f")},
    {BYTES("a\xe2\x80\xaez")}, /* U+202E */
    {BYTES("\0")},
    {BYTES("a,b\r\nc")},
    {BYTES("\n\n")},
    {BYTES("\t")},
    {BYTES(" ")},
    {BYTES("\xc2\xa0")},                                     /* NBSP */
    {BYTES("\xe2\x80\x8b")},                                 /* zero-width space */
    {BYTES("\xcc\x81")},                                     /* a lone combining accent */
    {BYTES("e\xcc\x81\xcc\x81\xcc\x81")},                    /* stacked accents */
    {BYTES("\xe4\xb8\xad\xe6\x96\x87")},                     /* two wide characters */
    {BYTES("\xf0\x9f\x98\x80")},                             /* an emoji */
    {BYTES("\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9")}, /* joined emoji */
    {BYTES("\xe2\x9d\xa4\xef\xb8\x8f")},                     /* with a variation selector */
    {BYTES("\xe2\x80\xa8")},                                 /* U+2028 */
    {BYTES("\xef\xbf\xbf")},                                 /* a noncharacter */
    {BYTES("\xc2\x85")},                                     /* C1: next line */
    {BYTES("\x7f")},
    {BYTES("\xed\xa0\x80")}, /* a surrogate */
    {BYTES(" disproportionately-long-token-that-does-not-fit-anywhere-at-all")},
    {BYTES("")},
    {BYTES(" was")},
    {BYTES(" young")},
    {BYTES(",")},
};
enum { N_HOSTILE = sizeof hostile / sizeof *hostile };

static void *room(nt_result *t, size_t n, size_t size) {
    void *memory = nt_arena_alloc(&t->arena, n, size);
    assert_non_null(memory);
    return memory;
}

static nt_token token_of(nt_result *t, int32_t id, const char *bytes, size_t n) {
    const char *copy = nt_arena_copy(&t->arena, bytes, n);
    assert_non_null(copy);
    return (nt_token){.id = id, .n_bytes = (uint32_t)n, .bytes = copy};
}

static nt_result *new_sample(nt_result_kind kind) {
    nt_result *t = calloc(1, sizeof *t);
    assert_non_null(t);
    t->kind = kind;
    t->model = "build/demo/gpt2";
    t->precision = "f32";
    t->isa = "avx512";
    t->text = "";
    t->milliseconds = 41.7;
    return t;
}

static void free_sample(nt_result *t) {
    nt_arena_free(&t->arena);
    free(t);
}

static void add_token(nt_result *t, int32_t id, const char *text) {
    size_t n = strlen(text);
    if (!t->tokens) t->tokens = room(t, 4096, sizeof *t->tokens);
    nt_token *token = &t->tokens[t->n_tokens];
    *token = token_of(t, id, text, n);
    token->start = t->n_tokens ? token[-1].end : 0;
    token->end = token->start + n;
    t->n_tokens++;
}

static void long_ago(nt_result *t) {
    static const char *const texts[] = {"A", " long", " long", " time", " ago", ",", " "};
    static const int32_t ids[] = {32, 890, 890, 640, 2084, 11, 220};
    for (size_t i = 0; i < 7; i++)
        add_token(t, ids[i], texts[i]);
}

static nt_candidate candidate(nt_result *t, int32_t rank, int32_t id, const char *text, double p) {
    return (nt_candidate){.token = token_of(t, id, text, strlen(text)),
                          .rank = rank,
                          .logit = (float)(log(p) - 30.5),
                          .logprob = log(p),
                          .prob = p,
                          .processed_prob = p};
}

static nt_trace_step *add_step(nt_result *t, size_t n) {
    if (!t->steps) t->steps = room(t, 256, sizeof *t->steps);
    nt_trace_step *step = &t->steps[t->n_steps];
    step->step.index = t->n_steps++;
    step->step.chosen.token.id = -1;
    step->step.chosen.token.bytes = "";
    step->step.kept = 50257;
    step->candidates = room(t, n, sizeof *step->candidates);
    step->n_candidates = n;
    t->n_vocab = 50257;
    return step;
}

/* The first notebook's ten after "Alice" (its figures are GPT-2's). */
MAY_BE_UNUSED static nt_result *sample_next(void) {
    nt_result *t = new_sample(NT_RESULT_NEXT);
    add_token(t, 44484, "Alice");
    static const char *const texts[] = {",",   ".", " and", "\n",  "'s",
                                        " to", "-", " is",  " in", " of"};
    static const int32_t ids[] = {11, 13, 290, 198, 338, 284, 12, 318, 287, 286};
    static const double p[] = {0.0643, 0.0447, 0.0286, 0.0277, 0.0254,
                               0.0176, 0.0164, 0.0158, 0.0128, 0.0119};
    nt_trace_step *step = add_step(t, 10);
    step->step.entropy = 7.1234;
    for (int32_t i = 0; i < 10; i++)
        step->candidates[i] = candidate(t, i + 1, ids[i], texts[i], p[i]);
    return t;
}

/* The second notebook's table of choices. */
static void fill_steps(nt_result *t) {
    static const struct {
        const char *text;
        double p;
    } rows[][5] = {
        {{"\xc2\xa0", 0.4151},
         {"_____", 0.0746},
         {"\xe3\x80\x8e", 0.0418},
         {"____", 0.0374},
         {"\xe3\x80\x90", 0.0315}},
        {{"I", 0.2359}, {"the", 0.0836}, {"a", 0.0535}, {"when", 0.0491}, {"in", 0.0416}},
        {{" was", 0.1610},
         {" had", 0.0770},
         {" wrote", 0.0750},
         {" read", 0.0326},
         {" used", 0.0244}},
        {{" a", 0.1260}, {" in", 0.0813}, {" asked", 0.0256}, {" on", 0.0248}, {" at", 0.0189}},
        {{" young", 0.0454},
         {" little", 0.0339},
         {" member", 0.0276},
         {" kid", 0.0224},
         {" student", 0.0207}},
        {{" man", 0.3521}, {" boy", 0.1210}, {" girl", 0.0988}, {",", 0.0411}, {" woman", 0.0402}},
        {{".", 0.9752}, {",", 0.0122}, {" I", 0.0022}, {".\"", 0.0011}, {"...", 0.00004}},
    };
    long_ago(t);
    for (size_t s = 0; s < sizeof rows / sizeof *rows; s++) {
        nt_trace_step *step = add_step(t, 5);
        for (int32_t i = 0; i < 5; i++)
            step->candidates[i] =
                candidate(t, i + 1, (int32_t)(100 * s) + i, rows[s][i].text, rows[s][i].p);
        step->step.chosen = step->candidates[0];
    }
}

MAY_BE_UNUSED static nt_result *sample_steps(void) {
    nt_result *t = new_sample(NT_RESULT_STEPS);
    fill_steps(t);
    return t;
}

MAY_BE_UNUSED static nt_result *sample_generate(void) {
    nt_result *t = new_sample(NT_RESULT_GENERATE);
    fill_steps(t);
    nt_output *output = t->outputs = room(t, 1, sizeof *output);
    int32_t *ids = room(t, t->n_steps, sizeof *ids);
    for (size_t i = 0; i < t->n_steps; i++)
        ids[i] = t->steps[i].step.chosen.token.id;
    t->n_outputs = 1;
    *output =
        (nt_output){.ids = ids,
                    .n_ids = t->n_steps,
                    .text = "\xc2\xa0I was a young man, and I was a very good student. I was a "
                            "good student, and I was a very good student.\nI was",
                    .logprob = -51.020016,
                    .finish_reason = "length"};
    output->n_text = strlen(output->text);
    return t;
}

MAY_BE_UNUSED static nt_result *sample_score(void) {
    nt_result *t = new_sample(NT_RESULT_SCORE);
    static const char *const texts[] = {"Alice", " is", " a", " young", " woman", "."};
    static const int32_t ids[] = {44484, 318, 257, 1862, 2415, 13};
    static const double logprobs[] = {NAN, -4.1477, -2.4133, -5.5529, -1.9081, -0.00000002};
    static const int64_t ranks[] = {0, 8, 2, 1203, 2, 1};
    for (size_t i = 0; i < 6; i++)
        add_token(t, ids[i], texts[i]);
    t->scored = room(t, 6, sizeof *t->scored);
    t->prompt_len = 2;
    t->totals = (nt_totals){.n_counted = 4};
    for (size_t i = 0; i < 6; i++) {
        t->scored[i] = (nt_scored){.logprob = logprobs[i],
                                   .entropy = i ? 7.5 - (double)i : NAN,
                                   .rank = ranks[i],
                                   .counted = i >= 2};
        if (i >= 2) t->totals.logprob += logprobs[i];
    }
    t->totals.loss = -t->totals.logprob / 4;
    t->totals.perplexity = exp(t->totals.loss);
    return t;
}

MAY_BE_UNUSED static nt_result *sample_tokens(void) {
    nt_result *t = new_sample(NT_RESULT_TOKENS);
    long_ago(t);
    add_token(t, 19526, "\xe4\xbd");
    add_token(t, 254, "\xa0");
    t->text = "A long long time ago, \xe4\xbd\xa0";
    t->n_text = strlen(t->text);
    return t;
}

MAY_BE_UNUSED static nt_result *sample_text(void) {
    nt_result *t = sample_tokens();
    t->kind = NT_RESULT_TEXT;
    return t;
}

MAY_BE_UNUSED static nt_result *sample_inspect(void) {
    nt_result *t = new_sample(NT_RESULT_INSPECT);
    long_ago(t);
    float *norms = room(t, 13, sizeof *norms), *logits = room(t, 7 * 11, sizeof *logits);
    static const float values[13] = {4.91f,   51.3f,   58.1f,   2010.5f, 2044.2f, 2061.9f, 2070.4f,
                                     2078.0f, 2086.3f, 2095.8f, 2108.2f, 2121.7f, 171.4f};
    memcpy(norms, values, sizeof values);
    for (int i = 0; i < 7 * 11; i++)
        logits[i] = (float)sin(i) * 33;
    t->tensors = room(t, 2, sizeof *t->tensors);
    t->n_tensors = 2;
    t->tensors[0] = (nt_tensor_view){"logits", logits, 2, {7, 11}};
    t->tensors[1] = (nt_tensor_view){"hidden_norms", norms, 1, {13}};
    return t;
}

MAY_BE_UNUSED static nt_result *sample_info(void) {
    nt_result *t = new_sample(NT_RESULT_INFO);
    static const nt_fact facts[] = {{"architecture", "gpt2", 0, false},
                                    {"parameters", NULL, 124439808, false},
                                    {"weight_bytes", NULL, 497759232, false},
                                    {"vocab_size", NULL, 50257, false},
                                    {"context", NULL, 1024, false},
                                    {"layers", NULL, 12, false},
                                    {"layer_norm_epsilon", NULL, 1e-5, false},
                                    {"activation", "gelu_new", 0, false},
                                    {"tied", NULL, 1, true}};
    t->n_facts = sizeof facts / sizeof *facts;
    t->facts = room(t, t->n_facts, sizeof *facts);
    memcpy(t->facts, facts, sizeof facts);
    return t;
}

typedef nt_result *(*sample_fn)(void);
MAY_BE_UNUSED static const sample_fn samples[] = {sample_tokens,  sample_text,     sample_next,
                                                  sample_steps,   sample_generate, sample_score,
                                                  sample_inspect, sample_info};
enum { N_SAMPLES = sizeof samples / sizeof *samples };

/* ---- Random traces --------------------------------------------------------------------------- */

static uint64_t random_state;

static uint32_t draw(uint32_t n) {
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 33) % n;
}

static nt_token random_token(nt_result *t) {
    const piece *p = &hostile[draw(N_HOSTILE)];
    nt_token token = token_of(t, (int32_t)draw(50257), p->bytes, p->n);
    token.start = draw(100000);
    token.end = token.start + p->n;
    return token;
}

static double random_number(void) {
    static const double odd[] = {0,     -0.0,    NAN, INFINITY,  -INFINITY,
                                 1e300, -1e-300, 1e9, 123456.789};
    return draw(6) == 0 ? odd[draw(sizeof odd / sizeof *odd)] : (draw(2000000) - 1e6) / 1e4;
}

static nt_candidate random_candidate(nt_result *t) {
    double p = draw(4) ? draw(1000001) / 1e6 : draw(2) ? 1e-12 : 1 - 1e-9;
    return (nt_candidate){.token = random_token(t),
                          .rank = (int32_t)draw(50257) + 1,
                          .logit = (float)random_number(),
                          .logprob = draw(5) ? log(p) : -INFINITY,
                          .prob = p,
                          .processed_prob = draw(2) ? p : 0};
}

static const char *random_text(nt_result *t, size_t *n) {
    char *text = room(t, 4096, 1);
    *n = 0;
    for (uint32_t i = draw(40); i > 0; i--) {
        const piece *p = &hostile[draw(N_HOSTILE)];
        memcpy(text + *n, p->bytes, p->n);
        *n += p->n;
    }
    return text;
}

/* A trace of any kind whose strings and numbers are as odd as they can be. */
MAY_BE_UNUSED static nt_result *random_sample(nt_result_kind kind, uint64_t seed) {
    random_state = seed * 2654435761u + 88172645463325252u;
    nt_result *t = new_sample(kind);
    size_t n = draw(12);
    t->tokens = room(t, n, sizeof *t->tokens);
    for (; t->n_tokens < n; t->n_tokens++)
        t->tokens[t->n_tokens] = random_token(t);
    t->text = random_text(t, &t->n_text);
    t->bos = draw(2);
    t->milliseconds = draw(3) ? draw(1000000) / 7.0 : 0;
    for (uint32_t s = draw(6) + (kind == NT_RESULT_NEXT); s > 0; s--) {
        nt_trace_step *step = add_step(t, draw(9));
        for (size_t i = 0; i < step->n_candidates; i++)
            step->candidates[i] = random_candidate(t);
        bool among = step->n_candidates > 0 && draw(3);
        step->step.chosen =
            among ? step->candidates[draw((uint32_t)step->n_candidates)] : random_candidate(t);
        step->step.entropy = random_number();
        step->step.kept = draw(60000);
    }
    t->n_outputs = draw(3);
    t->outputs = room(t, 3, sizeof *t->outputs);
    for (size_t i = 0; i < t->n_outputs; i++) {
        t->outputs[i] = (nt_output){.ids = room(t, 5, sizeof(int32_t)),
                                    .n_ids = draw(6),
                                    .logprob = random_number(),
                                    .finish_reason = "stop_string"};
        t->outputs[i].text = random_text(t, &t->outputs[i].n_text);
    }
    t->scored = room(t, n, sizeof *t->scored);
    for (size_t i = 0; i < n; i++)
        t->scored[i] = (nt_scored){random_number(), random_number(), draw(50000), draw(2)};
    t->totals = (nt_totals){random_number(), random_number(), random_number(), draw(12)};
    float *norms = room(t, 8, sizeof *norms);
    for (int i = 0; i < 8; i++)
        norms[i] = (float)random_number();
    t->tensors = room(t, 1, sizeof *t->tensors);
    t->n_tensors = 1;
    t->tensors[0] = (nt_tensor_view){"hidden_norms", norms, 1, {draw(9)}};
    t->facts = room(t, 4, sizeof *t->facts);
    t->n_facts = draw(5);
    for (size_t i = 0; i < t->n_facts; i++) {
        static const char *const keys[] = {"architecture", "weight_bytes", "epsilon",
                                           "a\"\n\x1b,b"};
        t->facts[i] = (nt_fact){.key = keys[i], .number = random_number(), .is_bool = draw(3) == 0};
        if (draw(2)) t->facts[i].text = random_text(t, &(size_t){0});
    }
    return t;
}

#endif
