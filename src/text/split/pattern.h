/* Patterns of tokenizer.json, {"String": ...} or {"Regex": ...}: Oniguruma's syntax as tokenizers
 * reads it, found by a scanner of our own (scan.h) where it is one of the known ones and by PCRE2
 * otherwise, with \p{..}, \s, \d, \w, \h written out from the oracle's Unicode tables. */
#ifndef NT_TEXT_PATTERN_H
#define NT_TEXT_PATTERN_H

#include "base/json.h"
#include "text/split/scan.h"

typedef struct nt_pattern nt_pattern; /* immutable, shared by threads */

typedef struct nt_match {
    uint32_t start, end; /* bytes [start, end) */
} nt_match;

/* Where one thread searches; all zero is empty. */
typedef struct nt_pattern_work {
    void *pcre; /* match data, JIT stack */
    nt_match *matches;
    size_t n, capacity; /* matches of the last search */
} nt_pattern_work;

/* `where` names file and component. Errors: FORMAT (not a pattern), UNSUPPORTED (what PCRE2 does
 * not know or reads otherwise, with the place in the pattern), MEMORY. */
int nt_pattern_read(nt_pattern **out, const json_t *value, const char *where);
int nt_pattern_from_string(nt_pattern **out, const char *string, size_t n);
int nt_pattern_from_regex(nt_pattern **out, const char *regex, size_t n, const char *where);
void nt_pattern_free(nt_pattern *pattern);
/* The known scanner that this pattern is, NT_SCAN_NONE for none. */
nt_scan_kind nt_pattern_scan(const nt_pattern *pattern);

/* What is searched from here on belongs to another text: what regexes may take of the processor is
 * told by the text. */
void nt_pattern_begin(nt_pattern_work *work);
/* All matches in text [n], left to right, none overlapping, into work->matches; empty ones are
 * there too, as tokenizers has them. Errors: UNSUPPORTED (the text would take too long; the pattern
 * is named), MEMORY. */
int nt_pattern_search(nt_pattern_work *work, const nt_pattern *pattern, const char *text, size_t n);
void nt_pattern_work_free(nt_pattern_work *work);

#endif
