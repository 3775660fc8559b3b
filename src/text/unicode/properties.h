/* Unicode properties as the regex engine of tokenizers (Oniguruma) has them, by name, for patterns
 * that are written out as ranges; and which code points are the same when case is ignored. */
#ifndef NT_TEXT_PROPERTIES_H
#define NT_TEXT_PROPERTIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text/unicode/ranges.h"

typedef struct nt_script_name {
    char full[26], brief[6]; /* small letters only */
} nt_script_name;

typedef struct nt_property_set {
    char names[3][22];   /* small letters only */
    uint32_t categories; /* a bit for each category that it nearly consists of */
    uint16_t first, n;   /* where, in nt_property_changes, "not as these say" goes on and off */
} nt_property_set;

/* Code points first, first + step .. last fold to `to` and on: the smallest of those that are the
 * same when case is ignored. */
typedef struct nt_fold_run {
    uint32_t first, last, step, to;
} nt_fold_run;

typedef struct nt_many_fold {
    uint32_t code;     /* is the same as several code points when case is ignored, */
    uint32_t begin[2]; /* which begin with these, folded */
} nt_many_fold;

typedef struct nt_property_counts {
    size_t categories, scripts, names, sets, folds, many;
} nt_property_counts;

extern const uint32_t nt_category_runs[], nt_script_runs[]; /* start | value << 24, ascending */
extern const nt_script_name nt_script_names[];
extern const uint32_t nt_property_changes[];
extern const nt_property_set nt_property_sets[];
extern const nt_fold_run nt_fold_runs[];
extern const nt_many_fold nt_many_folds[];
extern const nt_property_counts nt_property_n;

/* Adds what has the property named [n] in the way of \p{..}: case, spaces, '-' and '_' do not
 * matter. "=digits" and "=punctuation" are the classes of the pre-tokenizers Digits and
 * Punctuation. alone: not inside a class, where \w is another set than elsewhere. *known tells
 * whether there is such a property. NT_OK or NT_E_MEMORY. */
int nt_property_add(nt_ranges *out, bool *known, const char *name, size_t n, bool alone);

/* The smallest code point that is the same as this one when case is ignored. */
uint32_t nt_fold(uint32_t code);
/* Adds all code points that are the same as some member when case is ignored. */
int nt_fold_close(nt_ranges *ranges);
/* Whether a code point is the same as several others together; how many of a tidy set are. */
bool nt_fold_is_many(uint32_t code);
size_t nt_fold_many_in(const nt_ranges *set);
/* Whether some code point is the same as several that begin with these two. */
bool nt_fold_pair(uint32_t first, uint32_t second);

#endif
