#include "text/files/show.h"

#include <string.h>

enum { MOST = NT_SHOWN - 4 }; /* bytes of the value */

typedef struct sink {
    char *out;
    size_t n; /* may pass MOST */
} sink;

/* Unlike json_dumpb, which leaves out whole pieces that do not fit and writes what comes behind
 * them, so that there are bytes between that nobody wrote. */
static int take(const char *bytes, size_t n, void *payload) {
    sink *to = payload;
    size_t room = to->n < MOST ? MOST - to->n : 0;
    memcpy(to->out + (to->n < MOST ? to->n : MOST), bytes, n < room ? n : room);
    to->n += n;
    return to->n > MOST ? -1 : 0; /* the rest need not be made */
}

void nt_show(char out[NT_SHOWN], const json_t *value) {
    sink to = {out, 0};
    if (!value) {
        strcpy(out, "null");
        return;
    }
    json_dump_callback(value, take, &to, JSON_COMPACT | JSON_ENCODE_ANY);
    if (to.n > MOST)
        strcpy(out + MOST, "...");
    else
        out[to.n] = 0;
}
