/* What products of many rows fetch into L2 while they multiply: the part of w that they pack next,
 * in the order in which it lies in memory. Waiting for it would cost as much as multiplying 25 rows
 * does. Without branches, since a tile is short and each of its loops should end as predicted. */

enum { TILE_STEPS = 4 }; /* of a tile's loop between two lines */

typedef struct ahead {
    const char *row;  /* where its current row begins */
    size_t at, width; /* bytes: in that row, of a row */
    size_t stride;    /* from row to row */
    size_t step;      /* bytes to go each time: never more than a row */
    const char *last; /* its last byte: there it stays */
} ahead;

/* n_rows pieces of memory of `width` bytes (0: nothing), fetched over so many steps of tiles. */
INLINE ahead fetch_later(const void *first, size_t width, size_t n_rows, size_t stride,
                         size_t steps) {
    if (n_rows == 0 || width == 0) return (ahead){.row = first, .width = 1, .last = first};
    size_t step = width * n_rows / (steps / TILE_STEPS + 1) + 1;
    return (ahead){.row = first,
                   .width = width,
                   .stride = stride,
                   .step = step < width ? step : width,
                   .last = (const char *)first + (n_rows - 1) * stride + width - 1};
}

INLINE void fetch_line(ahead *a) {
    const char *p = a->row + a->at;
    __builtin_prefetch(p < a->last ? p : a->last, 0, 2);
    a->at += a->step;
    bool over = a->at >= a->width;
    a->at -= over ? a->width : 0;
    a->row += over ? a->stride : 0;
}
