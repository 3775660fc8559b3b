/* nextoken_text.h: tokenizers, text <-> ids. Included by nextoken.h, whose rules hold here too. */
#include "nextoken.h" /* which includes this file at its place */
#ifndef NEXTOKEN_TEXT_H
#    define NEXTOKEN_TEXT_H

#    ifdef __cplusplus
extern "C" {
#    endif

/* A tokenizer is immutable: any number of threads may share it. */
typedef struct nt_tokenizer nt_tokenizer;

/* One token. bytes are the token's own bytes (for a special token its name), zero-ended for
 * convenience and not always UTF-8 alone: a character may be cut between two tokens. */
typedef struct nt_token {
    int32_t id;
    uint32_t n_bytes;
    const char *bytes; /* [n_bytes], then a zero byte */
    size_t start, end; /* where it stands in the text, in bytes, [start, end); 0, 0 when unknown */
} nt_token;

/* tokenizer.json says what a tokenizer does, and some classes of transformers 5 that
 * tokenizer_config.json may name do something else: they make parts of it anew. */
typedef enum nt_reading {
    NT_READ_FILE = 0,        /* what tokenizer.json says, as the tokenizers library does */
    NT_READ_TRANSFORMERS = 1 /* what AutoTokenizer.from_pretrained makes of the folder */
} nt_reading;

typedef struct nt_tokenizer_options {
    size_t size;
    nt_reading reading;
} nt_tokenizer_options;
#    define NT_TOKENIZER_OPTIONS_INIT                                                              \
        { .size = sizeof(nt_tokenizer_options) }

/* Opens the tokenizer of a folder: tokenizer.json, or vocab.json with merges.txt, and what
 * tokenizer_config.json adds; or one tokenizer.json by its path.
 * Errors: NOT_FOUND, IO, FORMAT, UNSUPPORTED (the component is named), MEMORY. */
NT_API int nt_tokenizer_open(nt_tokenizer **out, const char *path);
NT_API int nt_tokenizer_open_with(nt_tokenizer **out, const char *path,
                                  const nt_tokenizer_options *options);
/* GPT-2's own tokenizer, which is part of the library: no file is read. */
NT_API int nt_tokenizer_gpt2(nt_tokenizer **out);
NT_API void nt_tokenizer_free(nt_tokenizer *tokenizer);

/* Number of ids: largest id + 1, added tokens included. This and the five below take NULL for a
 * tokenizer without ids, as nt_model_tokenizer returns it for a model that has none. */
NT_API size_t nt_tokenizer_size(const nt_tokenizer *tokenizer);

/* The special tokens' ids, -1 where there is none. */
NT_API int32_t nt_tokenizer_bos(const nt_tokenizer *tokenizer);
NT_API int32_t nt_tokenizer_eos(const nt_tokenizer *tokenizer);
NT_API int32_t nt_tokenizer_pad(const nt_tokenizer *tokenizer);
NT_API bool nt_tokenizer_is_special(const nt_tokenizer *tokenizer, int32_t id);

/* Whether tokenizer.json asks for truncation, and for padding. */
NT_API bool nt_tokenizer_truncates(const nt_tokenizer *tokenizer);
NT_API bool nt_tokenizer_pads(const nt_tokenizer *tokenizer);

/* The bytes of one id, zero-ended, owned by the tokenizer; NULL and *n = 0 for an id it lacks. */
NT_API const char *nt_tokenizer_bytes(const nt_tokenizer *tokenizer, int32_t id, size_t *n);
/* Its content, as the file writes it (tokenizers' id_to_token), in the same way. */
NT_API const char *nt_tokenizer_content(const nt_tokenizer *tokenizer, int32_t id, size_t *n);
/* The id whose content this is (token_to_id), -1 for none. */
NT_API int32_t nt_tokenizer_id(const nt_tokenizer *tokenizer, const char *content, size_t n);

/* ---- Encoding -------------------------------------------------------------------------------- */

typedef struct nt_encode_options {
    size_t size;
    bool add_bos;              /* one BOS before the text */
    bool split_special_tokens; /* read "<|endoftext|>" and the like as plain text */
    int add_prefix_space;      /* 1 yes, -1 no, 0 as the tokenizer's files say */
    int add_special_tokens; /* -1: without what the files' template puts around a text; 0: with */
    /* 0: truncation and padding as tokenizer.json says; -1: none; 1: by the fields below. */
    int truncation, padding;
    size_t max_length, stride; /* truncation to this many tokens; what windows share */
    bool truncate_left;
    size_t pad_length;   /* padding to this many; 0: to the longest of the call */
    size_t pad_multiple; /* and to a multiple of this; 0: any length */
    bool pad_left;
    int32_t pad_id;    /* -1: the tokenizer's own padding token, an error where there is none */
    bool offsets;      /* nt_encoder_run: starts and ends too */
    bool marks;        /* nt_encoder_run: marks and type ids too */
    bool trim_offsets; /* leave white space out of offsets where the file's post-processor does;
                          else a token keeps the space that opens it, and offsets tile the text */
    bool words;        /* nt_encoder_run: words too, and offsets */
} nt_encode_options;

#    define NT_ENCODE_OPTIONS_INIT                                                                 \
        { .size = sizeof(nt_encode_options), .pad_id = -1 }

/* Text -> ids [*n_ids], and, unless starts is NULL, starts [*n_ids] and ends [*n_ids] in bytes
 * of the text. Free each with nt_free. Errors: TEXT (the offset of the bad byte is named),
 * UNSUPPORTED (a byte that the vocabulary has no token for), MEMORY. */
NT_API int nt_encode(int32_t **ids, size_t **starts, size_t **ends, size_t *n_ids,
                     const nt_tokenizer *tokenizer, const char *text, size_t n_text,
                     const nt_encode_options *options);

/* An encoder is for many texts, or long ones: it has threads, and a bounded cache of words for
 * each of them. It belongs to one thread at a time; the tokenizer must outlive it. */
typedef struct nt_encoder nt_encoder;

typedef struct nt_encoder_options {
    size_t size;
    int threads;        /* 0: OMP_NUM_THREADS, else the processors that this process may use */
    size_t cache_bytes; /* most for the cache of one thread; 0: 16 MiB */
} nt_encoder_options;
#    define NT_ENCODER_OPTIONS_INIT                                                                \
        { .size = sizeof(nt_encoder_options) }

NT_API int nt_encoder_new(nt_encoder **out, const nt_tokenizer *tokenizer,
                          const nt_encoder_options *options);
NT_API void nt_encoder_free(nt_encoder *encoder);

typedef struct nt_encode_input {
    const char *text;
    size_t n_text;
    const char *pair; /* a second text, by the template's form for two; NULL: none */
    size_t n_pair;
} nt_encode_input;

enum { NT_MARK_SPECIAL = 1, NT_MARK_PADDING = 2, NT_MARK_PAIR = 4 };
#    define NT_NO_WORD UINT32_MAX

typedef struct nt_encoding {
    size_t n;                      /* tokens, special ones and padding included */
    const int32_t *ids;            /* [n] */
    const uint32_t *starts, *ends; /* [n] bytes of its text; NULL unless asked for */
    const uint8_t *marks;          /* [n] bits of NT_MARK_: put there by the template, by padding;
                                      of the second text; NULL unless asked for */
    const uint32_t *types;         /* [n] type ids; NULL unless marks were asked for */
    struct nt_encoding *overflow;  /* the next window of a text that was truncated, or NULL */
    const uint32_t *words;         /* [n] which word of its text, as the pre-tokenizers cut it, an
                                      added token being one; NT_NO_WORD for what was put there;
                                      NULL unless asked for */
} nt_encoding;

/* Encodes inputs [n]: encodings [n] are yours, each with the ids that its text has alone; long
 * texts are cut between the threads. When one fails all of them are NULL, and the message names
 * its index. Errors: as nt_encode's, ARGUMENT (max_length below what the template needs). */
NT_API int nt_encoder_run(nt_encoding **encodings, nt_encoder *encoder,
                          const nt_encode_input *inputs, size_t n,
                          const nt_encode_options *options);
NT_API void nt_encoding_free(nt_encoding *encoding); /* and its further windows */

/* Offsets in bytes of text [n_text] -> offsets in characters, in place, outwards to whole ones, as
 * Python counts them. In any order; fast where starts mostly ascend, as an encoding's do. */
NT_API void nt_offsets_to_characters(uint32_t *starts, uint32_t *ends, size_t n, const char *text,
                                     size_t n_text);

/* ---- Decoding -------------------------------------------------------------------------------- */

/* Ids [n_ids] -> UTF-8 text, zero-ended, its length in *n_text; free with nt_free. Bytes that are
 * no UTF-8 become U+FFFD as in Python's errors="replace". Errors: RANGE (id and place), MEMORY. */
NT_API int nt_decode(char **text, size_t *n_text, const nt_tokenizer *tokenizer, const int32_t *ids,
                     size_t n_ids, bool skip_special_tokens);

/* Decoding as a stream: put returns the text that this id completes, never half a character.
 * *utf8 belongs to the stream until its next call. end gives what is left, as U+FFFD. */
typedef struct nt_stream nt_stream;
NT_API int nt_stream_new(nt_stream **out, const nt_tokenizer *tokenizer, bool skip_special_tokens);
NT_API int nt_stream_put(const char **utf8, size_t *n, nt_stream *stream, int32_t id);
NT_API int nt_stream_end(const char **utf8, size_t *n, nt_stream *stream);
NT_API void nt_stream_free(nt_stream *stream);

/* Frees what nt_encode and nt_decode handed out. */
NT_API void nt_free(void *memory);

#    ifdef __cplusplus
}
#    endif
#endif
