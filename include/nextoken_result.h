/* What results hold, and how they are shown: the second half of nextoken.h, which includes it. The
 * rules, letters and units that its first comment gives hold here too. */
#ifndef NEXTOKEN_RESULT_H
#define NEXTOKEN_RESULT_H

#include "nextoken.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Results: read them ---------------------------------------------------------------------- */

typedef enum nt_result_kind {
    NT_RESULT_TOKENS,
    NT_RESULT_TEXT,
    NT_RESULT_NEXT,
    NT_RESULT_STEPS,
    NT_RESULT_GENERATE,
    NT_RESULT_SCORE,
    NT_RESULT_INSPECT,
    NT_RESULT_INFO,
    NT_RESULT_CONTINUATIONS,
    NT_RESULT_PERPLEXITY,
    NT_RESULT_COMPARED,
    NT_RESULT_COUNTS,
    NT_RESULT_EXPLAIN,
    NT_RESULT_TENSORS, /* nextoken_tensors.h */
    NT_RESULT_DIFF,
    NT_RESULT_VERSUS, /* nextoken_versus.h */
    NT_RESULT_BENCH   /* nextoken_bench.h */
} nt_result_kind;

NT_API nt_result_kind nt_result_get_kind(const nt_result *result);

/* The prompt's tokens (of SCORE, TOKENS and TEXT: all tokens). NULL past the end. */
NT_API size_t nt_result_n_tokens(const nt_result *result);
NT_API const nt_token *nt_result_token(const nt_result *result, size_t i);

/* The text of TEXT and TOKENS results, zero-ended; "" for the others. */
NT_API const char *nt_result_text(const nt_result *result, size_t *n);

/* What one option did to one candidate's logit. Where a search works on log-probabilities (beams),
 * these are meant. */
typedef struct nt_change {
    const char *option;  /* "repetition_penalty" */
    float before, after; /* after -INFINITY: removed by it */
} nt_change;

typedef struct nt_candidate {
    nt_token token;
    int32_t rank;             /* 1 is the likeliest, by raw probability */
    float logit;              /* raw */
    double logprob, prob;     /* raw */
    double processed_prob;    /* after logits processors; prob where there are none */
    float processed_logit;    /* the same as a logit; of beam search a log-probability */
    const nt_change *changes; /* [n_changes] in the order they were made */
    size_t n_changes;
} nt_candidate;

typedef struct nt_step {
    size_t index;        /* 0 is the first new token */
    nt_candidate chosen; /* id -1: nothing was chosen here (NEXT, rows of beams) */
    size_t kept;         /* ids whose processed_prob is above 0 */
    double entropy;      /* raw, nats */
    size_t sequence;     /* the output that it belongs to */
    double draw;     /* the number in [0, 1) that chose; NaN: nothing was drawn, or not by one */
    int64_t beam;    /* of a search with beams: the one that is continued here; -1: the prompt */
    int32_t drafted; /* what the assistant proposed here; -1: nothing */
} nt_step;

/* Steps of NEXT (one), STEPS and GENERATE: those on the way to each output, output after output; of
 * SCORE with k: step i is what stood to choose in place of token i (of the first: nothing).
 * Candidates of step i are the likeliest in order of processed_prob, demoted ones are those that
 * the model had among its likeliest and that processors took from among them. */
NT_API size_t nt_result_n_steps(const nt_result *result);
NT_API const nt_step *nt_result_step(const nt_result *result, size_t i);
NT_API size_t nt_result_n_candidates(const nt_result *result, size_t step);
NT_API const nt_candidate *nt_result_candidate(const nt_result *result, size_t step, size_t i);
NT_API size_t nt_result_n_demoted(const nt_result *result, size_t step);
NT_API const nt_candidate *nt_result_demoted(const nt_result *result, size_t step, size_t i);

