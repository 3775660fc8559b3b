/* Options that change while one walks: by a key, or by a line behind ":". What was given is kept as
 * names and values, and the library's options are made anew from that. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "explore.h"

/* Values that a key goes through; outside lies "not given", above the last value or below the
 * first. */
typedef struct ladder {
    const char *name;
    char down, up;
    bool off_above;
    size_t n;
    double values[24]; /* [n] */
} ladder;

static const ladder ladders[] = {
    {"temperature",
     't',
     'T',
     true,
     19,
     {.1, .2, .3, .4, .5, .6, .7, .8, .9, 1, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7, 1.8, 2}},
    {"top_k", 'k', 'K', true, 13, {1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 50, 100, 200}},
    {"top_p",
     'p',
     'P',
     true,
     19,
     {.05, .1, .15, .2, .25, .3, .35, .4, .45, .5, .55, .6, .65, .7, .75, .8, .85, .9, .95}},
    {"min_p", 'm', 'M', false, 7, {.01, .02, .05, .1, .2, .3, .5}},
    {"repetition_penalty", 'r', 'R', false, 8, {1.05, 1.1, 1.15, 1.2, 1.3, 1.5, 1.8, 2}},
    {"no_repeat_ngram_size", 'n', 'N', false, 6, {1, 2, 3, 4, 5, 6}},
};

/* ---- What is given --------------------------------------------------------------------------- */

bool cli_walk_takes(const nt_option_info *info) {
    return info->one_step || strcmp(info->name, "seed") == 0 || strcmp(info->name, "rng") == 0;
}

const char *cli_walk_value(const cli_walk *walk, const char *name) {
    for (size_t i = walk->n_given; i-- > 0;)
        if (strcmp(walk->given[i].info->name, name) == 0) return walk->given[i].value;
    return NULL;
}

/* The library's options from what is given. */
static int make_options(cli_walk *walk) {
    char why[CLI_MAX_NAME];
    int status = NT_OK;
    nt_generate_options_clear(&walk->generate);
    for (size_t i = 0; status == NT_OK && i < walk->n_given; i++)
        status = nt_generate_options_set(&walk->generate, walk->given[i].info->name,
                                         walk->given[i].value);
    if (status == NT_OK && walk->settings->generation_config)
        status = nt_generate_options_load(&walk->generate, walk->settings->generation_config);
    if (status != NT_OK) return status;
    cli_turn_on_sampling(why, &walk->generate);
    if (walk->generate.seed_given) walk->seed = walk->generate.seed;
    return NT_OK;
}

static bool add(cli_walk *walk, const nt_option_info *info, const char *value) {
    cli_given *given = realloc(walk->given, (walk->n_given + 1) * sizeof *given);
    if (!given) return false;
    walk->given = given;
    given[walk->n_given] = (cli_given){info, strdup(value)};
    return given[walk->n_given++].value != NULL;
}

static void take_out(cli_walk *walk, const nt_option_info *info) {
    size_t n = 0;
    for (size_t i = 0; i < walk->n_given; i++) {
        if (walk->given[i].info == info)
            free(walk->given[i].value);
        else
            walk->given[n++] = walk->given[i];
    }
    walk->n_given = n;
}

static void clear(cli_walk *walk) {
    for (size_t i = 0; i < walk->n_given; i++)
        free(walk->given[i].value);
    free(walk->given);
    walk->given = NULL;
    walk->n_given = 0;
}

static bool add_first(cli_walk *walk) {
    const cli_words *words = &walk->settings->given;
    bool fine = true;
    for (size_t i = 0; fine && i + 1 < words->n; i += 2) {
        const nt_option_info *info;
        fine = nt_option_named(&info, words->items[i]) == NT_OK &&
               add(walk, info, words->items[i + 1]);
    }
    return fine;
}

bool cli_walk_options(cli_walk *walk) {
    return add_first(walk) && make_options(walk) == NT_OK;
}

