#include "model/workspace.h"

#include "base/memory.h"

enum { MOST_LOGITS = 1 << 22, MOST_PROBS = 1 << 22 }; /* floats, unless one row needs more */

static void free_rows(nt_workspace *work) {
    nt_free(work->x);
    nt_free(work->normed);
    nt_free(work->qkv);
    nt_free(work->mixed);
    nt_free(work->inner);
    nt_free(work->gate);
    nt_free(work->ids);
    nt_free(work->position);
    nt_free(work->stands);
    nt_free(work->sees);
    nt_free((void *)work->pages);
    nt_free(work->head_in);
    work->x = work->normed = work->qkv = work->mixed = work->inner = work->gate = NULL;
    work->head_in = NULL;
    work->ids = work->position = work->stands = work->sees = NULL;
    work->pages = NULL;
    work->rows = 0;
}

static int make_rows(nt_workspace *work, const nt_config *config, size_t rows) {
    size_t D = (size_t)config->D, F = (size_t)config->F, E = (size_t)config->E;
    size_t heads = (size_t)config->H * E, all = heads + 2 * (size_t)config->G * E;
    free_rows(work);
    if (!(work->x = nt_alloc_aligned(rows * D, sizeof(float))) ||
        !(work->normed = nt_alloc_aligned(rows * D, sizeof(float))) ||
        !(work->qkv = nt_alloc_aligned(rows * all, sizeof(float))) ||
        !(work->mixed = nt_alloc_aligned(rows * (heads > D ? heads : D), sizeof(float))) ||
        !(work->inner = nt_alloc_aligned(rows * F, sizeof(float))) ||
        (config->gated && !(work->gate = nt_alloc_aligned(rows * F, sizeof(float)))) ||
        !(work->ids = nt_alloc(rows, sizeof *work->ids)) ||
        !(work->position = nt_alloc(rows, sizeof *work->position)) ||
        !(work->stands = nt_alloc(rows, sizeof *work->stands)) ||
        !(work->sees = nt_alloc(rows, sizeof *work->sees)) ||
        !(work->pages = nt_alloc(rows, sizeof *work->pages)) ||
        !(work->head_in = nt_alloc_aligned(NT_HEAD_ROWS * D, sizeof(float))))
        return NT_E_MEMORY;
    work->rows = rows;
    return NT_OK;
}

/* need, at least twice what there was, at most `most`. */
static size_t grown(size_t have, size_t need, size_t most) {
    size_t size = need > 2 * have ? need : 2 * have;
    return size < most ? size : most;
}

/* Rows of logits that are held at a time. */
static size_t most_logits(const nt_config *config) {
    size_t most = MOST_LOGITS / (size_t)config->V;
    return most < 16 ? 16 : most > NT_HEAD_ROWS ? NT_HEAD_ROWS : most;
}

int nt_workspace_ready(nt_workspace *work, const nt_config *config, size_t total, size_t wanted) {
    size_t V = (size_t)config->V, most = most_logits(config);
    size_t rows = total < NT_CHUNK ? total : NT_CHUNK;
    size_t head_rows = wanted < most ? wanted : most;
    if (rows > work->rows) NT_TRY(make_rows(work, config, grown(work->rows, rows, NT_CHUNK)));
    if (head_rows <= work->head_rows) return NT_OK;
    head_rows = grown(work->head_rows, head_rows, most);
    nt_free(work->logits);
    work->head_rows = 0;
    work->logits = nt_alloc_aligned(head_rows * V, sizeof(float));
    if (!work->logits) return NT_E_MEMORY;
    work->head_rows = head_rows;
    return NT_OK;
}

int nt_workspace_probs(float **probs, size_t *rows, nt_workspace *work, size_t R, size_t width) {
    size_t most = MOST_PROBS / width;
    if (most == 0) most = 1;
    *rows = R < most ? R : most;
    size_t need = *rows * width;
    if (need > work->n_probs) {
        nt_free(work->probs);
        work->n_probs = 0;
        work->probs = nt_alloc_aligned(need, sizeof(float));
        if (!work->probs) return NT_E_MEMORY;
        work->n_probs = need;
    }
    *probs = work->probs;
    return NT_OK;
}

int nt_workspace_read_out(nt_workspace *work, const nt_config *config, size_t n) {
    size_t most = most_logits(config), rows = n < most ? n : most;
    if (rows <= work->read_rows) return NT_OK;
    rows = grown(work->read_rows, rows, most);
    nt_free(work->read_in);
    nt_free(work->read_logits);
    work->read_rows = 0;
    work->read_in = nt_alloc_aligned(rows * (size_t)config->D, sizeof(float));
    work->read_logits = nt_alloc_aligned(rows * (size_t)config->V, sizeof(float));
    if (!work->read_in || !work->read_logits) return NT_E_MEMORY;
    work->read_rows = rows;
    return NT_OK;
}

void nt_workspace_free(nt_workspace *work) {
    free_rows(work);
    nt_free(work->logits);
    nt_free(work->probs);
    nt_free(work->read_in);
    nt_free(work->read_logits);
    nt_turns_free(&work->turns);
    *work = (nt_workspace){0};
}
