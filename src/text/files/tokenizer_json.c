/* tokenizer.json: each section is read, or refused by name; none is passed over in silence. */
#include <string.h>

#include "base/memory.h"
#include "text/files/image.h"
#include "text/files/readings.h"
#include "text/files/show.h"

int nt_refuse_section(const char *where, const char *section, const json_t *value) {
    char shown[NT_SHOWN];
    nt_show(shown, value);
    return nt_fail(NT_E_UNSUPPORTED, "%s: %s %s is not supported", where, section, shown);
}

/* Member of an object; NULL when it is absent or null. */
static const json_t *get(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    return json_is_null(value) ? NULL : value;
}

static bool is_string(const json_t *object, const char *key) {
    return json_is_string(json_object_get(object, key));
}

/* ---- The model ------------------------------------------------------------------------------- */

/* Without a type, as old files are, tokenizers takes the first of BPE, WordPiece, WordLevel and
 * Unigram whose fields are there. */
static int read_kind(nt_subword_kind *kind, const json_t *model, const nt_sections *sections) {
    static const char *const names[] = {"BPE", "WordLevel", "Unigram"};
    const json_t *type = json_object_get(model, "type");
    if (type) {
        for (int i = 0; i < 3; i++) {
            *kind = (nt_subword_kind)i;
            if (json_is_string(type) && strcmp(json_string_value(type), names[i]) == 0)
                return NT_OK;
        }
        return nt_refuse_section(sections->where, "model type", type);
    }
    const char *vocab = sections->vocab.bytes;
    *kind = NT_BPE;
    if (sections->merges.bytes || !vocab) return NT_OK;
    if (*vocab == '[') {
        *kind = NT_UNIGRAM;
    } else if (is_string(model, "unk_token")) {
        *kind = NT_WORD_LEVEL;
        if (is_string(model, "continuing_subword_prefix") &&
            json_object_get(model, "max_input_chars_per_word")) {
            return nt_fail(NT_E_UNSUPPORTED, "%s: model type \"WordPiece\" is not supported",
                           sections->where);
        }
    }
    return NT_OK;
}

/* A copy of a text that changes ids, NULL for an empty one, which does not. */
static int read_affix(char **out, size_t *n, const json_t *model, const char *key,
                      const char *where) {
    const char *text = "";
    NT_TRY(nt_json_string(&text, model, key, where));
    if (!*text) return NT_OK;
    *n = strlen(text);
    *out = nt_alloc(*n + 1, 1);
    if (!*out) return NT_E_MEMORY;
    memcpy(*out, text, *n);
    return NT_OK;
}

static int read_bpe_fields(nt_bpe *bpe, const char **unk, const json_t *model, const char *where) {
    const json_t *dropout = get(model, "dropout");
    if (dropout && !json_is_number(dropout)) {
        return nt_fail(NT_E_FORMAT, "%s: \"dropout\" must be a number and is %s", where,
                       nt_json_kind(dropout));
    }
    if (json_number_value(dropout) != 0.0)
        return nt_refuse_section(where, "model dropout", dropout);
    NT_TRY(nt_json_bool(&bpe->byte_fallback, model, "byte_fallback", where));
    NT_TRY(nt_json_bool(&bpe->fuse_unk, model, "fuse_unk", where));
    NT_TRY(nt_json_bool(&bpe->ignore_merges, model, "ignore_merges", where));
    NT_TRY(nt_json_string(unk, model, "unk_token", where));
    NT_TRY(read_affix(&bpe->prefix, &bpe->n_prefix, model, "continuing_subword_prefix", where));
    return read_affix(&bpe->suffix, &bpe->n_suffix, model, "end_of_word_suffix", where);
}

/* The id of the unknown token, which may be missing as long as none is met. */
static int32_t find_unk(const nt_tokenizer *tokenizer, const char *unk) {
    const nt_piece *piece = unk ? nt_lexicon_find(&tokenizer->lexicon, unk, strlen(unk)) : NULL;
    return piece ? (int32_t)piece->id : -1;
}

