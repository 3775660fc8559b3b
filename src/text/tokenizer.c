/* Opening a tokenizer, and the public calls that look at it. */
#include "text/tokenizer.h"

#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/options.h"
#include "text/files/image.h"
#include "text/files/readings.h"

/* ---- Finishing ------------------------------------------------------------------------------- */

/* Contents of added tokens on their way into the trie of normalized text. */
typedef struct normalizing {
    const nt_normalizers *normalizers;
    nt_form form;
    nt_pattern_work work;
} normalizing;

static int normalize(void *payload, const char **bytes, size_t *n) {
    normalizing *p = payload;
    nt_form_start(&p->form, *bytes, *n, 0);
    NT_TRY(nt_normalize(&p->form, p->normalizers, &p->work));
    *bytes = p->form.bytes;
    *n = p->form.n;
    return NT_OK;
}

/* As in tokenizers an added token that is looked for in normalized text goes by its normalized
 * content ever after; decoding leaves it out where that is the content of a special token. */
static int rename_added(nt_tokenizer *tokenizer, normalizing *payload) {
    nt_lexicon *lexicon = &tokenizer->lexicon;
    for (size_t i = 0; i < tokenizer->added.n; i++) {
        nt_added_token *token = &tokenizer->added.tokens[i];
        if (!token->normalized) continue;
        const nt_piece *piece = nt_lexicon_at(lexicon, token->id);
        const char *bytes = nt_piece_content(lexicon, piece);
        size_t n = piece->n_content;
        NT_TRY(normalize(payload, &bytes, &n));
        if (n == piece->n_content && memcmp(bytes, nt_piece_content(lexicon, piece), n) == 0)
            continue;
        const nt_piece *namesake = nt_lexicon_find(lexicon, bytes, n);
        const nt_added_token *other = namesake ? nt_added_of(&tokenizer->added, namesake) : NULL;
        token->skipped = other && other->special;
        NT_TRY(nt_lexicon_rename(lexicon, token->id, bytes, n));
    }
    return NT_OK;
}

static int finish_added(nt_tokenizer *tokenizer) {
    normalizing payload = {.normalizers = &tokenizer->normalizers};
    int status = nt_added_finish(&tokenizer->added, &tokenizer->lexicon,
                                 tokenizer->normalizers.n ? normalize : NULL, &payload);
    if (status == NT_OK && tokenizer->normalizers.n) status = rename_added(tokenizer, &payload);
    nt_form_free(&payload.form);
    nt_pattern_work_free(&payload.work);
    return status;
}

/* The lane is for models whose words are bytes, each with a token of its own: nothing can be
 * unknown there, and neither unk_token nor byte_fallback is ever looked at. */
static void find_lane(nt_tokenizer *tokenizer) {
    const nt_subword *subword = &tokenizer->subword;
    bool bytes = subword->kind == NT_BPE && subword->bpe.all_bytes && !subword->bpe.n_prefix &&
                 !subword->bpe.n_suffix;
    tokenizer->lane = (nt_lane){.kind = NT_SCAN_NONE};
    if (!bytes) return;
    tokenizer->lane.kind =
        nt_pre_tokenizers_scan(&tokenizer->lane.add_prefix_space, &tokenizer->pre_tokenizers);
}

int nt_tokenizer_finish(nt_tokenizer *tokenizer) {
    /* The image's tokens are spelled for the byte-level decoder, and have their own names. */
    if (tokenizer->normalizers.n || !nt_decoders_byte_level(&tokenizer->decoders))
        NT_TRY(nt_lexicon_own(&tokenizer->lexicon));
    NT_TRY(finish_added(tokenizer));
    NT_TRY(nt_decoders_spell(&tokenizer->decoders, &tokenizer->lexicon));
    find_lane(tokenizer);
    return NT_OK;
}

/* ---- Opening --------------------------------------------------------------------------------- */

/* The parts that the files describe, one way or the other. */
static int fill(nt_tokenizer *tokenizer, const char *json, const char *folder, nt_reading reading) {
    nt_token_config config;
    NT_TRY(nt_token_config_read(&config, folder));
    int status;
    if (!json) {
        status = nt_tokenizer_read_pair(tokenizer, folder, &config);
    } else if (reading == NT_READ_TRANSFORMERS) {
        status = nt_tokenizer_read_class(tokenizer, json, folder, &config);
    } else {
        status = nt_tokenizer_read_json(tokenizer, json, &config);
    }
    nt_token_config_free(&config);
    return status == NT_OK ? nt_tokenizer_finish(tokenizer) : status;
}

