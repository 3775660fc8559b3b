#include "format/gguf_names.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { MAX_PLACE = 64 }; /* longest name that is made */

typedef struct pair {
    const char *gguf, *hugging_face;
} pair;

static const pair globals[] = {
    {"token_embd.weight", "wte.weight"},   {"position_embd.weight", "wpe.weight"},
    {"output_norm.weight", "ln_f.weight"}, {"output_norm.bias", "ln_f.bias"},
    {"output.weight", "lm_head.weight"},
};

/* Behind "blk.N." and "h.N.". */
static const pair blocks[] = {
    {"attn_norm.weight", "ln_1.weight"},          {"attn_norm.bias", "ln_1.bias"},
    {"attn_qkv.weight", "attn.c_attn.weight"},    {"attn_qkv.bias", "attn.c_attn.bias"},
    {"attn_output.weight", "attn.c_proj.weight"}, {"attn_output.bias", "attn.c_proj.bias"},
    {"ffn_norm.weight", "ln_2.weight"},           {"ffn_norm.bias", "ln_2.bias"},
    {"ffn_up.weight", "mlp.c_fc.weight"},         {"ffn_up.bias", "mlp.c_fc.bias"},
    {"ffn_down.weight", "mlp.c_proj.weight"},     {"ffn_down.bias", "mlp.c_proj.bias"},
};

enum { N_GLOBALS = sizeof globals / sizeof *globals, N_BLOCKS = sizeof blocks / sizeof *blocks };

/* Where the digits behind a prefix end at a point; NULL where there are none. */
static const char *after_number(const char *name, const char *prefix) {
    size_t n = strlen(prefix), digits;
    if (strncmp(name, prefix, n) != 0) return NULL;
    digits = strspn(name + n, "0123456789");
    return digits > 0 && name[n + digits] == '.' ? name + n + digits + 1 : NULL;
}

int nt_gguf_name(const char **out, const char *name, nt_arena *arena) {
    *out = name;
    for (size_t i = 0; i < N_GLOBALS; i++) {
        if (strcmp(name, globals[i].gguf) == 0) *out = globals[i].hugging_face;
    }
    const char *rest = after_number(name, "blk.");
    for (size_t i = 0; rest && i < N_BLOCKS; i++) {
        if (strcmp(rest, blocks[i].gguf) != 0) continue;
        char made[2 * MAX_PLACE];
        int n = snprintf(made, sizeof made, "h.%.*s%s", (int)(rest - name) - 4, name + 4,
                         blocks[i].hugging_face);
        *out = nt_arena_copy(arena, made, (size_t)n);
    }
    return *out ? NT_OK : NT_E_MEMORY;
}

bool nt_gguf_name_of(char *out, size_t n, const char *name) {
    for (size_t i = 0; i < N_GLOBALS; i++) {
        if (strcmp(name, globals[i].hugging_face) == 0)
            return snprintf(out, n, "%s", globals[i].gguf) < (int)n;
    }
    const char *rest = after_number(name, "h.");
    for (size_t i = 0; rest && i < N_BLOCKS; i++) {
        if (strcmp(rest, blocks[i].hugging_face) == 0) {
            return snprintf(out, n, "blk.%.*s%s", (int)(rest - name) - 2, name + 2,
                            blocks[i].gguf) < (int)n;
        }
    }
    return false;
}
