/* Choosing what of a search is shown, and putting it in order. Nothing recurses: a tree may be as
 * deep as a search is long. */
#include "view/tree.h"

#include <string.h>

#include "base/memory.h"
#include "view/changes.h"

/* Leaves and tokens of a tree that somebody asked for, and of one that is to be read at a glance.
 */
enum { MOST_LEAVES = 2000, MOST_NODES = 20000, MOST_OF_ROW = 64 };
enum { PLAIN_BEAMS = 140, GLANCE_LEAVES = 100, GLANCE_EXACT = 40, LONG = 16 };

typedef struct choice {
    const nt_result *trace;
    nt_tree *tree;
    int32_t *output;    /* [n_beams] the best output that a beam leads to, -1 */
    int32_t *node;      /* [n_beams] -1: not in the tree */
    size_t *below;      /* [n_beams] beams that hang from one and are not in the tree */
    bool *kept;         /* [n_beams] */
    int32_t *kid, *kin; /* [n_beams] the last beam that continues one, and the one before it */
    size_t n_roots, capacity, leaves, most_leaves, most;
} choice;

bool nt_tree_has(const nt_result *trace) {
    return trace->kind == NT_RESULT_GENERATE && trace->n_beams > 0;
}

int nt_tree_refuse(const nt_result *trace) {
    if (trace->kind != NT_RESULT_GENERATE)
        return nt_fail(NT_E_UNSUPPORTED, "a result of kind %d has no tree", (int)trace->kind);
    return nt_fail(NT_E_UNSUPPORTED,
                   "%s follows one path and has no tree: give num_beams of 2 or more, or search "
                   "exact; the steps command draws the choices of a path",
                   trace->method ? trace->method : "this method");
}

static bool good_parent(const nt_result *trace, size_t b) {
    return trace->beams[b].parent >= -1 && trace->beams[b].parent < (int64_t)b;
}

static bool was_kept(const nt_beam *beam) {
    return beam->slot >= 0 || beam->fate == NT_FATE_RUNNING || beam->fate == NT_FATE_OUTPUT ||
           beam->fate == NT_FATE_BEATEN;
}

/* ---- What is in it --------------------------------------------------------------------------- */

static int32_t *links(size_t n) {
    int32_t *list = nt_alloc(n, sizeof *list);
    for (size_t i = 0; list && i < n; i++)
        list[i] = -1;
    return list;
}

static int begin(choice *c) {
    const nt_result *trace = c->trace;
    size_t n = trace->n_beams;
    c->output = links(n);
    if (c->output) c->node = links(n);
    if (c->node) c->kid = links(n);
    if (c->kid) c->kin = links(n);
    if (c->kin) c->below = nt_alloc(n, sizeof *c->below);
    if (c->below) c->kept = nt_alloc(n, sizeof *c->kept);
    if (!c->kept) return NT_E_MEMORY;
    for (size_t b = 0; b < n; b++) {
        int64_t parent = trace->beams[b].parent;
        c->kept[b] = was_kept(&trace->beams[b]);
        if (parent < 0 || !good_parent(trace, b)) continue;
        c->kin[b] = c->kid[parent];
        c->kid[parent] = (int32_t)b;
    }
    for (size_t o = 0; o < trace->n_outputs; o++)
        for (int64_t b = trace->outputs[o].beam; b >= 0 && b < (int64_t)n && c->output[b] < 0;
             b = good_parent(trace, (size_t)b) ? trace->beams[b].parent : -1)
            c->output[b] = (int32_t)o;
    return NT_OK;
}

static void end(choice *c) {
    nt_free(c->output);
    nt_free(c->node);
    nt_free(c->below);
    nt_free(c->kept);
    nt_free(c->kid);
    nt_free(c->kin);
}

