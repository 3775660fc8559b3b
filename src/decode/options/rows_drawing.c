/* Options of drawing: what is drawn from, and with what random numbers. */
#include "decode/options/rows.h"

#define SECTION "drawing"

static const char *const rng[] = {"philox", "torch", NULL};

_Static_assert(NT_RNG_PHILOX == 1 && NT_RNG_TORCH == 2,
               "the words stand in the order of their values");

static const nt_option_row rows[] = {
    {.info =
         {"temperature", "number", "1", "above 0 (for the likeliest alone: do_sample false)",
          "When drawing, divide the logits by this: below 1 likely tokens gain, above 1 they "
          "lose.",
          SECTION, NT_TRANSFORMERS,
          "Each logit x becomes x / temperature before probabilities are made of it. Below 1 the "
          "distribution sharpens, and near 0 drawing comes close to greedy search; above 1 it "
          "flattens, and unlikely tokens come up more often. 1 changes nothing. It is the first "
          "of the warpers, so top_h, top_k, top_p and the others see what it made.\n\n"
          "It acts only with do_sample. 0.6 to 0.9 is usual. A high temperature needs a cut, "
          "such as min_p or top_p, or the long tail of bad tokens takes over.",
          "0.7", .draws = true, .one_step = true},
     .type = NT_OPTION_NUMBER,
     .offset = NT_FIELD(temperature),
     .low = DBL_TRUE_MIN,
     .high = FLT_MAX},
    {.info =
         {"top_h", "number", "none", "above 0, to 1",
          "When drawing, keep the likeliest tokens as long as their part of the entropy is at most "
          "this share of it.",
          SECTION, NT_TRANSFORMERS,
          "Of the 100 likeliest tokens, with probabilities p that add up to 1, the entropy "
          "H = -sum p ln p is computed. From the likeliest on, tokens are kept while the sum of "
          "their own parts -p ln p is at most top_h times H; the first is always kept, and all "
          "others get minus infinity. The surer the model, the fewer tokens stay (Potraghloo et "
          "al. 2025).\n\n"
          "It acts only with do_sample, after temperature and before top_k. 0.3 to 0.6 is usual.",
          "0.5", .draws = true, .one_step = true},
     .type = NT_OPTION_NUMBER,
     .offset = NT_FIELD(top_h),
     .low = DBL_MIN,
     .high = 1,
     .unset = NT_NOT_GIVEN},
    {.info =
         {"top_k", "integer", "50, as in transformers", "1 or more, or 0 for no limit",
          "When drawing, leave only the k likeliest tokens, and those as likely as the last of "
          "them.",
          SECTION, NT_TRANSFORMERS,
          "All tokens whose logit is below the k-th largest get minus infinity; tokens that tie "
          "with the k-th stay as well. 1 leaves the likeliest, 0 turns the limit off.\n\n"
          "It acts only with do_sample. Mind the default: as in transformers, drawing without "
          "top_k keeps 50 tokens, which also limits what top_p, min_p and the others still find. "
          "A fixed k is too wide where the model is sure and too narrow where it is not; top_p "
          "and min_p adapt.",
          "5", .draws = true, .one_step = true},
     .type = NT_OPTION_INTEGER,
     .offset = NT_FIELD(top_k),
     .low = 0,
     .high = INT32_MAX,
     .unset = -1},
    {.info = {"top_p", "number", "1", "0 to 1",
              "When drawing, leave only the likeliest tokens that together have this much "
              "probability.",
              SECTION, NT_TRANSFORMERS,
              "Nucleus sampling (Holtzman et al. 2020): the smallest set of likeliest tokens whose "
              "probabilities add up to at least top_p stays, the rest gets minus infinity. Where "
              "the model is sure only a few tokens stay, where it is not, many. 1 is off; 0 leaves "
              "the likeliest alone.\n\n"
              "It acts only with do_sample, on what temperature, top_h and top_k have left. 0.9 to "
              "0.95 is usual.",
              "0.9", .draws = true, .one_step = true},
     .type = NT_OPTION_NUMBER,
     .offset = NT_FIELD(top_p),
     .low = 0,
     .high = 1,
     .unset = -1},
    {.info =
         {"min_p", "number", "none", "0 to 1",
          "When drawing, drop tokens less likely than this share of the likeliest one.", SECTION,
          NT_TRANSFORMERS,
          "Tokens whose probability is below min_p times that of the likeliest get minus "
          "infinity (Nguyen et al. 2024). With min_p 0.1 and a likeliest token at 0.6, what is "
          "below 0.06 goes; with the likeliest at 0.05, only what is below 0.005.\n\n"
          "It acts only with do_sample, after top_p. 0.05 to 0.1 is usual, and it goes well with "
          "temperatures above 1. Set top_k to 0 with it to let it decide alone.",
          "0.1", .draws = true, .one_step = true},
     .type = NT_OPTION_NUMBER,
     .offset = NT_FIELD(min_p),
     .low = 0,
     .high = 1,
     .unset = NT_NOT_GIVEN},
    {.info = {"typical_p", "number", "1", "above 0, to 1",
              "When drawing, keep the tokens whose surprise is nearest to the average, until "
              "together they have this much probability.",
              SECTION, NT_TRANSFORMERS,
              "Locally typical sampling (Meister et al. 2023): tokens are ordered by how far their "
              "surprisal -ln p is from its mean, the entropy, nearest first, and the shortest "
              "beginning of that order whose probabilities reach typical_p stays. The likeliest "
              "token may go: text that is predictable all the time is not typical of people. 1 is "
              "off.\n\n"
              "It acts only with do_sample, after min_p. 0.9 to 0.95 is usual.",
              "0.9", .draws = true, .one_step = true},
     .type = NT_OPTION_NUMBER,
     .offset = NT_FIELD(typical_p),
     .low = DBL_MIN,
     .high = 1,
     .unset = NT_NOT_GIVEN},
    {.info = {"epsilon_cutoff", "number", "0", "0 to 1; 0 and 1 are off",
              "When drawing, drop tokens with a probability below this.", SECTION, NT_TRANSFORMERS,
              "Tokens whose probability is below epsilon_cutoff get minus infinity; the likeliest "
              "always stays (Hewitt et al. 2022). Unlike min_p the limit is the same whatever the "
              "likeliest token has.\n\n"
              "It acts only with do_sample. The paper suggests 0.0003 to 0.0009, depending on the "
              "model.",
              "0.01", .draws = true, .one_step = true},
     .type = NT_OPTION_NUMBER,
     .offset = NT_FIELD(epsilon_cutoff),
     .low = 0,
     .high = 1,
     .unset = NT_NOT_GIVEN},
    {.info =
         {"eta_cutoff", "number", "0", "0 to 1; 0 and 1 are off",
          "When drawing, drop tokens below a limit that falls where the model is unsure.", SECTION,
          NT_TRANSFORMERS,
          "Tokens whose probability is below min(e, sqrt(e) exp(-H)) get minus infinity, where e "
          "is eta_cutoff and H the entropy in nats; the likeliest always stays (Hewitt et al. "
          "2022). Where the model is sure the limit is e itself, where it is unsure it falls, so "
          "that a wide choice is not cut down.\n\n"
          "It acts only with do_sample, last of the warpers. The paper suggests 0.0003 to 0.002, "
          "depending on the model.",
          "0.01", .draws = true, .one_step = true},
     .type = NT_OPTION_NUMBER,
     .offset = NT_FIELD(eta_cutoff),
     .low = 0,
     .high = 1,
     .unset = NT_NOT_GIVEN},
    {.info = {"seed", "integer", "one from the system, told in the result",
              "0 to 18446744073709551615", "When drawing, the same seed gives the same tokens.",
              SECTION, NT_OURS,
              "Where the random numbers begin. The same seed, model, prompt and options give the "
              "same tokens, on every machine and beside any other work. Without a seed the system "
              "gives a new one each time; the result tells it, so that a run can be had again.\n\n"
              "With rng torch it is what torch.manual_seed takes.",
              "1"},
     .type = NT_OPTION_SEED,
     .ours = true,
     .offset = NT_FIELD(seed),
     .offset_n = NT_FIELD(seed_given)},
    {.info = {"rng", "choice", "philox", "philox or torch",
              "When drawing, the random numbers: our own, or just those of torch.", SECTION,
              NT_OURS,
              "Philox, a counter-based generator (Salmon et al. 2011), makes draw j of sequence i "
              "from the seed, i and j alone, so that a sequence is the same whatever is drawn "
              "beside it. Torch takes the numbers of torch's CPU generator (a Mersenne twister) in "
              "transformers' own order, so that a seed gives the tokens that transformers gives "
              "after torch.manual_seed, in sampling and in beam sampling; there all sequences of a "
              "request share one stream.\n\n"
              "Use torch to compare with transformers or to repeat a result of it. Where two "
              "candidates are equal to the last digits, the outcome may still differ.",
              "torch"},
     .type = NT_OPTION_CHOICE,
     .ours = true,
     .names = rng,
     .offset = NT_FIELD(rng)},
};

const nt_option_section nt_options_drawing = NT_SECTION(rows);
