/* Writes .npz: each array is a .npy member of a zip file. The sizes and the checksum in a member's
 * local header are filled in by seeking back, so no data descriptors are needed. */
#include "format/npz.h"

#include <errno.h>
#include <string.h>
#include <zlib.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/memory.h"

enum {
    CHUNK = 64 * 1024,
    SAMPLE = 256 * 1024,
    STORED = 0,
    DEFLATED = 8,
    UTF8_NAME = 1 << 11,
    VERSION = 20,
    VERSION_ZIP64 = 45,
    DATE = 1 << 5 | 1, /* 1980-01-01: equal arrays give equal files */
    EXTRA_LOCAL = 20,
    EXTRA_CENTRAL = 28
};

/* Members and offsets from here on are written with 64 bits; the slack below 2^32 is more than
 * deflate can add to a member that does not shrink. */
static const uint64_t zip64_default = 0xF0000000;

typedef struct zip {
    const char *path;
    const nt_npz_array *arrays; /* [n] */
    size_t n;
    uint64_t zip64_from;
    FILE *file;
    uint64_t at;         /* bytes written */
    nt_buffer directory; /* central directory */
    unsigned char *room; /* [CHUNK], what deflate gave */
} zip;

typedef struct member {
    const nt_npz_array *array;
    nt_buffer head;    /* the .npy header */
    size_t n_data;     /* bytes of the array */
    uint64_t raw;      /* bytes of the member, plain */
    uint64_t packed;   /* and as written */
    uint64_t at, body; /* where its local header and its contents begin */
    uint32_t crc;
    int method, flags;
    bool wide; /* zip64 */
} member;

static void put_number(nt_buffer *out, uint64_t value, size_t n_bytes) {
    for (size_t i = 0; i < n_bytes; i++)
        nt_buffer_putc(out, (char)(value >> 8 * i & 0xFF));
}

static int write_bytes(zip *out, const void *bytes, size_t n) {
    if (n && fwrite(bytes, 1, n, out->file) != n)
        return nt_fail(NT_E_IO, "cannot write %.400s: %s", out->path, strerror(errno));
    out->at += n;
    return NT_OK;
}

static int write_buffer(zip *out, const nt_buffer *buffer) {
    NT_TRY(buffer->status);
    return write_bytes(out, buffer->data, buffer->n);
}

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

static voidpf zlib_alloc(voidpf payload, uInt n, uInt size) {
    (void)payload;
    return nt_alloc(n, size);
}

static void zlib_free(voidpf payload, voidpf memory) {
    (void)payload;
    nt_free(memory);
}