static int read_bpe(nt_tokenizer *tokenizer, const json_t *model, const nt_sections *sections,
                    const nt_bpe_form *form) {
    nt_bpe *bpe = &tokenizer->subword.bpe;
    const char *unk = NULL;
    if (form) {
        bpe->byte_fallback = form->byte_fallback;
        bpe->fuse_unk = form->fuse_unk;
        unk = form->unk;
    } else {
        NT_TRY(read_bpe_fields(bpe, &unk, model, sections->where));
    }
    if (!sections->merges.bytes) {
        return nt_fail(NT_E_FORMAT, "%s: \"merges\" must be an array and is nothing",
                       sections->where);
    }
    bool taken = false;
    const nt_pair_of_files files = {sections->vocab, sections->merges, false};
    if (!bpe->n_prefix && !bpe->n_suffix && sections->vocab.bytes)
        NT_TRY(nt_image_take(&taken, &tokenizer->lexicon, bpe, &files));
    if (!taken) NT_TRY(nt_read_vocab(&tokenizer->lexicon, sections->vocab, sections->where));
    tokenizer->subword.unk = find_unk(tokenizer, unk);
    if (taken) return NT_OK;
    NT_TRY(nt_read_merges(bpe, &tokenizer->lexicon, sections->merges, sections->where));
    return nt_bpe_finish(bpe, &tokenizer->lexicon);
}

static int read_word_level(nt_tokenizer *tokenizer, const json_t *model,
                           const nt_sections *sections) {
    if (!get(model, "unk_token"))
        return nt_fail(NT_E_FORMAT, "%s: model lacks \"unk_token\"", sections->where);
    const char *unk = NULL;
    NT_TRY(nt_json_string(&unk, model, "unk_token", sections->where));
    NT_TRY(nt_read_vocab(&tokenizer->lexicon, sections->vocab, sections->where));
    tokenizer->subword.unk = find_unk(tokenizer, unk);
    return NT_OK;
}

static int read_unigram(nt_tokenizer *tokenizer, const json_t *model, const nt_sections *sections) {
    nt_unigram *unigram = &tokenizer->subword.unigram;
    int64_t unk = -1;
    unigram->fuse_unk = true; /* always; the format has no field for it */
    NT_TRY(nt_json_bool(&unigram->byte_fallback, model, "byte_fallback", sections->where));
    NT_TRY(nt_json_int(&unk, model, "unk_id", 0, NT_MAX_ID, sections->where));
    NT_TRY(nt_read_scores(&tokenizer->lexicon, unigram, sections->vocab, sections->where));
    if (unk >= 0 && !nt_lexicon_at(&tokenizer->lexicon, unk)) {
        return nt_fail(NT_E_FORMAT, "%s: \"unk_id\" %d is no token of the vocabulary",
                       sections->where, (int)unk);
    }
    tokenizer->subword.unk = (int32_t)unk;
    return nt_unigram_finish(unigram, &tokenizer->lexicon);
}

int nt_read_model(nt_tokenizer *tokenizer, const nt_sections *sections, const nt_bpe_form *form) {
    const json_t *model = json_object_get(sections->file, "model");
    if (!json_is_object(model)) {
        return nt_fail(NT_E_FORMAT, "%s: \"model\" must be an object and is %s", sections->where,
                       nt_json_kind(model));
    }
    nt_subword *subword = &tokenizer->subword;
    NT_TRY(read_kind(&subword->kind, model, sections));
    if (form && subword->kind != NT_BPE) {
        return nt_fail(NT_E_UNSUPPORTED,
                       "%s: tokenizer_class makes BPE, and the model is of another type; read the "
                       "file as it is",
                       sections->where);
    }
    if (subword->kind == NT_BPE) {
        NT_TRY(read_bpe(tokenizer, model, sections, form));
    } else if (subword->kind == NT_WORD_LEVEL) {
        NT_TRY(read_word_level(tokenizer, model, sections));
    } else {
        NT_TRY(read_unigram(tokenizer, model, sections));
    }
    tokenizer->n_model = tokenizer->lexicon.n;
    return NT_OK;
}

/* ---- The other sections ---------------------------------------------------------------------- */

