#include "hub/near.h"

#include <string.h>
#include <strings.h>

#include "base/distance.h"
#include "hub/cache.h"
#include "hub/walk.h"

static const char *const moved[][2] = {
    {"gpt2", "openai-community/gpt2"},
    {"gpt2-medium", "openai-community/gpt2-medium"},
    {"gpt2-large", "openai-community/gpt2-large"},
    {"gpt2-xl", "openai-community/gpt2-xl"},
    {"distilgpt2", "distilbert/distilgpt2"},
};
enum { N_MOVED = sizeof moved / sizeof *moved };

/* Of the families that can be opened. */
static const char *const well_known[] = {
    "EleutherAI/pythia-14m",
    "EleutherAI/pythia-70m",
    "EleutherAI/pythia-160m",
    "EleutherAI/pythia-410m",
    "EleutherAI/pythia-1b",
    "EleutherAI/pythia-1.4b",
    "EleutherAI/gpt-neo-125m",
    "EleutherAI/gpt-neo-1.3B",
    "EleutherAI/gpt-neo-2.7B",
    "facebook/opt-125m",
    "facebook/opt-350m",
    "facebook/opt-1.3b",
    "HuggingFaceTB/SmolLM-135M",
    "HuggingFaceTB/SmolLM2-135M",
    "HuggingFaceTB/SmolLM2-360M",
    "HuggingFaceTB/SmolLM2-1.7B",
    "TinyLlama/TinyLlama-1.1B-Chat-v1.0",
    "Qwen/Qwen2-0.5B",
    "Qwen/Qwen2.5-0.5B",
    "Qwen/Qwen2.5-1.5B",
};
enum { N_WELL_KNOWN = sizeof well_known / sizeof *well_known };

const char *nt_hub_other_name(const char *repo) {
    for (size_t i = 0; i < N_MOVED; i++)
        for (int k = 0; k < 2; k++)
            if (strcmp(repo, moved[i][k]) == 0) return moved[i][1 - k];
    return NULL;
}

typedef struct search {
    const char *wanted;
    size_t best;
    char *out; /* [NT_HUB_MAX_REPO + 1] */
} search;

/* A name that lacks its owner, or differs in small and large letters, is as near as can be. */
static void consider(search *s, const char *name) {
    const char *slash = strchr(name, '/');
    bool bare = slash && !strchr(s->wanted, '/');
    if (strcmp(name, s->wanted) == 0) return;
    size_t far = nt_edit_distance(s->wanted, bare ? slash + 1 : name);
    if (strcasecmp(bare ? slash + 1 : name, s->wanted) == 0) far = 0;
    if (far >= s->best) return;
    s->best = far;
    strcpy(s->out, name);
}

bool nt_hub_near_name(char out[NT_HUB_MAX_REPO + 1], const nt_hub_place *place, const char *repo,
                      bool cached) {
    search s = {repo, strlen(repo) / 4 + 2, out}; /* further off is another name */
    const char *other = nt_hub_other_name(repo);
    nt_arena arena = {0};
    const char *const *entries;
    size_t n = 0;
    if (s.best > 4) s.best = 4;
    out[0] = 0;
    for (size_t i = 0; i < N_MOVED && !cached && !other; i++)
        for (int k = 0; k < 2; k++)
            consider(&s, moved[i][k]);
    for (size_t i = 0; i < N_WELL_KNOWN && !cached; i++)
        consider(&s, well_known[i]);
    if (nt_hub_names(&entries, &n, &arena, place->cache) != NT_OK) n = 0;
    for (size_t i = 0; i < n; i++) {
        char name[NT_HUB_MAX_REPO + 1];
        if (!nt_hub_folder_repo(name, entries[i])) continue;
        consider(&s, name);
        if (!other || strcmp(name, other) != 0) continue;
        strcpy(out, name); /* the same model */
        break;
    }
    nt_arena_free(&arena);
    return out[0] != 0;
}

int nt_hub_fail_absent(const nt_hub_place *place, const char *repo) {
    char near[NT_HUB_MAX_REPO + 1];
    bool any = nt_hub_near_name(near, place, repo, true);
    return nt_fail(NT_E_NOT_FOUND, "%s is not in the cache (%.400s)%s%s%s", repo, place->cache,
                   any ? ": did you mean " : ": nextoken cache list shows what is", near,
                   any ? "?" : "");
}
