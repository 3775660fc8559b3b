/* Assisted decoding: ids are proposed, the model looks at all of them in one pass, and as many are
 * taken as it would have written itself, and one more. What is taken is heard at once, since
 * nothing of it is taken back. */
#include <math.h>

#include "base/status.h"
#include "decode/search/branch.h"
#include "decode/search/candidates.h"

typedef struct assisted {
    nt_search *search;
    const nt_plan *plan;
    nt_processors processors;
    nt_proposer proposer;
    nt_verifier verifier;
    nt_proposal proposal; /* of this round */
    nt_branch branch;
    size_t n_looked; /* places of this round that were decided, */
    size_t n_taken;  /* and proposed ids that stand */
    bool stands;     /* the last of them does */
} assisted;

/* Decides one place from a row: one token more. */
static int take(assisted *a, const nt_given *given, size_t row) {
    const nt_proposal *proposal = &a->proposal;
    size_t i = a->n_looked++;
    const float *processed;
    nt_step *step;
    NT_TRY(nt_branch_process(&processed, &a->branch, given, row));
    nt_verdict verdict = nt_verify(&a->verifier, i, processed);
    a->stands = verdict.stands;
    a->n_taken += verdict.stands;
    NT_TRY(nt_branch_take(&step, &a->branch, verdict.id));
    step->draw = verdict.draw;
    step->drafted = i < proposal->n ? proposal->whole[proposal->n_known + i] : -1;
    return NT_OK;
}

/* Runs the last id, unless that is done, and what is proposed; takes tokens from the rows. */
static int look(assisted *a, bool last_is_run) {
    const nt_proposal *proposal = &a->proposal;
    nt_given given;
    size_t from = proposal->n_known - (last_is_run ? 0 : 1);
    size_t n_ids = proposal->n_known + proposal->n - from;
    nt_step_row row = {.sequence = a->branch.sequence,
                       .ids = proposal->whole + from,
                       .n_ids = n_ids,
                       .n_logits = n_ids};
    NT_TRY(nt_tracks_step(&a->search->tracks, &given, &row, 1));
    a->stands = true;
    for (size_t i = 0; i < n_ids && a->stands && !a->branch.reason; i++)
        NT_TRY(take(a, &given, i));
    nt_tracks_cut(&a->search->tracks, a->branch.sequence, proposal->n - a->n_taken);
    return NT_OK;
}

/* Proposes, and takes one token or more. first: the row behind the prompt, at its beginning: what
 * is proposed there runs only if its first id stands. */
static int go_round(assisted *a, const nt_given *first) {
    nt_search *search = a->search;
    nt_proposal *proposal = &a->proposal;
    size_t n_new = a->branch.writer.n_ids, n_known = a->plan->n_prompt + n_new;
    *proposal = (nt_proposal){.whole = a->branch.writer.whole, .n_known = n_known};
    NT_TRY(a->proposer.propose(a->proposer.self, proposal, a->branch.writer.whole, n_known,
                               a->plan->max_new - n_new - 1));
    nt_verifier_round(&a->verifier, proposal, n_new);
    search->trace->effort.n_drafted += proposal->n;
    a->n_looked = a->n_taken = 0;
    if (first) NT_TRY(take(a, first, 0));
    if (!first || (a->stands && !a->branch.reason)) NT_TRY(look(a, first != NULL));
    search->trace->effort.n_accepted += a->n_taken;
    if (a->plan->sample && !proposal->q) /* transformers draws at every place before it compares */
        nt_draws_pass(&search->draws, proposal->n + 1 + proposal->n_beyond - a->n_looked);
    if (a->plan->sample && proposal->q && a->stands) /* its id behind those that stand, unused */
        nt_draws_pass(&search->draws, 1);
    a->proposer.settle(a->proposer.self, a->n_taken);
    return NT_OK;
}

static int run(assisted *a) {
    nt_search *search = a->search;
    nt_given given;
    NT_TRY(nt_branch_begin(&a->branch, search, &a->processors, 0));
    NT_TRY(nt_tracks_start(&search->tracks, &a->branch.sequence, &given));
    NT_TRY(go_round(a, &given));
    while (!a->branch.reason)
        NT_TRY(go_round(a, NULL));
    return nt_branch_output(&a->branch, NAN);
}

int nt_search_assisted(nt_search *search) {
    assisted a = {.search = search, .plan = search->plan};
    int status = nt_processors_begin(&a.processors, a.plan, search->V);
    if (status == NT_OK) status = nt_verifier_begin(&a.verifier, search);
    if (status == NT_OK) {
        status = a.plan->method == NT_METHOD_PROMPT_LOOKUP ? nt_lookup_begin(&a.proposer, search)
                                                           : nt_draft_begin(&a.proposer, search);
    }
    if (status == NT_OK) status = run(&a);
    nt_branch_free(&a.branch);
    nt_proposer_free(&a.proposer);
    nt_verifier_free(&a.verifier);
    nt_processors_free(&a.processors);
    return status;
}
