/* tokenizer_config.json and special_tokens_map.json, where there are any: which tokens have a role,
 * and which class of transformers the folder was made for. */
#ifndef NT_TEXT_TOKEN_CONFIG_H
#define NT_TEXT_TOKEN_CONFIG_H

#include "base/json.h"
#include "text/vocab/added.h"

typedef struct nt_token_config {
    json_t *config, *map; /* NULL: no such file */
    char *config_path, *map_path;
    const char *class_name; /* "tokenizer_class"; NULL when none is named */
} nt_token_config;

int nt_token_config_read(nt_token_config *out, const char *folder);
void nt_token_config_free(nt_token_config *config);
bool nt_token_config_is_gpt2(const nt_token_config *config);

/* Reads folder/name, a JSON object, when it is there; *path is its name, for nt_free. */
int nt_config_file(json_t **out, char **path, const char *folder, const char *name);

/* The roles of transformers, in its order. */
typedef enum nt_role_name {
    NT_ROLE_BOS,
    NT_ROLE_EOS,
    NT_ROLE_UNK,
    NT_ROLE_SEP,
    NT_ROLE_PAD,
    NT_ROLE_CLS,
    NT_ROLE_MASK,
    NT_ROLES
} nt_role_name;

/* What the configuration says of a role. */
typedef struct nt_role {
    const char *content; /* [n] NULL for none */
    size_t n;
    bool stated;          /* the key is there, if only as null */
    const json_t *object; /* the object with its flags, when it is one */
    const char *where;    /* the file; NULL: a class's default */
} nt_role;

/* defaults (NULL: none) are what the class has where nothing is stated. */
int nt_token_config_role(nt_role *role, const nt_token_config *config, nt_role_name name,
                         const char *const defaults[NT_ROLES]);
/* The same of any key that may hold a token. */
int nt_token_config_value(nt_role *role, const json_t *value, const char *key, const char *where);

/* Flags of an added token from its JSON object. strict: every flag must stand there, as in
 * tokenizer.json; else absent ones have AddedToken's defaults. */
int nt_added_flags(nt_added_token *flags, const json_t *object, bool strict, const char *where);

#endif
