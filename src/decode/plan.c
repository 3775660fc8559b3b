/* From options to a plan: every default taken, every contradiction refused, before any work. */
#include <float.h>

#include "base/random.h"
#include "base/status.h"
#include "decode/generate.h"

enum { DEFAULT_NEW = 20, DEFAULT_CHOICES = 5, DEFAULT_TOP_K = 50 };

static void note(nt_plan *plan, const char *line) {
    plan->notes[plan->n_notes++] = line;
}

static int positive(int32_t value, const char *name) {
    if (value >= 0) return NT_OK;
    return nt_fail(NT_E_ARGUMENT, "%s is %d; it must be 1 or more", name, (int)value);
}

/* How many new tokens at most. transformers' rules: max_new_tokens wins over max_length, and with
 * neither there are 20 new tokens, or as many as the context still takes. */
static int plan_length(nt_plan *plan, const nt_generate_options *options, size_t n_prompt,
                       size_t context) {
    NT_TRY(positive(options->max_new_tokens, "max_new_tokens"));
    NT_TRY(positive(options->max_length, "max_length"));
    if (n_prompt == 0)
        return nt_fail(NT_E_ARGUMENT, "an empty prompt: there is nothing to start from");
    if (n_prompt >= context) {
        return nt_fail(
            NT_E_CONTEXT,
            "the prompt has %zu tokens and the model's context is %zu: no room for a new "
            "token; shorten the prompt by %zu or more",
            n_prompt, context, n_prompt - context + 1);
    }
    size_t room = context - n_prompt;
    size_t new_tokens = (size_t)options->max_new_tokens, length = (size_t)options->max_length;
    if (new_tokens) {
        if (length)
            note(plan, "both max_new_tokens and max_length are given: max_new_tokens counts");
        if (new_tokens > room) {
            return nt_fail(NT_E_CONTEXT,
                           "%zu prompt tokens and %zu new ones are more than the model's context "
                           "of %zu: at most %zu new tokens fit (max_new_tokens)",
                           n_prompt, new_tokens, context, room);
        }
        plan->max_new = new_tokens;
    } else if (length) {
        if (length > context) {
            return nt_fail(NT_E_CONTEXT, "max_length is %zu and the model's context is %zu", length,
                           context);
        }
        if (length <= n_prompt) {
            return nt_fail(NT_E_ARGUMENT,
                           "max_length is %zu and the prompt alone has %zu tokens: no new token is "
                           "left to make; raise it or give max_new_tokens",
                           length, n_prompt);
        }
        plan->max_new = length - n_prompt;
    } else {
        note(plan, "no length given: at most 20 new tokens (--max-new-tokens N)");
        plan->max_new = room < DEFAULT_NEW ? room : DEFAULT_NEW;
    }
    return NT_OK;
}

static int plan_ends(nt_plan *plan, const nt_generate_options *options, size_t V) {
    if (options->n_eos_token_id && !options->eos_token_id)
        return nt_fail(NT_E_ARGUMENT, "eos_token_id is NULL and n_eos_token_id is not 0");
    if (options->n_stop_strings && !options->stop_strings)
        return nt_fail(NT_E_ARGUMENT, "stop_strings is NULL and n_stop_strings is not 0");
    for (size_t i = 0; i < options->n_eos_token_id; i++) {
        int32_t id = options->eos_token_id[i];
        if (id >= 0 && (size_t)id < V) continue;
        return nt_fail(NT_E_RANGE, "eos_token_id %d is outside the vocabulary of %zu ids", (int)id,
                       V);
    }
    plan->eos = options->eos_token_id;
    plan->n_eos = options->n_eos_token_id;
    plan->stop_strings = options->stop_strings;
    plan->n_stop_strings = options->n_stop_strings;
    return NT_OK;
}

/* Values that no row of the options table has seen: a C program writes the fields itself. */
static int check_sampling(const nt_generate_options *o) {
    if (o->do_sample < -1 || o->do_sample > 1) {
        return nt_fail(NT_E_ARGUMENT, "do_sample is %d; it must be 1 (draw), -1 (greedy) or 0",
                       o->do_sample);
    }
    if (!(o->temperature >= 0 && o->temperature <= (double)FLT_MAX)) {
        return nt_fail(NT_E_ARGUMENT, "temperature is %g; it must be above 0", o->temperature);
    }
    if (o->top_k < -1) {
        return nt_fail(NT_E_ARGUMENT, "top_k is %d; it must be 0 (off) or more", (int)o->top_k);
    }
    if (o->top_p != -1 && !(o->top_p >= 0 && o->top_p <= 1)) {
        return nt_fail(NT_E_ARGUMENT, "top_p is %g; it must be from 0 to 1", o->top_p);
    }
    if (o->num_return_sequences < 0 || o->num_return_sequences > NT_MAX_SEQUENCES) {
        return nt_fail(NT_E_ARGUMENT, "num_return_sequences is %d; it must be from 1 to %d",
                       (int)o->num_return_sequences, NT_MAX_SEQUENCES);
    }
    return NT_OK;
}

/* What the caller asks for that only draws can follow. As in transformers a value that would
 * change nothing is passed over. */
static void note_ignored(nt_plan *plan, const nt_generate_options *o) {
    if (o->temperature != 0 && o->temperature != 1)
        note(plan, "temperature does not count: do_sample is off, decoding is greedy");
    if (o->top_k != -1 && o->top_k != DEFAULT_TOP_K)
        note(plan, "top_k does not count: do_sample is off, decoding is greedy");
    if (o->top_p != -1 && o->top_p != 1)
        note(plan, "top_p does not count: do_sample is off, decoding is greedy");
}

static int plan_sampling(nt_plan *plan, const nt_generate_options *o) {
    NT_TRY(check_sampling(o));
    plan->sample = o->do_sample == 1;
    plan->n_sequences = o->num_return_sequences ? (size_t)o->num_return_sequences : 1;
    if (!plan->sample) {
        if (plan->n_sequences > 1) {
            return nt_fail(NT_E_ARGUMENT,
                           "num_return_sequences is %zu and decoding is greedy, which has one "
                           "outcome: turn do_sample on, or ask for one sequence",
                           plan->n_sequences);
        }
        note_ignored(plan, o);
        return NT_OK;
    }
    plan->temperature = o->temperature != 0 ? o->temperature : 1;
    plan->top_p = o->top_p != -1 ? o->top_p : 1;
    if (o->top_k == -1) {
        plan->top_k = DEFAULT_TOP_K;
        note(plan, "do_sample without top_k: the 50 likeliest stay, as in transformers "
                   "(--top-k 0: all)");
    } else {
        plan->top_k = (size_t)o->top_k;
    }
    plan->seed = o->seed;
    return o->seed_given ? NT_OK : nt_random_seed(&plan->seed);
}

int nt_plan_make(nt_plan *plan, const nt_generate_options *options, size_t n_prompt, size_t context,
                 size_t V) {
    *plan = (nt_plan){0};
    NT_TRY(positive(options->choices, "choices"));
    plan->choices = options->choices ? (size_t)options->choices : DEFAULT_CHOICES;
    NT_TRY(plan_ends(plan, options, V));
    NT_TRY(plan_length(plan, options, n_prompt, context));
    return plan_sampling(plan, options);
}
