/* Fuzz entry of the regexes of tokenizer.json: a regex, a zero byte, and a text. What it is
 * translated to compiles; matches lie in the text, in order, at whole characters; and a regex that
 * explodes ends with a message, not with the hour. */
#include "base/utf8.h"
#include "scratch.h"
#include "text/split/pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static bool at_character(const char *text, size_t n, size_t at) {
    return at == n || ((unsigned char)text[at] & 0xC0) != 0x80;
}

static void search(const nt_pattern *pattern, const char *text, size_t n) {
    nt_pattern_work work = {0};
    int status = nt_pattern_search(&work, pattern, text, n);
    if (status != NT_OK) {
        check(status == NT_E_UNSUPPORTED);
        check_message(status);
    }
    size_t last = 0;
    for (size_t i = 0; status == NT_OK && i < work.n; i++) {
        nt_match match = work.matches[i];
        check(match.start >= last && match.start <= match.end && match.end <= n);
        check(at_character(text, n, match.start) && at_character(text, n, match.end));
        check(i == 0 || match.end > work.matches[i - 1].start);
        last = match.end;
    }
    nt_pattern_work_free(&work);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    const uint8_t *regex;
    size_t n_regex = take_section(&regex, &bytes, &n);
    char *own = malloc(n_regex + n + 1), *text = own + n_regex;
    check(own != NULL);
    if (n_regex) memcpy(own, regex, n_regex);
    if (n) memcpy(text, bytes, n);
    nt_pattern *pattern;
    int status = nt_pattern_from_regex(&pattern, own, n_regex, "fuzz");
    check((pattern != NULL) == (status == NT_OK));
    if (status == NT_OK) {
        size_t n_text = nt_utf8_check(text, n); /* texts come to it well-formed */
        search(pattern, text, n_text);
        /* again and again the same: where explosion would show */
        char many[4096];
        size_t n_many = 0;
        while (n_text && n_many + n_text <= sizeof many) {
            memcpy(many + n_many, text, n_text);
            n_many += n_text;
        }
        search(pattern, many, n_many);
        nt_pattern_free(pattern);
    } else {
        check_message(status);
    }
    free(own);
    return 0;
}
