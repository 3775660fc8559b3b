#include "hub/fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/note.h"
#include "base/random.h"
#include "hub/trouble.h"

enum { PART = 1 << 20, LARGEST_UNSIZED = 64 << 20, LARGEST_TEXT = 1 << 28 };

static const double first_rest = 0.5, longest_rest = 8;

static char *blob_path(const nt_fetch *f, const char *end) {
    return nt_hub_path("%s/blobs/%s%s", f->job->repo.folder, f->blob, end);
}

/* ---- Again ----------------------------------------------------------------------------------- */

/* A request failed: rest, twice as long each time, and not in step with others; or give up. */
static int rest(nt_fetch *f) {
    double least;
    uint64_t dice;
    bool asking = f->state == NT_FETCH_ASKING;
    if (f->done >= f->best + PART) f->tries = 0; /* further than ever before */
    if (f->done > f->best) f->best = f->done;
    if (!nt_hub_may_retry(&least, f) || f->tries >= f->job->place->retries ||
        (asking && f->job->fast))
        return nt_hub_fail_request(f);
    double pause = first_rest;
    for (int i = 0; i < f->tries && pause < longest_rest; i++)
        pause *= 2;
    if (nt_random_seed(&dice) == NT_OK) pause *= 0.75 + (double)(dice % 1024) / 2048;
    if (pause < least) pause = least;
    f->tries++;
    if (least > 0)
        nt_note(f->job->place->callbacks, "%s asks for a pause of %.0f s", f->request.host, least);
    else if (f->tries == 2 && f->request.code != CURLE_OK)
        nt_note(f->job->place->callbacks, "%s: %s; trying again", f->request.host,
                f->request.trouble);
    f->again = f->state;
    f->until = nt_clock() + pause;
    f->state = NT_FETCH_RESTING;
    return NT_OK;
}

/* ---- What the hub says of the file ----------------------------------------------------------- */

static int ask(nt_fetch *f, bool head) {
    const nt_fetch_job *job = f->job;
    nt_buffer path = {0};
    nt_buffer_printf(&path, "/%s/resolve/", job->name);
    nt_http_escape(&path, job->commit[0] ? job->commit : job->revision, false);
    nt_buffer_putc(&path, '/');
    nt_http_escape(&path, f->file, true);
    f->request.head = head;
    f->request.from = head ? 0 : f->done;
    int status = path.status;
    if (status == NT_OK) status = nt_http_start(job->http, &f->request, path.data);
    nt_buffer_free(&path);
    return status;
}

/* The commit has no such file: known from now on. */
static int lacks(nt_fetch *f) {
    const nt_fetch_job *job = f->job;
    if (f->required) return nt_hub_fail_request(f);
    f->state = NT_FETCH_LACKS;
    if (job->commit[0] && nt_hub_set_lacks(&job->repo, job->commit, f->file) == NT_E_MEMORY)
        return NT_E_MEMORY;
    return NT_OK;
}

static int take_commit(nt_fetch *f) {
    nt_fetch_job *job = f->job;
    const char *commit = f->request.reply.commit;
    if (!nt_hub_is_commit(commit)) {
        if (job->commit[0] && !commit[0]) return NT_OK;
        return nt_fail(NT_E_NETWORK,
                       "%s does not say which commit %.200s belongs to: it is no Hugging Face hub, "
                       "or a proxy answers in its place (HF_ENDPOINT, https_proxy)",
                       f->request.host, f->file);
    }
    if (!job->commit[0]) strcpy(job->commit, commit);
    if (strcmp(job->commit, commit) == 0) return NT_OK;
    return nt_fail(NT_E_FORMAT, "%s gives %.200s of commit %s where %s was asked for",
                   f->request.host, f->file, commit, job->commit);
}

static bool is_text(const char *file) {
    size_t n = strlen(file);
    return n > 5 && (strcmp(file + n - 5, ".json") == 0 || strcmp(file + n - 4, ".txt") == 0);
}

