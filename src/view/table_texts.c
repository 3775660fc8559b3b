/* Tables of generated texts. */
#include <string.h>

#include "view/frame.h"

/* ---- generate -------------------------------------------------------------------------------- */

/* Adds a text to the line, printing it at each newline. */
static void flow(nt_frame *frame, const char *bytes, size_t n, uint8_t style) {
    for (size_t i = 0; i < n;) {
        const char *newline = memchr(bytes + i, '\n', n - i);
        size_t end = newline ? (size_t)(newline - bytes) : n;
        nt_strip_show(&frame->line, bytes + i, end - i, NT_SHOW_TEXT, style);
        if (frame->line.status != NT_OK) return;
        i = end;
        if (!newline) return;
        nt_paint_wrap(&frame->paint, &frame->line, 0, frame->line.n);
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
    nt_frame_line(frame);
}

void nt_table_generate(nt_frame *frame) {
    const nt_result *trace = frame->trace;
    nt_buffer prompt = {0};
    for (size_t i = 0; i < trace->n_tokens; i++)
        nt_buffer_put(&prompt, trace->tokens[i].bytes, trace->tokens[i].n_bytes);
    for (size_t i = 0; i < trace->n_outputs && prompt.status == NT_OK; i++) {
        const nt_output *output = &trace->outputs[i];
        if (i > 0) nt_paint_end(&frame->paint);
        if (trace->n_outputs > 1) {
            nt_frame_figure(frame, "sequence ", nt_figure_count(i), "", NT_STYLE_BOLD);
            nt_frame_line(frame);
        }
        if (!frame->text_shown) {
            flow(frame, prompt.data, prompt.n, NT_STYLE_DIM);
            flow(frame, output->text, output->n_text, 0);
            nt_frame_line(frame);
        }
        nt_paint_end(&frame->paint);
        outcome(frame, output);
    }
    if (frame->line.status == NT_OK) frame->line.status = prompt.status;
    nt_buffer_free(&prompt);
}
