/* Names of models that are known here: those that have two, and those that a wrong name may mean.
 */
#ifndef NT_HUB_NEAR_H
#define NT_HUB_NEAR_H

#include "hub/name.h"
#include "hub/place.h"

/* Models that lived at the top of the hub once have owners today, and either name in a cache: the
 * other name, or NULL. */
const char *nt_hub_other_name(const char *repo);

/* What a name that no model has may mean: a model of the cache, or (unless cached) a well-known
 * one. false: nothing that is near. */
bool nt_hub_near_name(char out[NT_HUB_MAX_REPO + 1], const nt_hub_place *place, const char *repo,
                      bool cached);

/* Fails because a model is not in the cache, where that is all that counts. */
int nt_hub_fail_absent(const nt_hub_place *place, const char *repo);

#endif
