/* nextoken: a see-through language-model engine. This header and the seven that it includes are the
 * manual of the library: nextoken_text.h tells of tokenizers, nextoken_hub.h of models by name,
 * nextoken_generate.h of decoding, nextoken_tensors.h of what files of weights hold,
 * nextoken_result.h how results are read and shown, nextoken_versus.h of one text seen by two,
 * nextoken_bench.h of speed.
 *
 * A complete program. It prints the five likeliest next tokens after a text, by the model in a
 * folder or by the small one that is built in:
 *
 *     #include <nextoken.h>
 *     #include <stdio.h>
 *
 *     int main(int argc, char **argv) {
 *         nt_model *model = NULL;
 *         nt_session *session = NULL;
 *         nt_result *next = NULL;
 *         nt_next_options options = NT_NEXT_OPTIONS_INIT;
 *         options.k = 5;
 *
 *         int status = nt_model_open(&model, argc > 1 ? argv[1] : NULL, NULL);
 *         if (status == NT_OK) status = nt_session_new(&session, model, NULL);
 *         if (status == NT_OK) status = nt_next(&next, session, nt_text("Alice"), &options);
 *         if (status == NT_OK) {
 *             for (size_t i = 0; i < nt_result_n_candidates(next, 0); i++) {
 *                 const nt_candidate *c = nt_result_candidate(next, 0, i);
 *                 printf("%d '%s' %.4f\n", (int)c->token.id, c->token.bytes, c->prob);
 *             }
 *         } else {
 *             fprintf(stderr, "%s\n", nt_error_message());
 *         }
 *         nt_result_free(next);
 *         nt_session_free(session);
 *         nt_model_free(model);
 *         return status == NT_OK ? 0 : 1;
 *     }
 *
 * Build it with: cc program.c $(pkg-config --cflags --libs nextoken)
 *
 * Rules that hold for every call
 *   - An int result is a status: NT_OK (0) or one of the negative NT_E_ values. nt_error_message()
 *     then holds one line that says what, where and what to do. void means: cannot fail.
 *     Beside the errors named at a call, any call may end with NT_E_MEMORY, and with NT_E_ARGUMENT
 *     for a value that it does not take.
 *   - Out parameters come first and are set to NULL or 0 when the call fails.
 *   - `T **out` is yours to free with the _free function of its type; _free(NULL) is legal.
 *     A plain `const T *` that a call returns belongs to the object that it came from.
 *   - Option structs begin with their size. Start from the _INIT macro: what is not set then has
 *     its default. A NULL options pointer means: all defaults. Later versions add fields at the
 *     end only, of options and of every struct below, and an older program goes on working.
 *   - Texts are UTF-8 with an explicit length; NT_ZERO_ENDED stands for strlen(text).
 *   - A model and a tokenizer are immutable: any number of threads may share them. A session
 *     belongs to one thread at a time. A result is yours alone and outlives model and session.
 *   - The library has no global state, prints nothing and never ends the process.
 *
 * Letters for dimensions: B sequences, T positions, V vocabulary, D width (n_embd), L blocks
 * (n_layer), H heads (n_head), E = D / H (or head_dim), F width of the MLP (n_inner). Shapes stand
 * in brackets, slowest dimension first. Logarithms are natural; log-probabilities and entropies are
 * in nats. */
#ifndef NEXTOKEN_H
#define NEXTOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NT_VERSION_MAJOR 0
#define NT_VERSION_MINOR 1
#define NT_VERSION_PATCH 0

#if defined(__GNUC__)
#    define NT_API __attribute__((visibility("default")))
#else
#    define NT_API
#endif

#define NT_ZERO_ENDED SIZE_MAX

/* The version of the library that runs, as "0.1.0". */
NT_API const char *nt_version(void);

/* ---- Status and errors ---------------------------------------------------------------------- */

typedef enum nt_status {
    NT_OK = 0,
    NT_E_MEMORY = -1,      /* an allocation failed */
    NT_E_ARGUMENT = -2,    /* a value that the call does not take */
    NT_E_NOT_FOUND = -3,   /* no such file, folder or name */
    NT_E_IO = -4,          /* the system could not read or write */
    NT_E_FORMAT = -5,      /* a file's contents break its format */
    NT_E_UNSUPPORTED = -6, /* a thing that is well formed and that nextoken does not do */
    NT_E_RANGE = -7,       /* a token id or a position outside the model */
    NT_E_CONTEXT = -8,     /* more positions than the model's context */
    NT_E_TEXT = -9,        /* a text that is not UTF-8 */
    NT_E_NUMERIC = -10,    /* logits that are not finite numbers (broken weights) */
    NT_E_CANCELLED = -11,  /* the caller's cancel callback said stop */
    NT_E_NETWORK = -12,    /* a hub that cannot be reached, or fails: perhaps later */
    NT_E_DENIED = -13      /* a hub that wants a token, or its terms accepted */
} nt_status;

