/* Units and names of scores. */
#include "view/measure.h"

#include <string.h>

static const double BITS_PER_NAT = 1.4426950408889634; /* 1 / ln 2 */

nt_measure nt_measure_of(bool bits) {
    return bits ? (nt_measure){BITS_PER_NAT, "bits"} : (nt_measure){1, "nats"};
}

double nt_surprisal(nt_measure in, double logprob) {
    return 0 - in.scale * logprob; /* 0 - 0 is 0, where -(0) would print as "-0" */
}

unsigned nt_shown_by(const nt_result *trace) {
    return trace->by ? trace->by : NT_BY_TOKEN;
}

const char *nt_correction_name(nt_correction correction) {
    switch (correction) {
    case NT_CORRECTION_WHITESPACE: return "whitespace";
    case NT_CORRECTION_PIMENTEL_MEISTER: return "pimentel-meister";
    case NT_CORRECTION_OH_SCHULER: return "oh-schuler";
    default: return NULL;
    }
}

const char *nt_correction_words(nt_correction correction) {
    switch (correction) {
    case NT_CORRECTION_WHITESPACE:
        return "corrected for the white space that opens the next word: "
               "Pimentel & Meister 2024, for white space of every kind";
    case NT_CORRECTION_PIMENTEL_MEISTER:
        return "corrected for the space that opens the next word: Pimentel & Meister 2024";
    case NT_CORRECTION_OH_SCHULER:
        return "corrected for the space that opens the next word: Oh & Schuler 2024";
    default: return "";
    }
}

const nt_fact *nt_fact_of(const nt_result *trace, const char *key) {
    for (size_t i = 0; i < trace->n_facts; i++)
        if (strcmp(trace->facts[i].key, key) == 0) return &trace->facts[i];
    return NULL;
}

double nt_fact_number_of(const nt_result *trace, const char *key, double otherwise) {
    const nt_fact *fact = nt_fact_of(trace, key);
    return fact && !fact->text ? fact->number : otherwise;
}
