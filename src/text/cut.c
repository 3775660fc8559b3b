/* Which tokenizers take a text in pieces. */
#include <string.h>

#include "text/tokenizer.h"

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* A normalizer that looks no further than one character and the marks behind it. */
static bool is_local(nt_normalizer_kind kind) {
    switch (kind) {
    case NT_NFC:
    case NT_NFD:
    case NT_NFKC:
    case NT_NFKD:
    case NT_LOWERCASE:
    case NT_STRIP_ACCENTS: return true;
    default: return false;
    }
}

/* An added token that could lie across the space of "a b": it holds such a one, or what normalizers
 * may make of it is not looked into. */
static bool lies_across(const nt_tokenizer *tokenizer, const nt_added_token *token) {
    const nt_piece *piece = nt_lexicon_at(&tokenizer->lexicon, token->id);
    const char *content = nt_piece_content(&tokenizer->lexicon, piece);
    for (size_t i = 0; i < piece->n_content; i++) {
        if (token->normalized && tokenizer->normalizers.n && (unsigned char)content[i] >= 0x80)
            return true;
        if (content[i] == ' ' && i > 0 && i + 1 < piece->n_content && is_letter(content[i - 1]) &&
            is_letter(content[i + 1]))
            return true;
    }
    return false;
}

bool nt_tokenizer_may_cut(const nt_tokenizer *tokenizer) {
    nt_scan_kind kind = tokenizer->lane.kind;
    if (kind == NT_SCAN_NONE || kind == NT_SCAN_WHOLE) return false;
    for (size_t i = 0; i < tokenizer->normalizers.n; i++)
        if (!is_local(tokenizer->normalizers.list[i].kind)) return false;
    for (size_t i = 0; i < tokenizer->added.n; i++)
        if (lies_across(tokenizer, &tokenizer->added.tokens[i])) return false;
    return true;
}

/* Normalizers may change what is looked for second: only tokens that no space touches are safe. */
static bool is_near_space(const nt_tokenizer *tokenizer, const nt_added_token *token) {
    const nt_piece *piece = nt_lexicon_at(&tokenizer->lexicon, token->id);
    const char *content = nt_piece_content(&tokenizer->lexicon, piece);
    return token->rstrip || memchr(content, ' ', piece->n_content);
}

/* The first window, each twice as wide as the one before, that has a border. */
static size_t next_border(const char *text, size_t n, size_t low) {
    for (size_t width = 256; low < n; width *= 2) {
        size_t high = n - low > width ? low + width : n;
        size_t at = nt_scan_border(text, n, low, high);
        if (at < high) return at;
        low = high;
    }
    return n;
}

size_t nt_tokenizer_border(const nt_tokenizer *tokenizer, const char *text, size_t n, size_t low) {
    const nt_added *added = &tokenizer->added;
    for (size_t i = 0; tokenizer->normalizers.n && i < added->n; i++)
        if (added->tokens[i].normalized && is_near_space(tokenizer, &added->tokens[i])) return n;
    size_t at = next_border(text, n, low);
    while (at < n && nt_added_crosses(added, text, n, at))
        at = next_border(text, n, at + 1);
    return at;
}
