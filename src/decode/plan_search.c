/* Which method decodes, as transformers chooses it, and what contradicts it. */
#include "decode/plan.h"

/* torch.multinomial takes no more categories. */
enum { MOST_CATEGORIES = 1 << 24, DEFAULT_NODES = 10000, DEFAULT_NGRAM = 2, DEFAULT_DRAFT = 20 };

/* ---- What does not go together ---- */

static int check_exact(const nt_planning *p, size_t best_of) {
    const nt_generate_options *o = p->options;
    if (o->do_sample == 1) {
        return nt_fail(NT_E_ARGUMENT, "exact search draws nothing: turn do_sample off, or leave "
                                      "search exact out");
    }
    if (p->of->assisted || o->prompt_lookup_num_tokens) {
        return nt_fail(NT_E_ARGUMENT, "exact search takes no drafts: leave %s out",
                       p->of->assisted ? "the assistant" : "prompt_lookup_num_tokens");
    }
    if (best_of > 1) {
        return nt_fail(NT_E_ARGUMENT,
                       "exact search finds the likeliest itself: leave best_of out, and ask for "
                       "more with num_return_sequences");
    }
    return NT_OK;
}

static int check_drafts(const nt_planning *p, size_t n_returned, size_t best_of) {
    const nt_generate_options *o = p->options;
    const char *what = p->of->assisted ? "an assistant" : "prompt_lookup_num_tokens";
    if (p->of->assisted && o->prompt_lookup_num_tokens) {
        return nt_fail(NT_E_ARGUMENT, "both an assistant and prompt_lookup_num_tokens are given: "
                                      "tokens are drafted by one of them");
    }
    if (o->num_beams > 1) {
        return nt_fail(NT_E_ARGUMENT,
                       "num_beams is %d and %s is given: assisted decoding has no beams; leave one "
                       "of them out",
                       (int)o->num_beams, what);
    }
    if (n_returned > 1 || best_of > 1) {
        return nt_fail(NT_E_ARGUMENT,
                       "%s is %zu and %s is given: assisted decoding makes one sequence",
                       best_of > 1 ? "best_of" : "num_return_sequences",
                       best_of > 1 ? best_of : n_returned, what);
    }
    if (o->prompt_lookup_num_tokens && nt_number_given(o->assistant_ensemble_weight)) {
        return nt_fail(NT_E_ARGUMENT, "assistant_ensemble_weight needs an assistant's logits, and "
                                      "prompt lookup has none: leave one of them out");
    }
    return NT_OK;
}

static int check_best_of(const nt_planning *p, size_t n_returned, size_t best_of) {
    const nt_generate_options *o = p->options;
    if (o->num_beams > 1) {
        return nt_fail(NT_E_ARGUMENT,
                       "best_of is %zu and num_beams is %d: beams choose the best themselves; "
                       "leave one of them out",
                       best_of, (int)o->num_beams);
    }
    if (o->do_sample != 1) {
        return nt_fail(NT_E_ARGUMENT, "best_of is %zu and nothing is drawn: turn do_sample on",
                       best_of);
    }
    if (best_of < n_returned) {
        return nt_fail(NT_E_ARGUMENT,
                       "num_return_sequences is %zu and best_of draws %zu: it cannot return more "
                       "than it draws",
                       n_returned, best_of);
    }
    return NT_OK;
}

static int check_returned(const nt_planning *p, size_t n_returned) {
    const nt_generate_options *o = p->options;
    if (o->num_beams > 1) {
        if (n_returned <= (size_t)o->num_beams) return NT_OK;
        return nt_fail(NT_E_ARGUMENT,
                       "num_return_sequences is %zu and num_beams is %d: no more sequences than "
                       "beams",
                       n_returned, (int)o->num_beams);
    }
    if (n_returned <= 1 || o->do_sample == 1) return NT_OK;
    return nt_fail(NT_E_ARGUMENT,
                   "num_return_sequences is %zu and decoding is greedy, which has one "
                   "outcome: turn do_sample on, or ask for one sequence",
                   n_returned);
}

/* ---- What does not count ---- */

static void note_beams(const nt_planning *p) {
    const nt_generate_options *o = p->options;
    if (nt_number_or(o->length_penalty, 1) != 1)
        nt_plan_note(p, "length_penalty does not count: there are no beams (num_beams)");
    if (o->early_stopping > NT_EARLY_FALSE)
        nt_plan_note(p, "early_stopping does not count: there are no beams (num_beams)");
}

static void note_exact(const nt_planning *p) {
    const nt_generate_options *o = p->options;
    if (o->max_nodes)
        nt_plan_note(p, "max_nodes does not count: it is of exact search (search exact)");
    if (nt_number_given(o->min_probability))
        nt_plan_note(p, "min_probability does not count: it is of exact search (search exact)");
}

static void note_drafts(const nt_planning *p) {
    const nt_generate_options *o = p->options;
    bool lookup = o->prompt_lookup_num_tokens > 0;
    if (o->max_matching_ngram_size && !lookup)
        nt_plan_note(p, "max_matching_ngram_size does not count: it is of prompt lookup "
                        "(prompt_lookup_num_tokens)");
    if (p->of->assisted) return;
    if (o->num_assistant_tokens && o->num_assistant_tokens != DEFAULT_DRAFT)
        nt_plan_note(p, "num_assistant_tokens does not count: no assistant is given");
    if (o->num_assistant_tokens_schedule > NT_SCHEDULE_CONSTANT)
        nt_plan_note(p, "num_assistant_tokens_schedule does not count: no assistant is given");
    if (nt_number_or(o->assistant_confidence_threshold, 0.4) != 0.4)
        nt_plan_note(p, "assistant_confidence_threshold does not count: no assistant is given");
    if (nt_number_given(o->assistant_ensemble_weight))
        nt_plan_note(p, "assistant_ensemble_weight does not count: no assistant is given");
}