/* The message of the last call that failed in this thread: one line, no newline, valid until the
 * next call that fails in this thread. "" when none has failed. */
NT_API const char *nt_error_message(void);

/* "NT_E_FORMAT" and so on; "unknown status" for any other number. */
NT_API const char *nt_status_name(int status);

/* ---- Callbacks ------------------------------------------------------------------------------ */

/* Every entry may be NULL. They run in the calling thread; payload is handed through untouched.
 * Until it returns, a callback (and a capture, below) makes no calls on the session that runs. */
typedef struct nt_callbacks {
    size_t size;
    void *payload;
    /* Work done so far out of total (0: unknown), in units of `what` ("tokens", "bytes"). */
    void (*progress)(void *payload, const char *what, uint64_t done, uint64_t total);
    /* Asked at least once a forward chunk; anything but 0 ends the call with NT_E_CANCELLED. */
    int (*cancel)(void *payload);
    /* One line that a person should know, such as a default that was taken. */
    void (*note)(void *payload, const char *line);
    /* Generated text as it grows: whole UTF-8 characters only. Anything but 0 ends generation
     * with what there is; finish_reason is then "callback". An exact search has no text before
     * its end and calls it with n = 0. */
    int (*text)(void *payload, const char *utf8, size_t n);
} nt_callbacks;

#define NT_CALLBACKS_INIT                                                                          \
    { .size = sizeof(nt_callbacks) }

/* Tokenizers: text <-> ids. */
#include "nextoken_text.h"

/* Models by name: the Hugging Face Hub and its cache. */
#include "nextoken_hub.h"

/* ---- Models --------------------------------------------------------------------------------- */

typedef struct nt_model nt_model;

/* The mode of arithmetic, whatever width the file stores. In each one the same prompt gives the
 * same bits alone, in a batch or in a beam, whole or in pieces. */
typedef enum nt_precision {
    NT_PRECISION_AUTO = 0,    /* F32 */
    NT_PRECISION_F32 = 1,     /* float32 */
    NT_PRECISION_F32_AMX = 2, /* float32 cut into three bfloat16 terms, whose products that matter
                                 run in AMX tiles: as exact as F32, other last bits. UNSUPPORTED
                                 where the processor has none */
    NT_PRECISION_BF16 = 3 /* matrices, what products read, keys and values are bfloat16 (rounded to
                             nearest), sums float32: half the memory traffic, about three digits.
                             Matrices of other widths are converted when the model is opened; blocks
                             of a .gguf file stay as they are */
} nt_precision;

typedef struct nt_model_options {
    size_t size;
    nt_precision precision;
    nt_reading reading;  /* of the tokenizer's files */
    bool tokenizer_only; /* for nt_tokenize and nt_detokenize: neither config.json nor weights need
                            be there; path may be one tokenizer.json, or NULL: GPT-2's own */
    const nt_hub_options *hub; /* for names; NULL: its defaults */
} nt_model_options;

#define NT_MODEL_OPTIONS_INIT                                                                      \
    { .size = sizeof(nt_model_options) }

/* Opens a checkpoint: a folder with config.json and model.safetensors (or shards with their
 * index), one .safetensors file with config.json beside it, or one .gguf file, whose quantised
 * blocks are computed from as they are. Weights stay in the mapped file.
 * A folder without a tokenizer opens too; jobs on it then take ids only.
 * NULL and "tales" open the model that is built in, with GPT-2's tokenizer: small, trained on old
 * storybooks. No other path ever leads to it; a folder of that name is "./tales".
 * What is no file or folder and could be the name of a model on the hub ("gpt2",
 * "openai-community/gpt2-large@main") is taken from its cache, or else fetched and checked.
 * Errors: NOT_FOUND, IO, FORMAT, UNSUPPORTED (the field is named; a build without a model), and of
 * names those of nt_hub_pull. */
NT_API int nt_model_open(nt_model **out, const char *path, const nt_model_options *options);
NT_API void nt_model_free(nt_model *model);

/* "tales"; NULL where the build left the model out. */
NT_API const char *nt_builtin_model(void);

