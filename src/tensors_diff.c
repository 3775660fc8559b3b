/* nt_diff_tensors, which `info --diff` shows: two lists walked side by side in order of name, then
 * pairs of tensors counted. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/options.h"
#include "builtin/builtin.h"
#include "model/families/family.h"
#include "statistics.h"
#include "tensors.h"
#include "wiring.h"

typedef struct sides {
    nt_result *trace;
    const nt_tensors_options *options;
    nt_listing a, b;
    nt_tally tally;
    const nt_listed **of_a, **of_b; /* [n_diffs] NULL: it has none */
    double *dd, *aa;                /* [n_diffs] sums of squares of b - a, of a */
} sides;

/* ---- One pair -------------------------------------------------------------------------------- */

/* Whether a tensor has a row a token or a position, so that a model may have been given more. */
static bool is_table(const char *name) {
    static const char *const ends[] = {"wte.weight",
                                       "wpe.weight",
                                       "embed_tokens.weight",
                                       "embed_positions.weight",
                                       "embed_in.weight",
                                       "embed_out.weight",
                                       "word_embeddings.weight",
                                       "position_embeddings.weight",
                                       "shared.weight",
                                       "lm_head.weight",
                                       "lm_head.bias"};
    size_t n = strlen(name);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        size_t m = strlen(ends[i]);
        if (n >= m && strcmp(name + n - m, ends[i]) == 0) return true;
    }
    return false;
}

/* Whether the pair can be compared, and how: turned, or (n_rows) the first rows alone. */
static bool fits(nt_tensor_diff *diff, const sides *s) {
    const nt_tensor_info *a = diff->a, *b = diff->b;
    if (a->n_dims != b->n_dims) return false;
    diff->turned = s->a.out_in != s->b.out_in && a->n_dims == 2 &&
                   nt_family_is_in_out(&nt_family_gpt2, diff->name);
    if (diff->turned) return a->shape[0] == b->shape[1] && a->shape[1] == b->shape[0];
    for (size_t d = 1; d < a->n_dims; d++)
        if (a->shape[d] != b->shape[d]) return false;
    if (a->n_numbers == b->n_numbers) return a->n_dims == 0 || a->shape[0] == b->shape[0];
    diff->n_rows = (uint64_t)(a->shape[0] < b->shape[0] ? a->shape[0] : b->shape[0]);
    if (diff->n_rows > 0 && is_table(diff->name)) return true;
    diff->n_rows = 0;
    return false;
}

static bool same_bytes(const nt_tensor_diff *diff, const nt_listed *a, const nt_listed *b) {
    const nt_tensor_info *left = diff->a, *right = diff->b;
    if (diff->turned || diff->n_rows || strcmp(left->type, right->type) != 0) return false;
    if (left->n_bytes != right->n_bytes) return false;
    if (left->n_bytes == 0) return true;
    return a->data && b->data &&
           (a->data == b->data || memcmp(a->data, b->data, left->n_bytes) == 0);
}

static void take_pairs(nt_tensor_diff *diff, const nt_pairs *p) {
    double n = (double)p->n, product = p->aa * p->bb;
    double lengths =
        isnormal(product) ? sqrt(product) : sqrt(p->aa) * sqrt(p->bb); /* of the same: aa itself */
    diff->n_compared = p->n_pairs;
    diff->n_changed = p->n_changed;
    diff->n_not_finite = p->n_pairs - p->n;
    if (p->n == 0) return;
    diff->max_abs = p->max_abs;
    diff->rms = sqrt(p->dd / n);
    diff->relative = p->aa > 0 ? sqrt(p->dd / p->aa) : p->dd > 0 ? (double)INFINITY : 0;
    if (lengths > 0) diff->cosine = fmin(fmax(p->ab / lengths, -1), 1);
}

static int count_pair(sides *s, nt_tensor_diff *diff, size_t i) {
    const nt_listed *a = s->of_a[i], *b = s->of_b[i];
    nt_numbers left, right;
    nt_pairs pairs;
    uint64_t n = diff->a->n_numbers;
    bool same = same_bytes(diff, a, b);
    bool read = nt_numbers_of(&left, a->data, diff->a->type) &&
                nt_numbers_of(&right, same ? a->data : b->data, diff->b->type) &&
                ((a->data && b->data) || n == 0);
    diff->difference = same ? NT_DIFF_IDENTICAL : NT_DIFF_UNREAD;
    if (!read) {
        diff->n_rows = 0;
        return nt_tally_tell(&s->tally, diff->a->n_bytes);
    }
    right.turned = diff->turned;
    if (diff->turned) {
        right.rows = (uint64_t)diff->a->shape[0];
        right.columns = (uint64_t)diff->a->shape[1];
    }
    if (diff->n_rows) n = n / (uint64_t)diff->a->shape[0] * diff->n_rows;
    NT_TRY(nt_tally_pairs(&pairs, &s->tally, &left, &right, n, diff->a->n_bytes));
    take_pairs(diff, &pairs);
    s->dd[i] = pairs.dd;
    s->aa[i] = pairs.aa;
    if (!same) diff->difference = pairs.n_changed || diff->n_rows ? NT_DIFF_CHANGED : NT_DIFF_EQUAL;
    return NT_OK;
}

