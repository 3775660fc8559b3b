/* The table of an option: in words, then what it does to the candidates of the next token, or what
 * is generated without and with it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "view/changes.h"
#include "view/frame.h"

/* ---- In words -------------------------------------------------------------------------------- */

static void part(nt_frame *frame, const char *before, const char *text, uint8_t style) {
    nt_buffer whole = {0};
    nt_buffer_puts(&whole, before);
    nt_buffer_puts(&whole, text);
    if (whole.status == NT_OK) nt_frame_part(frame, whole.data, style);
    if (frame->line.status == NT_OK) frame->line.status = whole.status;
    nt_buffer_free(&whole);
}

/* Wrapped, paragraph by paragraph. */
static void flow(nt_frame *frame, const char *text) {
    for (size_t i = 0; text[i];) {
        size_t n = strcspn(text + i, "\n");
        nt_strip_show(&frame->line, text + i, n, NT_SHOW_TEXT, 0);
        if (frame->line.status == NT_OK && n > 0) nt_frame_line(frame);
        if (n == 0) nt_frame_gap(frame);
        i += n + (text[i + n] == '\n');
    }
}

static void words(nt_frame *frame, const nt_option_info *option) {
    nt_frame_part(frame, option->name, NT_STYLE_BOLD);
    nt_frame_part(frame, option->type, NT_STYLE_DIM);
    nt_frame_part(frame, option->section, NT_STYLE_DIM);
    part(frame, "from ", option->source, NT_STYLE_DIM);
    nt_frame_line(frame);
    part(frame, "default: ", option->default_value, NT_STYLE_DIM);
    part(frame, "range: ", option->range, NT_STYLE_DIM);
    nt_frame_line(frame);
    nt_frame_gap(frame);
    flow(frame, option->help);
    nt_frame_gap(frame);
    flow(frame, option->about);
}

/* A part: "with top_p 0.9". */
static void heading(nt_frame *frame, const char *before) {
    nt_buffer whole = {0};
    nt_buffer_puts(&whole, before);
    nt_buffer_puts(&whole, frame->trace->option->name);
    nt_buffer_puts(&whole, " ");
    part(frame, whole.status == NT_OK ? whole.data : "", frame->trace->option_value, NT_STYLE_BOLD);
    nt_buffer_free(&whole);
}

/* ---- What happened to a candidate ------------------------------------------------------------ */

static const char *arrow(const nt_frame *frame) {
    return frame->paint.ascii ? " -> " : " \xE2\x86\x92 ";
}

static void say(nt_frame *frame, const char *words, nt_figure x, const char *behind) {
    nt_sheet_more(&frame->sheet, words, NT_STYLE_DIM);
    nt_sheet_more(&frame->sheet, x.s, NT_STYLE_DIM);
    nt_sheet_more(&frame->sheet, behind, NT_STYLE_DIM);
}

/* The probability of all that is likelier; false where not all of it is known. */
static bool likelier(const nt_trace_step *step, int32_t rank, double *prob) {
    int32_t found = 0;
    *prob = 0;
    for (size_t i = 0; i < step->n_candidates + step->n_demoted; i++) {
        const nt_candidate *c =
            i < step->n_candidates ? &step->candidates[i] : &step->demoted[i - step->n_candidates];
        if (c->rank >= rank) continue;
        *prob += c->prob;
        found++;
    }
    return found == rank - 1;
}

/* Why options that do not look at probabilities take ids out. */
static const char *plain_reason(const char *option) {
    static const struct {
        const char *option, *reason;
    } reasons[] = {
        {"no_repeat_ngram_size", "it would repeat what stands before"},
        {"encoder_no_repeat_ngram_size", "it would repeat a piece of the prompt"},
        {"bad_words_ids", "it would complete a bad word"},
        {"min_length", "too early for EOS"},
        {"min_new_tokens", "too early for EOS"},
        {"forced_bos_token_id", "another one is forced"},
        {"forced_eos_token_id", "EOS is forced"},
        {"suppress_tokens", "it is suppressed"},
        {"begin_suppress_tokens", "it is suppressed at the beginning"},
        {"top_h", "the likelier ones hold enough of the entropy"},
        {"sequence_bias", "its bias is -inf"},
        {"logit_bias", "its bias is -inf"},
    };
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (strcmp(option, reasons[i].option) == 0) return reasons[i].reason;
    return "";
}

