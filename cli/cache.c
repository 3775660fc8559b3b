/* nextoken cache: what the cache of downloaded models holds, whether it is whole, and less of it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "progress.h"

/* ---- list ---- */

static void put_json(const char *text) {
    putchar('"');
    for (const char *c = text; *c; c++) {
        if (*c == '"' || *c == '\\')
            printf("\\%c", *c);
        else if ((unsigned char)*c < 0x20 || *c == 0x7f)
            printf("\\u%04x", (unsigned)(unsigned char)*c);
        else
            putchar(*c);
    }
    putchar('"');
}

/* "main, v1" -> ["main","v1"] */
static void put_refs(const char *refs) {
    putchar('[');
    while (*refs) {
        char one[CLI_MAX_MESSAGE];
        size_t n = strcspn(refs, ",");
        snprintf(one, sizeof one, "%.*s", (int)n, refs);
        put_json(one);
        refs += n;
        if (*refs) putchar(',');
        refs += strspn(refs, ", ");
    }
    putchar(']');
}

static void list_json(const nt_hub_list *list) {
    const nt_hub_entry *e;
    fputs("{\"schema\":\"nextoken/1\",\"cache\":", stdout);
    put_json(nt_hub_list_cache(list));
    fputs(",\"models\":[", stdout);
    for (size_t i = 0; (e = nt_hub_list_entry(list, i)); i++) {
        fputs(i ? ",{\"name\":" : "{\"name\":", stdout);
        put_json(e->name);
        printf(",\"revision\":\"%s\",\"refs\":", e->revision);
        put_refs(e->refs);
        printf(",\"files\":%zu,\"bytes\":%" PRIu64 ",\"folder\":", e->n_files, e->n_bytes);
        put_json(e->folder);
        putchar('}');
    }
    fputs("]}\n", stdout);
}

static int wider(int width, const char *text) {
    int n = (int)strlen(text);
    return n > width ? n : width;
}

static void put_cell(const char *text, int width) {
    char shown[CLI_MAX_MESSAGE];
    snprintf(shown, sizeof shown, "%s", text);
    cli_make_printable(shown);
    printf("%-*s  ", width, shown);
}

static void list_table(const nt_hub_list *list) {
    const nt_hub_entry *e;
    int name = 5, refs = 4;
    uint64_t bytes = 0;
    for (size_t i = 0; (e = nt_hub_list_entry(list, i)); i++) {
        name = wider(name, e->name);
        refs = wider(refs, e->refs);
        bytes += e->n_bytes;
    }
    size_t n = nt_hub_list_size(list);
    if (n) printf("%-*s  %-40s  %-*s  files       size\n", name, "model", "revision", refs, "refs");
    for (size_t i = 0; (e = nt_hub_list_entry(list, i)); i++) {
        put_cell(e->name, name);
        printf("%s  ", e->revision);
        put_cell(e->refs, refs);
        printf("%5zu  %9s\n", e->n_files, cli_bytes(e->n_bytes).s);
    }
    printf("%zu revision%s, %s, in %s\n", n, n == 1 ? "" : "s", cli_bytes(bytes).s,
           nt_hub_list_cache(list));
}

static int show_list(const cli_settings *settings) {
    nt_hub_list *list;
    int status = nt_hub_list_new(&list, NULL);
    if (status != NT_OK) return cli_report(status);
    if (settings->json)
        list_json(list);
    else
        list_table(list);
    nt_hub_list_free(list);
    return EXIT_DONE;
}

/* ---- verify, remove ---- */

static void print_fault(void *payload, const nt_hub_fault *fault) {
    char line[CLI_MAX_MESSAGE];
    (void)payload;
    cli_progress_clear();
    snprintf(line, sizeof line, "%s %s", fault->path, fault->what);
    cli_make_printable(line);
    puts(line);
}

static int verify(const cli_settings *settings, const char *name) {
    cli_run run = {.command = &cli_cache, .quiet = settings->quiet};
    nt_callbacks callbacks = cli_run_callbacks(&run);
    nt_hub_options hub = NT_HUB_OPTIONS_INIT;
    nt_hub_check check = NT_HUB_CHECK_INIT;
    hub.callbacks = &callbacks;
    check.fault = print_fault;
    int status = nt_hub_verify(&check, name, &hub);
    cli_progress_clear();
    if (status != NT_OK) return cli_report(status);
    if (!settings->quiet) {
        cli_note("%" PRIu64 " files, %s, are what their names say", check.n_files,
                 cli_bytes(check.n_bytes).s);
        if (check.n_partial)
            cli_note("%" PRIu64 " downloads were broken off: pull goes on with them",
                     check.n_partial);
    }
    if (check.n_faults == 0) return EXIT_DONE;
    cli_error("%" PRIu64 " things in the cache are wrong", check.n_faults);
    return EXIT_FAILED;
}

static int remove_model(const char *name) {
    uint64_t freed;
    int status = nt_hub_remove(&freed, name, NULL);
    if (status == NT_OK) printf("removed %s: %s freed\n", name, cli_bytes(freed).s);
    return cli_report(status);
}

static int usage_error(const char *what) {
    cli_error("%s; nextoken cache --help tells the words", what);
    return EXIT_USAGE;
}

static int cache(const cli_settings *settings) {
    const cli_words *words = &settings->words;
    const char *verb = words->n ? words->items[0] : "",
               *name = words->n > 1 ? words->items[1] : NULL;
    bool list = strcmp(verb, "list") == 0;
    if (words->n > 2) return usage_error("too many words");
    if (settings->json && !list) return usage_error("--json goes with list");
    int status;
    cli_catch_interrupt();
    if (list && !name)
        status = show_list(settings);
    else if (list)
        return usage_error("list takes no name");
    else if (strcmp(verb, "verify") == 0)
        status = verify(settings, name);
    else if (strcmp(verb, "remove") == 0 && name)
        status = remove_model(name);
    else if (strcmp(verb, "remove") == 0)
        return usage_error("remove what? Give a model's name");
    else
        return usage_error(*verb ? "there is list, verify and remove" : "list, verify or remove?");
    return cli_close_stdout() ? status : EXIT_FAILED;
}

const cli_command cli_cache = {
    .name = "cache",
    .summary = "the models that were downloaded: list them, verify or remove them",
    .words = " list|verify [NAME]|remove NAME",
    .examples = "  nextoken cache list\n"
                "  nextoken cache verify\n"
                "  nextoken cache verify gpt2\n"
                "  nextoken cache remove openai-community/gpt2\n",
    .options = CLI_OPT_CACHE,
    .without_model = cache,
};
