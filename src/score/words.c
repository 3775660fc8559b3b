/* Words: which tokens make one, and how probable each is, as its tokens have it and corrected for
 * the white space that opens the next (docs/scoring.md).
 *
 * The correction is a matter of borders. Behind token t, where a word ends and the next opens with
 * a boundary, the mass of all boundaries belongs to the word before: it gains that log-probability,
 * and the word after loses it. So corrected log-probabilities telescope to the plain sum. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "score/parts.h"

/* starts [n_tokens]: whether a unit begins with the token. */
static void find_starts(bool *starts, const nt_spelling *spelling) {
    const nt_result *trace = spelling->trace;
    size_t pending = SIZE_MAX; /* first of the white-space tokens that wait for their word */
    bool within = false;       /* the byte before belongs to a word */
    for (size_t i = 0; i < trace->n_tokens; i++) {
        if (nt_token_is_special(trace, i)) {
            if (pending != SIZE_MAX) starts[pending] = true;
            pending = SIZE_MAX;
            within = false;
            starts[i] = !nt_token_is_bos(trace, i);
            continue;
        }
        size_t at = spelling->byte_at[i], end = spelling->byte_at[i + 1];
        bool joins = within && !(spelling->marks[at] & NT_MARK_WHITE);
        within = !(spelling->marks[end - 1] & NT_MARK_WHITE);
        while (at < end && spelling->marks[at] & NT_MARK_WHITE)
            at++;
        if (at == end) {
            pending = pending == SIZE_MAX ? i : pending;
        } else {
            if (!joins) starts[pending == SIZE_MAX ? i : pending] = true;
            pending = SIZE_MAX;
        }
    }
    if (pending != SIZE_MAX) starts[pending] = true;
}

static bool is_boundary(const nt_scoring *scoring, size_t i) {
    static const nt_opening last[] = {
        [NT_CORRECTION_WHITESPACE] = NT_OPENS_WHITE,
        [NT_CORRECTION_PIMENTEL_MEISTER] = NT_OPENS_EOS,
        [NT_CORRECTION_OH_SCHULER] = NT_OPENS_SPACE,
    };
    const nt_result *trace = scoring->trace;
    return scoring->lexis->opens[trace->tokens[i].id] <= last[trace->correction];
}

/* What is asked of the row behind token t. Behind BOS stands the first word, which has the
 * probability of opening as it does; Oh and Schuler's correction leaves it alone. Nothing follows
 * an EOS that ends the text. */
static uint8_t ask_of(const nt_scoring *scoring, const bool *starts, size_t t) {
    const nt_result *trace = scoring->trace;
    if (t + 1 == trace->n_tokens) {
        bool ended = scoring->lexis->opens[trace->tokens[t].id] == NT_OPENS_EOS;
        return ended || nt_token_is_bos(trace, t) ? NT_ASK_NOTHING : NT_ASK_OPEN;
    }
    if (!starts[t + 1]) return NT_ASK_NOTHING;
    bool opens = is_boundary(scoring, t + 1);
    if (!nt_token_is_bos(trace, t)) return opens ? NT_ASK_OPEN : NT_ASK_NOTHING;
    if (trace->correction == NT_CORRECTION_OH_SCHULER) return NT_ASK_NOTHING;
    if (opens) return NT_ASK_OPEN;
    return nt_token_is_special(trace, t + 1) ? NT_ASK_NOTHING : NT_ASK_CLOSED;
}

/* The unit of tokens [first, end), its bytes without white space around them; a unit of nothing
 * but white space keeps it. */
static int fill_unit(nt_unit *unit, nt_scoring *scoring, const nt_spelling *spelling, size_t first,
                     size_t end) {
    nt_result *trace = scoring->trace;
    *unit = (nt_unit){.first = first, .n_tokens = end - first, .logprob = NAN, .corrected = NAN};
    const size_t *byte_at = spelling->byte_at;
    size_t from = byte_at[first], to = byte_at[end], i = first;
    size_t j = end - 1; /* holds the last byte: white space behind it would be the next unit's */
    const char *bytes = spelling->bytes + from;
    if (nt_token_is_special(trace, first)) {
        bytes = trace->tokens[first].bytes;
        unit->n_bytes = trace->tokens[first].n_bytes;
        nt_unit_place(unit, trace, first, 0, first, unit->n_bytes);
    } else {
        while (from < to && spelling->marks[from] & NT_MARK_WHITE)
            from++;
        while (to > from && spelling->marks[to - 1] & NT_MARK_WHITE)
            to--;
        if (from == to) {
            from = byte_at[first];
            to = byte_at[end];
        }
        while (byte_at[i + 1] <= from)
            i++;
        bytes = spelling->bytes + from;
        unit->n_bytes = to - from;
        nt_unit_place(unit, trace, i, from - byte_at[i], j, to - byte_at[j]);
    }
    unit->bytes = nt_arena_copy(&trace->arena, bytes, unit->n_bytes);
    return unit->bytes ? NT_OK : NT_E_MEMORY;
}

