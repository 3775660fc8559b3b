#include "decode/search/kept.h"

#include <math.h>

#include "base/memory.h"

int nt_prefix_order(const nt_prefix *prefixes, const nt_prefix *a, const nt_prefix *b) {
    if (a->sum > b->sum || a->sum < b->sum) return a->sum > b->sum ? -1 : 1;
    if (a->depth != b->depth) return a->depth < b->depth ? -1 : 1;
    if (a->depth == 0) return 0;
    while (a->parent != b->parent) {
        a = &prefixes[a->parent];
        b = &prefixes[b->parent];
    }
    return a->place < b->place ? -1 : a->place > b->place;
}

int nt_kept_begin(nt_best_kept *kept, size_t most, double least) {
    *kept = (nt_best_kept){.most = most, .least = least};
    kept->best = nt_alloc(most, sizeof *kept->best);
    return kept->best ? NT_OK : NT_E_MEMORY;
}

void nt_kept_free(nt_best_kept *kept) {
    nt_free(kept->best);
}

bool nt_kept_takes(nt_best_kept *kept, const nt_prefix *prefixes, const nt_prefix *prefix) {
    if (prefix->sum < kept->least) return false;
    if (kept->n < kept->most) return true;
    if (nt_prefix_order(prefixes, prefix, &prefixes[kept->best[kept->n - 1]]) < 0) return true;
    kept->n_more++;
    return false;
}

void nt_kept_put(nt_best_kept *kept, const nt_prefix *prefixes, int32_t i) {
    if (!nt_kept_takes(kept, prefixes, &prefixes[i])) return;
    if (kept->n < kept->most)
        kept->n++;
    else
        kept->n_more++; /* the one that is pushed out */
    size_t at = kept->n - 1;
    for (; at > 0 && nt_prefix_order(prefixes, &prefixes[i], &prefixes[kept->best[at - 1]]) < 0;
         at--)
        kept->best[at] = kept->best[at - 1];
    kept->best[at] = i;
}

double nt_kept_worst(const nt_best_kept *kept, const nt_prefix *prefixes) {
    return kept->n < kept->most ? -INFINITY : prefixes[kept->best[kept->n - 1]].sum;
}
