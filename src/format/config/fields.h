/* Reading the fields of a config.json, family by family: shared by the files of this folder. Every
 * reader refuses a null where transformers does, and tells the file, the key and the value. */
#ifndef NT_FORMAT_CONFIG_FIELDS_H
#define NT_FORMAT_CONFIG_FIELDS_H

#include "base/json.h"
#include "format/config.h"

enum {
    NT_MAX_V = 1 << 24,
    NT_MAX_T = 1 << 20,
    NT_MAX_D = 1 << 16,
    NT_MAX_F = 1 << 20,
};

/* The file's object and its name. */
typedef struct nt_config_source {
    const json_t *json;
    const char *where;
} nt_config_source;

/* A size under its name or, which wins as in transformers, its alias (NULL: none). */
int nt_config_size(int32_t *out, nt_config_source in, const char *name, const char *alias,
                   int64_t max, int64_t standard);
/* The same where null, as no entry, stands for the standard. */
int nt_config_size_or_null(int32_t *out, nt_config_source in, const char *name, int64_t max,
                           int64_t standard);
int nt_config_flag(bool *out, nt_config_source in, const char *key, bool standard);
int nt_config_epsilon(nt_config *out, nt_config_source in, const char *key, double standard);
int nt_config_activation(nt_config *out, nt_config_source in, const char *key,
                         const char *standard);
/* bos_token_id, pad_token_id and eos_token_id; -1: none. */
int nt_config_roles(nt_config *out, nt_config_source in, int64_t bos, int64_t eos, int64_t pad);

/* E = D / H where both must fit, G = H: `keys` names them in the message ("n_embd", "n_head"). */
int nt_config_heads(nt_config *out, nt_config_source in, const char *width, const char *heads);

/* After nt_config_heads: head_dim, where it is given, for E, and num_key_value_heads for G (the
 * standard where there is no entry, H where it is null); G must divide H. */
int nt_config_shared_heads(nt_config *out, nt_config_source in, int64_t standard);

/* The legacy keys of a family's rotary positions, and what counts where nothing is said. */
typedef struct nt_rotary_keys {
    const char *theta;   /* "rope_theta" */
    const char *partial; /* "rotary_pct"; NULL: the whole head is always turned */
    double partial_standard;
} nt_rotary_keys;

/* rope_parameters, or the older rope_scaling, rope_theta, rotary_pct .. of a family; config.E and T
 * are read before. */
int nt_config_rotary(nt_config *out, nt_config_source in, const nt_rotary_keys *keys);

/* NT_E_UNSUPPORTED when a flag has not the one value that is supported. */
int nt_config_only(nt_config_source in, const char *key, bool supported, bool standard);

int nt_config_gpt2(nt_config *out, nt_config_source in);
int nt_config_gpt_neo(nt_config *out, nt_config_source in);
int nt_config_gpt_neox(nt_config *out, nt_config_source in);
int nt_config_opt(nt_config *out, nt_config_source in);
int nt_config_llama(nt_config *out, nt_config_source in);
int nt_config_qwen2(nt_config *out, nt_config_source in);

#endif