/* Options alone on the raw row: what they looked at are the raw probabilities. */
static void removed(nt_frame *frame, const nt_trace_step *step, const nt_candidate *c,
                    const char *option) {
    double value = strtod(frame->trace->option_value, NULL), prob;
    nt_sheet_more(&frame->sheet, "removed", NT_STYLE_DIM);
    if (strcmp(option, "top_p") == 0) {
        bool known = likelier(step, c->rank, &prob);
        const char *least = frame->paint.ascii ? ": >=" : ": \xE2\x89\xA5";
        say(frame, known ? ": " : least, nt_figure_percent(known ? prob : value), " before it");
    } else if (strcmp(option, "top_k") == 0) {
        say(frame, ": it is in place ", nt_figure_count((uint64_t)c->rank), "");
    } else if (strcmp(option, "min_p") == 0) {
        say(frame, ": below ", nt_figure_g9(value), " x ");
        say(frame, "", nt_figure_percent(frame->trace->steps[0].candidates[0].prob), "");
    } else if (strcmp(option, "epsilon_cutoff") == 0) {
        say(frame, ": below ", nt_figure_percent(value), "");
    } else if (strcmp(option, "eta_cutoff") == 0) {
        double by_entropy = sqrt(value) * exp(-step->step.entropy);
        say(frame, ": below ", nt_figure_percent(by_entropy < value ? by_entropy : value), "");
    } else if (strcmp(option, "typical_p") == 0) {
        double off = fabs(-c->logprob - step->step.entropy);
        say(frame, ": ", nt_figure_fixed(off, 3), " from the entropy");
    } else {
        const char *reason = plain_reason(option);
        if (*reason) nt_sheet_more(&frame->sheet, ": ", NT_STYLE_DIM);
        nt_sheet_more(&frame->sheet, reason, NT_STYLE_DIM);
    }
}

/* "x 1.3", "/ 0.7", "- 0.5" or "": what leads from before to after, in one operation. */
static void operation(char out[96], const nt_frame *frame, const nt_change *change) {
    const char *option = change->option, *sign = "";
    double value = strtod(frame->trace->option_value, NULL);
    double before = change->before, expected = before, shown = value;
    if (strcmp(option, "temperature") == 0) {
        expected = before / value;
        sign = " / ";
    } else if (strcmp(option, "repetition_penalty") == 0) {
        expected = before < 0 ? before * value : before / value;
        sign = before < 0 ? " x " : " / ";
    } else if (strcmp(option, "encoder_repetition_penalty") == 0) {
        expected = before < 0 ? before / value : before * value;
        sign = before < 0 ? " / " : " x ";
    } else if (strcmp(option, "presence_penalty") == 0 ||
               strcmp(option, "frequency_penalty") == 0 || strcmp(option, "sequence_bias") == 0 ||
               strcmp(option, "logit_bias") == 0 || strcmp(option, "renormalize_logits") == 0) {
        expected = change->after;
        sign = change->after < change->before ? " - " : " + ";
        shown = fabs((double)change->after - before);
    }
    out[0] = 0;
    if (!*sign || !(fabs(expected - change->after) <= 1e-4 * (1 + fabs(expected)))) return;
    strcpy(out, sign);
    strcat(out, shown == value ? nt_figure_g9(shown).s : nt_figure_fixed(shown, 2).s);
}

/* As few decimals as show that something changed. */
static int decimals_of(const nt_change *change) {
    int decimals = 2;
    while (decimals < 6 && strcmp(nt_figure_fixed(change->before, decimals).s,
                                  nt_figure_fixed(change->after, decimals).s) == 0)
        decimals++;
    return decimals;
}

static void happened(nt_frame *frame, const nt_trace_step *step, const nt_candidate *c) {
    nt_sheet_puts(&frame->sheet, "", 0);
    for (size_t i = 0; i < c->n_changes; i++) {
        const nt_change *change = &c->changes[i];
        if (i > 0) nt_sheet_more(&frame->sheet, ", ", NT_STYLE_DIM);
        if (change->after == -INFINITY) {
            removed(frame, step, c, change->option);
            continue;
        }
        char how[96];
        int decimals = decimals_of(change);
        operation(how, frame, change);
        say(frame, "", nt_figure_fixed(change->before, decimals), how);
        say(frame, *how ? " = " : arrow(frame), nt_figure_fixed(change->after, decimals), "");
    }
}

/* ---- The next token -------------------------------------------------------------------------- */

static void next_columns(nt_sheet *sheet) {
    nt_sheet_column(sheet, (nt_column){.title = "rank", .align = NT_RIGHT, .hide = 1});
    nt_sheet_column(sheet, (nt_column){.title = "token", .mono = true, .comfort = 11});
    nt_sheet_column(sheet, (nt_column){.title = "before", .align = NT_RIGHT});
    nt_sheet_column(sheet, (nt_column){.bar = true, .joined = true, .hide = 2});
    nt_sheet_column(sheet, (nt_column){.title = "after", .align = NT_RIGHT});
    nt_sheet_column(sheet, (nt_column){.bar = true, .joined = true, .hide = 3});
    nt_sheet_column(sheet, (nt_column){.title = "what happened", .comfort = 28, .hide = 4});
}

