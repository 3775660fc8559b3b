/* Reading merges: "left right" as lines or as strings, or ["left", "right"]. */
#include <string.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/memory.h"
#include "text/files/json_pull.h"
#include "text/files/sections.h"

enum { BATCH = 32 }; /* merges looked up together: their cache misses overlap */

typedef struct pending {
    const char *left, *right;
    size_t n_left, n_right;
    size_t number; /* of its line or entry, for messages */
    uint32_t rank;
    uint32_t hash_left, hash_right;
    const nt_piece *left_piece, *right_piece;
} pending;

/* Where merges come from, and those of them that are read but not looked up. */
typedef struct source {
    nt_bpe *bpe;
    const nt_lexicon *lexicon;
    const char *where, *unit; /* for messages: "file, line 3" or "file, merge 2" */
    uint32_t last; /* id of the whole of the merge before: the next is mostly the next one */
    pending items[BATCH];
    size_t n_items;
    nt_arena kept; /* sides that do not stand in the file as they are */
    char *whole;   /* [capacity] one that is looked up */
    size_t capacity;
} source;

static int no_token(const source *from, size_t number, const char *content, size_t n) {
    return nt_fail(NT_E_FORMAT, "%s, %s %zu: the merge needs \"%.*s\", which the vocabulary lacks",
                   from->where, from->unit, number, n > 60 ? 60 : (int)n, content);
}

/* Finds left and right of a merge. */
static int find_sides(const source *from, pending *merge) {
    const nt_lexicon *lexicon = from->lexicon;
    size_t n_left = merge->n_left, n_right = merge->n_right;
    merge->left_piece = nt_lexicon_find_hash(lexicon, merge->hash_left, merge->left, n_left);
    if (!merge->left_piece) return no_token(from, merge->number, merge->left, n_left);
    merge->right_piece = nt_lexicon_find_hash(lexicon, merge->hash_right, merge->right, n_right);
    if (!merge->right_piece) return no_token(from, merge->number, merge->right, n_right);
    if (n_right < from->bpe->n_prefix) {
        return nt_fail(NT_E_FORMAT,
                       "%s, %s %zu: \"%.*s\" is shorter than the continuing_subword_prefix that "
                       "it must begin with",
                       from->where, from->unit, merge->number, (int)n_right, merge->right);
    }
    nt_merges_prefetch(&from->bpe->merges, merge->left_piece->id, merge->right_piece->id);
    return NT_OK;
}

/* Whether a piece's content is left [n_left] and right [n_right] in a row. */
static bool is_whole(const nt_lexicon *lexicon, const nt_piece *piece, const char *left,
                     size_t n_left, const char *right, size_t n_right) {
    if (!piece || piece->n_content != n_left + n_right) return false;
    const char *content = nt_piece_content(lexicon, piece);
    return memcmp(content, left, n_left) == 0 &&
           (n_right == 0 || memcmp(content + n_left, right, n_right) == 0);
}

/* Finds the whole of a merge and adds the merge. */
static int add(source *from, const pending *merge) {
    size_t n_prefix = from->bpe->n_prefix, n_left = merge->n_left;
    size_t n_right = merge->n_right - n_prefix, n = n_left + n_right;
    const char *right = merge->right + n_prefix;
    const nt_piece *piece = nt_lexicon_at(from->lexicon, (int64_t)from->last + 1);
    if (!is_whole(from->lexicon, piece, merge->left, n_left, right, n_right)) {
        void *whole = from->whole;
        int status = nt_grow(&whole, &from->capacity, n + 1, 1);
        from->whole = whole;
        NT_TRY(status);
        memcpy(from->whole, merge->left, n_left);
        memcpy(from->whole + n_left, right, n_right);
        piece = nt_lexicon_find(from->lexicon, from->whole, n);
        if (!piece) return no_token(from, merge->number, from->whole, n);
    }
    from->last = piece->id;
    return nt_merges_put(&from->bpe->merges, merge->left_piece->id, merge->right_piece->id,
                         merge->rank, piece->id);
}