typedef struct nt_output {
    const int32_t
        *ids; /* [n_ids] the new ones only; EOS and the token that ended a stop string in */
    size_t n_ids;
    const char *text; /* zero-ended; ends before the stop string, special tokens left out */
    size_t n_text;
    double logprob;            /* sum of raw log-probabilities of ids */
    const char *finish_reason; /* "stop", "length", "stop_string", "time", "callback" */
    double score; /* beams: transformers' sequences_scores; best_of: what chose; exact search: the
                     processed log-probability; NaN elsewhere */
    int64_t beam; /* the last of its beams in nt_result_beam; -1: none */
} nt_output;

/* How GENERATE and STEPS decoded: "greedy", "sample", "best_of", "beam_search", "beam_sample",
 * "assisted", "prompt_lookup" or "exact"; *seed (or NULL) is that of the draws. */
NT_API const char *nt_result_method(const nt_result *result, uint64_t *seed);

NT_API size_t nt_result_n_outputs(const nt_result *result);
NT_API const nt_output *nt_result_output(const nt_result *result, size_t i);

/* What became of a beam. */
typedef enum nt_fate {
    NT_FATE_RUNNING, /* it went on: others have it as parent, or the search ended with it */
    NT_FATE_OUTPUT,  /* it ended, and is an output or among the num_beams best that ended */
    NT_FATE_PRUNED,  /* others were likelier */
    NT_FATE_LATE,    /* it ended, too far down among the candidates to be kept: its place was not
                        below num_beams */
    NT_FATE_BEATEN,  /* it ended, and num_beams others that ended have a better score */
    NT_FATE_UNPROVED /* exact search: not looked at when the search ended */
} nt_fate;

/* One token of one beam, or of one prefix of an exact search: everything that stood to choose. */
typedef struct nt_beam {
    int64_t parent;     /* the beam that it continues; -1: the prompt */
    size_t index;       /* 0 is the first new token */
    nt_candidate token; /* with what the processors made of it */
    double sum;         /* processed log-probabilities from the first new token on */
    double score;       /* of one that ended: sum / length^length_penalty; NaN elsewhere */
    int32_t place;      /* among the candidates of its step, 0 first; order of draws when drawing */
    int32_t slot;       /* its place among the running beams; -1: it is not one */
    nt_fate fate;
    const char *finish_reason; /* of one that ended; "" elsewhere */
    int64_t row; /* what stood to choose behind it, nt_result_row; -1: nobody looked, or nothing
                    was left there */
} nt_beam;
NT_API size_t nt_result_n_beams(const nt_result *result);
NT_API const nt_beam *nt_result_beam(const nt_result *result, size_t i);

/* The rows of logits that beams or prefixes were continued from, as they were looked at; row 0 is
 * the prompt's. Candidates and demoted ones as of steps. */
NT_API size_t nt_result_n_rows(const nt_result *result);
NT_API const nt_step *nt_result_row(const nt_result *result, size_t i);
NT_API size_t nt_result_n_row_candidates(const nt_result *result, size_t row);
NT_API const nt_candidate *nt_result_row_candidate(const nt_result *result, size_t row, size_t i);
NT_API size_t nt_result_n_row_demoted(const nt_result *result, size_t row);
NT_API const nt_candidate *nt_result_row_demoted(const nt_result *result, size_t row, size_t i);

/* What decoding took. */
typedef struct nt_effort {
    uint64_t n_passes;   /* calls of the model */
    uint64_t n_rows;     /* rows of logits that it gave */
    uint64_t n_drafted;  /* tokens that an assistant proposed, */
    uint64_t n_accepted; /* and that were taken */
    double milliseconds; /* of decoding, the prompt included */
} nt_effort;
/* Of GENERATE and STEPS; NULL elsewhere. */
NT_API const nt_effort *nt_result_effort(const nt_result *result);

