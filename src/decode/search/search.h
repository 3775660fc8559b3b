/* One file a method of choosing; run.c begins what they have in common and calls one of them. */
#ifndef NT_DECODE_SEARCH_H
#define NT_DECODE_SEARCH_H

#include "decode/draw/draw.h"
#include "decode/process/processor.h"
#include "decode/search/tracks.h"
#include "decode/stop/ends.h"
#include "decode/stop/writer.h"

typedef struct nt_search {
    nt_result *trace;
    const nt_decoding *with;
    const nt_plan *plan; /* with->plan */
    size_t V;
    nt_tracks tracks;
    nt_writing writing; /* listens where the text of one sequence may be heard as it comes */
    nt_ends ends;
    nt_draws draws;    /* begun where the plan samples */
    uint64_t n_tokens; /* told as progress */
} nt_search;

int nt_search_each(nt_search *search);     /* each.c: greedy, sample, best_of */
int nt_search_beams(nt_search *search);    /* beams.c: beam_search, beam_sample */
int nt_search_assisted(nt_search *search); /* assisted.c: assisted, prompt_lookup */
int nt_search_exact(nt_search *search);    /* exact.c */

/* n tokens more, of `total` in all. */
void nt_search_progress(nt_search *search, size_t n, uint64_t total);

/* Adds an output: its text is made of its ids, its other fields are taken as they are. For searches
 * that know their outputs only in the end. */
int nt_search_output(nt_search *search, const nt_output *output);

#endif
