/* Reading vocabularies: {"token": id, ...}, and Unigram's [["token", score], ...]. */
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "text/files/json_pull.h"
#include "text/files/sections.h"

/* The most strings that a passage can hold. */
static size_t count_strings(nt_passage passage) {
    return nt_pull_count(passage.bytes, passage.n, '"') / 2;
}

/* nt_lexicon_append, with the line in the message of what it refuses. */
static int add_token(nt_lexicon *lexicon, const nt_pull *pull, const char *content, size_t n,
                     uint32_t id) {
    int status = nt_lexicon_append(lexicon, content, n, id, pull->where);
    if (status != NT_E_FORMAT) return status;
    char where[700];
    snprintf(where, sizeof where, "%.600s, line %zu", pull->where, nt_pull_line(pull, pull->at));
    return nt_lexicon_append(lexicon, content, n, id, where);
}

/* An id that is not one: what stands there is no JSON, or not an integer in range. */
static int no_id(nt_pull *pull, const char *content, size_t n) {
    NT_TRY(nt_pull_skip(pull));
    return nt_fail(
        NT_E_FORMAT, "%s, line %zu: the id of token \"%.*s\" must be an integer in 0 .. %d",
        pull->where, nt_pull_line(pull, pull->at), n > 40 ? 40 : (int)n, content, NT_MAX_ID);
}

static int read_id(uint32_t *id, nt_pull *pull, const char *content, size_t n_content) {
    nt_pull_peek(pull);
    const char *start = pull->at, *digits = start;
    uint32_t value = 0;
    while (pull->at < pull->end && *pull->at >= '0' && *pull->at <= '9' && value <= NT_MAX_ID)
        value = value * 10 + (uint32_t)(*pull->at++ - '0');
    size_t n = (size_t)(pull->at - digits);
    char next = pull->at < pull->end ? *pull->at : 0;
    bool whole = next != '.' && next != 'e' && next != 'E';
    if (n > 0 && whole && value <= NT_MAX_ID && (*digits != '0' || n == 1)) {
        *id = value;
        return NT_OK;
    }
    pull->at = start;
    if (pull->end - start >= 2 && memcmp(start, "-0", 2) == 0) { /* jansson reads it as 0 */
        const char *number;
        NT_TRY(nt_pull_number(&number, &n, &whole, pull));
        *id = 0;
        if (n == 2) return NT_OK;
        pull->at = start;
    }
    return no_id(pull, content, n_content);
}

/* From the '{' on. */
static int read_ids(nt_lexicon *lexicon, nt_pull *pull) {
    pull->at++;
    bool more = nt_pull_peek(pull) != '}';
    if (!more) pull->at++;
    while (more) {
        const char *content;
        size_t n;
        uint32_t id = 0;
        NT_TRY(nt_pull_string(&content, &n, pull));
        NT_TRY(nt_pull_expect(pull, ':'));
        NT_TRY(read_id(&id, pull, content, n));
        NT_TRY(add_token(lexicon, pull, content, n, id));
        NT_TRY(nt_pull_next(&more, pull, '}'));
    }
    return nt_pull_end(pull);
}

int nt_read_vocab(nt_lexicon *lexicon, nt_passage vocab, const char *where) {
    nt_pull pull;
    nt_pull_init(&pull, vocab.bytes, vocab.n, vocab.line, where);
    if (nt_pull_peek(&pull) != '{') {
        return nt_fail(NT_E_FORMAT, "%s: the vocabulary must be an object and is %s", where,
                       nt_pull_kind(&pull));
    }
    int status = nt_lexicon_reserve(lexicon, count_strings(vocab), vocab.n);
    if (status == NT_OK) status = read_ids(lexicon, &pull);
    if (status == NT_OK) status = nt_lexicon_index(lexicon, where);
    nt_pull_free(&pull);
    return status;
}

int nt_read_vocab_text(nt_lexicon *lexicon, nt_passage file, const char *path) {
    nt_pull pull;
    nt_pull_init(&pull, file.bytes, file.n, 1, path);
    if (nt_pull_peek(&pull) == '{') return nt_read_vocab(lexicon, file, path);
    NT_TRY(nt_pull_skip(&pull));
    NT_TRY(nt_pull_end(&pull));
    pull.at = file.bytes;
    return nt_fail(NT_E_FORMAT, "%s holds %s where an object was expected", path,
                   nt_pull_kind(&pull));
}

