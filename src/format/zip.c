/* Reads a zip file from its end: end record, directory, and each member's own header. All numbers
 * come from the file; sums are made so that they cannot overflow. */
#include "format/zip.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    END_BYTES = 22,
    LOCATOR_BYTES = 20,
    END64_BYTES = 56,
    ENTRY_BYTES = 46,
    LOCAL_BYTES = 30,
    MAX_COMMENT = 65535,
    ZIP64_FIELD = 1
};

/* The file that is read. */
typedef struct source {
    const unsigned char *bytes; /* [n] */
    uint64_t n;
    const char *file;
} source;

/* The directory's entries lie in [begin, end). */
typedef struct directory {
    uint64_t begin, end, n_entries;
} directory;

static uint64_t number(const unsigned char *at, size_t n_bytes) {
    uint64_t value = 0;
    while (n_bytes-- > 0)
        value = value << 8 | at[n_bytes];
    return value;
}

static bool is_signature(source in, uint64_t at, uint64_t n_bytes, uint32_t signature) {
    return at <= in.n && in.n - at >= n_bytes && number(in.bytes + at, 4) == signature;
}

static int fail_cut(source in) {
    return nt_fail(NT_E_FORMAT,
                   "%.400s begins as a zip file and has no directory at its end: it is cut short, "
                   "fetch it again",
                   in.file);
}

static int fail_broken(source in, const char *what) {
    return nt_fail(NT_E_FORMAT, "%.400s: a broken zip file: %s", in.file, what);
}

/* Where the end record begins: the last place with its signature whose comment fills the rest. */
static int find_end(uint64_t *out, source in) {
    uint64_t most = in.n < END_BYTES ? 0 : in.n - END_BYTES;
    uint64_t least = most > MAX_COMMENT ? most - MAX_COMMENT : 0;
    for (uint64_t at = most + 1; at-- > least;) {
        if (!is_signature(in, at, END_BYTES, 0x06054b50)) continue;
        if (number(in.bytes + at + 20, 2) != in.n - at - END_BYTES) continue;
        *out = at;
        return NT_OK;
    }
    return fail_cut(in);
}

static int read_end(directory *out, source in) {
    uint64_t end = 0;
    NT_TRY(find_end(&end, in));
    const unsigned char *at = in.bytes + end;
    uint64_t n_bytes = number(at + 12, 4);
    *out = (directory){.begin = number(at + 16, 4), .n_entries = number(at + 10, 2), .end = end};
    bool disks = number(at + 4, 2) != 0 || number(at + 6, 2) != 0;
    if (end >= LOCATOR_BYTES && is_signature(in, end - LOCATOR_BYTES, LOCATOR_BYTES, 0x07064b50)) {
        uint64_t end64 = number(at - LOCATOR_BYTES + 8, 8);
        if (end64 >= end || !is_signature(in, end64, END64_BYTES, 0x06064b50))
            return fail_broken(in, "its zip64 record is not where it should be");
        at = in.bytes + end64;
        disks = number(at + 16, 4) != 0 || number(at + 20, 4) != 0;
        n_bytes = number(at + 40, 8);
        *out =
            (directory){.begin = number(at + 48, 8), .n_entries = number(at + 32, 8), .end = end64};
    }
    if (disks) return fail_broken(in, "it is one of several parts");
    if (n_bytes > out->end || out->begin != out->end - n_bytes)
        return fail_broken(in, "its directory is not where it should be");
    return NT_OK;
}

/* Sizes and place that did not fit 32 bits, from the entry's zip64 field [n]. */
static bool read_zip64(uint64_t *values[3], const unsigned char *extra, uint64_t n) {
    while (n >= 4) {
        uint64_t n_field = number(extra + 2, 2);
        if (n_field > n - 4) return false;
        if (number(extra, 2) == ZIP64_FIELD) {
            extra += 4;
            for (int i = 0; i < 3; i++) {
                if (*values[i] != UINT32_MAX) continue;
                if (n_field < 8) return false;
                *values[i] = number(extra, 8);
                extra += 8;
                n_field -= 8;
            }
            return true;
        }
        extra += 4 + n_field;
        n -= 4 + n_field;
    }
    return true;
}

