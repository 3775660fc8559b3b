#include "hub/http.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"

enum { MOST_REDIRECTS = 10, WAIT_MS = 100, LEAST_SPEED = 100, MOST_HEADERS = 1 << 20 };

struct nt_http {
    const nt_hub_place *place;
    nt_curl curl;
    CURLM *multi;
    CURLU *endpoint;
    nt_buffer authorization, no_proxy;
};

/* ---- URLs ------------------------------------------------------------------------------------ */

void nt_http_escape(nt_buffer *out, const char *text, bool slashes) {
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     strchr("-_.~", c) || (slashes && c == '/');
        if (plain)
            nt_buffer_putc(out, *text);
        else
            nt_buffer_printf(out, "%%%02X", c);
    }
}

/* Scheme, host and port are the same. */
static bool same_origin(const nt_curl *curl, const CURLU *a, const CURLU *b) {
    static const CURLUPart parts[] = {CURLUPART_SCHEME, CURLUPART_HOST, CURLUPART_PORT};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        char *x = NULL, *y = NULL;
        CURLUcode one = curl->url_get((CURLU *)(uintptr_t)a, parts[i], &x, CURLU_DEFAULT_PORT);
        CURLUcode two = curl->url_get((CURLU *)(uintptr_t)b, parts[i], &y, CURLU_DEFAULT_PORT);
        bool same = one == CURLUE_OK && two == CURLUE_OK && strcasecmp(x, y) == 0;
        curl->free(x);
        curl->free(y);
        if (!same) return false;
    }
    return true;
}

static bool has_scheme(const nt_curl *curl, CURLU *url, const char *scheme) {
    char *found = NULL;
    bool same = curl->url_get(url, CURLUPART_SCHEME, &found, 0) == CURLUE_OK &&
                strcasecmp(found, scheme) == 0;
    curl->free(found);
    return same;
}

static void note_host(const nt_curl *curl, nt_request *r) {
    char *host = NULL;
    if (curl->url_get(r->url, CURLUPART_HOST, &host, 0) == CURLUE_OK)
        snprintf(r->host, sizeof r->host, "%s", host);
    curl->free(host);
}

/* ---- What comes ------------------------------------------------------------------------------ */

static size_t on_header(char *line, size_t size, size_t n, void *payload) {
    nt_request *r = payload;
    n *= size;
    r->n_headers += n;
    nt_reply_line(&r->reply, line, n);
    if (r->n_headers <= MOST_HEADERS) return n;
    if (r->status == NT_OK)
        r->status =
            nt_fail(NT_E_FORMAT, "%s sends headers without end: it is no hub, or broken", r->host);
    return 0;
}

/* The body of an error is read past. */
static size_t on_body(char *bytes, size_t size, size_t n, void *payload) {
    nt_request *r = payload;
    n *= size;
    if (r->reply.code != 200 && r->reply.code != 206) return n;
    if (r->status == NT_OK && !r->begun && r->begin) r->status = r->begin(r->payload, &r->reply);
    r->begun = true;
    if (r->status == NT_OK && r->take) r->status = r->take(r->payload, bytes, n);
    return r->status == NT_OK ? n : 0;
}

/* ---- Requests -------------------------------------------------------------------------------- */

int nt_http_new(nt_http **out, const nt_hub_place *place) {
    *out = NULL;
    NT_TRY(nt_hub_place_check(place));
    nt_http *http = nt_alloc(1, sizeof *http);
    if (!http) return NT_E_MEMORY;
    http->place = place;
    int status = nt_curl_open(&http->curl);
    if (status == NT_OK) {
        http->multi = http->curl.multi_init();
        http->endpoint = http->curl.url();
        if (!http->multi || !http->endpoint) status = nt_fail_memory(0);
    }
    if (status == NT_OK &&
        http->curl.url_set(http->endpoint, CURLUPART_URL, place->endpoint, 0) != CURLUE_OK)
        status =
            nt_fail(NT_E_ARGUMENT, "HF_ENDPOINT is \"%.200s\", which is no URL", place->endpoint);
    if (status == NT_OK && place->token) {
        nt_buffer_printf(&http->authorization, "Authorization: Bearer %s", place->token);
        status = http->authorization.status;
    }
    if (status == NT_OK) {
        nt_proxy_write_exceptions(&http->no_proxy);
        status = http->no_proxy.status;
    }
    if (status != NT_OK) {
        nt_http_free(http);
        return status;
    }
    *out = http;
    return NT_OK;
}

