/* nextoken score: how likely a text is, by token, word and character. */
#include <string.h>

#include "cli.h"

enum { ON_PAGES = 5 }; /* alternatives beside each token */

bool cli_score_check(const cli_settings *s, char *error, size_t n) {
    const char *why = NULL;
    if (s->prompt && s->prompt_len) why = "prompt and prompt-len exclude each other";
    if (s->continuations.n && (s->prompt || s->prompt_len || s->stride)) {
        why = "continuations exclude prompt, prompt-len and stride: the text itself is what "
              "they continue";
    }
    bool page = s->html || s->format == NT_HTML;
    if (s->k && s->continuations.n) why = "continuations exclude k: they are the alternatives";
    if (s->k && s->by && !(s->by & NT_BY_TOKEN) && !page)
        why = "k is about tokens: by must have token among its values";
    if (s->window && !s->stride) why = "window goes with stride";
    if (s->window && s->stride > s->window)
        why = "stride is larger than window: tokens between two windows would be lost";
    if (why) snprintf(error, n, "%s", why);
    return !why;
}

nt_score_options cli_score_options(const cli_settings *settings) {
    nt_score_options options = NT_SCORE_OPTIONS_INIT;
    options.prompt_len = (size_t)settings->prompt_len;
    options.prompt = settings->prompt;
    options.n_prompt = settings->prompt ? strlen(settings->prompt) : 0;
    options.add_eos = settings->eos;
    options.by = settings->by;
    options.correction = settings->correction;
    options.stride = (size_t)settings->stride;
    options.window = (size_t)settings->window;
    options.continuations = settings->continuations.items;
    options.n_continuations = settings->continuations.n;
    options.k = settings->k;
    bool page = settings->html || settings->format == NT_HTML;
    if (page && !options.k && !options.n_continuations) options.k = ON_PAGES;
    return options;
}

static int run(nt_result **out, cli_run *r, const nt_prompt *prompt, const cli_settings *settings) {
    nt_score_options options = cli_score_options(settings);
    options.callbacks = &r->callbacks;
    return nt_score(out, r->session, prompt, &options);
}

const cli_command cli_score = {
    .name = "score",
    .summary = "the log-probability of a text, by token, word and character",
    .examples =
        "  nextoken score \"Alice is a\"\n"
        "  nextoken score --by word --base 2 \"Alice is a rabbit.\"\n"
        "  nextoken score --prompt \"Q: Is it far? A:\" \" Yes, very.\"\n"
        "  nextoken score \"Is it far?\" --continuations \" Yes\" \" No\"\n"
        "  nextoken score --stride 512 - < book.txt\n"
        "  nextoken score --heat rank --html alice.html - < alice.txt\n"
        "  nextoken score -k 5 --json \"Alice is a rabbit.\"\n"
        "  nextoken score --csv sentences.csv --column sentence -o scores.csv\n"
        "  nextoken score --csv sentences.csv --column sentence --by word -o words.csv\n"
        "  nextoken score --jsonl texts.jsonl -o scores.jsonl   # and after a kill\n"
        "  nextoken score --jsonl texts.jsonl -o scores.jsonl --resume\n"
        "  echo '{\"text\": \"Alice\", \"by\": [\"word\", \"char\"]}' | nextoken score --jsonl -\n",
    .options = CLI_OPT_SCORE | CLI_OPT_TEXT | CLI_OPT_SESSION | CLI_OPT_WINDOWS | CLI_OPT_BASE |
               CLI_OPT_TABLE | CLI_OPT_K | CLI_OPT_PICTURE,
    .takes_text = true,
    .many = true,
    .smaller = "-k 1 (fewer alternatives)",
    .run = run,
};