/* What an exact search knows in the end. Log-probabilities are processed ones. */
typedef struct nt_proof {
    bool proved;  /* nothing outside the outputs is likelier (or reaches min_probability) */
    double gap;   /* nats that something not looked at may still be ahead of the last output, or
                     of min_probability; 0 when proved, INFINITY where outputs are missing */
    double bound; /* log-probability that nothing not looked at can pass; -INFINITY: none */
    const char *limit; /* what ended it early: "max_nodes", "max_time", "memory", "callback" (the
                          text callback), or with min_probability "num_return_sequences" (more than
                          can be returned); "" when proved */
    size_t horizon;    /* new tokens at most */
    uint64_t n_nodes;  /* prefixes looked at */
    double greedy;     /* log-probability of what greedy decoding writes; -INFINITY: a dead end */
    double beams;   /* of the likeliest that beam search finds; -INFINITY where all come to a dead
                       end, NaN where a limit came before it was through */
    size_t n_beams; /* with so many beams */
    double min_probability; /* that was asked for; 0: the likeliest were */
} nt_proof;
/* Of an exact search; NULL elsewhere. */
NT_API const nt_proof *nt_result_proof(const nt_result *result);

/* Of EXPLAIN: the option, with its value as it was drawn. Results behind it: what is generated
 * without and with it (0, 1), where the option is not one that changes a single step. */
NT_API const nt_option_info *nt_result_option(const nt_result *result, const char **value);
NT_API const nt_result *nt_result_inner(const nt_result *result, size_t i);

typedef struct nt_scored {
    double logprob; /* of token i given those before it; NaN for the first */
    double entropy; /* of the distribution it was drawn from; NaN for the first */
    int64_t rank;   /* 1 + how many ids were likelier; 0 for the first */
    bool counted;   /* part of the sums */
} nt_scored;

typedef struct nt_totals {
    double logprob;    /* sum over the counted tokens */
    double loss;       /* -logprob / n_counted; NaN when nothing is counted */
    double perplexity; /* exp(loss) */
    size_t n_counted;
    size_t n_bytes;           /* of the counted tokens; those of special tokens are none */
    double bits_per_byte;     /* -logprob / log 2 / n_bytes */
    double loss_stderr;       /* standard error of loss, tokens taken as independent */
    double perplexity_stderr; /* perplexity times that */
} nt_totals;

/* Of SCORE, one entry a token of nt_result_token. NULL for other kinds. */
NT_API const nt_scored *nt_result_scored(const nt_result *result, size_t i);
/* Of SCORE and PERPLEXITY. */
NT_API const nt_totals *nt_result_totals(const nt_result *result);

/* A word or a character of SCORE. Tokens of white space belong to the word that they open. */
typedef struct nt_unit {
    const char *bytes; /* [n_bytes] without white space around a word; zero-ended */
    size_t n_bytes;
    size_t start, end;      /* of bytes, in the text */
    size_t first, n_tokens; /* its tokens; a character has those that it has bytes of */
    double logprob;         /* words: of its tokens. Characters: of its bytes, each given those
                               before it and the text's own tokens so far; what remains of a
                               token's logprob is its last byte's. NaN where a token has none */
    double corrected;       /* words: see nt_correction; NaN for characters */
    bool counted;
} nt_unit;
/* by: NT_BY_WORD or NT_BY_CHAR, where it was asked for. */
NT_API size_t nt_result_n_units(const nt_result *result, nt_by by);
NT_API const nt_unit *nt_result_unit(const nt_result *result, nt_by by, size_t i);

typedef struct nt_continuation {
    const char *text;        /* as given, zero-ended */
    const nt_token *tokens;  /* [n_tokens] of it: from the first that holds a byte of it */
    const nt_scored *scored; /* [n_tokens] */
    size_t n_tokens;
    double logprob;  /* sum */
    double share;    /* prob / sum of prob over the given continuations */
    int32_t place;   /* 1: the likeliest */
    bool greedy;     /* every token is the likeliest at its place */
    double per_byte; /* logprob over the continuation's bytes */
} nt_continuation;
NT_API size_t nt_result_n_continuations(const nt_result *result);
NT_API const nt_continuation *nt_result_continuation(const nt_result *result, size_t i);

