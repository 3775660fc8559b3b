#include "hub/trouble.h"

#include <stdio.h>
#include <string.h>

#include "hub/near.h"

enum { LONGEST_WAIT = 60, TRIES_OF_NOBODY = 2 };

static bool refused_by_proxy(const nt_request *r) {
    return r->reply.code == 407 || (r->proxy_code >= 400 && r->proxy_code < 500);
}

bool nt_hub_may_retry(double *seconds, const nt_fetch *f) {
    const nt_request *r = &f->request;
    long code = r->reply.code;
    int64_t wait = r->reply.retry_after;
    *seconds = 0;
    if (r->code == CURLE_PEER_FAILED_VERIFICATION || r->code == CURLE_SSL_CACERT_BADFILE ||
        r->code == CURLE_UNSUPPORTED_PROTOCOL || r->code == CURLE_URL_MALFORMAT ||
        r->code == CURLE_COULDNT_RESOLVE_PROXY || refused_by_proxy(r))
        return false;
    if (r->code == CURLE_SSL_CONNECT_ERROR && strstr(r->trouble, "wrong version number"))
        return false; /* what answers there speaks no TLS */
    bool nobody = r->code == CURLE_COULDNT_RESOLVE_HOST || r->code == CURLE_COULDNT_CONNECT;
    if (nobody && f->state == NT_FETCH_ASKING) return f->tries < TRIES_OF_NOBODY;
    if (r->code != CURLE_OK) return true;
    if (code != 408 && code != 429 && code < 500) return false;
    if (wait > LONGEST_WAIT) return false;
    if (wait > 0) *seconds = (double)wait;
    return true;
}

/* ---- Nothing came ---------------------------------------------------------------------------- */

/* Why a certificate is not trusted, by the words of OpenSSL and of GnuTLS. */
static const char *certificate_hint(const nt_request *r) {
    if (strstr(r->trouble, "expir") || strstr(r->trouble, "not yet valid") ||
        strstr(r->trouble, "activat"))
        return "is this machine's clock right?";
    if (strstr(r->trouble, "subject")) return "another server answers in its place";
    return "where a company's authority is to be trusted, SSL_CERT_FILE names the file of its "
           "certificate";
}

enum { HINT = 512 };

/* Of a request that went to a proxy, or should have. */
static bool hint_of_proxy(char out[HINT], const nt_request *r) {
    const char *variable = r->proxy.variable ? r->proxy.variable : "https_proxy";
    bool way = r->code == CURLE_COULDNT_CONNECT || r->code == CURLE_COULDNT_RESOLVE_PROXY ||
               r->code == CURLE_OPERATION_TIMEDOUT || r->proxy_code >= 400;
    if (r->proxy_code == 407 || r->reply.code == 407)
        snprintf(out, HINT,
                 "the proxy that %s names wants a user and a password in it: "
                 "http://USER:PASSWORD@HOST:PORT",
                 variable);
    else if (r->proxy.variable && way)
        snprintf(out, HINT,
                 "is the proxy that %s names the right one? no_proxy names hosts that need none",
                 variable);
    else
        return false;
    return true;
}

/* Of certificates that cannot be read. */
static void hint_of_authorities(char out[HINT], const nt_hub_authorities *trusted) {
    if (trusted->path)
        snprintf(out, HINT, "%s is %.300s: it must be a %s", trusted->variable, trusted->path,
                 trusted->folder ? "folder of certificates" : "file of certificates (PEM)");
    else
        snprintf(out, HINT, "apt install ca-certificates");
}

static int fail_connection(const nt_fetch *fetch) {
    const nt_request *r = &fetch->request;
    char hint[HINT] = "is there a network? What came is kept, and the next try goes on";
    bool of_proxy = hint_of_proxy(hint, r);
    if (!of_proxy && r->code == CURLE_PEER_FAILED_VERIFICATION)
        snprintf(hint, HINT, "%s", certificate_hint(r));
    else if (r->code == CURLE_SSL_CACERT_BADFILE)
        hint_of_authorities(hint, &fetch->job->place->authorities);
    else if (r->code == CURLE_UNSUPPORTED_PROTOCOL)
        snprintf(hint, HINT, "this libcurl was built without TLS: apt install libcurl4");
    else if (r->code == CURLE_SSL_CONNECT_ERROR)
        snprintf(hint, HINT, "does it speak https? (HF_ENDPOINT)");
    return nt_fail(NT_E_NETWORK, "cannot fetch %.200s of %s from %s: %.250s; %s", fetch->file,
                   fetch->job->name, r->host, r->code == CURLE_OK ? "407" : r->trouble, hint);
}

/* ---- An answer that is a refusal ------------------------------------------------------------- */

static int fail_no_model(const nt_fetch *fetch) {
    const nt_fetch_job *job = fetch->job;
    char near[NT_HUB_MAX_REPO + 1];
    bool token = job->place->token, any = nt_hub_near_name(near, job->place, job->name, false);
    return nt_fail(NT_E_NOT_FOUND,
                   "%.200s has no model %s that %s may see: %s%s%s There is no folder of that name "
                   "here either%s",
                   job->place->endpoint, job->name, token ? "the token" : "everyone",
                   any ? "did you mean " : "is the name right", any ? near : "", "?",
                   token ? "" : "; a private one needs a token in HF_TOKEN");
}

