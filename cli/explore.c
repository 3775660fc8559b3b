/* nextoken explore: walk through what a model would write, token by token, in the terminal. */
#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "explore.h"
#include "progress.h"

enum { DEFAULT_STEPS = 10 };

static void say(cli_screen *screen, bool is_error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void say(cli_screen *screen, bool is_error, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(screen->message, sizeof screen->message, format, args);
    va_end(args);
    screen->is_error = is_error;
}

/* The library's message of a call that failed; NT_OK says nothing. */
static void say_status(cli_screen *screen, int status) {
    char message[CLI_MAX_MESSAGE];
    if (status == NT_OK) return;
    cli_name_flags(message, sizeof message, nt_error_message());
    cli_make_printable(message);
    say(screen, status != NT_E_CANCELLED, "%s", status == NT_E_CANCELLED ? "stopped" : message);
}

/* ---- Steps ----------------------------------------------------------------------------------- */

static void to_top(cli_screen *screen) {
    screen->at = screen->top = 0;
}

static void take(cli_screen *screen, cli_walk *walk, size_t i) {
    const nt_candidate *c = nt_result_candidate(walk->next, 0, i);
    if (!c) return;
    int status = cli_walk_take(walk, c, CLI_TAKEN, NAN);
    if (status == NT_OK) to_top(screen);
    say_status(screen, status);
}

static void back(cli_screen *screen, cli_walk *walk) {
    if (walk->n_taken == 0) {
        say(screen, false, "nothing was taken yet");
        return;
    }
    int32_t id = walk->ids[walk->n_prompt + walk->n_taken - 1];
    int status = cli_walk_back(walk);
    if (status == NT_OK) { /* onto the token that was taken back, where it is near */
        to_top(screen);
        for (size_t i = 0; i < nt_result_n_candidates(walk->next, 0); i++)
            if (nt_result_candidate(walk->next, 0, i)->token.id == id) screen->at = i;
    }
    say_status(screen, status);
}

static void draw_one(cli_screen *screen, cli_walk *walk) {
    int status = cli_walk_draw(walk);
    say_status(screen, status);
    if (status != NT_OK) return;
    const cli_taken *taken = &walk->path[walk->n_taken - 1];
    nt_token token = {.id = taken->id};
    char shown[128];
    size_t n;
    token.bytes = nt_tokenizer_bytes(nt_model_tokenizer(walk->run->model), taken->id, &n);
    token.n_bytes = (uint32_t)n;
    cli_show_token(shown, sizeof shown, &token);
    to_top(screen);
    say(screen, false, "drawn: %s, of %.3g %%  (seed %llu, draw %zu)", shown,
        100 * taken->processed_prob, (unsigned long long)walk->seed, walk->n_taken);
}

/* The likeliest after processors, n times; any key stops it. */
static void follow(cli_screen *screen, cli_walk *walk, size_t n) {
    const nt_tokenizer *tokenizer = nt_model_tokenizer(walk->run->model);
    int32_t eos = nt_tokenizer_eos(tokenizer);
    size_t i = 0;
    int status = NT_OK;
    for (; status == NT_OK && i < n && !cli_terminal_waits(); i++) {
        const nt_candidate *c = nt_result_candidate(walk->next, 0, 0);
        bool ends = c->token.id == eos && eos >= 0;
        status = cli_walk_take(walk, c, CLI_GREEDY, NAN);
        to_top(screen);
        if (status == NT_OK) status = cli_screen_draw(screen, walk);
        if (ends && status == NT_OK) {
            say(screen, false, "the text ends here: %zu steps", i + 1);
            return;
        }
    }
    if (status == NT_OK && i < n) cli_terminal_key(); /* that stopped it, and means no more */
    say_status(screen, status);
    if (status == NT_OK) say(screen, false, "%zu steps", i);
}

/* ---- Keys ------------------------------------------------------------------------------------ */

static void change(cli_screen *screen, cli_walk *walk, int key) {
    const nt_option_info *info;
    char value[32];
    if (!cli_walk_key(walk, key, &info, value)) return;
    int status = cli_walk_set(walk, info, *value ? value : NULL);
    if (status == NT_OK) to_top(screen);
    say_status(screen, status);
}

static void ask(cli_screen *screen, cli_walk *walk, cli_asking asking) {
    if (asking == CLI_ASK_FIND) {
        int status = cli_walk_whole(walk);
        say_status(screen, status);
        if (status != NT_OK) return;
    }
    screen->asking = asking;
    screen->n_input = 0;
    screen->input[0] = 0;
    to_top(screen);
}

/* Enter behind what was asked for. */
static void answer(cli_screen *screen, cli_walk *walk) {
    cli_asking asking = screen->asking;
    char message[CLI_MAX_MESSAGE];
    size_t n;
    screen->asking = CLI_ASK_NOTHING;
    if (asking == CLI_ASK_OPTION) {
        if (!cli_walk_command(walk, screen->input, message)) {
            cli_make_printable(message);
            say(screen, true, "%s", message);
        }
        to_top(screen);
    } else if (asking == CLI_ASK_STEPS) {
        n = *screen->input ? strtoul(screen->input, NULL, 10) : DEFAULT_STEPS;
        follow(screen, walk, n);
    } else {
        const nt_candidate *c = cli_find(&n, walk, screen->input, screen->at);
        int status = c ? cli_walk_take(walk, c, CLI_FOUND, NAN) : NT_OK;
        to_top(screen);
        say_status(screen, status);
    }
}

/* A character into what is typed. */
static void type(cli_screen *screen, int key) {
    char bytes[4];
    size_t n = 0;
    if (key < 0x80) {
        bytes[n++] = (char)key;
    } else {
        int more = key < 0x800 ? 1 : key < 0x10000 ? 2 : 3;
        bytes[n++] = (char)((0xFF00 >> (more + 1) & 0xFF) | key >> 6 * more);
        while (more-- > 0)
            bytes[n++] = (char)(0x80 | (key >> 6 * more & 63));
    }
    if (screen->asking == CLI_ASK_STEPS && (key < '0' || key > '9' || screen->n_input > 5)) return;
    if (screen->n_input + n >= sizeof screen->input) return;
    memcpy(screen->input + screen->n_input, bytes, n);
    screen->n_input += n;
    screen->input[screen->n_input] = 0;
    to_top(screen);
}

static void complete(cli_screen *screen) {
    char whole[CLI_MAX_NAME + 2];
    if (screen->asking != CLI_ASK_OPTION) return;
    if (!cli_walk_complete(whole, sizeof whole, screen->input)) return;
    snprintf(screen->input, sizeof screen->input, "%s", whole);
    screen->n_input = strlen(screen->input);
}

static void rub_out(cli_screen *screen) {
    if (screen->n_input == 0) {
        screen->asking = CLI_ASK_NOTHING;
        return;
    }
    do
        screen->n_input--;
    while (screen->n_input > 0 && (screen->input[screen->n_input] & 0xC0) == 0x80);
    screen->input[screen->n_input] = 0;
}

static void walk_rows(cli_screen *screen, const cli_walk *walk, int key) {
    size_t page = screen->n_rows > 1 ? screen->n_rows - 1 : 1, last = walk->V - 1;
    switch (key) {
    case CLI_KEY_UP: screen->at -= screen->at > 0; break;
    case CLI_KEY_DOWN: screen->at += screen->at < last; break;
    case CLI_KEY_PAGE_UP: screen->at -= screen->at > page ? page : screen->at; break;
    case CLI_KEY_PAGE_DOWN: screen->at = last - screen->at > page ? screen->at + page : last; break;
    case CLI_KEY_HOME: screen->at = 0; break;
    case CLI_KEY_END: screen->at = last; break;
    default: break;
    }
}

/* While something is typed. */
static void key_in_line(cli_screen *screen, cli_walk *walk, int key) {
    if (key == CLI_KEY_ENTER) {
        answer(screen, walk);
    } else if (key == CLI_KEY_ESCAPE || key == 3) {
        screen->asking = CLI_ASK_NOTHING;
        to_top(screen);
    } else if (key == CLI_KEY_BACKSPACE) {
        rub_out(screen);
    } else if (key == CLI_KEY_TAB) {
        complete(screen);
    } else if (key == 21) { /* Ctrl-U */
        screen->n_input = 0;
        screen->input[0] = 0;
    } else if (key >= 0x20 && key < CLI_KEY_UP) {
        type(screen, key);
    } else if (screen->asking == CLI_ASK_FIND) {
        walk_rows(screen, walk, key);
    }
}

static void key_in_help(cli_screen *screen, int key) {
    if (key == CLI_KEY_UP)
        screen->top -= screen->top > 0;
    else if (key == CLI_KEY_DOWN)
        screen->top++;
    else if (key != CLI_KEY_RESIZED)
        screen->top = 0;
    screen->help = key == CLI_KEY_UP || key == CLI_KEY_DOWN || key == CLI_KEY_RESIZED;
}

/* False: leave. */
static bool key_in_table(cli_screen *screen, cli_walk *walk, int key) {
    switch (key) {
    case 'q':
    case CLI_KEY_ESCAPE:
    case 3:
    case 4: return false;
    case CLI_KEY_ENTER:
    case CLI_KEY_RIGHT: take(screen, walk, screen->at); break;
    case CLI_KEY_BACKSPACE:
    case CLI_KEY_LEFT: back(screen, walk); break;
    case 's': draw_one(screen, walk); break;
    case 'g': ask(screen, walk, CLI_ASK_STEPS); break;
    case '/': ask(screen, walk, CLI_ASK_FIND); break;
    case ':': ask(screen, walk, CLI_ASK_OPTION); break;
    case 'x':
        say_status(screen, cli_walk_reset(walk));
        to_top(screen);
        break;
    case '?':
        screen->help = true;
        screen->top = 0;
        break;
    default:
        if (key >= '1' && key <= '9')
            take(screen, walk, (size_t)(key - '1'));
        else if (key < CLI_KEY_UP)
            change(screen, walk, key);
        else
            walk_rows(screen, walk, key);
    }
    return true;
}

/* Until the walk is over. */
static int loop(cli_walk *walk) {
    cli_screen screen = {.ascii = walk->settings->ascii};
    const char *no_color = getenv("NO_COLOR");
    screen.color = walk->settings->color >= 0 ? walk->settings->color : !(no_color && *no_color);
    for (;;) {
        int status = cli_screen_draw(&screen, walk);
        if (status != NT_OK) return status;
        int key = cli_terminal_key();
        if (key == CLI_KEY_GONE) return NT_OK;
        if (key != CLI_KEY_RESIZED) screen.message[0] = 0;
        if (key == 26)
            cli_terminal_sleep();
        else if (key == 12) /* Ctrl-L */
            cli_terminal_forget();
        else if (screen.help)
            key_in_help(&screen, key);
        else if (screen.asking)
            key_in_line(&screen, walk, key);
        else if (!key_in_table(&screen, walk, key))
            return NT_OK;
    }
}

/* ---- What is printed in the end -------------------------------------------------------------- */

static json_t *ids_of(const int32_t *ids, size_t n) {
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_integer(ids[i]));
    return list;
}