static void next_row(nt_frame *frame, const nt_trace_step *step, const nt_candidate *c) {
    nt_sheet *sheet = &frame->sheet;
    nt_sheet_row(sheet, c->processed_prob > 0 ? 0 : NT_STYLE_DIM);
    nt_sheet_puts(sheet, nt_figure_count((uint64_t)c->rank).s, NT_STYLE_DIM);
    nt_sheet_token(sheet, "", &c->token, 0);
    nt_sheet_puts(sheet, nt_figure_percent(c->prob).s, 0);
    nt_sheet_bar(sheet, c->prob, NT_STYLE_CYAN);
    nt_sheet_puts(sheet, nt_figure_percent(c->processed_prob).s, 0);
    nt_sheet_bar(sheet, c->processed_prob, NT_STYLE_GREEN);
    happened(frame, step, c);
}

/* The last row: all that is not shown. */
static void rest_row(nt_sheet *sheet, size_t n_more, double before, double after) {
    nt_figure more = nt_figure_count(n_more);
    strcat(more.s, " more");
    nt_sheet_row(sheet, NT_STYLE_DIM);
    nt_sheet_puts(sheet, "", 0);
    nt_sheet_puts(sheet, more.s, 0);
    nt_sheet_puts(sheet, nt_figure_percent(before > 0 ? before : 0).s, 0);
    nt_sheet_bar(sheet, before, NT_STYLE_DIM);
    nt_sheet_puts(sheet, nt_figure_percent(after > 0 ? after : 0).s, 0);
    nt_sheet_bar(sheet, after, NT_STYLE_DIM);
}

static void next_token(nt_frame *frame, const nt_trace_step *step) {
    const nt_result *trace = frame->trace;
    const nt_trace_step *further = trace->n_rows > 0 ? &trace->rows[0] : &(nt_trace_step){0};
    double before = 1, after = 1;
    size_t n_first = step->n_candidates + step->n_demoted, n = n_first + further->n_candidates;
    size_t V = trace->n_vocab > 0 ? (size_t)trace->n_vocab : 0, kept = step->step.kept;
    next_columns(&frame->sheet);
    for (size_t i = 0; i < n; i++) {
        const nt_candidate *c = i < step->n_candidates ? &step->candidates[i]
                                : i < n_first          ? &step->demoted[i - step->n_candidates]
                                                       : &further->candidates[i - n_first];
        next_row(frame, step, c);
        before -= c->prob;
        after -= c->processed_prob;
        if (c->processed_logit > -INFINITY && kept > 0) kept--;
    }
    if (V > n) rest_row(&frame->sheet, V - n, before, kept > 0 ? after : 0);
    nt_frame_sheet(frame);
    nt_frame_figure(frame, "entropy ", nt_figure_fixed(step->step.entropy, 3), " nats",
                    NT_STYLE_DIM);
    if (step->step.kept < V) {
        char text[160];
        strcpy(text, nt_figure_count(step->step.kept).s);
        strcat(text, " of ");
        strcat(text, nt_figure_count(V).s);
        strcat(text, " ids kept");
        nt_frame_part(frame, text, NT_STYLE_DIM);
    }
}

/* ---- Without and with ------------------------------------------------------------------------ */

/* Adds a text to the line, printing it at each newline. */
static void put_text(nt_frame *frame, const char *bytes, size_t n, uint8_t style) {
    for (size_t i = 0; i <= n;) {
        const char *newline = i < n ? memchr(bytes + i, '\n', n - i) : NULL;
        size_t end = newline ? (size_t)(newline - bytes) : n;
        nt_strip_show(&frame->line, bytes + i, end - i, NT_SHOW_TEXT, style);
        if (!newline || frame->line.status != NT_OK) return;
        nt_frame_put(frame);
        nt_strip_clear(&frame->line);
        i = end + 1;
    }
}

/* The prompt and what was made. */
static void whole_text(nt_frame *frame, const nt_output *output) {
    const nt_result *trace = frame->trace;
    nt_buffer prompt = {0};
    for (size_t i = 0; i < trace->n_tokens; i++)
        nt_buffer_put(&prompt, trace->tokens[i].bytes, trace->tokens[i].n_bytes);
    put_text(frame, prompt.n ? prompt.data : "", prompt.n, NT_STYLE_DIM);
    put_text(frame, output->text, output->n_text, 0);
    if (frame->line.status == NT_OK) frame->line.status = prompt.status;
    nt_frame_line(frame);
    nt_buffer_free(&prompt);
}

