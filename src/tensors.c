/* nt_list_tensors: what a file of weights holds, whatever it is the weights of. */
#include "tensors.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/options.h"
#include "builtin/builtin.h"
#include "format/gguf_names.h"
#include "hub/hub.h"
#include "model/families/family.h"
#include "statistics.h"
#include "wiring.h"

enum { MAX_NAME = 128 }; /* longest that llama.cpp's names get */

/* ---- Order ----------------------------------------------------------------------------------- */

/* Leading zeros are no part of a number's length. */
static const char *digits_of(const char **name, size_t *n) {
    while (**name == '0' && (*name)[1] >= '0' && (*name)[1] <= '9')
        (*name)++;
    *n = strspn(*name, "0123456789");
    return *name;
}

int nt_name_order(const char *a, const char *b) {
    const char *left = a, *right = b;
    while (*left && *right) {
        size_t n, m;
        const char *one = digits_of(&left, &n), *other = digits_of(&right, &m);
        if (n && m) {
            int order = n != m ? (n < m ? -1 : 1) : memcmp(one, other, n);
            if (order) return order;
            left += n;
            right += m;
            continue;
        }
        if (*left != *right) return (unsigned char)*left < (unsigned char)*right ? -1 : 1;
        left++;
        right++;
    }
    if (*left || *right) return *left ? 1 : -1;
    return strcmp(a, b);
}

static int by_plain(const void *a, const void *b) {
    const nt_listed *left = a, *right = b;
    int order = nt_name_order(left->info.plain, right->info.plain);
    return order ? order : strcmp(left->info.name, right->info.name);
}

/* ---- Names ----------------------------------------------------------------------------------- */

/* What stands before a checkpoint's own names: a wrapper's prefix ("module."), and the family's
 * ("transformer."), of which the head has the first alone. */
typedef struct prefix {
    const char *outer, *inner; /* [n_outer] [n_inner] */
    size_t n_outer, n_inner;
} prefix;

/* A name that ends in the table's, at a point: how much stands before it; SIZE_MAX: it does not. */
static size_t before_table(const char *name, const char *table) {
    size_t n = strlen(name), n_table = strlen(table);
    if (n < n_table || strcmp(name + n - n_table, table) != 0) return SIZE_MAX;
    return n == n_table || name[n - n_table - 1] == '.' ? n - n_table : SIZE_MAX;
}

/* Parts the prefix [n] of a name into the wrapper's and the family's, the longest that fits. */
static prefix part_prefix(const nt_family *family, const char *name, size_t n) {
    size_t inner = 0;
    for (const char *const *p = family->prefixes; *p; p++) {
        size_t length = strlen(*p);
        if (length > inner && length <= n && memcmp(name + n - length, *p, length) == 0 &&
            (length == n || name[n - length - 1] == '.'))
            inner = length;
    }
    return (prefix){name, name + n - inner, n - inner, inner};
}

/* By where the one table of embeddings stands; nothing where there is none, or several. */
static prefix find_prefix(const nt_tensors *tensors) {
    static const char *const types[] = {"gpt2", "llama", "gpt_neox", "opt"}; /* tables' names */
    for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
        const nt_family *family = nt_family_of(types[t]);
        const char *name, *found = NULL;
        size_t n_found = 0, n = 0, before;
        for (size_t i = 0; (name = nt_tensors_name(tensors, i)); i++) {
            before = before_table(name, family->globals[0].name);
            if (before == SIZE_MAX) continue;
            n_found++;
            found = name;
            n = before;
        }
        if (n_found == 1) return part_prefix(family, found, n);
    }
    return (prefix){"", "", 0, 0};
}

static const char *behind(const char *name, const char *start, size_t n) {
    return n && strncmp(name, start, n) == 0 ? name + n : name;
}