static int add_node(choice *c, nt_tree_node node) {
    nt_tree *tree = c->tree;
    NT_TRY(nt_grow((void **)&tree->nodes, &c->capacity, tree->n + 1, sizeof *tree->nodes));
    node.first = node.next = node.box = -1;
    node.step = node.parent < 0 ? 0 : tree->nodes[node.parent].step + 1;
    if (node.step >= tree->n_steps) tree->n_steps = node.step + 1;
    tree->nodes[tree->n++] = node;
    return NT_OK;
}

static nt_branch branch_of(const choice *c, size_t b) {
    const nt_beam *beam = &c->trace->beams[b];
    if (c->output[b] >= 0) return c->output[b] == 0 ? NT_BRANCH_FIRST : NT_BRANCH_OTHER;
    if (beam->fate == NT_FATE_OUTPUT || beam->fate == NT_FATE_BEATEN) return NT_BRANCH_ENDED;
    return c->kept[b] ? NT_BRANCH_KEPT : NT_BRANCH_PRUNED;
}

/* Whether a further child of `parent` (a beam, or -1) makes one leaf more. */
static bool forks(const choice *c, int64_t parent) {
    if (parent < 0) return c->n_roots > 0;
    return c->tree->nodes[c->node[parent]].left > 0; /* children, until they are linked */
}

/* Adds beam b where its parent is there and there is room. */
static int add_beam(choice *c, size_t b) {
    const nt_beam *beam = &c->trace->beams[b];
    if (c->node[b] >= 0 || !good_parent(c->trace, b)) return NT_OK;
    if (beam->parent >= 0 && c->node[beam->parent] < 0) return NT_OK;
    bool fork = forks(c, beam->parent);
    if (c->tree->n >= c->most || (fork && c->leaves >= c->most_leaves)) return NT_OK;
    nt_tree_node node = {.token = &beam->token,
                         .beam = beam,
                         .parent = beam->parent < 0 ? -1 : c->node[beam->parent],
                         .output = c->output[b],
                         .branch = branch_of(c, b)};
    node.ends = node.output >= 0 && c->trace->outputs[node.output].beam == (int64_t)b;
    for (int32_t k = c->kid[b]; k >= 0 && !node.goes_on; k = c->kin[k])
        node.goes_on = c->kept[k];
    NT_TRY(add_node(c, node));
    c->node[b] = (int32_t)c->tree->n - 1;
    c->leaves += fork;
    if (beam->parent < 0)
        c->n_roots++;
    else
        c->tree->nodes[node.parent].left++;
    return NT_OK;
}

/* The way to output o: from its beginning on, as far as there is room. */
static int add_output(choice *c, size_t o) {
    const nt_result *trace = c->trace;
    size_t n = 0;
    int64_t last = trace->outputs[o].beam;
    if (last >= (int64_t)trace->n_beams) return NT_OK;
    for (int64_t b = last; b >= 0 && c->node[b] < 0; b = trace->beams[b].parent) {
        if (!good_parent(trace, (size_t)b)) return NT_OK;
        n++;
    }
    int32_t *way = nt_alloc(n, sizeof *way);
    if (!way) return NT_E_MEMORY;
    int64_t b = last;
    for (size_t i = n; i-- > 0; b = trace->beams[b].parent)
        way[i] = (int32_t)b;
    int status = NT_OK;
    for (size_t i = 0; i < n && status == NT_OK; i++)
        status = add_beam(c, (size_t)way[i]);
    nt_free(way);
    if (last >= 0 && status == NT_OK && c->node[last] < 0) c->tree->left_outputs++;
    return status;
}

/* Whether a beam that continues `parent` has this id. */
static bool became_beam(const choice *c, int64_t parent, int32_t id) {
    if (parent >= 0) {
        for (int32_t b = c->kid[parent]; b >= 0; b = c->kin[b])
            if (c->trace->beams[b].token.token.id == id) return true;
        return false;
    }
    for (size_t b = 0; b < c->trace->n_beams; b++)
        if (c->trace->beams[b].parent < 0 && c->trace->beams[b].token.token.id == id) return true;
    return false;
}