void nt_http_free(nt_http *http) {
    if (!http) return;
    if (http->multi) http->curl.multi_cleanup(http->multi);
    if (http->endpoint) http->curl.url_cleanup(http->endpoint);
    nt_buffer_free(&http->authorization);
    nt_buffer_free(&http->no_proxy);
    nt_free(http);
}

const nt_curl *nt_http_curl(const nt_http *http) {
    return &http->curl;
}

static bool add_header(const nt_curl *curl, nt_request *r, const char *line) {
    struct curl_slist *longer = curl->slist_append(r->headers, line);
    if (longer) r->headers = longer;
    return longer != NULL;
}

static int set_headers(nt_http *http, nt_request *r) {
    const nt_curl *curl = &http->curl;
    curl->slist_free_all(r->headers);
    r->headers = NULL;
    /* The token belongs to the endpoint: its scheme, its host, its port. */
    bool ours = http->authorization.n && same_origin(curl, r->url, http->endpoint);
    bool fine = add_header(curl, r, "Accept-Encoding: identity");
    if (fine && ours) fine = add_header(curl, r, http->authorization.data);
    return fine ? NT_OK : nt_fail_memory(0);
}

/* The way to r->url: the proxy, and whom to trust. */
static void set_way(nt_http *http, nt_request *r) {
    const nt_curl *curl = &http->curl;
    const nt_hub_authorities *trusted = &http->place->authorities;
    r->proxy = nt_proxy_find(has_scheme(curl, r->url, "https"));
    r->proxy_code = 0;
    curl->easy_setopt(r->easy, CURLOPT_PROXY, r->proxy.url ? r->proxy.url : "");
    curl->easy_setopt(r->easy, CURLOPT_NOPROXY, http->no_proxy.data);
    if (!trusted->path) return;
    const char *file = trusted->folder ? NULL : trusted->path;
    curl->easy_setopt(r->easy, CURLOPT_CAINFO, file);
    curl->easy_setopt(r->easy, CURLOPT_CAPATH, file ? NULL : trusted->path);
}

/* Sends the request to r->url. */
static int transmit(nt_http *http, nt_request *r) {
    const nt_curl *curl = &http->curl;
    const nt_hub_place *place = http->place;
    char range[32];
    NT_TRY(set_headers(http, r));
    nt_reply_clear(&r->reply);
    r->trouble[0] = 0;
    r->n_headers = 0;
    note_host(curl, r);
    CURL *easy = r->easy;
    curl->easy_reset(easy);
    curl->easy_setopt(easy, CURLOPT_PRIVATE, r);
    curl->easy_setopt(easy, CURLOPT_CURLU, r->url);
    curl->easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl->easy_setopt(easy, CURLOPT_USERAGENT, "nextoken");
    curl->easy_setopt(easy, CURLOPT_HTTPHEADER, r->headers);
    curl->easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl->easy_setopt(easy, CURLOPT_ERRORBUFFER, r->trouble);
    curl->easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl->easy_setopt(easy, CURLOPT_HEADERDATA, r);
    curl->easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl->easy_setopt(easy, CURLOPT_WRITEDATA, r);
    curl->easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, place->answer_seconds);
    curl->easy_setopt(easy, CURLOPT_NOBODY, r->head ? 1L : 0L);
    set_way(http, r);
    if (r->head) {
        curl->easy_setopt(easy, CURLOPT_TIMEOUT, place->answer_seconds);
    } else { /* no limit on the whole: a large file on a slow line takes what it takes */
        curl->easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, (long)LEAST_SPEED);
        curl->easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, place->silence_seconds);
        curl->easy_setopt(easy, CURLOPT_BUFFERSIZE, 256L * 1024);
    }
    if (r->from) {
        snprintf(range, sizeof range, "%" PRIu64 "-", r->from);
        curl->easy_setopt(easy, CURLOPT_RANGE, range);
    }
    if (curl->multi_add_handle(http->multi, easy) != CURLM_OK) return nt_fail_memory(0);
    r->running = true;
    return NT_OK;
}