/* Whether the file is llama.cpp's of a GPT-2, whose names and shapes are known. */
static bool is_gpt2_gguf(const nt_gguf *gguf) {
    const nt_gguf_value *value = nt_gguf_find(gguf, "general.architecture");
    if (!value || value->array || value->type != NT_GGUF_STRING) return false;
    const unsigned char *at = value->data;
    nt_gguf_text text = nt_gguf_next_string(&at);
    return text.n == 4 && memcmp(text.bytes, "gpt2", 4) == 0;
}

/* ---- Lists ----------------------------------------------------------------------------------- */

static int copy_name(const char **out, nt_result *trace, const char *name) {
    *out = nt_arena_copy(&trace->arena, name, strlen(name));
    return *out ? NT_OK : NT_E_MEMORY;
}

static int list_one(nt_listed *out, nt_result *trace, const nt_tensors *tensors, size_t i,
                    const prefix *before, const char **file) {
    const char *type;
    char stored[MAX_NAME];
    uint64_t n_bytes;
    const nt_tensor *tensor = nt_tensors_any(tensors, i, &type, &n_bytes);
    const nt_gguf *gguf = nt_tensors_gguf(tensors);
    const char *name = tensor->name, *plain = name;
    if (gguf && nt_gguf_name_of(stored, sizeof stored, name)) name = stored;
    if (gguf && !is_gpt2_gguf(gguf)) plain = name; /* its names are for GPT-2 alone */
    plain = behind(plain, before->outer, before->n_outer);
    plain = behind(plain, before->inner, before->n_inner);
    nt_tensor_info *info = &out->info;
    const double nan = (double)NAN;
    *info = (nt_tensor_info){.n_dims = (size_t)tensor->n_dims,
                             .n_numbers = tensor->n_items,
                             .n_bytes = n_bytes,
                             .min = nan,
                             .max = nan,
                             .mean = nan,
                             .std = nan,
                             .rms = nan,
                             .norm = nan};
    out->data = tensor->data;
    int64_t *shape = nt_arena_alloc(&trace->arena, info->n_dims + 1, sizeof *shape);
    if (!shape) return NT_E_MEMORY;
    memcpy(shape, tensor->shape, info->n_dims * sizeof *shape);
    info->shape = shape;
    if (!*file || strcmp(*file, tensor->file) != 0) NT_TRY(copy_name(file, trace, tensor->file));
    info->file = *file;
    NT_TRY(copy_name(&info->name, trace, name));
    NT_TRY(copy_name(&info->plain, trace, plain));
    return copy_name(&info->type, trace, type);
}

int nt_listing_of(nt_listing *out, nt_result *trace, const nt_tensors *tensors) {
    size_t n = 0;
    const prefix before = find_prefix(tensors);
    const nt_gguf *gguf = nt_tensors_gguf(tensors);
    const char *file = NULL;
    while (nt_tensors_name(tensors, n))
        n++;
    out->items = nt_alloc(n, sizeof *out->items);
    if (!out->items) return NT_E_MEMORY;
    for (; out->n < n; out->n++)
        NT_TRY(list_one(&out->items[out->n], trace, tensors, out->n, &before, &file));
    out->out_in = gguf && is_gpt2_gguf(gguf);
    if (n) qsort(out->items, n, sizeof *out->items, by_plain);
    return NT_OK;
}

static int open_builtin(nt_tensors **out) {
    nt_builtin files;
    if (!nt_builtin_files(&files)) {
        return nt_fail(NT_E_UNSUPPORTED, "this build carries no model (" NT_BUILTIN_NAME
                                         " was left out of it): name another");
    }
    return nt_tensors_parse(out, files.tensors.data, files.tensors.n, NT_BUILTIN_NAME);
}