static int compare(sides *s, size_t i) {
    nt_tensor_diff *diff = &s->trace->diffs[i];
    if (!diff->b || !diff->a) {
        diff->difference = diff->a ? NT_DIFF_ONLY_A : NT_DIFF_ONLY_B;
        return diff->a ? nt_tally_tell(&s->tally, diff->a->n_bytes) : NT_OK;
    }
    if (fits(diff, s)) return count_pair(s, diff, i);
    diff->difference = NT_DIFF_SHAPE;
    diff->turned = false;
    return nt_tally_tell(&s->tally, diff->a->n_bytes);
}

/* ---- All pairs ------------------------------------------------------------------------------- */

static const nt_tensor_info *keep(nt_result *trace, const nt_listed *item) {
    nt_tensor_info *info = nt_arena_alloc(&trace->arena, 1, sizeof *info);
    if (info) *info = item->info;
    return info;
}

/* Walks both lists: what has the same name is a pair. */
static int match(sides *s) {
    nt_result *trace = s->trace;
    size_t i = 0, j = 0, most = s->a.n + s->b.n;
    trace->diffs = nt_arena_alloc(&trace->arena, most, sizeof *trace->diffs);
    s->of_a = nt_alloc(2 * most, sizeof *s->of_a);
    s->dd = nt_alloc(2 * most, sizeof *s->dd);
    if (!trace->diffs || !s->of_a || !s->dd) return NT_E_MEMORY;
    s->of_b = s->of_a + most;
    s->aa = s->dd + most;
    const double nan = (double)NAN;
    while (i < s->a.n || j < s->b.n) {
        const nt_listed *a = i < s->a.n ? &s->a.items[i] : NULL;
        const nt_listed *b = j < s->b.n ? &s->b.items[j] : NULL;
        int order = !a ? 1 : !b ? -1 : nt_name_order(a->info.plain, b->info.plain);
        if (order > 0) a = NULL;
        if (order < 0) b = NULL;
        size_t k = trace->n_diffs++;
        trace->diffs[k] = (nt_tensor_diff){.name = a ? a->info.plain : b->info.plain,
                                           .max_abs = nan,
                                           .rms = nan,
                                           .relative = nan,
                                           .cosine = nan};
        if (a && !(trace->diffs[k].a = keep(trace, a))) return NT_E_MEMORY;
        if (b && !(trace->diffs[k].b = keep(trace, b))) return NT_E_MEMORY;
        s->of_a[k] = a;
        s->of_b[k] = b;
        i += a != NULL;
        j += b != NULL;
    }
    return NT_OK;
}

/* "h.0" of "h.0.ln_1.weight"; "wte" of "wte.weight": how much of the name it is. */
static size_t block_of(const char *name) {
    for (const char *at = name; *at;) {
        size_t part = strcspn(at, "."), digits = strspn(at, "0123456789");
        if (part > 0 && digits == part) return (size_t)(at - name) + part;
        at += part + (at[part] == '.');
    }
    const char *point = strrchr(name, '.');
    return point ? (size_t)(point - name) : strlen(name);
}

typedef struct summing {
    nt_diff_sum sum;
    double dd, aa;
} summing;

static void add(summing *all, const nt_tensor_diff *diff, double dd, double aa) {
    all->sum.n_tensors++;
    all->sum.n_changed += diff->difference == NT_DIFF_CHANGED;
    all->dd += dd;
    all->aa += aa;
}

static nt_diff_sum summed(const summing *all) {
    nt_diff_sum sum = all->sum;
    sum.relative = all->aa > 0 ? sqrt(all->dd / all->aa) : all->dd > 0 ? (double)INFINITY : 0;
    if (sum.n_tensors == 0) sum.relative = (double)NAN;
    return sum;
}

