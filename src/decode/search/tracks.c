#include "decode/search/tracks.h"

#include <string.h>

#include "base/memory.h"
#include "base/status.h"

void nt_tracks_begin(nt_tracks *tracks, const nt_decoding *with, nt_effort *effort) {
    *tracks = (nt_tracks){.with = with, .effort = effort};
    tracks->guided = with->plan->guidance_scale != 1;
}

void nt_tracks_free(nt_tracks *tracks) {
    nt_free(tracks->tracks);
    nt_free(tracks->logits);
    nt_free(tracks->rows);
}

/* Room to remember a sequence. */
static int make_room(nt_tracks *tracks, int32_t sequence) {
    return nt_grow((void **)&tracks->tracks, &tracks->n_tracks, (size_t)sequence + 1,
                   sizeof *tracks->tracks);
}

/* A sequence of the stepper's, new or a fork, that is remembered. */
static int add(int32_t *sequence, nt_tracks *tracks, int32_t parent) {
    const nt_stepper *stepper = tracks->with->stepper;
    int32_t made; /* a call that fails gives 0, which may be another's */
    if (parent < 0)
        NT_TRY(stepper->start(stepper->self, &made));
    else
        NT_TRY(stepper->fork(stepper->self, &made, parent));
    int status = make_room(tracks, made);
    if (status != NT_OK) {
        stepper->drop(stepper->self, made);
        return status;
    }
    tracks->tracks[made] = (nt_track){.twin = -1};
    *sequence = made;
    return NT_OK;
}

/* The rows and, with guidance, the same ids for their twins; *n_given: logits that are wanted of
 * the rows themselves. */
static int lay_out(nt_tracks *tracks, size_t *n_given, const nt_step_row *rows, size_t n_rows) {
    size_t factor = tracks->guided ? 2 : 1;
    *n_given = 0;
    for (size_t i = 0; i < n_rows; i++)
        *n_given += rows[i].n_logits ? rows[i].n_logits : 1;
    NT_TRY(nt_grow((void **)&tracks->rows, &tracks->n_rows, factor * n_rows, sizeof *rows));
    NT_TRY(nt_grow((void **)&tracks->logits, &tracks->n_logits, factor * *n_given,
                   sizeof *tracks->logits));
    memcpy(tracks->rows, rows, n_rows * sizeof *rows);
    for (size_t i = 0; tracks->guided && i < n_rows; i++) {
        tracks->rows[n_rows + i] = rows[i];
        tracks->rows[n_rows + i].sequence = tracks->tracks[rows[i].sequence].twin;
    }
    return NT_OK;
}

/* Runs the rows that are laid out. */
static int run(nt_tracks *tracks, nt_given *given, size_t n_rows, size_t n_given) {
    const nt_stepper *stepper = tracks->with->stepper;
    size_t factor = tracks->guided ? 2 : 1;
    NT_TRY(stepper->step(stepper->self, tracks->logits, tracks->rows, factor * n_rows,
                         tracks->with->callbacks));
    for (size_t i = 0; i < n_rows; i++) {
        nt_track *track = &tracks->tracks[tracks->rows[i].sequence];
        track->length += tracks->rows[i].n_ids;
        if (tracks->guided) track->beside += tracks->rows[n_rows + i].n_ids;
    }
    tracks->effort->n_passes++;
    tracks->effort->n_rows += factor * n_given;
    given->logits = tracks->logits;
    given->unguided = tracks->guided ? tracks->logits + n_given : NULL;
    return NT_OK;
}

static int start(nt_tracks *tracks, int32_t sequence, nt_given *given) {
    const nt_decoding *with = tracks->with;
    size_t n_given;
    if (tracks->guided) {
        int32_t twin;
        NT_TRY(add(&twin, tracks, -1));
        tracks->tracks[sequence].twin = twin;
    }
    nt_step_row row = {.sequence = sequence, .ids = with->prompt, .n_ids = with->plan->n_prompt};
    NT_TRY(lay_out(tracks, &n_given, &row, 1));
    if (tracks->guided) {
        nt_step_row *beside = &tracks->rows[1];
        beside->ids = with->negative ? with->negative : with->prompt + with->plan->n_prompt - 1;
        beside->n_ids = with->negative ? with->n_negative : 1;
    }
    return run(tracks, given, 1, n_given);
}

int nt_tracks_start(nt_tracks *tracks, int32_t *sequence, nt_given *given) {
    *sequence = -1;
    int32_t made;
    NT_TRY(add(&made, tracks, -1));
    int status = start(tracks, made, given);
    if (status != NT_OK) {
        nt_tracks_drop(tracks, made);
        return status;
    }
    *sequence = made;
    return NT_OK;
}

int nt_tracks_step(nt_tracks *tracks, nt_given *given, const nt_step_row *rows, size_t n_rows) {
    size_t n_given;
    NT_TRY(lay_out(tracks, &n_given, rows, n_rows));
    return run(tracks, given, n_rows, n_given);
}

int nt_tracks_fork(nt_tracks *tracks, int32_t *child, int32_t parent) {
    *child = -1;
    int32_t made, twin = -1;
    NT_TRY(add(&made, tracks, parent));
    if (tracks->guided) {
        int status = add(&twin, tracks, tracks->tracks[parent].twin);
        if (status != NT_OK) {
            nt_tracks_drop(tracks, made);
            return status;
        }
    }
    tracks->tracks[made] = tracks->tracks[parent];
    tracks->tracks[made].twin = twin;
    *child = made;
    return NT_OK;
}

void nt_tracks_drop(nt_tracks *tracks, int32_t sequence) {
    if (sequence < 0) return;
    const nt_stepper *stepper = tracks->with->stepper;
    int32_t twin = tracks->tracks[sequence].twin;
    stepper->drop(stepper->self, sequence);
    if (twin >= 0) stepper->drop(stepper->self, twin);
}

void nt_tracks_cut(nt_tracks *tracks, int32_t sequence, size_t n_ids) {
    if (n_ids == 0) return;
    const nt_stepper *stepper = tracks->with->stepper;
    nt_track *track = &tracks->tracks[sequence];
    stepper->cut(stepper->self, sequence, track->length -= n_ids);
    if (track->twin >= 0) stepper->cut(stepper->self, track->twin, track->beside -= n_ids);
}
