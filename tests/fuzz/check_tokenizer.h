/* What the fuzz programs of tokenizers share: a folder for their files, and what holds of whatever
 * tokenizer opens there, of its encodings and of its texts. */
#ifndef NT_TESTS_FUZZ_CHECK_TOKENIZER_H
#define NT_TESTS_FUZZ_CHECK_TOKENIZER_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scratch.h"
#include "text/tokenizer.h"

enum { TRANSFORMERS = 1, TRUNCATE = 2, PAIR = 4, PAD = 8, SPLIT = 16, PREFIX = 32, NO_PREFIX = 64 };
enum { MOST_PADDED = 1 << 16, MOST_IDS = 1000 };

/* ---- What holds of any tokenizer, encoding, and text ----------------------------------------- */

static void check_ids(const nt_tokenizer *tokenizer) {
    size_t size = nt_tokenizer_size(tokenizer), n;
    for (size_t i = 0; i < size && i < MOST_IDS; i++) {
        const char *content = nt_tokenizer_content(tokenizer, (int32_t)i, &n);
        check(content ? content[n] == 0 : n == 0);
        /* An added token that normalizers change has another content than the one it goes by. */
        int32_t id = content ? nt_tokenizer_id(tokenizer, content, n) : 0;
        check(id >= (tokenizer->normalizers.n ? -1 : 0) && id < (int32_t)size);
        const char *own = nt_tokenizer_bytes(tokenizer, (int32_t)i, &n);
        check(own ? own[n] == 0 : n == 0);
        check((own != NULL) == (content != NULL));
        (void)nt_tokenizer_is_special(tokenizer, (int32_t)i);
    }
    const int32_t roles[] = {nt_tokenizer_bos(tokenizer), nt_tokenizer_eos(tokenizer),
                             nt_tokenizer_pad(tokenizer)};
    for (int i = 0; i < 3; i++)
        check(roles[i] == -1 || nt_tokenizer_content(tokenizer, roles[i], &n));
    check(!nt_tokenizer_content(tokenizer, (int32_t)size, &n) && n == 0);
}

/* Tokens of either text begin in it and end in it; where the one before begins or later, unless
 * they are trimmed: as in tokenizers a space that was put before the text then lies behind it. A
 * template may put a text twice. */
static void check_window(const nt_tokenizer *tokenizer, const nt_encoding *e, size_t n_text,
                         size_t n_pair, bool trim) {
    size_t last[2] = {0, 0}, n;
    for (size_t i = 0; i < e->n; i++) {
        check((e->marks[i] & ~(NT_MARK_SPECIAL | NT_MARK_PADDING | NT_MARK_PAIR)) == 0);
        check(e->starts[i] <= e->ends[i]);
        if (e->marks[i] & (NT_MARK_SPECIAL | NT_MARK_PADDING)) {
            check(e->ends[i] == 0);
            continue;
        }
        check(nt_tokenizer_content(tokenizer, e->ids[i], &n) != NULL);
        bool pair = e->marks[i] & NT_MARK_PAIR;
        check(e->ends[i] <= (pair ? n_pair : n_text));
        check(trim || tokenizer->post.templated || e->starts[i] >= last[pair]);
        last[pair] = e->starts[i];
    }
}

/* Text that comes piece by piece is the text that comes at once. */
static void check_decoding(const nt_tokenizer *tokenizer, const int32_t *ids, size_t n_ids,
                           bool skip) {
    char *text;
    size_t n_text, at = 0, n;
    int status = nt_decode(&text, &n_text, tokenizer, ids, n_ids, skip);
    if (status != NT_OK) {
        check(!text);
        check_message(status);
        return;
    }
    check(text[n_text] == 0);
    nt_stream *stream;
    check(nt_stream_new(&stream, tokenizer, skip) == NT_OK);
    for (size_t i = 0; i <= n_ids; i++) {
        const char *piece;
        check((i < n_ids ? nt_stream_put(&piece, &n, stream, ids[i])
                         : nt_stream_end(&piece, &n, stream)) == NT_OK);
        check(piece[n] == 0 && n <= n_text - at && memcmp(piece, text + at, n) == 0);
        at += n;
    }
    check(at == n_text);
    nt_stream_free(stream);
    nt_free(text);
}

