/* nextoken bench: how fast a model runs on this machine, beside what the machine can do. */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli.h"
#include "progress.h"

extern char **environ;

/* What starts the program anew. */
typedef struct starter {
    char program[4096];
    char threads[16];
    const char *argv[16];
    nt_model_info info;
    bool quiet;
} starter;

/* nextoken next -q -m MODEL --ids 1,2,3: a table of ten, whatever tokenizer there is. */
static bool find_program(starter *s, const cli_run *run, const cli_settings *settings) {
    ssize_t n = readlink("/proc/self/exe", s->program, sizeof s->program - 1);
    size_t i = 0;
    s->info.size = sizeof s->info;
    if (n <= 0 || nt_model_get_info(&s->info, run->model) != NT_OK) return false;
    s->program[n] = 0;
    s->argv[i++] = s->program;
    s->argv[i++] = "next";
    s->argv[i++] = "-q";
    s->argv[i++] = "--ids";
    s->argv[i++] = "1,2,3";
    if (settings->model) {
        s->argv[i++] = "-m";
        s->argv[i++] = settings->model;
    }
    if (settings->threads > 0) {
        snprintf(s->threads, sizeof s->threads, "%d", settings->threads);
        s->argv[i++] = "--threads";
        s->argv[i++] = s->threads;
    }
    s->argv[i++] = "--precision";
    s->argv[i++] = s->info.precision;
    s->argv[i] = NULL;
    return true;
}

/* Its output goes into the pipe, its messages nowhere. */
static pid_t spawn(const starter *s, const int ends[2]) {
    posix_spawn_file_actions_t actions;
    pid_t child;
    if (posix_spawn_file_actions_init(&actions) != 0) return -1;
    bool ready =
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO) == 0 &&
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0) == 0;
    char **argv = (char **)(uintptr_t)s->argv; /* which it does not write to */
    if (!ready || posix_spawn(&child, s->program, &actions, NULL, argv, environ) != 0) child = -1;
    posix_spawn_file_actions_destroy(&actions);
    return child;
}

/* Seconds until the first byte of its table. */
static double start(void *payload) {
    starter *s = payload;
    int ends[2], status = 0;
    char bytes[4096];
    if (pipe2(ends, O_CLOEXEC) != 0) return -1;
    double begun = cli_seconds(), seconds = -1;
    pid_t child = spawn(s, ends);
    close(ends[1]);
    ssize_t n;
    while (child > 0 && ((n = read(ends[0], bytes, sizeof bytes)) > 0 || (n < 0 && errno == EINTR)))
        if (n > 0 && seconds < 0) seconds = cli_seconds() - begun;
    close(ends[0]);
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    if (child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0 && seconds >= 0) return seconds;
    if (!s->quiet && !cli_interrupted()) cli_note("%s could not be started anew", s->program);
    return -1;
}

static int run(nt_result **out, cli_run *r, const nt_prompt *prompt, const cli_settings *settings) {
    (void)prompt;
    starter s = {.quiet = r->quiet};
    nt_bench_options options = NT_BENCH_OPTIONS_INIT;
    options.jobs = settings->jobs;
    options.rounds = settings->rounds;
    options.seconds = settings->seconds;
    options.callbacks = &r->callbacks;
    options.payload = &s;
    if (find_program(&s, r, settings)) options.start = start;
    return nt_bench(out, r->session, &options);
}

const cli_command cli_bench = {
    .name = "bench",
    .summary = "how fast a model runs here, beside what the machine can do at most",
    .examples = "  nextoken bench\n"
                "  nextoken bench -m gpt2 --only decode,prompt --seconds 10\n"
                "  nextoken bench -m gpt2 --threads 1 --json\n"
                "  NEXTOKEN_ISA=avx2 nextoken bench --only limits\n",
    .options = CLI_OPT_SESSION | CLI_OPT_BENCH,
    .run = run,
};
