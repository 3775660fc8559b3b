/* The output in the making: ids, their text, stop strings, and the text callback. Every search
 * that makes one sequence at a time writes through it. */
#ifndef NT_DECODE_WRITER_H
#define NT_DECODE_WRITER_H

#include "base/buffer.h"
#include "decode/generate.h"
#include "decode/stop.h"

typedef struct nt_writer {
    const nt_vocab *vocab;
    const nt_detokenizer *detokenizer; /* NULL: no text */
    const nt_callbacks *callbacks;     /* may be NULL */
    nt_stop *stop;                     /* NULL: no stop strings */
    int32_t *ids;                      /* [n_ids] the new ones */
    size_t n_ids, capacity_ids;
    nt_buffer text; /* of ids so far, whole characters */
    nt_buffer tail; /* scratch: the last bytes that show */
    size_t sent;    /* bytes of text that the callback has had */
    size_t cut;     /* bytes of all tokens, from the end, that the stop string takes off */
    bool stopped;   /* a stop string ends in the newest token */
    bool refused;   /* the callback said stop */
} nt_writer;

/* The prompt [n_prompt] is read for the beginning of stop strings. Free the writer also when this
 * failed. Errors: ARGUMENT (stop strings without a vocabulary), those of nt_stop_new. */
int nt_writer_begin(nt_writer *writer, const nt_vocab *vocab, const nt_detokenizer *detokenizer,
                    const nt_plan *plan, const nt_callbacks *callbacks, const int32_t *prompt,
                    size_t n_prompt);
/* Appends one id; `stopped` then says whether a stop string ends in it. */
int nt_writer_put(nt_writer *writer, int32_t id);
/* Gives the callback what can no longer become part of a stop string. */
int nt_writer_send(nt_writer *writer);
/* Ends the text, before the stop string where there is one, and sends what is left unless the
 * callback has refused. */
int nt_writer_end(nt_writer *writer);
void nt_writer_free(nt_writer *writer);

#endif
