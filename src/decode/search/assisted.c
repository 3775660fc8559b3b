/* Assisted decoding: ids are proposed, the model looks at all of them in one pass, and as many are
 * taken as it would have written itself, and one more. What is taken is heard at once, since
 * nothing of it is taken back. */
#include <math.h>

#include "base/status.h"
#include "decode/search/candidates.h"

typedef struct assisted {
    nt_search *search;
    const nt_plan *plan;
    nt_processors processors;
    nt_proposer proposer;
    nt_verifier verifier;
    nt_proposal proposal; /* of this round */
    nt_writer writer;
    double logprob;
    const char *reason; /* NULL: it goes on */
    int32_t sequence;
    size_t n_looked; /* places of this round that were decided, */
    size_t n_taken;  /* and proposed ids that stand */
    bool stands;     /* the last of them does */
} assisted;

/* Decides one place from a row, and writes it down. */
static int choose(int32_t *id, assisted *a, const nt_given *given, size_t row) {
    nt_search *search = a->search;
    nt_processors *processors = &a->processors;
    const nt_proposal *proposal = &a->proposal;
    size_t i = a->n_looked++;
    NT_TRY(nt_processors_run(processors, given->logits[row], nt_unguided(given, row),
                             a->writer.whole, a->plan->n_prompt + a->writer.n_ids));
    nt_verdict verdict = nt_verify(&a->verifier, i, nt_processed(processors));
    nt_sight sight = {.stages = processors->stages,
                      .n_stages = processors->n_stages,
                      .V = search->V,
                      .k = a->plan->choices};
    NT_TRY(nt_trace_add_step(search->trace, &sight, verdict.id));
    nt_step *step = &search->trace->steps[search->trace->n_steps - 1].step;
    step->index = a->writer.n_ids;
    step->draw = verdict.draw;
    step->drafted = i < proposal->n ? proposal->whole[proposal->n_known + i] : -1;
    a->stands = verdict.stands;
    a->n_taken += verdict.stands;
    a->logprob += step->chosen.logprob;
    *id = verdict.id;
    return NT_OK;
}

/* One token more. */
static int take(assisted *a, const nt_given *given, size_t row) {
    nt_search *search = a->search;
    int32_t id;
    NT_TRY(choose(&id, a, given, row));
    NT_TRY(nt_writer_put(&a->writer, id));
    size_t n_ids = a->plan->n_prompt + a->writer.n_ids;
    a->reason = nt_ends_after(&search->ends, a->writer.whole, n_ids, a->writer.cut > 0);
    nt_search_progress(search, 1, a->plan->max_new);
    if (!a->reason) {
        NT_TRY(nt_writer_send(&a->writer));
        if (a->writer.refused) a->reason = "callback";
    }
    return NT_OK;
}

/* Runs the last id, unless that is done, and what is proposed; takes tokens from the rows. */
static int look(assisted *a, bool last_is_run) {
    const nt_proposal *proposal = &a->proposal;
    nt_given given;
    size_t from = proposal->n_known - (last_is_run ? 0 : 1);
    size_t n_ids = proposal->n_known + proposal->n - from;
    nt_step_row row = {
        .sequence = a->sequence, .ids = proposal->whole + from, .n_ids = n_ids, .n_logits = n_ids};
    NT_TRY(nt_tracks_step(&a->search->tracks, &given, &row, 1));
    a->stands = true;
    for (size_t i = 0; i < n_ids && a->stands && !a->reason; i++)
        NT_TRY(take(a, &given, i));
    nt_tracks_cut(&a->search->tracks, a->sequence, proposal->n - a->n_taken);
    return NT_OK;
}

/* Proposes, and takes one token or more. first: the row behind the prompt, at its beginning: what
 * is proposed there runs only if its first id stands. */
static int go_round(assisted *a, const nt_given *first) {
    nt_search *search = a->search;
    nt_proposal *proposal = &a->proposal;
    size_t n_new = a->writer.n_ids, n_known = a->plan->n_prompt + n_new;
    *proposal = (nt_proposal){.whole = a->writer.whole, .n_known = n_known};
    NT_TRY(a->proposer.propose(a->proposer.self, proposal, a->writer.whole, n_known,
                               a->plan->max_new - n_new - 1));
    nt_verifier_round(&a->verifier, proposal, n_new);
    search->trace->effort.n_drafted += proposal->n;
    a->n_looked = a->n_taken = 0;
    if (first) NT_TRY(take(a, first, 0));
    if (!first || (a->stands && !a->reason)) NT_TRY(look(a, first != NULL));
    search->trace->effort.n_accepted += a->n_taken;
    if (a->plan->sample && !proposal->q) /* transformers draws at every place before it compares */
        nt_draws_pass(&search->draws, proposal->n + 1 + proposal->n_beyond - a->n_looked);
    a->proposer.settle(a->proposer.self, a->n_taken);
    return NT_OK;
}

static int run(assisted *a) {
    nt_search *search = a->search;
    nt_given given;
    NT_TRY(nt_writer_begin(&a->writer, &search->writing));
    NT_TRY(nt_tracks_start(&search->tracks, &a->sequence, &given));
    NT_TRY(go_round(a, &given));
    while (!a->reason)
        NT_TRY(go_round(a, NULL));
    NT_TRY(nt_writer_end(&a->writer)); /* sends the rest */
    const nt_buffer *text = &a->writer.text;
    nt_output output = {.ids = a->writer.ids,
                        .n_ids = a->writer.n_ids,
                        .text = text->n ? text->data : "",
                        .n_text = text->n,
                        .logprob = a->logprob,
                        .finish_reason = a->reason,
                        .score = NAN,
                        .beam = -1};
    return nt_trace_add_output(search->trace, &output);
}

int nt_search_assisted(nt_search *search) {
    assisted a = {.search = search, .plan = search->plan, .sequence = -1};
    int status = nt_processors_begin(&a.processors, a.plan, search->V);
    if (status == NT_OK) status = nt_verifier_begin(&a.verifier, search);
    if (status == NT_OK) {
        status = a.plan->method == NT_METHOD_PROMPT_LOOKUP ? nt_lookup_begin(&a.proposer, search)
                                                           : nt_draft_begin(&a.proposer, search);
    }
    if (status == NT_OK) status = run(&a);
    nt_tracks_drop(&search->tracks, a.sequence);
    nt_proposer_free(&a.proposer);
    nt_verifier_free(&a.verifier);
    nt_writer_free(&a.writer);
    nt_processors_free(&a.processors);
    return status;
}
