/* Runs a fuzz entry over files, in place of libFuzzer: replay FILE|FOLDER... */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static size_t n_files;

static int fail(const char *path) {
    perror(path);
    return 1;
}

/* In memory of exactly its size, so that a sanitizer sees a read past the end. */
static int replay_file(const char *path, size_t n) {
    FILE *file = fopen(path, "rb");
    uint8_t *bytes = malloc(n ? n : 1);
    if (!file || !bytes || fread(bytes, 1, n, file) != n) return fail(path);
    fclose(file);
    LLVMFuzzerTestOneInput(bytes, n);
    free(bytes);
    n_files++;
    return 0;
}

static int replay(const char *path) {
    struct stat info;
    if (stat(path, &info) != 0) return fail(path);
    if (!S_ISDIR(info.st_mode)) return replay_file(path, (size_t)info.st_size);
    struct dirent **entries;
    int n = scandir(path, &entries, NULL, alphasort), failed = 0;
    if (n < 0) return fail(path);
    for (int i = 0; i < n; i++) {
        char inner[4096];
        snprintf(inner, sizeof inner, "%s/%s", path, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.') failed |= replay(inner);
        free(entries[i]);
    }
    free(entries);
    return failed;
}

int main(int argc, char **argv) {
    int failed = 0;
    for (int i = 1; i < argc; i++)
        failed |= replay(argv[i]);
    printf("%zu inputs\n", n_files);
    return failed || n_files == 0;
}
