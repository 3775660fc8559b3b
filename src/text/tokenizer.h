/* The tokenizer's insides, and the calls that fill them from files.
 *
 * A text passes through: added tokens (added.h) -> pre-tokenizer (pretokenize_*.h) -> model (bpe.h)
 * -> post-processor (ids before and after); ids come back through the decoder (byte_level.h). */
#ifndef NT_TEXT_TOKENIZER_H
#define NT_TEXT_TOKENIZER_H

#include "base/json.h"
#include "text/vocab/added.h"
#include "text/subword/bpe.h"
#include "text/vocab/lexicon.h"

struct nt_tokenizer {
    nt_lexicon lexicon;
    size_t n_model; /* tokens of the model's own vocabulary, added ones not counted */
    nt_bpe bpe;
    nt_added added;
    bool add_prefix_space;   /* a space before every stretch of text that starts without one */
    bool use_regex;          /* cut words by GPT-2's pattern; else a stretch is one word */
    int32_t *before, *after; /* what the post-processor puts around a text */
    size_t n_before, n_after;
    bool templated;        /* a template filled them */
    int32_t bos, eos, pad; /* -1: none */
};

enum { NT_MAX_TOKENIZER_BYTES = 256 << 20 }; /* largest file that is read */

/* tokenizer_config.json and special_tokens_map.json, where there are any. */
typedef struct nt_token_config {
    json_t *config, *map; /* NULL: no such file */
    char *config_path, *map_path;
    const char *class_name; /* "tokenizer_class"; NULL when none is named */
} nt_token_config;

int nt_token_config_read(nt_token_config *out, const char *folder);
void nt_token_config_free(nt_token_config *config);
bool nt_token_config_is_gpt2(const nt_token_config *config);

/* What the configuration says of one role, such as "bos_token". */
typedef struct nt_role {
    const char *content; /* [n] NULL for none */
    size_t n;
    bool stated;          /* the key is there, if only as null */
    const json_t *object; /* the object with its flags, when it is one */
    const char *where;    /* the file */
} nt_role;
int nt_token_config_role(nt_role *role, const nt_token_config *config, const char *key);

/* bos, eos and pad from the configuration, else "<|endoftext|>" as bos and eos, unless a class
 * other than GPT-2's is named. A role whose token is in no vocabulary stays -1. */
int nt_token_config_apply_roles(nt_tokenizer *tokenizer, const nt_token_config *config);

/* Flags of an added token from its JSON object. strict: every flag must stand there, as in
 * tokenizer.json; else absent ones have AddedToken's defaults. */
int nt_added_flags(nt_added_token *flags, const json_t *object, bool strict, const char *where);

/* Fill an empty tokenizer from tokenizer.json, or from vocab.json and merges.txt. */
int nt_tokenizer_read_json(nt_tokenizer *tokenizer, const char *path,
                           const nt_token_config *config);
int nt_tokenizer_read_pair(nt_tokenizer *tokenizer, const char *folder,
                           const nt_token_config *config);

/* What both forms share: the model's vocabulary from {"token": id} ... */
int nt_read_vocab(nt_tokenizer *tokenizer, const json_t *vocab, const char *where);
/* ... room for n merges ... */
int nt_read_merges_start(nt_tokenizer *tokenizer, size_t n, const char *where);
/* ... and merge number `rank` (from 0) as a line "left right"; number is what to call it. */
int nt_read_merge(nt_tokenizer *tokenizer, const char *line, size_t n, uint32_t rank,
                  const char *where, const char *unit, size_t number);

#endif
