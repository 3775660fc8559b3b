/* What a request that failed means, in words: what, where, what to do. */
#ifndef NT_HUB_TROUBLE_H
#define NT_HUB_TROUBLE_H

#include "hub/fetch.h"

/* Whether its request is worth another try, and if so after how many seconds at the least (0: no
 * wish). */
bool nt_hub_may_retry(double *seconds, const nt_fetch *fetch);
/* Sets the message of a request that failed for good. */
int nt_hub_fail_request(const nt_fetch *fetch);

#endif