/* UTF-8 with U+FFFD where there is none; NULL for a model without a tokenizer. */
static char *text_of(const cli_walk *walk, const int32_t *ids, size_t n_ids, bool skip) {
    const nt_tokenizer *tokenizer = nt_model_tokenizer(walk->run->model);
    char *text = NULL;
    size_t n;
    if (tokenizer && nt_decode(&text, &n, tokenizer, ids, n_ids, skip) != NT_OK) return NULL;
    return text;
}

static json_t *string_of(const cli_walk *walk, const int32_t *ids, size_t n) {
    char *text = text_of(walk, ids, n, false);
    json_t *string = text ? json_string(text) : json_null();
    nt_free(text);
    return string;
}

static json_t *step_of(const cli_walk *walk, size_t i) {
    static const char *const names[] = {"taken", "greedy", "drawn", "found"};
    const cli_taken *t = &walk->path[i];
    json_t *step =
        json_pack("{s:i, s:o, s:i, s:f, s:f, s:f, s:s}", "id", (int)t->id, "token",
                  string_of(walk, &t->id, 1), "rank", (int)t->rank, "logprob", t->logprob, "prob",
                  t->prob, "processed_prob", t->processed_prob, "how", names[t->how]);
    if (t->how == CLI_DRAWN) {
        json_object_set_new(step, "seed", json_integer((json_int_t)t->seed));
        json_object_set_new(step, "draw", isnan(t->draw) ? json_null() : json_real(t->draw));
    }
    return step;
}

