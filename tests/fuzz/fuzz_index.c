/* Fuzz entry of the index of shards, by both of its readers: the one that opens shards, and the
 * hub's, which names what is to be fetched. Neither ever leaves the folder. */
#include <sys/stat.h>

#include "format/tensors.h"
#include "hub/snapshot.h"
#include "read_tensors.h"
#include "scratch.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

#define COMMIT "0123456789abcdef0123456789abcdef01234567"
#define SNAPSHOT "c/snapshots/" COMMIT
#define INDEX "model.safetensors.index.json"

static char top[256];

/* A tensor of two bytes by that name. */
static void put_shard(const char *file, const char *tensor) {
    char json[128];
    unsigned char bytes[256] = {0};
    int n = snprintf(json, sizeof json,
                     "{\"%s\":{\"dtype\":\"F16\",\"shape\":[1],\"data_offsets\":[0,2]}}", tensor);
    bytes[0] = (unsigned char)n;
    memcpy(bytes + 8, json, (size_t)n);
    scratch_put(file, bytes, (size_t)n + 10);
}

static void remove_folders(void) {
    scratch_remove(); /* the files first; the folders are empty then */
    static const char *const folders[] = {SNAPSHOT, "c/snapshots", "c", ""};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        char path[400];
        snprintf(path, sizeof path, "%s/%s", top, folders[i]);
        rmdir(path);
    }
}

static void make(void) {
    static const char *const folders[] = {"c", "c/snapshots", SNAPSHOT};
    if (*top) return;
    snprintf(top, sizeof top, "%s", scratch_folder());
    atexit(remove_folders);
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        char path[400];
        snprintf(path, sizeof path, "%s/%s", top, folders[i]);
        check(mkdir(path, 0700) == 0);
    }
    put_shard(SNAPSHOT "/a.safetensors", "a");
    put_shard(SNAPSHOT "/b.safetensors", "b");
    put_shard("c/snapshots/outside.safetensors", "outside");
}

/* What the hub would fetch next is a name within the commit. */
static int missing(void *payload, const char *file, bool required) {
    size_t *n = payload;
    check(*file && strcmp(file, ".") != 0 && strcmp(file, "..") != 0);
    check(!strchr(file, '/') && !strchr(file, '\\'));
    ++*n;
    (void)required;
    return NT_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    make();
    const char *path = scratch_put(SNAPSHOT "/" INDEX, bytes, n);
    nt_tensors *tensors;
    int status = nt_tensors_open(&tensors, path);
    check((tensors != NULL) == (status == NT_OK));
    if (status == NT_OK) {
        static volatile uint32_t seen; /* keeps the reads */
        seen = read_tensors(tensors);
        (void)seen;
        check(nt_tensors_count(tensors) >= 1 && !nt_tensors_has(tensors, "outside"));
        nt_tensors_free(tensors);
    } else {
        check_message(status);
    }

    char folder[300];
    snprintf(folder, sizeof folder, "%s/c", top);
    nt_hub_place place = {.cache = top};
    nt_hub_repo repo = {&place, folder, folder};
    nt_hub_want want = {.part = NT_HUB_MODEL};
    bool usable;
    size_t n_missing = 0;
    status = nt_hub_survey(&usable, &repo, COMMIT, &want, missing, &n_missing);
    if (status != NT_OK) check_message(status);
    return 0;
}
