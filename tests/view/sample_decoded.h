/* Traces of decoding to show in tests: processors at work, beams, drafts, proofs. Their figures are
 * made up, but hold together. A part of sample.h, which includes it. */
#ifndef TESTS_VIEW_SAMPLE_DECODED_H
#define TESTS_VIEW_SAMPLE_DECODED_H

/* Adds a change; the last one is what is processed. */
static void change(nt_result *t, nt_candidate *c, const char *option, float after) {
    nt_change *changes = room(t, c->n_changes + 1, sizeof *changes);
    if (c->n_changes) memcpy(changes, c->changes, c->n_changes * sizeof *changes);
    changes[c->n_changes] = (nt_change){option, c->processed_logit, after};
    c->changes = changes;
    c->n_changes++;
    c->processed_logit = after;
}

/* Repetition penalty, temperature and top_p: two ids pushed down, two taken out. */
MAY_BE_UNUSED static nt_result *sample_processed(void) {
    static const struct {
        const char *text;
        double p, processed;
        int32_t rank, id;
        float penalized;
        bool out;
    } rows[] = {
        {" go", 0.0925, 0.5131, 1, 467, 0, false},
        {" spend", 0.0521, 0.2296, 3, 4341, 0, false},
        {" make", 0.0444, 0.1812, 4, 787, 0, false},
        {" be", 0.0203, 0.0761, 6, 307, -41.25f, false},
        {" attend", 0.0187, 0, 7, 5262, 0, true},
        {" visit", 0.0163, 0, 8, 3187, 0, true},
        {" take", 0.0689, 0, 2, 1011, -40.8125f, true},
        {" do", 0.0301, 0, 5, 466, -40.03125f, true},
    };
    static const char *const prompt[] = {"This", " weekend", " I", " plan", " to"};
    nt_result *t = new_sample(NT_RESULT_NEXT);
    for (size_t i = 0; i < 5; i++)
        add_token(t, (int32_t)(770 + i), prompt[i]);
    nt_trace_step *step = add_step(t, 6);
    step->demoted = room(t, 2, sizeof *step->demoted);
    step->n_demoted = 2;
    step->step.entropy = 5.4321;
    step->step.kept = 4;
    for (size_t i = 0; i < 8; i++) {
        nt_candidate c = candidate(t, rows[i].rank, rows[i].id, rows[i].text, rows[i].p);
        if (rows[i].penalized < 0) change(t, &c, "repetition_penalty", rows[i].penalized);
        change(t, &c, "temperature", c.processed_logit / 0.7f);
        if (rows[i].out) change(t, &c, "top_p", -INFINITY);
        c.processed_prob = rows[i].processed;
        if (i < 6)
            step->candidates[i] = c;
        else
            step->demoted[i - 6] = c;
    }
    return t;
}

/* Greedy decoding that may repeat no bigram: what comes first is out, or was penalized. */
static void fill_processed_steps(nt_result *t) {
    t->method = "greedy";
    fill_steps(t);
    for (size_t s = 0; s < t->n_steps; s++) {
        nt_trace_step *step = &t->steps[s];
        nt_candidate first = step->candidates[0];
        for (size_t i = 2; s == 3 && i < 5; i++) { /* nearly nothing is left */
            change(t, &step->candidates[i], "suppress_tokens", -INFINITY);
            step->candidates[i].processed_prob = 0;
            step->step.kept = 2;
        }
        if (s % 3 != 1) continue;
        memmove(step->candidates, step->candidates + 1, 4 * sizeof *step->candidates);
        change(t, &first, s == 4 ? "repetition_penalty" : "no_repeat_ngram_size", -INFINITY);
        first.processed_prob = 0;
        step->candidates[4] = first;
        for (size_t i = 0; i < 4; i++)
            step->candidates[i].processed_prob /= 1 - first.prob;
        step->step.chosen = step->candidates[0];
        step->step.kept = 50256;
        if (s == 4) {
            step->demoted = room(t, 1, sizeof *step->demoted);
            step->demoted[step->n_demoted++] = candidate(t, 3, 99, " dog", 0.03);
            change(t, &step->demoted[0], "repetition_penalty", -47.5f);
            step->demoted[0].processed_prob = 1e-6;
        }
    }
}

MAY_BE_UNUSED static nt_result *sample_processed_steps(void) {
    nt_result *t = new_sample(NT_RESULT_STEPS);
    fill_processed_steps(t);
    return t;
}

static void add_output(nt_result *t, const char *text, double logprob, double score, int64_t beam) {
    if (!t->outputs) t->outputs = room(t, 8, sizeof *t->outputs);
    nt_output *output = &t->outputs[t->n_outputs++];
    int32_t *ids = room(t, 1024, sizeof *ids);
    *output = (nt_output){.ids = ids,
                          .text = text,
                          .n_text = strlen(text),
                          .logprob = logprob,
                          .finish_reason = "length",
                          .score = score,
                          .beam = beam};
    for (int64_t b = beam; b >= 0; b = t->beams[b].parent)
        output->n_ids++;
    size_t at = output->n_ids;
    for (int64_t b = beam; b >= 0; b = t->beams[b].parent)
        ids[--at] = t->beams[b].token.token.id;
}

