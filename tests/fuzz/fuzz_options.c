/* Fuzz entry of generation options. Bytes that open with '{' are a file of options, all others are
 * names and values in turn, each behind a zero byte. What is taken shows as text that is taken
 * again and means the same; a plan can be made of it or is refused in one line. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/memory.h"
#include "decode/options/options.h"
#include "decode/options/shown.h"
#include "decode/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static int kept(int status) {
    const char *message = nt_error_message();
    if (status != NT_OK && (!*message || strchr(message, '\n'))) abort();
    return status;
}

/* ---- What may be given ---- */

static void note(void *payload, const char *line) {
    (void)payload;
    if (!*line || strchr(line, '\n')) abort();
}

static void load(nt_generate_options *options, const uint8_t *bytes, size_t n) {
    static const nt_callbacks callbacks = {.size = sizeof callbacks, .note = note};
    char path[32];
    int file = memfd_create("options", 0);
    if (file < 0 || write(file, bytes, n) != (ssize_t)n) abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    options->callbacks = &callbacks;
    kept(nt_generate_options_load(options, path));
    options->callbacks = NULL;
    close(file);
}

static void set_all(nt_generate_options *options, const uint8_t *bytes, size_t n) {
    char *text =
        nt_alloc(n + 2, 1); /* the last value ends with a zero, and so does one behind it */
    if (!text) abort();
    memcpy(text, bytes, n);
    for (size_t at = 0; at < n;) {
        const char *name = text + at, *value = name + strlen(name) + 1;
        if (value > text + n) break;
        kept(nt_generate_options_set(options, name, value));
        at += strlen(name) + 1 + strlen(value) + 1;
    }
    nt_free(text);
}

/* ---- What holds of it ---- */

/* The value as text gives, in options without it, what shows as the same text. */
static void shows_itself(const nt_generate_options *options, const nt_option_row *row) {
    nt_generate_options again = NT_GENERATE_OPTIONS_INIT;
    nt_buffer first = {0}, second = {0};
    nt_option_show(&first, options, row);
    const char *text = first.n ? first.data : "";
    if (kept(nt_generate_options_set(&again, row->info.name, text)) != NT_OK) abort();
    nt_option_show(&second, &again, row);
    if (strcmp(text, second.n ? second.data : "") != 0) abort();
    nt_buffer_free(&first);
    nt_buffer_free(&second);
    nt_generate_options_clear(&again);
}

static void plan(const nt_generate_options *options) {
    nt_plan made;
    nt_plan_for of = {.n_prompt = 5, .context = 64, .V = 96};
    if (kept(nt_plan_make(&made, options, &of)) != NT_OK) return;
    if (made.max_new < 1 || made.max_new > of.context - of.n_prompt) abort();
    if (made.n_beams < 1 || made.n_sequences < 1 || made.n_returned < 1) abort();
    if (made.choices < 1 || made.keep < 1) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    nt_generate_options options = NT_GENERATE_OPTIONS_INIT;
    if (n > 0 && *bytes == '{')
        load(&options, bytes, n);
    else
        set_all(&options, bytes, n);
    const nt_option_row *row;
    for (size_t i = 0; (row = nt_option_row_at(i)); i++)
        if (nt_option_given(&options, row)) shows_itself(&options, row);
    plan(&options);
    nt_generate_options_clear(&options);
    return 0;
}
