/* The known patterns, recognised by their text: a row of parts, each in the spellings that mean the
 * same where it stands. A possessive quantifier means the same where nothing could be given back;
 * one on {1,3} would mean more digits to Oniguruma, and \s++$ in cl100k other words at the end. */
#include <string.h>

#include "text/split/scan.h"

#define EXACT "'s|'t|'re|'ve|'m|'ll|'d"
#define PREFIX "[^\\r\\n\\p{L}\\p{N}]?"
#define UPPER "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]"
#define LOWER "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"

typedef struct part {
    const char *spellings[3];
} part;

enum { PARTS = 9 };

static const struct known {
    nt_scan_kind kind;
    part parts[PARTS];
} patterns[] = {
    {NT_SCAN_GPT2,
     {{{EXACT "|", "'(?:[sdmt]|ll|ve|re)|"}},
      {{" ?\\p{L}+|", " ?\\p{L}++|"}},
      {{" ?\\p{N}+|", " ?\\p{N}++|"}},
      {{" ?[^\\s\\p{L}\\p{N}]+|", " ?[^\\s\\p{L}\\p{N}]++|"}},
      {{"\\s+(?!\\S)|", "\\s++$|\\s+(?!\\S)|"}},
      {{"\\s+", "\\s"}}}},
    {NT_SCAN_CL100K,
     {{{"(?i:" EXACT ")|", "'(?i:[sdmt]|ll|ve|re)|"}},
      {{PREFIX "\\p{L}+|", PREFIX "+\\p{L}+|", PREFIX "+\\p{L}++|"}},
      {{"\\p{N}{1,3}|"}},
      {{" ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|", " ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*|",
        " ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*+|"}},
      {{"\\s*[\\r\\n]+|", "\\s*[\\r\\n]|"}},
      {{"\\s+(?!\\S)|"}},
      {{"\\s+", "\\s"}}}},
    {NT_SCAN_QWEN2,
     {{{"(?i:" EXACT ")|", "'(?i:[sdmt]|ll|ve|re)|"}},
      {{PREFIX "\\p{L}+|", PREFIX "+\\p{L}+|", PREFIX "+\\p{L}++|"}},
      {{"\\p{N}|", "\\p{N}{1}|"}},
      {{" ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|", " ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*|",
        " ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*+|"}},
      {{"\\s*[\\r\\n]+|", "\\s*[\\r\\n]|"}},
      {{"\\s+(?!\\S)|"}},
      {{"\\s+", "\\s"}}}},
    {NT_SCAN_O200K,
     {{{PREFIX UPPER "*" LOWER "+"}},
      {{"(?i:" EXACT ")?|", "(?:'(?i:[sdmt]|ll|ve|re))?|"}},
      {{PREFIX UPPER "+" LOWER "*"}},
      {{"(?i:" EXACT ")?|", "(?:'(?i:[sdmt]|ll|ve|re))?|"}},
      {{"\\p{N}{1,3}|"}},
      {{" ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|", " ?[^\\s\\p{L}\\p{N}]++[\\r\\n/]*|"}},
      {{"\\s*[\\r\\n]+|", "\\s*[\\r\\n]|"}},
      {{"\\s+(?!\\S)|"}},
      {{"\\s+", "\\s"}}}},
};

/* Length of the longest spelling of the part that regex [n] begins with; 0 for none. */
static size_t part_length(const part *p, const char *regex, size_t n) {
    size_t longest = 0;
    for (size_t i = 0; i < sizeof p->spellings / sizeof *p->spellings && p->spellings[i]; i++) {
        size_t length = strlen(p->spellings[i]);
        if (length > longest && length <= n && memcmp(regex, p->spellings[i], length) == 0)
            longest = length;
    }
    return longest;
}

nt_scan_kind nt_scan_of_regex(const char *regex, size_t n) {
    for (size_t k = 0; k < sizeof patterns / sizeof *patterns; k++) {
        size_t at = 0, i = 0;
        for (; i < PARTS && patterns[k].parts[i].spellings[0]; i++) {
            size_t length = part_length(&patterns[k].parts[i], regex + at, n - at);
            if (!length) break;
            at += length;
        }
        bool whole = i == PARTS || !patterns[k].parts[i].spellings[0];
        if (whole && at == n) return patterns[k].kind;
    }
    return NT_SCAN_NONE;
}