/* The sum of all, then of each block. */
static int sum_blocks(const sides *s) {
    nt_result *trace = s->trace;
    summing all = {.sum.name = ""}, block = {.sum.name = NULL};
    trace->sums = nt_arena_alloc(&trace->arena, trace->n_diffs + 1, sizeof *trace->sums);
    if (!trace->sums) return NT_E_MEMORY;
    trace->n_sums = 1;
    for (size_t i = 0; i < trace->n_diffs; i++) {
        const nt_tensor_diff *diff = &trace->diffs[i];
        if (diff->difference > NT_DIFF_CHANGED) continue;
        size_t n = block_of(diff->name);
        bool more = block.sum.name && strlen(block.sum.name) == n &&
                    memcmp(block.sum.name, diff->name, n) == 0;
        if (!more) {
            if (block.sum.name) trace->sums[trace->n_sums++] = summed(&block);
            block = (summing){.sum.name = nt_arena_copy(&trace->arena, diff->name, n)};
            if (!block.sum.name) return NT_E_MEMORY;
        }
        add(&block, diff, s->dd[i], s->aa[i]);
        add(&all, diff, s->dd[i], s->aa[i]);
    }
    if (block.sum.name) trace->sums[trace->n_sums++] = summed(&block);
    trace->sums[0] = summed(&all);
    return NT_OK;
}

typedef struct ranked {
    double relative; /* -1: there is none */
    size_t i;
} ranked;

static int by_change(const void *a, const void *b) {
    const ranked *left = a, *right = b;
    if (left->relative != right->relative) return left->relative > right->relative ? -1 : 1;
    return (left->i > right->i) - (left->i < right->i);
}

static int rank(nt_result *trace) {
    ranked *list = nt_alloc(trace->n_diffs, sizeof *list);
    trace->ranking = nt_arena_alloc(&trace->arena, trace->n_diffs, sizeof *trace->ranking);
    if (!list || !trace->ranking) {
        nt_free(list);
        return NT_E_MEMORY;
    }
    size_t n = 0;
    for (size_t i = 0; i < trace->n_diffs; i++) {
        const nt_tensor_diff *diff = &trace->diffs[i];
        if (diff->difference != NT_DIFF_CHANGED) continue;
        list[n++] = (ranked){isnan(diff->relative) ? -1 : diff->relative, i};
    }
    if (n) qsort(list, n, sizeof *list, by_change);
    for (size_t i = 0; i < n; i++)
        trace->ranking[i] = list[i].i;
    trace->n_ranking = n;
    nt_free(list);
    return NT_OK;
}

/* Groups of what only one side has. */
static int group_rest(nt_result *trace, nt_difference which, nt_trace_groups *out) {
    const nt_tensor_info **rest = nt_alloc(trace->n_diffs, sizeof *rest);
    size_t n = 0;
    if (!rest) return NT_E_MEMORY;
    for (size_t i = 0; i < trace->n_diffs; i++) {
        const nt_tensor_diff *diff = &trace->diffs[i];
        if (diff->difference == which) rest[n++] = which == NT_DIFF_ONLY_A ? diff->a : diff->b;
    }
    int status = nt_listing_groups(out, trace, rest, n);
    nt_free(rest);
    return status;
}

static int compare_all(sides *s) {
    nt_result *trace = s->trace;
    uint64_t total = 0;
    for (size_t i = 0; i < s->a.n; i++)
        total += s->a.items[i].info.n_bytes;
    NT_TRY(match(s));
    NT_TRY(nt_tally_new(&s->tally, s->options->threads, s->options->callbacks, total));
    for (size_t i = 0; i < trace->n_diffs; i++)
        NT_TRY(compare(s, i));
    NT_TRY(sum_blocks(s));
    NT_TRY(rank(trace));
    NT_TRY(group_rest(trace, NT_DIFF_ONLY_A, &trace->only_a));
    return group_rest(trace, NT_DIFF_ONLY_B, &trace->only_b);
}

static int diff_tensors(nt_result *trace, const char *a, const char *b,
                        const nt_tensors_options *options) {
    sides s = {.trace = trace, .options = options};
    int status = nt_trace_head(trace, a ? a : NT_BUILTIN_NAME, NULL, NULL);
    if (status == NT_OK) status = nt_trace_string(&trace->against, trace, b ? b : NT_BUILTIN_NAME);
    if (status == NT_OK) status = nt_listing_open(&s.a, trace, a, options->hub);
    if (status == NT_OK) status = nt_listing_open(&s.b, trace, b, options->hub);
    if (status == NT_OK) status = compare_all(&s);
    nt_tally_free(&s.tally);
    nt_free(s.of_a);
    nt_free(s.dd);
    nt_listing_free(&s.a);
    nt_listing_free(&s.b);
    return status;
}

int nt_diff_tensors(nt_result **out, const char *a, const char *b,
                    const nt_tensors_options *given) {
    *out = NULL;
    double started = nt_now_ms();
    nt_tensors_options options = NT_TENSORS_OPTIONS_INIT;
    NT_TRY(nt_take_options(&options, sizeof options, given, "nt_tensors_options"));
    int status = nt_trace_new(out, NT_RESULT_DIFF, NULL);
    if (status == NT_OK) status = diff_tensors(*out, a, b, &options);
    return nt_job_finish(out, status, started);
}
