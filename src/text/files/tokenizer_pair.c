/* GPT-2's own form: vocab.json and merges.txt, with what tokenizer_config.json,
 * special_tokens_map.json and added_tokens.json add; and parts that classes make anew. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "text/files/image.h"
#include "text/files/readings.h"

int nt_make_parts(nt_tokenizer *tokenizer, const char *normalizer, const char *pre_tokenizer,
                  const char *decoder) {
    static const char where[] = "the class";
    const char *const texts[3] = {normalizer, pre_tokenizer, decoder};
    int status = NT_OK;
    for (int i = 0; i < 3 && status == NT_OK; i++) {
        if (!texts[i]) continue;
        json_t *part;
        NT_TRY(nt_json_parse(&part, texts[i], strlen(texts[i]), where));
        status = i == 0   ? nt_normalizers_read(&tokenizer->normalizers, part, where)
                 : i == 1 ? nt_pre_tokenizers_read(&tokenizer->pre_tokenizers, part, where)
                          : nt_decoders_read(&tokenizer->decoders, part, where);
        json_decref(part);
    }
    return status;
}

int nt_make_byte_level(nt_tokenizer *tokenizer, bool add_prefix_space) {
    char level[120];
    snprintf(level, sizeof level,
             "{\"type\":\"ByteLevel\",\"add_prefix_space\":%s,\"trim_offsets\":true,"
             "\"use_regex\":true}",
             add_prefix_space ? "true" : "false");
    return nt_make_parts(tokenizer, NULL, level, level);
}

static int read_model(nt_tokenizer *tokenizer, const nt_pair_of_files *files, const char *vocab,
                      const char *merges) {
    nt_lexicon *lexicon = &tokenizer->lexicon;
    nt_bpe *bpe = &tokenizer->subword.bpe;
    bool taken;
    NT_TRY(nt_image_take(&taken, lexicon, bpe, files));
    if (!taken) {
        NT_TRY(nt_read_vocab_text(lexicon, files->vocab, vocab));
        NT_TRY(nt_read_merges_text(bpe, lexicon, files->merges, merges));
        NT_TRY(nt_bpe_finish(bpe, lexicon));
    }
    tokenizer->n_model = lexicon->n;
    tokenizer->subword.unk = -1;
    return NT_OK;
}

static int read_files(nt_tokenizer *tokenizer, const char *vocab, const char *merges) {
    char *text[2] = {0};
    size_t n[2];
    int status = nt_file_read(&text[0], &n[0], vocab, NT_MAX_TOKENIZER_BYTES);
    if (status == NT_OK) status = nt_file_read(&text[1], &n[1], merges, NT_MAX_TOKENIZER_BYTES);
    if (status == NT_OK) {
        nt_pair_of_files files = {{text[0], n[0], 1}, {text[1], n[1], 1}, true};
        status = read_model(tokenizer, &files, vocab, merges);
    }
    nt_free(text[0]);
    nt_free(text[1]);
    return status;
}

int nt_tokenizer_read_pair(nt_tokenizer *tokenizer, const char *folder,
                           const nt_token_config *config) {
    static const char end[] = "<|endoftext|>";
    static const char *const defaults[NT_ROLES] = {
        [NT_ROLE_BOS] = end, [NT_ROLE_EOS] = end, [NT_ROLE_UNK] = end};
    if (config->class_name && !nt_token_config_is_gpt2(config)) {
        return nt_fail(NT_E_UNSUPPORTED,
                       "%s: tokenizer_class \"%s\" needs a tokenizer.json; vocab.json with "
                       "merges.txt is read as GPT2Tokenizer's",
                       config->config_path, config->class_name);
    }
    char *vocab = nt_path_join(folder, "vocab.json"), *merges = nt_path_join(folder, "merges.txt");
    int status = vocab && merges ? read_files(tokenizer, vocab, merges) : NT_E_MEMORY;
    nt_free(vocab);
    nt_free(merges);
    NT_TRY(status);
    bool prefix = false;
    NT_TRY(nt_json_bool(&prefix, config->config, "add_prefix_space", config->config_path));
    NT_TRY(nt_make_byte_level(tokenizer, prefix));
    NT_TRY(nt_add_configured(tokenizer, folder, config, NULL));
    NT_TRY(nt_add_special(tokenizer, config, defaults, NT_SPECIAL_KNOWN));
    NT_TRY(nt_apply_roles(tokenizer, config, defaults));
    return nt_apply_surround(tokenizer, config);
}
