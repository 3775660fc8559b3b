/* Seeded checkpoints for tests: runs the built mkmodel. */
#ifndef TESTS_MODEL_CHECKPOINT_H
#define TESTS_MODEL_CHECKPOINT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHECKPOINT_PATH = 512, CHECKPOINT_ARGS = 64 };

/* The emulator that runs this build's programs, "" where they run as they are. */
#ifdef NT_EMULATOR
#    define CHECKPOINT_EMULATOR NT_EMULATOR
#else
#    define CHECKPOINT_EMULATOR ""
#endif

/* A fresh folder for this test program's checkpoints, removed by checkpoints_remove. */
static inline const char *checkpoints_folder(void) {
    static char folder[CHECKPOINT_PATH];
    if (!folder[0]) {
        snprintf(folder, sizeof folder, "%s/checkpoints.XXXXXX", NT_BINARY_DIR);
        assert_non_null(mkdtemp(folder));
    }
    return folder;
}

static inline void checkpoint_path(char out[CHECKPOINT_PATH], const char *name) {
    int n = snprintf(out, CHECKPOINT_PATH, "%s/%s", checkpoints_folder(), name);
    assert_in_range(n, 1, CHECKPOINT_PATH - 1);
}

/* mkmodel's exit status for OUT_FOLDER = the program's folder / name. */
static inline int checkpoint_make(const char *name, const char *const *args, size_t n) {
    extern char **environ;
    char emulator[] = CHECKPOINT_EMULATOR, program[CHECKPOINT_PATH], folder[CHECKPOINT_PATH];
    char *words[CHECKPOINT_ARGS + 4] = {emulator, program, folder}, **last = words + 3;
    char **argv = *emulator ? words : words + 1;
    snprintf(program, sizeof program, "%s/tools/mkmodel", NT_BINARY_DIR);
    checkpoint_path(folder, name);
    assert_in_range(n, 0, CHECKPOINT_ARGS);
    for (size_t i = 0; i < n; i++)
        *last++ = strdup(args[i]);
    pid_t pid;
    int status = 0;
    assert_int_equal(posix_spawn(&pid, argv[0], NULL, NULL, argv, environ), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    while (last > words + 3)
        free(*--last);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* CHECKPOINT("name", "--shape", "tiny", ...) makes it or fails the test. */
#define CHECKPOINT(name, ...)                                                                      \
    do {                                                                                           \
        const char *const args_[] = {__VA_ARGS__};                                                 \
        assert_int_equal(checkpoint_make(name, args_, sizeof args_ / sizeof *args_), 0);           \
    } while (0)

static inline void checkpoint_remove(const char *folder) {
    DIR *dir = opendir(folder);
    if (!dir) return;
    for (struct dirent *entry; (entry = readdir(dir));) {
        char path[CHECKPOINT_PATH + 300];
        struct stat info;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        int n = snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        assert_in_range(n, 1, sizeof path - 1);
        if (lstat(path, &info) == 0 && S_ISDIR(info.st_mode))
            checkpoint_remove(path);
        else
            unlink(path);
    }
    closedir(dir);
    rmdir(folder);
}

/* Group teardown. */
static inline int checkpoints_remove(void **state) {
    (void)state;
    checkpoint_remove(checkpoints_folder());
    return 0;
}

#endif
