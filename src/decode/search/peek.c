/* One look at what comes next, with nothing chosen; and what one option does to it, also below the
 * candidates that the step shows. */
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "decode/draw/draw.h"
#include "decode/process/processor.h"
#include "decode/search/tracks.h"
#include "trace/candidates.h"

/* The row of guidance that stands beside one that is given: behind the negative prompt and what is
 * new. */
static int look_beside(const float **unguided, int32_t *sequence, const nt_decoding *with) {
    const nt_stepper *stepper = with->stepper;
    size_t n = with->plan->n_prompt, n_negative = with->negative ? with->n_negative : 1;
    const int32_t *negative = with->negative ? with->negative : with->prompt + n - 1;
    NT_TRY(stepper->start(stepper->self, sequence));
    int32_t *ids = nt_alloc(n_negative + with->n_new, sizeof *ids);
    int status = ids ? NT_OK : NT_E_MEMORY;
    if (ids) {
        memcpy(ids, negative, n_negative * sizeof *ids);
        if (with->n_new) memcpy(ids + n_negative, with->prompt + n, with->n_new * sizeof *ids);
        nt_step_row row = {.sequence = *sequence, .ids = ids, .n_ids = n_negative + with->n_new};
        status = stepper->step(stepper->self, unguided, &row, 1, with->callbacks);
    }
    nt_free(ids);
    if (status != NT_OK) stepper->drop(stepper->self, *sequence);
    return status;
}

/* The row that is given through the processors, and into the trace. */
static int peek_at(nt_result *trace, const nt_decoding *with, nt_processors *processors,
                   int (*write)(nt_result *trace, const nt_processors *processors)) {
    const float *unguided = NULL;
    int32_t sequence;
    bool guided = with->plan->guidance_scale != 1;
    if (guided) NT_TRY(look_beside(&unguided, &sequence, with));
    int status = nt_processors_run(processors, with->row, unguided, with->prompt,
                                   with->plan->n_prompt + with->n_new);
    if (status == NT_OK) status = write(trace, processors);
    if (guided) with->stepper->drop(with->stepper->self, sequence);
    return status;
}

/* The row behind the prompt through the processors, and into the trace. */
static int peek(nt_result *trace, const nt_decoding *with, nt_processors *processors,
                int (*write)(nt_result *trace, const nt_processors *processors)) {
    nt_tracks tracks;
    nt_given given;
    int32_t sequence;
    if (with->row) return peek_at(trace, with, processors, write);
    nt_tracks_begin(&tracks, with, &trace->effort);
    int status = nt_tracks_start(&tracks, &sequence, &given);
    if (status == NT_OK)
        status = nt_processors_run(processors, given.logits[0], nt_unguided(&given, 0),
                                   with->prompt, with->plan->n_prompt);
    if (status == NT_OK) status = write(trace, processors);
    nt_tracks_drop(&tracks, sequence);
    nt_tracks_free(&tracks);
    return status;
}

static int write_step(nt_result *trace, const nt_processors *processors) {
    nt_sight sight = nt_processors_sight(processors);
    return nt_trace_add_step(trace, &sight, -1);
}

static int keep_row(nt_result *trace, const char *name, const float *row, size_t V) {
    float *kept;
    NT_TRY(nt_trace_add_tensor(&kept, trace, name, 1, &V));
    memcpy(kept, row, V * sizeof *row);
    return NT_OK;
}

/* The step with the rows that drawing begins and ends with, and the values that it goes by. */
static int write_rows(nt_result *trace, const nt_processors *processors) {
    const nt_stage *stages = processors->stages;
    size_t V = processors->row.V, s = 1; /* the first stage of a warper */
    double value;
    while (s < processors->n_stages && !nt_warper_value(&value, processors->plan, stages[s].option))
        s++;
    NT_TRY(write_step(trace, processors));
    NT_TRY(keep_row(trace, "logits", stages[0].logits, V));
    if (s > 1) NT_TRY(keep_row(trace, "processed_logits", stages[s - 1].logits, V));
    for (; s < processors->n_stages; s++)
        if (nt_warper_value(&value, processors->plan, stages[s].option))
            NT_TRY(nt_trace_fact_number(trace, stages[s].option, value));
    return NT_OK;
}

/* The id that is drawn from the last run's row, and the step told of it. */
static int draw(nt_result *trace, const nt_decoding *with, const nt_processors *processors) {
    nt_draws draws;
    double u = NAN;
    int32_t id = -1;
    int status = nt_draws_begin(&draws, with->plan, processors->row.V);
    if (status == NT_OK) {
        nt_draws_pass(&draws, with->n_new * with->plan->batch_size); /* of the tokens before */
        nt_draws_before(&draws, 1);
        id = nt_draws_one(&draws, &u, nt_processed(processors), 0, with->n_new);
    }
    nt_draws_free(&draws);
    NT_TRY(status);
    nt_sight sight = nt_processors_sight(processors);
    trace->n_steps--; /* written before anything was chosen */
    NT_TRY(nt_trace_add_step(trace, &sight, id));
    trace->steps[0].step.draw = u;
    return NT_OK;
}

