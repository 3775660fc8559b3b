/* Options of length and stopping. */
#include "decode/options/rows.h"

#define SECTION "length and stopping"

static const nt_option_row rows[] = {
    {.info =
         {"max_new_tokens", "integer", "none", "1 or more", "Make at most this many new tokens.",
          SECTION, NT_TRANSFORMERS,
          "Generation ends when this many tokens have been made after the prompt, if nothing "
          "else has ended it before; finish_reason is then length. It counts tokens, not words "
          "or characters. With neither this nor max_length there are at most 20 new tokens, or "
          "as many as the context still has room for.\n\n"
          "If max_length is given too, max_new_tokens counts. A length that you give, this one "
          "or max_length, sets aside both lengths of the checkpoint's own "
          "generation_config.json. Prompt and new tokens together must fit the model's context.",
          "5"},
     .type = NT_OPTION_INTEGER,
     .offset = NT_FIELD(max_new_tokens),
     .low = 1,
     .high = INT32_MAX},
    {.info = {"max_length", "integer", "20, counted in new tokens", "1 or more",
              "Stop when prompt and new tokens together are this many; max_new_tokens wins.",
              SECTION, NT_TRANSFORMERS,
              "The older way to set a length, which counts the prompt's tokens as well: with a "
              "prompt of 8 tokens, max_length 20 leaves room for 12 new ones. It must be more than "
              "the prompt has and no more than the model's context. The default of 20 is the one "
              "exception: where no length is given at all it means 20 new tokens, as in "
              "transformers.\n\n"
              "Prefer max_new_tokens, which does not depend on the prompt; if both are given, "
              "max_new_tokens counts.",
              "20"},
     .type = NT_OPTION_INTEGER,
     .offset = NT_FIELD(max_length),
     .low = 1,
     .high = INT32_MAX},
    {.info = {"min_new_tokens", "integer", "none", "0 or more",
              "Do not end by an end-of-sequence token before this many new tokens.", SECTION,
              NT_TRANSFORMERS,
              "Until this many tokens have been made, the logits of all ids of eos_token_id are "
              "set to minus infinity, so that none of them can be chosen. It holds back "
              "end-of-sequence tokens only: stop strings, max_time and the longest length still "
              "end a sequence. Without an eos_token_id it does nothing.\n\n"
              "Use it when a model tends to end too early. Forcing it far beyond what the model "
              "wanted to say leads to repetition.",
              "10", .one_step = true},
     .type = NT_OPTION_INTEGER,
     .offset = NT_FIELD(min_new_tokens),
     .low = 0,
     .high = INT32_MAX,
     .unset = -1},
    {.info = {"min_length", "integer", "0", "0 or more",
              "The same for prompt and new tokens together.", SECTION, NT_TRANSFORMERS,
              "Until prompt and new tokens together are this many, the logits of all ids of "
              "eos_token_id are set to minus infinity. If min_new_tokens is given as well, "
              "min_new_tokens counts.\n\n"
              "Prefer min_new_tokens, which does not depend on the prompt's length.",
              "20", .one_step = true},
     .type = NT_OPTION_INTEGER,
     .offset = NT_FIELD(min_length),
     .low = 0,
     .high = INT32_MAX,
     .unset = -1},
    {.info = {"eos_token_id", "ids", "the checkpoint's", "ids of the vocabulary, or none",
              "Stop after any of these tokens.", SECTION, NT_TRANSFORMERS,
              "A sequence that receives one of these end-of-sequence ids is finished, with "
              "finish_reason stop. The id is part of the result's ids; the text leaves special "
              "tokens out. With beams, a beam that ends in one of them is a finished candidate.\n\n"
              "Without this option the ids come from the checkpoint (for GPT-2: 50256). Give "
              "several to stop at any of them, for instance at the ids of a full stop, or none to "
              "run on to the full length.",
              "13", .one_step = true},
     .type = NT_OPTION_IDS,
     .offset = NT_FIELD(eos_token_id),
     .offset_n = NT_FIELD(n_eos_token_id),
     .low = 0,
     .high = INT32_MAX},
    {.info = {"stop_strings", "strings", "none", "one character or more each",
              "Stop when the text holds this string; the text then ends before it. May be given "
              "several times.",
              SECTION, NT_TRANSFORMERS,
              "A sequence ends, with finish_reason stop_string, as soon as one of these strings "
              "stands in its text and ends inside the newest token. The string may begin in "
              "earlier tokens, even in the prompt, and need not match token borders. The ids keep "
              "the token that completed it; the text ends before the string.\n\n"
              "Use it to end at a line break, at the next question of a dialogue, or at any other "
              "mark that is text rather than one token. For one known token, eos_token_id is "
              "simpler.",
              "."},
     .type = NT_OPTION_STRINGS,
     .offset = NT_FIELD(stop_strings),
     .offset_n = NT_FIELD(n_stop_strings)},
    {.info = {"max_time", "number", "none", "seconds, 0 or more",
              "Stop when decoding has taken this many seconds.", SECTION, NT_TRANSFORMERS,
              "After each token the clock is read; once more than this many seconds have passed "
              "since decoding began, all sequences end with finish_reason time and what they have "
              "so far. The token in the making is still finished, so that a little more time may "
              "pass. An exact search that is stopped in this way reports the gap that is left "
              "unproved.\n\n"
              "Results with a time limit depend on the machine and its load. Where the same result "
              "matters every time, limit the length instead.",
              "0.5"},
     .type = NT_OPTION_NUMBER,
     .offset = NT_FIELD(max_time),
     .low = 0,
     .high = FLT_MAX,
     .unset = NT_NOT_GIVEN},
    {.info = {"exponential_decay_length_penalty", "decay", "none",
              "a start (an integer, 0 or more) and a factor (above 0), such as 15,1.6",
              "Behind a number of new tokens (start), make the end-of-sequence tokens likelier "
              "with each one more.",
              SECTION, NT_TRANSFORMERS,
              "Two values: start, a number of new tokens, and factor. Once more than start new "
              "tokens have been made, with n the number beyond start, the logit x of each "
              "end-of-sequence id becomes x + abs(x) (factor^n - 1). With a factor above 1 the end "
              "becomes likelier step by step; below 1 it becomes less likely. Values that are not "
              "finite stay as they are. It needs an eos_token_id.\n\n"
              "Use it where texts should end near a length but at a place that makes sense, "
              "instead of being cut by max_new_tokens.",
              "3,1.5"},
     .type = NT_OPTION_DECAY,
     .offset = NT_FIELD(exponential_decay_start),
     .offset_n = NT_FIELD(exponential_decay_given),
     .offset_factor = NT_FIELD(exponential_decay_factor),
     .low = DBL_MIN,
     .high = FLT_MAX},
};

const nt_option_section nt_options_length = NT_SECTION(rows);
