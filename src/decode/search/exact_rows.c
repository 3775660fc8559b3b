/* Where an exact search has its rows of logits from. Several prefixes run in one call of the model:
 * the one that is looked at now and those that are likely to be next. Sequences of prefixes stay
 * for their children to fork, as many as there is room for; a prefix whose ancestors have been
 * dropped runs again from the nearest that is left, at worst the prompt. */
#include <string.h>

#include "base/memory.h"
#include "decode/search/exact.h"

static int32_t slot_of(const nt_exact_rows *rows, int32_t prefix) {
    for (size_t i = 0; i <= rows->room.batch; i++)
        if (rows->who[i] == prefix) return (int32_t)i;
    return -1;
}

static void save(nt_exact *x, size_t slot, const nt_given *given, size_t i) {
    nt_exact_rows *rows = &x->rows;
    const float *unguided = nt_unguided(given, i);
    memcpy(rows->logits + slot * x->V, given->logits[i], x->V * sizeof *rows->logits);
    if (unguided) memcpy(rows->unguided + slot * x->V, unguided, x->V * sizeof *rows->unguided);
}

int nt_exact_rows_begin(nt_exact *x, const nt_exact_room *room) {
    nt_exact_rows *rows = &x->rows;
    nt_tracks *tracks = &x->search->tracks;
    *rows = (nt_exact_rows){.room = *room, .root = -1};
    for (size_t i = 0; i <= room->batch; i++)
        rows->who[i] = -1;
    rows->logits = nt_alloc_large(room->batch + 1, x->V * sizeof *rows->logits);
    if (!rows->logits) return NT_E_MEMORY;
    rows->ids = nt_alloc(room->batch * x->plan->max_new, sizeof *rows->ids);
    if (!rows->ids) return NT_E_MEMORY;
    nt_given given;
    NT_TRY(nt_tracks_start(tracks, &rows->root, &given));
    if (given.unguided) {
        rows->unguided = nt_alloc_large(room->batch + 1, x->V * sizeof *rows->unguided);
        if (!rows->unguided) return NT_E_MEMORY;
    }
    save(x, 0, &given, 0);
    rows->who[0] = 0;
    return NT_OK;
}

static void drop_brief(nt_exact *x) {
    while (x->rows.n_brief > 0)
        nt_tracks_drop(&x->search->tracks, x->rows.brief[--x->rows.n_brief]);
}

void nt_exact_rows_free(nt_exact *x) {
    nt_exact_rows *rows = &x->rows;
    nt_tracks *tracks = &x->search->tracks;
    drop_brief(x);
    for (size_t i = 0; i < rows->n_live; i++)
        nt_tracks_drop(tracks, rows->live[i].sequence);
    nt_tracks_drop(tracks, rows->root);
    nt_free(rows->logits);
    nt_free(rows->unguided);
    nt_free(rows->ids);
}

static nt_exact_sequence *live_of(nt_exact_rows *rows, int32_t prefix) {
    for (size_t i = 0; i < rows->n_live; i++)
        if (rows->live[i].prefix == prefix) return &rows->live[i];
    return NULL;
}

/* The sequence of the nearest ancestor that has one, or of the prefix itself; *found: whose. */
static int32_t nearest(int32_t *found, nt_exact *x, int32_t prefix) {
    nt_exact_rows *rows = &x->rows;
    for (; prefix > 0; prefix = x->prefixes[prefix].parent) {
        nt_exact_sequence *live = live_of(rows, prefix);
        if (!live) continue;
        live->used = ++rows->clock;
        *found = prefix;
        return live->sequence;
    }
    *found = 0;
    return rows->root;
}

/* Holds on to a prefix's sequence; the one that was not used for longest goes for it, but none
 * of this batch. There are more than that: live >= batch. */
