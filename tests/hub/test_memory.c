/* Memory that ends at each allocation in turn: a download from a small hub in this process, the
 * cache's list, its check, its removal. Each call fails with NT_E_MEMORY and leaves nothing behind,
 * or does what it does otherwise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <ftw.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "folder.h"
#include "hub/hash.h"
#include "hub/hub.h"

#define COMMIT "0123456789abcdef0123456789abcdef01234567"

/* ---- A hub ----------------------------------------------------------------------------------- */

static const struct {
    const char *name, *text;
} files[] = {
    {"config.json", "{\"model_type\": \"gpt2\"}"},
    {"tokenizer.json", "{\"version\": \"1.0\"}"},
    {"model.safetensors.index.json", "{\"weight_map\": {\"a\": \"m-1.safetensors\", \"b\": "
                                     "\"m-2.safetensors\"}}"},
    {"m-1.safetensors", "one shard"},
    {"m-2.safetensors", "the other"},
};
enum { N_FILES = sizeof files / sizeof *files };

static void answer(int client, const char *request) {
    char reply[1024];
    const char *text = NULL, *slash = strchr(request, ' ');
    for (size_t i = 0; slash && i < N_FILES; i++) {
        char end[64];
        snprintf(end, sizeof end, "/%s HTTP", files[i].name);
        if (strstr(request, end)) text = files[i].text;
    }
    if (text) {
        nt_hash hash;
        char etag[NT_HASH_TEXT];
        nt_hash_begin_blob(&hash, NT_SHA1, strlen(text));
        nt_hash_put(&hash, text, strlen(text));
        nt_hash_end(etag, &hash);
        snprintf(reply, sizeof reply,
                 "HTTP/1.1 200 OK\r\nConnection: close\r\nX-Repo-Commit: " COMMIT
                 "\r\nETag: \"%s\"\r\nContent-Length: %zu\r\n\r\n%s",
                 etag, strlen(text), strncmp(request, "HEAD", 4) == 0 ? "" : text);
    } else {
        snprintf(reply, sizeof reply,
                 "HTTP/1.1 404 no\r\nConnection: close\r\nX-Repo-Commit: " COMMIT
                 "\r\nX-Error-Code: EntryNotFound\r\nContent-Length: 0\r\n\r\n");
    }
    ssize_t sent = send(client, reply, strlen(reply), MSG_NOSIGNAL);
    (void)sent;
}

static void *serve(void *payload) {
    int server = *(int *)payload, client;
    while ((client = accept(server, NULL, NULL)) >= 0) {
        char request[4096] = "";
        size_t n = 0;
        while (n < sizeof request - 1 && !strstr(request, "\r\n\r\n")) {
            ssize_t k = recv(client, request + n, sizeof request - 1 - n, 0);
            if (k <= 0) break;
            n += (size_t)k;
            request[n] = 0;
        }
        if (n) answer(client, request);
        close(client);
    }
    return NULL;
}

static int server;
static pthread_t thread;
static char endpoint[64], top[512], cache[600];

static int remove_any(const char *path, const struct stat *info, int kind, struct FTW *at) {
    (void)info, (void)kind, (void)at;
    return remove(path);
}

