/* Options against repetition. */
#include "decode/options/rows.h"

#define SECTION "repetition"

static const nt_option_row rows[] = {
    {.info =
         {"repetition_penalty", "number", "1", "above 0; 1 is off",
          "Above 1, make every token less likely that prompt or text already hold.", SECTION,
          NT_TRANSFORMERS,
          "For each different token of prompt and new text, once however often it is there: a "
          "logit x above 0 becomes x / p, one below 0 becomes x p (Keskar et al. 2019). With "
          "beams x is a log-probability, so that only x p comes about. Below 1 it rewards "
          "repetition instead.\n\n"
          "1.1 to 1.3 is usual; the paper takes 1.2. Because it depends on where a model's "
          "logits have their zero, the same value bites more in some models than in others, and "
          "it hits words that must come again, such as full stops and articles. For bans of "
          "whole phrases see no_repeat_ngram_size.",
          "1.3", .one_step = true},
     .type = NT_OPTION_NUMBER,
     .offset = NT_FIELD(repetition_penalty),
     .low = FLT_MIN,
     .high = FLT_MAX,
     .unset = NT_NOT_GIVEN},
    {.info =
         {"encoder_repetition_penalty", "number", "1", "above 0; 1 is off",
          "Above 1, make the tokens of the prompt likelier.", SECTION, NT_TRANSFORMERS,
          "The inverse of repetition_penalty, on the prompt's tokens only: a logit x above 0 "
          "becomes x p, one below 0 becomes x / p, once for each different token of the prompt. "
          "Above 1 the text keeps to the prompt's own words, below 1 it avoids them. The name "
          "comes from models with an encoder, where the prompt is the encoder's "
          "input.\n\n"
          "Use a value a little above 1 where a text should stay with what it was given, as in "
          "summaries.",
          "1.5", .one_step = true},
     .type = NT_OPTION_NUMBER,
     .offset = NT_FIELD(encoder_repetition_penalty),
     .low = FLT_MIN,
     .high = FLT_MAX,
     .unset = NT_NOT_GIVEN},
    {.info = {"frequency_penalty", "number", "0", "a number, usually -2 to 2",
              "Take this from a token's logit for each time that it has been generated.", SECTION,
              "OpenAI, vLLM",
              "The logit of a token that has been generated n times becomes x - n times the "
              "penalty. The prompt does not count, as in the services it is taken from. Negative "
              "values favour repetition.\n\n"
              "0.1 to 1 curbs words that come back again and again, in proportion. See also "
              "presence_penalty, which does not count how often.",
              "0.5", .one_step = true},
     .type = NT_OPTION_NUMBER,
     .ours = true,
     .offset = NT_FIELD(frequency_penalty),
     .low = -FLT_MAX,
     .high = FLT_MAX,
     .unset = NT_NOT_GIVEN},
    {.info =
         {"presence_penalty", "number", "0", "a number, usually -2 to 2",
          "Take this once from the logit of each token that has been generated.", SECTION,
          "OpenAI, vLLM",
          "The logit x of a token that has been generated at least once becomes x - penalty. The "
          "prompt does not count, as in the services it is taken from. Negative values favour "
          "repetition.\n\n"
          "0.1 to 1 leads to new words and topics. See also frequency_penalty, which grows with "
          "each repetition, and repetition_penalty, which counts the prompt as well.",
          "1", .one_step = true},
     .type = NT_OPTION_NUMBER,
     .ours = true,
     .offset = NT_FIELD(presence_penalty),
     .low = -FLT_MAX,
     .high = FLT_MAX,
     .unset = NT_NOT_GIVEN},
    {.info = {"no_repeat_ngram_size", "integer", "0", "0 or more; 0 is off",
              "Let no run of this many tokens come twice, prompt included.", SECTION,
              NT_TRANSFORMERS,
              "Before each token, every token that would complete a run of n tokens that prompt or "
              "text already hold gets minus infinity. With 2 no pair of tokens comes twice, with 1 "
              "no token.\n\n"
              "It cures the loops of greedy and beam search; 2 to 4 is usual. It is a hard ban: a "
              "name of several tokens can be written only once, so take a larger n for longer "
              "texts.",
              "2", .one_step = true},
     .type = NT_OPTION_INTEGER,
     .offset = NT_FIELD(no_repeat_ngram_size),
     .low = 0,
     .high = INT32_MAX,
     .unset = -1},
    {.info = {"encoder_no_repeat_ngram_size", "integer", "0", "0 or more; 0 is off",
              "Let no run of this many tokens of the prompt come again.", SECTION, NT_TRANSFORMERS,
              "As no_repeat_ngram_size, but only runs that stand in the prompt are banned; the new "
              "text may repeat itself. The name comes from models with an encoder, where "
              "the prompt is the encoder's input.\n\n"
              "Use it where the text should say things in words of its own rather than copy.",
              "2", .one_step = true},
     .type = NT_OPTION_INTEGER,
     .offset = NT_FIELD(encoder_no_repeat_ngram_size),
     .low = 0,
     .high = INT32_MAX,
     .unset = -1},
};

const nt_option_section nt_options_repetition = NT_SECTION(rows);
