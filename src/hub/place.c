#include "hub/place.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/options.h"

enum { MAX_TOKEN = 4096, SECONDS = 10, PARALLEL = 8, RETRIES = 5 };

/* A variable that is set to nothing counts as not set. */
static const char *variable(const char *name) {
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

static bool is_true(const char *name) {
    static const char *const words[] = {"1", "on", "yes", "true"};
    const char *value = variable(name);
    for (size_t i = 0; value && i < sizeof words / sizeof *words; i++)
        if (strcasecmp(value, words[i]) == 0) return true;
    return false;
}

/* Seconds, 10 where the variable is no number above 0. */
static long seconds(const char *name) {
    const char *value = variable(name);
    char *end;
    long n = value ? strtol(value, &end, 10) : 0;
    return value && *end == 0 && n > 0 && n <= 24 * 3600 ? n : SECONDS;
}

static const char *keep(nt_hub_place *place, nt_buffer *text) {
    char *kept = NULL;
    if (text->status == NT_OK) kept = nt_arena_copy(&place->arena, text->data, text->n);
    nt_buffer_free(text);
    return kept;
}

static void put_variable(nt_buffer *out, const char *name, size_t n) {
    char copy[128];
    snprintf(copy, sizeof copy, "%.*s", (int)n, name);
    const char *value = n < sizeof copy ? getenv(copy) : NULL;
    if (value) nt_buffer_puts(out, value);
}

/* "~" at the beginning, $NAME and ${NAME}; then "/" and more, where there is more. */
static int expand(const char **out, nt_hub_place *place, const char *path, const char *more) {
    nt_buffer text = {0};
    nt_buffer_put(&text, "", 0);
    if (path[0] == '~' && (path[1] == '/' || path[1] == 0)) {
        const char *home = variable("HOME");
        if (!home)
            return nt_fail(NT_E_IO, "HOME is not set: set HF_HOME to the folder of the cache");
        nt_buffer_puts(&text, home);
        path++;
    }
    while (*path) {
        size_t n = 0;
        bool braces = path[0] == '$' && path[1] == '{';
        const char *name = path + 1 + braces;
        while (path[0] == '$' && (isalnum((unsigned char)name[n]) || name[n] == '_'))
            n++;
        if (n && (!braces || name[n] == '}')) {
            put_variable(&text, name, n);
            path = name + n + braces;
        } else {
            nt_buffer_putc(&text, *path++);
        }
    }
    if (more) nt_buffer_putc(&text, '/');
    if (more) nt_buffer_puts(&text, more);
    *out = keep(place, &text);
    return *out ? NT_OK : NT_E_MEMORY;
}

static int find_home(const char **out, nt_hub_place *place) {
    const char *home = variable("HF_HOME"), *xdg = variable("XDG_CACHE_HOME");
    if (home) return expand(out, place, home, NULL);
    return expand(out, place, xdg ? xdg : "~/.cache", "huggingface");
}

static int find_cache(nt_hub_place *place, const char *given) {
    const char *cache = given ? given : variable("HF_HUB_CACHE"), *home;
    if (!cache) cache = variable("HUGGINGFACE_HUB_CACHE");
    if (cache) return expand(&place->cache, place, cache, NULL);
    NT_TRY(find_home(&home, place));
    return expand(&place->cache, place, home, "hub");
}

/* Without the white space around it. */
static int take_token(nt_hub_place *place, const char *token, const char *from) {
    while (isspace((unsigned char)*token))
        token++;
    size_t n = strlen(token);
    while (n && isspace((unsigned char)token[n - 1]))
        n--;
    if (n == 0) return NT_OK;
    place->token_from = from;
    place->token = nt_arena_copy(&place->arena, token, n);
    return place->token ? NT_OK : NT_E_MEMORY;
}

static int read_token(nt_hub_place *place, const char *given) {
    if (given) return take_token(place, given, "nt_hub_options");
    if (is_true("HF_HUB_DISABLE_IMPLICIT_TOKEN")) return NT_OK;
    static const char *const names[] = {"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (variable(names[i])) return take_token(place, variable(names[i]), names[i]);
    const char *file = variable("HF_TOKEN_PATH"), *home;
    if (file) {
        NT_TRY(expand(&file, place, file, NULL));
    } else {
        NT_TRY(find_home(&home, place));
        NT_TRY(expand(&file, place, home, "token"));
    }
    char *text;
    size_t n;
    if (nt_file_look(file) != NT_FILE_REGULAR) return NT_OK;
    int status = nt_file_read(&text, &n, file, MAX_TOKEN);
    if (status == NT_E_MEMORY) return status;
    if (status != NT_OK) return NT_OK; /* of another user, say: then there is none */
    status = take_token(place, text, file);
    nt_free(text);
    return status;
}

/* As huggingface_hub is told of a company's own: httpx reads the first two, requests, which was
 * under it before, the others. */
static nt_hub_authorities find_authorities(void) {
    static const char *const variables[] = {"SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE",
                                            "CURL_CA_BUNDLE"};
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        const char *path = variable(variables[i]);
        if (path)
            return (nt_hub_authorities){variables[i], path,
                                        i == 1 || nt_file_look(path) == NT_FILE_FOLDER};
    }
    return (nt_hub_authorities){0};
}

static int find_endpoint(nt_hub_place *place, const char *given) {
    const char *endpoint = given ? given : variable("HF_ENDPOINT");
    if (!endpoint) endpoint = "https://huggingface.co";
    size_t n = strlen(endpoint);
    while (n && endpoint[n - 1] == '/')
        n--;
    place->endpoint = nt_arena_copy(&place->arena, endpoint, n);
    return place->endpoint ? NT_OK : NT_E_MEMORY;
}

/* NULL: nothing in the environment forbids to ask. */
static const char *forbidden_by(void) {
    static const char *const names[] = {"HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (is_true(names[i])) return names[i];
    return NULL;
}

int nt_hub_place_take(nt_hub_place *out, const nt_hub_options *given) {
    *out = (nt_hub_place){.options = NT_HUB_OPTIONS_INIT};
    nt_hub_options *options = &out->options;
    NT_TRY(nt_take_options(options, sizeof *options, given, "nt_hub_options"));
    if (options->use > NT_HUB_OFFLINE)
        return nt_fail(NT_E_ARGUMENT, "there is no nt_hub_use %d", (int)options->use);
    if (options->parallel < 0 || options->parallel > 64)
        return nt_fail(NT_E_ARGUMENT, "parallel is %d; it must lie in 0 .. 64", options->parallel);
    if (options->retries < -1 || options->retries > 100)
        return nt_fail(NT_E_ARGUMENT, "retries is %d; it must lie in -1 .. 100", options->retries);
    NT_TRY(find_cache(out, options->cache));
    NT_TRY(find_endpoint(out, options->endpoint));
    NT_TRY(read_token(out, options->token));
    out->forbidden_by = forbidden_by();
    out->offline = options->use == NT_HUB_OFFLINE || out->forbidden_by;
    out->refresh = options->use == NT_HUB_REFRESH;
    out->symlinks = !is_true("HF_HUB_DISABLE_SYMLINKS");
    out->authorities = find_authorities();
    out->parallel = options->parallel ? options->parallel : PARALLEL;
    out->retries = options->retries < 0 ? 0 : options->retries ? options->retries : RETRIES;
    out->answer_seconds = seconds("HF_HUB_ETAG_TIMEOUT");
    out->silence_seconds = seconds("HF_HUB_DOWNLOAD_TIMEOUT");
    out->callbacks = options->callbacks;
    return NT_OK;
}

/* A token goes into a header: one line of visible characters. */
int nt_hub_place_check(const nt_hub_place *place) {
    bool https = strncasecmp(place->endpoint, "https://", 8) == 0;
    if (!https && strncasecmp(place->endpoint, "http://", 7) != 0)
        return nt_fail(NT_E_ARGUMENT, "HF_ENDPOINT is \"%.200s\"; it must begin with https://",
                       place->endpoint);
    for (const char *c = place->token; c && *c; c++) {
        if (*c >= 0x21 && *c <= 0x7e) continue;
        return nt_fail(NT_E_ARGUMENT,
                       "the token (%.300s) holds a byte that no token has: get it again at "
                       "%.200s/settings/tokens",
                       place->token_from, place->endpoint);
    }
    return NT_OK;
}

void nt_hub_place_free(nt_hub_place *place) {
    nt_arena_free(&place->arena);
}

bool nt_hub_cancelled(const nt_hub_place *place) {
    const nt_callbacks *callbacks = place->callbacks;
    return callbacks && callbacks->cancel && callbacks->cancel(callbacks->payload) != 0;
}