static int start(void **state) {
    (void)state;
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server = socket(AF_INET, SOCK_STREAM, 0);
    if (server < 0 || bind(server, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(server, 64) != 0 || getsockname(server, (struct sockaddr *)&address, &length) != 0)
        return -1;
    snprintf(endpoint, sizeof endpoint, "http://127.0.0.1:%d", ntohs(address.sin_port));
    /* in memory, where there is such a folder: a thousand downloads sync every file */
    snprintf(top, sizeof top, "/dev/shm/nt-hub-XXXXXX");
    if (!mkdtemp(top)) snprintf(top, sizeof top, "%s", folder_new());
    snprintf(cache, sizeof cache, "%s/cache", top);
    setenv("no_proxy", "*", 1);
    unsetenv("HF_HUB_OFFLINE");
    unsetenv("TRANSFORMERS_OFFLINE");
    unsetenv("HF_HUB_DISABLE_SYMLINKS");
    return pthread_create(&thread, NULL, serve, &server);
}

static int stop(void **state) {
    (void)state;
    shutdown(server, SHUT_RDWR);
    close(server);
    pthread_join(thread, NULL);
    return nftw(top, remove_any, 16, FTW_DEPTH | FTW_PHYS);
}

static nt_hub_options options(void) {
    nt_hub_options o = NT_HUB_OPTIONS_INIT;
    o.cache = cache;
    o.endpoint = endpoint;
    o.token = "";
    o.retries = -1;
    return o;
}

/* ---- Calls ----------------------------------------------------------------------------------- */

static int pull(void) {
    char *folder = cache;
    nt_hub_options o = options();
    int status = nt_hub_pull(&folder, "a/b", NULL, 0, &o);
    if (status != NT_OK) assert_null(folder);
    if (status == NT_OK) assert_non_null(strstr(folder, "/models--a--b/snapshots/" COMMIT));
    nt_free(folder);
    return status;
}

static int list(void) {
    nt_hub_list *all = (nt_hub_list *)cache;
    nt_hub_options o = options();
    int status = nt_hub_list_new(&all, &o);
    if (status == NT_OK) {
        assert_int_equal(nt_hub_list_size(all), 1);
        assert_int_equal(nt_hub_list_entry(all, 0)->n_files, N_FILES);
        assert_string_equal(nt_hub_list_entry(all, 0)->refs, "main");
        assert_null(nt_hub_list_entry(all, 1));
    } else {
        assert_null(all);
    }
    nt_hub_list_free(all);
    return status;
}

static int verify(void) {
    nt_hub_check check = NT_HUB_CHECK_INIT;
    nt_hub_options o = options();
    int status = nt_hub_verify(&check, NULL, &o);
    if (status == NT_OK) {
        assert_int_equal(check.n_files, N_FILES);
        assert_int_equal(check.n_faults, 0);
        assert_int_equal(check.n_partial, 0);
    }
    return status;
}

static int find(void) {
    char *folder;
    nt_hub_options o = options();
    int status = nt_hub_find(&folder, "a/b", &o);
    nt_free(folder);
    return status;
}

static int remove_it(void) {
    uint64_t n;
    nt_hub_options o = options();
    return nt_hub_remove(&n, "a/b", &o);
}

static void clean(void) {
    nt_memory_fail_at(0);
    int status = remove_it();
    assert_true(status == NT_OK || status == NT_E_NOT_FOUND);
}

/* Fails each allocation of the call alone, then all from each on, `step` apart. */
static size_t fail_each(int (*call)(void), void (*before)(void), size_t step) {
    size_t n = 0;
    for (int alone = 0; alone < 2; alone++) {
        for (size_t k = 1;; k += step) {
            if (before) before();
            if (alone)
                nt_memory_fail_once(k);
            else
                nt_memory_fail_at(k);
            int status = call();
            size_t count = nt_memory_count();
            nt_memory_fail_at(0);
            if (status != NT_OK && status != NT_E_MEMORY)
                fail_msg("allocation %zu: %s: %s", k, nt_status_name(status), nt_error_message());
            n++;
            if (count < k) {
                assert_int_equal(status, NT_OK);
                break;
            }
        }
    }
    return n;
}

static void downloads(void **state) {
    (void)state;
    print_message("pull: %zu failures\n", fail_each(pull, clean, 1));
    assert_int_equal(verify(), NT_OK); /* all came, whatever failed before */
}

/* What failed stays as it is: the next try goes on, until all is there. */
static void downloads_that_go_on(void **state) {
    (void)state;
    clean();
    fail_each(pull, NULL, 7);
    assert_int_equal(verify(), NT_OK);
}

static void reading(void **state) {
    (void)state;
    assert_int_equal(pull(), NT_OK);
    size_t n = fail_each(list, NULL, 1) + fail_each(verify, NULL, 1) + fail_each(find, NULL, 1);
    print_message("list, verify, find: %zu failures\n", n);
}

static void pull_first(void) {
    if (pull() != NT_OK) fail_msg("%s", nt_error_message());
}

static int remove_or_gone(void) {
    int status = remove_it();
    return status == NT_E_NOT_FOUND ? NT_OK : status;
}

static void removing(void **state) {
    (void)state;
    print_message("remove: %zu failures\n", fail_each(remove_or_gone, pull_first, 1));
    assert_int_equal(find(), NT_E_NOT_FOUND);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(downloads),
        cmocka_unit_test(downloads_that_go_on),
        cmocka_unit_test(reading),
        cmocka_unit_test(removing),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
