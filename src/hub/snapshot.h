/* What a model consists of: which files of a repo are wanted, as far as what is there already
 * tells. Asked again after each file, it names the next ones, until all is there or something that
 * must be is not. */
#ifndef NT_HUB_SNAPSHOT_H
#define NT_HUB_SNAPSHOT_H

#include "hub/cache.h"

typedef enum nt_hub_part {
    NT_HUB_MODEL,     /* config, weights, tokenizer */
    NT_HUB_TOKENIZER, /* the tokenizer's files and config.json alone */
    NT_HUB_FILES      /* those that are named */
} nt_hub_part;

typedef struct nt_hub_want {
    nt_hub_part part;
    const char *const *files; /* [n_files] of FILES */
    size_t n_files;
} nt_hub_want;

/* Called for a file of which nothing is known yet. file is good during the call. */
typedef int (*nt_hub_missing)(void *payload, const char *file, bool required);

/* Calls missing for each file that is to be asked for next; for none when all that can be there is
 * there. *usable: nothing that a model cannot do without is missing. Errors: NOT_FOUND (the repo
 * has no weights that can be read), UNSUPPORTED (config.json is of no family that runs), FORMAT (an
 * index with impossible names), IO, MEMORY, what missing returns. */
int nt_hub_survey(bool *usable, const nt_hub_repo *repo, const char *commit,
                  const nt_hub_want *want, nt_hub_missing missing, void *payload);

#endif
