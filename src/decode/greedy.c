/* Greedy decoding: the likeliest token at each step, the lowest id among equals. */
#include "base/status.h"
#include "decode/generate.h"
#include "decode/writer.h"
#include "trace/candidates.h"

static bool is_eos(const nt_plan *plan, int32_t id) {
    for (size_t i = 0; i < plan->n_eos; i++)
        if (plan->eos[i] == id) return true;
    return false;
}

/* Why generation ends after this token, in transformers' order; NULL: it goes on. */
static const char *reason_after(const nt_writer *writer, const nt_plan *plan, int32_t id) {
    if (is_eos(plan, id)) return "stop";
    if (writer->stopped) return "stop_string";
    return writer->n_ids >= plan->max_new ? "length" : NULL;
}

/* One token more; *reason is set when it is the last. */
static int take_step(nt_result *trace, nt_writer *writer, const char **reason, double *logprob,
                     const nt_plan *plan, const float *logits, size_t V) {
    int32_t id = nt_argmax(logits, V);
    NT_TRY(nt_trace_add_step(trace, logits, NULL, V, plan->choices, id));
    *logprob += trace->steps[trace->n_steps - 1].step.chosen.logprob;
    NT_TRY(nt_writer_put(writer, id));
    *reason = reason_after(writer, plan, id);
    const nt_callbacks *callbacks = writer->callbacks;
    if (callbacks && callbacks->progress)
        callbacks->progress(callbacks->payload, "tokens", writer->n_ids, plan->max_new);
    if (*reason) return NT_OK; /* nt_writer_end sends the rest */
    NT_TRY(nt_writer_send(writer));
    if (writer->refused) *reason = "callback";
    return NT_OK;
}

static int run(nt_result *trace, nt_writer *writer, const nt_stepper *stepper, int32_t sequence,
               const int32_t *prompt, size_t n_prompt, const nt_plan *plan) {
    nt_output output = {0};
    nt_step_row row = {.sequence = sequence, .ids = prompt, .n_ids = n_prompt};
    while (!output.finish_reason) {
        const float *logits;
        NT_TRY(stepper->step(stepper->self, &logits, &row, 1, writer->callbacks));
        NT_TRY(take_step(trace, writer, &output.finish_reason, &output.logprob, plan, logits,
                         stepper->V));
        row.ids = &writer->ids[writer->n_ids - 1];
        row.n_ids = 1;
    }
    NT_TRY(nt_writer_end(writer));
    output.ids = writer->ids;
    output.n_ids = writer->n_ids;
    output.text = writer->text.n ? writer->text.data : "";
    output.n_text = writer->text.n;
    return nt_trace_add_output(trace, &output);
}

int nt_greedy(nt_result *trace, const nt_stepper *stepper, const nt_detokenizer *detokenizer,
              const int32_t *prompt, size_t n_prompt, const nt_plan *plan,
              const nt_callbacks *callbacks) {
    nt_writer writer;
    int32_t sequence;
    int status =
        nt_writer_begin(&writer, &trace->vocab, detokenizer, plan, callbacks, prompt, n_prompt);
    if (status == NT_OK) status = stepper->start(stepper->self, &sequence);
    if (status == NT_OK) {
        status = run(trace, &writer, stepper, sequence, prompt, n_prompt, plan);
        stepper->drop(stepper->self, sequence);
    }
    nt_writer_free(&writer);
    return status;
}
