/* The stylesheets and scripts of pages: files of this folder, inside the program. */
#include <stdint.h>

#include "view/page/figures.h"

#define PART(name, file)                                                                           \
    __asm__(".pushsection .rodata\n"                                                               \
            ".globl nt_part_" #name "\n.hidden nt_part_" #name "\n"                                \
            "nt_part_" #name ":\n.incbin \"" NT_PAGE_FOLDER "/" file "\"\n"                        \
            ".globl nt_part_" #name "_end\n.hidden nt_part_" #name "_end\n"                        \
            "nt_part_" #name "_end:\n.popsection\n");                                              \
    extern const char __attribute__((visibility("hidden"))) nt_part_##name[],                      \
        nt_part_##name##_end[];                                                                    \
    nt_page_part nt_page_##name(void) {                                                            \
        uintptr_t begin = (uintptr_t)nt_part_##name, end = (uintptr_t)nt_part_##name##_end;        \
        return (nt_page_part){nt_part_##name, (size_t)(end - begin)};                              \
    }

PART(style, "page.css")
PART(script, "page.js")
PART(heat_style, "heat.css")
PART(heat, "heat.js")
PART(strip_style, "strip.css")
PART(strip, "strip.js")
PART(warp, "warp.js")
PART(tree_style, "tree.css")
PART(tree, "tree.js")
PART(tree_layout, "tree_layout.js")
PART(inside_style, "inside.css")
PART(inside, "inside.js")
PART(versus_style, "versus.css")
