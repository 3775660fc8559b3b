/* The insides of models and sessions, shared by the files that wire the parts together:
 * nextoken.c (models, sessions, forward), texts.c (tokenize, ...), jobs.c (what jobs have in
 * common), decoding.c (next, generate), scoring.c and others. */
#ifndef NT_WIRING_H
#define NT_WIRING_H

#include "base/buffer.h"
#include "base/note.h"
#include "decode/generate.h"
#include "decode/stepper.h"
#include "model/forward.h"
#include "score/lexis.h"
#include "trace/trace.h"

struct nt_model {
    nt_network *network;     /* NULL: opened for its tokenizer only */
    nt_tokenizer *tokenizer; /* NULL: the folder has none */
    int32_t n_vocab;         /* V */
    nt_vocab vocab;          /* over tokenizer */
    char *path;              /* as it was given; "tales" for what is built in */
    bool built_in;           /* the weights are the program's own */
    nt_precision precision;  /* as it was asked for */
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
    nt_lexis *lexis; /* NULL: not needed yet */
    /* Bytes of keys and values that a batch's prefixes may take, and as many that what follows them
     * may, unless one needs more. */
    size_t most_cached;
};

/* The mode of its arithmetic, "f32" or "bf16". */
const char *nt_model_precision(const nt_model *model);

/* ARGUMENT for a model that was opened for its tokenizer only. */
int nt_need_network(const nt_model *model);

/* The session as what a search sees. */
nt_stepper nt_session_stepper(nt_session *session);

/* Copies rows one behind the other, each input's in order: as an nt_logits_fn with the place as its
 * payload. */
typedef struct nt_rows_copy {
    float *logits; /* next row */
    size_t V;
} nt_rows_copy;
int nt_copy_rows(void *payload, const nt_logits_row *rows, size_t n);

/* Logits of the rows t >= wanted of one text, which is not kept. */
int nt_session_each_row(nt_session *session, const int32_t *ids, size_t n_ids, size_t wanted,
                        nt_logits_fn rows, void *payload, const nt_callbacks *callbacks);

/* What scoring knows of the vocabulary, made when first asked for. Errors: MEMORY. */
int nt_session_lexis(const nt_lexis **out, nt_session *session);

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
/* Those of the negative prompt, begun as the prompt is; nothing where there is none. */
int nt_negative_ids(nt_ids_of *out, const nt_model *model, const nt_prompt *prompt,
                    const nt_generate_options *options);
/* The same without BOS; options NULL: no truncation, no padding. Free *out also when this failed.
 */
int nt_encode_prompt(nt_ids_of *out, const nt_model *model, const nt_prompt *prompt,
                     const nt_encode_options *options);
/* The first id whose bytes differ between two tokenizers of V ids; V: none. */
size_t nt_first_difference(const nt_tokenizer *a, const nt_tokenizer *b, size_t V);
/* UNSUPPORTED for a model that has no tokenizer. */
int nt_need_tokenizer(const nt_model *model);
void nt_ids_free(nt_ids_of *ids);
/* Bytes of a prompt's text. */
size_t nt_prompt_length(const nt_prompt *prompt);
/* The window that was asked for, or (0) the model's context; 0 < stride <= window, or no stride
 * (0). Errors: ARGUMENT. */
int nt_take_window(size_t *out, const nt_model *model, size_t window, size_t stride);

/* What options make of single rows of a text whose first n_prompt ids are the prompt. The plan
 * borrows from *room and from given. */
int nt_one_step_plan(nt_plan *plan, nt_generate_options *room, nt_session *session,
                     const nt_generate_options *given, size_t n_prompt,
                     const nt_callbacks *callbacks);

/* A trace with heading and prompt (NULL: none), and its end: stamps the time, or frees the trace
 * when status is not NT_OK. */
int nt_job_begin(nt_result **out, const nt_model *model, nt_result_kind kind, const nt_ids_of *ids);
int nt_job_finish(nt_result **out, int status, double started);
double nt_now_ms(void);

/* The callbacks less progress, for work whose caller counts it itself. */
nt_callbacks nt_without_progress(const nt_callbacks *callbacks);

/* Work in several steps, told as one: steps get the callbacks of a span, and progress then counts
 * from `done` out of `total`. */
typedef struct nt_stages {
    const nt_callbacks *outer; /* may be NULL */
    uint64_t done, total;      /* done: before the step at hand */
} nt_stages;
nt_callbacks nt_stages_callbacks(nt_stages *span);

#endif
