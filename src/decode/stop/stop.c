/* Stop strings as one Aho-Corasick automaton over bytes: each byte is read once, however many
 * strings there are and however long they are. */
#include "decode/stop/stop.h"

#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "base/utf8.h"

/* A node is a beginning of some stop string; node 0 is the empty one. */
typedef struct nt_node {
    int32_t child, sibling; /* first longer beginning; next one of the same parent; 0: none */
    int32_t shorter;        /* the longest proper suffix of this node that is a node */
    int32_t depth;          /* bytes */
    int32_t whole;          /* longest stop string that ends here, 0: none */
    int32_t open;           /* longest suffix, itself included, that can still grow */
    unsigned char byte;     /* its last */
} nt_node;

struct nt_stop {
    nt_node *nodes;
    int32_t n_nodes;
    int32_t first[256]; /* children of node 0, where most bytes are read */
};

static int32_t child_of(const nt_stop *stop, int32_t node, unsigned char byte) {
    if (node == 0) return stop->first[byte];
    int32_t child = stop->nodes[node].child;
    while (child && stop->nodes[child].byte != byte)
        child = stop->nodes[child].sibling;
    return child;
}

static int32_t next_node(const nt_stop *stop, int32_t node, unsigned char byte) {
    int32_t next = child_of(stop, node, byte);
    while (!next && node) {
        node = stop->nodes[node].shorter;
        next = child_of(stop, node, byte);
    }
    return next;
}

static void add_string(nt_stop *stop, const char *string, size_t n) {
    int32_t node = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned char byte = (unsigned char)string[i];
        int32_t child = child_of(stop, node, byte);
        if (!child) {
            child = stop->n_nodes++;
            stop->nodes[child] = (nt_node){.sibling = stop->nodes[node].child,
                                           .depth = stop->nodes[node].depth + 1,
                                           .byte = byte};
            stop->nodes[node].child = child;
            if (node == 0) stop->first[byte] = child;
        }
        node = child;
    }
    stop->nodes[node].whole = (int32_t)n;
}

/* Fills shorter, whole and open, parents and shorter nodes before longer ones. queue [n_nodes]. */
static void link_nodes(nt_stop *stop, int32_t *queue) {
    nt_node *nodes = stop->nodes;
    int32_t n = 0;
    queue[n++] = 0;
    for (int32_t i = 0; i < n; i++) {
        int32_t node = queue[i];
        for (int32_t child = nodes[node].child; child; child = nodes[child].sibling) {
            queue[n++] = child;
            if (node)
                nodes[child].shorter = next_node(stop, nodes[node].shorter, nodes[child].byte);
            const nt_node *shorter = &nodes[nodes[child].shorter];
            if (!nodes[child].whole) nodes[child].whole = shorter->whole;
            nodes[child].open = nodes[child].child ? nodes[child].depth : shorter->open;
        }
    }
}

static int check_strings(size_t *total, const char *const *strings, size_t n) {
    *total = 0;
    for (size_t i = 0; i < n; i++) {
        size_t length = strings[i] ? strlen(strings[i]) : 0;
        if (length == 0)
            return nt_fail(NT_E_ARGUMENT, "stop string %zu is empty: it would stop at once", i + 1);
        size_t good = nt_utf8_check(strings[i], length);
        if (good < length) {
            return nt_fail(NT_E_ARGUMENT, "stop string %zu is not UTF-8: byte %zu", i + 1, good);
        }
        *total += length;
        if (*total >= INT32_MAX) {
            return nt_fail(NT_E_ARGUMENT, "the stop strings are longer than %d bytes together",
                           INT32_MAX);
        }
    }
    return NT_OK;
}

int nt_stop_new(nt_stop **out, const char *const *strings, size_t n) {
    size_t total;
    *out = NULL;
    NT_TRY(check_strings(&total, strings, n));
    nt_stop *stop = nt_alloc(1, sizeof *stop);
    if (!stop) return NT_E_MEMORY;
    stop->nodes = nt_alloc(total + 1, sizeof *stop->nodes);
    int32_t *queue = stop->nodes ? nt_alloc(total + 1, sizeof *queue) : NULL;
    if (!queue) {
        nt_stop_free(stop);
        return NT_E_MEMORY;
    }
    stop->n_nodes = 1;
    for (size_t i = 0; i < n; i++)
        add_string(stop, strings[i], strlen(strings[i]));
    link_nodes(stop, queue);
    nt_free(queue);
    *out = stop;
    return NT_OK;
}

void nt_stop_free(nt_stop *stop) {
    if (!stop) return;
    nt_free(stop->nodes);
    nt_free(stop);
}

/* A place is the longest suffix of all bytes so far that is a node. */
size_t nt_stop_put(int32_t *at, const nt_stop *stop, const char *bytes, size_t n) {
    size_t cut = 0;
    for (size_t i = 0; i < n; i++) {
        *at = next_node(stop, *at, (unsigned char)bytes[i]);
        size_t whole = (size_t)stop->nodes[*at].whole;
        if (!whole) continue;
        size_t begins = whole + (n - 1 - i); /* so many bytes before the end */
        if (begins > cut) cut = begins;
    }
    return cut;
}

size_t nt_stop_held(const nt_stop *stop, int32_t at) {
    return (size_t)stop->nodes[at].open;
}