/* Of COMPARED: what each tokenizer makes of the text. Of COUNTS: their names. */
typedef struct nt_compared {
    const char *model;      /* as it was given */
    const nt_token *tokens; /* [n_tokens] */
    size_t n_tokens;
} nt_compared;
NT_API size_t nt_result_n_compared(const nt_result *result);
NT_API const nt_compared *nt_result_compared(const nt_result *result, size_t i);

/* Of COMPARED: a stretch of the text that every tokenizer cuts out, and the tokens that each makes
 * of it; what templates put around the text stands in stretches without bytes. */
typedef struct nt_stretch {
    size_t start, end;
    const size_t *first;    /* [n_compared] */
    const size_t *n_tokens; /* [n_compared] */
    bool differs;           /* not all of them cut it in the same places */
} nt_stretch;
NT_API size_t nt_result_n_stretches(const nt_result *result);
NT_API const nt_stretch *nt_result_stretch(const nt_result *result, size_t i);

/* Of COUNTS: one file. */
typedef struct nt_counted {
    const char *name;
    uint64_t n_bytes, n_characters;
    const uint64_t *n_tokens; /* [n_compared] */
} nt_counted;
NT_API size_t nt_result_n_counted(const nt_result *result);
NT_API const nt_counted *nt_result_counted(const nt_result *result, size_t i);

typedef struct nt_tensor_view {
    const char *name;
    const float *data;
    size_t n_dims;
    size_t shape[4];
} nt_tensor_view;

/* Arrays of NEXT and INSPECT: "logits", "hidden_states", "hidden_norms" [L + 1], "attentions",
 * "logit_lens_uncalibrated", "processed_logits". NULL when it was not kept. */
NT_API const nt_tensor_view *nt_result_tensor(const nt_result *result, const char *name);
/* All of them in one .npz file, written whole or not at all. Errors: ARGUMENT (it holds none),
 * NOT_FOUND (the folder), IO, MEMORY. */
NT_API int nt_result_save_npz(const nt_result *result, const char *path);

/* Of INSPECT with `layers`: what the model would say if a layer were its last, the logit lens
 * (nostalgebraist 2020): its final norm and head, read at another depth than they were trained for.
 * So early layers are uncalibrated; the last is the model's own output. */
typedef struct nt_layer_choice {
    nt_token token;
    double logprob, prob;
} nt_layer_choice;

typedef struct nt_layer_cell {
    const nt_layer_choice *likeliest; /* [n_likeliest] in order */
    size_t n_likeliest;
    double entropy;                 /* nats, of all that the layer says here */
    int64_t next_rank;              /* of the token that comes next, 1 is the likeliest, */
    double next_logprob, next_prob; /* and its probability */
} nt_layer_cell;

/* L + 1 layers, or 0: the embeddings, then the output of every block; t counts positions. */
NT_API size_t nt_result_n_layers(const nt_result *result);
NT_API const nt_layer_cell *nt_result_layer(const nt_result *result, size_t layer, size_t t);
/* What comes next behind position t: the text's own token, and behind the last position the one
 * that the model makes likeliest. */
NT_API const nt_token *nt_result_layer_next(const nt_result *result, size_t t);

/* Of INSPECT with `attention`: where one head looks. */
typedef struct nt_head_weights {
    int32_t layer;        /* block, 0 first */
    int32_t head;         /* NT_EVERY: the mean of the block's heads */
    const float *weights; /* [T, T] row t: from position t to those up to it, sum 1; zeros behind */
} nt_head_weights;
/* With attention_heads the mean comes first, then every head. */
NT_API size_t nt_result_n_attentions(const nt_result *result);
NT_API const nt_head_weights *nt_result_attention(const nt_result *result, size_t i);

/* ---- Results: show them ---------------------------------------------------------------------- */

/* How much of a search with beams its tree shows. */
typedef enum nt_tree_detail {
    NT_TREE_AUTO,    /* as much as can be taken in at a glance */
    NT_TREE_OUTPUTS, /* the ways to the outputs */
    NT_TREE_KEPT,    /* and whatever was kept as a beam */
    NT_TREE_BEAMS,   /* and what was pruned */
    NT_TREE_ALL      /* and what else stood to choose in the rows that the trace holds */
} nt_tree_detail;

