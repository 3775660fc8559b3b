/* The JSON of a generation: its sequences, what they took, and where asked for the whole trace. */
#include <math.h>

#include "base/memory.h"
#include "view/changes.h"
#include "view/json_put.h"

/* ---- Sequences ------------------------------------------------------------------------------- */

/* "beam_indices", as transformers has them: for each token the slot of the beam that it continues.
 * The prompt stands in slot 0. */
static void beam_indices(nt_buffer *out, const nt_result *trace, int64_t last) {
    size_t n = 0;
    for (int64_t b = last; b >= 0; b = trace->beams[b].parent)
        n++;
    int32_t *slots = nt_alloc(n, sizeof *slots);
    if (!slots) {
        if (out->status == NT_OK) out->status = NT_E_MEMORY;
        return;
    }
    size_t at = n;
    for (int64_t b = last; b >= 0; b = trace->beams[b].parent) {
        int64_t parent = trace->beams[b].parent;
        slots[--at] = parent < 0 ? 0 : trace->beams[parent].slot;
    }
    nt_put_key(out, "beam_indices");
    nt_put_open(out, '[');
    for (size_t i = 0; i < n; i++)
        nt_put_whole(out, slots[i]);
    nt_buffer_putc(out, ']');
    nt_free(slots);
}

static void sequence(nt_buffer *out, const nt_result *trace, const nt_output *output) {
    nt_put_open(out, '{');
    nt_put_key(out, "ids");
    nt_put_open(out, '[');
    for (size_t i = 0; i < output->n_ids; i++)
        nt_put_whole(out, output->ids[i]);
    nt_buffer_putc(out, ']');
    nt_put_key(out, "text");
    nt_put_string(out, output->text, output->n_text);
    nt_member_number(out, "logprob", output->logprob);
    nt_member_number(out, "score", output->score);
    if (nt_view_beams(trace)) beam_indices(out, trace, output->beam);
    nt_member_words(out, "finish_reason", output->finish_reason);
    nt_buffer_putc(out, '}');
}

/* Without milliseconds: equal runs give equal bytes. */
static void effort(nt_buffer *out, const nt_effort *effort) {
    nt_put_key(out, "effort");
    nt_put_open(out, '{');
    nt_member_count(out, "passes", effort->n_passes);
    nt_member_count(out, "rows", effort->n_rows);
    nt_member_count(out, "drafted", effort->n_drafted);
    nt_member_count(out, "accepted", effort->n_accepted);
    nt_buffer_putc(out, '}');
}

static void proof(nt_buffer *out, const nt_proof *proof) {
    nt_put_key(out, "proof");
    nt_put_open(out, '{');
    nt_member_truth(out, "proved", proof->proved);
    nt_member_number(out, "gap", proof->gap);
    nt_member_number(out, "bound", proof->bound);
    nt_member_words(out, "limit", proof->limit && *proof->limit ? proof->limit : NULL);
    nt_member_count(out, "horizon", proof->horizon);
    nt_member_count(out, "nodes", proof->n_nodes);
    nt_member_number(out, "greedy", proof->greedy);
    nt_member_number(out, "beams", proof->beams);
    nt_member_count(out, "num_beams", proof->n_beams);
    nt_member_number(out, "min_probability",
                     proof->min_probability > 0 ? proof->min_probability : NAN);
    nt_buffer_putc(out, '}');
}

/* ---- The trace ------------------------------------------------------------------------------- */

static void step(nt_buffer *out, const nt_trace_step *s, bool assisted) {
    nt_put_open(out, '{');
    nt_member_count(out, "sequence", s->step.sequence);
    nt_member_count(out, "step", s->step.index);
    nt_member_whole(out, "chosen", s->step.chosen.token.id);
    nt_put_draw(out, &s->step, assisted);
    nt_member_id(out, "beam", s->step.beam);
    nt_member_count(out, "kept", s->step.kept);
    nt_member_number(out, "entropy", s->step.entropy);
    nt_put_choices(out, s);
    nt_buffer_putc(out, '}');
}

static void row(nt_buffer *out, const nt_trace_step *s) {
    nt_put_open(out, '{');
    nt_member_count(out, "step", s->step.index);
    nt_member_count(out, "kept", s->step.kept);
    nt_member_number(out, "entropy", s->step.entropy);
    nt_put_choices(out, s);
    nt_buffer_putc(out, '}');
}

static const char *fate_name(nt_fate fate) {
    static const char *const names[] = {"running", "output", "pruned",
                                        "late",    "beaten", "unproved"};
    return (size_t)fate < sizeof names / sizeof *names ? names[fate] : NULL;
}

/* Beam search adds up the processed logits themselves, exact search their probabilities. */
static double processed_logprob(const nt_result *trace, const nt_candidate *c) {
    return trace->proof ? log(c->processed_prob) : (double)c->processed_logit;
}

static void beam(nt_buffer *out, const nt_result *trace, const nt_beam *b) {
    nt_put_open(out, '{');
    nt_member_id(out, "parent", b->parent);
    nt_member_count(out, "step", b->index);
    nt_put_token(out, &b->token.token);
    nt_member_number(out, "logprob", b->token.logprob);
    nt_member_number(out, "processed_logprob", processed_logprob(trace, &b->token));
    nt_put_removed(out, &b->token);
    nt_member_number(out, "sum", b->sum);
    nt_member_number(out, "score", b->score);
    nt_member_whole(out, "place", b->place);
    nt_member_id(out, "slot", b->slot);
    nt_member_words(out, "fate", fate_name(b->fate));
    nt_member_words(out, "finish_reason",
                    b->finish_reason && *b->finish_reason ? b->finish_reason : NULL);
    nt_member_id(out, "row", b->row);
    nt_buffer_putc(out, '}');
}

static void whole(nt_buffer *out, const nt_result *trace) {
    bool assisted = nt_view_assisted(trace);
    nt_put_key(out, "trace");
    nt_put_open(out, '{');
    nt_put_key(out, "steps");
    nt_put_open(out, '[');
    for (size_t s = 0; s < trace->n_steps && out->status == NT_OK; s++)
        step(out, &trace->steps[s], assisted);
    nt_buffer_putc(out, ']');
    nt_put_key(out, "rows");
    nt_put_open(out, '[');
    for (size_t r = 0; r < trace->n_rows && out->status == NT_OK; r++)
        row(out, &trace->rows[r]);
    nt_buffer_putc(out, ']');
    nt_put_key(out, "beams");
    nt_put_open(out, '[');
    for (size_t b = 0; b < trace->n_beams && out->status == NT_OK; b++)
        beam(out, trace, &trace->beams[b]);
    nt_buffer_puts(out, "]}");
}

void nt_json_generate(nt_buffer *out, const nt_result *trace, bool with_trace) {
    nt_put_ids(out, "prompt_ids", trace->tokens, trace->n_tokens);
    nt_put_method(out, trace);
    nt_put_key(out, "sequences");
    nt_put_open(out, '[');
    for (size_t o = 0; o < trace->n_outputs; o++)
        sequence(out, trace, &trace->outputs[o]);
    nt_buffer_putc(out, ']');
    effort(out, &trace->effort);
    if (trace->proof) proof(out, trace->proof);
    if (with_trace) whole(out, trace);
}
