#include "model/narrow.h"

#include <string.h>

#include "base/memory.h"
#include "base/threads.h"
#include "model/families/family.h"

enum {
    LINE = 32,       /* numbers of bfloat16 in a cache line: matrices begin on one */
    ALONE = 1 << 20, /* fewer numbers are not worth making threads for */
    F16_CODES = 1 << 16
};

typedef struct narrowing {
    nt_network *network;
    nt_pool *pool;          /* NULL: this thread alone */
    const uint16_t *of_f16; /* [F16_CODES]: each as bfloat16; NULL where nothing is F16 */
    uint16_t *next;         /* where the next copy goes */
    bool any_f16;
} narrowing;

/* What is done with each matrix of a network. */
typedef void (*visit)(narrowing *all, nt_matrix *m);

static bool is_wide(const nt_matrix *m) {
    bool aligned = (uintptr_t)m->data % nt_dtype_alignment(m->dtype) == 0;
    return m->data && nt_dtype_block(m->dtype) == 1 && (m->dtype != NT_BF16 || !aligned);
}

/* Where a slot's matrix is in its struct; NULL for a vector, and for one that the network lacks. */
static nt_matrix *matrix_at(void *of, const nt_slot *slot, const nt_network *network) {
    if (!slot->dims[1] || !nt_slot_wanted(slot, &network->config)) return NULL;
    return (nt_matrix *)(void *)((char *)of + slot->offset);
}

static void visit_slots(narrowing *all, visit act, void *of, const nt_slot *slots, size_t n) {
    for (size_t i = 0; i < n; i++) {
        nt_matrix *m = matrix_at(of, &slots[i], all->network);
        if (m && is_wide(m)) act(all, m);
    }
}

/* The head comes first: while it still lies in the table of embeddings, they are one. */
static void visit_all(narrowing *all, visit act) {
    nt_network *network = all->network;
    const nt_family *family = network->family;
    bool tied = network->head.data == network->wte.data;
    if (!tied && is_wide(&network->head)) act(all, &network->head);
    visit_slots(all, act, network, family->globals, family->n_globals);
    if (tied) network->head = network->wte;
    for (size_t layer = 0; layer < (size_t)network->config.L; layer++)
        visit_slots(all, act, &network->blocks[layer], family->block, family->n_block);
}

static void count(narrowing *all, nt_matrix *m) {
    all->network->n_halves += (m->K * m->N + LINE - 1) / LINE * LINE;
    all->any_f16 = all->any_f16 || m->dtype == NT_F16;
}

/* ---- One matrix ---- */

typedef struct copy {
    uint16_t *to;
    const nt_matrix *from;
    const uint16_t *of_f16;
} copy;

static void copy_part(void *payload, int thread, int n_threads) {
    const copy *c = payload;
    const nt_matrix *m = c->from;
    bool aligned = (uintptr_t)m->data % nt_dtype_alignment(m->dtype) == 0;
    size_t begin, end;
    nt_partition(&begin, &end, m->K * m->N, LINE, thread, n_threads);
    if (m->dtype == NT_F32 && aligned) {
        const float *from = m->data;
        for (size_t i = begin; i < end; i++)
            c->to[i] = nt_bfloat(from[i]);
    } else if (m->dtype == NT_F16) {
        for (size_t i = begin; i < end; i++) {
            uint16_t code;
            memcpy(&code, (const char *)m->data + i * sizeof code, sizeof code);
            c->to[i] = c->of_f16[code];
        }
    } else {
        for (size_t i = begin; i < end; i++)
            c->to[i] = nt_bfloat(nt_dtype_load(m->data, m->dtype, i));
    }
}

static void narrow(narrowing *all, nt_matrix *m) {
    copy c = {.to = all->next, .from = m, .of_f16 = all->of_f16};
    if (all->pool)
        nt_pool_run(all->pool, copy_part, &c);
    else
        copy_part(&c, 0, 1);
    m->data = all->next;
    m->dtype = NT_BF16;
    all->next += (m->K * m->N + LINE - 1) / LINE * LINE;
    nt_tensors_forget(all->network->tensors);
}

/* ---- All of them ---- */

static int make_table(narrowing *all, uint16_t **table) {
    *table = NULL;
    if (!all->any_f16) return NT_OK;
    *table = nt_alloc(F16_CODES, sizeof **table);
    if (!*table) return NT_E_MEMORY;
    for (uint32_t i = 0; i < F16_CODES; i++) {
        uint16_t code = (uint16_t)i;
        (*table)[i] = nt_bfloat(nt_dtype_load(&code, NT_F16, 0));
    }
    all->of_f16 = *table;
    return NT_OK;
}

int nt_network_narrow(nt_network *network) {
    narrowing all = {.network = network};
    uint16_t *table = NULL;
    visit_all(&all, count);
    if (network->n_halves == 0) return NT_OK;
    all.next = network->halves = nt_alloc_large(network->n_halves, sizeof *network->halves);
    int status = network->halves ? make_table(&all, &table) : NT_E_MEMORY;
    if (status == NT_OK && network->n_halves >= ALONE) status = nt_pool_new(&all.pool, 0);
    if (status == NT_OK) visit_all(&all, narrow);
    nt_pool_free(all.pool);
    nt_free(table);
    return status;
}