/* Finds the member's bytes behind its own header at `local`. */
static int place_member(nt_zip_member *member, source in, uint64_t local, uint64_t directory_at) {
    if (local > directory_at || directory_at - local < LOCAL_BYTES ||
        number(in.bytes + local, 4) != 0x04034b50)
        return fail_broken(in, "a member is not where the directory says");
    const unsigned char *header = in.bytes + local;
    uint64_t skip = LOCAL_BYTES + number(header + 26, 2) + number(header + 28, 2);
    uint64_t room = directory_at - local;
    if (skip > room || member->n > room - skip)
        return fail_broken(in, "a member reaches beyond the directory");
    member->data = header + skip;
    return NT_OK;
}

/* The entry at *at, which moves on. */
static int read_entry(nt_zip_member *out, uint64_t *at, source in, directory where) {
    if (where.end - *at < ENTRY_BYTES || number(in.bytes + *at, 4) != 0x02014b50)
        return fail_broken(in, "its directory ends early");
    const unsigned char *entry = in.bytes + *at;
    uint64_t n_name = number(entry + 28, 2), n_extra = number(entry + 30, 2);
    uint64_t n_entry = ENTRY_BYTES + n_name + n_extra + number(entry + 32, 2);
    if (n_entry > where.end - *at) return fail_broken(in, "its directory ends early");
    *at += n_entry;
    *out = (nt_zip_member){.name = (const char *)entry + ENTRY_BYTES, .n_name = (size_t)n_name};
    uint64_t flags = number(entry + 8, 2), method = number(entry + 10, 2);
    uint64_t packed = number(entry + 20, 4), local = number(entry + 42, 4);
    out->n = number(entry + 24, 4);
    uint64_t *values[3] = {&out->n, &packed, &local};
    if (!read_zip64(values, entry + ENTRY_BYTES + n_name, n_extra))
        return fail_broken(in, "a zip64 field is cut short");
    if (flags & 1)
        out->why = "is encrypted";
    else if (method != 0)
        out->why = "is compressed";
    if (out->why) return NT_OK;
    if (packed != out->n) return fail_broken(in, "a stored member has two sizes");
    return place_member(out, in, local, where.begin);
}

static int compare_names(const char *a, size_t n_a, const char *b, size_t n_b) {
    int order = memcmp(a, b, n_a < n_b ? n_a : n_b);
    return order ? order : (n_a > n_b) - (n_a < n_b);
}

static int by_name(const void *a, const void *b) {
    const nt_zip_member *left = a, *right = b;
    return compare_names(left->name, left->n_name, right->name, right->n_name);
}

/* In order of name, keeping hold of the first. */
static int sort_members(nt_zip *zip, source in) {
    if (zip->n == 0) return NT_OK;
    const nt_zip_member first = zip->members[0];
    qsort(zip->members, zip->n, sizeof *zip->members, by_name);
    for (size_t i = 1; i < zip->n; i++) {
        const nt_zip_member *member = &zip->members[i];
        if (by_name(member - 1, member) == 0) {
            return nt_fail(NT_E_FORMAT, "%.400s: a broken zip file: it has two members %.*s",
                           in.file, (int)(member->n_name < 200 ? member->n_name : 200),
                           member->name);
        }
    }
    zip->first = nt_zip_find(zip, first.name, first.n_name);
    return NT_OK;
}

int nt_zip_read(nt_zip *out, nt_arena *arena, const unsigned char *bytes, size_t n,
                const char *file) {
    source in = {bytes, n, file};
    directory where;
    *out = (nt_zip){0};
    NT_TRY(read_end(&where, in));
    if (where.n_entries > (where.end - where.begin) / ENTRY_BYTES)
        return fail_broken(in, "its directory ends early");
    nt_zip_member *members = nt_arena_alloc(arena, (size_t)where.n_entries, sizeof *members);
    if (!members) return NT_E_MEMORY;
    uint64_t at = where.begin;
    for (uint64_t i = 0; i < where.n_entries; i++)
        NT_TRY(read_entry(&members[i], &at, in, where));
    if (at != where.end) return fail_broken(in, "its directory has more than it counts");
    *out = (nt_zip){.members = members, .n = (size_t)where.n_entries};
    return sort_members(out, in);
}

const nt_zip_member *nt_zip_find(const nt_zip *zip, const char *name, size_t n_name) {
    size_t low = 0, high = zip->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const nt_zip_member *member = &zip->members[middle];
        int order = compare_names(name, n_name, member->name, member->n_name);
        if (order == 0) return member;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}
