/* Named points: where callers look into the forward pass, or change it. The pass calls nt_points_at
 * in one place a point; with empty lists it returns at once and no bit changes. */
#ifndef NT_MODEL_POINTS_H
#define NT_MODEL_POINTS_H

#include "format/config.h"
#include "nextoken.h"

typedef struct nt_points {
    nt_edit *edits;
    size_t n_edits;
    nt_capture *captures;
    size_t n_captures;
    uint32_t wanted; /* bit p set: some list entry acts at point p */
} nt_points;         /* all zero: nothing */

/* Check the entries against the model's sizes and copy the lists. */
int nt_points_set_edits(nt_points *points, const nt_config *config, const nt_edit *edits, size_t n);
int nt_points_set_captures(nt_points *points, const nt_config *config, const nt_capture *captures,
                           size_t n);
void nt_points_free(nt_points *points);

/* Whether anything acts at (point, layer): lets the pass skip work that only a capture needs. */
bool nt_points_wants(const nt_points *points, nt_point point, int32_t layer);

/* One row's values at a point; for points of heads x holds H parts of n_part each, ld apart. */
typedef struct nt_at {
    nt_point point;
    int32_t layer;
    int32_t sequence, position;
    size_t n_parts; /* 1, or H */
    size_t n_part;  /* D, E, or position + 1 */
    size_t ld;      /* distance between parts */
    float *x;
} nt_at;

/* Applies edits, then shows captures. NT_E_CANCELLED when a capture says so. */
int nt_points_at(const nt_points *points, const nt_at *at);

#endif
