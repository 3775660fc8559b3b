/* Models by name: nextoken_hub.h is the outside; here is what src/nextoken.c uses beside it. */
#ifndef NT_HUB_HUB_H
#define NT_HUB_HUB_H

#include "hub/name.h"
#include "hub/snapshot.h"

/* The folder of a model, or of its tokenizer, that is named: from the cache, or fetched, as
 * options->use says. Errors: those of nt_hub_pull. */
int nt_hub_resolve(char **folder, const char *name, nt_hub_part part,
                   const nt_hub_options *options);

#endif