int nt_read_vocab_file(nt_lexicon *lexicon, const char *path) {
    char *bytes;
    size_t n;
    NT_TRY(nt_file_read(&bytes, &n, path, NT_MAX_TOKENIZER_BYTES));
    int status = nt_read_vocab_text(lexicon, (nt_passage){bytes, n, 1}, path);
    nt_free(bytes);
    return status;
}

/* ---- Unigram -------------------------------------------------------------------------------- */

static int no_score(nt_pull *pull, const char *start, size_t number) {
    pull->at = start;
    NT_TRY(nt_pull_skip(pull));
    return nt_fail(NT_E_FORMAT,
                   "%s, line %zu: token %zu of the vocabulary must be a string with its score, "
                   "[\"token\", -1.5]",
                   pull->where, nt_pull_line(pull, start), number);
}

/* A number as JSON writes it; strtod wants the locale's decimal point. */
static int to_double(double *out, const char *number, size_t n) {
    char few[64], *copy = few;
    const char *point = localeconv()->decimal_point;
    size_t n_point = strlen(point), room = n + n_point + 1, to = 0;
    if (room > sizeof few && !(copy = nt_alloc(room, 1))) return NT_E_MEMORY;
    for (size_t i = 0; i < n; i++) {
        if (number[i] == '.') {
            memcpy(copy + to, point, n_point);
            to += n_point;
        } else {
            copy[to++] = number[i];
        }
    }
    copy[to] = 0;
    *out = strtod(copy, NULL);
    if (copy != few) nt_free(copy);
    return NT_OK;
}

/* One ["token", score]. */
static int read_score(nt_lexicon *lexicon, double *score, nt_pull *pull, size_t number) {
    char first = nt_pull_peek(pull);
    const char *start = pull->at, *content, *digits;
    size_t n, n_digits;
    bool whole, more;
    if (first != '[') return no_score(pull, start, number);
    pull->at++;
    if (nt_pull_peek(pull) != '"') return no_score(pull, start, number);
    NT_TRY(nt_pull_string(&content, &n, pull));
    NT_TRY(add_token(lexicon, pull, content, n, (uint32_t)number));
    NT_TRY(nt_pull_next(&more, pull, ']'));
    first = nt_pull_peek(pull);
    if (!more || (first != '-' && (first < '0' || first > '9')))
        return no_score(pull, start, number);
    NT_TRY(nt_pull_number(&digits, &n_digits, &whole, pull));
    NT_TRY(to_double(score, digits, n_digits));
    NT_TRY(nt_pull_next(&more, pull, ']'));
    return more || !isfinite(*score) ? no_score(pull, start, number) : NT_OK;
}

/* From the '[' on. */
static int read_scores(nt_lexicon *lexicon, nt_unigram *unigram, size_t most, nt_pull *pull) {
    pull->at++;
    bool more = nt_pull_peek(pull) != ']';
    if (!more) pull->at++;
    for (; more; unigram->n++) {
        if (unigram->n == most) {
            return nt_fail(NT_E_UNSUPPORTED, "%s: the vocabulary has more than %zu tokens",
                           pull->where, most);
        }
        NT_TRY(read_score(lexicon, &unigram->scores[unigram->n], pull, unigram->n));
        NT_TRY(nt_pull_next(&more, pull, ']'));
    }
    return nt_pull_end(pull);
}

int nt_read_scores(nt_lexicon *lexicon, nt_unigram *unigram, nt_passage vocab, const char *where) {
    nt_pull pull;
    nt_pull_init(&pull, vocab.bytes, vocab.n, vocab.line, where);
    if (nt_pull_peek(&pull) != '[') {
        return nt_fail(NT_E_FORMAT,
                       "%s: the vocabulary of a Unigram model must be an array and is %s", where,
                       nt_pull_kind(&pull));
    }
    size_t most = count_strings(vocab) + 1; /* and one to find what is wrong with it */
    if (most > (size_t)NT_MAX_ID + 1) most = (size_t)NT_MAX_ID + 1;
    unigram->n = 0;
    unigram->scores = nt_alloc(most, sizeof *unigram->scores);
    if (!unigram->scores) return NT_E_MEMORY;
    int status = nt_lexicon_reserve(lexicon, most, vocab.n);
    if (status == NT_OK) status = read_scores(lexicon, unigram, most, &pull);
    if (status == NT_OK) status = nt_lexicon_index(lexicon, where);
    nt_pull_free(&pull);
    return status;
}