/* Which of the two forms a folder holds: *json is the path of tokenizer.json or NULL. */
static int look(char **json, const char *folder) {
    *json = NULL;
    char *names[3] = {nt_path_join(folder, "tokenizer.json"), nt_path_join(folder, "vocab.json"),
                      nt_path_join(folder, "merges.txt")};
    int status = names[0] && names[1] && names[2] ? NT_OK : NT_E_MEMORY;
    if (status == NT_OK && nt_file_look(names[0]) != NT_FILE_NONE) {
        *json = names[0];
        names[0] = NULL;
    } else if (status == NT_OK &&
               (nt_file_look(names[1]) == NT_FILE_NONE || nt_file_look(names[2]) == NT_FILE_NONE)) {
        status = nt_fail(NT_E_NOT_FOUND,
                         "%s holds no tokenizer: looked for tokenizer.json, and for vocab.json "
                         "with merges.txt",
                         folder);
    }
    for (int i = 0; i < 3; i++)
        nt_free(names[i]);
    return status;
}

static int open_path(nt_tokenizer *tokenizer, const char *path, nt_reading reading) {
    nt_file_kind kind = nt_file_look(path);
    if (kind == NT_FILE_NONE) return nt_fail(NT_E_NOT_FOUND, "no such file or folder: %s", path);
    if (kind == NT_FILE_FOLDER) {
        char *json;
        NT_TRY(look(&json, path));
        int status = fill(tokenizer, json, path, reading);
        nt_free(json);
        return status;
    }
    char *folder = nt_path_folder(path);
    if (!folder) return NT_E_MEMORY;
    int status = fill(tokenizer, path, folder, reading);
    nt_free(folder);
    return status;
}

static nt_tokenizer *tokenizer_new(void) {
    nt_tokenizer *tokenizer = nt_alloc(1, sizeof *tokenizer);
    if (!tokenizer) return NULL;
    tokenizer->lexicon.seed = nt_hash_seed();
    tokenizer->subword.unk = -1;
    tokenizer->bos = tokenizer->eos = tokenizer->pad = -1;
    return tokenizer;
}

/* Hands a tokenizer over, or frees it. */
static int hand_over(nt_tokenizer **out, nt_tokenizer *tokenizer, int status) {
    if (status == NT_OK) {
        *out = tokenizer;
    } else {
        nt_tokenizer_free(tokenizer);
    }
    return status;
}

int nt_tokenizer_open_with(nt_tokenizer **out, const char *path,
                           const nt_tokenizer_options *options) {
    *out = NULL;
    nt_tokenizer_options o = NT_TOKENIZER_OPTIONS_INIT;
    NT_TRY(nt_take_options(&o, sizeof o, options, "nt_tokenizer_options"));
    if (!path) return nt_fail(NT_E_ARGUMENT, "no tokenizer: path is NULL");
    if (o.reading != NT_READ_FILE && o.reading != NT_READ_TRANSFORMERS)
        return nt_fail(NT_E_ARGUMENT, "reading %d is neither NT_READ_FILE nor NT_READ_TRANSFORMERS",
                       (int)o.reading);
    nt_tokenizer *tokenizer = tokenizer_new();
    if (!tokenizer) return NT_E_MEMORY;
    return hand_over(out, tokenizer, open_path(tokenizer, path, o.reading));
}

int nt_tokenizer_open(nt_tokenizer **out, const char *path) {
    return nt_tokenizer_open_with(out, path, NULL);
}

int nt_tokenizer_take(nt_tokenizer **out, char *bytes, size_t n, const char *where, int32_t bos,
                      int32_t eos, int32_t pad) {
    *out = NULL;
    nt_tokenizer *tokenizer = tokenizer_new();
    if (!tokenizer) {
        nt_free(bytes);
        return NT_E_MEMORY;
    }
    int status = nt_tokenizer_read_bytes(tokenizer, bytes, n, where);
    if (status == NT_OK) status = nt_tokenizer_finish(tokenizer);
    tokenizer->bos = bos;
    tokenizer->eos = eos;
    tokenizer->pad = pad;
    return hand_over(out, tokenizer, status);
}

