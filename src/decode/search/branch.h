/* A sequence that grows by one token at a time, none of which is taken back: what greedy decoding,
 * sampling and assisted decoding have in common. */
#ifndef NT_DECODE_BRANCH_H
#define NT_DECODE_BRANCH_H

#include "decode/search/search.h"

typedef struct nt_branch {
    nt_search *search;
    nt_processors *processors;
    size_t index; /* among the search's sequences */
    nt_writer writer;
    double logprob;     /* raw, of what is written */
    const char *reason; /* why it has ended; NULL: it goes on */
    int32_t sequence;   /* of the tracks; -1: none */
} nt_branch;

/* Free it also when this failed. */
int nt_branch_begin(nt_branch *branch, nt_search *search, nt_processors *processors, size_t index);
void nt_branch_free(nt_branch *branch);
/* *out: what the processors make of a row behind the branch, [V]. */
int nt_branch_process(const float **out, nt_branch *branch, const nt_given *given, size_t row);
/* Takes id from what was processed last: into the trace, the text and the callbacks. *step is the
 * trace's, whose draw and drafted are the caller's to set. */
int nt_branch_take(nt_step **step, nt_branch *branch, int32_t id);
/* Adds the branch, which has ended, as an output. */
int nt_branch_output(const nt_branch *branch, double score);

#endif