/* The model's tokenizer, owned by the model; NULL when the folder has none. */
NT_API const nt_tokenizer *nt_model_tokenizer(const nt_model *model);

typedef struct nt_model_info {
    size_t size;                              /* set by you: sizeof(nt_model_info) */
    const char *path;                         /* as it was given; "tales": built in */
    const char *architecture;                 /* "gpt2" */
    const char *precision;                    /* "f32", "bf16" */
    const char *isa;                          /* instruction set of the kernels: "avx512", "ref" */
    const char *activation;                   /* "gelu_new" */
    uint64_t n_parameters;                    /* tied weights counted once */
    uint64_t n_weight_bytes;                  /* as stored */
    int32_t n_vocab;                          /* V */
    int32_t n_context;                        /* most positions */
    int32_t n_embd, n_layer, n_head, n_inner; /* D, L, H, F */
    bool tied;                                /* the head is the embedding table */
    bool built_in;                            /* the weights are the library's own */
    uint64_t n_copied_bytes; /* of weights that were converted: memory beside the mapped file */
} nt_model_info;

/* Strings in *info belong to the model. */
NT_API int nt_model_get_info(nt_model_info *info, const nt_model *model);

/* ---- Converting checkpoints ------------------------------------------------------------------ */

/* In which width weights are written. */
typedef enum nt_width {
    NT_WIDTH_KEEP = 0, /* as they are stored */
    NT_WIDTH_F32,
    NT_WIDTH_F16,
    NT_WIDTH_BF16,
    NT_WIDTH_Q8_0 /* GGUF alone: blocks of 32 with a scale, as llama.cpp quantises */
} nt_width;

typedef struct nt_convert_options {
    size_t size;
    nt_width width; /* GGUF keeps vectors and positions in F32, as llama.cpp does */
    bool overwrite; /* replace a file, or a folder that holds a checkpoint and nothing else */
    const nt_callbacks *callbacks;
    const nt_hub_options *hub; /* for names; NULL: its defaults */
} nt_convert_options;
#define NT_CONVERT_OPTIONS_INIT                                                                    \
    { .size = sizeof(nt_convert_options) }

typedef struct nt_converted {
    size_t size;        /* set by you: sizeof(nt_converted) */
    const char *format; /* "gguf", "safetensors" */
    const char *width;  /* of the largest tensor: "F16", "Q8_0" */
    uint64_t n_tensors;
    uint64_t n_bytes; /* of the file with the weights */
} nt_converted;

/* Writes the checkpoint that source names (as nt_model_open takes it) as a GGUF file where
 * destination ends in ".gguf", else as a folder with model.safetensors, config.json and the files
 * of its tokenizer. Memory stays at some rows of a tensor; what is written gets its name when it is
 * whole. *out tells what it is; NULL: nobody asks. Errors: those of nt_model_open, IO (it is there
 * already; the disk is full), NUMERIC (a weight that the width cannot hold), UNSUPPORTED (what the
 * format cannot say), CANCELLED. */
NT_API int nt_convert(nt_converted *out, const char *source, const char *destination,
                      const nt_convert_options *options);

/* ---- Sessions ------------------------------------------------------------------------------- */

/* A session owns the KV cache and the workspace of the sequences that run in it. */
typedef struct nt_session nt_session;

typedef struct nt_session_options {
    size_t size;
    int threads; /* 0: OMP_NUM_THREADS, else the processors that this process may use */
} nt_session_options;

#define NT_SESSION_OPTIONS_INIT                                                                    \
    { .size = sizeof(nt_session_options) }

NT_API int nt_session_new(nt_session **out, const nt_model *model,
                          const nt_session_options *options);
NT_API void nt_session_free(nt_session *session);

/* Sequences: texts in the making, each with its own keys and values. A fork shares its parent's
 * by reference until one of the two goes on. */
NT_API int nt_sequence_new(int32_t *sequence, nt_session *session);
NT_API int nt_sequence_fork(int32_t *child, nt_session *session, int32_t parent);
NT_API void nt_sequence_drop(nt_session *session, int32_t sequence);
/* Positions that the sequence holds; 0 for a number that is no sequence. */
NT_API size_t nt_sequence_length(const nt_session *session, int32_t sequence);
/* The next id stands at `position`, and others behind it, whatever the sequence's length: as behind
 * padding that nothing looks at. A cut does not change by how much the two differ, down to
 * position 0. Errors: RANGE, CONTEXT. */