static int find_all(source *from, size_t n) {
    size_t found = 0;
    int status = NT_OK;
    for (size_t i = 0; i < n; i++) {
        nt_lexicon_approach(from->lexicon, from->items[i].hash_left);
        nt_lexicon_approach(from->lexicon, from->items[i].hash_right);
    }
    for (; found < n && status == NT_OK; found++)
        status = find_sides(from, &from->items[found]);
    if (status != NT_OK) n = found - 1; /* those before it may have an error of their own */
    for (size_t i = 0; i < n; i++)
        NT_TRY(add(from, &from->items[i]));
    return status;
}

/* Adds what was read so far. */
static int flush(source *from) {
    int status = find_all(from, from->n_items);
    from->n_items = 0;
    if (from->kept.block) nt_arena_free(&from->kept);
    return status;
}

/* Takes the merge of two sides, which stay where they are until the next flush. */
static int take(source *from, const char *left, size_t n_left, const char *right, size_t n_right,
                uint32_t rank, size_t number) {
    from->items[from->n_items++] =
        (pending){.left = left,
                  .right = right,
                  .n_left = n_left,
                  .n_right = n_right,
                  .number = number,
                  .rank = rank,
                  .hash_left = nt_lexicon_hash(from->lexicon, left, n_left),
                  .hash_right = nt_lexicon_hash(from->lexicon, right, n_right)};
    return from->n_items == BATCH ? flush(from) : NT_OK;
}

/* Takes the merge "left right". */
static int take_line(source *from, const char *line, size_t n, uint32_t rank, size_t number) {
    const char *space = memchr(line, ' ', n);
    size_t n_left = space ? (size_t)(space - line) : 0, n_right = space ? n - n_left - 1 : 0;
    if (n_left == 0 || n_right == 0 || memchr(space + 1, ' ', n_right)) {
        return nt_fail(NT_E_FORMAT,
                       "%s, %s %zu: \"%.*s\" is no merge; two tokens with one space between them "
                       "were expected",
                       from->where, from->unit, number, n > 60 ? 60 : (int)n, line);
    }
    return take(from, line, n_left, space + 1, n_right, rank, number);
}

static bool is_version(const char *line, size_t n) { /* on any line, as tokenizers */
    return n >= 8 && memcmp(line, "#version", 8) == 0;
}

/* Room for at most n merges; ranks end at NT_MAX_ID, and so does what is read. */
static int start(source *from, size_t n) {
    return nt_merges_init(&from->bpe->merges, n < NT_MAX_ID ? n : NT_MAX_ID, from->lexicon->seed);
}

/* Adds what is left. Where reading failed, an error in what came before it goes first. */
static int finish(source *from, int status) {
    int before = status == NT_E_MEMORY ? NT_OK : flush(from);
    nt_arena_free(&from->kept);
    nt_free(from->whole);
    return before != NT_OK ? before : status;
}

static int check_rank(const source *from, size_t rank) {
    if (rank < NT_MAX_ID) return NT_OK;
    return nt_fail(NT_E_UNSUPPORTED, "%s has more than %d merges, the most that are read",
                   from->where, NT_MAX_ID);
}

/* ---- merges.txt ----------------------------------------------------------------------------- */

static int read_lines(source *from, const char *bytes, size_t n_bytes) {
    const char *line = bytes, *end = bytes + n_bytes;
    size_t rank = 0;
    for (size_t number = 1; line < end; number++) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        if (!newline) newline = end;
        size_t n = (size_t)(newline - line);
        if (n && line[n - 1] == '\r') n--;
        if (n && !is_version(line, n)) {
            NT_TRY(check_rank(from, rank));
            NT_TRY(take_line(from, line, n, (uint32_t)rank++, number));
        }
        line = newline + 1;
    }
    return NT_OK;
}