/* ---- What is taken ---- */

static void take_beams(const nt_planning *p, size_t n_returned) {
    const nt_generate_options *o = p->options;
    nt_plan *plan = p->plan;
    plan->method = plan->sample ? NT_METHOD_BEAM_SAMPLE : NT_METHOD_BEAM_SEARCH;
    plan->n_beams = (size_t)o->num_beams;
    plan->n_returned = n_returned;
    plan->length_penalty = nt_number_or(o->length_penalty, 1);
    if (o->early_stopping) plan->early_stopping = (nt_early_stopping)o->early_stopping;
}

static void take_exact(const nt_planning *p, size_t n_returned) {
    const nt_generate_options *o = p->options;
    nt_plan *plan = p->plan;
    plan->method = NT_METHOD_EXACT;
    plan->n_beams = o->num_beams ? (size_t)o->num_beams : 1;
    plan->n_returned = n_returned;
    plan->max_nodes = o->max_nodes ? (size_t)o->max_nodes : DEFAULT_NODES;
    plan->min_probability = nt_number_or(o->min_probability, 0);
    if (plan->min_probability > 0 && o->num_return_sequences)
        nt_plan_note(p, "num_return_sequences does not count: min_probability asks for all that "
                        "are so likely");
}

static void take_drafts(const nt_planning *p) {
    const nt_generate_options *o = p->options;
    nt_plan *plan = p->plan;
    plan->method = p->of->assisted ? NT_METHOD_ASSISTED : NT_METHOD_PROMPT_LOOKUP;
    plan->lookup = (size_t)o->prompt_lookup_num_tokens;
    if (!p->of->assisted) {
        plan->max_ngram =
            o->max_matching_ngram_size ? (size_t)o->max_matching_ngram_size : DEFAULT_NGRAM;
        return;
    }
    if (o->num_assistant_tokens) plan->n_draft = (size_t)o->num_assistant_tokens;
    if (o->num_assistant_tokens_schedule)
        plan->schedule = (nt_assistant_schedule)o->num_assistant_tokens_schedule;
    plan->confidence = nt_number_or(o->assistant_confidence_threshold, 0.4);
    plan->ensemble = nt_number_or(o->assistant_ensemble_weight, 1);
}

/* The stream of torch has no draw from more entries than this. */
static int check_torch(const nt_planning *p) {
    size_t n_rows = p->plan->method == NT_METHOD_BEAM_SAMPLE ? p->plan->n_beams : 1;
    bool torch = p->options->rng == NT_RNG_TORCH || p->options->torch_rng;
    if (!p->plan->sample || !torch) return NT_OK;
    bool drafts =
        p->plan->method == NT_METHOD_ASSISTED || p->plan->method == NT_METHOD_PROMPT_LOOKUP;
    if (drafts && p->options->batch_size > 1) {
        return nt_fail(NT_E_ARGUMENT,
                       "batch_size is %d and decoding is assisted, which has no batches",
                       (int)p->options->batch_size);
    }
    if (p->of->V <= MOST_CATEGORIES / n_rows) return NT_OK;
    return nt_fail(NT_E_ARGUMENT,
                   "rng torch draws from at most %d entries, and %zu row%s of %zu ids are more: "
                   "take fewer beams or rng philox",
                   MOST_CATEGORIES, n_rows, n_rows == 1 ? "" : "s", p->of->V);
}

int nt_plan_method(const nt_planning *p) {
    const nt_generate_options *o = p->options;
    nt_plan *plan = p->plan;
    size_t n_returned = o->num_return_sequences ? (size_t)o->num_return_sequences : 1;
    size_t best_of = (size_t)o->best_of;
    bool exact = o->search == NT_SEARCH_EXACT, drafts = p->of->assisted;
    drafts = drafts || o->prompt_lookup_num_tokens > 0;
    plan->sample = o->do_sample == 1;
    note_drafts(p);
    if (exact || o->num_beams <= 1) note_beams(p);
    if (exact) {
        NT_TRY(check_exact(p, best_of));
        take_exact(p, n_returned);
        return NT_OK;
    }
    note_exact(p);
    if (drafts) NT_TRY(check_drafts(p, n_returned, best_of));
    if (best_of > 1 || (best_of == 1 && n_returned > 1))
        NT_TRY(check_best_of(p, n_returned, best_of));
    NT_TRY(check_returned(p, n_returned));
    if (drafts) {
        take_drafts(p);
    } else if (o->num_beams > 1) {
        take_beams(p, n_returned);
    } else {
        plan->method = best_of > 1    ? NT_METHOD_BEST_OF
                       : plan->sample ? NT_METHOD_SAMPLE
                                      : NT_METHOD_GREEDY;
        plan->n_sequences = best_of > 1 ? best_of : n_returned;
        plan->n_returned = n_returned;
    }
    return check_torch(p);
}
