/* Writes .npz: each array is a .npy member of a zip file, stored. All sizes and places are known
 * beforehand, so that numbers may come in any order; checksums are joined from those of the pieces
 * when all are there, and no byte is read back. */
#include "format/npz.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <zlib.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/memory.h"

enum {
    LOCAL_BYTES = 30, /* of a local header, before the name */
    UTF8_NAME = 1 << 11,
    VERSION = 20,
    VERSION_ZIP64 = 45,
    DATE = 1 << 5 | 1, /* 1980-01-01: equal arrays give equal files */
    EXTRA_LOCAL = 20,
    EXTRA_CENTRAL = 28
};

static const uint64_t zip64_default = UINT32_MAX;

typedef struct member {
    const nt_npz_array *array;
    nt_buffer head;    /* the .npy header */
    uint64_t n_data;   /* bytes of the array */
    uint64_t size;     /* bytes of the member */
    uint64_t at, body; /* where its local header and its numbers begin */
    uint32_t crc;
    int flags;
    bool wide; /* zip64 */
} member;

/* Bytes [from, to) of a member's array, written in order. */
typedef struct strand {
    size_t member;
    uint64_t from, to;
    uint32_t crc;
} strand;

struct nt_npz {
    const char *path;
    const nt_npz_array *arrays; /* [n] */
    member *members;            /* [n] */
    size_t n;
    uint64_t zip64_from;
    int (*fill)(void *payload, nt_npz *npz);
    void *payload;
    int fd;
    uint64_t directory_at;
    strand *strands;
    size_t n_strands, capacity_strands, last; /* last: the one that grew last */
};

static void put_number(nt_buffer *out, uint64_t value, size_t n_bytes) {
    for (size_t i = 0; i < n_bytes; i++)
        nt_buffer_putc(out, (char)(value >> 8 * i & 0xFF));
}

/* ---- Bytes to the file ---------------------------------------------------------------------- */

static int fail_writing(const nt_npz *npz) {
    int reason = errno;
    struct statvfs disk;
    char room[64] = "";
    if ((reason == ENOSPC || reason == EDQUOT) && fstatvfs(npz->fd, &disk) == 0)
        snprintf(room, sizeof room, "; %llu are free",
                 (unsigned long long)disk.f_bavail * disk.f_frsize);
    return nt_fail(NT_E_IO, "cannot write %.600s (%llu bytes%s): %s", npz->path,
                   (unsigned long long)npz->directory_at, room, strerror(reason));
}

/* So that a disk that is too small is told before the work, not after it. Where the system cannot
 * reserve, the free room is at least looked at. */
static int reserve(const nt_npz *npz) {
    if (npz->directory_at == 0) return NT_OK;
    while (fallocate(npz->fd, 0, 0, (off_t)npz->directory_at) != 0) {
        if (errno == EINTR) continue;
        if (errno != EOPNOTSUPP && errno != ENOSYS) return fail_writing(npz);
        struct statvfs disk;
        if (fstatvfs(npz->fd, &disk) != 0 ||
            (uint64_t)disk.f_bavail * disk.f_frsize >= npz->directory_at)
            return NT_OK;
        errno = ENOSPC;
        return fail_writing(npz);
    }
    return NT_OK;
}

static int write_at(const nt_npz *npz, uint64_t at, const void *bytes, size_t n) {
    const char *next = bytes;
    while (n > 0) {
        ssize_t some = pwrite(npz->fd, next, n, (off_t)at);
        if (some < 0 && errno == EINTR) continue;
        if (some < 0) return fail_writing(npz);
        next += some;
        at += (uint64_t)some;
        n -= (size_t)some;
    }
    return NT_OK;
}

static int write_buffer(const nt_npz *npz, uint64_t at, const nt_buffer *buffer) {
    NT_TRY(buffer->status);
    return write_at(npz, at, buffer->data, buffer->n);
}

/* ---- Members: where they lie and how they are told of ---------------------------------------- */