/* What is given becomes what acts, or all is as it was with `before` [n]. */
static int settle(cli_walk *walk, cli_given *before, size_t n, bool fine) {
    int status = fine ? make_options(walk) : NT_E_MEMORY;
    if (status == NT_OK) status = cli_walk_changed(walk);
    cli_walk old = {.given = before, .n_given = n};
    if (status != NT_OK) {
        clear(walk);
        walk->given = before;
        walk->n_given = n;
        make_options(walk); /* as it was made before */
        return status;
    }
    clear(&old);
    return NT_OK;
}

int cli_walk_set(cli_walk *walk, const nt_option_info *info, const char *value) {
    cli_given *before = walk->given;
    size_t n = walk->n_given;
    bool fine = true;
    walk->given = NULL;
    walk->n_given = 0;
    for (size_t i = 0; fine && i < n; i++)
        fine = add(walk, before[i].info, before[i].value);
    take_out(walk, info);
    if (fine && value) fine = add(walk, info, value);
    return settle(walk, before, n, fine);
}

int cli_walk_reset(cli_walk *walk) {
    cli_given *before = walk->given;
    size_t n = walk->n_given;
    walk->given = NULL;
    walk->n_given = 0;
    return settle(walk, before, n, add_first(walk));
}

/* ---- Keys ------------------------------------------------------------------------------------ */

/* The value that a key goes to from x; false: there is none further. */
static bool next_rung(double *next, const ladder *l, double x, bool up) {
    size_t i = 0;
    while (i < l->n && l->values[i] < x - 1e-9)
        i++;
    if (up && i < l->n && l->values[i] < x + 1e-9) i++;
    if (up ? i == l->n : i == 0) return false;
    *next = l->values[up ? i : i - 1];
    return true;
}

bool cli_walk_key(const cli_walk *walk, int key, const nt_option_info **info, char value[32]) {
    const ladder *l = NULL;
    for (size_t i = 0; i < sizeof ladders / sizeof *ladders; i++)
        if (key == ladders[i].down || key == ladders[i].up) l = &ladders[i];
    if (!l || nt_option_named(info, l->name) != NT_OK) return false;
    const char *now = cli_walk_value(walk, l->name);
    bool up = key == l->up, warm = strcmp(l->name, "temperature") == 0; /* 1 is no temperature */
    double x = now ? strtod(now, NULL) : 1;
    *value = 0;
    if (!now && !warm) {
        if (up == l->off_above) return false;
        x = l->values[up ? 0 : l->n - 1];
    } else if (!next_rung(&x, l, x, up)) {
        return up == l->off_above && !warm;
    }
    if (!warm || x < 1 - 1e-9 || x > 1 + 1e-9) snprintf(value, 32, "%g", x);
    return true;
}

/* ---- Shown ----------------------------------------------------------------------------------- */

void cli_dashes(char *out, size_t size, const char *name) {
    snprintf(out, size, "%s", name);
    for (char *c = out; *c; c++)
        if (*c == '_') *c = '-';
}

void cli_walk_tell(const cli_walk *walk, cli_text *out, size_t width) {
    char part[160], name[CLI_MAX_NAME], value[64];
    size_t used = 0;
    bool no_top_k = walk->generate.do_sample == 1 && walk->generate.top_k == -1;
    if (walk->n_given == 0) cli_text_puts(out, "no options");
    used = walk->n_given ? 0 : strlen("no options");
    for (size_t i = 0; i < walk->n_given + no_top_k; i++) {
        bool rest = i == walk->n_given;
        cli_dashes(name, sizeof name, rest ? "top_k" : walk->given[i].info->name);
        snprintf(value, sizeof value, "%s", rest ? "50 (default)" : walk->given[i].value);
        cli_make_printable(value);
        for (char *c = value; *c; c++)
            if ((unsigned char)*c >= 0x80) *c = '?'; /* one column each */
        snprintf(part, sizeof part, "%s%s %s", used ? "  " : "", name, value);
        if (used + strlen(part) > width) {
            if (used + 4 <= width) cli_text_puts(out, " ...");
            return;
        }
        used += strlen(part);
        cli_text_puts(out, part);
    }
    snprintf(part, sizeof part, "  seed %" PRIu64, walk->seed);
    if (!cli_walk_value(walk, "seed") && used + strlen(part) <= width) cli_text_puts(out, part);
}

