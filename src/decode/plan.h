/* How a plan is made, a file each: values that no plan can take, the method, lengths, processors.
 */
#ifndef NT_DECODE_PLAN_H
#define NT_DECODE_PLAN_H

#include "base/status.h"
#include "decode/generate.h"

enum { NT_DEFAULT_TOP_K = 50 };

/* A plan in the making. */
typedef struct nt_planning {
    nt_plan *plan;
    const nt_generate_options *options;
    const nt_plan_for *of;
} nt_planning;

/* Each field alone: ARGUMENT (a number out of its range, a list without an array), RANGE (an id
 * outside the vocabulary). */
int nt_plan_check_values(const nt_generate_options *options, const nt_plan_for *of);
/* How ids are chosen, of how many sequences; notes what does not count with it. */
int nt_plan_method(const nt_planning *p);
/* How long it gets. After the method. */
int nt_plan_lengths(const nt_planning *p);
/* What is done to logits. After the lengths. */
int nt_plan_processors(const nt_planning *p);

/* A static line; what has no room is left out. */
void nt_plan_note(const nt_planning *p, const char *line);

/* Numbers that are NT_NOT_GIVEN where they are not given. */
static inline bool nt_number_given(double number) {
    return number != NT_NOT_GIVEN;
}
static inline double nt_number_or(double number, double otherwise) {
    return nt_number_given(number) ? number : otherwise;
}

#endif
