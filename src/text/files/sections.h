/* tokenizer.json by its sections. Its vocabulary and its merges, nearly all of the bytes, are read
 * where they stand by readers of their own; all else goes through jansson. */
#ifndef NT_TEXT_SECTIONS_H
#define NT_TEXT_SECTIONS_H

#include "base/json.h"
#include "text/subword/subword.h"
#include "text/vocab/lexicon.h"

enum { NT_MAX_TOKENIZER_BYTES = 256 << 20 }; /* largest file that is read */

typedef struct nt_passage {
    const char *bytes; /* [n] one JSON value; NULL: absent */
    size_t n;
    size_t line; /* of the file, from 1, that it begins in */
} nt_passage;

typedef struct nt_sections {
    char *bytes; /* the whole file */
    size_t n;
    json_t *file;             /* without "vocab" and "merges" of "model" */
    nt_passage vocab, merges; /* those */
    const char *where;        /* the file's name, the caller's */
} nt_sections;

/* Reads a file whose top value must be an object, all of it checked as strictly as nt_json_parse
 * does (UTF-8, nothing behind the value, no duplicate keys; those of the vocabulary nt_read_vocab
 * finds). Errors: IO, FORMAT (line), MEMORY. On failure nothing is left to free. */
int nt_sections_read(nt_sections *out, const char *path);
/* The same from bytes [n] of nt_alloc, which become its own, also on failure. */
int nt_sections_take(nt_sections *out, char *bytes, size_t n, const char *where);
void nt_sections_free(nt_sections *sections);

/* The vocabulary from {"token": id, ...}. Errors: FORMAT, MEMORY. */
int nt_read_vocab(nt_lexicon *lexicon, nt_passage vocab, const char *where);
/* Unigram's, from [["token", score], ...]: ids count from 0. */
int nt_read_scores(nt_lexicon *lexicon, nt_unigram *unigram, nt_passage vocab, const char *where);
/* The merges, from ["left right", ...] or [["left", "right"], ...]; bpe->n_prefix is known. On
 * failure nt_bpe_free is still due. Errors: FORMAT, UNSUPPORTED (too many), MEMORY. */
int nt_read_merges(nt_bpe *bpe, const nt_lexicon *lexicon, nt_passage merges, const char *where);
/* vocab.json and merges.txt. */
int nt_read_vocab_file(nt_lexicon *lexicon, const char *path);
int nt_read_merges_file(nt_bpe *bpe, const nt_lexicon *lexicon, const char *path);
/* The same from the files' bytes. */
int nt_read_vocab_text(nt_lexicon *lexicon, nt_passage file, const char *path);
int nt_read_merges_text(nt_bpe *bpe, const nt_lexicon *lexicon, nt_passage file, const char *path);

#endif