/* .npy, version 1.0: the data begins on a multiple of 64 bytes. */
static void put_npy_head(nt_buffer *out, const nt_npz_array *array) {
    nt_buffer text = {0};
    nt_buffer_puts(&text, "{'descr': '<f4', 'fortran_order': False, 'shape': (");
    for (size_t i = 0; i < array->n_dims; i++)
        nt_buffer_printf(&text, array->n_dims == 1 ? "%zu," : i ? ", %zu" : "%zu", array->shape[i]);
    nt_buffer_puts(&text, "), }");
    enum { PREFIX = 10 };
    while ((PREFIX + text.n + 1) % 64 && text.status == NT_OK)
        nt_buffer_putc(&text, ' ');
    nt_buffer_putc(&text, '\n');
    if (text.status == NT_OK) {
        nt_buffer_put(out, "\x93NUMPY\x01\x00", 8);
        put_number(out, text.n, 2);
        nt_buffer_put(out, text.data, text.n);
    } else {
        out->status = text.status;
    }
    nt_buffer_free(&text);
}

/* Sizes as 32 bits, or the mark that the zip64 field has them. */
static uint64_t narrow(const member *it, uint64_t value) {
    return it->wide ? UINT32_MAX : value;
}

/* What local header and central directory share, from the version needed to the name's length. */
static void put_common(nt_buffer *out, const member *it, size_t n_name) {
    put_number(out, it->wide ? VERSION_ZIP64 : VERSION, 2);
    put_number(out, (uint64_t)it->flags, 2);
    put_number(out, 0, 2); /* stored */
    put_number(out, 0, 2); /* midnight */
    put_number(out, DATE, 2);
    put_number(out, it->crc, 4);
    put_number(out, narrow(it, it->size), 4); /* packed */
    put_number(out, narrow(it, it->size), 4); /* plain */
    put_number(out, n_name, 2);
}

static size_t name_length(const member *it) {
    return strlen(it->array->name) + strlen(".npy");
}

static void put_name(nt_buffer *out, const member *it) {
    nt_buffer_puts(out, it->array->name);
    nt_buffer_puts(out, ".npy");
}

/* The local header and the .npy header behind it. */
static void put_local_header(nt_buffer *out, const member *it) {
    nt_buffer_put(out, "PK\x03\x04", 4);
    put_common(out, it, name_length(it));
    put_number(out, it->wide ? EXTRA_LOCAL : 0, 2);
    put_name(out, it);
    if (it->wide) {
        put_number(out, 1, 2);
        put_number(out, EXTRA_LOCAL - 4, 2);
        put_number(out, it->size, 8);
        put_number(out, it->size, 8);
    }
    nt_buffer_put(out, it->head.data, it->head.n);
}

static void put_directory_entry(nt_buffer *out, const member *it) {
    nt_buffer_put(out, "PK\x01\x02", 4);
    put_number(out, (3 << 8) | (it->wide ? VERSION_ZIP64 : VERSION), 2); /* made on Unix */
    put_common(out, it, name_length(it));
    put_number(out, it->wide ? EXTRA_CENTRAL : 0, 2);
    put_number(out, 0, 2);                       /* comment */
    put_number(out, 0, 2);                       /* disk */
    put_number(out, 0, 2);                       /* internal attributes */
    put_number(out, (uint64_t)0100644 << 16, 4); /* a file, rw-r--r-- */
    put_number(out, narrow(it, it->at), 4);
    put_name(out, it);
    if (it->wide) {
        put_number(out, 1, 2);
        put_number(out, EXTRA_CENTRAL - 4, 2);
        put_number(out, it->size, 8);
        put_number(out, it->size, 8);
        put_number(out, it->at, 8);
    }
}

/* The records that close the file: where the directory is and how many members it has. */
static void put_end(nt_buffer *out, const nt_npz *npz) {
    uint64_t start = npz->directory_at, size = out->n, n = npz->n, zip64_at = start + size;
    bool wide = n >= UINT16_MAX || start >= npz->zip64_from || size >= npz->zip64_from;
    if (wide) {
        nt_buffer_put(out, "PK\x06\x06", 4);
        put_number(out, 44, 8); /* bytes of this record that follow */
        put_number(out, 3 << 8 | VERSION_ZIP64, 2);
        put_number(out, VERSION_ZIP64, 2);
        put_number(out, 0, 8); /* disks */
        put_number(out, n, 8);
        put_number(out, n, 8);
        put_number(out, size, 8);
        put_number(out, start, 8);
        nt_buffer_put(out, "PK\x06\x07", 4);
        put_number(out, 0, 4);
        put_number(out, zip64_at, 8);
        put_number(out, 1, 4);
    }
    nt_buffer_put(out, "PK\x05\x06", 4);
    put_number(out, 0, 4); /* disks */
    put_number(out, wide ? UINT16_MAX : n, 2);
    put_number(out, wide ? UINT16_MAX : n, 2);
    put_number(out, wide ? UINT32_MAX : size, 4);
    put_number(out, wide ? UINT32_MAX : start, 4);
    put_number(out, 0, 2); /* comment */
}

