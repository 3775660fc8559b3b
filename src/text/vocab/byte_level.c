#include "text/vocab/byte_level.h"

#include <string.h>

#include "base/utf8.h"

/* The bytes that do not stand for themselves, in the order of U+0100 .. U+0143. */
enum { N_HIDDEN = 68 };
static const unsigned char hidden[N_HIDDEN] = {
    0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0A, 0x0B, 0x0C, 0x0D,
    0x0E, 0x0F, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1A, 0x1B,
    0x1C, 0x1D, 0x1E, 0x1F, 0x20, 0x7F, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87,
    0x88, 0x89, 0x8A, 0x8B, 0x8C, 0x8D, 0x8E, 0x8F, 0x90, 0x91, 0x92, 0x93, 0x94, 0x95,
    0x96, 0x97, 0x98, 0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9E, 0x9F, 0xA0, 0xAD};

size_t nt_byte_level_char(char out[2], uint8_t byte) {
    int32_t code = byte;
    if (byte <= 0x20)
        code = 0x100 + byte;
    else if (byte >= 0x7F && byte <= 0xA0)
        code = 0x100 + 0x21 + (byte - 0x7F);
    else if (byte == 0xAD)
        code = 0x100 + N_HIDDEN - 1;
    return nt_utf8_put(out, code);
}

/* The byte of the two-byte character with these bytes, or -1. */
static int byte_of(unsigned char lead, unsigned char next) {
    if ((next & 0xC0) != 0x80) return -1;
    unsigned code = (lead & 0x1Fu) << 6 | (next & 0x3Fu);
    switch (lead) {
    case 0xC2:
    case 0xC3: return code <= 0xA0 || code == 0xAD ? -1 : (int)code;
    case 0xC4:
    case 0xC5: return code - 0x100 < N_HIDDEN ? hidden[code - 0x100] : -1;
    default: return -1;
    }
}

/* Content [n] to the bytes that it stands for: their number, or SIZE_MAX when it has a character
 * outside the alphabet. */
static size_t decode(unsigned char *out, const unsigned char *content, size_t n) {
    size_t n_out = 0;
    for (size_t i = 0; i < n;) {
        unsigned char c = content[i++];
        if (c >= 0x80) {
            int byte = i < n ? byte_of(c, content[i++]) : -1;
            if (byte < 0) return SIZE_MAX;
            out[n_out++] = (unsigned char)byte;
        } else if (c > 0x20 && c < 0x7F) {
            out[n_out++] = c;
        } else {
            return SIZE_MAX;
        }
    }
    return n_out;
}

void nt_byte_level_decode(nt_buffer *out, const char *content, size_t n) {
    size_t before = out->n;
    nt_buffer_put(out, content, n);
    if (out->status != NT_OK || n == 0) return;
    unsigned char *bytes = (unsigned char *)out->data + before;
    size_t n_bytes = decode(bytes, (const unsigned char *)content, n);
    if (n_bytes == SIZE_MAX) {
        memcpy(bytes, content, n);
    } else {
        out->n = before + n_bytes;
        out->data[out->n] = 0;
    }
}

/* Whether content [n] is ASCII, and so stands for itself whatever it holds. */
static bool is_ascii(const char *content, size_t n) {
    const uint64_t high = 0x8080808080808080u;
    uint64_t all = 0;
    if (n >= 8) {
        for (size_t i = 0; i + 8 < n; i += 8)
            all |= nt_hash_load8(content + i);
        all |= nt_hash_load8(content + n - 8);
    } else if (n >= 4) {
        all = nt_hash_load4(content) | nt_hash_load4(content + n - 4);
    } else {
        for (size_t i = 0; i < n; i++)
            all |= (unsigned char)content[i];
    }
    return !(all & high);
}

int nt_byte_level_spell(nt_lexicon *lexicon) {
    if (lexicon->borrowed) return NT_OK;
    for (size_t i = 0; i < lexicon->n; i++) {
        nt_piece *piece = &lexicon->pieces[i];
        size_t n = piece->n_content;
        if (is_ascii(nt_piece_content(lexicon, piece), n)) {
            piece->bytes = piece->content;
            piece->n_bytes = piece->n_content;
            continue;
        }
        char *bytes = nt_lexicon_room(lexicon, n); /* may move the contents */
        if (!bytes) return NT_E_MEMORY;
        const char *content = nt_piece_content(lexicon, piece);
        size_t n_bytes = decode((unsigned char *)bytes, (const unsigned char *)content, n);
        NT_TRY(nt_lexicon_spell(lexicon, piece, n_bytes == SIZE_MAX ? content : bytes,
                                n_bytes == SIZE_MAX ? n : n_bytes));
    }
    return NT_OK;
}
