/* Characters: a token's probability parted among its bytes. The j-th byte has the mass of all ids
 * that begin with the token's first j bytes, over that of those that begin with its first j - 1;
 * what is then left of the token's own probability (that it ends there) is its last byte's. */
#include <math.h>
#include <string.h>

#include "score/parts.h"

static int fill_char(nt_unit *unit, nt_result *trace, const char *bytes, size_t n) {
    unit->logprob = unit->corrected = NAN;
    unit->bytes = nt_arena_copy(&trace->arena, bytes, n);
    unit->n_bytes = n;
    return unit->bytes ? NT_OK : NT_E_MEMORY;
}

/* The character of bytes [from, to), which token i holds the first of. */
static int add_char(nt_result *trace, const nt_spelling *spelling, size_t i, size_t from,
                    size_t to) {
    nt_unit *unit = &trace->chars[trace->n_chars++];
    size_t j = i;
    while (spelling->byte_at[j + 1] < to)
        j++;
    unit->first = i;
    unit->n_tokens = j - i + 1;
    nt_unit_place(unit, trace, i, from - spelling->byte_at[i], j, to - spelling->byte_at[j]);
    return fill_char(unit, trace, spelling->bytes + from, to - from);
}

static int add_special(nt_result *trace, size_t i) {
    nt_unit *unit = &trace->chars[trace->n_chars++];
    const nt_token *token = &trace->tokens[i];
    unit->first = i;
    unit->n_tokens = 1;
    nt_unit_place(unit, trace, i, 0, i, token->n_bytes);
    return fill_char(unit, trace, token->bytes, token->n_bytes);
}

static size_t count(const nt_spelling *spelling) {
    const nt_result *trace = spelling->trace;
    size_t n = 0;
    for (size_t k = 0; k < spelling->byte_at[trace->n_tokens]; k++)
        n += spelling->marks[k] & NT_MARK_CHAR;
    for (size_t i = 0; i < trace->n_tokens; i++)
        n += nt_token_is_special(trace, i) && !nt_token_is_bos(trace, i);
    return n;
}

int nt_chars_begin(nt_scoring *scoring, const nt_spelling *spelling) {
    nt_result *trace = scoring->trace;
    size_t n_bytes = spelling->byte_at[trace->n_tokens];
    trace->chars = nt_arena_alloc(&trace->arena, count(spelling), sizeof *trace->chars);
    scoring->bytes = nt_arena_alloc(&trace->arena, n_bytes, sizeof *scoring->bytes);
    if (!trace->chars || !scoring->bytes) return NT_E_MEMORY;
    for (size_t k = 0; k < n_bytes; k++)
        scoring->bytes[k] = NAN;
    for (size_t i = 0; i < trace->n_tokens; i++) {
        if (nt_token_is_special(trace, i)) {
            if (!nt_token_is_bos(trace, i)) NT_TRY(add_special(trace, i));
            continue;
        }
        for (size_t k = spelling->byte_at[i]; k < spelling->byte_at[i + 1]; k++) {
            if (!(spelling->marks[k] & NT_MARK_CHAR)) continue;
            size_t to = k + 1; /* a special token ends in a mark of its own: the next text begins */
            while (to < n_bytes && !(spelling->marks[to] & NT_MARK_CHAR))
                to++;
            NT_TRY(add_char(trace, spelling, i, k, to));
        }
    }
    return NT_OK;
}

/* How an id stands to a prefix: below it (-1), beginning with it (0), above it (1). */
static int side_of(const nt_lexis *lexis, size_t at, const char *prefix, size_t n) {
    size_t length;
    const char *bytes = lexis->vocab->bytes(lexis->vocab->self, lexis->sorted[at], &length);
    int order = memcmp(bytes, prefix, length < n ? length : n);
    if (order != 0) return order < 0 ? -1 : 1;
    return length < n ? -1 : 0;
}

/* The first place in [low, high) whose side is above `side`. */
static size_t first_above(const nt_lexis *lexis, size_t low, size_t high, const char *prefix,
                          size_t n, int side) {
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (side_of(lexis, middle, prefix, n) > side)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* logs [n_bytes]: the mass of the ids that begin with the token's first j + 1 bytes. From the
 * longest prefix out: each range in lexis->sorted holds the one before, and what it has more, in
 * front and behind, is added to that one's mass. */
static void masses(double *logs, const nt_scoring *scoring, const nt_token *token,
                   const float *logits, double max) {
    const nt_lexis *lexis = scoring->lexis;
    const char *bytes = token->bytes;
    double mass = -INFINITY;
    size_t low = first_above(lexis, 0, lexis->n_sorted, bytes, token->n_bytes, -1), high = low;
    for (size_t n = token->n_bytes; n > 0; n--) {
        size_t inner_low = low, inner_high = high;
        low = first_above(lexis, 0, inner_low, bytes, n, -1);
        high = first_above(lexis, inner_high, lexis->n_sorted, bytes, n, 0);
        const int32_t *front = lexis->sorted + low, *behind = lexis->sorted + inner_high;
        mass = nt_log_add(mass, nt_log_sum_at(logits, front, inner_low - low, max));
        mass = nt_log_add(mass, nt_log_sum_at(logits, behind, high - inner_high, max));
        logs[n - 1] = mass;
    }
}

void nt_chars_row(nt_scoring *scoring, size_t i, const float *logits, const nt_softmax *sum) {
    const nt_token *token = &scoring->trace->tokens[i];
    if (nt_token_is_special(scoring->trace, i)) return;
    double *logs = scoring->bytes + scoring->byte_at[i];
    masses(logs, scoring, token, logits, sum->max);
    double before = sum->logsum, own = (double)logits[token->id];
    for (size_t j = 0; j < token->n_bytes; j++) {
        bool last = j + 1 == token->n_bytes;
        double mass = last ? own : logs[j];
        /* where nothing is left to divide, the byte before has the blame */
        logs[j] = before == -INFINITY ? 0 : mass - before;
        before = mass;
    }
}

void nt_chars_finish(nt_scoring *scoring) {
    const nt_result *trace = scoring->trace;
    const double *next = scoring->bytes;
    for (size_t c = 0; c < trace->n_chars; c++) {
        nt_unit *unit = &trace->chars[c];
        if (nt_token_is_special(trace, unit->first)) {
            unit->logprob = trace->scored[unit->first].logprob;
        } else {
            unit->logprob = 0;
            for (size_t k = 0; k < unit->n_bytes; k++)
                unit->logprob += *next++;
        }
        unit->counted = nt_unit_counted(unit, trace);
    }
}