static int heard(nt_fetch *f) {
    const nt_reply *reply = &f->request.reply;
    const char *etag = reply->linked_etag[0] ? reply->linked_etag : reply->etag;
    bool entry = reply->code == 404 && strcmp(reply->error_code, "EntryNotFound") == 0;
    if (f->request.status != NT_OK) return f->request.status;
    if (f->request.code != CURLE_OK || reply->code >= 500) return rest(f);
    if (entry && nt_hub_is_commit(reply->commit)) NT_TRY(take_commit(f));
    if (entry) return lacks(f);
    if (reply->code < 200 || reply->code >= 400) return rest(f);
    NT_TRY(take_commit(f));
    if (nt_hash_kind_of(etag) == NT_HASH_NONE)
        return nt_fail(NT_E_FORMAT,
                       "%s gives no hash of %.200s to check it by (its ETag is \"%.80s\"): it "
                       "is no Hugging Face hub",
                       f->request.host, f->file, etag);
    strcpy(f->blob, etag);
    int64_t size = reply->linked_size >= 0 ? reply->linked_size
                   : reply->code == 200    ? reply->length
                                           : -1;
    f->sized = size >= 0;
    f->size = f->sized ? (uint64_t)size : 0;
    if (f->size > LARGEST_TEXT && is_text(f->file) && !f->job->named)
        return nt_fail(NT_E_FORMAT,
                       "%.200s of %s has %" PRIu64 " bytes, which no such file has: nextoken pull "
                       "%s %.200s fetches it all the same",
                       f->file, f->job->name, f->size, f->job->name, f->file);
    f->tries = 0;
    f->until = nt_clock() + 1;
    nt_hub_known known;
    NT_TRY(nt_hub_knows(&known, &f->job->repo, f->job->commit, f->file));
    f->state = known == NT_HUB_HAS ? NT_FETCH_HAS : NT_FETCH_LOCKING;
    if (known == NT_HUB_HAS) f->size = f->done = 0; /* nothing of it is to come */
    return NT_OK;
}

/* ---- Its bytes ------------------------------------------------------------------------------- */

static int fail_write(const nt_fetch *f, int reason) {
    const nt_hub_place *place = f->job->place;
    if (reason == ENOSPC || reason == EDQUOT || reason == EFBIG) {
        struct statvfs disk;
        uint64_t left = statvfs(place->cache, &disk) == 0
                            ? (uint64_t)disk.f_bavail * (uint64_t)disk.f_frsize
                            : 0;
        return nt_fail(NT_E_IO,
                       "no room for %.200s: it needs %" PRIu64 " bytes more, and %.300s has "
                       "%" PRIu64 " (%s); make room, or name another folder in HF_HOME",
                       f->file, f->size - f->done, place->cache, left, strerror(reason));
    }
    return nt_fail(NT_E_IO, "cannot write %.200s into %.300s: %s", f->file, place->cache,
                   strerror(reason));
}

/* The disk's blocks before its bytes; the file's length stays that of what came. */
static int reserve(const nt_fetch *f) {
    struct statvfs disk;
    if (!f->sized || f->size == f->done) return NT_OK;
    if (fallocate(f->fd, FALLOC_FL_KEEP_SIZE, (off_t)f->done, (off_t)(f->size - f->done)) == 0)
        return NT_OK;
    if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG) return fail_write(f, errno);
    if (fstatvfs(f->fd, &disk) == 0 &&
        (uint64_t)disk.f_bavail * (uint64_t)disk.f_frsize < f->size - f->done)
        return fail_write(f, ENOSPC);
    return NT_OK;
}

/* Empties the file: all of it is to come (again). */
static int start_over(nt_fetch *f) {
    f->done = 0;
    nt_hash_begin_blob(&f->hash, nt_hash_kind_of(f->blob), f->size);
    return ftruncate(f->fd, 0) == 0 ? NT_OK : fail_write(f, errno);
}

