/* The sequences of a search. Each is one of the stepper's; with guidance a second one runs beside
 * it from the negative prompt, is forked, cut and dropped with it, and gives the unguided logits.
 */
#ifndef NT_DECODE_TRACKS_H
#define NT_DECODE_TRACKS_H

#include "decode/generate.h"

/* What a search's sequence is made of. */
typedef struct nt_track {
    int32_t twin;  /* the sequence beside it; -1: none */
    size_t length; /* positions of the sequence itself, */
    size_t beside; /* and of its twin */
} nt_track;

typedef struct nt_tracks {
    const nt_decoding *with;
    bool guided;
    nt_track *tracks; /* [n_tracks] by sequence */
    size_t n_tracks;
    const float **logits; /* [n_logits] what the stepper gave last */
    size_t n_logits;
    nt_step_row *rows; /* [n_rows] with their twins */
    size_t n_rows;
    nt_effort *effort; /* counted here */
} nt_tracks;

/* What a step gave: logits [n] as the stepper's, and unguided [n], NULL without guidance. Valid
 * until the next step. */
typedef struct nt_given {
    const float *const *logits;
    const float *const *unguided;
} nt_given;

/* The logits under the negative prompt that belong to logits[i]; NULL without guidance. */
static inline const float *nt_unguided(const nt_given *given, size_t i) {
    return given->unguided ? given->unguided[i] : NULL;
}

void nt_tracks_begin(nt_tracks *tracks, const nt_decoding *with, nt_effort *effort);
/* Frees the tables; sequences are the caller's to drop before. */
void nt_tracks_free(nt_tracks *tracks);

/* A new sequence that holds the prompt; given: its last row. On failure *sequence is -1. */
int nt_tracks_start(nt_tracks *tracks, int32_t *sequence, nt_given *given);
/* A step of several sequences at once, as nt_stepper's. */
int nt_tracks_step(nt_tracks *tracks, nt_given *given, const nt_step_row *rows, size_t n_rows);
/* On failure *child is -1. */
int nt_tracks_fork(nt_tracks *tracks, int32_t *child, int32_t parent);
/* -1 is legal. */
void nt_tracks_drop(nt_tracks *tracks, int32_t sequence);
/* Takes the last n positions off. */
void nt_tracks_cut(nt_tracks *tracks, int32_t sequence, size_t n_ids);

#endif
