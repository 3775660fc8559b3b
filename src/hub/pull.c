/* From a name to a folder: what the cache holds, and what the hub has to add. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/note.h"
#include "hub/fetch.h"
#include "hub/hub.h"
#include "hub/near.h"

/* ---- What the cache holds -------------------------------------------------------------------- */

typedef struct found {
    char *folder;                      /* the snapshot; NULL: none that can be used */
    char missing[NT_HUB_MAX_FILE + 1]; /* the first file that is not known; "" */
    char commit[NT_COMMIT + 1];
    bool there; /* something of the model is in the cache */
} found;

static int note_missing(void *payload, const char *file, bool required) {
    found *f = payload;
    (void)required;
    if (!f->missing[0]) snprintf(f->missing, sizeof f->missing, "%s", file);
    return NT_OK;
}

static int look_under(found *out, const nt_hub_place *place, const char *repo_name,
                      const nt_hub_name *name, const nt_hub_want *want) {
    nt_hub_repo repo;
    found f = {0};
    bool usable = false;
    NT_TRY(nt_hub_repo_take(&repo, place, repo_name));
    int status = nt_hub_commit_of(f.commit, &repo, name->revision);
    if (status == NT_OK && f.commit[0]) {
        status = nt_hub_survey(&usable, &repo, f.commit, want, note_missing, &f);
        if (status == NT_E_NOT_FOUND) status = NT_OK; /* known to be of no use */
    }
    if (status == NT_OK && usable) {
        f.folder = nt_hub_path("%s/snapshots/%s", repo.folder, f.commit);
        if (!f.folder) status = NT_E_MEMORY;
    }
    char *blobs = nt_hub_path("%s/blobs", repo.folder);
    f.there = blobs && nt_file_look(blobs) == NT_FILE_FOLDER;
    nt_free(blobs);
    nt_hub_repo_free(&repo);
    if (status == NT_OK && (f.folder || !out->there)) {
        nt_free(out->folder);
        *out = f;
    }
    return status;
}

/* Under its own name, then under its other one. */
static int look_in_cache(found *out, const nt_hub_place *place, const nt_hub_name *name,
                         const nt_hub_want *want) {
    *out = (found){0};
    const char *other = nt_hub_other_name(name->repo);
    NT_TRY(look_under(out, place, name->repo, name, want));
    if (out->folder && !out->missing[0]) return NT_OK;
    found second = {0};
    int status = other ? look_under(&second, place, other, name, want) : NT_OK;
    if (second.folder && (!out->folder || !second.missing[0])) {
        nt_free(out->folder);
        *out = second;
    } else {
        nt_free(second.folder);
    }
    return status;
}

static int fail_not_cached(const nt_hub_place *place, const nt_hub_name *name, const found *f) {
    const char *missing = f->missing[0] ? f->missing : "", *by = place->forbidden_by;
    char fetch_it[64];
    snprintf(fetch_it, sizeof fetch_it, "%s%.24s%sfetch it with nextoken pull", by ? "unset " : "",
             by ? by : "", by ? " and " : "");
    if (f->there)
        return nt_fail(NT_E_NOT_FOUND,
                       "%s@%s is in the cache (%.300s) in part only%s%.200s, and downloads are "
                       "off: %s %s",
                       name->repo, name->revision, place->cache, *missing ? ", without " : "",
                       missing, fetch_it, name->repo);
    char near[NT_HUB_MAX_REPO + 1];
    bool any = nt_hub_near_name(near, place, name->repo, false);
    return nt_fail(NT_E_NOT_FOUND,
                   "%s%s%s is not in the cache (%.300s), and downloads are off: %s%s%s%s %s; "
                   "there is no folder of that name either",
                   name->repo, name->revised ? "@" : "", name->revised ? name->revision : "",
                   place->cache, any ? "did you mean " : "", near, any ? "? Else " : "", fetch_it,
                   name->repo);
}

/* ---- A download ------------------------------------------------------------------------------ */

typedef struct download {
    nt_fetch_job job;
    const nt_hub_want *want;
    nt_arena arena;
    nt_fetch **items; /* [n] in the order in which they were asked for */
    size_t n, capacity;
    bool changed; /* something has become known */
    bool planned; /* with the commit at hand */
    double told;
} download;

static bool settled(const nt_fetch *f) {
    return f->state == NT_FETCH_HAS || f->state == NT_FETCH_LACKS;
}

