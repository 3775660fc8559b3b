/* The buffers of a forward pass: of bounded size whatever the text's length, kept between calls. */
#ifndef NT_MODEL_WORKSPACE_H
#define NT_MODEL_WORKSPACE_H

#include <stddef.h>
#include <stdint.h>

#include "format/config.h"
#include "model/rotary.h"

enum {
    NT_CHUNK = 512,    /* rows that go through the blocks together, at most */
    NT_HEAD_ROWS = 64, /* rows that go through the head together, at most */
};

typedef struct nt_workspace {
    size_t rows, head_rows;  /* what there is room for */
    float *x, *normed;       /* [rows, D] */
    float *qkv;              /* [rows, (H + 2 G) E] */
    float *mixed;            /* [rows, the larger of D and H E] */
    float *inner, *gate;     /* [rows, F]; the gate of gated MLPs */
    nt_turns turns;          /* of rotary positions */
    int32_t *ids, *position; /* [rows]; position: among the keys of the sequence */
    int32_t *stands;         /* [rows] where the id stands: position, and the sequence's shift */
    int32_t *sees;       /* [rows] the last position that it looks at: its own, but for padding */
    void *const **pages; /* [rows] */
    float *head_in;      /* [NT_HEAD_ROWS, D] */
    float *logits;       /* [head_rows, V] */
    float *probs;        /* [n_probs] */
    size_t n_probs;
    float *read_in, *read_logits; /* [read_rows, D], [read_rows, V]: apart from a pass's own */
    size_t read_rows;
} nt_workspace; /* all zero: nothing yet */

/* Room for a call of `total` rows, `wanted` of them through the head. Errors: MEMORY. */
int nt_workspace_ready(nt_workspace *work, const nt_config *config, size_t total, size_t wanted);
/* Room for attention probabilities of `width` floats a row: for R rows, or as many as the bound on
 * memory allows (at least one), told in *rows. */
int nt_workspace_probs(float **probs, size_t *rows, nt_workspace *work, size_t R, size_t width);
/* Room for reading out n states, as many at a time as the bound on memory allows: read_rows. */
int nt_workspace_read_out(nt_workspace *work, const nt_config *config, size_t n);
void nt_workspace_free(nt_workspace *work);

#endif
