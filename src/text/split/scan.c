/* Scans: blocks the fast way, single words where that does not reach, ends kept for a caller with
 * little room; and where a text may be cut for two threads. */
#include "text/split/scan.h"

#include <string.h>

#define NT_SCAN_BLOCKS nt_scan_blocks
#include "text/split/scan_block.h"

static bool can_avx2(void) {
#if defined(NT_SCAN_AVX2)
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
           __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt") &&
           __builtin_cpu_supports("lzcnt");
#else
    return false;
#endif
}

static size_t block_by_block(uint32_t *ends, size_t room, bool *slow, nt_scan *scan) {
#if defined(NT_SCAN_AVX2)
    if (scan->wide) return nt_scan_blocks_avx2(ends, room, slow, scan);
#endif
    return nt_scan_blocks(ends, room, slow, scan);
}

void nt_scan_start(nt_scan *scan, nt_scan_kind kind, const char *text, size_t n) {
    scan->kind = kind;
    scan->wide = can_avx2();
    scan->text = text;
    scan->n = n;
    scan->at = scan->block = scan->slowly_until = 0;
    scan->carry = (nt_scan_carry){.first = 1};
    scan->n_waiting = scan->next_waiting = 0;
}

/* From the last word handed out on, one by one, past the block that is not for the fast way. */
static size_t slow_ends(uint32_t *ends, size_t room, nt_scan *scan) {
    size_t out = 0, at = scan->at;
    while (at < scan->slowly_until && out < room) {
        at += nt_scan_word(scan->kind, scan->text + at, scan->n - at);
        ends[out++] = (uint32_t)at;
    }
    scan->block = at;
    scan->carry = (nt_scan_carry){.first = 1};
    return out;
}

static size_t fast_ends(uint32_t *ends, size_t room, nt_scan *scan) {
    if (scan->at < scan->slowly_until) return slow_ends(ends, room, scan);
    bool slow = false;
    size_t out = block_by_block(ends, room, &slow, scan);
    if (slow) {
        size_t end = scan->block + NT_SCAN_BLOCK;
        scan->slowly_until = end < scan->n ? end : scan->n;
    }
    return out;
}

size_t nt_scan_next(uint32_t *ends, size_t room, nt_scan *scan) {
    if (scan->kind == NT_SCAN_NONE || scan->kind == NT_SCAN_WHOLE) {
        if (scan->at == scan->n) return 0;
        ends[0] = (uint32_t)(scan->at = scan->n);
        return 1;
    }
    size_t out = 0;
    if (room >= NT_SCAN_SLOTS && scan->next_waiting == scan->n_waiting) {
        while (out == 0 && scan->at < scan->n) {
            out = fast_ends(ends, room, scan);
            if (out) scan->at = ends[out - 1];
        }
        return out;
    }
    while (out < room) {
        if (scan->next_waiting < scan->n_waiting) {
            scan->at = ends[out++] = scan->waiting[scan->next_waiting++];
        } else if (scan->at < scan->n) {
            scan->n_waiting = fast_ends(scan->waiting, NT_SCAN_SLOTS, scan);
            scan->next_waiting = 0;
        } else {
            break;
        }
    }
    return out;
}

static bool is_letter(char c) {
    return (unsigned char)((c | 0x20) - 'a') < 26;
}

size_t nt_scan_border(const char *text, size_t n, size_t low, size_t high) {
    size_t middle = low + (high > low ? (high - low) / 2 : 0);
    for (size_t away = 0; low + away < high; away++) {
        size_t up = middle + away, down = middle - away;
        if (up < high && up + 1 < n && text[up] == ' ' && is_letter(text[up - 1]) &&
            is_letter(text[up + 1]))
            return up;
        if (away <= middle - low && down + 1 < n && text[down] == ' ' &&
            is_letter(text[down - 1]) && is_letter(text[down + 1]))
            return down;
    }
    return high;
}