/* What else the row behind a beam (-1: the prompt) held. */
static int add_row(choice *c, int64_t beam, int64_t row) {
    if (row < 0 || row >= (int64_t)c->trace->n_rows) return NT_OK;
    const nt_trace_step *s = &c->trace->rows[row];
    int32_t parent = beam < 0 ? -1 : c->node[beam];
    const nt_candidate *lists[] = {s->candidates, s->demoted};
    size_t sizes[] = {s->n_candidates, s->n_demoted};
    for (int l = 0; l < 2; l++) {
        for (size_t i = 0; i < sizes[l] && i < MOST_OF_ROW && c->tree->n < c->most; i++) {
            const nt_candidate *token = &lists[l][i];
            if (became_beam(c, beam, token->token.id)) continue;
            if (c->leaves >= c->most_leaves) return NT_OK;
            NT_TRY(add_node(c, (nt_tree_node){.token = token,
                                              .parent = parent,
                                              .output = -1,
                                              .branch = nt_view_removed_by(token)
                                                            ? NT_BRANCH_REMOVED
                                                            : NT_BRANCH_PRUNED}));
            c->leaves++;
        }
    }
    return NT_OK;
}

static int add_rows(choice *c) {
    NT_TRY(add_row(c, -1, 0));
    for (size_t b = 0; b < c->trace->n_beams; b++)
        if (c->node[b] >= 0) NT_TRY(add_row(c, (int64_t)b, c->trace->beams[b].row));
    return NT_OK;
}

static int choose(choice *c) {
    const nt_result *trace = c->trace;
    nt_tree_detail detail = c->tree->detail;
    for (size_t o = 0; o < trace->n_outputs; o++)
        NT_TRY(add_output(c, o));
    for (size_t b = 0; b < trace->n_beams && detail >= NT_TREE_KEPT; b++)
        if (c->kept[b]) NT_TRY(add_beam(c, b));
    for (size_t b = 0; b < trace->n_beams && detail >= NT_TREE_BEAMS; b++)
        NT_TRY(add_beam(c, b));
    return detail == NT_TREE_ALL ? add_rows(c) : NT_OK;
}

/* As much as can be taken in at a glance. */
static void choose_detail(choice *c, size_t glance) {
    const nt_result *trace = c->trace;
    bool exact = trace->proof != NULL;
    size_t leaves = 0;
    c->tree->detail = NT_TREE_KEPT;
    c->most_leaves = exact ? GLANCE_EXACT : glance;
    if (trace->n_beams <= PLAIN_BEAMS) c->tree->detail = NT_TREE_BEAMS;
    if (exact || trace->n_beams <= PLAIN_BEAMS) return;
    for (size_t b = 0; b < trace->n_beams; b++) {
        bool leaf = c->kept[b];
        for (int32_t k = c->kid[b]; leaf && k >= 0; k = c->kin[k])
            leaf = !c->kept[k];
        leaves += leaf;
    }
    if (leaves > glance) c->tree->detail = NT_TREE_OUTPUTS;
}

/* ---- Order ----------------------------------------------------------------------------------- */

/* The best way first, then what was kept, then by place: whether a stands before b. */
static bool before(const nt_tree_node *a, const nt_tree_node *b) {
    int32_t of_a = a->output < 0 ? INT32_MAX : a->output;
    int32_t of_b = b->output < 0 ? INT32_MAX : b->output;
    if (of_a != of_b) return of_a < of_b;
    if (a->branch != b->branch) return a->branch < b->branch;
    if (!a->beam || !b->beam) return a->beam && !b->beam;
    return a->beam->place < b->beam->place;
}

static void link_nodes(nt_tree *tree) {
    for (size_t i = 0; i < tree->n; i++)
        tree->nodes[i].left = 0;
    for (size_t i = 0; i < tree->n; i++) {
        nt_tree_node *node = &tree->nodes[i];
        int32_t *at = node->parent < 0 ? &tree->first : &tree->nodes[node->parent].first;
        while (*at >= 0 && !before(node, &tree->nodes[*at]))
            at = &tree->nodes[*at].next;
        node->next = *at;
        *at = (int32_t)i;
    }
}