/* ": " and what the hub says besides, or nothing. */
static const char *colon(const nt_reply *reply) {
    return reply->error_message[0] ? ": " : "";
}

static int fail_gated(const nt_fetch *fetch) {
    const nt_hub_place *place = fetch->job->place;
    const nt_reply *reply = &fetch->request.reply;
    const char *name = fetch->job->name, *endpoint = place->endpoint;
    if (!place->token)
        return nt_fail(NT_E_DENIED,
                       "%s is gated: accept its terms at %.200s/%s, and give your token in "
                       "HF_TOKEN (%.200s/settings/tokens)",
                       name, endpoint, name, endpoint);
    return nt_fail(NT_E_DENIED,
                   "%s is gated, and the token (%.200s) does not open it%s%.250s; accept its terms "
                   "at %.200s/%s with that account, and see what the token may read at "
                   "%.200s/settings/tokens",
                   name, place->token_from, colon(reply), reply->error_message, endpoint, name,
                   endpoint);
}

static int fail_denied(const nt_fetch *fetch) {
    const nt_hub_place *place = fetch->job->place;
    const nt_reply *reply = &fetch->request.reply;
    bool no_model = strcmp(reply->error_code, "RepoNotFound") == 0;
    bool invalid = strstr(reply->error_message, "Invalid credentials") != NULL;
    bool disabled = strstr(reply->error_message, "is disabled") != NULL;
    if (strcmp(reply->error_code, "GatedRepo") == 0) return fail_gated(fetch);
    if (place->token && !disabled && (invalid || !no_model))
        return nt_fail(NT_E_DENIED,
                       "%.200s refuses the token (%.200s) for %s (%ld%s%.250s): make another at "
                       "%.200s/settings/tokens, or go without one "
                       "(HF_HUB_DISABLE_IMPLICIT_TOKEN=1)",
                       place->endpoint, place->token_from, fetch->job->name, reply->code,
                       colon(reply), reply->error_message, place->endpoint);
    if (no_model || (reply->code == 401 && !disabled)) return fail_no_model(fetch);
    return nt_fail(NT_E_DENIED, "%.200s does not give %s out (%ld%s%.250s): see %.200s/%s",
                   place->endpoint, fetch->job->name, reply->code, colon(reply),
                   reply->error_message, place->endpoint, fetch->job->name);
}

static int fail_missing(const nt_fetch *fetch) {
    const nt_fetch_job *job = fetch->job;
    const char *code = fetch->request.reply.error_code;
    if (strcmp(code, "RevisionNotFound") == 0)
        return nt_fail(NT_E_NOT_FOUND,
                       "%s has no revision %s: see %.200s/%s/tree/main for its "
                       "branches and tags",
                       job->name, job->revision, job->place->endpoint, job->name);
    if (strcmp(code, "EntryNotFound") == 0 && strcmp(fetch->file, "config.json") == 0)
        return nt_fail(NT_E_NOT_FOUND,
                       "%s has no config.json, so that it cannot be opened by its name: what it "
                       "has is at %.200s/%s/tree/%s, and nextoken pull %s FILE fetches a file of "
                       "it (a .gguf, say)",
                       job->name, job->place->endpoint, job->name, job->revision, job->name);
    if (strcmp(code, "EntryNotFound") == 0)
        return nt_fail(NT_E_NOT_FOUND, "%s has no file %.200s: see %.200s/%s/tree/%s", job->name,
                       fetch->file, job->place->endpoint, job->name, job->revision);
    if (strcmp(code, "RepoNotFound") == 0) return fail_no_model(fetch);
    return nt_fail(NT_E_NOT_FOUND,
                   "%s answers 404 for %s and says no more: is %.200s a Hugging Face hub "
                   "(HF_ENDPOINT)?",
                   fetch->request.host, job->name, job->place->endpoint);
}

int nt_hub_fail_request(const nt_fetch *fetch) {
    const nt_request *r = &fetch->request;
    const nt_reply *reply = &r->reply;
    bool token = fetch->job->place->token;
    if (r->code != CURLE_OK || reply->code == 407) return fail_connection(fetch);
    if (reply->code == 401 || reply->code == 403) return fail_denied(fetch);
    if (reply->code == 404) return fail_missing(fetch);
    if (reply->code == 429)
        return nt_fail(NT_E_NETWORK, "%s has had too many requests from here%s; try again later%s",
                       r->host, token ? "" : " without a token",
                       token ? "" : ", or give a token in HF_TOKEN");
    return nt_fail(NT_E_NETWORK, "%s answers %ld for %.200s of %s%s%.250s; try again later",
                   r->host, reply->code, fetch->file, fetch->job->name, colon(reply),
                   reply->error_message);
}
