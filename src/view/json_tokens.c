/* The JSON of tokenizers side by side and of counts. */
#include <string.h>

#include "view/json_put.h"

static void counts(nt_buffer *out, const char *name, const size_t *n, size_t many) {
    nt_put_key(out, name);
    nt_put_open(out, '[');
    for (size_t v = 0; v < many; v++)
        nt_put_count(out, n[v]);
    nt_buffer_putc(out, ']');
}

/* "tokenizers": each with all of its tokens; "stretches": what they cut in common, with the number
 * of the first token and of the tokens of each. */
void nt_json_compared(nt_buffer *out, const nt_result *trace) {
    nt_put_key(out, "tokenizers");
    nt_put_open(out, '[');
    for (size_t v = 0; v < trace->n_compared; v++) {
        const nt_compared *c = &trace->compared[v];
        nt_put_open(out, '{');
        nt_member_words(out, "model", c->model);
        nt_put_ids(out, "ids", c->tokens, c->n_tokens);
        nt_put_tokens(out, c->tokens, c->n_tokens);
        nt_put_offsets(out, c->tokens, c->n_tokens);
        nt_buffer_putc(out, '}');
    }
    nt_buffer_putc(out, ']');
    nt_put_key(out, "stretches");
    nt_put_open(out, '[');
    for (size_t i = 0; i < trace->n_stretches; i++) {
        const nt_stretch *s = &trace->stretches[i];
        nt_put_open(out, '{');
        nt_member_count(out, "start", s->start);
        nt_member_count(out, "end", s->end);
        nt_put_text(out, "text", trace->text + s->start, s->end - s->start);
        counts(out, "first", s->first, trace->n_compared);
        counts(out, "n_tokens", s->n_tokens, trace->n_compared);
        nt_member_truth(out, "differs", s->differs);
        nt_buffer_putc(out, '}');
    }
    nt_buffer_putc(out, ']');
}

static void put_file(nt_buffer *out, const nt_counted *file, size_t many) {
    nt_put_open(out, '{');
    nt_put_key(out, "file");
    nt_put_string(out, file->name, strlen(file->name));
    nt_member_count(out, "bytes", file->n_bytes);
    nt_member_count(out, "characters", file->n_characters);
    nt_put_key(out, "tokens");
    nt_put_open(out, '[');
    for (size_t v = 0; v < many; v++)
        nt_put_count(out, file->n_tokens[v]);
    nt_buffer_puts(out, "]}");
}

/* "tokenizers": their names; "files": each with its counts, in that order. */
void nt_json_counts(nt_buffer *out, const nt_result *trace) {
    nt_put_key(out, "tokenizers");
    nt_put_open(out, '[');
    for (size_t v = 0; v < trace->n_compared; v++)
        nt_put_words(out, trace->compared[v].model);
    nt_buffer_putc(out, ']');
    nt_put_key(out, "files");
    nt_put_open(out, '[');
    for (size_t i = 0; i < trace->n_counted; i++)
        put_file(out, &trace->counted[i], trace->n_compared);
    nt_buffer_putc(out, ']');
}