/* What is not in the tree, at the node that it hangs from. */
static void count_left(choice *c) {
    for (size_t b = c->trace->n_beams; b-- > 0;) {
        int64_t parent = c->trace->beams[b].parent;
        if (c->node[b] >= 0) {
            c->tree->nodes[c->node[b]].left = c->below[b];
            continue;
        }
        c->tree->left++;
        if (parent >= 0 && good_parent(c->trace, b)) c->below[parent] += c->below[b] + 1;
    }
}

/* ---- Boxes ----------------------------------------------------------------------------------- */

static bool joins(const nt_tree *tree, const nt_tree_node *node) {
    if (!tree->folded || node->parent < 0) return false;
    const nt_tree_node *parent = &tree->nodes[node->parent];
    return node->next < 0 && parent->first == (int32_t)(node - tree->nodes) && !parent->ends &&
           parent->branch == node->branch;
}

/* The node behind i, each before what hangs from it. */
static int32_t following(const nt_tree *tree, int32_t i) {
    if (tree->nodes[i].first >= 0) return tree->nodes[i].first;
    while (i >= 0 && tree->nodes[i].next < 0)
        i = tree->nodes[i].parent;
    return i < 0 ? -1 : tree->nodes[i].next;
}

static int make_boxes(nt_tree *tree) {
    int32_t *last = NULL; /* [n_boxes] child; the first entry is the prompt's */
    tree->boxes = nt_alloc(tree->n, sizeof *tree->boxes);
    if (tree->boxes) last = links(tree->n + 1);
    if (!last) return NT_E_MEMORY;
    for (int32_t i = tree->first; i >= 0; i = following(tree, i)) {
        nt_tree_node *node = &tree->nodes[i];
        int32_t above = node->parent < 0 ? -1 : tree->nodes[node->parent].box;
        if (!joins(tree, node)) {
            node->box = (int32_t)tree->n_boxes++;
            tree->boxes[node->box] = (nt_tree_box){
                .node = i,
                .parent = above,
                .first = -1,
                .next = -1,
                .from = node->step,
                .level = above < 0 ? 1 : tree->boxes[above].level + 1,
            };
            if (last[above + 1] >= 0)
                tree->boxes[last[above + 1]].next = node->box;
            else if (above >= 0)
                tree->boxes[above].first = node->box;
            last[above + 1] = node->box;
        } else {
            node->box = above;
        }
        tree->boxes[node->box].last = i;
        tree->boxes[node->box].to = node->step + 1;
        tree->boxes[node->box].left += node->left;
    }
    nt_free(last);
    return NT_OK;
}

int nt_tree_make(nt_tree *out, const nt_result *trace, nt_tree_want want) {
    *out = (nt_tree){.trace = trace, .detail = want.detail, .first = -1, .n_beams = trace->n_beams};
    choice c = {.trace = trace,
                .tree = out,
                .most_leaves = MOST_LEAVES,
                .most = want.most ? want.most : MOST_NODES};
    if (!nt_tree_has(trace) || trace->n_beams > INT32_MAX) return nt_tree_refuse(trace);
    int status = begin(&c);
    if (status == NT_OK && want.detail == NT_TREE_AUTO)
        choose_detail(&c, want.glance ? want.glance : GLANCE_LEAVES);
    if (status == NT_OK) status = choose(&c);
    if (status == NT_OK) {
        out->folded = want.fold < 0 ? out->n_steps > LONG : want.fold > 0;
        link_nodes(out);
        count_left(&c);
        status = make_boxes(out);
    }
    end(&c);
    if (status != NT_OK) nt_tree_free(out);
    return status;
}

void nt_tree_free(nt_tree *tree) {
    nt_free(tree->nodes);
    nt_free(tree->boxes);
    *tree = (nt_tree){.first = -1};
}
