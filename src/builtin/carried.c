#include "builtin/builtin.h"

#include <stdint.h>

/* A file, byte by byte. Each begins a page: the tensors then lie as they do in a mapped file. */
#define CARRY(name, path)                                                                          \
    __asm__(".pushsection .rodata\n"                                                               \
            ".balign 4096\n"                                                                       \
            ".globl nt_builtin_" name "\n"                                                         \
            ".hidden nt_builtin_" name "\n"                                                        \
            ".type nt_builtin_" name ", %object\n"                                                 \
            "nt_builtin_" name ":\n"                                                               \
            ".incbin \"" path "\"\n"                                                               \
            ".size nt_builtin_" name ", . - nt_builtin_" name "\n"                                 \
            ".globl nt_builtin_" name "_end\n"                                                     \
            ".hidden nt_builtin_" name "_end\n"                                                    \
            "nt_builtin_" name "_end:\n"                                                           \
            ".popsection\n")

#define CONSTANT extern const unsigned char __attribute__((visibility("hidden")))

CARRY("config", NT_BUILTIN_FOLDER "/config.json");
CARRY("generation", NT_BUILTIN_FOLDER "/generation_config.json");
CARRY("tensors", NT_BUILTIN_FOLDER "/model.safetensors");
CONSTANT nt_builtin_config[], nt_builtin_config_end[];
CONSTANT nt_builtin_generation[], nt_builtin_generation_end[];
CONSTANT nt_builtin_tensors[], nt_builtin_tensors_end[];

static nt_map between(const unsigned char *begin, const unsigned char *end) {
    return (nt_map){begin, (size_t)((uintptr_t)end - (uintptr_t)begin)};
}

bool nt_builtin_files(nt_builtin *out) {
    *out = (nt_builtin){
        .config = between(nt_builtin_config, nt_builtin_config_end),
        .generation = between(nt_builtin_generation, nt_builtin_generation_end),
        .tensors = between(nt_builtin_tensors, nt_builtin_tensors_end),
    };
    return true;
}