/* ---- A line behind ":" ----------------------------------------------------------------------- */

/* The name that a line begins with; returns what stands behind it. */
static const char *split(char name[CLI_MAX_NAME], const char *line) {
    line += strspn(line, " -");
    size_t n = strcspn(line, " =");
    snprintf(name, CLI_MAX_NAME, "%.*s", (int)(n < CLI_MAX_NAME ? n : CLI_MAX_NAME - 1), line);
    for (char *c = name; *c; c++)
        if (*c == '-') *c = '_';
    line += n;
    line += strspn(line, " ");
    if (*line == '=') line++;
    return line + strspn(line, " ");
}

/* The next option after i whose name begins so; NULL: none is left. */
static const nt_option_info *next_match(size_t *i, const char *name) {
    const nt_option_info *info;
    while ((info = nt_option_at((*i)++)))
        if (cli_walk_takes(info) && strncmp(info->name, name, strlen(name)) == 0) return info;
    return NULL;
}

bool cli_walk_complete(char *out, size_t size, const char *line) {
    char name[CLI_MAX_NAME];
    size_t i = 0, found = 0, n = 0;
    const nt_option_info *info;
    if (*split(name, line) || strpbrk(line, " =") || !*name) return false;
    while ((info = next_match(&i, name))) {
        if (found++ == 0) {
            cli_dashes(out, size, info->name);
            n = strlen(out);
        }
        for (size_t k = 0; k < n; k++)
            if (info->name[k] != (out[k] == '-' ? '_' : out[k])) n = k;
    }
    if (found == 0 || n + 1 >= size) return false;
    snprintf(out + n, size - n, "%s", found == 1 ? " " : ""); /* what they begin with in common */
    return true;
}

void cli_walk_hint(char *out, size_t size, const char *line) {
    char name[CLI_MAX_NAME], shown[CLI_MAX_NAME];
    size_t i = 0, n = 0, found = 0;
    const nt_option_info *info, *one = NULL;
    split(name, line);
    snprintf(out, size, "%s",
             *name ? "no option begins so"
                   : "an option and its value, as top-p 0.9; reset: as at the start");
    while (*name && (info = next_match(&i, name))) {
        bool whole = strcmp(info->name, name) == 0;
        if (found++ == 0 || whole) one = info;
        cli_dashes(shown, sizeof shown, info->name);
        if (n < size) n += (size_t)snprintf(out + n, size - n, "%s%s", n ? "  " : "", shown);
        if (whole) found = 1;
    }
    if (!one || (found > 1 && strcmp(one->name, name) != 0)) return;
    cli_dashes(shown, sizeof shown, one->name);
    snprintf(out, size, "%s: %s", shown, one->range);
}

bool cli_walk_command(cli_walk *walk, const char *line, char message[CLI_MAX_MESSAGE]) {
    char name[CLI_MAX_NAME], flag[CLI_MAX_NAME];
    const nt_option_info *info;
    const char *value = split(name, line);
    int status = NT_OK;
    *message = 0;
    if (!*name) return true;
    if (strcmp(name, "reset") == 0) {
        status = cli_walk_reset(walk);
    } else if (nt_option_named(&info, name) == NT_OK) {
        cli_dashes(flag, sizeof flag, info->name);
        if (!cli_walk_takes(info)) {
            snprintf(message, CLI_MAX_MESSAGE, "%s does not shape a single step", flag);
            return false;
        }
        bool given = cli_walk_value(walk, info->name) != NULL;
        if (!*value && !given && strcmp(info->type, "boolean") == 0) value = "true";
        if (!*value && !given) {
            snprintf(message, CLI_MAX_MESSAGE, "%s needs a value: %s", flag, info->range);
            return false;
        }
        status = cli_walk_set(walk, info, *value ? value : NULL);
    } else {
        status = NT_E_ARGUMENT; /* with the nearest name */
    }
    if (status != NT_OK) cli_name_flags(message, CLI_MAX_MESSAGE, nt_error_message());
    return status == NT_OK;
}
