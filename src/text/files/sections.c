#include "text/files/sections.h"

#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "text/files/json_pull.h"

/* ---- Finding the two passages --------------------------------------------------------------- */

static bool is_key(const char *key, size_t n, const char *wanted) {
    return n == strlen(wanted) && memcmp(key, wanted, n) == 0;
}

/* Steps into the object that stands next, on its '{'; false for {}. */
static bool enter(nt_pull *pull) {
    pull->at++;
    pull->depth++;
    if (nt_pull_peek(pull) != '}') return true;
    pull->at++;
    return false;
}

static int read_key(const char **key, size_t *n, nt_pull *pull) {
    NT_TRY(nt_pull_string(key, n, pull));
    return nt_pull_expect(pull, ':');
}

static int take_passage(nt_passage *out, nt_pull *pull) {
    nt_pull_peek(pull);
    const char *from = pull->at;
    NT_TRY(nt_pull_skip(pull));
    *out = (nt_passage){from, (size_t)(pull->at - from), 0};
    return NT_OK;
}

/* The members of "model". A key given twice is cut once, and so the other one left to jansson,
 * which refuses it. */
static int find_in_model(nt_sections *out, nt_pull *pull) {
    bool more = enter(pull);
    while (more) {
        const char *key;
        size_t n;
        NT_TRY(read_key(&key, &n, pull));
        nt_passage *passage = is_key(key, n, "vocab")    ? &out->vocab
                              : is_key(key, n, "merges") ? &out->merges
                                                         : NULL;
        if (passage && !passage->bytes)
            NT_TRY(take_passage(passage, pull));
        else
            NT_TRY(nt_pull_skip(pull));
        NT_TRY(nt_pull_next(&more, pull, '}'));
    }
    pull->depth--;
    return NT_OK;
}

/* All of the file is walked over, so that no byte of it goes unchecked. */
static int find(nt_sections *out, nt_pull *pull) {
    if (nt_pull_peek(pull) != '{') {
        const char *kind = nt_pull_kind(pull);
        NT_TRY(nt_pull_skip(pull));
        NT_TRY(nt_pull_end(pull));
        return nt_fail(NT_E_FORMAT, "%s holds %s where an object was expected", out->where, kind);
    }
    bool more = enter(pull);
    while (more) {
        const char *key;
        size_t n;
        NT_TRY(read_key(&key, &n, pull));
        if (is_key(key, n, "model") && nt_pull_peek(pull) == '{')
            NT_TRY(find_in_model(out, pull));
        else
            NT_TRY(nt_pull_skip(pull));
        NT_TRY(nt_pull_next(&more, pull, '}'));
    }
    NT_TRY(nt_pull_end(pull));
    if (out->vocab.bytes) out->vocab.line = nt_pull_line(pull, out->vocab.bytes);
    if (out->merges.bytes) out->merges.line = nt_pull_line(pull, out->merges.bytes);
    return NT_OK;
}

/* ---- The rest ------------------------------------------------------------------------------- */

/* A place of the rest -> the place of the file that it was copied from. `cuts` [2] in order. */
static size_t place_in_file(size_t at, const nt_sections *sections, nt_passage *const *cuts) {
    size_t place = at;
    for (int i = 0; i < 2; i++) {
        if (!cuts[i]->bytes) continue;
        size_t from = (size_t)(cuts[i]->bytes - sections->bytes);
        if (place >= from + 4) place += cuts[i]->n - 4;
    }
    return place < sections->n ? place : sections->n;
}

/* The file with null in the place of the passages, through jansson, which has duplicate keys and
 * numbers that are too large left to find. */
static int parse_rest(nt_sections *out, nt_passage *const *cuts, char *rest, nt_pull *pull) {
    size_t n = 0, from = 0;
    for (int i = 0; i < 2; i++) {
        if (!cuts[i]->bytes) continue;
        size_t cut = (size_t)(cuts[i]->bytes - out->bytes);
        memcpy(rest + n, out->bytes + from, cut - from);
        n += cut - from;
        memcpy(rest + n, "null", 4);
        n += 4;
        from = cut + cuts[i]->n;
    }
    memcpy(rest + n, out->bytes + from, out->n - from);
    n += out->n - from;
    json_error_t error;
    NT_TRY(nt_json_load(&out->file, rest, n, &error));
    if (!out->file) {
        /* Behind the last byte that jansson read; it tells the column of the last character. */
        size_t at = error.position > 0 ? (size_t)error.position - 1 : 0;
        while (at > 0 && ((unsigned char)rest[at] & 0xC0) == 0x80)
            at--;
        return nt_pull_fail(pull, out->bytes + place_in_file(at, out, cuts), error.text);
    }
    json_t *model = json_object_get(out->file, "model");
    if (out->vocab.bytes) json_object_del(model, "vocab");
    if (out->merges.bytes) json_object_del(model, "merges");
    return NT_OK;
}

static int read_rest(nt_sections *out, nt_pull *pull) {
    bool swap = out->merges.bytes && out->vocab.bytes && out->merges.bytes < out->vocab.bytes;
    nt_passage *const cuts[2] = {swap ? &out->merges : &out->vocab,
                                 swap ? &out->vocab : &out->merges};
    size_t n = out->n + 8 - out->vocab.n - out->merges.n;
    char *rest = nt_alloc(n, 1);
    if (!rest) return NT_E_MEMORY;
    int status = parse_rest(out, cuts, rest, pull);
    nt_free(rest);
    return status;
}

int nt_sections_take(nt_sections *out, char *bytes, size_t n, const char *where) {
    *out = (nt_sections){.bytes = bytes, .n = n, .where = where};
    nt_pull pull;
    nt_pull_init(&pull, bytes, n, 1, where);
    int status = find(out, &pull);
    if (status == NT_OK) status = read_rest(out, &pull);
    nt_pull_free(&pull);
    if (status != NT_OK) nt_sections_free(out);
    return status;
}

int nt_sections_read(nt_sections *out, const char *path) {
    *out = (nt_sections){0};
    char *bytes;
    size_t n;
    NT_TRY(nt_file_read(&bytes, &n, path, NT_MAX_TOKENIZER_BYTES));
    return nt_sections_take(out, bytes, n, path);
}

void nt_sections_free(nt_sections *sections) {
    json_decref(sections->file);
    nt_free(sections->bytes);
    *sections = (nt_sections){0};
}