static void hold(nt_exact *x, int32_t prefix, int32_t sequence) {
    nt_exact_rows *rows = &x->rows;
    nt_exact_sequence *place = &rows->live[rows->n_live];
    if (rows->n_live < rows->room.live) {
        rows->n_live++;
    } else {
        place = NULL;
        for (size_t i = 0; i < rows->n_live; i++) {
            nt_exact_sequence *one = &rows->live[i];
            if (one->begun != rows->n_batches && (!place || one->used < place->used)) place = one;
        }
        nt_tracks_drop(&x->search->tracks, place->sequence);
    }
    *place = (nt_exact_sequence){prefix, sequence, ++rows->clock, rows->n_batches};
}

/* A sequence for the i-th row of a batch, and what it has still to run. One that is there already
 * (its row is wanted again) runs its last id once more, in a fork: children may fork it. */
static int lay_out(nt_step_row *row, nt_exact *x, size_t i, int32_t prefix) {
    nt_exact_rows *rows = &x->rows;
    nt_tracks *tracks = &x->search->tracks;
    int32_t *ids = rows->ids + (i + 1) * x->plan->max_new, *first = ids;
    int32_t from, sequence;
    int32_t parent = nearest(&from, x, prefix);
    bool again = from == prefix, last = x->prefixes[prefix].depth + 1 >= x->plan->max_new;
    NT_TRY(nt_tracks_fork(tracks, &sequence, parent));
    if (again || last) {
        rows->brief[rows->n_brief++] = sequence;
    } else {
        hold(x, prefix, sequence);
    }
    if (again) {
        nt_tracks_cut(tracks, sequence, 1);
        *--first = x->prefixes[prefix].id;
    }
    for (int32_t p = prefix; p != from; p = x->prefixes[p].parent)
        *--first = x->prefixes[p].id;
    *row = (nt_step_row){.sequence = sequence, .ids = first, .n_ids = (size_t)(ids - first)};
    return NT_OK;
}

static bool is_in(const int32_t *list, size_t n, int32_t x) {
    for (size_t i = 0; i < n; i++)
        if (list[i] == x) return true;
    return false;
}

/* A place for a row: a free one, or one of a prefix that is not wanted now. */
static size_t place_for(const nt_exact_rows *rows, const int32_t *wanted, size_t n,
                        const size_t *taken, size_t n_taken) {
    size_t found = 0;
    for (size_t i = 1; i <= rows->room.batch; i++) {
        bool used = is_in(wanted, n, rows->who[i]);
        for (size_t t = 0; t < n_taken; t++)
            used |= taken[t] == i;
        if (used) continue;
        if (rows->who[i] < 0) return i;
        found = i;
    }
    return found;
}

int nt_exact_rows_load(nt_exact *x, const int32_t *wanted, size_t n) {
    nt_exact_rows *rows = &x->rows;
    nt_step_row steps[NT_EXACT_BATCH] = {0};
    int32_t who[NT_EXACT_BATCH];
    size_t places[NT_EXACT_BATCH], n_steps = 0;
    if (slot_of(rows, wanted[0]) >= 0) return NT_OK;
    rows->n_batches++;
    for (size_t i = 0; i < n; i++) {
        if (slot_of(rows, wanted[i]) >= 0) continue;
        NT_TRY(lay_out(&steps[n_steps], x, n_steps, wanted[i]));
        places[n_steps] = place_for(rows, wanted, n, places, n_steps);
        who[n_steps++] = wanted[i];
    }
    nt_given given;
    NT_TRY(nt_tracks_step(&x->search->tracks, &given, steps, n_steps));
    for (size_t i = 0; i < n_steps; i++) {
        save(x, places[i], &given, i);
        rows->who[places[i]] = who[i];
    }
    drop_brief(x);
    return NT_OK;
}

const float *nt_exact_row(const nt_exact *x, int32_t prefix, const float **unguided) {
    const nt_exact_rows *rows = &x->rows;
    size_t at = (size_t)slot_of(rows, prefix) * x->V;
    *unguided = rows->unguided ? rows->unguided + at : NULL;
    return rows->logits + at;
}

void nt_exact_row_done(nt_exact *x, int32_t prefix) {
    if (prefix > 0) x->rows.who[slot_of(&x->rows, prefix)] = -1;
}
