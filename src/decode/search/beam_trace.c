/* What a beam search leaves in the trace: a row for each running beam of each step, every candidate
 * of each step as a beam, and the outputs. */
#include <math.h>
#include <stdio.h>

#include "base/memory.h"
#include "decode/search/beams.h"

/* The row of running beam r, with the candidates of n_watch ids from watch[first] on. */
static int write_row(nt_beams *beams, size_t r, size_t first, size_t n_watch) {
    nt_result *trace = beams->search->trace;
    const nt_beam_row *row = &beams->rows[r];
    nt_sight sight = {.stages = row->stages,
                      .n_stages = row->n_stages,
                      .V = beams->search->V,
                      .k = beams->search->plan->choices,
                      .watch = n_watch ? beams->watch + first : NULL,
                      .watched = n_watch ? beams->watched + first : NULL,
                      .n_watch = n_watch,
                      .raw_sum = &row->raw_sum};
    NT_TRY(nt_trace_add_row(trace, &sight));
    int64_t beam = beams->running[r].beam;
    nt_step *step = &trace->rows[trace->n_rows - 1].step;
    step->index = beams->index;
    step->beam = beam;
    if (beam >= 0) trace->beams[beam].row = (int64_t)trace->n_rows - 1;
    return NT_OK;
}

int nt_beams_refuse(nt_beams *beams, size_t r) {
    NT_TRY(write_row(beams, r, 0, 0)); /* says what is wrong */
    return nt_fail(NT_E_NUMERIC, "no token is left to choose at step %zu", beams->index);
}

/* The extensions of running beam r are watched: `first` of them are before. Returns how many. */
static size_t watch(nt_beams *beams, size_t r, size_t first) {
    size_t n = 0;
    for (size_t i = 0; i < beams->n_extensions; i++) {
        nt_extension *e = &beams->extensions[i];
        if (e->parent != r) continue;
        e->watched = first + n++;
        beams->watch[e->watched] = e->id;
    }
    return n;
}

static int write_extension(nt_beams *beams, size_t place) {
    nt_result *trace = beams->search->trace;
    nt_extension *e = &beams->extensions[place];
    const nt_running *parent = &beams->running[e->parent];
    nt_beam beam = {.parent = parent->beam,
                    .index = beams->index,
                    .token = beams->watched[e->watched],
                    .sum = e->sum,
                    .score = NAN,
                    .place = (int32_t)place,
                    .slot = -1,
                    .fate = NT_FATE_PRUNED,
                    .finish_reason = "",
                    .row = -1};
    if (e->reason) {
        beam.score = nt_beam_score(beams->search->plan, e->sum, beams->index + 1);
        beam.finish_reason = e->reason;
    }
    e->logprob = parent->logprob + beam.token.logprob;
    e->beam = (int64_t)trace->n_beams;
    return nt_trace_add_beam(trace, &beam);
}

int nt_beams_write(nt_beams *beams) {
    size_t n = 0;
    for (size_t r = 0; r < beams->n_running; r++) {
        if (beams->rows[r].dead) continue; /* nothing stands to choose behind it */
        size_t n_watch = watch(beams, r, n);
        NT_TRY(write_row(beams, r, n, n_watch));
        n += n_watch;
    }
    for (size_t i = 0; i < beams->n_extensions; i++)
        NT_TRY(write_extension(beams, i));
    return NT_OK;
}

/* The output that ends in a beam; ids has room for it. */
static int write_output(nt_beams *beams, const nt_ended *ended, int32_t *ids) {
    const nt_beam *known = beams->search->trace->beams, *last = &known[ended->beam];
    for (int64_t b = ended->beam; b >= 0; b = known[b].parent)
        ids[known[b].index] = known[b].token.token.id;
    nt_output output = {.ids = ids,
                        .n_ids = last->index + 1,
                        .logprob = ended->logprob,
                        .finish_reason = last->finish_reason,
                        .score = ended->score,
                        .beam = ended->beam};
    return nt_search_output(beams->search, &output);
}

/* Fewer sequences than were asked for: every beam has ended, or stands before an empty row. */
static void tell_missing(const nt_beams *beams) {
    const nt_callbacks *callbacks = beams->search->with->callbacks;
    size_t wanted = beams->search->plan->n_returned;
    char line[128];
    if (beams->n_ended >= wanted || !callbacks || !callbacks->note) return;
    snprintf(line, sizeof line, "%zu of %zu sequences: nothing else was left to go on with",
             beams->n_ended, wanted);
    callbacks->note(callbacks->payload, line);
}

int nt_beams_finish(nt_beams *beams) {
    size_t n = beams->search->plan->n_returned;
    if (n > beams->n_ended) n = beams->n_ended;
    int32_t *ids = nt_alloc(beams->index + 1, sizeof *ids);
    if (!ids) return NT_E_MEMORY;
    int status = NT_OK;
    for (size_t i = 0; i < n && status == NT_OK; i++)
        status = write_output(beams, &beams->ended[i], ids);
    nt_free(ids);
    NT_TRY(status);
    tell_missing(beams);
    return nt_trace_follow_beams(beams->search->trace);
}
