/* Beam search and beam sampling, as transformers 5.23 has them (GenerationMixin._beam_search) for
 * one prompt. What differs: transformers fills up with beams that do not exist where there are
 * fewer ids than candidates, with scores of about -1e9; here only what is there runs, ends and is
 * returned. */
#include "decode/search/beams.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"

/* Room for the ids of a beam, and for one more. */
static int make_room(nt_running *beam, size_t n_ids) {
    void *ids = beam->ids;
    NT_TRY(nt_grow(&ids, &beam->capacity_ids, n_ids + 1, sizeof *beam->ids));
    beam->ids = ids;
    return NT_OK;
}

/* The prompt's row stands for all beams: without it they would all be the same. */
static int start(nt_beams *beams) {
    const nt_decoding *with = beams->search->with;
    nt_running *first = &beams->running[0];
    size_t n = beams->search->plan->n_prompt;
    NT_TRY(make_room(first, n));
    memcpy(first->ids, with->prompt, n * sizeof *first->ids);
    first->n_ids = n;
    first->at = beams->search->writing.after_prompt;
    first->beam = -1;
    NT_TRY(nt_tracks_start(&beams->search->tracks, &first->sequence, &beams->given));
    beams->n_running = 1;
    return NT_OK;
}

/* Keeps what the processors' last run left for a row. */
static int keep_stages(nt_beam_row *row, nt_processors *processors) {
    NT_TRY(nt_processors_give(processors, &row->memory));
    memcpy(row->stages, processors->stages, processors->n_stages * sizeof *row->stages);
    row->n_stages = processors->n_stages;
    row->raw_sum = processors->raw_sum;
    return NT_OK;
}

/* Whether every number of x [V] may be looked at: no NaN, no +inf; *dead: all of them are -inf. */
static bool is_fit(bool *dead, const float *x, size_t V) {
    int32_t bad = 0, alive = 0;
    for (size_t i = 0; i < V; i++) {
        bad |= !(x[i] <= FLT_MAX);
        alive |= x[i] >= -FLT_MAX;
    }
    *dead = !alive;
    return !bad;
}

/* The rows of the running beams through the processors. */
static int process(nt_beams *beams) {
    size_t V = beams->search->V;
    for (size_t r = 0; r < beams->n_running; r++) {
        const nt_running *beam = &beams->running[r];
        nt_beam_row *row = &beams->rows[r];
        NT_TRY(nt_processors_run(&beams->processors, beams->given.logits[r],
                                 nt_unguided(&beams->given, r), beam->ids, beam->n_ids));
        NT_TRY(keep_stages(row, &beams->processors));
        const float *last = row->stages[row->n_stages - 1].logits;
        if (!is_fit(&row->dead, last, V)) return nt_beams_refuse(beams, r);
        if (!beams->search->plan->sample) continue;
        if (!row->sums) row->sums = nt_alloc_large(V, sizeof *row->sums);
        if (!row->sums) return NT_E_MEMORY;
        for (size_t i = 0; i < V; i++)
            row->sums[i] = last[i] + beam->sum;
    }
    return NT_OK;
}

/* Biases may drive float32 sums over their end, where no order is left. */
static int check_sums(const nt_beams *beams) {
    for (size_t i = 0; i < beams->n_extensions; i++) {
        if (isfinite(beams->extensions[i].sum)) continue;
        return nt_fail(
            NT_E_NUMERIC,
            "the log-probabilities of a beam add up to infinity at step %zu; use smaller "
            "biases",
            beams->index);
    }
    return NT_OK;
}

/* Takes an extension that has ended in among the best, and the worst out where they are too many.
 */
static void take_ended(nt_beams *beams, const nt_extension *e) {
    const nt_plan *plan = beams->search->plan;
    nt_beam *known = beams->search->trace->beams;
    nt_ended new = {e->beam, nt_beam_score(plan, e->sum, beams->index + 1), e->logprob};
    size_t at = beams->n_ended++;
    for (; at > 0 && beams->ended[at - 1].score < new.score; at--)
        beams->ended[at] = beams->ended[at - 1];
    beams->ended[at] = new;
    known[new.beam].fate = NT_FATE_OUTPUT;
    if (beams->n_ended <= plan->n_beams) return;
    beams->n_ended--;
    known[beams->ended[beams->n_ended].beam].fate = NT_FATE_BEATEN;
}

/* What became of the step's extensions. */
static void settle(nt_beams *beams) {
    nt_beam *known = beams->search->trace->beams;
    for (size_t i = 0; i < beams->n_extensions; i++) {
        const nt_extension *e = &beams->extensions[i];
        if (!e->reason) continue;
        if (i < beams->search->plan->n_beams)
            take_ended(beams, e);
        else
            known[e->beam].fate = NT_FATE_LATE;
    }
    for (size_t s = 0; s < beams->n_chosen; s++) {
        nt_beam *beam = &known[beams->extensions[beams->chosen[s]].beam];
        beam->fate = NT_FATE_RUNNING;
        beam->slot = (int32_t)s;
    }
}

/* Whether the search is over behind this step. */
static bool is_over(const nt_beams *beams) {
    const nt_plan *plan = beams->search->plan;
    if (beams->n_chosen == 0) return true;
    if (beams->n_ended < plan->n_beams) return false;
    if (plan->early_stopping == NT_EARLY_TRUE) return true;
    size_t n_new = beams->index + 1;
    if (plan->early_stopping == NT_EARLY_NEVER && plan->length_penalty > 0) n_new = plan->max_new;
    float best = beams->extensions[beams->chosen[0]].sum;
    return !(nt_beam_score(plan, best, n_new) > beams->ended[beams->n_ended - 1].score);
}