int nt_http_start(nt_http *http, nt_request *r, const char *path) {
    const nt_curl *curl = &http->curl;
    nt_buffer url = {0};
    nt_buffer_printf(&url, "%s%s", http->place->endpoint, path);
    int status = url.status;
    if (status == NT_OK && !r->easy) r->easy = curl->easy_init();
    if (status == NT_OK && !r->url) r->url = curl->url();
    if (status == NT_OK && (!r->easy || !r->url)) status = nt_fail_memory(0);
    if (status == NT_OK && curl->url_set(r->url, CURLUPART_URL, url.data, 0) != CURLUE_OK)
        status = nt_fail(NT_E_ARGUMENT, "%.400s is no URL", url.data);
    nt_buffer_free(&url);
    r->done = r->begun = false;
    r->status = NT_OK;
    r->code = CURLE_OK;
    r->redirects = 0;
    return status == NT_OK ? transmit(http, r) : status;
}

/* Whether the answer sends on to another place; the request is under way again then. */
static int follow(bool *followed, nt_http *http, nt_request *r) {
    const nt_curl *curl = &http->curl;
    const nt_reply *reply = &r->reply;
    *followed = false;
    long code = reply->code;
    bool redirect = code == 301 || code == 302 || code == 303 || code == 307 || code == 308;
    if (r->code != CURLE_OK || !redirect || !reply->location[0]) return NT_OK;
    if (++r->redirects > MOST_REDIRECTS)
        return nt_fail(NT_E_NETWORK, "%s sends on and on (%d redirects): it is no hub, or broken",
                       r->host, MOST_REDIRECTS);
    CURLU *next = curl->url();
    char *now = NULL;
    bool fine = next && curl->url_get(r->url, CURLUPART_URL, &now, 0) == CURLUE_OK &&
                curl->url_set(next, CURLUPART_URL, now, 0) == CURLUE_OK &&
                curl->url_set(next, CURLUPART_URL, reply->location, CURLU_URLENCODE) == CURLUE_OK;
    curl->free(now);
    bool https = fine && has_scheme(curl, next, "https");
    if (!fine || (!https && !has_scheme(curl, next, "http")) ||
        (!https && has_scheme(curl, r->url, "https"))) {
        if (next) curl->url_cleanup(next);
        return nt_fail(NT_E_NETWORK, "%s sends on to a place that is no https URL", r->host);
    }
    /* All that a header request is for stands in the answer of the hub itself. */
    bool known = reply->commit[0] && (reply->linked_etag[0] || reply->etag[0]);
    if (r->head && known && !same_origin(curl, next, r->url)) {
        curl->url_cleanup(next);
        return NT_OK;
    }
    curl->url_cleanup(r->url);
    r->url = next;
    *followed = true;
    return transmit(http, r);
}

static void finish(nt_http *http, CURLMsg *message) {
    nt_request *r = NULL;
    bool followed;
    CURLcode code = message->data.result;
    http->curl.easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &r);
    http->curl.multi_remove_handle(http->multi, message->easy_handle);
    r->running = false;
    r->code = code;
    http->curl.easy_getinfo(message->easy_handle, CURLINFO_HTTP_CONNECTCODE, &r->proxy_code);
    /* libcurl may quote the proxy's URL, with its password */
    if (code != CURLE_OK && (!r->trouble[0] || strchr(r->trouble, '@')))
        snprintf(r->trouble, sizeof r->trouble, "%s", http->curl.easy_strerror(code));
    if (r->status == NT_OK) {
        r->status = follow(&followed, http, r);
        if (r->status == NT_OK && followed) return;
    }
    r->done = true;
}

int nt_http_work(nt_http *http) {
    int running, left;
    CURLMcode code = http->curl.multi_perform(http->multi, &running);
    if (code == CURLM_OK) {
        CURLMsg *message;
        bool ended = false;
        while ((message = http->curl.multi_info_read(http->multi, &left))) {
            ended = true;
            if (message->msg == CURLMSG_DONE) finish(http, message);
        }
        if (!ended) code = http->curl.multi_poll(http->multi, NULL, 0, WAIT_MS, NULL);
    }
    return code == CURLM_OK ? NT_OK : nt_fail(NT_E_NETWORK, "libcurl failed (code %d)", (int)code);
}

void nt_http_end(nt_http *http, nt_request *r) {
    if (!r->easy && !r->url) return;
    if (r->running) http->curl.multi_remove_handle(http->multi, r->easy);
    if (r->easy) http->curl.easy_cleanup(r->easy);
    if (r->url) http->curl.url_cleanup(r->url);
    http->curl.slist_free_all(r->headers);
    r->easy = NULL;
    r->url = NULL;
    r->headers = NULL;
    r->running = false;
}
