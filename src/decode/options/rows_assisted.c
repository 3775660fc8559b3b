/* Options of assisted decoding, and of what a result keeps. */
#include "decode/options/rows.h"

#define SECTION "assisted decoding"

static const char *const schedule[] = {"constant", "heuristic", "heuristic_transient", NULL};

_Static_assert(NT_SCHEDULE_CONSTANT == 1 && NT_SCHEDULE_HEURISTIC == 2 &&
                   NT_SCHEDULE_HEURISTIC_TRANSIENT == 3,
               "the words stand in the order of their values");

static const nt_option_row rows[] = {
    {.info =
         {"prompt_lookup_num_tokens", "integer", "none", "1 or more",
          "Propose up to this many tokens by looking the last ones up in the text so far.", SECTION,
          NT_TRANSFORMERS,
          "Prompt lookup (Saxena 2023): where the last tokens, at most max_matching_ngram_size "
          "of them, have stood before in prompt or text, the tokens that followed them there are "
          "proposed, up to this many. The model looks at all of them in one pass and keeps the "
          "beginning that it would have written itself. Greedy output is that of plain greedy "
          "search; drawn output has the same distribution, though a seed gives other tokens.\n\n"
          "It pays where the text repeats its prompt, as in summaries, editing and code; 3 to 10 "
          "is usual. It cannot be joined with an assistant, num_beams above 1 or more than one "
          "sequence.",
          "3"},
     .type = NT_OPTION_INTEGER,
     .offset = NT_FIELD(prompt_lookup_num_tokens),
     .low = 1,
     .high = INT32_MAX},
    {.info =
         {"max_matching_ngram_size", "integer", "2", "1 or more",
          "Prompt lookup: match up to this many of the last tokens.", SECTION, NT_TRANSFORMERS,
          "The last tokens are looked up as a run of this length first, then of one fewer, down "
          "to one; the first place that is found, from the left, is taken. Longer runs make "
          "better proposals, shorter ones more of them. It acts with "
          "prompt_lookup_num_tokens only.",
          "3"},
     .type = NT_OPTION_INTEGER,
     .offset = NT_FIELD(max_matching_ngram_size),
     .low = 1,
     .high = INT32_MAX},
    {.info =
         {"num_assistant_tokens", "integer", "20", "1 or more",
          "Let the assistant propose at most this many tokens at a time.", SECTION, NT_TRANSFORMERS,
          "With an assistant, a smaller model with the same vocabulary, decoding is speculative "
          "(Leviathan et al. 2023; Chen et al. 2023): the assistant writes up to this many "
          "tokens, the model looks at them in one pass, keeps the beginning that stands, and "
          "adds one token of its own. Greedy output is that of plain greedy search; drawn output "
          "has the model's own distribution.\n\n"
          "More tokens save more passes while the assistant is right, and waste more when it is "
          "wrong. It acts with an assistant only.",
          "5"},
     .type = NT_OPTION_INTEGER,
     .offset = NT_FIELD(num_assistant_tokens),
     .low = 1,
     .high = INT32_MAX},
    {.info = {"num_assistant_tokens_schedule", "choice", "constant",
              "constant, heuristic or heuristic_transient",
              "Whether the number of proposed tokens follows their success.", SECTION,
              NT_TRANSFORMERS,
              "Constant: num_assistant_tokens every time. Heuristic: two more next time where all "
              "proposed tokens stood, one fewer, but at least one, where not. "
              "Heuristic_transient is the same; in transformers the first of them is kept from one "
              "call to the next, here each generation begins with num_assistant_tokens anew. It "
              "changes the speed, not the output of greedy search. It acts with an assistant only.",
              "heuristic"},
     .type = NT_OPTION_CHOICE,
     .names = schedule,
     .offset = NT_FIELD(num_assistant_tokens_schedule)},
    {.info =
         {"assistant_confidence_threshold", "number", "0.4", "0 to 1; 0 is off",
          "The assistant stops proposing after a token less likely to it than this.", SECTION,
          NT_TRANSFORMERS,
          "After each proposed token the assistant's own probability for it is looked at; below "
          "this threshold it stops, and the model looks at what there is. Unsure proposals are "
          "mostly wrong ones, so this saves passes of the assistant. The threshold stays as it "
          "is given; transformers moves it as it goes where scikit-learn is installed. It acts "
          "with an assistant only.",
          "0.6"},
     .type = NT_OPTION_NUMBER,
     .offset = NT_FIELD(assistant_confidence_threshold),
     .low = 0,
     .high = 1,
     .unset = NT_NOT_GIVEN},
    {.info = {"assistant_ensemble_weight", "number", "none", "above 0, below 1",
              "Decode from a mixture of model and assistant, with this weight for the model.",
              SECTION, NT_TRANSFORMERS,
              "Proposed tokens are judged by w p + (1 - w) q instead of p, where p is the model's "
              "distribution, q the assistant's and w this weight. More proposals stand, and the "
              "text is no longer that of the model alone. Without this option speculative "
              "decoding is lossless. It needs an assistant, and does not go with "
              "prompt_lookup_num_tokens, which has no distribution q.",
              "0.8"},
     .type = NT_OPTION_NUMBER,
     .offset = NT_FIELD(assistant_ensemble_weight),
     .low = DBL_MIN,
     .high = 1 - DBL_EPSILON / 2,
     .unset = NT_NOT_GIVEN},
};

const nt_option_section nt_options_assisted = NT_SECTION(rows);

static const nt_option_row kept[] = {
    {.info =
         {"choices", "integer", "5", "1 or more",
          "Keep this many of the likeliest candidates of each step.", "what is kept", NT_OURS,
          "At each step the result keeps this many of the candidates that were likeliest after "
          "the processors, with their logits and their probabilities before and after, and "
          "with what each processor did to them; candidates that the processors took from among "
          "the likeliest are kept besides. It changes what can be shown, never what is "
          "generated. Memory grows with it, by steps and beams.",
          "10"},
     .type = NT_OPTION_INTEGER,
     .ours = true,
     .offset = NT_FIELD(choices),
     .low = 1,
     .high = INT32_MAX},
};

const nt_option_section nt_options_kept = NT_SECTION(kept);
