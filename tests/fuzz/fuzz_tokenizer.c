/* Fuzz entry of tokenizers as a whole. The input is tokenizer.json, a zero byte, the text of
 * tokenizer_config.json or nothing, a zero byte, a byte of flags, and a text: what opens keeps
 * every promise of nextoken_text.h for that text, and what does not says why in one line. */
#include "check_tokenizer.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    const uint8_t *section;
    size_t n_section = take_section(&section, &bytes, &n);
    scratch_put("tokenizer.json", section, n_section);
    n_section = take_section(&section, &bytes, &n);
    scratch_put_any("tokenizer_config.json", section, n_section);
    check_folder(bytes, n);
    return 0;
}
