/* A checkpoint of any family: its tensors from a list that the oracle wrote, a line each, "name
 * rows columns p q center" (rows 0: a vector; p / q: the variance), and config.json as it is given.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mkmodel.h"

enum { MOST_TENSORS = 4096 };

static bool read_line(tensor *t, const char *line) {
    char name[96];
    long long rows, columns, p, q, center;
    if (sscanf(line, "%95s %lld %lld %lld %lld %lld", name, &rows, &columns, &p, &q, &center) != 6)
        return false;
    if (rows < 0 || columns < 1 || p < 1 || q < 1) return false;
    memcpy(t->name, name, sizeof name);
    t->n_dims = rows ? 2 : 1;
    t->shape[0] = rows ? rows : columns;
    t->shape[1] = rows ? columns : 0;
    t->multiplier = multiplier_of(p, q);
    t->center = (double)center;
    return true;
}

tensor *listed_tensors(size_t *n, const recipe *r) {
    char line[256];
    FILE *file = fopen(r->list, "r");
    tensor *tensors = calloc(MOST_TENSORS, sizeof *tensors);
    *n = 0;
    while (file && tensors && fgets(line, sizeof line, file)) {
        tensor *t = &tensors[*n];
        if (*n == MOST_TENSORS || !read_line(t, line)) {
            fprintf(stderr, "mkmodel: error: %s: no tensor: %s", r->list, line);
            *n = 0;
            break;
        }
        t->index = (*n)++;
        t->nan = r->nan && strcmp(r->nan, t->name) == 0;
    }
    if (file) fclose(file);
    if (*n) return tensors;
    free(tensors);
    return NULL;
}
