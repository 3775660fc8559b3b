/* Requests over HTTP, several at once in one thread: headers that the hub sends, redirects followed
 * by hand, so that a token goes to the endpoint and nowhere else. */
#ifndef NT_HUB_HTTP_H
#define NT_HUB_HTTP_H

#include <stdbool.h>

#include "base/buffer.h"
#include "hub/curl.h"
#include "hub/place.h"
#include "hub/proxy.h"
#include "hub/reply.h"

typedef struct nt_http nt_http;
typedef struct nt_request nt_request;
struct nt_request {
    /* Set by the caller. */
    bool head;     /* headers alone */
    uint64_t from; /* first byte that is wanted */
    /* For a body: called once before its first byte, then for each part of it; anything but NT_OK
     * ends the request with that status. */
    int (*begin)(void *payload, const nt_reply *reply);
    int (*take)(void *payload, const char *bytes, size_t n);
    void *payload;
    /* The answer. */
    bool done;
    nt_reply reply;
    char host[NT_HEADER]; /* who answered */
    nt_proxy proxy;       /* what the environment names for it; no_proxy may except the host */
    long proxy_code;      /* what a proxy answered that was to make way to the host; 0: nothing */
    int status;           /* of begin or take, or of the request itself (its message is set) */
    CURLcode code;        /* not OK: what broke it off; NT_OK may stand in status then */
    char trouble[CURL_ERROR_SIZE];
    /* Its own. */
    CURL *easy;
    struct curl_slist *headers;
    CURLU *url;
    int redirects;
    size_t n_headers; /* bytes */
    bool begun, running;
};

int nt_http_new(nt_http **out, const nt_hub_place *place);
void nt_http_free(nt_http *http);
const nt_curl *nt_http_curl(const nt_http *http);

/* Starts a request for a path below the endpoint. It must not move until it ended. */
int nt_http_start(nt_http *http, nt_request *request, const char *path);
/* Works on all requests for at most a tenth of a second; those that ended have `done`. */
int nt_http_work(nt_http *http);
/* Ends one, whether it is done or not. Legal on one that never started (all zero). */
void nt_http_end(nt_http *http, nt_request *request);

/* Appends text as a part of a URL; slashes stay where `slashes`. */
void nt_http_escape(nt_buffer *out, const char *text, bool slashes);

#endif
