/* Ids -> text.
 *
 * Where every token adds its own bytes, which is nearly everywhere, a text is made by copying 16
 * bytes an id from a table; the chain of decoders is asked where that is not so. */
#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "text/decode/chain.h"
#include "text/decode/look.h"

int nt_decode_look(const nt_piece **out, const nt_tokenizer *tokenizer, int32_t id, size_t index,
                   bool skip_special) {
    *out = NULL;
    if (id < 0 || (size_t)id >= tokenizer->lexicon.n_ids) {
        return nt_fail(NT_E_RANGE,
                       "id %" PRId32 " at index %zu is outside the vocabulary of %zu ids", id,
                       index, tokenizer->lexicon.n_ids);
    }
    const nt_piece *piece = nt_lexicon_at(&tokenizer->lexicon, id);
    const nt_added_token *token = piece ? nt_added_of(&tokenizer->added, piece) : NULL;
    if (!(skip_special && token && token->skipped)) *out = piece;
    return NT_OK;
}

enum { N_INLINE = 15, LONG = 255, N_BLOCK = 1024, MAX_TABLE_IDS = 1 << 20 };

/* What an id adds, skipped ones nothing. */
typedef struct entry {
    char bytes[N_INLINE];
    uint8_t n; /* LONG: see its piece */
} entry;

typedef struct decoding {
    const nt_tokenizer *tokenizer;
    bool skip_special;
    bool byte_level; /* bytes are put one after another, and looked at afterwards */
    entry *table;    /* [ids of the tokenizer]; NULL for few ids, which it would not pay for */
    nt_chain chain;
    nt_buffer out;
    size_t n_good; /* bytes of out that are UTF-8; others may follow */
} decoding;

static bool is_plain(const nt_decoders *decoders, uint32_t id) {
    return decoders->plain && id < decoders->n_plain && decoders->plain[id / 8] >> id % 8 & 1;
}

static int make_table(decoding *work) {
    const nt_lexicon *lexicon = &work->tokenizer->lexicon;
    work->table = nt_alloc(lexicon->n_ids, sizeof *work->table);
    if (!work->table) return NT_E_MEMORY;
    for (size_t i = 0; i < lexicon->n; i++) {
        const nt_piece *piece = &lexicon->pieces[i];
        entry *to = &work->table[piece->id];
        const nt_added_token *token = nt_added_of(&work->tokenizer->added, piece);
        if (work->skip_special && token && token->skipped) continue;
        if (piece->n_bytes > N_INLINE ||
            !(work->byte_level || is_plain(&work->tokenizer->decoders, piece->id))) {
            to->n = LONG;
            continue;
        }
        memcpy(to->bytes, nt_piece_bytes(lexicon, piece), piece->n_bytes);
        to->n = (uint8_t)piece->n_bytes;
    }
    return NT_OK;
}

static int put_one(decoding *work, int32_t id, size_t index) {
    const nt_piece *piece;
    const nt_lexicon *lexicon = &work->tokenizer->lexicon;
    NT_TRY(nt_decode_look(&piece, work->tokenizer, id, index, work->skip_special));
    if (!piece) return NT_OK;
    if (!work->byte_level) return nt_chain_put(&work->chain, lexicon, piece);
    nt_buffer_put(&work->out, nt_piece_bytes(lexicon, piece), piece->n_bytes);
    return work->out.status;
}

/* Copies what ids [n] add as long as the table knows it; returns how many. */
static size_t copy_entries(decoding *work, const int32_t *ids, size_t n) {
    const entry *table = work->table;
    size_t n_ids = work->tokenizer->lexicon.n_ids, i = 0;
    char *to = work->out.data + work->out.n;
    for (; i < n; i++) {
        if ((uint32_t)ids[i] >= n_ids) break;
        const entry *from = &table[(uint32_t)ids[i]];
        if (from->n == LONG) break;
        memcpy(to, from, sizeof *from);
        to += from->n;
    }
    work->out.n = (size_t)(to - work->out.data);
    return i;
}

/* While the bytes are still near the processor; a character may end in the next block. */
static void check_block(decoding *work) {
    const nt_buffer *out = &work->out;
    size_t rest = out->n - work->n_good;
    work->n_good += rest ? nt_utf8_check(out->data + work->n_good, rest) : 0;
}

static int put_block(decoding *work, const int32_t *ids, size_t n, size_t index) {
    for (size_t i = 0; i < n; i++) {
        if (work->table && (work->byte_level || work->chain.steady)) {
            NT_TRY(nt_buffer_room(&work->out, (n - i) * sizeof(entry)));
            i += copy_entries(work, ids + i, n - i);
            if (i == n) break;
        }
        NT_TRY(put_one(work, ids[i], index + i));
    }
    return NT_OK;
}

static int put_all(decoding *work, const int32_t *ids, size_t n_ids) {
    const nt_tokenizer *tokenizer = work->tokenizer;
    size_t size = tokenizer->lexicon.n_ids;
    work->byte_level = nt_decoders_byte_level(&tokenizer->decoders);
    if (!work->byte_level) {
        NT_TRY(nt_chain_start(&work->chain, &tokenizer->decoders));
        work->chain.out = &work->out;
    }
    if (size / 2 < n_ids && size <= MAX_TABLE_IDS) {
        NT_TRY(make_table(work));
        NT_TRY(nt_buffer_room(&work->out, 5 * n_ids)); /* enough for most texts */
        nt_memory_large(work->out.data, 5 * n_ids);
    }
    bool good = true;
    for (size_t i = 0; i < n_ids; i += N_BLOCK) {
        NT_TRY(put_block(work, ids + i, n_ids - i < N_BLOCK ? n_ids - i : N_BLOCK, i));
        if (work->byte_level && good) {
            check_block(work);
            good = work->out.n - work->n_good <= 3;
        }
    }
    return work->byte_level ? NT_OK : nt_chain_end(&work->chain);
}

int nt_decode(char **text, size_t *n_text, const nt_tokenizer *tokenizer, const int32_t *ids,
              size_t n_ids, bool skip_special_tokens) {
    *text = NULL;
    *n_text = 0;
    decoding work = {.tokenizer = tokenizer, .skip_special = skip_special_tokens};
    work.out.max = PTRDIFF_MAX;
    int status = put_all(&work, ids, n_ids);
    nt_chain_free(&work.chain);
    nt_free(work.table);
    if (status == NT_OK && work.byte_level && work.n_good < work.out.n) {
        nt_buffer clean = {.max = PTRDIFF_MAX};
        nt_utf8_append_lossy(&clean, work.out.data, work.out.n);
        nt_buffer_free(&work.out);
        work.out = clean;
    }
    if (status == NT_OK) nt_buffer_put(&work.out, "", 0); /* the zero byte */
    if (status == NT_OK) return nt_buffer_take(text, n_text, &work.out);
    nt_buffer_free(&work.out);
    return status;
}
