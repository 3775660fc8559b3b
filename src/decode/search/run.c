/* What all searches have in common: begun here, handed to one of them, and put away. */
#include "base/clock.h"
#include "base/status.h"
#include "decode/search/search.h"

/* By nt_method. heard: the text of a sequence that is alone is heard as it comes. */
static const struct {
    const char *name;
    int (*run)(nt_search *search);
    bool heard;
} methods[] = {
    [NT_METHOD_GREEDY] = {"greedy", nt_search_each, true},
    [NT_METHOD_SAMPLE] = {"sample", nt_search_each, true},
    [NT_METHOD_BEST_OF] = {"best_of", nt_search_each, false},
    [NT_METHOD_BEAM_SEARCH] = {"beam_search", nt_search_beams, false},
    [NT_METHOD_BEAM_SAMPLE] = {"beam_sample", nt_search_beams, false},
    [NT_METHOD_ASSISTED] = {"assisted", nt_search_assisted, true},
    [NT_METHOD_PROMPT_LOOKUP] = {"prompt_lookup", nt_search_assisted, true},
    [NT_METHOD_EXACT] = {"exact", nt_search_exact, false},
};

const char *nt_method_name(nt_method method) {
    return methods[method].name;
}

void nt_search_progress(nt_search *search, size_t n, uint64_t total) {
    const nt_callbacks *callbacks = search->with->callbacks;
    search->n_tokens += n;
    if (callbacks && callbacks->progress)
        callbacks->progress(callbacks->payload, "tokens", search->n_tokens, total);
}

int nt_search_output(nt_search *search, const nt_output *output) {
    nt_writer writer;
    int status = nt_writer_begin(&writer, &search->writing);
    for (size_t i = 0; i < output->n_ids && status == NT_OK; i++)
        status = nt_writer_put(&writer, output->ids[i]);
    if (status == NT_OK) status = nt_writer_end(&writer);
    if (status == NT_OK) {
        nt_output whole = *output;
        whole.text = writer.text.n ? writer.text.data : "";
        whole.n_text = writer.text.n;
        status = nt_trace_add_output(search->trace, &whole);
    }
    nt_writer_free(&writer);
    return status;
}

int nt_decode_run(nt_result *trace, const nt_decoding *with) {
    const nt_plan *plan = with->plan;
    double started = nt_clock();
    nt_search s = {.trace = trace, .with = with, .plan = plan, .V = with->stepper->V};
    trace->method = nt_method_name(plan->method);
    trace->seeded = plan->sample && !plan->torch_rng;
    trace->seed = plan->seed;
    nt_tracks_begin(&s.tracks, with, &trace->effort);
    bool heard = methods[plan->method].heard && plan->n_sequences == 1;
    int status = nt_writing_begin(&s.writing, &trace->vocab, with->detokenizer, plan,
                                  heard ? with->callbacks : NULL, with->prompt, plan->n_prompt);
    nt_ends_begin(&s.ends, plan, &s.writing);
    if (status == NT_OK && plan->sample) status = nt_draws_begin(&s.draws, plan, s.V);
    if (status == NT_OK) status = methods[plan->method].run(&s);
    if (s.draws.p) nt_draws_leave(&s.draws);
    if (plan->sample) nt_draws_free(&s.draws);
    nt_writing_free(&s.writing);
    nt_tracks_free(&s.tracks);
    trace->effort.milliseconds = (nt_clock() - started) * 1e3;
    return status;
}