static bool print_json(const cli_walk *walk) {
    nt_model_info info = {.size = sizeof info};
    double logprob = 0;
    json_t *path = json_array();
    nt_model_get_info(&info, walk->run->model);
    for (size_t i = 0; i < walk->n_taken; i++) {
        json_array_append_new(path, step_of(walk, i));
        logprob += walk->path[i].logprob;
    }
    const int32_t *made = walk->ids + walk->n_prompt;
    json_t *object = json_pack(
        "{s:s, s:s, s:s, s:s, s:b, s:o, s:o, s:o, s:f, s:o}", "schema", "nextoken/1", "model",
        info.path, "precision", info.precision, "isa", info.isa, "bos", (int)walk->bos,
        "prompt_ids", ids_of(walk->ids, walk->n_prompt), "ids", ids_of(made, walk->n_taken), "text",
        string_of(walk, made, walk->n_taken), "logprob", logprob, "path", path);
    int failed = object ? json_dumpf(object, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9)) : -1;
    if (failed == 0) putchar('\n');
    json_decref(object);
    return failed == 0;
}

static bool print_text(const cli_walk *walk) {
    size_t n = walk->n_prompt + walk->n_taken - walk->bos;
    char *text = text_of(walk, walk->ids + walk->bos, n, true);
    if (text && isatty(STDOUT_FILENO)) {
        cli_print_safely(text, strlen(text));
    } else if (text) {
        fputs(text, stdout);
    } else {
        for (size_t i = 0; i < walk->n_prompt + walk->n_taken; i++)
            printf("%s%d", i ? "," : "", (int)walk->ids[i]);
    }
    nt_free(text);
    putchar('\n');
    return true;
}

static int run(nt_result **out, cli_run *r, const nt_prompt *prompt, const cli_settings *settings) {
    cli_walk walk;
    *out = NULL; /* what there is to show was shown */
    int status = cli_walk_begin(&walk, r, prompt, settings);
    cli_progress_clear();
    if (status == NT_OK && !cli_terminal_open()) {
        r->told = true;
        status = NT_E_UNSUPPORTED;
    }
    if (status == NT_OK) {
        status = loop(&walk);
        cli_terminal_close();
        bool printed = settings->json ? print_json(&walk) : print_text(&walk);
        if (status == NT_OK && !printed) status = NT_E_MEMORY;
    }
    cli_walk_end(&walk);
    return status;
}

const cli_command cli_explore = {
    .name = "explore",
    .summary = "walk from token to token, in the terminal",
    .examples = "  nextoken explore \"Alice is a\"\n"
                "  nextoken explore -m gpt2 --temperature 0.7 --seed 1 \"Alice is a\"\n"
                "  nextoken explore --json \"Alice is a\" > path.json\n",
    .options = CLI_OPT_ONE_STEP | CLI_OPT_EXPLORE | CLI_OPT_TEXT | CLI_OPT_SESSION,
    .takes_text = true,
    .run = run,
};
