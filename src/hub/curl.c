#include "hub/curl.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

/* Debian's names: the OpenSSL and the GnuTLS flavour. */
static void *open_library(void) {
    static const char *const names[] = {"libcurl.so.4", "libcurl-gnutls.so.4"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        /* It stays: a TLS library that is unloaded leaves handlers behind. */
        void *library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
        if (library) return library;
    }
    return NULL;
}

static int begin(CURLcode (*global_init)(long)) {
    /* Older versions of libcurl cannot be begun by two threads at once. */
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&lock);
    CURLcode code = global_init(CURL_GLOBAL_DEFAULT);
    pthread_mutex_unlock(&lock);
    if (code == CURLE_OK) return NT_OK;
    return nt_fail(NT_E_UNSUPPORTED, "libcurl cannot begin (code %d)", (int)code);
}

int nt_curl_open(nt_curl *out) {
    void *library = open_library();
    if (!library) {
        const char *why = dlerror();
        return nt_fail(NT_E_UNSUPPORTED,
                       "downloads need libcurl, which is not installed: apt install libcurl4; or "
                       "get the model's files in another way and give their folder (%.200s)",
                       why ? why : "no reason given");
    }
    CURLcode (*global_init)(long) = NULL;
    const struct {
        const char *name;
        void *into; /* a pointer to a function, written as dlsym gives it */
    } functions[] = {
        {"curl_global_init", &global_init},
        {"curl_easy_init", &out->easy_init},
        {"curl_easy_setopt", &out->easy_setopt},
        {"curl_easy_getinfo", &out->easy_getinfo},
        {"curl_easy_reset", &out->easy_reset},
        {"curl_easy_cleanup", &out->easy_cleanup},
        {"curl_easy_strerror", &out->easy_strerror},
        {"curl_multi_init", &out->multi_init},
        {"curl_multi_add_handle", &out->multi_add_handle},
        {"curl_multi_remove_handle", &out->multi_remove_handle},
        {"curl_multi_perform", &out->multi_perform},
        {"curl_multi_poll", &out->multi_poll},
        {"curl_multi_info_read", &out->multi_info_read},
        {"curl_multi_cleanup", &out->multi_cleanup},
        {"curl_slist_append", &out->slist_append},
        {"curl_slist_free_all", &out->slist_free_all},
        {"curl_url", &out->url},
        {"curl_url_cleanup", &out->url_cleanup},
        {"curl_url_set", &out->url_set},
        {"curl_url_get", &out->url_get},
        {"curl_free", &out->free},
    };
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        void *function = dlsym(library, functions[i].name);
        if (!function)
            return nt_fail(NT_E_UNSUPPORTED,
                           "the libcurl that is installed is too old (it has no %s; 7.66 is the "
                           "first that will do)",
                           functions[i].name);
        memcpy(functions[i].into, &function, sizeof function);
    }
    return begin(global_init);
}
