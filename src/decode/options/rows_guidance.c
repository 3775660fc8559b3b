/* Options of guidance, and those that keep the numbers in order. */
#include "decode/options/rows.h"

#define SECTION "guidance and numbers"

static const nt_option_row rows[] = {
    {.info = {"guidance_scale", "number", "none", "a number; 1 is off",
              "Above 1, lead away from what the model writes without the prompt.", SECTION,
              NT_TRANSFORMERS,
              "Classifier-free guidance (Sanchez et al. 2023). A second sequence runs beside the "
              "first; it begins from the negative prompt, or without one from the prompt's last "
              "token alone, and receives the same new tokens. With c and u the log-probabilities "
              "in both, each logit becomes u + g (c - u), where g is guidance_scale. Above 1 what "
              "the prompt makes likelier gains; between 0 and 1 the prompt counts less; below 0 it "
              "counts the other way round.\n\n"
              "1.2 to 2 is usual; more makes texts stiff. It costs a second row of the model at "
              "every step. Use it to hold a text to its prompt, or with negative_prompt to lead "
              "away from something.",
              "1.5", .one_step = true},
     .type = NT_OPTION_NUMBER,
     .offset = NT_FIELD(guidance_scale),
     .low = -FLT_MAX,
     .high = FLT_MAX,
     .unset = NT_NOT_GIVEN},
    {.info = {"negative_prompt", "text", "none", "a text",
              "With guidance_scale, the text to lead away from.", SECTION, NT_OURS,
              "What the second sequence of guidance_scale begins from, in place of the prompt's "
              "last token: the model is led towards what follows the prompt and away from what "
              "follows this text. It needs guidance_scale and cannot be joined with "
              "negative_prompt_ids. An empty text stands for the model's beginning-of-sequence "
              "token.\n\n"
              "What works best is the prompt in another manner, such as the same question asked "
              "for a rude answer.",
              "The weather is bad.", .one_step = true},
     .type = NT_OPTION_TEXT,
     .ours = true,
     .offset = NT_FIELD(negative_prompt)},
    {.info = {"negative_prompt_ids", "ids", "none", "ids of the vocabulary",
              "The same as token ids.", SECTION, "transformers, an argument of generate",
              "negative_prompt in ids of the vocabulary, for models without a tokenizer and for "
              "comparison with transformers, where it is an argument of generate and no field of "
              "GenerationConfig. It needs guidance_scale and cannot be joined with "
              "negative_prompt.",
              "11,12", .one_step = true},
     .type = NT_OPTION_IDS,
     .ours = true,
     .must_be = true,
     .offset = NT_FIELD(negative_prompt_ids),
     .offset_n = NT_FIELD(n_negative_prompt_ids),
     .low = 0,
     .high = INT32_MAX},
    {.info =
         {"remove_invalid_values", "boolean", "false", "true or false",
          "Replace what processors made of logits where it is not a finite number.", SECTION,
          NT_TRANSFORMERS,
          "NaN becomes 0, infinity the largest float32 and minus infinity the smallest "
          "(-3.4e38). It comes after most bans: what they set to minus infinity is then merely "
          "very unlikely, and can come where nothing else is left; what suppress_tokens, "
          "begin_suppress_tokens and the cuts of drawing take out stays out.\n\n"
          "The model's own logits are not mended here: NaN or infinity in them is an error with "
          "or without this option, as there is no probability to show. transformers would go "
          "on.",
          "true", .one_step = true},
     .type = NT_OPTION_BOOLEAN,
     .offset = NT_FIELD(remove_invalid_values)},
    {.info = {"renormalize_logits", "boolean", "false", "true or false",
              "Make log-probabilities of the logits after all processors.", SECTION,
              NT_TRANSFORMERS,
              "The last of all processors: each logit x becomes x - ln(sum of exp x), so that the "
              "probabilities add up to 1. For greedy search and drawing that changes nothing. With "
              "beams it does: their scores are sums of processed log-probabilities, which bans and "
              "cuts leave below what they would be in a distribution. Without it, a beam that bans "
              "left little choice counts as unlikely; with it, it does not.",
              "true", .one_step = true},
     .type = NT_OPTION_BOOLEAN,
     .offset = NT_FIELD(renormalize_logits)},
};

const nt_option_section nt_options_guidance = NT_SECTION(rows);
