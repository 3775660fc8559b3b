/* Tables, and byte-level words: what nearly every model does with nearly every word. */
#include "text/subword/bpe.h"

#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "text/subword/bpe_merge.h"
#include "text/vocab/byte_level.h"

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

void nt_bpe_free(nt_bpe *bpe) {
    nt_merges_free(&bpe->merges);
    if (!bpe->borrowed) {
        nt_free(bpe->tables.byte_pairs);
        nt_free(bpe->tables.byte_joints);
        nt_free(bpe->tables.joints);
        nt_free(bpe->tables.filter);
        nt_free(bpe->tables.slots);
        nt_free(bpe->tables.wholes);
        nt_free(bpe->tables.inner_ids);
    }
    nt_free(bpe->prefix);
    nt_free(bpe->suffix);
    *bpe = (nt_bpe){0};
}

static int32_t id_of(const nt_lexicon *lexicon, const char *content, size_t n) {
    const nt_piece *piece = nt_lexicon_find(lexicon, content, n);
    return piece ? (int32_t)piece->id : -1;
}

static void find_bytes(nt_bpe *bpe, const nt_lexicon *lexicon) {
    static const char digits[] = "0123456789ABCDEF";
    bpe->all_bytes = true;
    for (unsigned byte = 0; byte < 256; byte++) {
        char content[6] = {'<', '0', 'x', digits[byte >> 4], digits[byte & 15], '>'};
        bpe->fallback_ids[byte] = id_of(lexicon, content, sizeof content);
        size_t n = nt_byte_level_char(content, (uint8_t)byte);
        bpe->byte_ids[byte] = id_of(lexicon, content, n);
        bpe->all_bytes &= bpe->byte_ids[byte] >= 0;
    }
}

enum { ID_BITS = 20, RANK_BITS = 24 };

/* Low ranks first: those that come most then stand where they are looked for. pairs [n_ranks] */
static void fill_slots(nt_bpe *bpe, const uint64_t *pairs) {
    nt_bpe_tables *tables = &bpe->tables;
    memset(tables->slots, 0xFF, (tables->slot_mask + 1) * sizeof *tables->slots);
    for (uint32_t rank = 0; rank < bpe->merges.n_ranks; rank++) {
        if (pairs[rank] == UINT64_MAX) continue;
        uint32_t left = (uint32_t)(pairs[rank] >> 32), right = (uint32_t)pairs[rank];
        size_t i = nt_hash_pair(bpe->merges.seed, left, right) & tables->slot_mask;
        while (tables->slots[i] != UINT64_MAX)
            i = (i + 1) & tables->slot_mask;
        tables->slots[i] = ((uint64_t)left << ID_BITS | right) << RANK_BITS | rank;
    }
}

static int make_slots(nt_bpe *bpe, const uint64_t *pairs, size_t n) {
    nt_bpe_tables *tables = &bpe->tables;
    size_t size = 16;
    while (size - size / 8 <= n)
        size *= 2;
    tables->slot_mask = size - 1;
    tables->slots = nt_alloc_aligned(size, sizeof *tables->slots);
    if (!tables->slots) return NT_E_MEMORY;
    fill_slots(bpe, pairs);
    return NT_OK;
}

/* What follows from the merges alone; pairs [n_ranks] is room for them by rank. */
static int make_pairs(nt_bpe *bpe, uint64_t *pairs) {
    const nt_merges *merges = &bpe->merges;
    nt_bpe_tables *tables = &bpe->tables;
    size_t size = merges->keys ? merges->mask + 1 : 0, n_bits = 64, n = 0;
    while (n_bits < size * 4)
        n_bits *= 2;
    tables->filter_shift = (unsigned)__builtin_clzll(n_bits) + 1;
    tables->filter = nt_alloc(n_bits / 64, sizeof *tables->filter);
    tables->wholes = nt_alloc(merges->n_ranks, sizeof *tables->wholes);
    if (!tables->filter || !tables->wholes) return NT_E_MEMORY;
    memset(pairs, 0xFF, merges->n_ranks * sizeof *pairs);
    bool small = merges->n_ranks < 1 << RANK_BITS;
    for (size_t i = 0; i < size; i++) {
        if (merges->keys[i] == UINT64_MAX) continue;
        uint32_t left = (uint32_t)(merges->keys[i] >> 32), right = (uint32_t)merges->keys[i];
        uint32_t rank = merges->values[i].rank;
        uint64_t bit = nt_hash_pair(merges->seed, left, right) >> tables->filter_shift;
        tables->filter[bit >> 6] |= (uint64_t)1 << (bit & 63);
        tables->wholes[rank] = merges->values[i].whole;
        small &= left < 1 << ID_BITS && right < 1 << ID_BITS;
        pairs[rank] = merges->keys[i];
        n++;
    }
    return small ? make_slots(bpe, pairs, n) : NT_OK;
}