/* In the image <|endoftext|> is marked as the added token that is listed here. */
static int fill_gpt2(nt_tokenizer *tokenizer) {
    uint32_t end = nt_gpt2_image(&tokenizer->lexicon, &tokenizer->subword.bpe);
    tokenizer->n_model = tokenizer->lexicon.n;
    tokenizer->bos = tokenizer->eos = (int32_t)end;
    nt_added *added = &tokenizer->added;
    added->tokens = nt_alloc(1, sizeof *added->tokens);
    if (!added->tokens) return NT_E_MEMORY;
    added->tokens[0] = (nt_added_token){.id = (int32_t)end, .special = true, .skipped = true};
    added->n = added->capacity = 1;
    NT_TRY(nt_make_byte_level(tokenizer, false));
    NT_TRY(nt_post_surround(&tokenizer->post, -1, -1));
    return nt_tokenizer_finish(tokenizer);
}

int nt_tokenizer_gpt2(nt_tokenizer **out) {
    *out = NULL;
    nt_tokenizer *tokenizer = tokenizer_new();
    if (!tokenizer) return NT_E_MEMORY;
    return hand_over(out, tokenizer, fill_gpt2(tokenizer));
}

void nt_tokenizer_free(nt_tokenizer *tokenizer) {
    if (!tokenizer) return;
    nt_added_free(&tokenizer->added);
    nt_normalizers_free(&tokenizer->normalizers);
    nt_pre_tokenizers_free(&tokenizer->pre_tokenizers);
    nt_subword_free(&tokenizer->subword);
    nt_post_free(&tokenizer->post);
    nt_decoders_free(&tokenizer->decoders);
    nt_lexicon_free(&tokenizer->lexicon);
    nt_free(tokenizer);
}

/* ---- Looking at it --------------------------------------------------------------------------- */

/* A model may have no tokenizer: NULL is answered as an empty one. */
size_t nt_tokenizer_size(const nt_tokenizer *tokenizer) {
    return tokenizer ? tokenizer->lexicon.n_ids : 0;
}

int32_t nt_tokenizer_bos(const nt_tokenizer *tokenizer) {
    return tokenizer ? tokenizer->bos : -1;
}

int32_t nt_tokenizer_eos(const nt_tokenizer *tokenizer) {
    return tokenizer ? tokenizer->eos : -1;
}

int32_t nt_tokenizer_pad(const nt_tokenizer *tokenizer) {
    return tokenizer ? tokenizer->pad : -1;
}

bool nt_tokenizer_is_special(const nt_tokenizer *tokenizer, int32_t id) {
    const nt_piece *piece = tokenizer ? nt_lexicon_at(&tokenizer->lexicon, id) : NULL;
    const nt_added_token *token = piece ? nt_added_of(&tokenizer->added, piece) : NULL;
    return token && token->special;
}

bool nt_tokenizer_truncates(const nt_tokenizer *tokenizer) {
    return tokenizer->truncation.on;
}

bool nt_tokenizer_pads(const nt_tokenizer *tokenizer) {
    return tokenizer->padding.on;
}

/* An added token is its content. Decoding, as in tokenizers, reads it through the byte-level
 * alphabet like any other, which differs where the content is made of letters such as "é". */
const char *nt_tokenizer_bytes(const nt_tokenizer *tokenizer, int32_t id, size_t *n) {
    const nt_piece *piece = tokenizer ? nt_lexicon_at(&tokenizer->lexicon, id) : NULL;
    if (!piece || piece->added) return nt_tokenizer_content(tokenizer, id, n);
    *n = piece->n_bytes;
    return nt_piece_bytes(&tokenizer->lexicon, piece);
}

const char *nt_tokenizer_content(const nt_tokenizer *tokenizer, int32_t id, size_t *n) {
    const nt_piece *piece = tokenizer ? nt_lexicon_at(&tokenizer->lexicon, id) : NULL;
    *n = piece ? piece->n_content : 0;
    return piece ? nt_piece_content(&tokenizer->lexicon, piece) : NULL;
}

int32_t nt_tokenizer_id(const nt_tokenizer *tokenizer, const char *content, size_t n) {
    if (!tokenizer || !content) return -1;
    if (n == NT_ZERO_ENDED) n = strlen(content);
    const nt_piece *piece = nt_lexicon_find(&tokenizer->lexicon, content, n);
    return piece ? (int32_t)piece->id : -1;
}