/* Takes up what an earlier download left: its hash is computed as far as it goes. */
static int take_up(nt_fetch *f) {
    struct stat info;
    NT_TRY(fstat(f->fd, &info) == 0 ? NT_OK : fail_write(f, errno));
    if (!f->sized || (uint64_t)info.st_size > f->size) return start_over(f);
    char *part = nt_alloc(PART, 1);
    if (!part) return NT_E_MEMORY;
    int status = NT_OK;
    nt_hash_begin_blob(&f->hash, nt_hash_kind_of(f->blob), f->size);
    f->done = 0;
    while (status == NT_OK && f->done < (uint64_t)info.st_size) {
        ssize_t n = pread(f->fd, part, PART, (off_t)f->done);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) status = fail_write(f, errno);
        if (n <= 0) break;
        nt_hash_put(&f->hash, part, (size_t)n);
        f->done += (uint64_t)n;
        if (nt_hub_cancelled(f->job->place)) status = nt_fail(NT_E_CANCELLED, "cancelled");
    }
    nt_free(part);
    return status;
}

/* What the answer to a request for bytes says of them, before the first. */
static int on_begin(void *payload, const nt_reply *reply) {
    nt_fetch *f = payload;
    if (reply->code == 206 && reply->range_start != (int64_t)f->done) {
        f->request.from = 0; /* another part than was asked for: then all of it */
        return nt_fail(NT_E_FORMAT, "%s sends another part of %.200s than was asked for",
                       f->request.host, f->file);
    }
    if (reply->code == 200 && f->done) NT_TRY(start_over(f));
    if (!f->sized && reply->length >= 0 && reply->code == 200) {
        f->size = (uint64_t)reply->length;
        f->sized = true;
        NT_TRY(start_over(f)); /* git's hash begins with the length */
    }
    return reserve(f);
}

static int on_bytes(void *payload, const char *bytes, size_t n) {
    nt_fetch *f = payload;
    uint64_t most = f->sized ? f->size : LARGEST_UNSIZED;
    if (n > most - f->done)
        return nt_fail(NT_E_FORMAT,
                       "%s sends more of %.200s than the %" PRIu64 " bytes that it has",
                       f->request.host, f->file, most);
    nt_hash_put(&f->hash, bytes, n);
    while (n > 0) {
        ssize_t k = pwrite(f->fd, bytes, n, (off_t)f->done);
        if (k < 0 && errno == EINTR) continue;
        if (k < 0) return fail_write(f, errno);
        bytes += k;
        n -= (size_t)k;
        f->done += (uint64_t)k;
    }
    return NT_OK;
}

static int link_blob(nt_fetch *f) {
    NT_TRY(nt_hub_link(&f->job->repo, f->job->commit, f->file, f->blob));
    nt_fetch_end(f);
    f->done = f->size;
    f->state = NT_FETCH_HAS;
    return NT_OK;
}

