#include "hub/proxy.h"

#include <stdlib.h>
#include <string.h>

static bool take(nt_proxy *out, const char *variable) {
    const char *url = getenv(variable);
    if (!url || !*url) return false;
    *out = (nt_proxy){variable, url};
    return true;
}

nt_proxy nt_proxy_find(bool https) {
    nt_proxy found = {0};
    bool any = https ? take(&found, "https_proxy") || take(&found, "HTTPS_PROXY")
                     : take(&found, "http_proxy") ||
                           (!getenv("REQUEST_METHOD") && take(&found, "HTTP_PROXY"));
    any = any || take(&found, "all_proxy") || take(&found, "ALL_PROXY");
    return found;
}

void nt_proxy_write_exceptions(nt_buffer *out) {
    nt_proxy list = {0};
    bool any = take(&list, "no_proxy") || take(&list, "NO_PROXY");
    nt_buffer_put(out, "", 0);
    for (const char *at = any ? list.url : ""; *at;) {
        size_t n = strcspn(at, ", \t");
        if (n == 1 && *at == '*') {
            nt_buffer_clear(out);
            nt_buffer_puts(out, "*");
            return;
        }
        size_t skip = n > 2 && strncmp(at, "*.", 2) == 0;
        if (n && out->n) nt_buffer_putc(out, ',');
        nt_buffer_put(out, at + skip, n - skip);
        at += n + (at[n] != 0);
    }
}
