/* From ids to the text of an output. Stop strings are counted in the bytes of tokens, the text in
 * what the detokenizer shows (special tokens left out, broken bytes as U+FFFD). A stop string is
 * whole UTF-8, so the text that it takes off is its bytes counted from the end, less what does not
 * show. */
#include "decode/stop/writer.h"

#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "base/utf8.h"

static const char *bytes_of(const nt_vocab *vocab, int32_t id, size_t *n) {
    *n = 0;
    return vocab->bytes ? vocab->bytes(vocab->self, id, n) : NULL;
}

static bool shows(const nt_vocab *vocab, int32_t id) {
    return !vocab->special || !vocab->special(vocab->self, id);
}

size_t nt_writing_stops(const nt_writing *writing, int32_t *at, int32_t id) {
    size_t n;
    if (!writing->stop) return 0;
    const char *bytes = bytes_of(writing->vocab, id, &n);
    return nt_stop_put(at, writing->stop, bytes, n);
}

int nt_writing_begin(nt_writing *writing, const nt_vocab *vocab, const nt_detokenizer *detokenizer,
                     const nt_plan *plan, const nt_callbacks *listener, const int32_t *prompt,
                     size_t n_prompt) {
    *writing = (nt_writing){.vocab = vocab,
                            .detokenizer = detokenizer,
                            .listener = listener,
                            .prompt = prompt,
                            .n_prompt = n_prompt};
    if (plan->n_stop_strings == 0) return NT_OK;
    if (!vocab->bytes) {
        return nt_fail(NT_E_ARGUMENT,
                       "stop strings need a tokenizer, and the model comes without one");
    }
    NT_TRY(nt_stop_new(&writing->stop, plan->stop_strings, plan->n_stop_strings));
    for (size_t i = 0; i < n_prompt; i++)
        nt_writing_stops(writing, &writing->after_prompt, prompt[i]);
    return NT_OK;
}

void nt_writing_free(nt_writing *writing) {
    nt_stop_free(writing->stop);
}

int nt_writer_begin(nt_writer *writer, const nt_writing *with) {
    *writer = (nt_writer){.with = with, .at = with->after_prompt};
    NT_TRY(nt_grow((void **)&writer->whole, &writer->capacity, with->n_prompt + 1,
                   sizeof *writer->whole));
    memcpy(writer->whole, with->prompt, with->n_prompt * sizeof *with->prompt);
    const nt_detokenizer *detokenizer = with->detokenizer;
    return detokenizer ? detokenizer->open(detokenizer->self, &writer->stream) : NT_OK;
}

int nt_writer_put(nt_writer *writer, int32_t id) {
    const nt_writing *with = writer->with;
    size_t length = with->n_prompt + writer->n_ids;
    NT_TRY(nt_grow((void **)&writer->whole, &writer->capacity, length + 1, sizeof *writer->whole));
    writer->whole[length] = id;
    writer->ids = writer->whole + with->n_prompt;
    writer->n_ids++;
    writer->cut = nt_writing_stops(with, &writer->at, id);
    size_t n;
    if (!writer->stream || !bytes_of(with->vocab, id, &n)) return NT_OK;
    const char *utf8;
    NT_TRY(with->detokenizer->put(writer->stream, &utf8, &n, id));
    nt_buffer_put(&writer->text, utf8, n);
    return writer->text.status;
}

/* The part of the output's last n bytes that shows, put into tail. */
static int visible_tail(nt_buffer *tail, const nt_writer *writer, size_t n) {
    const nt_vocab *vocab = writer->with->vocab;
    size_t first = writer->n_ids, skip = 0;
    for (size_t left = n; left > 0 && first > 0;) {
        size_t n_bytes;
        bytes_of(vocab, writer->ids[--first], &n_bytes);
        skip = n_bytes > left ? n_bytes - left : 0;
        left -= n_bytes - skip;
    }
    for (size_t i = first; i < writer->n_ids; i++, skip = 0) {
        size_t n_bytes;
        const char *bytes = bytes_of(vocab, writer->ids[i], &n_bytes);
        if (n_bytes > skip && shows(vocab, writer->ids[i]))
            nt_buffer_put(tail, bytes + skip, n_bytes - skip);
    }
    return tail->status;
}

/* Sends text up to `end`. */
static void send_to(nt_writer *writer, size_t end) {
    const nt_callbacks *listener = writer->with->listener;
    if (!listener || !listener->text || writer->refused || end <= writer->sent) return;
    const char *from = writer->text.data + writer->sent;
    writer->refused = listener->text(listener->payload, from, end - writer->sent) != 0;
    writer->sent = end;
}

int nt_writer_send(nt_writer *writer) {
    const nt_writing *with = writer->with;
    size_t held = with->stop ? nt_stop_held(with->stop, writer->at) : 0;
    size_t end = writer->text.n;
    if (held > 0) {
        nt_buffer tail = {0};
        int status = visible_tail(&tail, writer, held);
        /* what of the tail is an unfinished character is not in the text yet */
        size_t whole = nt_utf8_check(tail.data, tail.n);
        nt_buffer_free(&tail);
        NT_TRY(status);
        end -= whole < end ? whole : end;
    }
    send_to(writer, end);
    return NT_OK;
}

/* Takes the stop string, and what stands behind it, off the text. */
static int cut_text(nt_writer *writer) {
    nt_buffer tail = {0}, shown = {0};
    int status = visible_tail(&tail, writer, writer->cut);
    if (status == NT_OK) {
        nt_utf8_append_lossy(&shown, tail.data, tail.n);
        status = shown.status;
    }
    if (status == NT_OK && writer->text.n > 0) {
        writer->text.n -= shown.n < writer->text.n ? shown.n : writer->text.n;
        writer->text.data[writer->text.n] = 0;
    }
    nt_buffer_free(&tail);
    nt_buffer_free(&shown);
    return status;
}

int nt_writer_end(nt_writer *writer) {
    const nt_detokenizer *detokenizer = writer->with->detokenizer;
    if (writer->stream) {
        const char *utf8;
        size_t n;
        NT_TRY(detokenizer->end(writer->stream, &utf8, &n));
        nt_buffer_put(&writer->text, utf8, n);
        detokenizer->close(writer->stream);
        writer->stream = NULL;
    }
    NT_TRY(writer->text.status);
    if (writer->cut) NT_TRY(cut_text(writer));
    send_to(writer, writer->text.n);
    return NT_OK;
}

void nt_writer_free(nt_writer *writer) {
    if (writer->stream) writer->with->detokenizer->close(writer->stream);
    nt_free(writer->whole);
    nt_buffer_free(&writer->text);
}
