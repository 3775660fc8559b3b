/* Options that ban, favour or force given ids. */
#include "decode/options/rows.h"

#define SECTION "bans and biases"

static const nt_option_row rows[] = {
    {.info = {"bad_words_ids", "words", "none",
              "a JSON list of one or more lists of ids, such as [[13], [11, 12]]",
              "Never write these runs of tokens.", SECTION, NT_TRANSFORMERS,
              "Each word is a list of ids. Where all but its last id have just been written, the "
              "last one gets minus infinity; a word of one id is banned everywhere. A word that is "
              "a single end-of-sequence id is passed over. The prompt counts as written.\n\n"
              "Mind the tokenizer: a word has different ids at the beginning of a text and after "
              "a space, with a capital and without, and each of them needs an entry; the command "
              "tokenize tells them.",
              "[[13], [11, 12]]", .one_step = true},
     .type = NT_OPTION_WORDS,
     .offset = NT_FIELD(bad_words_ids),
     .offset_n = NT_FIELD(n_bad_words_ids)},
    {.info =
         {"suppress_tokens", "ids", "none", "ids of the vocabulary, or none",
          "Never write these tokens.", SECTION, NT_TRANSFORMERS,
          "The logits of these ids are set to minus infinity at every step. It is the plain form "
          "of bad_words_ids for single tokens, and unlike there an end-of-sequence id may be "
          "among them: then no sequence ends by it.",
          "11,13", .one_step = true},
     .type = NT_OPTION_IDS,
     .offset = NT_FIELD(suppress_tokens),
     .offset_n = NT_FIELD(n_suppress_tokens),
     .low = 0,
     .high = INT32_MAX},
    {.info =
         {"begin_suppress_tokens", "ids", "none", "ids of the vocabulary, or none",
          "Do not write these tokens first.", SECTION, NT_TRANSFORMERS,
          "The logits of these ids are set to minus infinity at the first new token only; after "
          "a prompt of one token with forced_bos_token_id, at the second. Use it to keep an "
          "answer from beginning with a line break, a space or an end-of-sequence token.",
          "11,13", .one_step = true},
     .type = NT_OPTION_IDS,
     .offset = NT_FIELD(begin_suppress_tokens),
     .offset_n = NT_FIELD(n_begin_suppress_tokens),
     .low = 0,
     .high = INT32_MAX},
    {.info =
         {"sequence_bias", "biases", "none",
          "a JSON list of one or more pairs of ids and a number, such as [[[11, 12], -0.5]]",
          "Add to the logits of given tokens, or of the last token of given runs.", SECTION,
          NT_TRANSFORMERS,
          "Each entry is a list of ids and a number. The number is added to the logit of the "
          "last id wherever the ids before it have just been written; for a single id, at every "
          "step. Several entries that meet the same token add up, and of two entries with "
          "the same ids the last one counts. Above 0 favours, below 0 disfavours, -inf forbids. "
          "A JSON object with keys such as \"11, 12\" is understood as well.\n\n"
          "A bias on the end of a run does not lead to its beginning: to favour a word of "
          "several tokens, bias its first ids, too, or use num_beams.",
          "[[[11], -5.0], [[13], 2.5]]", .one_step = true},
     .type = NT_OPTION_BIASES,
     .offset = NT_FIELD(sequence_bias),
     .offset_n = NT_FIELD(n_sequence_bias)},
    {.info = {"logit_bias", "biases", "none",
              "an id and a number each, such as 50256:-100,11:2.5 or a JSON object",
              "Add to the logits of given tokens.", SECTION, "OpenAI, vLLM",
              "For each id a number that is added to its logit at every step: sequence_bias for "
              "single ids, in the form that OpenAI's interface has. A difference of 1 changes the "
              "odds against the other tokens by a factor of 2.718; -100 bans and 100 forces in "
              "practice, and -inf bans by rule. On the command line it is written "
              "50256:-100,11:2.5, in JSON {\"50256\": -100, \"11\": 2.5}.",
              "11:-5,13:2.5", .one_step = true},
     .type = NT_OPTION_BIASES,
     .ours = true,
     .single_ids = true,
     .offset = NT_FIELD(logit_bias),
     .offset_n = NT_FIELD(n_logit_bias)},
    {.info = {"forced_bos_token_id", "integer", "none", "an id of the vocabulary",
              "After a prompt of one token alone, write this token.", SECTION, NT_TRANSFORMERS,
              "Where the whole sequence is one token long, every other id gets minus infinity, so "
              "that this one comes. After longer prompts it does nothing. It is meant for "
              "translation models, which are told the language to write by their first token.",
              "11", .one_step = true},
     .type = NT_OPTION_INTEGER,
     .offset = NT_FIELD(forced_bos_token_id),
     .low = 0,
     .high = INT32_MAX,
     .unset = -1},
    {.info =
         {"forced_eos_token_id", "ids", "none", "ids of the vocabulary, or none",
          "Where the length is used up, end with this token.", SECTION, NT_TRANSFORMERS,
          "At the last token that the length allows, every id but these gets minus infinity, so "
          "that the sequence ends with one of them. Sequences that end earlier are not "
          "touched. Use it where something that reads the text needs an end mark; the "
          "text itself is still cut off there.",
          "13"},
     .type = NT_OPTION_IDS,
     .must_be = true,
     .offset = NT_FIELD(forced_eos_token_id),
     .offset_n = NT_FIELD(n_forced_eos_token_id),
     .low = 0,
     .high = INT32_MAX},
};

const nt_option_section nt_options_bans = NT_SECTION(rows);
