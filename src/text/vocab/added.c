#include "text/vocab/added.h"

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
        size_t id = n_model + added->n_new++;
        if (id > NT_MAX_ID) id = (size_t)NT_MAX_ID + 1; /* refused below */
        NT_TRY(nt_lexicon_add(lexicon, content, n, (uint32_t)id, where));
        piece = nt_lexicon_find(lexicon, content, n);
    }
    flags.id = (int32_t)piece->id;
    if (piece->added) { /* once special, always special */
        nt_added_token *token = &added->tokens[piece->added - 1];
        flags.special = flags.special || token->special;
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
    trie->starts[(unsigned char)content[0]] = true;
    for (size_t i = 0; i < n; i++) {
        nt_pair_slot *slot = nt_pairs_find(&trie->edges, node, (unsigned char)content[i]);
        if (slot->left == NT_NO_PAIR) {
            *slot = (nt_pair_slot){node, (unsigned char)content[i], 0, trie->n_nodes++};
        }
        node = slot->id;
    }
    trie->tokens[node] = token + 1;
}

static int build(nt_trie *trie, const nt_added *added, const nt_lexicon *lexicon, bool normalized) {
    size_t most = 0;
    for (size_t i = 0; i < added->n; i++)
        if (added->tokens[i].normalized == normalized)
            most += nt_lexicon_at(lexicon, added->tokens[i].id)->n_content;
    if (most == 0) return NT_OK;
    NT_TRY(nt_pairs_init(&trie->edges, most, lexicon->seed));
    trie->tokens = nt_alloc(most + 1, sizeof *trie->tokens);
    if (!trie->tokens) return NT_E_MEMORY;
    trie->n_nodes = 1;
    for (size_t i = 0; i < added->n; i++) {
        if (added->tokens[i].normalized != normalized) continue;
        const nt_piece *piece = nt_lexicon_at(lexicon, added->tokens[i].id);
        insert(trie, lexicon->text.data + piece->content, piece->n_content, (uint32_t)i);
    }
    return NT_OK;
}

int nt_added_finish(nt_added *added, const nt_lexicon *lexicon) {
    NT_TRY(build(&added->raw, added, lexicon, false));
    return build(&added->normalized, added, lexicon, true);
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
        if (*end < scan->run_start || *end > scan->run_end) {
            scan->run_start = scan->run_end = *end;
            while (scan->run_end < scan->n &&
                   class_at(&length, scan->text + scan->run_end, scan->n - scan->run_end) &
                       NT_SPACE)
                scan->run_end += length;
        }
        *end = scan->run_end;
    }
}

/* The next match from scan->at on, leftmost and then longest; false when there is none. */
static bool search(nt_added_scan *scan) {
    const nt_trie *trie = scan->trie;
    while (trie->n_nodes && scan->at < scan->n) {
        size_t start = scan->at, length = 0;
        uint32_t found = 0;
        if (trie->starts[(unsigned char)scan->text[start]])
            found = longest(&length, trie, scan->text + start, scan->n - start);
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