/* Which neighbouring characters stand in any token, and which bytes where these are characters of
 * the byte-level alphabet. */
static void find_joints(nt_bpe_tables *tables, const nt_lexicon *lexicon) {
    int16_t bytes[0x144];
    memset(bytes, 0xFF, sizeof bytes);
    for (int byte = 0; byte < 256; byte++) {
        char c[4] = {0};
        int32_t code;
        nt_utf8_next(&code, c, nt_byte_level_char(c, (uint8_t)byte));
        bytes[code] = (int16_t)byte;
    }
    for (size_t k = 0; k < lexicon->n; k++) {
        const nt_piece *piece = &lexicon->pieces[k];
        const char *content = nt_piece_content(lexicon, piece);
        uint32_t before = 0, code;
        int left = -1, right;
        for (size_t i = 0; i < piece->n_content; before = code, left = right) {
            size_t first = i;
            i += nt_bpe_character(&code, content + i, piece->n_content - i);
            right = code < 0x144 ? bytes[code] : -1;
            if (first == 0) continue;
            size_t joint = nt_bpe_joint(before, code);
            tables->joints[joint >> 6] |= (uint64_t)1 << (joint & 63);
            if (left >= 0 && right >= 0)
                tables->byte_joints[left << 2 | right >> 6] |= (uint64_t)1 << (right & 63);
        }
    }
}

static int make_byte_tables(nt_bpe *bpe, const nt_lexicon *lexicon) {
    nt_bpe_tables *tables = &bpe->tables;
    tables->byte_joints = nt_alloc(1024, sizeof *tables->byte_joints);
    tables->byte_pairs = nt_alloc_aligned(65536, sizeof *tables->byte_pairs);
    tables->joints = nt_alloc(NT_BPE_JOINTS / 64, sizeof *tables->joints);
    if (!tables->byte_joints || !tables->byte_pairs || !tables->joints) return NT_E_MEMORY;
    find_joints(tables, lexicon);
    for (unsigned pair = 0; pair < 65536; pair++) {
        int32_t left = bpe->byte_ids[pair >> 8], right = bpe->byte_ids[pair & 255];
        tables->byte_pairs[pair] =
            left < 0 || right < 0 ? NT_NO_MERGE : nt_bpe_rank(bpe, (uint32_t)left, (uint32_t)right);
    }
    return NT_OK;
}

static int make_inner(nt_bpe *bpe, const nt_lexicon *lexicon) {
    int32_t *inner = bpe->tables.inner_ids = nt_alloc(NT_BPE_CODES, sizeof *inner);
    char *content = nt_alloc(bpe->n_prefix + 4, 1);
    if (inner && content) {
        if (bpe->n_prefix) memcpy(content, bpe->prefix, bpe->n_prefix);
        for (int32_t code = 0; code < NT_BPE_CODES; code++) {
            size_t n = nt_utf8_put(content + bpe->n_prefix, code);
            inner[code] = id_of(lexicon, content, bpe->n_prefix + n);
        }
    }
    nt_free(content);
    return inner && content ? NT_OK : NT_E_MEMORY;
}

int nt_bpe_finish(nt_bpe *bpe, const nt_lexicon *lexicon) {
    bpe->n_pieces = lexicon->n;
    find_bytes(bpe, lexicon);
    bpe->plain = !bpe->n_prefix && !bpe->n_suffix;
    bpe->meta_id = bpe->plain ? id_of(lexicon, NT_BPE_META, 3) : -1;
    uint64_t *pairs = nt_alloc_aligned(bpe->merges.n_ranks, sizeof *pairs);
    if (!pairs) return NT_E_MEMORY;
    int status = make_pairs(bpe, pairs);
    nt_free(pairs);
    NT_TRY(status);
    NT_TRY(make_byte_tables(bpe, lexicon));
    return make_inner(bpe, lexicon);
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