/* The file behind the lock: there by now, or begun by an earlier download, or new. */
static int open_blob(nt_fetch *f) {
    struct stat info;
    char *path = blob_path(f, ""), *draft = blob_path(f, ".incomplete");
    int status = path && draft ? nt_hub_make_room(path) : NT_E_MEMORY;
    bool there = status == NT_OK && stat(path, &info) == 0 && S_ISREG(info.st_mode) &&
                 (!f->sized || (uint64_t)info.st_size == f->size);
    if (there) {
        f->size = 0; /* nothing of it is to come */
        status = link_blob(f);
    } else if (status == NT_OK) {
        f->fd = open(draft, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
        status = f->fd < 0 ? fail_write(f, errno) : take_up(f);
    }
    if (status == NT_OK && !there) {
        f->state = NT_FETCH_GETTING;
        f->request.done = false;
    }
    nt_free(path);
    nt_free(draft);
    return status;
}

static int lock(nt_fetch *f) {
    NT_TRY(nt_hub_lock(&f->lock, &f->job->repo, f->blob));
    if (f->lock >= 0) return open_blob(f);
    if (f->told || nt_clock() < f->until) return NT_OK; /* files of this one may be equal */
    nt_note(f->job->place->callbacks, "another process fetches %.200s of %s: waiting for it",
            f->file, f->job->name);
    f->told = true;
    return NT_OK;
}

/* git's hash of a file whose length nobody told before its end. */
static int hash_unsized(nt_fetch *f) {
    f->size = f->done;
    f->sized = true;
    return take_up(f);
}

/* All bytes are there. The hash decides; then the file gets its name, and the commit a link. */
static int settle(nt_fetch *f) {
    char found[NT_HASH_TEXT];
    if (!f->sized) NT_TRY(hash_unsized(f));
    nt_hash_end(found, &f->hash);
    if (strcmp(found, f->blob) != 0) {
        NT_TRY(start_over(f));
        if (f->restarted) {
            char *draft = blob_path(f, ".incomplete");
            if (draft) unlink(draft);
            nt_free(draft);
            return nt_fail(NT_E_FORMAT,
                           "%.200s came from %s with a wrong hash, twice: %s, not %s; nothing of "
                           "it is kept",
                           f->file, f->request.host, found, f->blob);
        }
        nt_note(f->job->place->callbacks,
                "%.200s came with a wrong hash: once more from the beginning", f->file);
        f->restarted = true;
        f->best = 0;
        f->state = NT_FETCH_GETTING;
        return ask(f, false);
    }
    if (ftruncate(f->fd, (off_t)f->done) != 0 || fsync(f->fd) != 0) return fail_write(f, errno);
    char *path = blob_path(f, ""), *draft = blob_path(f, ".incomplete");
    int status = path && draft ? NT_OK : NT_E_MEMORY;
    if (status == NT_OK && rename(draft, path) != 0) status = fail_write(f, errno);
    nt_free(path);
    nt_free(draft);
    return status == NT_OK ? link_blob(f) : status;
}

/* The request for its bytes has ended in one way or another. */
static int got(nt_fetch *f) {
    const nt_request *r = &f->request;
    bool part_refused =
        r->reply.code == 416 || (r->status == NT_E_FORMAT && r->reply.code == 206 && r->from == 0);
    bool answered = r->code == CURLE_OK && (r->reply.code == 200 || r->reply.code == 206);
    bool empty = answered && !r->begun; /* of 0 bytes */
    if (part_refused && (f->done || f->tries < f->job->place->retries)) {
        f->tries++;
        NT_TRY(start_over(f));
        return ask(f, false);
    }
    if (r->status != NT_OK) return r->status;
    if (empty) NT_TRY(on_begin(f, &r->reply));
    if (answered && (!f->sized || f->done == f->size)) return settle(f);
    if (answered) f->request.code = CURLE_PARTIAL_FILE; /* it ended too early */
    if (answered) strcpy(f->request.trouble, "the connection ended before the file did");
    return rest(f);
}

/* ---- Steps ----------------------------------------------------------------------------------- */

void nt_fetch_begin(nt_fetch *f, nt_fetch_job *job) {
    f->job = job;
    f->lock = f->fd = -1;
    f->state = NT_FETCH_WAITING;
    f->request.begin = on_begin;
    f->request.take = on_bytes;
    f->request.payload = f;
}

static int get(nt_fetch *f) {
    if (f->request.done) return got(f);
    if (f->request.running) return NT_OK;
    bool whole = f->sized && f->done == f->size && f->size > 0;
    return whole ? settle(f) : ask(f, false); /* of a download killed just before its end */
}

static int step(nt_fetch *f) {
    switch (f->state) {
    case NT_FETCH_WAITING: f->state = NT_FETCH_ASKING; return ask(f, true);
    case NT_FETCH_ASKING: return f->request.done ? heard(f) : NT_OK;
    case NT_FETCH_LOCKING: return lock(f);
    case NT_FETCH_GETTING: return get(f);
    case NT_FETCH_RESTING:
        if (nt_clock() < f->until) return NT_OK;
        f->state = f->again;
        return ask(f, f->state == NT_FETCH_ASKING);
    default: return NT_OK;
    }
}

int nt_fetch_step(nt_fetch *f) {
    nt_fetch_state before;
    do {
        before = f->state;
        NT_TRY(step(f));
    } while (f->state != before);
    return NT_OK;
}

void nt_fetch_end(nt_fetch *f) {
    if (f->job) nt_http_end(f->job->http, &f->request);
    if (f->fd >= 0) close(f->fd);
    nt_hub_unlock(f->lock);
    f->fd = f->lock = -1;
}
