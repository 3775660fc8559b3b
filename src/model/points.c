#include "model/points.h"

#include <string.h>

#include "base/memory.h"
#include "base/status.h"

static const char *const names[NT_N_POINTS] = {
    [NT_POINT_EMBEDDING] = "EMBEDDING",         [NT_POINT_BLOCK_IN] = "BLOCK_IN",
    [NT_POINT_ATTENTION] = "ATTENTION",         [NT_POINT_HEAD_OUT] = "HEAD_OUT",
    [NT_POINT_ATTENTION_OUT] = "ATTENTION_OUT", [NT_POINT_MLP_OUT] = "MLP_OUT",
    [NT_POINT_BLOCK_OUT] = "BLOCK_OUT",         [NT_POINT_FINAL_NORM] = "FINAL_NORM",
};

static bool has_layers(nt_point point) {
    return point != NT_POINT_EMBEDDING && point != NT_POINT_FINAL_NORM;
}

static bool has_heads(nt_point point) {
    return point == NT_POINT_ATTENTION || point == NT_POINT_HEAD_OUT;
}

static bool covers(int32_t wanted, int32_t at) {
    return wanted == NT_EVERY || wanted == at;
}

static int check_place(const nt_place *place, const nt_config *config, const char *kind, size_t i) {
    unsigned point = (unsigned)place->point;
    if (point >= NT_N_POINTS)
        return nt_fail(NT_E_ARGUMENT, "%s %zu: there is no point %d", kind, i, (int)place->point);
    if (has_layers(place->point) && place->layer != NT_EVERY &&
        (place->layer < 0 || place->layer >= config->L))
        return nt_fail(NT_E_RANGE, "%s %zu at %s: no layer %d, the model has layers 0 to %d", kind,
                       i, names[point], (int)place->layer, (int)config->L - 1);
    if (has_heads(place->point) && place->head != NT_EVERY &&
        (place->head < 0 || place->head >= config->H))
        return nt_fail(NT_E_RANGE, "%s %zu at %s: no head %d, the model has heads 0 to %d", kind, i,
                       names[point], (int)place->head, (int)config->H - 1);
    if (place->position != NT_EVERY && (place->position < 0 || place->position >= config->T))
        return nt_fail(NT_E_RANGE, "%s %zu at %s: no position %d, the model has positions 0 to %d",
                       kind, i, names[point], (int)place->position, (int)config->T - 1);
    return NT_OK;
}

static int check_edit(const nt_edit *edit, const nt_config *config, size_t i) {
    NT_TRY(check_place(&edit->place, config, "edit", i));
    const char *name = names[edit->place.point];
    if (edit->place.point == NT_POINT_ATTENTION)
        return nt_fail(NT_E_ARGUMENT, "edit %zu: ATTENTION can be captured, not edited", i);
    switch (edit->action) {
    case NT_ZERO:
    case NT_SCALE: return NT_OK;
    case NT_ADD:
    case NT_REPLACE: break;
    default:
        return nt_fail(NT_E_ARGUMENT, "edit %zu at %s: there is no action %d", i, name,
                       (int)edit->action);
    }
    int32_t width = has_heads(edit->place.point) ? config->E : config->D;
    if (!edit->values || edit->n_values != (size_t)width)
        return nt_fail(NT_E_ARGUMENT, "edit %zu at %s: %d values are needed, %zu were given", i,
                       name, (int)width, edit->values ? edit->n_values : 0);
    return NT_OK;
}

static void note_wanted(nt_points *points) {
    points->wanted = 0;
    for (size_t i = 0; i < points->n_edits; i++)
        points->wanted |= 1u << points->edits[i].place.point;
    for (size_t i = 0; i < points->n_captures; i++)
        points->wanted |= 1u << points->captures[i].place.point;
}

/* A copy of a list, or NULL with NT_OK for an empty one. */
static int copy_list(void **out, const void *list, size_t n, size_t size) {
    *out = NULL;
    if (n == 0) return NT_OK;
    if (!list) return nt_fail(NT_E_ARGUMENT, "a list of %zu entries that is NULL", n);
    *out = nt_alloc(n, size);
    if (!*out) return NT_E_MEMORY;
    memcpy(*out, list, n * size);
    return NT_OK;
}

