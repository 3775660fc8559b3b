/* Ids -> text, piece by piece: what the chain of decoders can tell after each id. */
#include "base/memory.h"
#include "text/decode/chain.h"
#include "text/decode/look.h"

struct nt_stream {
    const nt_tokenizer *tokenizer;
    bool skip_special;
    nt_chain chain;
    nt_buffer text; /* what the last call handed out */
    size_t n_put;
};

int nt_stream_new(nt_stream **out, const nt_tokenizer *tokenizer, bool skip_special_tokens) {
    *out = NULL;
    nt_stream *stream = nt_alloc(1, sizeof *stream);
    if (!stream) return NT_E_MEMORY;
    stream->tokenizer = tokenizer;
    stream->skip_special = skip_special_tokens;
    int status = nt_chain_start(&stream->chain, &tokenizer->decoders);
    stream->chain.out = &stream->text;
    if (status == NT_OK) {
        *out = stream;
    } else {
        nt_stream_free(stream);
    }
    return status;
}

void nt_stream_free(nt_stream *stream) {
    if (!stream) return;
    nt_chain_free(&stream->chain);
    nt_buffer_free(&stream->text);
    nt_free(stream);
}

static int hand_out(const char **utf8, size_t *n, nt_stream *stream) {
    nt_buffer_put(&stream->text, "", 0); /* the zero byte, if nothing else */
    NT_TRY(stream->text.status);
    *utf8 = stream->text.data;
    *n = stream->text.n;
    return NT_OK;
}

int nt_stream_put(const char **utf8, size_t *n, nt_stream *stream, int32_t id) {
    *utf8 = NULL;
    *n = 0;
    const nt_piece *piece;
    NT_TRY(nt_decode_look(&piece, stream->tokenizer, id, stream->n_put, stream->skip_special));
    nt_buffer_clear(&stream->text);
    if (piece) NT_TRY(nt_chain_put(&stream->chain, &stream->tokenizer->lexicon, piece));
    stream->n_put++;
    return hand_out(utf8, n, stream);
}

int nt_stream_end(const char **utf8, size_t *n, nt_stream *stream) {
    *utf8 = NULL;
    *n = 0;
    nt_buffer_clear(&stream->text);
    NT_TRY(nt_chain_end(&stream->chain));
    stream->n_put = 0;
    return hand_out(utf8, n, stream);
}