NT_API int nt_sequence_place(nt_session *session, int32_t sequence, size_t position);
/* Takes positions [length, ...) off the end of a sequence. Errors: RANGE (no such sequence, or it
 * is shorter). */
NT_API int nt_sequence_cut(nt_session *session, int32_t sequence, size_t length);

typedef enum nt_want { NT_WANT_NOTHING = 0, NT_WANT_LAST = 1, NT_WANT_ALL = 2 } nt_want;

/* Appends ids [n_ids] to a sequence. logits: NULL with NT_WANT_NOTHING, [V] with NT_WANT_LAST,
 * [n_ids, V] with NT_WANT_ALL; yours, written before the call returns. Equal calls give equal
 * bits, however the ids were cut into calls.
 * Errors: RANGE (id and index; no such sequence), CONTEXT (with the numbers), NUMERIC (the tensor
 * is named), CANCELLED, MEMORY; the sequence is then as it was. */
NT_API int nt_forward(nt_session *session, int32_t sequence, const int32_t *ids, size_t n_ids,
                      nt_want want, float *logits, const nt_callbacks *callbacks);

/* What one sequence gets of a call on several; fields as the arguments of nt_forward. */
typedef struct nt_forward_item {
    size_t size; /* sizeof(nt_forward_item), the same in all */
    int32_t sequence;
    nt_want want;
    const int32_t *ids; /* [n_ids] */
    size_t n_ids;
    float *logits;
    bool padding; /* each of ids looks at what the sequence holds (attention to nothing is zeros),
                     and not at itself or another of ids; the sequence is afterwards as it was */
} nt_forward_item;

/* nt_forward of several sequences at once, none of them twice, each with the bits that it has
 * alone: the weights are read once for all. Errors as there; all sequences are then as they were.
 */
NT_API int nt_forward_many(nt_session *session, const nt_forward_item *items, size_t n_items,
                           const nt_callbacks *callbacks);

/* Mean of -log p(labels[t + 1] | ids[0..t]) over t in [0, n_ids - 1), labels of -100 left out;
 * labels NULL means the ids themselves. *n_counted may be NULL. As transformers' loss: NaN when
 * nothing is counted. Errors as nt_forward's, RANGE for a label. */
NT_API int nt_loss(double *loss, size_t *n_counted, nt_session *session, const int32_t *ids,
                   const int32_t *labels, size_t n_ids, const nt_callbacks *callbacks);

/* ---- Named points of the forward pass -------------------------------------------------------- */

typedef enum nt_point {
    NT_POINT_EMBEDDING,     /* [D]  token + position, before block 0 */
    NT_POINT_BLOCK_IN,      /* [D]  residual stream that enters block `layer` */
    NT_POINT_ATTENTION,     /* [t + 1] one head's probabilities over positions 0..t; capture only */
    NT_POINT_HEAD_OUT,      /* [E]  one head's output, before the attention's projection */
    NT_POINT_ATTENTION_OUT, /* [D]  what attention adds to the residual stream */
    NT_POINT_MLP_OUT,       /* [D]  what the MLP adds to the residual stream */
    NT_POINT_BLOCK_OUT,     /* [D]  residual stream that leaves block `layer` */
    NT_POINT_FINAL_NORM,    /* [D]  after the last LayerNorm: what the head reads */
    NT_N_POINTS
} nt_point;

#define NT_EVERY (-1) /* every layer, head or position */

/* Where a capture or an edit acts. layer counts for points within blocks, head for ATTENTION and
 * HEAD_OUT; elsewhere they are ignored. position is absolute within the sequence. */
typedef struct nt_place {
    nt_point point;
    int32_t layer, head, position;
} nt_place;

typedef enum nt_action { NT_ZERO, NT_SCALE, NT_ADD, NT_REPLACE } nt_action;

typedef struct nt_edit {
    nt_place place;
    nt_action action;
    float factor;        /* NT_SCALE: the factor */
    const float *values; /* NT_ADD, NT_REPLACE: [n_values]; must outlive the edit */
    size_t n_values;     /* the point's own width, D or E */
} nt_edit;

/* What a capture sees: values [n], after all edits there; yours only during the call. */
typedef struct nt_seen {
    nt_place place; /* no NT_EVERY in it */
    int32_t sequence;
    const float *values;
    size_t n;
} nt_seen;

typedef struct nt_capture {
    nt_place place;
    int (*see)(void *payload, const nt_seen *seen); /* not 0: ends the call with NT_E_CANCELLED */
    void *payload;
} nt_capture;

