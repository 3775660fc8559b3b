#include "hub/trouble.h"

#include <string.h>

enum { LONGEST_WAIT = 60 };

bool nt_hub_may_retry(double *seconds, const nt_request *r) {
    long code = r->reply.code;
    int64_t wait = r->reply.retry_after;
    *seconds = 0;
    if (r->code == CURLE_PEER_FAILED_VERIFICATION || r->code == CURLE_SSL_CACERT_BADFILE ||
        r->code == CURLE_UNSUPPORTED_PROTOCOL || r->code == CURLE_URL_MALFORMAT)
        return false;
    if (r->code != CURLE_OK) return true;
    if (code != 408 && code != 429 && code < 500) return false;
    if (wait > LONGEST_WAIT) return false;
    if (wait > 0) *seconds = (double)wait;
    return true;
}

static int fail_connection(const nt_fetch *fetch) {
    const nt_request *r = &fetch->request;
    bool proxy = r->code == CURLE_COULDNT_RESOLVE_PROXY;
    bool certificate = r->code == CURLE_PEER_FAILED_VERIFICATION;
    return nt_fail(NT_E_NETWORK, "cannot fetch %.200s of %s from %s: %.250s; %s", fetch->file,
                   fetch->job->name, r->host, r->trouble,
                   certificate ? "SSL_CERT_FILE names further certificates to trust"
                   : proxy     ? "see http_proxy, https_proxy and no_proxy"
                               : "is there a network? What came is kept, and the next try goes on");
}

static int fail_denied(const nt_fetch *fetch) {
    const nt_fetch_job *job = fetch->job;
    const nt_reply *reply = &fetch->request.reply;
    const char *name = job->name, *endpoint = job->place->endpoint;
    bool token = job->place->token != NULL;
    if (strcmp(reply->error_code, "GatedRepo") == 0)
        return nt_fail(NT_E_DENIED,
                       "%s is gated: accept its terms at %.200s/%s, and give %s token in HF_TOKEN "
                       "(%.200s/settings/tokens)",
                       name, endpoint, name, token ? "that account's" : "your", endpoint);
    if (token && strcmp(reply->error_code, "RepoNotFound") != 0)
        return nt_fail(NT_E_DENIED,
                       "%.200s refuses the token (HF_TOKEN, or its file) for %s (%ld%s%.200s): "
                       "make another at %.200s/settings/tokens",
                       endpoint, name, reply->code, reply->error_message[0] ? ": " : "",
                       reply->error_message, endpoint);
    return nt_fail(NT_E_NOT_FOUND,
                   "%.200s has no model %s that %s may see: is the name right? There is no folder "
                   "of that name here either%s",
                   endpoint, name, token ? "the token" : "everyone",
                   token ? "" : "; a private one needs a token in HF_TOKEN");
}

static int fail_missing(const nt_fetch *fetch) {
    const nt_fetch_job *job = fetch->job;
    const char *code = fetch->request.reply.error_code;
    if (strcmp(code, "RevisionNotFound") == 0)
        return nt_fail(NT_E_NOT_FOUND,
                       "%s has no revision %s: see %.200s/%s/tree/main for its "
                       "branches and tags",
                       job->name, job->revision, job->place->endpoint, job->name);
    if (strcmp(code, "EntryNotFound") == 0)
        return nt_fail(NT_E_NOT_FOUND, "%s has no file %.200s: see %.200s/%s/tree/%s", job->name,
                       fetch->file, job->place->endpoint, job->name, job->revision);
    if (strcmp(code, "RepoNotFound") == 0) return fail_denied(fetch);
    return nt_fail(NT_E_NOT_FOUND,
                   "%s answers 404 for %s and says no more: is %.200s a Hugging Face hub "
                   "(HF_ENDPOINT)?",
                   fetch->request.host, job->name, job->place->endpoint);
}

int nt_hub_fail_request(const nt_fetch *fetch) {
    const nt_request *r = &fetch->request;
    const nt_reply *reply = &r->reply;
    if (r->code != CURLE_OK) return fail_connection(fetch);
    if (reply->code == 401 || reply->code == 403) return fail_denied(fetch);
    if (reply->code == 404) return fail_missing(fetch);
    if (reply->code == 429)
        return nt_fail(NT_E_NETWORK, "%s has had too many requests from here%s; try again later%s",
                       r->host, fetch->job->place->token ? "" : " without a token",
                       fetch->job->place->token ? "" : ", or give a token in HF_TOKEN");
    return nt_fail(NT_E_NETWORK, "%s answers %ld for %.200s of %s%s%.200s: try again later",
                   r->host, reply->code, fetch->file, fetch->job->name,
                   reply->error_message[0] ? ", " : "", reply->error_message);
}
