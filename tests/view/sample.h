/* Traces to show in tests: each kind with the figures of a small job. They are filled in by hand: a
 * view needs no model. */
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
                          .processed_prob = p,
                          .processed_logit = (float)(log(p) - 30.5)};
}

static nt_trace_step *add_step(nt_result *t, size_t n) {
    if (!t->steps) t->steps = room(t, 256, sizeof *t->steps);
    nt_trace_step *step = &t->steps[t->n_steps];
    step->step.index = t->n_steps++;
    step->step.chosen.token.id = -1;
    step->step.chosen.token.bytes = "";
    step->step.draw = NAN;
    step->step.beam = step->step.drafted = -1;
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
    t->method = "greedy";
    fill_steps(t);
    return t;
}

MAY_BE_UNUSED static nt_result *sample_generate(void) {
    nt_result *t = new_sample(NT_RESULT_GENERATE);
    t->method = "greedy";
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
                    .finish_reason = "length",
                    .score = NAN,
                    .beam = -1};
    output->n_text = strlen(output->text);
    return t;
}

/* Two sequences drawn with temperature 0.7 and top-k 3 from the table of choices; the second step
 * of the second took what is not among the choices shown. */
static void fill_drawn(nt_result *t) {
    static const size_t drawn[2][3] = {{0, 2, 1}, {1, 0, 0}};
    nt_result *rows = sample_steps();
    long_ago(t);
    t->method = "sample";
    t->seeded = true;
    t->seed = 42;
    for (size_t sequence = 0; sequence < 2; sequence++) {
        for (size_t s = 0; s < 3; s++) {
            const nt_trace_step *from = &rows->steps[s + 2];
            nt_trace_step *step = add_step(t, 3);
            double sum = 0;
            for (size_t i = 0; i < 3; i++)
                sum += pow(from->candidates[i].prob, 1 / 0.7);
            for (int32_t i = 0; i < 3; i++) {
                const nt_candidate *c = &from->candidates[i];
                step->candidates[i] = candidate(t, i + 1, c->token.id, c->token.bytes, c->prob);
                step->candidates[i].processed_prob = pow(c->prob, 1 / 0.7) / sum;
                step->candidates[i].processed_logit /= 0.7f;
                nt_change *warmed = room(t, 1, sizeof *warmed);
                *warmed = (nt_change){"temperature", c->logit, c->logit / 0.7f};
                step->candidates[i].changes = warmed;
                step->candidates[i].n_changes = 1;
            }
            step->step.index = s;
            step->step.sequence = sequence;
            step->step.kept = 3;
            step->step.chosen = step->candidates[drawn[sequence][s]];
        }
    }
    t->steps[4].step.chosen = candidate(t, 17, 777, " gave", 0.0041);
    t->steps[4].step.chosen.processed_prob = 0.0123;
    free_sample(rows);
}

MAY_BE_UNUSED static nt_result *sample_drawn_steps(void) {
    nt_result *t = new_sample(NT_RESULT_STEPS);
    fill_drawn(t);
    return t;
}

MAY_BE_UNUSED static nt_result *sample_drawn(void) {
    static const char *const texts[2] = {" was asked little", " had gave young"};
    nt_result *t = new_sample(NT_RESULT_GENERATE);
    fill_drawn(t);
    t->outputs = room(t, 2, sizeof *t->outputs);
    t->n_outputs = 2;
    for (size_t o = 0; o < 2; o++) {
        int32_t *ids = room(t, 3, sizeof *ids);
        t->outputs[o] = (nt_output){.ids = ids,
                                    .n_ids = 3,
                                    .text = texts[o],
                                    .n_text = strlen(texts[o]),
                                    .finish_reason = "length",
                                    .score = NAN,
                                    .beam = -1};
        for (size_t s = 0; s < 3; s++) {
            ids[s] = t->steps[3 * o + s].step.chosen.token.id;
            t->outputs[o].logprob += t->steps[3 * o + s].step.chosen.logprob;
        }
    }
    return t;
}

static void fill_totals(nt_totals *totals, double logprob, size_t n_counted, size_t n_bytes) {
    totals->logprob = logprob;
    totals->n_counted = n_counted;
    totals->n_bytes = n_bytes;
    totals->loss = -logprob / (double)n_counted;
    totals->perplexity = exp(totals->loss);
    totals->bits_per_byte = -logprob / log(2) / (double)n_bytes;
    totals->loss_stderr = totals->loss / sqrt((double)n_counted);
    totals->perplexity_stderr = totals->perplexity * totals->loss_stderr;
}

