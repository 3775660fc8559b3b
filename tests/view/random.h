/* Random traces full of hostile tokens and odd numbers. */
#ifndef TESTS_VIEW_RANDOM_H
#define TESTS_VIEW_RANDOM_H

#include "view/sample.h"

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

static float random_logit(void) {
    return draw(3) ? (float)random_number() : -INFINITY;
}

static const nt_change *random_changes(nt_result *t, size_t n) {
    static const char *const options[] = {"temperature", "top_p", "repetition_penalty",
                                          "exponential_decay_length_penalty"};
    nt_change *changes = room(t, n, sizeof *changes);
    for (size_t i = 0; i < n; i++)
        changes[i] = (nt_change){options[draw(4)], random_logit(), random_logit()};
    return changes;
}

static nt_candidate random_candidate(nt_result *t) {
    double p = draw(4) ? draw(1000001) / 1e6 : draw(2) ? 1e-12 : 1 - 1e-9;
    size_t n_changes = draw(2) ? draw(4) : 0;
    return (nt_candidate){.token = random_token(t),
                          .rank = (int32_t)draw(50257) + 1,
                          .logit = (float)random_number(),
                          .logprob = draw(5) ? log(p) : -INFINITY,
                          .prob = p,
                          .processed_prob = draw(2) ? p : 0,
                          .processed_logit = random_logit(),
                          .changes = n_changes ? random_changes(t, n_changes) : NULL,
                          .n_changes = n_changes};
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

static void random_demoted(nt_result *t, nt_trace_step *step) {
    step->n_demoted = draw(3) ? 0 : draw(4);
    step->demoted = room(t, step->n_demoted, sizeof *step->demoted);
    for (size_t i = 0; i < step->n_demoted; i++)
        step->demoted[i] = random_candidate(t);
}

static void random_rows(nt_result *t) {
    t->n_rows = draw(4);
    t->rows = room(t, 4, sizeof *t->rows);
    for (size_t r = 0; r < t->n_rows; r++) {
        nt_trace_step *row = &t->rows[r];
        row->step = (nt_step){.index = draw(9), .chosen.token.id = -1, .entropy = random_number()};
        row->n_candidates = draw(4);
        row->candidates = room(t, 4, sizeof *row->candidates);
        for (size_t i = 0; i < row->n_candidates; i++)
            row->candidates[i] = random_candidate(t);
        random_demoted(t, row);
    }
}

/* Parents stand before their children; all else is as odd as it likes to be. */
static void random_beams(nt_result *t) {
    t->n_beams = draw(9);
    t->beams = room(t, 9, sizeof *t->beams);
    for (size_t b = 0; b < t->n_beams; b++) {
        t->beams[b] = (nt_beam){.parent = (int64_t)draw((uint32_t)b + 1) - 1,
                                .index = draw(5),
                                .token = random_candidate(t),
                                .sum = random_number(),
                                .score = random_number(),
                                .place = (int32_t)draw(9),
                                .slot = (int32_t)draw(4) - 1,
                                .fate = (nt_fate)draw(7), /* one of them is none */
                                .finish_reason = draw(3)   ? "stop"
                                                 : draw(2) ? ""
                                                           : NULL,
                                .row = (int64_t)draw(4) - 1};
    }
}

static void random_decoding(nt_result *t) {
    static const char *const methods[] = {"greedy",      "sample",        "best_of",
                                          "beam_search", "beam_sample",   "assisted",
                                          "exact",       "prompt_lookup", NULL};
    t->method = methods[draw(9)];
    t->seeded = draw(2);
    t->seed = draw(2) ? draw(1000) : UINT64_MAX - draw(9);
    t->effort = (nt_effort){draw(2) ? draw(99) : UINT64_MAX, draw(99), draw(99), draw(99), 1.5};
    random_rows(t);
    random_beams(t);
    if (draw(3)) return;
    t->proof = room(t, 1, sizeof *t->proof);
    *t->proof = (nt_proof){.proved = draw(2),
                           .gap = random_number(),
                           .bound = random_number(),
                           .limit = draw(2)   ? "max_time"
                                    : draw(2) ? "max_nodes"
                                              : NULL,
                           .horizon = draw(2) ? draw(9) : SIZE_MAX,
                           .n_nodes = draw(2) ? draw(9) : UINT64_MAX,
                           .greedy = random_number(),
                           .beams = random_number(),
                           .n_beams = draw(9)};
}

static void random_steps(nt_result *t) {
    size_t sequence = 0, index = 0;
    for (uint32_t s = draw(6) + (t->kind == NT_RESULT_NEXT); s > 0; s--) {
        nt_trace_step *step = add_step(t, draw(9));
        for (size_t i = 0; i < step->n_candidates; i++)
            step->candidates[i] = random_candidate(t);
        bool among = step->n_candidates > 0 && draw(3);
        step->step.chosen =
            among ? step->candidates[draw((uint32_t)step->n_candidates)] : random_candidate(t);
        step->step.entropy = random_number();
        step->step.kept = draw(60000);
        step->step.draw = draw(2) ? NAN : draw(1000) / 1000.0;
        step->step.beam = (int64_t)draw(4) - 1;
        step->step.drafted = draw(2) ? step->step.chosen.token.id : (int32_t)draw(3) - 1;
        random_demoted(t, step);
        if (draw(4) == 0) {
            sequence += 1 + draw(2);
            index = 0;
        }
        step->step.sequence = sequence;
        step->step.index = index++;
    }
}

static void random_scores(nt_scored *scored, size_t n) {
    for (size_t i = 0; i < n; i++)
        scored[i] = (nt_scored){random_number(), random_number(), draw(50000), draw(2)};
}

static nt_unit *random_units(nt_result *t, size_t n) {
    nt_unit *units = room(t, n, sizeof *units);
    for (size_t i = 0; i < n; i++) {
        const piece *p = &hostile[draw(N_HOSTILE)];
        units[i] = (nt_unit){.bytes = p->bytes,
                             .n_bytes = p->n,
                             .start = draw(2) ? draw(1000) : SIZE_MAX - 3,
                             .end = draw(1000),
                             .first = draw(1000),
                             .n_tokens = draw(2) ? draw(9) : SIZE_MAX,
                             .logprob = random_number(),
                             .corrected = random_number(),
                             .counted = draw(2)};
    }
    return units;
}

static void random_continuations(nt_result *t) {
    t->n_continuations = draw(5);
    t->continuations = room(t, 5, sizeof *t->continuations);
    for (size_t i = 0; i < t->n_continuations; i++) {
        size_t n = draw(4), n_text;
        nt_token *tokens = room(t, n, sizeof *tokens);
        nt_scored *scored = room(t, n, sizeof *scored);
        for (size_t j = 0; j < n; j++)
            tokens[j] = random_token(t);
        random_scores(scored, n);
        t->continuations[i] = (nt_continuation){.text = random_text(t, &n_text),
                                                .tokens = tokens,
                                                .scored = scored,
                                                .n_tokens = n,
                                                .logprob = random_number(),
                                                .share = random_number(),
                                                .place = (int32_t)draw(4),
                                                .greedy = draw(2),
                                                .per_byte = random_number()};
    }
}

static void random_facts(nt_result *t) {
    static const char *const info[] = {"architecture", "weight_bytes", "epsilon", "a\"\n\x1b,b"};
    static const char *const sums[] = {"tokens", "first_token", "bytes", "loss_as_transformers"};
    const char *const *keys = t->kind == NT_RESULT_PERPLEXITY ? sums : info;
    t->facts = room(t, 4, sizeof *t->facts);
    t->n_facts = draw(5);
    for (size_t i = 0; i < t->n_facts; i++) {
        t->facts[i] = (nt_fact){.key = keys[i], .number = random_number(), .is_bool = draw(3) == 0};
        if (draw(2)) t->facts[i].text = random_text(t, &(size_t){0});
    }
}

/* Any number of ways to cut a text, of any length, and stretches of them. */
static void random_compared(nt_result *t) {
    size_t n = draw(4);
    t->compared = room(t, n, sizeof *t->compared);
    for (; t->n_compared < n; t->n_compared++) {
        nt_compared *c = &t->compared[t->n_compared];
        size_t n_tokens = draw(8), at = 0;
        nt_token *tokens = room(t, n_tokens, sizeof *tokens);
        c->model = random_text(t, &(size_t){0});
        for (size_t i = 0; i < n_tokens; i++) {
            tokens[i] = random_token(t);
            tokens[i].start = at;
            at += t->n_text ? draw(3) : 0;
            tokens[i].end = at = at < t->n_text ? at : t->n_text;
        }
        c->tokens = tokens;
        c->n_tokens = n_tokens;
    }
    if (n) assert_int_equal(nt_trace_set_stretches(t), NT_OK);
    t->n_counted = draw(4);
    t->counted = room(t, 4, sizeof *t->counted);
    for (size_t i = 0; i < t->n_counted; i++) {
        uint64_t *n_tokens = room(t, n, sizeof *n_tokens);
        for (size_t v = 0; v < n; v++)
            n_tokens[v] = draw(2) ? draw(1000000) : 0;
        t->counted[i] =
            (nt_counted){random_text(t, &(size_t){0}), draw(UINT32_MAX), draw(99), n_tokens};
    }
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
    random_decoding(t);
    if (kind >= NT_RESULT_COMPARED) random_compared(t);
    random_steps(t);
    t->n_outputs = draw(3);
    t->outputs = room(t, 3, sizeof *t->outputs);
    for (size_t i = 0; i < t->n_outputs; i++) {
        t->outputs[i] = (nt_output){.ids = room(t, 5, sizeof(int32_t)),
                                    .n_ids = draw(6),
                                    .logprob = random_number(),
                                    .finish_reason = "stop_string",
                                    .score = random_number(),
                                    .beam = (int64_t)draw((uint32_t)t->n_beams + 1) - 1};
        t->outputs[i].text = random_text(t, &t->outputs[i].n_text);
    }
    t->scored = room(t, n, sizeof *t->scored);
    random_scores(t->scored, n);
    t->totals = (nt_totals){random_number(),
                            random_number(),
                            random_number(),
                            draw(2) ? draw(12) : SIZE_MAX,
                            draw(2) ? draw(12) : SIZE_MAX - 1,
                            random_number(),
                            random_number(),
                            random_number()};
    t->prompt_len = draw(12);
    t->by = draw(16);
    t->correction = (nt_correction)draw(4); /* one of them is none */
    t->n_words = draw(6);
    t->words = random_units(t, t->n_words);
    t->n_chars = draw(6);
    t->chars = random_units(t, t->n_chars);
    t->window = draw(2000);
    t->stride = draw(2) ? draw(2000) : SIZE_MAX;
    t->n_windows = draw(3);
    random_continuations(t);
    float *norms = room(t, 8, sizeof *norms);
    for (int i = 0; i < 8; i++)
        norms[i] = (float)random_number();
    t->tensors = room(t, 1, sizeof *t->tensors);
    t->n_tensors = 1;
    t->tensors[0] = (nt_tensor_view){"hidden_norms", norms, 1, {draw(9)}};
    random_facts(t);
    return t;
}

#endif