static int add_file(void *payload, const char *file, bool required) {
    download *d = payload;
    for (size_t i = 0; i < d->n; i++)
        if (strcmp(d->items[i]->file, file) == 0) return NT_OK;
    void *items = d->items;
    NT_TRY(nt_arena_grow(&d->arena, &items, &d->capacity, d->n + 1, sizeof *d->items));
    d->items = items;
    nt_fetch *f = nt_arena_alloc(&d->arena, 1, sizeof *f);
    if (!f) return NT_E_MEMORY;
    f->required = required;
    f->file = nt_arena_copy(&d->arena, file, strlen(file));
    if (!f->file) return NT_E_MEMORY;
    nt_fetch_begin(f, &d->job);
    d->items[d->n++] = f;
    return NT_OK;
}

/* What is to be asked for next. Before the commit is known, one file must tell it. */
static int plan(download *d) {
    bool usable;
    d->changed = false;
    d->planned = d->job.commit[0] != 0;
    if (d->planned)
        return nt_hub_survey(&usable, &d->job.repo, d->job.commit, d->want, add_file, d);
    if (d->want->part == NT_HUB_FILES) return add_file(d, d->want->files[0], true);
    return add_file(d, "config.json", d->want->part == NT_HUB_MODEL);
}

static void tell(download *d, bool now) {
    const nt_hub_place *place = d->job.place;
    const nt_callbacks *callbacks = place->callbacks;
    double time = nt_clock();
    if (!now && time - d->told < 0.1) return;
    d->told = time;
    uint64_t done = 0, total = 0;
    for (size_t i = 0; i < d->n; i++) {
        const nt_fetch *f = d->items[i];
        if (f->state == NT_FETCH_LACKS) continue;
        done += f->done < f->size ? f->done : f->size;
        total += f->size;
    }
    if (total && callbacks && callbacks->progress)
        callbacks->progress(callbacks->payload, "bytes", done, total);
    nt_transfer *all = place->options.transfers ? nt_alloc(d->n, sizeof *all) : NULL;
    if (!all) return;
    for (size_t i = 0; i < d->n; i++) {
        const nt_fetch *f = d->items[i];
        bool getting = f->state == NT_FETCH_GETTING ||
                       (f->state == NT_FETCH_RESTING && f->again == NT_FETCH_GETTING);
        all[i] = (nt_transfer){sizeof *all, f->file, f->done, f->size, getting, settled(f)};
    }
    place->options.transfers(place->options.payload, all, d->n);
    nt_free(all);
}

/* One step of each file that may run; *busy: some are not settled yet. */
static int step_all(bool *busy, download *d) {
    size_t running = 0, most = (size_t)d->job.place->parallel;
    *busy = false;
    for (size_t i = 0; i < d->n; i++) {
        nt_fetch *f = d->items[i];
        if (settled(f)) continue;
        *busy = true;
        if (f->state == NT_FETCH_WAITING && running >= most) continue;
        running++;
        NT_TRY(nt_fetch_step(f));
        if (settled(f)) {
            d->changed = true;
            tell(d, true);
        }
    }
    return NT_OK;
}

static int run_download(download *d) {
    bool busy = true;
    NT_TRY(plan(d));
    while (busy) {
        NT_TRY(step_all(&busy, d));
        if (nt_hub_cancelled(d->job.place))
            return nt_fail(NT_E_CANCELLED, "the download of %s was stopped; what came is kept",
                           d->job.name);
        bool more = d->changed || (!d->planned && d->job.commit[0]);
        if (more) NT_TRY(plan(d));
        tell(d, false);
        if (busy && !more) NT_TRY(nt_http_work(d->job.http));
        busy |= more;
    }
    return NT_OK;
}

/* What the arena holds has ends of its own. */
static void download_free(download *d) {
    for (size_t i = 0; i < d->n; i++)
        nt_fetch_end(d->items[i]);
    nt_http_free(d->job.http);
    nt_hub_repo_free(&d->job.repo);
    nt_arena_free(&d->arena);
}

static int check_whole(download *d) {
    found f = {0};
    bool usable;
    NT_TRY(nt_hub_survey(&usable, &d->job.repo, d->job.commit, d->want, note_missing, &f));
    if (usable) return NT_OK;
    if (!f.missing[0])
        return nt_fail(NT_E_NOT_FOUND, "%s has neither tokenizer.json nor vocab.json: no tokenizer",
                       d->job.name);
    return nt_fail(NT_E_IO, "%.200s of %s could not be noted in %.300s: can it be written?",
                   f.missing, d->job.name, d->job.repo.folder);
}

