/* Byte-level words: what nearly every model does with nearly every word. */
#include "text/subword/bpe.h"

#include "base/memory.h"
#include "text/subword/bpe_merge.h"

void nt_bpe_work_free(nt_bpe_work *work) {
    nt_free(work->nodes);
    nt_free(work->entries);
    nt_free(work->buckets);
    nt_free(work->bits);
    nt_free(work->ids);
    nt_free(work->at);
    nt_free(work->lengths);
    nt_buffer_free(&work->spelling);
    *work = (nt_bpe_work){0};
}

static int no_byte(char byte) {
    return nt_fail(NT_E_UNSUPPORTED,
                   "the vocabulary has no token for the byte 0x%02X, which the text holds; "
                   "leave it out of the text or use another tokenizer",
                   (unsigned char)byte);
}

static size_t few_bytes(int32_t *ids, uint32_t *lengths, const nt_bpe *bpe, const uint8_t *word,
                        size_t n) {
    nt_bpe_few few;
    const uint32_t *pairs = bpe->tables.byte_pairs;
    few.ids[0] = (uint32_t)bpe->byte_ids[word[0]];
    for (size_t i = 0; i + 1 < n; i++) {
        few.ids[i + 1] = (uint32_t)bpe->byte_ids[word[i + 1]];
        few.keys[i] = nt_bpe_key(pairs[word[i] << 8 | word[i + 1]], i);
    }
    nt_bpe_merge_few(&few, n, bpe);
    size_t count = 0;
    for (size_t i = 0; i < n; count++) {
        ids[count] = (int32_t)few.ids[i];
        if (lengths) lengths[count] = few.next[i] - (uint32_t)i;
        i = few.next[i];
    }
    return count;
}

static int many_bytes(size_t *n_ids, int32_t *ids, uint32_t *lengths, const nt_bpe *bpe,
                      nt_bpe_work *work, const uint8_t *word, size_t n) {
    uint32_t *at = lengths;
    if (!at) {
        void *array = work->at;
        int status = nt_grow(&array, &work->n_at, n, sizeof *work->at);
        at = work->at = array;
        NT_TRY(status);
    }
    for (size_t i = 0; i < n; i++)
        ids[i] = bpe->byte_ids[word[i]];
    NT_TRY(nt_bpe_merge_long(n_ids, (uint32_t *)ids, at, n, bpe, work));
    if (!lengths) return NT_OK;
    for (size_t k = 0; k < *n_ids; k++)
        lengths[k] = (k + 1 < *n_ids ? at[k + 1] : (uint32_t)n) - at[k];
    return NT_OK;
}

/* Bytes from the start of word [n] on that one token could cover by what is known of pairs: the
 * rest may be merged alone. */
static size_t joined(const uint64_t *joints, const uint8_t *word, size_t n) {
    size_t i = 1;
    while (i < n && joints[word[i - 1] << 2 | word[i] >> 6] >> (word[i] & 63) & 1)
        i++;
    return i;
}

int nt_bpe_bytes(size_t *n_ids, int32_t *ids, uint32_t *lengths, const nt_bpe *bpe,
                 nt_bpe_work *work, const char *word, size_t n) {
    const uint8_t *bytes = (const uint8_t *)word;
    bool few_ranks = bpe->merges.n_ranks <= NT_BPE_FEW_RANKS;
    *n_ids = 0;
    if (!bpe->all_bytes) {
        for (size_t i = 0; i < n; i++)
            if (bpe->byte_ids[bytes[i]] < 0) return no_byte(word[i]);
    }
    if (n <= NT_BPE_FEW && few_ranks) {
        *n_ids = few_bytes(ids, lengths, bpe, bytes, n);
        return NT_OK;
    }
    size_t count = 0;
    for (size_t start = 0, some; start < n; start += some, count += *n_ids) {
        uint32_t *here = lengths ? lengths + count : NULL;
        some = joined(bpe->tables.byte_joints, bytes + start, n - start);
        if (some <= NT_BPE_FEW && few_ranks) {
            *n_ids = few_bytes(ids + count, here, bpe, bytes + start, some);
        } else {
            NT_TRY(many_bytes(n_ids, ids + count, here, bpe, work, bytes + start, some));
        }
    }
    *n_ids = count;
    return NT_OK;
}
