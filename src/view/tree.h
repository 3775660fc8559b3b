/* The tree of a search with beams, or of an exact one, as views need it: what of the trace is
 * shown, in which order, runs without a fork folded into boxes. Nothing is drawn and nothing
 * reckoned here. Its size is bounded whatever the search held: what is not in it is counted. */
#ifndef NT_VIEW_TREE_H
#define NT_VIEW_TREE_H

#include "trace/trace.h"

typedef enum nt_branch {                  /* what a token is part of */
                         NT_BRANCH_FIRST, /* the way to the first output */
                         NT_BRANCH_OTHER, /* to another output */
                         NT_BRANCH_ENDED, /* it ended, and is no output */
                         NT_BRANCH_KEPT,  /* it was a beam; of an exact search: it was looked behind
                                           */
                         NT_BRANCH_PRUNED, /* it was none */
                         NT_BRANCH_REMOVED /* a processor took it out */
} nt_branch;

typedef struct nt_tree_node { /* one token */
    const nt_candidate *token;
    const nt_beam *beam;         /* NULL: it stood to choose, and became no candidate of its step */
    int32_t parent, first, next; /* nodes; -1: none. Parents stand before their children */
    int32_t box;
    int32_t output; /* the best that its way leads to; -1: none */
    bool ends;      /* and it ends here */
    bool goes_on;   /* a beam that was kept continues it, in the tree or not */
    nt_branch branch;
    size_t step;
    size_t left; /* what hangs from it and is not in the tree */
} nt_tree_node;

typedef struct nt_tree_box { /* a token, or a run of tokens without a fork */
    int32_t node, last;      /* the first and the last of them, linked by `first` */
    int32_t parent, first, next;
    size_t from, to; /* steps [from, to) */
    size_t level;    /* 1 behind the prompt */
    size_t left;     /* of all its nodes */
} nt_tree_box;

typedef struct nt_tree {
    const nt_result *trace;
    nt_tree_detail detail; /* never AUTO */
    bool folded;
    nt_tree_node *nodes; /* [n] */
    size_t n;
    nt_tree_box *boxes; /* [n_boxes], each before what hangs from it, the best way first */
    size_t n_boxes;
    int32_t first; /* node behind the prompt; -1: none */
    size_t n_steps;
    size_t left;         /* beams that are not in the tree, of */
    size_t n_beams;      /* all */
    size_t left_outputs; /* outputs among them */
} nt_tree;

/* Whether a result has one. */
bool nt_tree_has(const nt_result *trace);

typedef struct nt_tree_want {
    nt_tree_detail detail;
    int fold;      /* 1: fold, 0: a box for every token, -1: where the search is long */
    size_t glance; /* leaves that AUTO may have; 0: as a picture */
    size_t most;   /* tokens; 0: as many as there may be at all */
} nt_tree_want;

/* The trace must outlive the tree. Errors: MEMORY, UNSUPPORTED (nt_tree_has is false). */
int nt_tree_make(nt_tree *out, const nt_result *trace, nt_tree_want want);
void nt_tree_free(nt_tree *tree);

/* nt_fail(UNSUPPORTED) with what to do instead. */
int nt_tree_refuse(const nt_result *trace);

#endif