static const char *const alice[] = {"Alice", " is", " a", " young", " woman", "."};
static const double alice_logprobs[] = {NAN, -4.1477, -2.4133, -5.5529, -1.9081, -0.00000002};

MAY_BE_UNUSED static nt_result *sample_score(void) {
    nt_result *t = new_sample(NT_RESULT_SCORE);
    static const int32_t ids[] = {44484, 318, 257, 1862, 2415, 13};
    static const int64_t ranks[] = {0, 8, 2, 1203, 2, 1};
    double logprob = 0;
    for (size_t i = 0; i < 6; i++)
        add_token(t, ids[i], alice[i]);
    t->scored = room(t, 6, sizeof *t->scored);
    t->prompt_len = 2;
    for (size_t i = 0; i < 6; i++) {
        t->scored[i] = (nt_scored){.logprob = alice_logprobs[i],
                                   .entropy = i ? 7.5 - (double)i : NAN,
                                   .rank = ranks[i],
                                   .counted = i >= 2};
        if (i >= 2) logprob += alice_logprobs[i];
    }
    fill_totals(&t->totals, logprob, 4, 15);
    return t;
}

/* The same text by its sums alone. */
MAY_BE_UNUSED static nt_result *sample_sums(void) {
    nt_result *t = sample_score();
    t->by = NT_BY_TEXT;
    return t;
}

/* And by everything, in windows; the last word is of two tokens. */
MAY_BE_UNUSED static nt_result *sample_units(void) {
    nt_result *t = sample_score();
    t->by = NT_BY_TEXT | NT_BY_TOKEN | NT_BY_WORD | NT_BY_CHAR;
    t->correction = NT_CORRECTION_PIMENTEL_MEISTER;
    t->window = 4;
    t->stride = 2;
    t->n_windows = 3;
    t->words = room(t, 5, sizeof *t->words);
    t->chars = room(t, 32, sizeof *t->chars);
    for (size_t i = 0; i < 5; i++) {
        const char *bytes = i == 4 ? "woman." : alice[i] + (i > 0);
        size_t start = t->tokens[i].start + (i > 0);
        double logprob = alice_logprobs[i] + (i == 4 ? alice_logprobs[5] : 0);
        t->words[t->n_words++] = (nt_unit){.bytes = bytes,
                                           .n_bytes = strlen(bytes),
                                           .start = start,
                                           .end = start + strlen(bytes),
                                           .first = i,
                                           .n_tokens = i == 4 ? 2 : 1,
                                           .logprob = logprob,
                                           .corrected = logprob - 0.125 * (double)i,
                                           .counted = i >= 2};
    }
    for (size_t i = 0; i < 6; i++) {
        for (size_t b = 0; alice[i][b]; b++)
            t->chars[t->n_chars++] =
                (nt_unit){.bytes = nt_arena_copy(&t->arena, alice[i] + b, 1),
                          .n_bytes = 1,
                          .start = t->tokens[i].start + b,
                          .end = t->tokens[i].start + b + 1,
                          .first = i,
                          .n_tokens = 1,
                          .logprob = alice_logprobs[i] / (double)strlen(alice[i]),
                          .corrected = NAN,
                          .counted = i >= 2};
    }
    return t;
}

MAY_BE_UNUSED static nt_result *sample_words(void) {
    nt_result *t = sample_units();
    t->by = NT_BY_WORD;
    t->correction = NT_CORRECTION_WHITESPACE;
    t->n_windows = 0;
    return t;
}

/* " Yes", " No" and a longer ending; the second is what greedy decoding would write. */
MAY_BE_UNUSED static nt_result *sample_continuations(void) {
    nt_result *t = new_sample(NT_RESULT_CONTINUATIONS);
    static const char *const texts[] = {" Yes", " No", " It depends,\nmy dear"};
    static const double logprobs[][6] = {
        {-3.25}, {-0.75}, {-4.5, -2.125, -0.5, -1.25, -6.5, -0.0625}};
    static const size_t n[] = {1, 1, 6};
    static const double shares[] = {0.0758, 0.9242, 0.0000003};
    static const char *const parts[] = {" It", " depends", ",", "\n", "my", " dear"};
    add_token(t, 5211, "Is");
    add_token(t, 340, " it");
    add_token(t, 30, "?");
    t->continuations = room(t, 3, sizeof *t->continuations);
    t->n_continuations = 3;
    for (size_t i = 0; i < 3; i++) {
        nt_token *tokens = room(t, n[i], sizeof *tokens);
        nt_scored *scored = room(t, n[i], sizeof *scored);
        double sum = 0;
        for (size_t j = 0; j < n[i]; j++) {
            const char *part = n[i] == 1 ? texts[i] : parts[j];
            tokens[j] = token_of(t, (int32_t)(100 * i + j), part, strlen(part));
            scored[j] = (nt_scored){logprobs[i][j], 2.5, i == 1 ? 1 : 4, true};
            sum += logprobs[i][j];
        }
        t->continuations[i] = (nt_continuation){.text = texts[i],
                                                .tokens = tokens,
                                                .scored = scored,
                                                .n_tokens = n[i],
                                                .logprob = sum,
                                                .share = shares[i],
                                                .place = i == 0   ? 2
                                                         : i == 1 ? 1
                                                                  : 3,
                                                .greedy = i == 1,
                                                .per_byte = sum / (double)strlen(texts[i])};
    }
    return t;
}