/* A `see` that copies what it sees; payload is an nt_keeper. */
typedef struct nt_keeper {
    int32_t sequence; /* whose; NT_EVERY: any */
    int32_t first;    /* positions before this are left out */
    float *data;      /* the values of a place go to data + layer * per_layer + head * per_head +
                         (position - first) * per_position */
    size_t per_layer, per_head, per_position;
} nt_keeper;
NT_API int nt_keep(void *keeper, const nt_seen *seen);

/* Replace the session's lists (copied; 0 empties one). They act on every later forward pass; with
 * empty lists the bits are those of a session that never had any. Edits act in list order.
 * Errors: ARGUMENT (an edit of ATTENTION, a wrong width), RANGE (no such layer, head or
 * position), MEMORY. */
NT_API int nt_session_set_edits(nt_session *session, const nt_edit *edits, size_t n_edits);
NT_API int nt_session_set_captures(nt_session *session, const nt_capture *captures,
                                   size_t n_captures);

/* ---- Jobs ------------------------------------------------------------------------------------ */

typedef struct nt_result nt_result;
typedef struct nt_option_info nt_option_info; /* nextoken_generate.h */
NT_API void nt_result_free(nt_result *result);

/* What a job starts from: a text, or ids when ids is not NULL. An empty text starts from BOS, and
 * a note says so; without a BOS it is an error. Jobs fail as nt_encode and nt_forward do, and with
 * UNSUPPORTED when a text is given to a model that has no tokenizer. */
typedef struct nt_prompt {
    size_t size;
    const char *text;
    size_t n_text;
    const int32_t *ids; /* [n_ids] */
    size_t n_ids;
    bool add_bos;          /* one BOS before a text */
    bool add_prefix_space; /* read a text as if a space stood before it */
} nt_prompt;

/* The prompt of a zero-ended text, as a temporary to pass on at once. */
#define nt_text(zero_ended)                                                                        \
    (&(nt_prompt){.size = sizeof(nt_prompt), .text = (zero_ended), .n_text = NT_ZERO_ENDED})
#define nt_ids(array, count)                                                                       \
    (&(nt_prompt){.size = sizeof(nt_prompt), .ids = (array), .n_ids = (count)})

/* Text -> tokens with their offsets; ids -> tokens and text. The session is not needed. */
NT_API int nt_tokenize(nt_result **out, const nt_model *model, const nt_prompt *prompt,
                       const nt_encode_options *options);
NT_API int nt_detokenize(nt_result **out, const nt_model *model, const int32_t *ids, size_t n_ids,
                         bool skip_special_tokens);

/* The tokens that several models' tokenizers make of one text, side by side. */
NT_API int nt_tokenize_compare(nt_result **out, const nt_model *const *models, size_t n_models,
                               const nt_prompt *prompt, const nt_encode_options *options);

typedef struct nt_count_options {
    size_t size;
    int threads; /* as in nt_encoder_options */
    bool split_special_tokens;
    const nt_callbacks *callbacks;
} nt_count_options;
#define NT_COUNT_OPTIONS_INIT                                                                      \
    { .size = sizeof(nt_count_options) }

/* How many tokens the texts of files are ("-": standard input), by each of the models' tokenizers;
 * a file is one text. Errors: NOT_FOUND, IO, TEXT (file and byte are named), MEMORY. */
NT_API int nt_count(nt_result **out, const nt_model *const *models, size_t n_models,
                    const char *const *paths, size_t n_paths, const nt_count_options *options);

/* Next tokens and generation: options and jobs. */
#include "nextoken_generate.h"

/* What a score is told by; bits to be joined. TEXT has the sums alone. */
typedef enum nt_by { NT_BY_TEXT = 1, NT_BY_TOKEN = 2, NT_BY_WORD = 4, NT_BY_CHAR = 8 } nt_by;

/* Words end at white space, but GPT-2's tokens carry the space in front: a word's probability is
 * that of its tokens, times that of a boundary behind it, over that of the boundary before it
 * (docs/scoring.md). Boundaries are tokens that open with */
typedef enum nt_correction {
    NT_CORRECTION_WHITESPACE,       /* any white space, and EOS: what the next asks for, in full */
    NT_CORRECTION_PIMENTEL_MEISTER, /* a space, and EOS (Pimentel & Meister 2024) */
    NT_CORRECTION_OH_SCHULER        /* a space (Oh & Schuler 2024; as minicons does) */
} nt_correction;

