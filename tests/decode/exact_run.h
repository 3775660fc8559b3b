/* An exact search on a table of logits, with as much room as is said. */
#ifndef EXACT_RUN_H
#define EXACT_RUN_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "decode/search/exact.h"
#include "decode/table_stepper.h"
#include "decode/table_vocab.h"

enum { MOST = 8 }; /* words */

static const table_word word_list[MOST] = {{"a", 1, false},  {"b", 1, false}, {"ab", 2, false},
                                           {"EN", 2, false}, {"D", 1, false}, {"<eos>", 5, true},
                                           {"c", 1, false},  {"d", 1, false}};
static const int32_t prompt[] = {0, 1};
static const int32_t negative[] = {0, 0, 0};

typedef struct run {
    nt_result *trace;
    int status;
    table_model model;
    nt_callbacks callbacks;
    size_t n_cancel, cancel_at, n_notes, n_progress;
    size_t stop_at, n_asked; /* the text callback's: it says stop when it is asked so often */
    bool guided;             /* with the negative prompt */
    bool no_words;           /* no vocabulary */
} run;

static int hear_text(void *payload, const char *utf8, size_t n) {
    run *r = payload;
    assert_true(*utf8 == 0 && n == 0);
    return ++r->n_asked == r->stop_at;
}

static int hear_cancel(void *payload) {
    run *r = payload;
    return ++r->n_cancel == r->cancel_at;
}

static void hear_note(void *payload, const char *line) {
    run *r = payload;
    assert_non_null(strstr(line, "more than 1024"));
    r->n_notes++;
}

static void hear_progress(void *payload, const char *what, uint64_t done, uint64_t total) {
    run *r = payload;
    (void)total;
    assert_string_equal(what, "nodes");
    assert_true(done > 0);
    r->n_progress++;
}

/* What nt_decode_run does, with the room given. */
static inline int search_in(nt_result *trace, const nt_decoding *with, const nt_exact_room *room) {
    nt_search s = {.trace = trace, .with = with, .plan = with->plan, .V = with->stepper->V};
    nt_tracks_begin(&s.tracks, with, &trace->effort);
    int status = nt_writing_begin(&s.writing, &trace->vocab, with->detokenizer, with->plan, NULL,
                                  with->prompt, with->plan->n_prompt);
    nt_ends_begin(&s.ends, with->plan, &s.writing);
    if (status == NT_OK) status = nt_search_exact_in(&s, room);
    nt_writing_free(&s.writing);
    nt_tracks_free(&s.tracks);
    return status;
}

static inline void run_with(run *r, const nt_plan *plan, const nt_exact_room *room) {
    nt_stepper stepper = table_stepper(&r->model, 1024);
    table_vocab words = {word_list, MOST};
    nt_vocab vocab = vocab_of(&words);
    size_t n_open = 0;
    table_texts texts = {&words, &n_open};
    nt_detokenizer detokenizer = detokenizer_of(&texts);
    bool has_words = r->model.V <= MOST && !r->no_words;
    r->callbacks = (nt_callbacks){.size = sizeof(nt_callbacks),
                                  .payload = r,
                                  .cancel = hear_cancel,
                                  .progress = hear_progress,
                                  .note = hear_note,
                                  .text = hear_text};
    nt_decoding with = {.plan = plan,
                        .stepper = &stepper,
                        .detokenizer = has_words ? &detokenizer : NULL,
                        .prompt = prompt,
                        .negative = r->guided ? negative : NULL,
                        .n_negative = r->guided ? 3 : 0,
                        .callbacks = &r->callbacks};
    r->status = nt_trace_new(&r->trace, NT_RESULT_GENERATE, has_words ? &vocab : NULL);
    if (r->status == NT_OK)
        r->status = room ? search_in(r->trace, &with, room) : nt_decode_run(r->trace, &with);
    assert_int_equal(n_open, 0);
    assert_int_equal(r->model.n_live, 0); /* sequences are dropped on every path */
}

static inline void run_free(run *r) {
    nt_result_free(r->trace);
    *r = (run){0};
}

static inline nt_plan plan_of(size_t max_new, size_t n_returned) {
    nt_plan plan = NT_PLAN_INIT;
    plan.method = NT_METHOD_EXACT;
    plan.n_prompt = sizeof prompt / sizeof *prompt;
    plan.max_new = max_new;
    plan.n_returned = n_returned;
    plan.max_nodes = 1000000;
    return plan;
}

#endif
