/* Fuzz entry of a tokenizer in several files: vocab.json, merges.txt, added_tokens.json,
 * special_tokens_map.json and tokenizer_config.json, each before a zero byte, the last three there
 * or not; then a byte of flags, and a text. What opens keeps every promise of nextoken_text.h. */
#include "check_tokenizer.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    static const char *const names[] = {"vocab.json", "merges.txt", "added_tokens.json",
                                        "special_tokens_map.json", "tokenizer_config.json"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const uint8_t *section;
        size_t n_section = take_section(&section, &bytes, &n);
        scratch_put_any(names[i], section, n_section);
    }
    check_folder(bytes, n);
    return 0;
}
