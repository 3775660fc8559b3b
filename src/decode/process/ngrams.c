/* No n ids in a row that have stood in a row before: no_repeat_ngram_size, and
 * encoder_no_repeat_ngram_size, for which only those of the prompt count. */
#include "decode/process/processor.h"

/* Removes each id below position `limit` whose n - 1 ids before it are the sequence's last n - 1.
 * Read from the end, that is where the sequence agrees with itself, shifted by k, for n - 1 ids:
 * the Z algorithm finds all of these in linear time. Here agreement stops at n - 1. */
static void remove_seen(const nt_row *row, size_t n, size_t limit) {
    const size_t prefix = n - 1;
    uint64_t *agrees = row->scratch; /* [prefix], by shift */
    size_t begin = 0, end = 0;       /* the stretch furthest to the front that agreed: shifted by
                                        `begin`, up to `end` from the end */
    for (size_t k = 1; k + prefix <= row->n_ids; k++) {
        size_t z = 0;
        if (k < end) z = agrees[k - begin] < end - k ? agrees[k - begin] : end - k;
        const int32_t *last = row->ids + row->n_ids - 1;
        while (z < prefix && *(last - z) == *(last - k - z))
            z++;
        if (k + z > end) {
            begin = k;
            end = k + z;
        }
        if (k < prefix) agrees[k] = z;
        size_t at = row->n_ids - k;
        if (z == prefix && at < limit && nt_row_has(row, row->ids[at]))
            row->logits[row->ids[at]] = -INFINITY;
    }
}

static bool wants_no_repeat_ngram(const nt_plan *plan) {
    return plan->no_repeat_ngram_size > 0;
}

static int run_no_repeat_ngram(const nt_row *row, const nt_plan *plan) {
    remove_seen(row, plan->no_repeat_ngram_size, row->n_ids);
    return NT_OK;
}

const nt_processor nt_no_repeat_ngram = {"no_repeat_ngram_size", wants_no_repeat_ngram,
                                         run_no_repeat_ngram};

static bool wants_encoder_no_repeat_ngram(const nt_plan *plan) {
    return plan->encoder_no_repeat_ngram_size > 0;
}

static int run_encoder_no_repeat_ngram(const nt_row *row, const nt_plan *plan) {
    remove_seen(row, plan->encoder_no_repeat_ngram_size, plan->n_prompt);
    return NT_OK;
}

const nt_processor nt_encoder_no_repeat_ngram = {
    "encoder_no_repeat_ngram_size", wants_encoder_no_repeat_ngram, run_encoder_no_repeat_ngram};
