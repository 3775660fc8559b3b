/* A tokenizer from its files, in the forms and readings that there are. Each fills an empty
 * tokenizer up to nt_tokenizer_finish, which is the caller's. */
#ifndef NT_TEXT_READINGS_H
#define NT_TEXT_READINGS_H

#include "text/files/sections.h"
#include "text/files/token_config.h"
#include "text/tokenizer.h"

/* tokenizer.json, as the tokenizers library reads it. */
int nt_tokenizer_read_json(nt_tokenizer *tokenizer, const char *path,
                           const nt_token_config *config);
/* The same from bytes [n] of nt_alloc, which become its own, also on failure; without a
 * configuration. */
int nt_tokenizer_read_bytes(nt_tokenizer *tokenizer, char *bytes, size_t n, const char *where);
/* vocab.json and merges.txt, as transformers' GPT2Tokenizer does. */
int nt_tokenizer_read_pair(nt_tokenizer *tokenizer, const char *folder,
                           const nt_token_config *config);
/* tokenizer.json, as the class of transformers does that AutoTokenizer takes for the folder. */
int nt_tokenizer_read_class(nt_tokenizer *tokenizer, const char *path, const char *folder,
                            const nt_token_config *config);

/* ---- What they share ------------------------------------------------------------------------- */

/* "path: normalizer {...} is not supported" */
int nt_refuse_section(const char *where, const char *section, const json_t *value);

/* How a class makes BPE anew. */
typedef struct nt_bpe_form {
    bool fuse_unk, byte_fallback;
    const char *unk; /* NULL: none */
} nt_bpe_form;

/* All sections of tokenizer.json but "model" and "added_tokens". */
int nt_read_components(nt_tokenizer *tokenizer, const nt_sections *sections);
/* "model"; form (NULL: as the file says) is BPE's of a class. */
int nt_read_model(nt_tokenizer *tokenizer, const nt_sections *sections, const nt_bpe_form *form);
int nt_read_added(nt_tokenizer *tokenizer, const nt_sections *sections);

/* Parts from their JSON as a text; NULL leaves a part as it is. */
int nt_make_parts(nt_tokenizer *tokenizer, const char *normalizer, const char *pre_tokenizer,
                  const char *decoder);
/* ByteLevel as pre-tokenizer and decoder. */
int nt_make_byte_level(nt_tokenizer *tokenizer, bool add_prefix_space);

/* The tokens that the configuration lists: added_tokens_decoder, or else added_tokens.json and,
 * with `sections`, what tokenizer.json lists. */
int nt_add_configured(nt_tokenizer *tokenizer, const char *folder, const nt_token_config *config,
                      const nt_sections *sections);
/* Then those that have a role, and further special ones, in transformers' order, which gives new
 * ones their ids. */
typedef enum nt_special_mode {
    NT_SPECIAL_KNOWN, /* without any configuration, only defaults that the vocabulary has: others
                         would only make an id outside the model */
    NT_SPECIAL_ALL,   /* as transformers does, all of them */
    NT_SPECIAL_ANEW   /* again, without the flags that are stated */
} nt_special_mode;
int nt_add_special(nt_tokenizer *tokenizer, const nt_token_config *config,
                   const char *const defaults[NT_ROLES], nt_special_mode mode);
/* bos, eos and pad; one whose token is in no vocabulary stays -1. */
int nt_apply_roles(nt_tokenizer *tokenizer, const nt_token_config *config,
                   const char *const defaults[NT_ROLES]);
/* BOS and EOS around a text where the configuration's add_bos_token and add_eos_token say so. */
int nt_apply_surround(nt_tokenizer *tokenizer, const nt_token_config *config);

#endif
