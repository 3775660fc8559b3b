/* The output in the making: ids, their text, stop strings, and the text callback. One for
 * each sequence. */
#ifndef NT_DECODE_WRITER_H
#define NT_DECODE_WRITER_H

#include "base/buffer.h"
#include "decode/generate.h"
#include "decode/stop/stop.h"

/* What the writers of one generation have in common. */
typedef struct nt_writing {
    const nt_vocab *vocab;
    const nt_detokenizer *detokenizer; /* NULL: no text */
    const nt_callbacks *listener;      /* whose text callback hears the text; NULL: nobody's */
    const int32_t *prompt;             /* [n_prompt] borrowed */
    size_t n_prompt;
    nt_stop *stop;        /* NULL: no stop strings */
    int32_t after_prompt; /* the place in stop */
} nt_writing;

/* The prompt [n_prompt] is read for the beginning of stop strings. Free it also when this failed.
 * Errors: ARGUMENT (stop strings without a vocabulary), those of nt_stop_new. */
int nt_writing_begin(nt_writing *writing, const nt_vocab *vocab, const nt_detokenizer *detokenizer,
                     const nt_plan *plan, const nt_callbacks *listener, const int32_t *prompt,
                     size_t n_prompt);
void nt_writing_free(nt_writing *writing);
/* Goes from place *at over one id. Returns 0, or where a stop string ends inside it, as
 * nt_stop_put. */
size_t nt_writing_stops(const nt_writing *writing, int32_t *at, int32_t id);

typedef struct nt_writer {
    const nt_writing *with;
    void *stream;   /* of the detokenizer */
    int32_t *whole; /* [n_prompt + n_ids] */
    size_t capacity;
    const int32_t *ids; /* [n_ids] the new ones: the end of whole */
    size_t n_ids;
    nt_buffer text; /* of ids so far, whole characters */
    size_t sent;    /* bytes of text that the callback has had */
    int32_t at;     /* the place in the stop strings */
    size_t cut;     /* bytes of all tokens, from the end, that a stop string which ends in the
                       newest token takes off; 0: none ends there */
    bool refused;   /* the callback said stop */
} nt_writer;

/* Free the writer also when this failed; one of zeros may be freed too. */
int nt_writer_begin(nt_writer *writer, const nt_writing *with);
/* Appends one id. */
int nt_writer_put(nt_writer *writer, int32_t id);
/* Gives the callback what can no longer become part of a stop string. */
int nt_writer_send(nt_writer *writer);
/* Ends the text, before the stop string where there is one, and sends what is left unless the
 * callback has refused. Ids and text stay until the writer is freed. */
int nt_writer_end(nt_writer *writer);
void nt_writer_free(nt_writer *writer);

#endif
