/* nextoken generate: continue a text. On a terminal the text is shown as it grows. */
#include <unistd.h>

#include "cli.h"

/* Prints text that nobody has vouched for: no control character reaches the terminal. */
static void print_safely(const char *utf8, size_t n) {
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)utf8[i];
        unsigned char d = i + 1 < n ? (unsigned char)utf8[i + 1] : 0;
        unsigned char e = i + 2 < n ? (unsigned char)utf8[i + 2] : 0;
        bool control = (c < 0x20 && c != '\n' && c != '\t') || c == 0x7f;
        bool c1 = c == 0xC2 && d >= 0x80 && d <= 0x9F;
        bool bidi = c == 0xE2 && ((d == 0x80 && e >= 0xAA && e <= 0xAE) ||
                                  (d == 0x81 && e >= 0xA6 && e <= 0xA9));
        if (control || c1 || bidi) {
            fputs("\xEF\xBF\xBD", stdout);
            i += c1 ? 1 : bidi ? 2 : 0;
        } else {
            putchar(c);
        }
    }
}

typedef struct live {
    cli_run *run;
    const nt_prompt *prompt;
    bool shown;  /* on a terminal */
    bool opened; /* the prompt stands there */
    bool color;
} live;

/* Before the first new text, so that notes stand above it. */
static void show_prompt(live *l) {
    const nt_prompt *prompt = l->prompt;
    const nt_tokenizer *tokenizer = nt_model_tokenizer(l->run->model);
    char *decoded = NULL;
    size_t n = prompt->n_text;
    l->opened = true;
    if (prompt->ids && tokenizer) {
        nt_decode(&decoded, &n, tokenizer, prompt->ids, prompt->n_ids, false);
    }
    const char *text = prompt->ids ? decoded : prompt->text;
    if (text) {
        if (l->color) fputs("\033[2m", stdout);
        print_safely(text, n);
        if (l->color) fputs("\033[0m", stdout);
    }
    nt_free(decoded);
}

static int on_text(void *payload, const char *utf8, size_t n) {
    live *l = payload;
    if (n) l->run->streamed = true;
    if (l->shown && n) {
        if (!l->opened) show_prompt(l);
        if (l->color) fputs("\033[1m", stdout);
        print_safely(utf8, n);
        if (l->color) fputs("\033[0m", stdout);
        fflush(stdout);
    }
    return cli_interrupted();
}

static int live_cancel(void *payload) {
    const live *l = payload;
    return l->run->callbacks.cancel(l->run);
}

static void live_note(void *payload, const char *line) {
    const live *l = payload;
    l->run->callbacks.note(l->run, line);
}

static void live_progress(void *payload, const char *what, uint64_t done, uint64_t total) {
    const live *l = payload;
    void (*progress)(void *, const char *, uint64_t, uint64_t) = l->run->callbacks.progress;
    if (!l->shown && progress) progress(l->run, what, done, total);
}

static int run(nt_result **out, cli_run *r, const nt_prompt *prompt, const cli_settings *settings) {
    live l = {.run = r, .prompt = prompt, .color = cli_color(settings)};
    l.shown = settings->format == NT_TABLE && isatty(STDOUT_FILENO);
    nt_callbacks callbacks = {.size = sizeof callbacks, .payload = &l};
    callbacks.text = on_text;
    callbacks.cancel = live_cancel;
    callbacks.note = live_note;
    callbacks.progress = live_progress;
    nt_generate_options options = settings->generate;
    options.callbacks = &callbacks;
    r->streamed = false;
    int status = nt_generate(out, r->session, prompt, &options);
    if (l.opened) {
        fputs("\n", stdout);
        r->text_shown = true;
    }
    return status;
}

const cli_command cli_generate = {
    .name = "generate",
    .summary = "a continuation of the text",
    .examples = "  nextoken generate -m gpt2 --max-new-tokens 40 \"A long long time ago, \"\n"
                "  nextoken generate -m gpt2 --stop-strings \".\" --json \"Alice is a\"\n",
    .options = CLI_OPT_GENERATE | CLI_OPT_TEXT | CLI_OPT_SESSION,
    .takes_text = true,
    .run = run,
};
