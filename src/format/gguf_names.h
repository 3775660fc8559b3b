/* What llama.cpp calls the tensors of architecture gpt2, and what Hugging Face does. */
#ifndef NT_FORMAT_GGUF_NAMES_H
#define NT_FORMAT_GGUF_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

/* *out: Hugging Face's name of a tensor ("blk.3.attn_qkv.bias" -> "h.3.attn.c_attn.bias"), or the
 * name itself where there is none; it belongs to the arena, as the name must. Errors: MEMORY. */
int nt_gguf_name(const char **out, const char *name, nt_arena *arena);

/* The other way round, into out [n]: false for a name that has none. */
bool nt_gguf_name_of(char *out, size_t n, const char *name);

#endif
