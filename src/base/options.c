#include "base/options.h"

#include <string.h>

enum { LARGEST = 4096 }; /* no struct comes near: more is memory that nobody set */

int nt_take_options(void *out, size_t size, const void *given, const char *name) {
    size_t n;
    if (!given) return NT_OK;
    memcpy(&n, given, sizeof n);
    /* a struct that begins with a size_t is as long as some of them; what ends within one would
     * leave half a pointer */
    if (n < sizeof n || n > LARGEST || n % sizeof n != 0) {
        return nt_fail(NT_E_ARGUMENT, "%s: size is %zu; start from its _INIT macro", name, n);
    }
    memcpy(out, given, n < size ? n : size);
    memcpy(out, &size, sizeof size);
    return NT_OK;
}