/* Two beams of two tokens, four candidates a step; one ended too far down, one was beaten. */
MAY_BE_UNUSED static nt_result *sample_beams(void) {
    static const struct {
        const char *text;
        int32_t id;
        double p;
        int64_t parent, row;
        size_t index;
        int32_t place, slot;
        nt_fate fate;
        const char *reason;
    } rows[] = {
        {" was", 373, 0.4, -1, 1, 0, 0, 0, NT_FATE_RUNNING, NULL},
        {" had", 550, 0.3, -1, 2, 0, 1, 1, NT_FATE_RUNNING, NULL},
        {" is", 318, 0.1, -1, -1, 0, 2, -1, NT_FATE_PRUNED, NULL},
        {"<|endoftext|>", 50256, 0.05, -1, -1, 0, 3, -1, NT_FATE_LATE, "stop"},
        {" a", 257, 0.9, 1, -1, 1, 0, 0, NT_FATE_OUTPUT, "length"},
        {" young", 1862, 0.5, 0, -1, 1, 1, 1, NT_FATE_OUTPUT, "length"},
        {"<|endoftext|>", 50256, 0.02, 0, -1, 1, 2, -1, NT_FATE_BEATEN, "stop"},
    };
    nt_result *t = new_sample(NT_RESULT_GENERATE);
    long_ago(t);
    t->method = "beam_search";
    t->effort = (nt_effort){.n_passes = 2, .n_rows = 3};
    t->rows = room(t, 3, sizeof *t->rows);
    for (; t->n_rows < 3; t->n_rows++) {
        nt_trace_step *row = add_step(t, 2);
        row->step.index = t->n_rows > 0;
        row->step.entropy = 3.25;
        row->candidates[0] = candidate(t, 1, 373, " was", 0.4);
        row->candidates[1] = candidate(t, 2, 550, " had", 0.3);
        t->rows[t->n_rows] = *row;
    }
    t->n_steps = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        nt_beam b = {.parent = rows[i].parent,
                     .index = rows[i].index,
                     .token = candidate(t, 1, rows[i].id, rows[i].text, rows[i].p),
                     .sum = log(rows[i].p),
                     .score = NAN,
                     .place = rows[i].place,
                     .slot = rows[i].slot,
                     .fate = rows[i].fate,
                     .finish_reason = rows[i].reason,
                     .row = rows[i].row};
        b.token.processed_logit = (float)log(rows[i].p);
        if (b.parent >= 0) b.sum += t->beams[b.parent].sum;
        if (rows[i].reason) b.score = b.sum / (double)(b.index + 1);
        assert_int_equal(nt_trace_add_beam(t, &b), NT_OK);
    }
    change(t, &t->beams[2].token, "repetition_penalty", -INFINITY);
    add_output(t, " had a", t->beams[4].sum, t->beams[4].score, 4);
    add_output(t, " was young", t->beams[5].sum, t->beams[5].score, 5);
    assert_int_equal(nt_trace_follow_beams(t), NT_OK);
    return t;
}

static nt_result *exact_of(nt_proof proof) {
    nt_result *t = sample_generate();
    t->method = "exact";
    t->outputs[0].score = -17.5;
    t->outputs[0].logprob = -17.5;
    t->proof = room(t, 1, sizeof *t->proof);
    *t->proof = proof;
    t->effort = (nt_effort){.n_passes = 700, .n_rows = 2143};
    return t;
}

MAY_BE_UNUSED static nt_result *sample_proved(void) {
    return exact_of((nt_proof){.proved = true,
                               .bound = -17.5001,
                               .limit = "",
                               .horizon = 8,
                               .n_nodes = 2143,
                               .greedy = -19.75,
                               .beams = -17.5,
                               .n_beams = 5});
}

MAY_BE_UNUSED static nt_result *sample_gap(void) {
    return exact_of((nt_proof){.gap = 1.25,
                               .bound = -16.25,
                               .limit = "max_nodes",
                               .horizon = 20,
                               .n_nodes = 10000,
                               .greedy = -19.75,
                               .beams = -17.0625,
                               .n_beams = 5});
}

/* A draft taken, one refused, and a token that nobody drafted. */
static void fill_assisted(nt_result *t) {
    t->method = "assisted";
    t->effort = (nt_effort){.n_passes = 31, .n_rows = 151, .n_drafted = 120, .n_accepted = 97};
    for (size_t s = 0; s < t->n_steps; s++)
        t->steps[s].step.drafted = t->steps[s].step.chosen.token.id + (s % 3 == 1);
    t->steps[2].step.drafted = -1;
    t->steps[3].step.draw = 0.625;
}

MAY_BE_UNUSED static nt_result *sample_assisted(void) {
    nt_result *t = sample_generate();
    fill_assisted(t);
    return t;
}

MAY_BE_UNUSED static nt_result *sample_assisted_steps(void) {
    nt_result *t = sample_steps();
    fill_assisted(t);
    return t;
}

/* Two of several that were drawn, the likeliest first. */
MAY_BE_UNUSED static nt_result *sample_best_of(void) {
    nt_result *t = sample_drawn();
    t->method = "best_of";
    for (size_t o = 0; o < 2; o++)
        t->outputs[o].score = t->outputs[o].logprob;
    return t;
}

#endif
