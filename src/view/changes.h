/* What processors did to candidates, as views tell it. */
#ifndef NT_VIEW_CHANGES_H
#define NT_VIEW_CHANGES_H

#include "trace/trace.h"

/* The option that took the candidate out; NULL where none did. */
const char *nt_view_removed_by(const nt_candidate *candidate);
/* Options, each once, in the order that they were met. */
enum { NT_MOST_NAMES = 48 };
typedef struct nt_names {
    const char *names[NT_MOST_NAMES];
    size_t n;
} nt_names;

/* Adds a name that is not there yet; its number, or NT_MOST_NAMES where there is no room. */
size_t nt_names_add(nt_names *names, const char *name);
/* The options that changed one of the step's candidates. */
void nt_names_of_step(nt_names *names, const nt_trace_step *step);

/* The option changes every id of a row in the same way: no news of a single candidate. */
bool nt_view_everywhere(const char *option);

/* Processors changed something about one of the step's candidates. */
bool nt_view_step_acted(const nt_trace_step *step);
/* Probabilities after processing matter: processors changed something, or choices were drawn. */
bool nt_view_processed(const nt_result *trace);
/* What an assistant proposed matters. */
bool nt_view_assisted(const nt_result *trace);
/* Beams lead to the outputs. */
bool nt_view_beams(const nt_result *trace);

#endif