/* One run: how, and its texts. */
static void run_texts(nt_frame *frame, const nt_result *run) {
    if (run->method) nt_frame_part(frame, run->method, NT_STYLE_DIM);
    nt_frame_figure(frame, "", nt_figure_count(run->effort.n_passes), " passes", NT_STYLE_DIM);
    nt_frame_line(frame);
    if (run->n_outputs == 0) nt_frame_part(frame, "no continuation is so likely", NT_STYLE_DIM);
    nt_frame_line(frame);
    for (size_t i = 0; i < run->n_outputs; i++) {
        const nt_output *output = &run->outputs[i];
        whole_text(frame, output);
        nt_frame_figure(frame, "log-probability ", nt_figure_fixed(output->logprob, 3), "",
                        NT_STYLE_DIM);
        nt_frame_figure(frame, "", nt_figure_count(output->n_ids),
                        output->n_ids == 1 ? " new token" : " new tokens", NT_STYLE_DIM);
        part(frame, "finish reason: ", output->finish_reason, NT_STYLE_DIM);
        nt_frame_line(frame);
    }
    nt_frame_gap(frame);
}

/* The i-th step on the way to the first output; NULL past its end. */
static const nt_step *step_of(const nt_result *run, size_t i) {
    if (i >= run->n_steps || run->steps[i].step.sequence != 0) return NULL;
    return run->steps[i].step.chosen.token.id < 0 ? NULL : &run->steps[i].step;
}

static void step_cells(nt_sheet *sheet, const nt_step *step, uint8_t style) {
    if (!step) {
        nt_sheet_puts(sheet, "", 0);
        nt_sheet_puts(sheet, "", 0);
        return;
    }
    nt_sheet_token(sheet, "", &step->chosen.token, style);
    nt_sheet_puts(sheet, nt_figure_fixed(step->chosen.logprob, 3).s, 0);
}

static bool same_token(const nt_step *a, const nt_step *b) {
    return a && b && a->chosen.token.id == b->chosen.token.id;
}

/* Token by token, with a mark where they differ; returns how many do. */
static size_t tokens_table(nt_frame *frame, const nt_result *without, const nt_result *with) {
    nt_sheet *sheet = &frame->sheet;
    size_t n_different = 0;
    nt_sheet_column(sheet, (nt_column){.title = "step", .align = NT_RIGHT, .hide = 1});
    nt_sheet_column(sheet, (nt_column){.title = "without", .comfort = 8});
    nt_sheet_column(sheet, (nt_column){.title = "logprob", .align = NT_RIGHT, .hide = 3});
    nt_sheet_column(sheet, (nt_column){.title = "", .hide = 2});
    nt_sheet_column(sheet, (nt_column){.title = "with", .comfort = 8});
    nt_sheet_column(sheet, (nt_column){.title = "logprob", .align = NT_RIGHT, .hide = 4});
    for (size_t i = 0; step_of(without, i) || step_of(with, i); i++) {
        const nt_step *a = step_of(without, i), *b = step_of(with, i);
        bool differs = !same_token(a, b);
        nt_sheet_row(sheet, 0);
        nt_sheet_puts(sheet, nt_figure_count(i).s, NT_STYLE_DIM);
        step_cells(sheet, a, 0);
        nt_sheet_puts(sheet,
                      !differs             ? ""
                      : frame->paint.ascii ? "!="
                                           : "\xE2\x89\xA0",
                      NT_STYLE_DIM);
        step_cells(sheet, b, differs ? NT_STYLE_YELLOW : 0);
        n_different += differs;
    }
    nt_frame_sheet(frame);
    return n_different;
}

static void both(nt_frame *frame) {
    const nt_result *trace = frame->trace, *without = trace->inner[0], *with = trace->inner[1];
    part(frame, "without ", trace->option->name, NT_STYLE_BOLD);
    run_texts(frame, without);
    heading(frame, "with ");
    run_texts(frame, with);
    if (!step_of(without, 0) || !step_of(with, 0)) return;
    size_t n = tokens_table(frame, without, with);
    if (n == 0)
        nt_frame_part(frame, "the same tokens", NT_STYLE_DIM);
    else
        nt_frame_figure(frame, "", nt_figure_count(n), n == 1 ? " step differs" : " steps differ",
                        NT_STYLE_DIM);
}

void nt_table_explain(nt_frame *frame) {
    const nt_result *trace = frame->trace;
    words(frame, trace->option);
    nt_frame_gap(frame);
    if (trace->n_steps == 0 && trace->n_inner < 2) {
        part(frame, "for example: ", trace->option_value, NT_STYLE_DIM);
        nt_frame_line(frame);
        return;
    }
    if (trace->n_inner == 2) {
        both(frame);
        return;
    }
    heading(frame, "");
    nt_frame_line(frame);
    next_token(frame, &trace->steps[0]);
}