/* Fills in a member that begins at byte `at`. */
static int place_member(member *it, const nt_npz *npz, uint64_t at) {
    const nt_npz_array *array = it->array;
    if (array->n_dims > 4 || strlen(array->name) > 1000) {
        return nt_fail(NT_E_ARGUMENT,
                       "array %.100s: a name of at most 1000 bytes and at most 4 "
                       "dimensions can be written",
                       array->name);
    }
    it->n_data = sizeof *array->data;
    bool vast = false;
    for (size_t i = 0; i < array->n_dims; i++)
        vast |= __builtin_mul_overflow(it->n_data, array->shape[i], &it->n_data);
    for (const char *c = array->name; *c; c++)
        if ((unsigned char)*c >= 0x80) it->flags = UTF8_NAME;
    put_npy_head(&it->head, array);
    NT_TRY(it->head.status);
    vast |= __builtin_add_overflow(it->n_data, it->head.n, &it->size);
    it->at = at;
    it->wide = it->size >= npz->zip64_from || at >= npz->zip64_from;
    size_t before = LOCAL_BYTES + name_length(it) + (it->wide ? EXTRA_LOCAL : 0) + it->head.n;
    vast |= __builtin_add_overflow(at, before, &it->body);
    if (vast || it->body > INT64_MAX || it->n_data > INT64_MAX - it->body)
        return nt_fail(NT_E_ARGUMENT, "array %.100s: its shape overflows", array->name);
    return NT_OK;
}

/* ---- Strands -------------------------------------------------------------------------------- */

/* The strand that ends at byte `at` of member i, or a new one. Strands that grow side by side take
 * turns, so that the next is mostly the one that grew last or the one after it. */
static int strand_at(strand **out, nt_npz *npz, size_t i, uint64_t at) {
    for (size_t k = 0; k < npz->n_strands; k++) {
        size_t which = (npz->last + k) % npz->n_strands;
        *out = &npz->strands[which];
        if ((*out)->member != i || (*out)->to != at) continue;
        npz->last = which;
        return NT_OK;
    }
    void *strands = npz->strands;
    int status = nt_grow(&strands, &npz->capacity_strands, npz->n_strands + 1, sizeof **out);
    npz->strands = strands;
    NT_TRY(status);
    npz->last = npz->n_strands++;
    *out = &npz->strands[npz->last];
    **out = (strand){.member = i, .from = at, .to = at};
    return NT_OK;
}

int nt_npz_put(nt_npz *npz, size_t i, size_t offset, const float *values, size_t n) {
    if (n == 0) return NT_OK;
    size_t most = i < npz->n ? (size_t)npz->members[i].n_data / sizeof *values : 0;
    if (offset > most || n > most - offset) {
        return nt_fail(NT_E_ARGUMENT, "numbers %zu to %zu lie outside array %zu of %.600s", offset,
                       offset + n, i, npz->path);
    }
    strand *it;
    uint64_t at = (uint64_t)offset * sizeof *values;
    NT_TRY(strand_at(&it, npz, i, at));
    NT_TRY(write_at(npz, npz->members[i].body + at, values, n * sizeof *values));
    it->crc = (uint32_t)crc32_z(it->crc, (const Bytef *)values, n * sizeof *values);
    it->to += n * sizeof *values;
    return NT_OK;
}

static int by_place(const void *a, const void *b) {
    const strand *x = a, *y = b;
    if (x->member != y->member) return x->member < y->member ? -1 : 1;
    return x->from < y->from ? -1 : x->from > y->from;
}