int nt_listing_open(nt_listing *out, nt_result *trace, const char *path,
                    const nt_hub_options *hub) {
    char *folder = NULL;
    *out = (nt_listing){0};
    if (!path || strcmp(path, NT_BUILTIN_NAME) == 0) {
        NT_TRY(open_builtin(&out->owned));
    } else if (nt_hub_is_path(path)) {
        NT_TRY(nt_tensors_open(&out->owned, path));
    } else {
        NT_TRY(nt_hub_resolve(&folder, path, NT_HUB_MODEL, hub));
        int status = nt_tensors_open(&out->owned, folder);
        nt_free(folder);
        NT_TRY(status);
    }
    return nt_listing_of(out, trace, out->owned);
}

void nt_listing_free(nt_listing *listing) {
    nt_tensors_free(listing->owned);
    nt_free(listing->items);
    *listing = (nt_listing){0};
}

/* ---- Groups ---------------------------------------------------------------------------------- */

typedef struct role {
    char *name; /* "h.*.ln_1.weight" */
    size_t i;
} role;

static int by_role(const void *a, const void *b) {
    const role *left = a, *right = b;
    int order = strcmp(left->name, right->name);
    return order ? order : (left->i > right->i) - (left->i < right->i);
}

/* A name with a star for each part that is a number. */
static char *role_of(nt_arena *arena, const char *name) {
    char *out = nt_arena_copy(arena, name, strlen(name));
    size_t n = 0;
    if (!out) return NULL;
    for (const char *at = name; *at;) {
        size_t part = strcspn(at, "."), digits = strspn(at, "0123456789");
        if (part > 0 && digits == part) {
            out[n++] = '*';
        } else {
            memmove(out + n, at, part);
            n += part;
        }
        at += part;
        if (*at) out[n++] = *at++;
    }
    out[n] = 0;
    return out;
}

static bool same_shape(const nt_tensor_info *a, const nt_tensor_info *b) {
    return a->n_dims == b->n_dims &&
           (a->n_dims == 0 || memcmp(a->shape, b->shape, a->n_dims * sizeof *a->shape) == 0);
}

static void join(nt_trace_group *group, const nt_tensor_info *info) {
    group->n++;
    group->n_numbers += info->n_numbers;
    group->n_bytes += info->n_bytes;
    group->other_types |= strcmp(info->type, group->first->type) != 0;
    group->other_shapes |= !same_shape(info, group->first);
}

/* first: where the tensor of a group that is the first stands among all. */
static int by_first(const void *a, const void *b) {
    const nt_trace_group *left = a, *right = b;
    return nt_name_order(left->first->plain, right->first->plain);
}

int nt_listing_groups(nt_trace_groups *out, nt_result *trace, const nt_tensor_info *const *infos,
                      size_t n) {
    *out = (nt_trace_groups){0};
    role *roles = nt_alloc(n, sizeof *roles);
    out->items = nt_arena_alloc(&trace->arena, n, sizeof *out->items);
    int status = roles && out->items ? NT_OK : NT_E_MEMORY;
    for (size_t i = 0; status == NT_OK && i < n; i++) {
        roles[i] = (role){role_of(&trace->arena, infos[i]->name), i};
        if (!roles[i].name) status = NT_E_MEMORY;
    }
    if (status == NT_OK && n) qsort(roles, n, sizeof *roles, by_role);
    for (size_t i = 0; status == NT_OK && i < n; i++) {
        const nt_tensor_info *info = infos[roles[i].i];
        bool more = i > 0 && strcmp(roles[i].name, roles[i - 1].name) == 0;
        if (!more) out->items[out->n++] = (nt_trace_group){.name = info->name, .first = info};
        nt_trace_group *group = &out->items[out->n - 1];
        if (more) group->name = roles[i].name;
        join(group, info);
    }
    if (out->n) qsort(out->items, out->n, sizeof *out->items, by_first);
    nt_free(roles);
    return status;
}

/* Groups of all infos [n]. */
static int group_all(nt_result *trace, const nt_tensor_info *infos, size_t n) {
    const nt_tensor_info **all = nt_alloc(n, sizeof *all);
    if (!all) return NT_E_MEMORY;
    for (size_t i = 0; i < n; i++)
        all[i] = &infos[i];
    int status = nt_listing_groups(&trace->groups, trace, all, n);
    nt_free(all);
    return status;
}