static int fill_units(nt_scoring *scoring, const nt_spelling *spelling, const bool *starts) {
    nt_result *trace = scoring->trace;
    size_t n = trace->n_tokens, n_words = 0;
    for (size_t i = 0; i < n; i++)
        n_words += starts[i];
    trace->words = nt_arena_alloc(&trace->arena, n_words, sizeof *trace->words);
    if (!trace->words) return NT_E_MEMORY;
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && !starts[end];)
            end++;
        if (!starts[i]) continue; /* BOS */
        NT_TRY(fill_unit(&trace->words[trace->n_words], scoring, spelling, i, end));
        trace->n_words++;
    }
    return NT_OK;
}

int nt_words_begin(nt_scoring *scoring, const nt_spelling *spelling) {
    nt_result *trace = scoring->trace;
    size_t n = trace->n_tokens;
    scoring->asks = nt_arena_alloc(&trace->arena, n, sizeof *scoring->asks);
    scoring->borders = nt_arena_alloc(&trace->arena, n, sizeof *scoring->borders);
    bool *starts = nt_alloc(n, sizeof *starts);
    int status = scoring->asks && scoring->borders && starts ? NT_OK : NT_E_MEMORY;
    if (status == NT_OK) {
        find_starts(starts, spelling);
        for (size_t t = 0; t < n; t++) {
            scoring->asks[t] = ask_of(scoring, starts, t);
            scoring->borders[t] = NAN;
        }
        status = fill_units(scoring, spelling, starts);
    }
    nt_free(starts);
    return status;
}

/* Ids that begin in one of the ways from first to last: neighbours in lexis->classes. */
static double log_mass(const nt_scoring *scoring, const float *logits, const nt_softmax *sum,
                       nt_opening first, nt_opening last) {
    const nt_lexis *lexis = scoring->lexis;
    size_t at = lexis->class_at[first], n = lexis->class_at[last + 1] - at;
    return nt_log_sum_at(logits, lexis->classes + at, n, sum->max);
}

void nt_words_row(nt_scoring *scoring, size_t t, const float *logits, const nt_softmax *sum) {
    nt_correction correction = scoring->trace->correction;
    double mass;
    if (scoring->asks[t] == NT_ASK_CLOSED && correction == NT_CORRECTION_WHITESPACE) {
        mass = nt_log_add(log_mass(scoring, logits, sum, NT_OPENS_EOS, NT_OPENS_EOS),
                          log_mass(scoring, logits, sum, NT_OPENS_REST, NT_OPENS_REST));
    } else if (scoring->asks[t] == NT_ASK_CLOSED) {
        mass = log_mass(scoring, logits, sum, NT_OPENS_EOS, NT_OPENS_REST);
    } else if (correction == NT_CORRECTION_WHITESPACE) {
        mass = log_mass(scoring, logits, sum, NT_OPENS_SPACE, NT_OPENS_WHITE);
    } else if (correction == NT_CORRECTION_PIMENTEL_MEISTER) {
        mass = log_mass(scoring, logits, sum, NT_OPENS_SPACE, NT_OPENS_EOS);
    } else {
        mass = log_mass(scoring, logits, sum, NT_OPENS_SPACE, NT_OPENS_SPACE);
    }
    scoring->borders[t] = mass - sum->logsum;
}

void nt_words_finish(nt_scoring *scoring) {
    const nt_result *trace = scoring->trace;
    for (size_t w = 0; w < trace->n_words; w++) {
        nt_unit *word = &trace->words[w];
        size_t last = word->first + word->n_tokens - 1;
        double sum = 0;
        for (size_t i = word->first; i <= last; i++)
            sum += trace->scored[i].logprob;
        word->logprob = word->corrected = sum;
        if (word->first > 0 && scoring->asks[word->first - 1])
            word->corrected -= scoring->borders[word->first - 1];
        if (scoring->asks[last]) word->corrected += scoring->borders[last];
        word->counted = nt_unit_counted(word, trace);
    }
}
