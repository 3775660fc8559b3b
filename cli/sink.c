#include "sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUFFER = 1 << 18, PIECE = 1 << 16 };

/* ---- FILE ------------------------------------------------------------------------------------ */

/* Whether records are read from the regular file that `output` is: it would never end. */
static bool is_input(const struct stat *output, const cli_settings *settings) {
    const char *name = settings->table ? settings->table : settings->jsonl;
    struct stat input;
    if (!name || !S_ISREG(output->st_mode)) return false;
    int status = strcmp(name, "-") == 0 ? fstat(STDIN_FILENO, &input) : stat(name, &input);
    return status == 0 && input.st_dev == output->st_dev && input.st_ino == output->st_ino;
}

static bool check_file(int fd, const cli_settings *settings) {
    struct stat info;
    const char *name = settings->output;
    if (fstat(fd, &info) != 0) {
        cli_error("cannot open %s: %s", name, strerror(errno));
        return false;
    }
    if (!S_ISREG(info.st_mode)) {
        if (settings->resume) cli_error("%s is no file that --resume can go on with", name);
        return !settings->resume;
    }
    if (is_input(&info, settings)) {
        cli_error("%s is the input; --output must be another file", name);
        return false;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        cli_error("another run is writing %s", name);
        return false;
    }
    if (fstat(fd, &info) == 0 && info.st_size > 0 && !settings->resume) {
        cli_error("%s is not empty: %sremove it to begin anew", name,
                  settings->jsonl || settings->table ? "--resume goes on where it ends; " : "");
        return false;
    }
    return true;
}

static bool check_stdout(const cli_settings *settings) {
    struct stat info;
    if (fstat(STDOUT_FILENO, &info) != 0 || !is_input(&info, settings)) return true;
    cli_error("standard output is the input; it must go to another file");
    return false;
}

bool cli_output_open(const cli_settings *settings) {
    if (!settings->output) return check_stdout(settings);
    int how = settings->resume ? O_RDWR : O_WRONLY;
    int fd = open(settings->output, how | O_CREAT | O_CLOEXEC | O_NOCTTY, 0666);
    if (fd < 0) {
        cli_error("cannot open %s: %s", settings->output, strerror(errno));
        return false;
    }
    if (!check_file(fd, settings)) {
        close(fd);
        return false;
    }
    cli_stdout_name = settings->output;
    if (fd == STDOUT_FILENO) return true;
    bool ok = dup2(fd, STDOUT_FILENO) >= 0; /* the lock goes along */
    if (!ok) cli_error("cannot open %s: %s", settings->output, strerror(errno));
    close(fd);
    return ok;
}

/* ---- Records out ----------------------------------------------------------------------------- */

bool cli_sink_open(cli_sink *sink, const cli_settings *settings) {
    struct stat info;
    *sink = (cli_sink){.buffer = malloc(BUFFER)};
    if (!sink->buffer) {
        cli_error("out of memory");
        return false;
    }
    sink->file = settings->output && fstat(STDOUT_FILENO, &info) == 0 && S_ISREG(info.st_mode);
    return true;
}

static bool fail(cli_sink *sink, const char *what, const char *why) {
    if (!sink->failed) cli_error("%s %s: %s", what, cli_stdout_name, why);
    sink->failed = true;
    return false;
}

/* A disk that is full: half a record is taken back, so that FILE holds whole ones. */
static bool fail_to_write(cli_sink *sink) {
    char why[256];
    snprintf(why, sizeof why, "%s", strerror(errno ? errno : EIO));
    if (sink->file && ftruncate(STDOUT_FILENO, sink->whole) == 0) {
        size_t n = strlen(why);
        snprintf(why + n, sizeof why - n,
                 "; what it holds are whole records, and --resume goes on with them");
    }
    return fail(sink, "cannot write to", why);
}

bool cli_sink_flush(cli_sink *sink) {
    size_t done = 0;
    if (sink->failed) return false;
    while (done < sink->n) {
        ssize_t n = write(STDOUT_FILENO, sink->buffer + done, sink->n - done);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return fail_to_write(sink);
        done += (size_t)n;
    }
    sink->written += (off_t)done;
    sink->whole = sink->marked;
    sink->n = 0;
    return true;
}

/* The part of bytes [n] that FILE already holds, *same, must be as it is there. */
static bool compare(size_t *same, cli_sink *sink, const char *bytes, size_t n) {
    char there[PIECE];
    *same = 0;
    while (*same < n && sink->check < sink->check_end) {
        size_t left = (size_t)(sink->check_end - sink->check), m = n - *same;
        if (m > left) m = left;
        if (m > sizeof there) m = sizeof there;
        ssize_t got = pread(STDOUT_FILENO, there, m, sink->check);
        if (got <= 0) return fail(sink, "cannot read", strerror(got < 0 ? errno : EIO));
        if (memcmp(there, bytes + *same, (size_t)got) != 0) {
            return fail(sink, "cannot go on with",
                        "its last record comes out otherwise now; were model, options, input, "
                        "version or instruction set others? Remove it to begin anew");
        }
        *same += (size_t)got;
        sink->check += got;
    }
    if (*same == 0 || sink->check < sink->check_end) return true;
    sink->written = sink->marked = sink->whole = sink->check_end;
    if (ftruncate(STDOUT_FILENO, sink->written) != 0 ||
        lseek(STDOUT_FILENO, sink->written, SEEK_SET) < 0)
        return fail(sink, "cannot write to", strerror(errno));
    return true;
}

int cli_sink_put(void *payload, const char *bytes, size_t n) {
    cli_sink *sink = payload;
    size_t same;
    if (sink->failed || !compare(&same, sink, bytes, n)) return -1;
    for (bytes += same, n -= same; n > 0;) {
        size_t m = n < BUFFER - sink->n ? n : BUFFER - sink->n;
        memcpy(sink->buffer + sink->n, bytes, m);
        sink->n += m;
        bytes += m;
        n -= m;
        if (sink->n == BUFFER && !cli_sink_flush(sink)) return -1;
    }
    return 0;
}

void cli_sink_mark(cli_sink *sink) {
    bool checking = sink->check < sink->check_end;
    sink->marked = checking ? sink->check : sink->written + (off_t)sink->n;
}

bool cli_sink_close(cli_sink *sink, bool ended) {
    cli_sink_flush(sink);
    if (ended && sink->check < sink->check_end)
        fail(sink, "cannot go on with", "it holds more than this input gives");
    if (sink->file && !sink->failed && fsync(STDOUT_FILENO) != 0 && errno != EINVAL &&
        errno != EROFS && errno != ENOTSUP)
        fail_to_write(sink);
    free(sink->buffer);
    sink->buffer = NULL;
    return !sink->failed;
}