/* The list's infos in the trace. */
static int keep_infos(nt_tensor_info **out, nt_result *trace, const nt_listing *listing) {
    nt_tensor_info *infos = *out = nt_arena_alloc(&trace->arena, listing->n, sizeof *infos);
    if (!infos) return NT_E_MEMORY;
    for (size_t i = 0; i < listing->n; i++)
        infos[i] = listing->items[i].info;
    return NT_OK;
}

int nt_tensors_groups(nt_result *trace, const nt_tensors *tensors) {
    nt_listing listing = {0};
    nt_tensor_info *infos;
    int status = nt_listing_of(&listing, trace, tensors);
    if (status == NT_OK) status = keep_infos(&infos, trace, &listing);
    if (status == NT_OK) status = group_all(trace, infos, listing.n);
    nt_listing_free(&listing);
    return status;
}

/* ---- The job --------------------------------------------------------------------------------- */

static void take_moments(nt_tensor_info *info, const nt_moments *m) {
    double n = (double)m->n;
    info->counted = true;
    info->n_zeros = m->n_zeros;
    info->n_nan = m->n_nan;
    info->n_inf = m->n_inf;
    if (m->n == 0) return;
    double square = m->m2 / n + m->mean * m->mean;
    info->min = m->min + 0.0; /* no -0 */
    info->max = m->max + 0.0;
    info->mean = m->mean;
    info->std = sqrt(m->m2 / n);
    info->rms = sqrt(square);
    info->norm = sqrt(square * n);
}

static int count_all(nt_listing *listing, const nt_tensors_options *options) {
    nt_tally tally;
    uint64_t total = 0;
    int status = NT_OK;
    for (size_t i = 0; i < listing->n; i++)
        total += listing->items[i].info.n_bytes;
    NT_TRY(nt_tally_new(&tally, options->threads, options->callbacks, total));
    for (size_t i = 0; status == NT_OK && i < listing->n; i++) {
        nt_listed *item = &listing->items[i];
        nt_numbers numbers;
        nt_moments moments;
        bool there = item->data || item->info.n_numbers == 0;
        if (!there || !nt_numbers_of(&numbers, item->data, item->info.type)) {
            status = nt_tally_tell(&tally, item->info.n_bytes);
            continue;
        }
        status =
            nt_tally_moments(&moments, &tally, &numbers, item->info.n_numbers, item->info.n_bytes);
        if (status == NT_OK) take_moments(&item->info, &moments);
    }
    nt_tally_free(&tally);
    return status;
}

static int list(nt_result *trace, const char *path, const nt_tensors_options *options) {
    nt_listing listing;
    NT_TRY(nt_trace_head(trace, path ? path : NT_BUILTIN_NAME, NULL, NULL));
    int status = nt_listing_open(&listing, trace, path, options->hub);
    if (status == NT_OK && !options->no_statistics) status = count_all(&listing, options);
    if (status == NT_OK) status = keep_infos(&trace->infos, trace, &listing);
    if (status == NT_OK) {
        trace->n_infos = listing.n;
        status = group_all(trace, trace->infos, listing.n);
    }
    nt_listing_free(&listing);
    return status;
}

int nt_list_tensors(nt_result **out, const char *path, const nt_tensors_options *given) {
    *out = NULL;
    double started = nt_now_ms();
    nt_tensors_options options = NT_TENSORS_OPTIONS_INIT;
    NT_TRY(nt_take_options(&options, sizeof options, given, "nt_tensors_options"));
    int status = nt_trace_new(out, NT_RESULT_TENSORS, NULL);
    if (status == NT_OK) status = list(*out, path, &options);
    return nt_job_finish(out, status, started);
}