int nt_points_set_edits(nt_points *points, const nt_config *config, const nt_edit *edits,
                        size_t n) {
    void *copy;
    NT_TRY(copy_list(&copy, edits, n, sizeof *edits));
    for (size_t i = 0; i < n; i++) {
        int status = check_edit(&edits[i], config, i);
        if (status != NT_OK) {
            nt_free(copy);
            return status;
        }
    }
    nt_free(points->edits);
    points->edits = copy;
    points->n_edits = n;
    note_wanted(points);
    return NT_OK;
}

int nt_points_set_captures(nt_points *points, const nt_config *config, const nt_capture *captures,
                           size_t n) {
    void *copy;
    NT_TRY(copy_list(&copy, captures, n, sizeof *captures));
    for (size_t i = 0; i < n; i++) {
        int status = check_place(&captures[i].place, config, "capture", i);
        if (status == NT_OK && !captures[i].see)
            status = nt_fail(NT_E_ARGUMENT, "capture %zu at %s: see is NULL", i,
                             names[captures[i].place.point]);
        if (status != NT_OK) {
            nt_free(copy);
            return status;
        }
    }
    nt_free(points->captures);
    points->captures = copy;
    points->n_captures = n;
    note_wanted(points);
    return NT_OK;
}

void nt_points_free(nt_points *points) {
    nt_free(points->edits);
    nt_free(points->captures);
    *points = (nt_points){0};
}

int nt_keep(void *payload, const nt_seen *seen) {
    const nt_keeper *kept = payload;
    const nt_place *place = &seen->place;
    bool theirs = kept->sequence == NT_EVERY || kept->sequence == seen->sequence;
    if (!theirs || place->position < kept->first) return 0;
    float *to = kept->data + (size_t)place->layer * kept->per_layer +
                (size_t)place->head * kept->per_head +
                (size_t)(place->position - kept->first) * kept->per_position;
    memcpy(to, seen->values, seen->n * sizeof *to);
    return 0;
}

static bool acts_in(const nt_place *place, nt_point point, int32_t layer) {
    return place->point == point && (!has_layers(point) || covers(place->layer, layer));
}

bool nt_points_wants(const nt_points *points, nt_point point, int32_t layer) {
    if (!(points->wanted >> point & 1)) return false;
    for (size_t i = 0; i < points->n_edits; i++)
        if (acts_in(&points->edits[i].place, point, layer)) return true;
    for (size_t i = 0; i < points->n_captures; i++)
        if (acts_in(&points->captures[i].place, point, layer)) return true;
    return false;
}

/* Whether a list entry acts on part `head` of a row. */
static bool acts_on(const nt_place *place, const nt_at *at, size_t head) {
    return acts_in(place, at->point, at->layer) && covers(place->position, at->position) &&
           (!has_heads(at->point) || covers(place->head, (int32_t)head));
}

static void apply(const nt_edit *edit, float *x, size_t n) {
    for (size_t i = 0; i < n; i++) {
        switch (edit->action) {
        case NT_ZERO: x[i] = 0; break;
        case NT_SCALE: x[i] *= edit->factor; break;
        case NT_ADD: x[i] += edit->values[i]; break;
        case NT_REPLACE: x[i] = edit->values[i]; break;
        }
    }
}

int nt_points_at(const nt_points *points, const nt_at *at) {
    if (!(points->wanted >> at->point & 1)) return NT_OK;
    for (size_t i = 0; i < points->n_edits; i++)
        for (size_t part = 0; part < at->n_parts; part++)
            if (acts_on(&points->edits[i].place, at, part))
                apply(&points->edits[i], at->x + part * at->ld, at->n_part);
    for (size_t i = 0; i < points->n_captures; i++) {
        const nt_capture *capture = &points->captures[i];
        for (size_t part = 0; part < at->n_parts; part++) {
            if (!acts_on(&capture->place, at, part)) continue;
            nt_seen seen = {.sequence = at->sequence,
                            .values = at->x + part * at->ld,
                            .n = at->n_part,
                            .place = {.point = at->point,
                                      .layer = has_layers(at->point) ? at->layer : 0,
                                      .head = has_heads(at->point) ? (int32_t)part : 0,
                                      .position = at->position}};
            if (capture->see(capture->payload, &seen) != 0)
                return nt_fail(NT_E_CANCELLED, "a capture at %s stopped the forward pass",
                               names[at->point]);
        }
    }
    return NT_OK;
}