int nt_decode_peek(nt_result *trace, const nt_decoding *with) {
    nt_processors processors;
    int status = nt_processors_begin(&processors, with->plan, with->stepper->V);
    if (status == NT_OK)
        status = peek(trace, with, &processors, with->keep_rows ? write_rows : write_step);
    if (status == NT_OK && with->row && with->drawn) status = draw(trace, with, &processors);
    nt_processors_free(&processors);
    return status;
}

/* ---- What one option does ---- */

enum { FURTHER = 4 };

/* Whether the option itself is among the processors; a negative prompt acts through guidance. */
static bool acts(const nt_processors *processors, const char *option) {
    if (strncmp(option, "negative_prompt", strlen("negative_prompt")) == 0)
        option = "guidance_scale";
    for (size_t i = 0; i < processors->n; i++)
        if (strcmp(processors->wanted[i]->name, option) == 0) return true;
    return false;
}

/* Whether the last stage holds what the first one held. */
static bool same_rows(const nt_processors *processors, size_t V) {
    const float *first = processors->stages[0].logits, *last = nt_processed(processors);
    for (size_t i = 0; i < V; i++)
        if (first[i] != last[i]) return false;
    return true;
}

static bool is_shown(const nt_trace_step *step, int32_t id) {
    for (size_t i = 0; i < step->n_candidates; i++)
        if (step->candidates[i].token.id == id) return true;
    for (size_t i = 0; i < step->n_demoted; i++)
        if (step->demoted[i].token.id == id) return true;
    return false;
}

/* Of the ids that the step does not show: the likeliest that were changed, where not all were, and
 * before them the last that stays, where all behind it are gone. watch [FURTHER + 1]; some [V]
 * is for use within. */
static size_t find_further(int32_t *watch, const nt_processors *processors,
                           const nt_trace_step *step, size_t V, float *some) {
    const float *first = processors->stages[0].logits, *last = nt_processed(processors);
    size_t n = 0, n_changed = 0, n_gone = 0;
    int32_t least = -1; /* of those that stay */
    float most_gone = -INFINITY;
    for (size_t i = 0; i < V; i++) {
        bool changed = first[i] != last[i], stays = last[i] > -INFINITY;
        n_changed += changed;
        n_gone += changed && !stays;
        if (changed && !stays && first[i] > most_gone) most_gone = first[i];
        some[i] = changed && !is_shown(step, (int32_t)i) ? first[i] : -INFINITY;
        if (stays && (least < 0 || last[i] < last[least])) least = (int32_t)i;
    }
    if (n_changed == V) return 0;
    bool cut = n_gone == n_changed && first[least] > most_gone;
    if (cut && !is_shown(step, least)) watch[n++] = least;
    for (size_t i = 0; i < FURTHER; i++) {
        int32_t id = nt_argmax(some, V);
        if (some[id] == -INFINITY) break;
        some[id] = -INFINITY;
        watch[n++] = id;
    }
    return n;
}

/* They stand as the candidates of a row. */
static int add_further(nt_result *trace, const nt_processors *processors, nt_sight sight) {
    int32_t watch[FURTHER + 1];
    float *some = nt_alloc(sight.V, sizeof *some);
    if (!some) return NT_E_MEMORY;
    sight.k = 0;
    sight.watch = watch;
    sight.n_watch = find_further(watch, processors, &trace->steps[0], sight.V, some);
    nt_free(some);
    if (sight.n_watch == 0) return NT_OK;
    sight.watched = nt_arena_alloc(&trace->arena, sight.n_watch, sizeof *sight.watched);
    if (!sight.watched) return NT_E_MEMORY;
    NT_TRY(nt_trace_add_row(trace, &sight));
    trace->rows[0].candidates = sight.watched;
    trace->rows[0].n_candidates = sight.n_watch;
    return NT_OK;
}

static int write_effect(nt_result *trace, const nt_processors *processors) {
    nt_sight sight = nt_processors_sight(processors);
    if (same_rows(processors, sight.V)) return NT_OK;
    NT_TRY(nt_trace_add_step(trace, &sight, -1));
    return add_further(trace, processors, sight);
}

int nt_decode_effect(nt_result *trace, const nt_decoding *with, const char *option) {
    nt_processors processors;
    int status = nt_processors_begin(&processors, with->plan, with->stepper->V);
    if (status == NT_OK && acts(&processors, option))
        status = peek(trace, with, &processors, write_effect);
    nt_processors_free(&processors);
    return status;
}