int nt_read_added(nt_tokenizer *tokenizer, const nt_sections *sections) {
    const json_t *tokens = get(sections->file, "added_tokens"), *token;
    const char *where = sections->where;
    if (tokens && !json_is_array(tokens)) {
        return nt_fail(NT_E_FORMAT, "%s: \"added_tokens\" must be an array and is %s", where,
                       nt_json_kind(tokens));
    }
    size_t i;
    json_array_foreach(tokens, i, token) {
        const json_t *content = json_object_get(token, "content");
        if (!json_is_string(content))
            return nt_fail(NT_E_FORMAT, "%s: added_tokens[%zu] has no \"content\"", where, i);
        nt_added_token flags;
        NT_TRY(nt_added_flags(&flags, token, true, where));
        /* What it says is not used, as tokenizers does: new tokens are counted on from the last. */
        const json_t *id = json_object_get(token, "id");
        if (!json_is_integer(id) || json_integer_value(id) < 0 ||
            json_integer_value(id) > UINT32_MAX)
            return nt_fail(NT_E_FORMAT, "%s: added_tokens[%zu] has no \"id\"", where, i);
        NT_TRY(nt_added_add(&tokenizer->added, &tokenizer->lexicon, tokenizer->n_model,
                            json_string_value(content), json_string_length(content), flags, where));
    }
    return NT_OK;
}

/* tokenizers cannot read a file with a section that it does not know, or of another version. */
static int check_sections(const nt_sections *sections) {
    static const char *const known[] = {"version",        "truncation", "padding",
                                        "added_tokens",   "normalizer", "pre_tokenizer",
                                        "post_processor", "decoder",    "model"};
    for (void *at = json_object_iter(sections->file); at;
         at = json_object_iter_next(sections->file, at)) {
        size_t i = 0;
        while (i < 9 && strcmp(json_object_iter_key(at), known[i]) != 0)
            i++;
        if (i == 9) {
            return nt_fail(NT_E_UNSUPPORTED, "%s: a section \"%.40s\" is not supported",
                           sections->where, json_object_iter_key(at));
        }
    }
    const json_t *version = json_object_get(sections->file, "version");
    const char *text = json_string_value(version);
    if (version && (!text || strcmp(text, "1.0") != 0))
        return nt_refuse_section(sections->where, "version", version);
    return NT_OK;
}

int nt_read_components(nt_tokenizer *tokenizer, const nt_sections *sections) {
    const json_t *file = sections->file;
    const char *where = sections->where;
    NT_TRY(check_sections(sections));
    NT_TRY(nt_truncation_read(&tokenizer->truncation, get(file, "truncation"), where));
    NT_TRY(nt_padding_read(&tokenizer->padding, get(file, "padding"), where));
    NT_TRY(nt_normalizers_read(&tokenizer->normalizers, get(file, "normalizer"), where));
    NT_TRY(nt_pre_tokenizers_read(&tokenizer->pre_tokenizers, get(file, "pre_tokenizer"), where));
    return nt_decoders_read(&tokenizer->decoders, get(file, "decoder"), where);
}

static int read_file(nt_tokenizer *tokenizer, const nt_sections *sections,
                     const nt_token_config *config) {
    static const char end[] = "<|endoftext|>";
    static const char *const gpt2[NT_ROLES] = {[NT_ROLE_BOS] = end, [NT_ROLE_EOS] = end};
    NT_TRY(nt_read_components(tokenizer, sections));
    NT_TRY(nt_read_model(tokenizer, sections, NULL));
    NT_TRY(nt_read_added(tokenizer, sections));
    NT_TRY(nt_post_read(&tokenizer->post, get(sections->file, "post_processor"),
                        &tokenizer->lexicon, sections->where));
    /* Roles stand in no tokenizer.json; where nobody states them GPT-2's are taken, unless another
     * class is named. */
    bool other = config->class_name && !nt_token_config_is_gpt2(config);
    return nt_apply_roles(tokenizer, config, other ? NULL : gpt2);
}

int nt_tokenizer_read_json(nt_tokenizer *tokenizer, const char *path,
                           const nt_token_config *config) {
    nt_sections sections;
    NT_TRY(nt_sections_read(&sections, path));
    int status = read_file(tokenizer, &sections, config);
    nt_sections_free(&sections);
    return status;
}

int nt_tokenizer_read_bytes(nt_tokenizer *tokenizer, char *bytes, size_t n, const char *where) {
    static const nt_token_config none = {0};
    nt_sections sections;
    NT_TRY(nt_sections_take(&sections, bytes, n, where));
    int status = read_file(tokenizer, &sections, &none);
    nt_sections_free(&sections);
    return status;
}
