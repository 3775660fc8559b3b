/* From ids to the text of an output. Stop strings are counted in the bytes of tokens, the text in
 * what the detokenizer shows (special tokens left out, broken bytes as U+FFFD). A stop string is
 * whole UTF-8, so the text that it takes off is its bytes counted from the end, less what does not
 * show. */
#include "decode/writer.h"

#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "base/utf8.h"

static const char *bytes_of(const nt_writer *writer, int32_t id, size_t *n) {
    *n = 0;
    if (!writer->vocab->bytes) return NULL;
    return writer->vocab->bytes(writer->vocab->self, id, n);
}

static bool shows(const nt_writer *writer, int32_t id) {
    return !writer->vocab->special || !writer->vocab->special(writer->vocab->self, id);
}

static int read_for_stop(nt_writer *writer, int32_t id) {
    size_t n;
    const char *bytes = bytes_of(writer, id, &n);
    return nt_stop_put(&writer->stopped, &writer->cut, writer->stop, bytes, n);
}

int nt_writer_begin(nt_writer *writer, const nt_vocab *vocab, const nt_detokenizer *detokenizer,
                    const nt_plan *plan, const nt_callbacks *callbacks, const int32_t *prompt,
                    size_t n_prompt) {
    *writer = (nt_writer){.vocab = vocab, .detokenizer = detokenizer, .callbacks = callbacks};
    if (plan->n_stop_strings == 0) return NT_OK;
    if (!vocab->bytes) {
        return nt_fail(NT_E_ARGUMENT,
                       "stop strings need a tokenizer, and the model comes without one");
    }
    NT_TRY(nt_stop_new(&writer->stop, plan->stop_strings, plan->n_stop_strings));
    for (size_t i = 0; i < n_prompt; i++)
        NT_TRY(read_for_stop(writer, prompt[i]));
    return NT_OK;
}

int nt_writer_put(nt_writer *writer, int32_t id) {
    NT_TRY(nt_grow((void **)&writer->ids, &writer->capacity_ids, writer->n_ids + 1,
                   sizeof *writer->ids));
    writer->ids[writer->n_ids++] = id;
    if (writer->stop) NT_TRY(read_for_stop(writer, id));
    size_t n;
    if (!writer->detokenizer || !bytes_of(writer, id, &n)) return NT_OK;
    const char *utf8;
    NT_TRY(writer->detokenizer->put(writer->detokenizer->self, &utf8, &n, id));
    nt_buffer_put(&writer->text, utf8, n);
    return writer->text.status;
}

/* The part of the output's last n bytes that shows, in writer->tail. */
static int visible_tail(nt_writer *writer, size_t n) {
    nt_buffer_clear(&writer->tail);
    size_t first = writer->n_ids, skip = 0;
    for (size_t left = n; left > 0 && first > 0;) {
        size_t n_bytes;
        bytes_of(writer, writer->ids[--first], &n_bytes);
        skip = n_bytes > left ? n_bytes - left : 0;
        left -= n_bytes - skip;
    }
    for (size_t i = first; i < writer->n_ids; i++, skip = 0) {
        size_t n_bytes;
        const char *bytes = bytes_of(writer, writer->ids[i], &n_bytes);
        if (n_bytes > skip && shows(writer, writer->ids[i]))
            nt_buffer_put(&writer->tail, bytes + skip, n_bytes - skip);
    }
    return writer->tail.status;
}

/* Sends text up to `end`. */
static void send_to(nt_writer *writer, size_t end) {
    const nt_callbacks *callbacks = writer->callbacks;
    if (!callbacks || !callbacks->text || writer->refused || end <= writer->sent) return;
    const char *from = writer->text.data + writer->sent;
    writer->refused = callbacks->text(callbacks->payload, from, end - writer->sent) != 0;
    writer->sent = end;
}

int nt_writer_send(nt_writer *writer) {
    size_t held = writer->stop ? nt_stop_held(writer->stop) : 0;
    size_t end = writer->text.n;
    if (held > 0) {
        NT_TRY(visible_tail(writer, held));
        /* what of the tail is an unfinished character is not in the text yet */
        size_t whole = nt_utf8_check(writer->tail.data, writer->tail.n);
        end -= whole < end ? whole : end;
    }
    send_to(writer, end);
    return NT_OK;
}

int nt_writer_end(nt_writer *writer) {
    if (writer->detokenizer) {
        const char *utf8;
        size_t n;
        NT_TRY(writer->detokenizer->end(writer->detokenizer->self, &utf8, &n));
        nt_buffer_put(&writer->text, utf8, n);
    }
    NT_TRY(writer->text.status);
    if (writer->stopped) {
        NT_TRY(visible_tail(writer, writer->cut));
        nt_buffer shown = {0};
        nt_utf8_append_lossy(&shown, writer->tail.data, writer->tail.n);
        int status = shown.status;
        if (writer->text.n > 0) {
            writer->text.n -= shown.n < writer->text.n ? shown.n : writer->text.n;
            writer->text.data[writer->text.n] = 0;
        }
        nt_buffer_free(&shown);
        NT_TRY(status);
    }
    send_to(writer, writer->text.n);
    return NT_OK;
}

void nt_writer_free(nt_writer *writer) {
    nt_stop_free(writer->stop);
    nt_free(writer->ids);
    nt_buffer_free(&writer->text);
    nt_buffer_free(&writer->tail);
}
