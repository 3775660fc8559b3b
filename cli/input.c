#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"

enum { PIECE = 1 << 16 };

static const char *shown(const char *name) {
    return strcmp(name, "-") == 0 ? "standard input" : name;
}

bool cli_input_open(cli_input *in, const char *name) {
    struct stat info;
    *in = (cli_input){.fd = STDIN_FILENO};
    if (strcmp(name, "-") != 0) in->fd = open(name, O_RDONLY | O_CLOEXEC);
    if (in->fd < 0 || fstat(in->fd, &info) != 0) {
        cli_error("cannot open %s: %s", shown(name), strerror(errno));
        cli_input_close(in);
        return false;
    }
    if (S_ISDIR(info.st_mode)) {
        cli_error("cannot read %s: it is a directory", shown(name));
        cli_input_close(in);
        return false;
    }
    if (S_ISREG(info.st_mode)) in->size = (uint64_t)info.st_size;
    return true;
}

void cli_input_close(cli_input *in) {
    if (in->fd > STDIN_FILENO) close(in->fd);
    free(in->bytes);
    *in = (cli_input){.fd = -1};
}

/* Room for a piece more, by sliding what is left to the front or by growing. */
static bool make_room(cli_input *in) {
    if (in->room - in->end >= PIECE) return true;
    if (in->begin > in->room / 2) {
        memmove(in->bytes, in->bytes + in->begin, in->end - in->begin);
        in->end -= in->begin;
        in->begin = 0;
        if (in->room - in->end >= PIECE) return true;
    }
    size_t wanted = in->room ? in->room * 2 : 4 * PIECE;
    char *bigger = realloc(in->bytes, wanted);
    if (!bigger) return false;
    in->bytes = bigger;
    in->room = wanted;
    return true;
}

int cli_input_more(cli_input *in) {
    if (in->ended) return 0;
    if (!make_room(in)) {
        errno = ENOMEM;
        return -1;
    }
    ssize_t n;
    do
        n = read(in->fd, in->bytes + in->end, in->room - in->end);
    while (n < 0 && errno == EINTR && !cli_interrupted());
    if (n < 0) return -1;
    in->end += (size_t)n;
    in->ended = n == 0;
    return n > 0;
}

bool cli_input_would_wait(const cli_input *in) {
    struct pollfd waits = {.fd = in->fd, .events = POLLIN};
    return !in->ended && poll(&waits, 1, 0) == 0;
}

void cli_input_take(cli_input *in, size_t n) {
    in->begin += n;
    in->offset += n;
    if (in->begin == in->end) in->begin = in->end = 0;
}

char *cli_read_whole(const char *name, size_t *n) {
    cli_input in;
    int more = 0;
    *n = 0;
    if (!cli_input_open(&in, name)) return NULL;
    if (in.size < SIZE_MAX / 4) in.bytes = malloc(in.room = (size_t)in.size + 2 * PIECE);
    if (!in.bytes) in.room = 0;
    while (!cli_interrupted() && (more = cli_input_more(&in)) > 0)
        ;
    char *text = more < 0 ? NULL : in.bytes;
    if (more < 0 && !cli_interrupted())
        cli_error("cannot read %s: %s", shown(name), strerror(errno));
    if (cli_interrupted()) {
        cli_error("stopped by Ctrl-C");
        text = NULL;
    }
    if (text) {
        *n = in.end;
        text[in.end] = 0; /* make_room leaves some */
        in.bytes = NULL;
    }
    cli_input_close(&in);
    return text;
}
