#include "text/vocab/added.h"

#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "text/unicode/unicode.h"

const nt_added_token *nt_added_of(const nt_added *added, const nt_piece *piece) {
    return piece->added ? &added->tokens[piece->added - 1] : NULL;
}

int nt_added_add(nt_added *added, nt_lexicon *lexicon, size_t n_model, const char *content,
                 size_t n, nt_added_token flags, const char *where) {
    if (n == 0) return NT_OK;
    if (n > NT_MAX_ADDED_BYTES) {
        return nt_fail(NT_E_UNSUPPORTED,
                       "%s: added token \"%.20s...\" has %zu bytes; the most is %d", where, content,
                       n, NT_MAX_ADDED_BYTES);
    }
    nt_piece *piece = nt_lexicon_find(lexicon, content, n);
    if (!piece) {
        NT_TRY(nt_lexicon_own(lexicon));
        size_t id = n_model + added->n_new++;
        if (id > NT_MAX_ID) id = (size_t)NT_MAX_ID + 1; /* refused below */
        NT_TRY(nt_lexicon_add(lexicon, content, n, (uint32_t)id, where));
        piece = nt_lexicon_find(lexicon, content, n);
    }
    flags.id = (int32_t)piece->id;
    flags.skipped = flags.special;
    if (piece->added) { /* once special, always special */
        nt_added_token *token = &added->tokens[piece->added - 1];
        flags.special = flags.special || token->special;
        flags.skipped = flags.special;
        *token = flags;
        return NT_OK;
    }
    void *tokens = added->tokens;
    int status = nt_grow(&tokens, &added->capacity, added->n + 1, sizeof *added->tokens);
    added->tokens = tokens;
    NT_TRY(status);
    added->tokens[added->n++] = flags;
    piece->added = (uint32_t)added->n;
    return NT_OK;
}

static void insert(nt_trie *trie, const char *content, size_t n, uint32_t token) {
    uint32_t node = 0;
    unsigned char start = (unsigned char)content[0];
    trie->n_starts += !trie->starts[start];
    trie->starts[start] = true;
    trie->last_start = start;
    for (size_t i = 0; i < n; i++) {
        nt_pair_slot *slot = nt_pairs_find(&trie->edges, node, (unsigned char)content[i]);
        if (slot->left == NT_NO_PAIR) {
            *slot = (nt_pair_slot){node, (unsigned char)content[i], 0, trie->n_nodes++};
        }
        node = slot->id;
    }
    if (!trie->tokens[node]) trie->tokens[node] = token + 1;
}

/* What is looked for, one token after the other: number, length, bytes. */
static int collect(nt_buffer *wanted, size_t *n_bytes, const nt_added *added,
                   const nt_lexicon *lexicon, bool normalized, nt_added_normalize *normalize,
                   void *payload) {
    for (size_t i = 0; i < added->n; i++) {
        if (added->tokens[i].normalized != normalized) continue;
        const nt_piece *piece = nt_lexicon_at(lexicon, added->tokens[i].id);
        const char *bytes = nt_piece_content(lexicon, piece);
        size_t n = piece->n_content;
        if (normalized && normalize) NT_TRY(normalize(payload, &bytes, &n));
        if (n > NT_MAX_ADDED_BYTES) {
            return nt_fail(NT_E_UNSUPPORTED,
                           "added token \"%.20s\" has %zu bytes when normalized; the most is %d",
                           nt_piece_content(lexicon, piece), n, NT_MAX_ADDED_BYTES);
        }
        if (n == 0) continue;
        const uint32_t header[2] = {(uint32_t)i, (uint32_t)n};
        nt_buffer_put(wanted, (const char *)header, sizeof header);
        nt_buffer_put(wanted, bytes, n);
        *n_bytes += n;
    }
    return wanted->status;
}

static int fill(nt_trie *trie, const nt_buffer *wanted, size_t n_bytes, uint64_t seed) {
    if (n_bytes == 0) return NT_OK;
    NT_TRY(nt_pairs_init(&trie->edges, n_bytes, seed));
    trie->tokens = nt_alloc(n_bytes + 1, sizeof *trie->tokens);
    if (!trie->tokens) return NT_E_MEMORY;
    trie->n_nodes = 1;
    uint32_t header[2];
    for (size_t at = 0; at < wanted->n; at += header[1]) {
        memcpy(header, wanted->data + at, sizeof header);
        at += sizeof header;
        insert(trie, wanted->data + at, header[1], header[0]);
    }
    return NT_OK;
}

int nt_added_finish(nt_added *added, const nt_lexicon *lexicon, nt_added_normalize *normalize,
                    void *payload) {
    nt_trie *tries[2] = {&added->raw, &added->normalized};
    for (int i = 0; i < 2; i++) {
        nt_buffer wanted = {0};
        size_t n_bytes = 0;
        int status = collect(&wanted, &n_bytes, added, lexicon, i == 1, normalize, payload);
        if (status == NT_OK) status = fill(tries[i], &wanted, n_bytes, lexicon->seed);
        nt_buffer_free(&wanted);
        NT_TRY(status);
    }
    return NT_OK;
}

static void trie_free(nt_trie *trie) {
    nt_pairs_free(&trie->edges);
    nt_free(trie->tokens);
}

void nt_added_free(nt_added *added) {
    nt_free(added->tokens);
    trie_free(&added->raw);
    trie_free(&added->normalized);
    *added = (nt_added){0};
}

