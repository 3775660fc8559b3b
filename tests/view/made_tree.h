/* Searches made by hand and at random, for tests of their trees. */
#ifndef TESTS_VIEW_MADE_TREE_H
#define TESTS_VIEW_MADE_TREE_H

#include "view/random.h"
#include "view/tree.h"

/* A search without a beam yet. */
MAY_BE_UNUSED static nt_result *new_search(size_t most) {
    nt_result *t = new_sample(NT_RESULT_GENERATE);
    add_token(t, 44484, "Alice");
    t->method = "beam_search";
    t->beams = room(t, most, sizeof *t->beams);
    t->outputs = room(t, 64, sizeof *t->outputs);
    return t;
}

/* Adds a beam that was kept (slot >= 0) or pruned; returns its number. */
MAY_BE_UNUSED static int64_t add_beam(nt_result *t, int64_t parent, const char *text, int32_t place,
                                      int32_t slot) {
    nt_beam *beam = &t->beams[t->n_beams];
    *beam = (nt_beam){.parent = parent,
                      .index = parent < 0 ? 0 : t->beams[parent].index + 1,
                      .token = candidate(t, place + 1, place, text, 0.5 / (place + 1)),
                      .score = NAN,
                      .place = place,
                      .slot = slot,
                      .fate = slot < 0 ? NT_FATE_PRUNED : NT_FATE_RUNNING,
                      .finish_reason = "",
                      .row = -1};
    beam->sum = beam->token.logprob + (parent < 0 ? 0 : t->beams[parent].sum);
    return (int64_t)t->n_beams++;
}

/* The beam ends as the next output. */
MAY_BE_UNUSED static void end_beam(nt_result *t, int64_t beam) {
    t->beams[beam].fate = NT_FATE_OUTPUT;
    t->beams[beam].finish_reason = "length";
    t->beams[beam].score = t->beams[beam].sum;
    t->outputs[t->n_outputs++] =
        (nt_output){.text = "", .finish_reason = "length", .score = -1, .beam = beam};
}

/* A tree of n beams: each continues one of the last few, so that it grows deep and wide. */
MAY_BE_UNUSED static nt_result *random_search(size_t n, uint64_t seed) {
    nt_result *t = new_search(n);
    random_state = seed;
    for (size_t b = 0; b < n; b++) {
        size_t back = 1 + draw(6);
        int64_t parent = b < back ? -1 : (int64_t)(b - back);
        while (parent >= 0 && t->beams[parent].slot < 0)
            parent = t->beams[parent].parent;
        int64_t now = add_beam(t, parent, "", (int32_t)draw(10), draw(3) ? (int32_t)draw(5) : -1);
        t->beams[now].token.token = random_token(t);
    }
    for (size_t b = n; b-- > 0 && t->n_outputs < 4;)
        if (t->beams[b].slot >= 0) end_beam(t, (int64_t)b);
    return t;
}

#endif
