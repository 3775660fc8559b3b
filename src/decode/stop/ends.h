/* Whether a sequence ends behind its newest token, and why. */
#ifndef NT_DECODE_ENDS_H
#define NT_DECODE_ENDS_H

#include "decode/stop/writer.h"

typedef struct nt_ends {
    const nt_plan *plan;
    const nt_writing *writing; /* stop strings */
    double deadline;           /* of nt_clock; INFINITY: none */
} nt_ends;

/* The time begins now. */
void nt_ends_begin(nt_ends *ends, const nt_plan *plan, const nt_writing *writing);

/* Whether one of the stop strings ends inside id, which comes behind place *at; moves *at on. */
bool nt_ends_in_string(const nt_ends *ends, int32_t *at, int32_t id);

/* Why the sequence ids [n_ids], prompt included, ends behind its last id; NULL: it goes on.
 * in_string: a stop string ends in it. In transformers' order where several hold, the caller's
 * callback last. */
const char *nt_ends_after(const nt_ends *ends, const int32_t *ids, size_t n_ids, bool in_string);

#endif