/* Drops the running beams that nothing goes on from. */
static void drop_childless(nt_beams *beams) {
    for (size_t r = 0; r < beams->n_running; r++) {
        bool continued = false;
        for (size_t s = 0; s < beams->n_chosen && !continued; s++)
            continued = beams->extensions[beams->chosen[s]].parent == r;
        if (continued) continue;
        nt_tracks_drop(&beams->search->tracks, beams->running[r].sequence);
        beams->running[r].sequence = -1;
    }
}

/* Beam s of the next step. The first child of a beam goes on in its place, others are forked from
 * it; nobody has stepped yet. */
static int continue_as(nt_beams *beams, size_t s) {
    const nt_extension *e = &beams->extensions[beams->chosen[s]];
    nt_running *parent = &beams->running[e->parent], *child = &beams->next[s];
    NT_TRY(make_room(child, parent->n_ids + 1));
    memcpy(child->ids, parent->ids, parent->n_ids * sizeof *child->ids);
    child->ids[parent->n_ids] = e->id;
    child->n_ids = parent->n_ids + 1;
    child->at = e->at;
    child->beam = e->beam;
    child->sum = e->sum;
    child->logprob = e->logprob;
    if (parent->sequence >= 0) {
        child->sequence = parent->sequence;
        parent->sequence = -1;
        return NT_OK;
    }
    for (size_t older = 0; older < s; older++) {
        if (beams->extensions[beams->chosen[older]].parent != e->parent) continue;
        int32_t fork = -1;
        NT_TRY(nt_tracks_fork(&beams->search->tracks, &fork, beams->next[older].sequence));
        child->sequence = fork;
        return NT_OK;
    }
    return NT_OK;
}

/* The chosen become the running, and the model is asked behind each. */
static int advance(nt_beams *beams) {
    drop_childless(beams);
    for (size_t s = 0; s < beams->n_chosen; s++)
        NT_TRY(continue_as(beams, s));
    nt_running *was = beams->running;
    beams->running = beams->next;
    beams->next = was;
    beams->n_running = beams->n_chosen;
    for (size_t r = 0; r < beams->n_running; r++) {
        const nt_running *beam = &beams->running[r];
        beams->to_step[r] = (nt_step_row){
            .sequence = beam->sequence, .ids = &beam->ids[beam->n_ids - 1], .n_ids = 1};
    }
    return nt_tracks_step(&beams->search->tracks, &beams->given, beams->to_step, beams->n_running);
}

static int run(nt_beams *beams) {
    NT_TRY(start(beams));
    for (;; beams->index++) {
        NT_TRY(process(beams));
        NT_TRY(nt_extensions_find(beams));
        if (beams->n_extensions == 0 && beams->n_ended == 0) return nt_beams_refuse(beams, 0);
        NT_TRY(check_sums(beams));
        nt_extensions_end(beams);
        nt_extensions_choose(beams);
        NT_TRY(nt_beams_write(beams));
        settle(beams);
        nt_search_progress(beams->search, 1, beams->search->plan->max_new);
        if (is_over(beams)) return nt_beams_finish(beams);
        NT_TRY(advance(beams));
    }
}

static int begin(nt_beams *beams) {
    const nt_search *search = beams->search;
    size_t n = search->plan->n_beams;
    beams->running = nt_alloc(n, sizeof *beams->running);
    if (beams->running) beams->next = nt_alloc(n, sizeof *beams->next);
    if (beams->next) beams->rows = nt_alloc(n, sizeof *beams->rows);
    for (size_t s = 0; beams->next && s < n; s++)
        beams->running[s].sequence = beams->next[s].sequence = -1;
    if (beams->rows) beams->sums = nt_alloc(n, sizeof *beams->sums);
    if (beams->sums) beams->to_step = nt_alloc(n, sizeof *beams->to_step);
    if (beams->to_step) beams->ended = nt_alloc(n + 1, sizeof *beams->ended);
    if (beams->ended) beams->chosen = nt_alloc(n + 1, sizeof *beams->chosen);
    if (!beams->chosen) return NT_E_MEMORY;
    return nt_processors_begin(&beams->processors, search->plan, search->V);
}

static void end(nt_beams *beams) {
    size_t n = beams->search->plan->n_beams;
    for (size_t s = 0; beams->next && s < n; s++) {
        nt_tracks_drop(&beams->search->tracks, beams->running[s].sequence);
        nt_tracks_drop(&beams->search->tracks, beams->next[s].sequence);
        nt_free(beams->running[s].ids);
        nt_free(beams->next[s].ids);
        if (beams->rows) nt_free(beams->rows[s].memory);
        if (beams->rows) nt_free(beams->rows[s].sums);
    }
    nt_processors_free(&beams->processors);
    nt_free(beams->running);
    nt_free(beams->next);
    nt_free(beams->rows);
    nt_free(beams->sums);
    nt_free(beams->to_step);
    nt_free(beams->ended);
    nt_free(beams->chosen);
    nt_free(beams->extensions);
    nt_free(beams->drawn);
    nt_free(beams->watch);
    nt_free(beams->watched);
}

int nt_search_beams(nt_search *search) {
    nt_beams beams = {.search = search};
    int status = begin(&beams);
    if (status == NT_OK) status = run(&beams);
    end(&beams);
    return status;
}
