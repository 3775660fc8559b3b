#include "pager.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Lines on the screen: tables fit its width, other lines are counted once. */
static bool is_long(const char *bytes, size_t n) {
    struct winsize size = {0};
    size_t lines = 0;
    if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return false;
    for (size_t i = 0; i < n; i++)
        lines += bytes[i] == '\n';
    return size.ws_row > 0 && lines >= size.ws_row; /* the prompt needs a line, too */
}

/* What to run; NULL: nothing. */
static const char *command(void) {
    const char *term = getenv("TERM"), *pager = getenv("NEXTOKEN_PAGER");
    if (!term || strcmp(term, "dumb") == 0) return NULL;
    if (!pager) pager = getenv("PAGER");
    if (!pager) return "command -v less >/dev/null 2>&1 || exit 127; exec less";
    return *pager && strcmp(pager, "cat") != 0 ? pager : NULL;
}

/* The pager's own life: it reads `from`, and Ctrl-C is its own. */
static void become(const char *pager, const int ends[2]) {
    signal(SIGINT, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
    dup2(ends[0], STDIN_FILENO);
    close(ends[0]);
    close(ends[1]);
    setenv("LESS", "FRX", 0); /* quits where all fits, shows colours, leaves the text behind */
    setenv("LV", "-c", 0);
    execl("/bin/sh", "sh", "-c", pager, (char *)NULL);
    _exit(127);
}

/* Who leaves the pager has read enough: a pipe that closes is no failure. */
static void feed(int fd, const char *bytes, size_t n) {
    while (n > 0) {
        ssize_t k = write(fd, bytes, n);
        if (k < 0 && errno == EINTR) continue;
        if (k <= 0) break;
        bytes += k;
        n -= (size_t)k;
    }
    close(fd);
}

/* False: no pager ran, and nothing was shown. */
static bool run(const char *pager, const char *bytes, size_t n) {
    int ends[2], status = 0;
    struct sigaction ignore = {.sa_handler = SIG_IGN}, interrupt, broken;
    if (pipe(ends) != 0) return false;
    fflush(stdout);
    fflush(stderr);
    sigemptyset(&ignore.sa_mask);
    sigaction(SIGINT, &ignore, &interrupt); /* in the pager Ctrl-C means something else */
    sigaction(SIGPIPE, &ignore, &broken);
    pid_t child = fork();
    if (child == 0) become(pager, ends);
    close(ends[0]);
    if (child > 0)
        feed(ends[1], bytes, n);
    else
        close(ends[1]);
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    sigaction(SIGINT, &interrupt, NULL);
    sigaction(SIGPIPE, &broken, NULL);
    return child > 0 &&
           !(WIFEXITED(status) && (WEXITSTATUS(status) == 127 || WEXITSTATUS(status) == 126));
}

bool cli_page(const char *bytes, size_t n, bool allowed) {
    const char *pager = allowed && is_long(bytes, n) ? command() : NULL;
    if (pager && run(pager, bytes, n)) return true;
    return fwrite(bytes, 1, n, stdout) == n;
}