int nt_read_merges_text(nt_bpe *bpe, const nt_lexicon *lexicon, nt_passage file, const char *path) {
    source from = {.bpe = bpe, .lexicon = lexicon, .where = path, .unit = "line"};
    NT_TRY(start(&from, nt_pull_count(file.bytes, file.n, '\n') + 1));
    return finish(&from, read_lines(&from, file.bytes, file.n));
}

int nt_read_merges_file(nt_bpe *bpe, const nt_lexicon *lexicon, const char *path) {
    char *bytes;
    size_t n;
    NT_TRY(nt_file_read(&bytes, &n, path, NT_MAX_TOKENIZER_BYTES));
    int status = nt_read_merges_text(bpe, lexicon, (nt_passage){bytes, n, 1}, path);
    nt_free(bytes);
    return status;
}

/* ---- JSON ----------------------------------------------------------------------------------- */

static int not_alike(nt_pull *pull, const char *entry, bool as_strings, size_t number) {
    pull->at = entry;
    NT_TRY(nt_pull_skip(pull));
    return nt_fail(NT_E_FORMAT, "%s: merge %zu is not %s like the first", pull->where, number,
                   as_strings ? "a string" : "a pair of strings");
}

/* The string that stands next, kept until the next flush. */
static int keep_string(const char **out, size_t *n, source *from, nt_pull *pull) {
    NT_TRY(nt_pull_string(out, n, pull));
    if (*n && *out == pull->text) *out = nt_arena_copy(&from->kept, *out, *n);
    return *out ? NT_OK : NT_E_MEMORY;
}

static int read_string(source *from, nt_pull *pull, size_t number) {
    const char *entry = pull->at, *line;
    size_t n;
    if (nt_pull_peek(pull) != '"') return not_alike(pull, entry, true, number);
    NT_TRY(keep_string(&line, &n, from, pull));
    return is_version(line, n) ? NT_OK : take_line(from, line, n, (uint32_t)number, number);
}

static int read_pair(source *from, nt_pull *pull, size_t number) {
    const char *entry = pull->at, *side[2];
    size_t n[2];
    bool more;
    if (nt_pull_peek(pull) != '[') return not_alike(pull, entry, false, number);
    pull->at++;
    for (int i = 0; i < 2; i++) {
        if (nt_pull_peek(pull) != '"') return not_alike(pull, entry, false, number);
        NT_TRY(keep_string(&side[i], &n[i], from, pull));
        NT_TRY(nt_pull_next(&more, pull, ']'));
        if (more != (i == 0)) return not_alike(pull, entry, false, number);
    }
    return take(from, side[0], n[0], side[1], n[1], (uint32_t)number, number);
}

/* From the first entry on. */
static int read_all(source *from, nt_pull *pull, bool as_strings) {
    bool more = nt_pull_peek(pull) != ']';
    if (!more) pull->at++;
    for (size_t number = 0; more; number++) {
        NT_TRY(check_rank(from, number));
        NT_TRY(as_strings ? read_string(from, pull, number) : read_pair(from, pull, number));
        NT_TRY(nt_pull_next(&more, pull, ']'));
    }
    return nt_pull_end(pull);
}

/* The most merges that a passage can hold. */
static size_t count_merges(nt_passage merges, bool as_strings) {
    return nt_pull_count(merges.bytes, merges.n, '"') / (as_strings ? 2 : 4);
}

int nt_read_merges(nt_bpe *bpe, const nt_lexicon *lexicon, nt_passage merges, const char *where) {
    nt_pull pull;
    nt_pull_init(&pull, merges.bytes, merges.n, merges.line, where);
    if (nt_pull_peek(&pull) != '[') {
        return nt_fail(NT_E_FORMAT, "%s: \"merges\" must be an array and is %s", where,
                       nt_pull_kind(&pull));
    }
    pull.at++;
    bool as_strings = nt_pull_peek(&pull) == '"';
    source from = {.bpe = bpe, .lexicon = lexicon, .where = where, .unit = "merge"};
    int status = start(&from, count_merges(merges, as_strings));
    if (status == NT_OK) status = finish(&from, read_all(&from, &pull, as_strings));
    nt_pull_free(&pull);
    return status;
}