/* nt_encode gives the ids that an encoder gives. */
static void check_one_text(const nt_tokenizer *tokenizer, const nt_encoding *encoding,
                           const char *text, size_t n_text, const nt_encode_options *options) {
    int32_t *ids;
    size_t *starts, *ends, n;
    check(nt_encode(&ids, &starts, &ends, &n, tokenizer, text, n_text, options) == NT_OK);
    check(n == encoding->n);
    for (size_t i = 0; i < n; i++) {
        check(ids[i] == encoding->ids[i] && starts[i] == encoding->starts[i]);
        check(ends[i] == encoding->ends[i]);
    }
    nt_free(ids);
    nt_free(starts);
    nt_free(ends);
}

/* ---- One input ------------------------------------------------------------------------------- */

static void encode(const nt_tokenizer *tokenizer, int flags, const char *text, size_t n_text) {
    nt_encode_options o = NT_ENCODE_OPTIONS_INIT;
    o.offsets = o.marks = true;
    o.split_special_tokens = flags & SPLIT;
    o.add_prefix_space = flags & PREFIX ? 1 : flags & NO_PREFIX ? -1 : 0;
    o.truncation = flags & TRUNCATE ? 1 : 0;
    o.max_length = 7;
    o.stride = 2;
    o.padding = flags & PAD ? 1 : 0;
    o.pad_multiple = 8;
    const nt_padding *padding = &tokenizer->padding;
    if (padding->length > MOST_PADDED || padding->multiple > MOST_PADDED) o.padding = -1;
    nt_encode_input input = {.text = text, .n_text = n_text};
    if (flags & PAIR) {
        input.n_text = n_text / 2;
        input.pair = text + n_text / 2;
        input.n_pair = n_text - n_text / 2;
    }
    nt_encoder_options eo = NT_ENCODER_OPTIONS_INIT;
    eo.threads = 1;
    nt_encoder *encoder;
    check(nt_encoder_new(&encoder, tokenizer, &eo) == NT_OK);
    for (int trim = 0; trim < 2; trim++) {
        o.trim_offsets = trim;
        nt_encoding *encoding;
        int status = nt_encoder_run(&encoding, encoder, &input, 1, &o);
        check((encoding != NULL) == (status == NT_OK));
        if (status != NT_OK) check_message(status);
        for (const nt_encoding *e = encoding; e; e = e->overflow) {
            check_window(tokenizer, e, input.n_text, input.n_pair, trim);
            if (e != encoding) continue;
            if (!(flags & (PAIR | PAD))) check_one_text(tokenizer, e, text, n_text, &o);
            check_decoding(tokenizer, e->ids, e->n, false);
            check_decoding(tokenizer, e->ids, e->n, true);
        }
        nt_encoding_free(encoding);
    }
    nt_encoder_free(encoder);
}

/* The text's bytes as ids, those that are none and holes among them. */
static void decode_any(const nt_tokenizer *tokenizer, const char *text, size_t n) {
    int32_t *ids = malloc((n + 1) * sizeof *ids);
    check(ids != NULL);
    for (size_t i = 0; i < n; i++)
        ids[i] = (unsigned char)text[i] - (text[i] == 'x');
    check_decoding(tokenizer, ids, n, n % 2);
    free(ids);
}

/* Flags and a text, the last section of an input: the tokenizer of the folder, in every use. */
static void check_folder(const uint8_t *bytes, size_t n) {
    int flags = n ? bytes[0] : 0;
    const char *given = n > 1 ? (const char *)bytes + 1 : "Hello  world, it's 1234 \xC3\xA9<s>";
    size_t n_text = n > 1 ? n - 1 : strlen(given);
    char *text = malloc(n_text); /* of its size, so that a read past its end shows */
    check(text != NULL);
    memcpy(text, given, n_text);

    nt_tokenizer_options options = NT_TOKENIZER_OPTIONS_INIT;
    options.reading = flags & TRANSFORMERS ? NT_READ_TRANSFORMERS : NT_READ_FILE;
    nt_tokenizer *tokenizer;
    int status = nt_tokenizer_open_with(&tokenizer, scratch_folder(), &options);
    check((tokenizer != NULL) == (status == NT_OK));
    if (status == NT_OK) {
        check_ids(tokenizer);
        encode(tokenizer, flags, text, n_text);
        decode_any(tokenizer, text, n_text);
        nt_tokenizer_free(tokenizer);
    } else {
        check_message(status);
    }
    free(text);
}

#endif
