/* What may name a model: which words are paths, which are names of the hub, and which are neither.
 * Nothing else in the library decides that. */
#ifndef NT_HUB_NAME_H
#define NT_HUB_NAME_H

#include <stdbool.h>

#include "base/status.h"

enum { NT_HUB_MAX_REPO = 96, NT_HUB_MAX_REVISION = 200, NT_HUB_MAX_FILE = 400, NT_COMMIT = 40 };

typedef struct nt_hub_name {
    char repo[NT_HUB_MAX_REPO + 1];
    char revision[NT_HUB_MAX_REVISION + 1]; /* "main" where none was given */
    bool revised;                           /* one was given */
} nt_hub_name;

/* Whether the word is a path: something is there, or it is written as one (./x, /x, ~/x, a/b/c,
 * x/, x.gguf). What is no path is the name of a model on the hub, or wrong. */
bool nt_hub_is_path(const char *word);

/* Fails for a path at which nothing is, where it says what was meant: an address of the hub, or a
 * file in a repo. NT_OK otherwise. Errors: ARGUMENT, NOT_FOUND. */
int nt_hub_check_path(const char *word);

/* Reads REPO[@REVISION] by huggingface's rules. Errors: ARGUMENT, with the rule that it breaks. */
int nt_hub_name_read(nt_hub_name *out, const char *word);

/* Whether a file of a repo may have this name: relative, no empty part, no "." or "..", nothing
 * that a terminal or a path would take for something else. */
bool nt_hub_is_file_name(const char *file);
/* 40 hexadecimal digits. */
bool nt_hub_is_commit(const char *text);
/* Whether text [n] are hexadecimal digits in lower case. */
bool nt_hub_is_hex(const char *text, size_t n);

#endif