static int deflate_begin(z_stream *stream) {
    *stream = (z_stream){.zalloc = zlib_alloc, .zfree = zlib_free};
    int result = deflateInit2(stream, Z_BEST_SPEED, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
    if (result == Z_OK) return NT_OK;
    return result == Z_MEM_ERROR ? NT_E_MEMORY : nt_fail(NT_E_IO, "zlib fails with %d", result);
}

/* Feeds bytes [n] and writes what comes out. */
static int deflate_some(zip *out, z_stream *stream, const void *bytes, size_t n, bool last) {
    const unsigned char *next = bytes;
    do {
        size_t some = n < CHUNK ? n : CHUNK;
        stream->next_in = (Bytef *)(uintptr_t)next; /* zlib does not write there */
        stream->avail_in = (uInt)some;
        n -= some;
        next += some;
        do {
            stream->next_out = out->room;
            stream->avail_out = CHUNK;
            deflate(stream, last && n == 0 ? Z_FINISH : Z_NO_FLUSH);
            NT_TRY(write_bytes(out, out->room, CHUNK - stream->avail_out));
        } while (stream->avail_out == 0);
    } while (n > 0);
    return NT_OK;
}

/* Whether deflate takes a tenth or more off a piece from the middle: where it does not, numbers
 * are stored, which is many times faster to write and to read. */
static int choose_method(zip *out, member *it) {
    it->method = STORED;
    if (it->n_data == 0) return NT_OK;
    z_stream stream;
    NT_TRY(deflate_begin(&stream));
    size_t n = it->n_data < SAMPLE ? it->n_data : SAMPLE, packed = 0;
    const unsigned char *sample = (const unsigned char *)it->array->data + (it->n_data - n) / 2;
    stream.next_in = (Bytef *)(uintptr_t)sample;
    stream.avail_in = (uInt)n;
    do {
        stream.next_out = out->room;
        stream.avail_out = CHUNK;
        deflate(&stream, Z_FINISH);
        packed += CHUNK - stream.avail_out;
    } while (stream.avail_out == 0);
    deflateEnd(&stream);
    it->method = packed < n - n / 10 ? DEFLATED : STORED;
    return NT_OK;
}

/* Sizes as 32 bits, or the mark that the zip64 field has them. */
static uint64_t narrow(const member *it, uint64_t value) {
    return it->wide ? UINT32_MAX : value;
}

/* What local header and central directory share, from the version needed to the name's length. */
static void put_common(nt_buffer *out, const member *it, size_t n_name) {
    put_number(out, it->wide ? VERSION_ZIP64 : VERSION, 2);
    put_number(out, (uint64_t)it->flags, 2);
    put_number(out, (uint64_t)it->method, 2);
    put_number(out, 0, 2);
    put_number(out, DATE, 2);
    put_number(out, it->crc, 4);
    put_number(out, narrow(it, it->packed), 4);
    put_number(out, narrow(it, it->raw), 4);
    put_number(out, n_name, 2);
}

static void put_name(nt_buffer *out, const member *it) {
    nt_buffer_puts(out, it->array->name);
    nt_buffer_puts(out, ".npy");
}

static int write_local_header(zip *out, const member *it) {
    nt_buffer header = {0};
    nt_buffer_put(&header, "PK\x03\x04", 4);
    put_common(&header, it, strlen(it->array->name) + 4);
    put_number(&header, it->wide ? EXTRA_LOCAL : 0, 2);
    put_name(&header, it);
    if (it->wide) {
        put_number(&header, 1, 2);
        put_number(&header, EXTRA_LOCAL - 4, 2);
        put_number(&header, it->raw, 8);
        put_number(&header, it->packed, 8);
    }
    int status = write_buffer(out, &header);
    nt_buffer_free(&header);
    return status;
}

static int add_to_directory(zip *out, const member *it) {
    nt_buffer *directory = &out->directory;
    nt_buffer_put(directory, "PK\x01\x02", 4);
    put_number(directory, (3 << 8) | (it->wide ? VERSION_ZIP64 : VERSION), 2); /* made on Unix */
    put_common(directory, it, strlen(it->array->name) + 4);
    put_number(directory, it->wide ? EXTRA_CENTRAL : 0, 2);
    put_number(directory, 0, 2);                       /* comment */
    put_number(directory, 0, 2);                       /* disk */
    put_number(directory, 0, 2);                       /* internal attributes */
    put_number(directory, (uint64_t)0100644 << 16, 4); /* a file, rw-r--r-- */
    put_number(directory, narrow(it, it->at), 4);
    put_name(directory, it);
    if (it->wide) {
        put_number(directory, 1, 2);
        put_number(directory, EXTRA_CENTRAL - 4, 2);
        put_number(directory, it->raw, 8);
        put_number(directory, it->packed, 8);
        put_number(directory, it->at, 8);
    }
    return directory->status;
}

static int write_deflated(zip *out, const member *it) {
    z_stream stream;
    NT_TRY(deflate_begin(&stream));
    int status = deflate_some(out, &stream, it->head.data, it->head.n, false);
    if (status == NT_OK) status = deflate_some(out, &stream, it->array->data, it->n_data, true);
    deflateEnd(&stream);
    return status;
}

static int write_contents(zip *out, member *it) {
    it->body = out->at;
    if (it->method == DEFLATED) {
        NT_TRY(write_deflated(out, it));
    } else {
        NT_TRY(write_buffer(out, &it->head));
        NT_TRY(write_bytes(out, it->array->data, it->n_data));
    }
    it->packed = out->at - it->body;
    it->crc = (uint32_t)crc32_z(0, (const Bytef *)it->head.data, it->head.n);
    if (it->n_data) /* crc32 of no bytes at NULL would begin anew */
        it->crc = (uint32_t)crc32_z(it->crc, (const Bytef *)it->array->data, it->n_data);
    return NT_OK;
}

/* The local header again, over the one that was written before the sizes were known. */
static int rewrite_local_header(zip *out, const member *it) {
    uint64_t end = out->at;
    if (fseeko(out->file, (off_t)it->at, SEEK_SET) != 0)
        return nt_fail(NT_E_IO, "cannot write %.400s: %s", out->path, strerror(errno));
    NT_TRY(write_local_header(out, it));
    if (fseeko(out->file, (off_t)end, SEEK_SET) != 0)
        return nt_fail(NT_E_IO, "cannot write %.400s: %s", out->path, strerror(errno));
    out->at = end;
    return NT_OK;
}

static int measure(member *it) {
    const nt_npz_array *array = it->array;
    if (array->n_dims > 4 || strlen(array->name) > 1000) {
        return nt_fail(NT_E_ARGUMENT,
                       "array %.100s: a name of at most 1000 bytes and at most 4 "
                       "dimensions can be written",
                       array->name);
    }
    it->n_data = sizeof *array->data;
    for (size_t i = 0; i < array->n_dims; i++) {
        if (__builtin_mul_overflow(it->n_data, array->shape[i], &it->n_data))
            return nt_fail(NT_E_ARGUMENT, "array %.100s: its shape overflows", array->name);
    }
    for (const char *c = array->name; *c; c++) {
        if ((unsigned char)*c >= 0x80) it->flags = UTF8_NAME;
    }
    put_npy_head(&it->head, array);
    it->raw = it->head.n + (uint64_t)it->n_data;
    return it->head.status;
}

static int write_member(zip *out, const nt_npz_array *array) {
    member it = {.array = array, .at = out->at};
    int status = measure(&it);
    it.wide = it.raw >= out->zip64_from || it.at >= out->zip64_from;
    if (status == NT_OK) status = choose_method(out, &it);
    if (status == NT_OK) status = write_local_header(out, &it);
    if (status == NT_OK) status = write_contents(out, &it);
    if (status == NT_OK) status = rewrite_local_header(out, &it);
    if (status == NT_OK) status = add_to_directory(out, &it);
    nt_buffer_free(&it.head);
    return status;
}

/* The records that close the file: where the directory is and how many members it has. */
static int write_end(zip *out) {
    uint64_t start = out->at, size = out->directory.n, n = out->n;
    if (n) NT_TRY(write_buffer(out, &out->directory));
    uint64_t zip64_at = out->at;
    bool wide = n >= UINT16_MAX || start >= out->zip64_from || size >= out->zip64_from;
    nt_buffer end = {0};
    if (wide) {
        nt_buffer_put(&end, "PK\x06\x06", 4);
        put_number(&end, 44, 8); /* bytes of this record that follow */
        put_number(&end, 3 << 8 | VERSION_ZIP64, 2);
        put_number(&end, VERSION_ZIP64, 2);
        put_number(&end, 0, 8); /* disks */
        put_number(&end, n, 8);
        put_number(&end, n, 8);
        put_number(&end, size, 8);
        put_number(&end, start, 8);
        nt_buffer_put(&end, "PK\x06\x07", 4);
        put_number(&end, 0, 4);
        put_number(&end, zip64_at, 8);
        put_number(&end, 1, 4);
    }
    nt_buffer_put(&end, "PK\x05\x06", 4);
    put_number(&end, 0, 4); /* disks */
    put_number(&end, wide ? UINT16_MAX : n, 2);
    put_number(&end, wide ? UINT16_MAX : n, 2);
    put_number(&end, wide ? UINT32_MAX : size, 4);
    put_number(&end, wide ? UINT32_MAX : start, 4);
    put_number(&end, 0, 2); /* comment */
    int status = write_buffer(out, &end);
    nt_buffer_free(&end);
    return status;
}

static int fill(void *payload, FILE *file) {
    zip *out = payload;
    out->file = file;
    for (size_t i = 0; i < out->n; i++)
        NT_TRY(write_member(out, &out->arrays[i]));
    return write_end(out);
}

int nt_npz_write_zip64(const char *path, const nt_npz_array *arrays, size_t n, uint64_t from) {
    zip out = {.path = path, .arrays = arrays, .n = n, .zip64_from = from};
    out.room = nt_alloc(CHUNK, 1);
    if (!out.room) return NT_E_MEMORY;
    int status = nt_file_replace(path, fill, &out);
    nt_buffer_free(&out.directory);
    nt_free(out.room);
    return status;
}

int nt_npz_write(const char *path, const nt_npz_array *arrays, size_t n) {
    return nt_npz_write_zip64(path, arrays, n, zip64_default);
}
