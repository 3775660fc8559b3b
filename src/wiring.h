/* The insides of models and sessions, shared by the files that wire the parts together:
 * nextoken.c (models, sessions, forward), jobs.c (next, generate, score, ...) and inspect.c. */
#ifndef NT_WIRING_H
#define NT_WIRING_H

#include "base/buffer.h"
#include "decode/stepper.h"
#include "model/forward.h"
#include "trace/trace.h"

struct nt_model {
    nt_network *network;
    nt_tokenizer *tokenizer; /* NULL: the folder has none */
    nt_vocab vocab;          /* over tokenizer */
    char *path;              /* as it was given */
    const char *isa;
    int32_t bos;                  /* -1: none */
    int32_t eos[NT_MAX_EOS];      /* what defaults may point to */
    nt_generate_options defaults; /* generation_config.json, else config.json */
    nt_buffer defaults_note;      /* what that file asks for and we lack; empty: nothing */
};

struct nt_session {
    const nt_model *model;
    nt_runner *runner;
    float *logits; /* [n_logits, V]: rows that the stepper hands out */
    size_t n_logits;
};

/* The session as what a search sees. */
nt_stepper nt_session_stepper(nt_session *session);

/* Logits of one new sequence row by row, then the sequence is dropped; for scoring. */
int nt_session_each_row(nt_session *session, const int32_t *ids, size_t n_ids, nt_want want,
                        nt_logits_fn each, void *payload, const nt_callbacks *callbacks);

/* A prompt as ids. */
typedef struct nt_ids_of {
    int32_t *ids;          /* [n] */
    size_t *starts, *ends; /* [n], or NULL when there is no text */
    size_t n;
    bool bos; /* the first is a BOS that was put before the text */
} nt_ids_of;

/* For jobs that run the model: BOS where it is asked for, or where there is nothing else. Free
 * *out also when this failed. */
int nt_prompt_ids(nt_ids_of *out, const nt_model *model, const nt_prompt *prompt,
                  const nt_callbacks *callbacks);
void nt_ids_free(nt_ids_of *ids);

/* A trace with heading and prompt (NULL: none), and its end: stamps the time, or frees the trace
 * when status is not NT_OK. */
int nt_job_begin(nt_result **out, const nt_model *model, nt_result_kind kind, const nt_ids_of *ids);
int nt_job_finish(nt_result **out, int status, double started);
double nt_now_ms(void);

/* The callbacks less progress, for work whose caller counts it itself. */
nt_callbacks nt_without_progress(const nt_callbacks *callbacks);

/* Hands one line to the note callback, if there is one. */
void nt_note(const nt_callbacks *callbacks, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
