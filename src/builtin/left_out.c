#include "builtin/builtin.h"

bool nt_builtin_files(nt_builtin *out) {
    *out = (nt_builtin){{0}, {0}, {0}};
    return false;
}
