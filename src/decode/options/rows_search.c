/* Options of the search: which method decodes, and how wide it looks. */
#include "decode/generate.h"
#include "decode/options/rows.h"

#define SECTION "search"

static const char *const early_stopping[] = {"false", "true", "never", NULL};
static const char *const search[] = {"auto", "exact", NULL};

_Static_assert(NT_EARLY_FALSE == 1 && NT_EARLY_TRUE == 2 && NT_EARLY_NEVER == 3,
               "the words stand in the order of their values");
_Static_assert(NT_SEARCH_AUTO == 1 && NT_SEARCH_EXACT == 2,
               "the words stand in the order of their values");

static const nt_option_row rows[] = {
    {.info = {"do_sample", "boolean", "false", "true or false",
              "Draw each token by its probability; false: always take the likeliest.", SECTION,
              NT_TRANSFORMERS,
              "Off, the likeliest token is taken at each step (greedy search; on a tie the lowest "
              "id), or with num_beams above 1 the likeliest beams go on: the same prompt always "
              "gives the same text. On, each token is drawn at random, each with its probability "
              "after all processors; with num_beams above 1 the beams' continuations are drawn.\n\n"
              "The options of the section drawing, temperature, top_k, top_p and their kin, act "
              "only when this is on. Greedy text suits short factual answers and comparisons; for "
              "stories and dialogue it soon repeats itself, and drawing with top_p or min_p reads "
              "more like a person's text (Holtzman et al. 2020).",
              "true", .one_step = true},
     .type = NT_OPTION_BOOLEAN,
     .offset = NT_FIELD(do_sample)},
    {.info =
         {"num_beams", "integer", "1", "1 to 1024",
          "Follow this many likeliest beginnings side by side; 1: no beam search.", SECTION,
          NT_TRANSFORMERS,
          "Beam search keeps the num_beams likeliest beginnings, measured by the sum of their "
          "log-probabilities after the processors, continues each by every token and keeps the "
          "best again. A beginning that looks worse at first can so win in the end, which greedy "
          "search never sees. Finished beams are compared by score = sum / length^length_penalty, "
          "and the best num_return_sequences of them are returned.\n\n"
          "Every step costs as many rows of the model as there are beams. 4 or 5 are usual, "
          "for translation, summaries and other tasks with one good answer; in open-ended text "
          "the likeliest continuation is often dull or repeats itself, which "
          "no_repeat_ngram_size can check. The search is not exact: for proof see search exact.",
          "4"},
     .type = NT_OPTION_INTEGER,
     .offset = NT_FIELD(num_beams),
     .low = 1,
     .high = NT_MAX_SEQUENCES},
    {.info =
         {"length_penalty", "number", "1", "a number",
          "With beams, divide a finished beam's log-probability by its length to this power.",
          SECTION, NT_TRANSFORMERS,
          "The score of a finished beam is the sum of its log-probabilities divided by "
          "length^length_penalty, where length counts the new tokens, the end-of-sequence token "
          "included and the prompt not. As the sum is negative, a value above 0 favours longer "
          "sequences, below 0 shorter ones; at 0 the plain sums compete, which favours short "
          "ones, and at 1 the mean per token.\n\n"
          "It needs num_beams above 1, and matters only where beams end at different lengths, "
          "by an end-of-sequence token or a stop string. Despite its name it is no penalty on "
          "length.",
          "2"},
     .type = NT_OPTION_NUMBER,
     .offset = NT_FIELD(length_penalty),
     .low = -FLT_MAX,
     .high = FLT_MAX,
     .unset = NT_NOT_GIVEN},
    {.info =
         {"early_stopping", "choice", "false", "false, true or never",
          "With beams, when to stop once num_beams of them have finished.", SECTION,
          NT_TRANSFORMERS,
          "True: stop as soon as num_beams beams have finished. False: go on until the likeliest "
          "running beam could not beat the worst of the finished ones if it ended now, a guess "
          "that is usually right. Never: go on until it could not at any length; with a "
          "length_penalty above 0 the longest allowed length is taken for that, otherwise the "
          "length now.\n\n"
          "It needs num_beams above 1. True is the fastest and gives shorter outputs; never is "
          "the most thorough.",
          "true"},
     .type = NT_OPTION_CHOICE,
     .names = early_stopping,
     .offset = NT_FIELD(early_stopping)},
    {.info =
         {"num_return_sequences", "integer", "1", "1 to 1024",
          "Return this many continuations of the prompt.", SECTION, NT_TRANSFORMERS,
          "When drawing, this many independent continuations of the same prompt are made; the "
          "prompt is computed once. With beams, the best so many of the finished beams are "
          "returned, in order of score, so it may not be more than num_beams. Greedy search has "
          "one outcome only, and asking it for more is an error; so is asking assisted "
          "decoding for more.",
          "3"},
     .type = NT_OPTION_INTEGER,
     .offset = NT_FIELD(num_return_sequences),
     .low = 1,
     .high = NT_MAX_SEQUENCES},
    {.info = {"best_of", "integer", "none", "1 to 1024",
              "When drawing, make this many continuations and return the likeliest.", SECTION,
              "OpenAI, vLLM",
              "Draws this many continuations of the prompt and returns the num_return_sequences of "
              "them whose log-probability per token is highest, the best first; that mean is their "
              "score in the result. It needs do_sample, cannot be joined with num_beams above "
              "1, and must be at least num_return_sequences.\n\n"
              "It lies between drawing, which may catch a bad tail, and beam search, which looks "
              "for the likeliest text only. The cost grows with the number drawn; the prompt is "
              "computed once.",
              "5"},
     .type = NT_OPTION_INTEGER,
     .ours = true,
     .offset = NT_FIELD(best_of),
     .low = 1,
     .high = NT_MAX_SEQUENCES},
    {.info =
         {"search", "choice", "auto", "auto or exact",
          "exact: find the provably likeliest continuation of horizon tokens.", SECTION, NT_OURS,
          "Auto chooses the method as transformers does: greedy or drawing, by do_sample; beam "
          "search or beam sampling with num_beams above 1; assisted decoding with an assistant "
          "or prompt_lookup_num_tokens. Exact looks for the continuation of at most horizon "
          "new tokens that no other beats, best first: a beginning's log-probability only falls "
          "as it grows, so that what has been found can rule out all beginnings that are "
          "already less likely. The result says proved, or how far something not looked at "
          "might still be ahead when max_nodes or max_time ended the search.\n\n"
          "It shows what beam search missed, and what the model really holds likeliest. The "
          "number of beginnings to look at grows quickly with the horizon; a few tokens are "
          "cheap where the model is sure of itself. It cannot be joined with do_sample, best_of, "
          "an assistant or prompt_lookup_num_tokens; num_beams is then the width of the beam "
          "search that it is compared with, 5 where none is given.",
          "exact"},
     .type = NT_OPTION_CHOICE,
     .ours = true,
     .names = search,
     .offset = NT_FIELD(search)},
    {.info =
         {"horizon", "integer", "max_new_tokens", "1 or more",
          "Exact search: new tokens of a continuation at most.", SECTION, NT_OURS,
          "Continuations of at most this many new tokens compete: those of just this length, "
          "and shorter ones that end by an end-of-sequence token or a stop string. It acts with "
          "search exact only, and sets max_new_tokens and max_length aside. Begin with a small "
          "number, such as 3, and raise it while the "
          "result says proved.",
          "3"},
     .type = NT_OPTION_INTEGER,
     .ours = true,
     .offset = NT_FIELD(horizon),
     .low = 1,
     .high = INT32_MAX},
    {.info = {"max_nodes", "integer", "10000", "1 or more",
              "Exact search: look at no more beginnings than this.", SECTION, NT_OURS,
              "Each beginning that the search looks at costs one row of the model and some memory. "
              "When this many have been looked at without a proof, the search ends with the best "
              "that it has found and tells the gap in nats by which something not looked at "
              "might still be likelier. Greedy decoding, which it begins with, always runs to its "
              "end. It acts with search exact only; raise it, or lower the horizon, to come to a "
              "proof.",
              "100"},
     .type = NT_OPTION_INTEGER,
     .ours = true,
     .offset = NT_FIELD(max_nodes),
     .low = 1,
     .high = INT32_MAX},
    {.info =
         {"min_probability", "number", "none", "above 0, to 1",
          "Exact search: find all continuations that are at least this likely.", SECTION, NT_OURS,
          "Instead of the likeliest continuation, the search lists all of them within the "
          "horizon whose probability, the product over their tokens after the processors, is at "
          "least this, in order. There can be at most 1 / min_probability of them, and 1024 are "
          "returned at most. Proved then means that none is missing. It acts with search exact "
          "only.\n\n"
          "Use it to see all that a model holds possible after a prompt, such as every answer "
          "above one percent.",
          "0.01"},
     .type = NT_OPTION_NUMBER,
     .ours = true,
     .offset = NT_FIELD(min_probability),
     .low = DBL_MIN,
     .high = 1,
     .unset = NT_NOT_GIVEN},
};

const nt_option_section nt_options_search = NT_SECTION(rows);
