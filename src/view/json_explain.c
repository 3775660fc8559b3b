/* An option as JSON: all that the table knows of it, and what it did. "drawn" says how: "next",
 * with the candidates of the next token; "generate", with two generations; null: words alone. */
#include "view/json_put.h"

static void option(nt_buffer *out, const nt_option_info *info) {
    nt_put_key(out, "option");
    nt_put_open(out, '{');
    nt_member_words(out, "name", info->name);
    nt_member_words(out, "type", info->type);
    nt_member_words(out, "default", info->default_value);
    nt_member_words(out, "range", info->range);
    nt_member_words(out, "help", info->help);
    nt_member_words(out, "section", info->section);
    nt_member_words(out, "source", info->source);
    nt_member_words(out, "about", info->about);
    nt_member_words(out, "example", info->example);
    nt_buffer_putc(out, '}');
}

/* What it changed further down. */
static void further(nt_buffer *out, const nt_result *trace) {
    const nt_trace_step *row = trace->n_rows > 0 ? &trace->rows[0] : &(nt_trace_step){0};
    nt_put_candidates(out, "further", row->candidates, row->n_candidates, true);
}

static void run(nt_buffer *out, const char *name, const nt_result *trace) {
    nt_put_key(out, name);
    nt_put_open(out, '{');
    nt_json_generate(out, trace, false);
    nt_buffer_putc(out, '}');
}

void nt_json_explain(nt_buffer *out, const nt_result *trace) {
    bool next = trace->n_steps > 0, generated = trace->n_inner == 2;
    option(out, trace->option);
    nt_member_words(out, "value", trace->option_value);
    nt_put_ids(out, "prompt_ids", trace->tokens, trace->n_tokens);
    nt_member_words(out, "drawn", next ? "next" : generated ? "generate" : NULL);
    if (next) {
        nt_put_choices(out, &trace->steps[0]);
        further(out, trace);
        nt_member_count(out, "kept", trace->steps[0].step.kept);
        nt_member_number(out, "entropy", trace->steps[0].step.entropy);
    }
    if (!generated) return;
    run(out, "without", trace->inner[0]);
    run(out, "with", trace->inner[1]);
}