/* WikiText-2 has so many tokens; the figures are of no model. */
MAY_BE_UNUSED static nt_result *sample_perplexity(void) {
    nt_result *t = new_sample(NT_RESULT_PERPLEXITY);
    static const nt_fact facts[] = {{"tokens", NULL, 287644, false},
                                    {"first_token", "not counted", 0, false},
                                    {"bytes", NULL, 1288556, false},
                                    {"loss_as_transformers", NULL, 3.2185, false},
                                    {"perplexity_as_transformers", NULL, 24.9906, false}};
    t->n_facts = sizeof facts / sizeof *facts;
    t->facts = room(t, t->n_facts, sizeof *facts);
    memcpy(t->facts, facts, sizeof facts);
    t->window = 1024;
    t->stride = 512;
    t->n_windows = 561;
    t->milliseconds = 83211.4;
    fill_totals(&t->totals, -925987.5, 287643, 1288553);
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

/* Another way to cut the text of sample_tokens. */
static void add_compared(nt_result *t, const char *model, const char *const *texts, size_t n) {
    nt_token *tokens = room(t, n, sizeof *tokens);
    for (size_t i = 0, at = 0; i < n; i++) {
        tokens[i] = token_of(t, (int32_t)(1000 + 37 * i), texts[i], strlen(texts[i]));
        tokens[i].start = at;
        tokens[i].end = at += strlen(texts[i]);
    }
    t->compared[t->n_compared++] = (nt_compared){model, tokens, n};
}

MAY_BE_UNUSED static nt_result *sample_compared(void) {
    static const char *const first[] = {"A", " long", " ",        " time", " ago",
                                        ",", " ",     "\xe4\xbd", "\xa0"},
                             *const second[] = {"A",  " lo",  "ng", "  ti",
                                                "me", " ago", ", ", "\xe4\xbd\xa0"};
    nt_result *t = new_sample(NT_RESULT_COMPARED);
    t->text = "A long  time ago, \xe4\xbd\xa0";
    t->n_text = strlen(t->text);
    t->compared = room(t, 2, sizeof *t->compared);
    add_compared(t, "gpt2", first, 9);
    add_compared(t, "models/llama3/tokenizer.json", second, 8);
    assert_int_equal(nt_trace_set_stretches(t), NT_OK);
    return t;
}

MAY_BE_UNUSED static nt_result *sample_counts(void) {
    static const uint64_t tokens[3][2] = {{8623381, 8101234}, {257012, 240003}, {0, 0}};
    static const char *const names[] = {"corpus/tales.txt", "corpus/tales-valid.txt", "empty\x1b"};
    nt_result *t = new_sample(NT_RESULT_COUNTS);
    t->compared = room(t, 2, sizeof *t->compared);
    t->n_compared = 2;
    t->compared[0].model = "gpt2";
    t->compared[1].model = "models/llama3/tokenizer.json";
    t->counted = room(t, 3, sizeof *t->counted);
    for (size_t i = 0; i < 3; i++) {
        t->counted[i] = (nt_counted){names[i], i < 2 ? 35373165 >> (5 * i) : 0,
                                     i < 2 ? 35372719 >> (5 * i) : 0, tokens[i]};
    }
    t->n_counted = 3;
    return t;
}

#include "view/sample_decoded.h"

typedef nt_result *(*sample_fn)(void);
MAY_BE_UNUSED static const sample_fn samples[] = {
    sample_tokens,   sample_text,    sample_next,      sample_steps,           sample_generate,
    sample_score,    sample_inspect, sample_info,      sample_drawn_steps,     sample_drawn,
    sample_sums,     sample_units,   sample_words,     sample_continuations,   sample_perplexity,
    sample_compared, sample_counts,  sample_processed, sample_processed_steps, sample_beams,
    sample_proved,   sample_gap,     sample_assisted,  sample_assisted_steps,  sample_best_of};
enum { N_SAMPLES = sizeof samples / sizeof *samples };

#endif