/* NT_SVG is a picture of NEXT, STEPS, SCORE, of GENERATE with beams and of INSPECT with layers or
 * attention, NT_HTML a page of any
 * result with its figure, tables and NT_JSON in it: one file with nothing beside it, for light and
 * dark screens.
 * The same result gives the same bytes on every machine: it tells no durations, and the instruction
 * set only where numbers depend on it. */
typedef enum nt_format { NT_TABLE, NT_JSON, NT_CSV, NT_TSV, NT_SVG, NT_HTML } nt_format;

/* What a heat map of a scored text shows. */
typedef enum nt_heat {
    NT_HEAT_NONE,
    NT_HEAT_PROBABILITY,
    NT_HEAT_RANK,
    NT_HEAT_SURPRISAL,
    NT_HEAT_ENTROPY
} nt_heat;

typedef struct nt_view_options {
    size_t size;
    nt_format format;
    int width;              /* columns of the terminal; 0 means 80 */
    bool color;             /* ANSI colours in NT_TABLE */
    bool ascii;             /* NT_TABLE in plain ASCII */
    bool no_header;         /* NT_CSV without its first line */
    bool text_shown;        /* NT_TABLE of GENERATE without the text: the caller has shown it */
    int64_t index;          /* "index" in NT_JSON when 0 or more; -1 (the default) leaves it out */
    bool bits;              /* scores in bits (base 2) instead of nats */
    const char *row_prefix; /* NT_CSV, NT_TSV: put before every row; NULL: nothing */
    const char *header_prefix; /* and before the first line */
    int64_t most_rows; /* NT_TABLE of TOKENS is left out, and of COMPARED shows what differs, where
                          it has more rows; -1 (the default): all rows */
    bool trace;        /* NT_JSON of GENERATE with "trace": every step, row and beam */
    nt_heat heat;      /* NT_TABLE of SCORE: the text on coloured grounds in place of its table;
                          NT_HTML: what its heat map shows first (NT_HEAT_NONE: surprisal) */
    bool tree;         /* NT_TABLE of GENERATE with the tree of its beams; UNSUPPORTED without */
    nt_tree_detail tree_detail; /* of that, and of NT_SVG and NT_HTML */
    int64_t plain; /* 0 or more: NT_TABLE of TOKENS is its tokens in a row and nothing else, so many
                      of them at the beginning as plain text; -1 (the default): the table */
    int64_t
        position;    /* 0 or more: NT_TABLE and NT_SVG of INSPECT show the positions up to this
                        one, and the table what each layer says there; -1 (the default): the last */
    bool skip_first; /* of INSPECT with attention: leave the first token out, on which heads rest
                        that look for nothing, and shade each row by its share of the others */
    bool arcs;       /* NT_SVG of INSPECT with attention: arcs alone, without the matrix */
    bool lasting;    /* NT_TABLE as pictures and pages are: the same for the same result, without
                        durations, and the instruction set only where numbers depend on it */
} nt_view_options;
#define NT_VIEW_OPTIONS_INIT                                                                       \
    { .size = sizeof(nt_view_options), .index = -1, .most_rows = -1, .plain = -1, .position = -1 }

/* Called with the pieces of the output in turn; anything but 0 ends the view with NT_E_IO. */
typedef int (*nt_write_fn)(void *payload, const char *bytes, size_t n);

/* NT_JSON is one line that ends with a newline. Errors: IO, UNSUPPORTED (no such view), MEMORY. */
NT_API int nt_result_show(const nt_result *result, const nt_view_options *options,
                          nt_write_fn write, void *payload);
/* The same into a file, written whole or not at all; one that is there is replaced. */
NT_API int nt_result_save(const nt_result *result, const nt_view_options *options,
                          const char *path);

#ifdef __cplusplus
}
#endif

/* One text seen by two models; needs nt_totals. */
#include "nextoken_versus.h"

/* Speed on this machine. */
#include "nextoken_bench.h"
#endif
