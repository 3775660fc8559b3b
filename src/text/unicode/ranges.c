#include "text/unicode/ranges.h"

#include <stdlib.h>

#include "base/memory.h"

int nt_ranges_add(nt_ranges *ranges, uint32_t low, uint32_t high) {
    NT_TRY(nt_grow((void **)&ranges->list, &ranges->capacity, ranges->n + 1, sizeof(nt_range)));
    ranges->list[ranges->n++] = (nt_range){low, high};
    return NT_OK;
}

int nt_ranges_join(nt_ranges *ranges, const nt_ranges *other) {
    for (size_t i = 0; i < other->n; i++)
        NT_TRY(nt_ranges_add(ranges, other->list[i].low, other->list[i].high));
    return NT_OK;
}

static int by_low(const void *a, const void *b) {
    uint32_t left = ((const nt_range *)a)->low, right = ((const nt_range *)b)->low;
    return (left > right) - (left < right);
}

void nt_ranges_tidy(nt_ranges *ranges) {
    if (ranges->n < 2) return;
    qsort(ranges->list, ranges->n, sizeof(nt_range), by_low);
    size_t n = 1;
    for (size_t i = 1; i < ranges->n; i++) {
        nt_range next = ranges->list[i], *last = &ranges->list[n - 1];
        if (next.low > last->high + 1) {
            ranges->list[n++] = next;
        } else if (next.high > last->high) {
            last->high = next.high;
        }
    }
    ranges->n = n;
}

int nt_ranges_invert(nt_ranges *ranges) {
    nt_ranges out = {0};
    uint32_t low = 0;
    int status = NT_OK;
    for (size_t i = 0; i < ranges->n && status == NT_OK; i++) {
        nt_range range = ranges->list[i];
        if (range.low > low) status = nt_ranges_add(&out, low, range.low - 1);
        low = range.high + 1;
    }
    if (status == NT_OK && low <= NT_MAX_CODE) status = nt_ranges_add(&out, low, NT_MAX_CODE);
    nt_ranges_free(ranges);
    *ranges = out;
    return status;
}

int nt_ranges_intersect(nt_ranges *ranges, const nt_ranges *other) {
    nt_ranges out = {0};
    int status = NT_OK;
    for (size_t i = 0, j = 0; i < ranges->n && j < other->n && status == NT_OK;) {
        nt_range a = ranges->list[i], b = other->list[j];
        uint32_t low = a.low > b.low ? a.low : b.low;
        uint32_t high = a.high < b.high ? a.high : b.high;
        if (low <= high) status = nt_ranges_add(&out, low, high);
        if (a.high < b.high) {
            i++;
        } else {
            j++;
        }
    }
    nt_ranges_free(ranges);
    *ranges = out;
    return status;
}

bool nt_ranges_has(const nt_ranges *ranges, uint32_t code) {
    size_t low = 0, high = ranges->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (code > ranges->list[middle].high) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < ranges->n && code >= ranges->list[low].low;
}

void nt_ranges_free(nt_ranges *ranges) {
    nt_free(ranges->list);
    *ranges = (nt_ranges){0};
}
