/* For the tests of vocabularies and merges. */
#ifndef NT_TESTS_TEXT_READING_H
#define NT_TESTS_TEXT_READING_H

#include <string.h>

#include "text/files/sections.h"

static inline void take_ok(int status) {
    if (status != NT_OK) fail_msg("%s", nt_error_message());
}

static inline void refused(int status, int wanted, const char *phrase) {
    if (status != wanted || !strstr(nt_error_message(), phrase))
        fail_msg("%s with \"%s\" where %s with \"%s\" was expected", nt_status_name(status),
                 status ? nt_error_message() : "", nt_status_name(wanted), phrase);
}

static inline nt_lexicon new_lexicon(void) {
    return (nt_lexicon){.seed = nt_hash_seed()};
}

static inline nt_passage passage_of(const char *text) {
    return (nt_passage){text, strlen(text), 1};
}

static inline uint32_t id_of(const nt_lexicon *lexicon, const char *content) {
    const nt_piece *piece = nt_lexicon_find(lexicon, content, strlen(content));
    assert_non_null(piece);
    return piece->id;
}

/* Rank of a merge and *whole; NT_NO_MERGE and *whole as it is where there is none. */
static inline uint32_t find_merge(uint32_t *whole, const nt_merges *merges, uint32_t left,
                                  uint32_t right) {
    uint32_t rank = nt_merges_rank(merges, left, right);
    if (rank != NT_NO_MERGE) *whole = merges->wholes[rank];
    return rank;
}

static inline void check_merge(const nt_bpe *bpe, uint32_t left, uint32_t right, uint32_t rank,
                               uint32_t whole) {
    uint32_t found = 0;
    assert_int_equal(find_merge(&found, &bpe->merges, left, right), rank);
    assert_int_equal(found, whole);
}

#endif
