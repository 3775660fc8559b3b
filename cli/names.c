/* The library names options as C and JSON do, with underscores; on a command line they have dashes.
 */
#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

#include "cli.h"

static bool in_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != 0 && strchr("_-./\\", c));
}

/* The option of this very name [n]; NULL: the word is none. */
static const nt_option_info *named(const char *word, size_t n) {
    const nt_option_info *info;
    for (size_t i = 0; (info = nt_option_at(i)); i++)
        if (strlen(info->name) == n && strncmp(info->name, word, n) == 0) return info;
    return NULL;
}

static bool begins(const char *text, const char *with) {
    return strncmp(text, with, strlen(with)) == 0;
}

/* Names without an underscore are words of the language, too, such as search and seed: only where
 * they can be nothing else are they names. */
static bool is_meant(const char *message, const char *word, const char *behind) {
    if (memchr(word, '_', (size_t)(behind - word))) return true;
    static const char *const values[] = {" exact", " torch", " philox"};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        if (begins(behind, values[i])) return true;
    return word == message || word[-1] == '(' || begins(behind, " counts") ||
           (word - message >= 5 && begins(word - 5, "both "));
}

/* Adds at most what fits. */
static size_t put(char *out, size_t at, size_t size, const char *text, size_t n) {
    for (size_t i = 0; i < n && at + 1 < size; i++)
        out[at++] = text[i];
    return at;
}

void cli_name_flags(char *out, size_t size, const char *message) {
    size_t at = 0;
    bool quoted = false;
    for (const char *c = message; *c;) {
        size_t n = 0;
        quoted ^= *c == '"';
        while (in_name(c[n]))
            n++;
        size_t word = n;
        while (word > 0 && c[word - 1] == '.') /* the end of a sentence */
            word--;
        const nt_option_info *info = quoted ? NULL : named(c, word);
        if (info && is_meant(message, c, c + word)) {
            at = put(out, at, size, "--", 2);
            for (size_t i = 0; i < word; i++)
                at = put(out, at, size, c[i] == '_' ? "-" : c + i, 1);
            c += word;
            bool truth = begins(c, " true") || begins(c, " false");
            if (truth && strcmp(info->type, "boolean") == 0) { /* --do-sample=false */
                at = put(out, at, size, "=", 1);
                c++;
            }
        } else {
            n = n > 0 ? n : 1;
            at = put(out, at, size, c, n);
            c += n;
        }
    }
    out[at] = 0;
}

size_t cli_distance(const char *a, size_t n, const char *b) {
    size_t nb = strlen(b), row[64];
    if (n >= 64 || nb >= 64) return 64;
    for (size_t j = 0; j <= nb; j++)
        row[j] = j;
    for (size_t i = 0; i < n; i++) {
        size_t corner = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < nb; j++) {
            size_t best = corner + (a[i] != b[j]);
            corner = row[j + 1];
            if (corner + 1 < best) best = corner + 1;
            if (row[j] + 1 < best) best = row[j] + 1;
            row[j + 1] = best;
        }
    }
    return row[nb];
}

/* What could be a model: a folder, or a file of weights. */
static bool is_model(const char *folder, const char *name) {
    static const char *const ends[] = {".gguf", ".safetensors", ".bin"};
    struct stat info;
    char path[2048];
    size_t n = strlen(name);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (name[0] == '.' || stat(path, &info) != 0) return false;
    if (S_ISDIR(info.st_mode)) return true;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        size_t length = strlen(ends[i]);
        if (n > length && strcmp(name + n - length, ends[i]) == 0) return true;
    }
    return false;
}

bool cli_near_path(char *out, size_t size, const char *path) {
    char folder[1024];
    size_t n = strlen(path), best = 3; /* so far off is no slip */
    while (n > 1 && path[n - 1] == '/')
        n--;
    size_t start = n;
    while (start > 0 && path[start - 1] != '/')
        start--;
    if (n - start < 3 || start >= sizeof folder) return false;
    snprintf(folder, sizeof folder, "%.*s", start > 0 ? (int)start : 1, start > 0 ? path : ".");
    DIR *open = opendir(folder);
    const struct dirent *entry;
    *out = 0;
    while (open && (entry = readdir(open))) {
        size_t distance = cli_distance(path + start, n - start, entry->d_name);
        if (distance == 0 || distance >= best || !is_model(folder, entry->d_name)) continue;
        best = distance;
        snprintf(out, size, "%.*s%s", (int)start, path, entry->d_name);
    }
    if (open) closedir(open);
    return *out != 0;
}