static int fetch(char **folder, const nt_hub_place *place, const nt_hub_name *name,
                 const nt_hub_want *want, bool fast) {
    download d = {.job = {.place = place, .name = name->repo, .revision = name->revision}};
    d.want = want;
    d.job.fast = fast;
    d.job.named = want->part == NT_HUB_FILES;
    if (nt_hub_is_commit(name->revision)) strcpy(d.job.commit, name->revision);
    int status = nt_hub_repo_take(&d.job.repo, place, name->repo);
    if (status == NT_OK) status = nt_http_new(&d.job.http, place);
    if (status == NT_OK) status = run_download(&d);
    if (status == NT_OK) status = check_whole(&d);
    if (status == NT_OK) {
        nt_hub_tag(place);
        /* In a cache that cannot be written all is there already; the branch is looked up again. */
        if (strcmp(name->revision, d.job.commit) != 0 &&
            nt_hub_set_ref(&d.job.repo, name->revision, d.job.commit) == NT_E_MEMORY)
            status = NT_E_MEMORY;
    }
    if (status == NT_OK && folder) {
        *folder = nt_hub_path("%s/snapshots/%s", d.job.repo.folder, d.job.commit);
        if (!*folder) status = NT_E_MEMORY;
    }
    download_free(&d);
    return status;
}

/* ---- Both ------------------------------------------------------------------------------------ */

static int have(char **folder, found *f) {
    *folder = f->folder;
    f->folder = NULL;
    return NT_OK;
}

static int resolve(char **folder, const nt_hub_place *place, const nt_hub_name *name,
                   const nt_hub_want *want) {
    found f;
    int status = look_in_cache(&f, place, name, want);
    bool whole = f.folder && !f.missing[0];
    if (status == NT_OK && f.folder && (place->offline || (whole && !place->refresh)))
        status = have(folder, &f);
    else if (status == NT_OK && place->offline)
        status = fail_not_cached(place, name, &f);
    else if (status == NT_OK)
        status = fetch(folder, place, name, want, f.folder != NULL);
    bool unreachable = status == NT_E_NETWORK || status == NT_E_UNSUPPORTED;
    if (unreachable && f.folder && !*folder) {
        nt_note(place->callbacks, "%s", nt_error_message());
        nt_note(place->callbacks, "%s is taken as the cache has it: commit %s", name->repo,
                f.commit);
        status = have(folder, &f);
    }
    nt_free(f.folder);
    return status;
}

static int resolve_named(char **folder, const char *word, const nt_hub_want *want,
                         const nt_hub_options *options, bool offline) {
    char *found_folder = NULL;
    nt_hub_name name;
    nt_hub_place place;
    if (folder) *folder = NULL;
    NT_TRY(nt_hub_name_read(&name, word));
    int status = nt_hub_place_take(&place, options);
    place.offline = place.offline || offline;
    if (status == NT_OK) status = resolve(&found_folder, &place, &name, want);
    nt_hub_place_free(&place);
    if (status == NT_OK && folder)
        *folder = found_folder;
    else
        nt_free(found_folder);
    return status;
}

int nt_hub_resolve(char **folder, const char *name, nt_hub_part part,
                   const nt_hub_options *options) {
    const nt_hub_want want = {part, NULL, 0};
    return resolve_named(folder, name, &want, options, false);
}

int nt_hub_find(char **folder, const char *name, const nt_hub_options *options) {
    const nt_hub_want want = {NT_HUB_MODEL, NULL, 0};
    return resolve_named(folder, name, &want, options, true);
}

int nt_hub_pull(char **folder, const char *name, const char *const *files, size_t n_files,
                const nt_hub_options *options) {
    const nt_hub_want want = {n_files ? NT_HUB_FILES : NT_HUB_MODEL, files, n_files};
    for (size_t i = 0; i < n_files; i++) {
        if (nt_hub_is_file_name(files[i])) continue;
        if (folder) *folder = NULL;
        return nt_fail(NT_E_ARGUMENT,
                       "\"%.200s\" is no file of a repo: give its path from the "
                       "repo's top, such as model.Q8_0.gguf",
                       files[i]);
    }
    return resolve_named(folder, name, &want, options, false);
}
