/* What the views of scores share: the unit that they count in, and names. */
#ifndef NT_VIEW_MEASURE_H
#define NT_VIEW_MEASURE_H

#include "trace/trace.h"

typedef struct nt_measure {
    double scale; /* times nats */
    const char *name;
} nt_measure;

/* Bits or nats. */
nt_measure nt_measure_of(bool bits);
/* -logprob in the unit; never a negative zero. */
double nt_surprisal(nt_measure in, double logprob);

/* What a score is told by; TOKEN where nothing was said. */
unsigned nt_shown_by(const nt_result *trace);

/* "whitespace" and so on; NULL for what is no correction. */
const char *nt_correction_name(nt_correction correction);
/* What was done to the words, and whose idea it is; "" for what is no correction. */
const char *nt_correction_words(nt_correction correction);

/* The fact of a name, or NULL; its number, or `otherwise` where it has none. */
const nt_fact *nt_fact_of(const nt_result *trace, const char *key);
double nt_fact_number_of(const nt_result *trace, const char *key, double otherwise);

#endif
