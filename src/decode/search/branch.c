#include "decode/search/branch.h"

#include "base/status.h"

int nt_branch_begin(nt_branch *branch, nt_search *search, nt_processors *processors, size_t index) {
    *branch =
        (nt_branch){.search = search, .processors = processors, .index = index, .sequence = -1};
    return nt_writer_begin(&branch->writer, &search->writing);
}

void nt_branch_free(nt_branch *branch) {
    if (!branch->search) return;
    nt_tracks_drop(&branch->search->tracks, branch->sequence);
    nt_writer_free(&branch->writer);
}

/* Ids so far, prompt included. */
static size_t n_whole(const nt_branch *branch) {
    return branch->search->plan->n_prompt + branch->writer.n_ids;
}

int nt_branch_process(const float **out, nt_branch *branch, const nt_given *given, size_t row) {
    NT_TRY(nt_processors_run(branch->processors, given->logits[row], nt_unguided(given, row),
                             branch->writer.whole, n_whole(branch)));
    *out = nt_processed(branch->processors);
    return NT_OK;
}

int nt_branch_take(nt_step **step, nt_branch *branch, int32_t id) {
    nt_search *search = branch->search;
    nt_writer *writer = &branch->writer;
    const nt_plan *plan = search->plan;
    nt_sight sight = nt_processors_sight(branch->processors);
    NT_TRY(nt_trace_add_step(search->trace, &sight, id));
    *step = &search->trace->steps[search->trace->n_steps - 1].step;
    (*step)->sequence = branch->index;
    (*step)->index = writer->n_ids;
    branch->logprob += (*step)->chosen.logprob;
    NT_TRY(nt_writer_put(writer, id));
    branch->reason = nt_ends_after(&search->ends, writer->whole, n_whole(branch), writer->cut > 0);
    nt_search_progress(search, 1, plan->n_sequences * plan->max_new);
    if (!branch->reason) {
        NT_TRY(nt_writer_send(writer));
        if (writer->refused) branch->reason = "callback";
    }
    return branch->reason ? nt_writer_end(writer) : NT_OK; /* sends the rest */
}

int nt_branch_output(const nt_branch *branch, double score) {
    const nt_writer *writer = &branch->writer;
    nt_output output = {.ids = writer->ids,
                        .n_ids = writer->n_ids,
                        .text = writer->text.n ? writer->text.data : "",
                        .n_text = writer->text.n,
                        .logprob = branch->logprob,
                        .finish_reason = branch->reason,
                        .score = score,
                        .beam = -1};
    return nt_trace_add_output(branch->search->trace, &output);
}