/* The longest token that starts at text [n]: its number + 1 and length; 0 for none. */
static uint32_t longest(size_t *length, const nt_trie *trie, const char *text, size_t n) {
    uint32_t node = 0, found = 0;
    for (size_t i = 0; i < n; i++) {
        const nt_pair_slot *slot = nt_pairs_find(&trie->edges, node, (unsigned char)text[i]);
        if (slot->left == NT_NO_PAIR) break;
        node = slot->id;
        if (trie->tokens[node]) {
            found = trie->tokens[node];
            *length = i + 1;
        }
    }
    return found;
}

/* Where the character that ends at text[end] starts; end > 0. */
static size_t char_before(const char *text, size_t end) {
    size_t start = end - 1;
    while (start > 0 && ((unsigned char)text[start] & 0xC0) == 0x80)
        start--;
    return start;
}

static unsigned class_at(size_t *length, const char *text, size_t n) {
    int32_t code;
    *length = nt_utf8_next(&code, text, n);
    return nt_unicode_class((uint32_t)code);
}

static bool stands_alone(const char *text, size_t n, size_t start, size_t end) {
    size_t length;
    if (start > 0) {
        size_t before = char_before(text, start);
        if (class_at(&length, text + before, start - before) & NT_WORD) return false;
    }
    return end == n || !(class_at(&length, text + end, n - end) & NT_WORD);
}

/* Widens a match over the white space that its flags take, but not over what is handed out. */
static void widen(nt_added_scan *scan, size_t *start, size_t *end, const nt_added_token *token) {
    size_t length;
    if (token->lstrip) {
        while (*start > scan->start) {
            size_t before = char_before(scan->text, *start);
            if (!(class_at(&length, scan->text + before, *start - before) & NT_SPACE)) break;
            *start = before;
        }
        if (*start < scan->start) *start = scan->start;
    }
    if (token->rstrip) { /* a run of white space is walked once, however many matches it holds */
        if (*end > scan->run_end) { /* matches end ever later */
            scan->run_end = *end;
            while (scan->run_end < scan->n &&
                   class_at(&length, scan->text + scan->run_end, scan->n - scan->run_end) &
                       NT_SPACE)
                scan->run_end += length;
        }
        *end = scan->run_end;
    }
}

/* The next place in [at, n) with a byte that some token starts with; n when there is none. */
static size_t next_start(const nt_trie *trie, const char *text, size_t at, size_t n) {
    if (trie->n_starts == 1) {
        const char *found = memchr(text + at, trie->last_start, n - at);
        return found ? (size_t)(found - text) : n;
    }
    const unsigned char *bytes = (const unsigned char *)text;
    const bool *starts = trie->starts;
    for (; at + 8 <= n; at += 8) {
        const unsigned char *b = bytes + at;
        if (starts[b[0]] | starts[b[1]] | starts[b[2]] | starts[b[3]] | starts[b[4]] |
            starts[b[5]] | starts[b[6]] | starts[b[7]])
            break;
    }
    while (at < n && !starts[bytes[at]])
        at++;
    return at;
}

/* The next match from scan->at on, leftmost and then longest; false when there is none. */
static bool search(nt_added_scan *scan) {
    const nt_trie *trie = scan->trie;
    while (trie->n_nodes && scan->at < scan->n) {
        size_t start = next_start(trie, scan->text, scan->at, scan->n), length = 0;
        scan->at = start;
        if (start == scan->n) break;
        uint32_t found = longest(&length, trie, scan->text + start, scan->n - start);
        if (!found) {
            scan->at++;
            continue;
        }
        size_t end = scan->at = start + length;
        const nt_added_token *token = &scan->added->tokens[found - 1];
        if (token->special && scan->skip_special) continue;
        if (token->single_word && !stands_alone(scan->text, scan->n, start, end)) continue;
        widen(scan, &start, &end, token);
        if (end <= start) continue; /* all of it was taken by the match before */
        scan->pending = token;
        scan->pending_start = start;
        scan->pending_end = end;
        return true;
    }
    return false;
}

static bool trie_crosses(const nt_added *added, const nt_trie *trie, const char *text, size_t n,
                         size_t at) {
    size_t start = at > NT_MAX_ADDED_BYTES ? at - NT_MAX_ADDED_BYTES : 0, length;
    for (; trie->n_nodes && (start = next_start(trie, text, start, at + 1)) <= at; start++) {
        uint32_t found = longest(&length, trie, text + start, n - start);
        if (!found || start + length < at) continue;
        if (start + length > at || added->tokens[found - 1].rstrip) return true;
    }
    return false;
}

bool nt_added_crosses(const nt_added *added, const char *text, size_t n, size_t at) {
    return trie_crosses(added, &added->raw, text, n, at) ||
           trie_crosses(added, &added->normalized, text, n, at);
}

bool nt_added_next(nt_span *span, nt_added_scan *scan) {
    if (!scan->pending && !search(scan)) {
        *span = (nt_span){scan->start, scan->n, NULL};
        scan->start = scan->n;
        return span->start < span->end;
    }
    if (scan->start < scan->pending_start) {
        *span = (nt_span){scan->start, scan->pending_start, NULL};
        scan->start = scan->pending_start;
        return true;
    }
    *span = (nt_span){scan->pending_start, scan->pending_end, scan->pending};
    scan->start = scan->pending_end;
    scan->pending = NULL;
    return true;
}
