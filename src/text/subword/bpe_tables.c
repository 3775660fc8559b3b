/* What BPE knows of its vocabulary beforehand. */
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "text/subword/bpe_merge.h"
#include "text/vocab/byte_level.h"

void nt_bpe_free(nt_bpe *bpe) {
    nt_merges_free(&bpe->merges);
    if (!bpe->borrowed) {
        nt_free(bpe->tables.byte_pairs);
        nt_free(bpe->tables.byte_joints);
        nt_free(bpe->tables.joints);
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

/* The byte that a character of the byte-level alphabet stands for, and -1 for others below 0x144.
 */
static void find_alphabet(int16_t bytes[0x144]) {
    memset(bytes, 0xFF, 0x144 * sizeof *bytes);
    for (int byte = 0; byte < 256; byte++) {
        char c[4] = {0};
        int32_t code;
        nt_utf8_next(&code, c, nt_byte_level_char(c, (uint8_t)byte));
        bytes[code] = (int16_t)byte;
    }
}

/* Which neighbouring characters stand in any token: pairs of the byte-level alphabet, nearly all
 * that there are, are marked in seen [65536] by left byte << 8 | right byte. */
static void find_joints(uint8_t *seen, uint64_t *joints, const int16_t *bytes,
                        const nt_lexicon *lexicon) {
    for (size_t k = 0; k < lexicon->n; k++) {
        const nt_piece *piece = &lexicon->pieces[k];
        const char *content = nt_piece_content(lexicon, piece);
        size_t n = piece->n_content;
        uint32_t before = 0, code;
        int left = -1, right;
        for (size_t i = 0, length; i < n; i += length, before = code, left = right) {
            code = (unsigned char)content[i];
            length = 1;
            if (code >= 0x80) length = nt_bpe_character(&code, content + i, n - i);
            right = code < 0x144 ? bytes[code] : -1;
            if ((left | right) >= 0) {
                seen[left << 8 | right] = 1;
            } else if (i > 0) {
                size_t joint = nt_bpe_joint(before, code);
                joints[joint >> 6] |= (uint64_t)1 << (joint & 63);
            }
        }
    }
}

static int make_joints(nt_bpe_tables *tables, const nt_lexicon *lexicon) {
    int16_t bytes[0x144];
    uint8_t *seen = nt_alloc(65536, 1);
    if (!seen) return NT_E_MEMORY;
    find_alphabet(bytes);
    find_joints(seen, tables->joints, bytes, lexicon);
    for (uint32_t left = 0; left < 0x144; left++) {
        for (uint32_t right = 0; bytes[left] >= 0 && right < 0x144; right++) {
            size_t pair = (size_t)bytes[left] << 8 | (uint8_t)bytes[right];
            if (bytes[right] < 0 || !seen[pair]) continue;
            size_t joint = nt_bpe_joint(left, right);
            tables->joints[joint >> 6] |= (uint64_t)1 << (joint & 63);
            tables->byte_joints[pair >> 6] |= (uint64_t)1 << (pair & 63);
        }
    }
    nt_free(seen);
    return NT_OK;
}

static int make_byte_tables(nt_bpe *bpe, const nt_lexicon *lexicon) {
    nt_bpe_tables *tables = &bpe->tables;
    tables->byte_joints = nt_alloc(1024, sizeof *tables->byte_joints);
    tables->byte_pairs = nt_alloc_aligned(65536, sizeof *tables->byte_pairs);
    tables->joints = nt_alloc(NT_BPE_JOINTS / 64, sizeof *tables->joints);
    if (!tables->byte_joints || !tables->byte_pairs || !tables->joints) return NT_E_MEMORY;
    NT_TRY(make_joints(tables, lexicon));
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
    if (!nt_merges_packs(lexicon->n_ids, bpe->merges.n_ranks))
        NT_TRY(nt_merges_widen(&bpe->merges));
    NT_TRY(make_byte_tables(bpe, lexicon));
    return make_inner(bpe, lexicon);
}
