/* Tables of generated texts. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "view/frame.h"
#include "view/table_tree.h"

/* ---- One text -------------------------------------------------------------------------------- */

/* Adds a text to the line, printing it at each newline. */
static void flow(nt_frame *frame, const char *bytes, size_t n, uint8_t style) {
    for (size_t i = 0; i < n;) {
        const char *newline = memchr(bytes + i, '\n', n - i);
        size_t end = newline ? (size_t)(newline - bytes) : n;
        nt_strip_show(&frame->line, bytes + i, end - i, NT_SHOW_TEXT, style);
        if (frame->line.status != NT_OK) return;
        i = end;
        if (!newline) return;
        nt_frame_put(frame);
        nt_strip_clear(&frame->line);
        i++;
    }
}

static void outcome(nt_frame *frame, const nt_output *output) {
    char text[192] = "finish reason: ";
    strncat(text, output->finish_reason ? output->finish_reason : "none", 80);
    nt_frame_part(frame, text, NT_STYLE_DIM);
    nt_frame_figure(frame, "", nt_figure_count(output->n_ids),
                    output->n_ids == 1 ? " new token" : " new tokens", NT_STYLE_DIM);
    nt_frame_figure(frame, "log-probability ", nt_figure_fixed(output->logprob, 3), "",
                    NT_STYLE_DIM);
    bool exact = frame->trace->proof != NULL; /* its score is a log-probability, too */
    if (exact ? fabs(output->score - output->logprob) > 1e-6 : !isnan(output->score))
        nt_frame_figure(frame, exact ? "processed " : "score ", nt_figure_fixed(output->score, 3),
                        "", NT_STYLE_DIM);
    nt_frame_line(frame);
}

/* ---- exact search ---------------------------------------------------------------------------- */

/* What another search finds, held against the likeliest output. */
static void held_against(nt_frame *frame, const char *search, double found) {
    const nt_result *trace = frame->trace;
    char text[256] = "";
    if (isnan(found)) return;
    strncat(text, search, 80);
    double best = trace->n_outputs > 0 ? trace->outputs[0].score : NAN, apart = found - best;
    if (fabs(apart) <= 1e-6 * (1 + fabs(best))) {
        strcat(text, " finds the same");
    } else {
        strcat(text, " finds ");
        strcat(text, nt_figure_fixed(found, 3).s);
        if (isfinite(apart)) {
            strcat(text, ", ");
            strcat(text, nt_figure_fixed(fabs(apart), 3).s);
            strcat(text, apart < 0 ? " below" : " above");
        }
    }
    nt_frame_part(frame, text, NT_STYLE_DIM);
}

/* Behind the horizon: what nothing is. */
static void within(char out[96], const nt_proof *proof, const char *likelier) {
    strcpy(out, proof->horizon == 1 ? " token " : " tokens ");
    if (proof->min_probability > 0) {
        strcat(out, "has probability ");
        strcat(out, nt_figure_g9(proof->min_probability).s);
        strcat(out, " or more");
    } else {
        strcat(out, likelier);
    }
}

static void unproved(nt_frame *frame, const nt_proof *proof) {
    const char *limit = proof->limit && *proof->limit ? proof->limit : "max_nodes";
    char how[96];
    if (strcmp(limit, "callback") == 0)
        snprintf(how, sizeof how, "not proved: stopped after ");
    else if (strcmp(limit, "num_return_sequences") == 0)
        snprintf(how, sizeof how, "not all: more are as likely, found after ");
    else
        snprintf(how, sizeof how, "not proved: %.40s ended the search after ", limit);
    nt_frame_figure(frame, how, nt_figure_count(proof->n_nodes),
                    proof->n_nodes == 1 ? " prefix" : " prefixes", NT_STYLE_BOLD);
    if (proof->min_probability > 0 && isfinite(proof->bound))
        nt_frame_figure(frame, "what was not looked at may have a log-probability of up to ",
                        nt_figure_fixed(proof->bound, 3), "", NT_STYLE_BOLD);
    else if (isfinite(proof->gap))
        nt_frame_figure(frame, "what was not looked at may be likelier by up to ",
                        nt_figure_fixed(proof->gap, 3), " nats", NT_STYLE_BOLD);
    else
        nt_frame_part(frame, "what was not looked at may be likelier", NT_STYLE_BOLD);
}

static void verdict(nt_frame *frame, const nt_proof *proof) {
    size_t n = frame->trace->n_outputs;
    char behind[96];
    if (!proof->proved) {
        unproved(frame, proof);
        return;
    }
    within(behind, proof, n == 0 ? "is so likely" : "is likelier");
    bool alone = n == 1 && !(proof->min_probability > 0);
    nt_frame_figure(frame,
                    alone    ? "proved: nothing within "
                    : n == 0 ? "proved: no continuation within "
                             : "proved: nothing else within ",
                    nt_figure_count(proof->horizon), behind, NT_STYLE_BOLD);
}

void nt_frame_proof(nt_frame *frame) {
    const nt_proof *proof = frame->trace->proof;
    char beams[96] = "beam search with ";
    if (!proof) return;
    verdict(frame, proof);
    nt_frame_line(frame);
    strcat(beams, nt_figure_count(proof->n_beams).s);
    strcat(beams, proof->n_beams == 1 ? " beam" : " beams");
    held_against(frame, "greedy decoding", proof->greedy);
    held_against(frame, beams, proof->beams);
    nt_frame_line(frame);
}

/* ---- generate -------------------------------------------------------------------------------- */

void nt_table_generate(nt_frame *frame) {
    const nt_result *trace = frame->trace;
    nt_buffer prompt = {0};
    for (size_t i = 0; i < trace->n_tokens; i++)
        nt_buffer_put(&prompt, trace->tokens[i].bytes, trace->tokens[i].n_bytes);
    for (size_t i = 0; i < trace->n_outputs && prompt.status == NT_OK; i++) {
        const nt_output *output = &trace->outputs[i];
        if (i > 0) nt_frame_gap(frame);
        if (trace->n_outputs > 1) {
            nt_frame_figure(frame, "sequence ", nt_figure_count(i), "", NT_STYLE_BOLD);
            nt_frame_line(frame);
        }
        if (!frame->text_shown) {
            flow(frame, prompt.data, prompt.n, NT_STYLE_DIM);
            flow(frame, output->text, output->n_text, 0);
            nt_frame_line(frame);
        }
        nt_frame_gap(frame);
        outcome(frame, output);
    }
    if (frame->tree) {
        nt_frame_gap(frame);
        nt_table_tree(frame);
    }
    if (trace->proof && trace->n_outputs > 0) nt_frame_gap(frame);
    nt_frame_proof(frame);
    if (frame->line.status == NT_OK) frame->line.status = prompt.status;
    nt_buffer_free(&prompt);
}
