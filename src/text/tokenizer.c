/* Opening a tokenizer, and the public calls that look at it. */
#include "text/tokenizer.h"

#include <string.h>

#include "base/file.h"
#include "base/memory.h"

/* The parts that the files describe, one way or the other. */
static int fill(nt_tokenizer *tokenizer, const char *json, const char *folder) {
    nt_token_config config;
    NT_TRY(nt_token_config_read(&config, folder));
    int status = json ? nt_tokenizer_read_json(tokenizer, json, &config)
                      : nt_tokenizer_read_pair(tokenizer, folder, &config);
    if (status == NT_OK) status = nt_added_finish(&tokenizer->added, &tokenizer->lexicon);
    nt_token_config_free(&config);
    return status;
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

static int open_path(nt_tokenizer *tokenizer, const char *path) {
    nt_file_kind kind = nt_file_look(path);
    if (kind == NT_FILE_NONE) return nt_fail(NT_E_NOT_FOUND, "no such file or folder: %s", path);
    if (kind == NT_FILE_FOLDER) {
        char *json;
        NT_TRY(look(&json, path));
        int status = fill(tokenizer, json, path);
        nt_free(json);
        return status;
    }
    char *folder = nt_path_folder(path);
    if (!folder) return NT_E_MEMORY;
    int status = fill(tokenizer, path, folder);
    nt_free(folder);
    return status;
}

int nt_tokenizer_open(nt_tokenizer **out, const char *path) {
    *out = NULL;
    if (!path) return nt_fail(NT_E_ARGUMENT, "no tokenizer: path is NULL");
    nt_tokenizer *tokenizer = nt_alloc(1, sizeof *tokenizer);
    if (!tokenizer) return NT_E_MEMORY;
    tokenizer->lexicon.seed = nt_hash_seed();
    tokenizer->bos = tokenizer->eos = tokenizer->pad = -1;
    int status = open_path(tokenizer, path);
    if (status == NT_OK) {
        *out = tokenizer;
    } else {
        nt_tokenizer_free(tokenizer);
    }
    return status;
}

void nt_tokenizer_free(nt_tokenizer *tokenizer) {
    if (!tokenizer) return;
    nt_lexicon_free(&tokenizer->lexicon);
    nt_bpe_free(&tokenizer->bpe);
    nt_added_free(&tokenizer->added);
    nt_free(tokenizer->before);
    nt_free(tokenizer->after);
    nt_free(tokenizer);
}

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

/* An added token is its content. Decoding, as in tokenizers, reads it through the byte-level
 * alphabet like any other, which differs where the content is made of letters such as "é". */
const char *nt_tokenizer_bytes(const nt_tokenizer *tokenizer, int32_t id, size_t *n) {
    const nt_piece *piece = tokenizer ? nt_lexicon_at(&tokenizer->lexicon, id) : NULL;
    *n = !piece ? 0 : piece->added ? piece->n_content : piece->n_bytes;
    if (!piece) return NULL;
    return tokenizer->lexicon.text.data + (piece->added ? piece->content : piece->bytes);
}