static uint32_t crc_of_zeros(uint32_t crc, uint64_t n) {
    static const unsigned char zeros[4096];
    for (size_t some; n > 0; n -= some) {
        some = n < sizeof zeros ? (size_t)n : sizeof zeros;
        crc = (uint32_t)crc32_z(crc, zeros, some);
    }
    return crc;
}

/* The checksum of member i from those of its strands, the first of which is *it; *it moves on. */
static int join_strands(nt_npz *npz, size_t i, const strand **it) {
    member *m = &npz->members[i];
    uint32_t crc = (uint32_t)crc32_z(0, (const Bytef *)m->head.data, m->head.n);
    uint64_t at = 0;
    for (; *it < npz->strands + npz->n_strands && (*it)->member == i; ++*it) {
        if ((*it)->from < at)
            return nt_fail(NT_E_ARGUMENT, "array %.100s: a number was put twice", m->array->name);
        crc = crc_of_zeros(crc, (*it)->from - at);
        crc = (uint32_t)crc32_combine(crc, (*it)->crc, (z_off_t)((*it)->to - (*it)->from));
        at = (*it)->to;
    }
    m->crc = crc_of_zeros(crc, m->n_data - at);
    return NT_OK;
}

/* ---- The file ------------------------------------------------------------------------------- */

/* All that stands around the numbers. */
static int write_frame(nt_npz *npz) {
    nt_buffer text = {0};
    int status = NT_OK;
    if (npz->n_strands) qsort(npz->strands, npz->n_strands, sizeof *npz->strands, by_place);
    const strand *next = npz->strands;
    for (size_t i = 0; i < npz->n && status == NT_OK; i++) {
        nt_buffer_clear(&text);
        status = join_strands(npz, i, &next);
        put_local_header(&text, &npz->members[i]);
        if (status == NT_OK) status = write_buffer(npz, npz->members[i].at, &text);
    }
    nt_buffer_clear(&text);
    for (size_t i = 0; i < npz->n; i++)
        put_directory_entry(&text, &npz->members[i]);
    put_end(&text, npz);
    if (status == NT_OK) status = write_buffer(npz, npz->directory_at, &text);
    nt_buffer_free(&text);
    return status;
}

static int fill_file(void *payload, int fd) {
    nt_npz *npz = payload;
    npz->fd = fd;
    NT_TRY(reserve(npz));
    NT_TRY(npz->fill(npz->payload, npz));
    return write_frame(npz);
}

static int stream(nt_npz *npz) {
    npz->members = nt_alloc(npz->n, sizeof *npz->members);
    int status = npz->members ? NT_OK : NT_E_MEMORY;
    for (size_t i = 0; i < npz->n && status == NT_OK; i++) {
        member *it = &npz->members[i];
        it->array = &npz->arrays[i];
        status = place_member(it, npz, npz->directory_at);
        npz->directory_at = it->body + it->n_data;
    }
    if (status == NT_OK) status = nt_file_replace(npz->path, fill_file, npz);
    for (size_t i = 0; i < npz->n && npz->members; i++)
        nt_buffer_free(&npz->members[i].head);
    nt_free(npz->members);
    nt_free(npz->strands);
    return status;
}

int nt_npz_stream(const char *path, const nt_npz_array *arrays, size_t n,
                  int (*fill)(void *payload, nt_npz *npz), void *payload) {
    nt_npz npz = {.path = path,
                  .arrays = arrays,
                  .n = n,
                  .zip64_from = zip64_default,
                  .fill = fill,
                  .payload = payload};
    return stream(&npz);
}

static int put_whole(void *payload, nt_npz *npz) {
    (void)payload;
    for (size_t i = 0; i < npz->n; i++) {
        size_t n = (size_t)npz->members[i].n_data / sizeof(float);
        NT_TRY(nt_npz_put(npz, i, 0, npz->arrays[i].data, n));
    }
    return NT_OK;
}

int nt_npz_write_zip64(const char *path, const nt_npz_array *arrays, size_t n, uint64_t from) {
    nt_npz npz = {.path = path, .arrays = arrays, .n = n, .zip64_from = from, .fill = put_whole};
    return stream(&npz);
}

int nt_npz_write(const char *path, const nt_npz_array *arrays, size_t n) {
    return nt_npz_write_zip64(path, arrays, n, zip64_default);
}