typedef struct nt_score_options {
    size_t size;
    size_t prompt_len; /* tokens at the start that are conditioned on and left out of the sums */
    const nt_callbacks *callbacks;
    const char *prompt; /* a text before the given one, conditioned on and left out; NULL: none */
    size_t n_prompt;
    bool add_eos; /* one EOS behind the text, with its own number */
    unsigned by;  /* of nt_by; 0: NT_BY_TOKEN */
    nt_correction correction;
    size_t stride; /* texts longer than `window`: windows start so far apart; 0: an error */
    size_t window; /* positions; 0: the model's context */
    const char *const *continuations; /* [n], zero-ended: compare these endings of the text */
    size_t n_continuations;
    int32_t k; /* keep so many of the likeliest ids at each place: steps, one a token, whose chosen
                  is the token that stands there; more than V means V. 0: none */
} nt_score_options;
#define NT_SCORE_OPTIONS_INIT                                                                      \
    { .size = sizeof(nt_score_options) }

/* The log-probability of a text, token by token, and by word and character where asked; with
 * continuations, theirs (kind CONTINUATIONS). */
NT_API int nt_score(nt_result **out, nt_session *session, const nt_prompt *prompt,
                    const nt_score_options *options);

typedef struct nt_score_item {
    size_t size; /* sizeof(nt_score_item), the same in all */
    const nt_prompt *prompt;
    const nt_score_options *options; /* NULL: defaults; its callbacks are not used */
    nt_result *result;               /* out: yours; NULL when this text failed */
    int status;                      /* out */
    char *error;                     /* out: one line, for nt_free; NULL when it did not fail */
} nt_score_item;

/* nt_score of many texts at once, each with the bits that it has alone: sorted, packed without
 * padding, what they begin with in common run once. items [n_items].
 * A text that fails leaves the others as they are. Errors: CANCELLED, MEMORY, ARGUMENT. */
NT_API int nt_score_many(nt_session *session, nt_score_item *items, size_t n_items,
                         const nt_callbacks *callbacks);

typedef struct nt_perplexity_options {
    size_t size;
    size_t window; /* positions; 0: the model's context */
    size_t stride; /* 0: half the window */
    const nt_callbacks *callbacks;
} nt_perplexity_options;
#define NT_PERPLEXITY_OPTIONS_INIT                                                                 \
    { .size = sizeof(nt_perplexity_options) }

/* Perplexity of a text of any length by strided windows: each token counts once, given at least
 * window - stride tokens before it. See nt_result_totals; no single tokens are kept. */
NT_API int nt_perplexity(nt_result **out, nt_session *session, const nt_prompt *prompt,
                         const nt_perplexity_options *options);

typedef struct nt_inspect_options {
    size_t size;
    bool logits;        /* keep tensor "logits" [T, V]; without it, only the last row [1, V] */
    bool hidden_states; /* keep tensor "hidden_states" [L + 1, T, D]; norms are always there */
    bool attentions;    /* keep tensor "attentions" [L, H, T, T] */
    const nt_callbacks *callbacks;
    bool logit_lens; /* keep tensor "logit_lens_uncalibrated" [L + 1, T, V] (nostalgebraist 2020):
                        final norm and head on the embeddings and on every block's output */
    const char *npz; /* write these tensors and the norms into this .npz file; kept are then the
                        last row of logits and the norms, so that memory is bounded for any T */
    int32_t layers;  /* keep what every layer says at every position, with so many of its likeliest
                        ids (nt_result_layer); more than V means V. 0: none */
    bool attention;  /* keep where one head looks (nt_result_attention) */
    int32_t attention_layer, attention_head; /* which; head NT_EVERY: the mean of the layer's */
    bool attention_heads;                    /* that mean, and every head of the layer beside it */
} nt_inspect_options;
#define NT_INSPECT_OPTIONS_INIT                                                                    \
    { .size = sizeof(nt_inspect_options) }

/* hidden_states are transformers': embeddings, the output of blocks 0 .. L - 2, and last the
 * output of the final norm. Errors: RANGE (no such layer or head), NUMERIC, CONTEXT, MEMORY, IO. */
NT_API int nt_inspect(nt_result **out, nt_session *session, const nt_prompt *prompt,
                      const nt_inspect_options *options);

/* What the model is, as a result that can be shown. */
NT_API int nt_info(nt_result **out, const nt_model *model);

#ifdef __cplusplus
}
#endif

/* Tensors of a file, and differences between two. */
#include "nextoken_tensors.h"

#include "nextoken_result.h"
#endif
