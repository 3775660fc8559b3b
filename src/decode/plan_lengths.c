/* How long a generation gets: transformers' rules, and what the contexts leave room for. */
#include "decode/plan.h"

enum { DEFAULT_NEW = 20 };

/* What else has to fit: the negative prompt and the assistant's copy of the prompt get the new
 * tokens, too. */
typedef struct room {
    size_t n_new;      /* new tokens that fit */
    size_t n, context; /* ids of what leaves the least room, and where it has to fit */
    const char *whose;
} room;

static void narrow(room *r, const char *whose, size_t n, size_t context) {
    size_t n_new = n < context ? context - n : 0;
    if (n_new < r->n_new) *r = (room){n_new, n, context, whose};
}

static int find_room(room *r, const nt_planning *p) {
    const nt_plan_for *of = p->of;
    if (of->n_prompt == 0)
        return nt_fail(NT_E_ARGUMENT, "an empty prompt: there is nothing to start from");
    if (of->n_prompt >= of->context) {
        return nt_fail(
            NT_E_CONTEXT,
            "the prompt has %zu tokens and the model's context is %zu: no room for a new "
            "token; shorten the prompt by %zu or more",
            of->n_prompt, of->context, of->n_prompt - of->context + 1);
    }
    *r = (room){of->context - of->n_prompt, of->n_prompt, of->context, "prompt tokens"};
    if (of->n_negative) narrow(r, "tokens of the negative prompt", of->n_negative, of->context);
    if (p->plan->method == NT_METHOD_ASSISTED)
        narrow(r, "prompt tokens in the assistant's context", of->n_prompt, of->draft_context);
    if (r->n_new > 0) return NT_OK;
    return nt_fail(NT_E_CONTEXT, "%zu %s of %zu leave no room for a new token; shorten by %zu",
                   r->n, r->whose, r->context, r->n - r->context + 1);
}

static int too_long(const room *r, size_t n_new, const char *name) {
    return nt_fail(NT_E_CONTEXT,
                   "%zu %s and %zu new ones are more than the context of %zu: at most %zu new "
                   "tokens fit (%s)",
                   r->n, r->whose, n_new, r->context, r->n_new, name);
}

/* max_length: prompt and new tokens together. */
static int by_length(const nt_planning *p, const room *r, size_t length) {
    size_t n_prompt = p->of->n_prompt;
    if (length > p->of->context) {
        return nt_fail(NT_E_CONTEXT,
                       "max_length is %zu and the model's context is %zu: it cannot be more",
                       length, p->of->context);
    }
    if (length <= n_prompt) {
        return nt_fail(NT_E_ARGUMENT,
                       "max_length is %zu and the prompt alone has %zu tokens: no new token is "
                       "left to make; raise it or give max_new_tokens",
                       length, n_prompt);
    }
    p->plan->max_new = length - n_prompt;
    return p->plan->max_new > r->n_new ? too_long(r, p->plan->max_new, "max_length") : NT_OK;
}

/* How many new tokens at most: max_new_tokens wins over max_length, and with neither there are 20
 * new tokens, or as many as still fit. An exact search goes by its horizon. */
static int longest(const nt_planning *p) {
    const nt_generate_options *o = p->options;
    bool exact = p->plan->method == NT_METHOD_EXACT;
    size_t horizon = exact ? (size_t)o->horizon : 0;
    size_t new_tokens = horizon ? horizon : (size_t)o->max_new_tokens;
    room r = {0};
    NT_TRY(find_room(&r, p));
    if (o->horizon && !exact)
        nt_plan_note(p, "horizon does not count: it is of exact search (search exact)");
    if (horizon && (o->max_new_tokens || o->max_length)) {
        nt_plan_note(p, "both horizon and a length are given: horizon counts");
    } else if (o->max_new_tokens && o->max_length) {
        nt_plan_note(p, "both max_new_tokens and max_length are given: max_new_tokens counts");
    }
    if (new_tokens) {
        p->plan->max_new = new_tokens;
        if (new_tokens <= r.n_new) return NT_OK;
        return too_long(&r, new_tokens, horizon ? "horizon" : "max_new_tokens");
    }
    if (o->max_length) return by_length(p, &r, (size_t)o->max_length);
    nt_plan_note(p, exact ? "no length given: at most 20 new tokens (horizon)"
                          : "no length given: at most 20 new tokens (max_new_tokens)");
    p->plan->max_new = r.n_new < DEFAULT_NEW ? r.n_new : DEFAULT_NEW;
    return NT_OK;
}

/* min_new_tokens wins over min_length. Both hold EOS back and nothing else; more than the maximum
 * is legal, as in transformers: EOS then never comes. */
static void shortest(const nt_planning *p) {
    const nt_generate_options *o = p->options;
    nt_plan *plan = p->plan;
    bool both = o->min_new_tokens >= 0 && o->min_length > 0;
    if (o->min_new_tokens > 0) plan->min_new = (size_t)o->min_new_tokens;
    if (o->min_new_tokens < 0 && o->min_length > 0) plan->min_length = (size_t)o->min_length;
    if (both)
        nt_plan_note(p, "both min_new_tokens and min_length are given: min_new_tokens counts");
    if (plan->n_eos == 0) {
        if (plan->min_new)
            nt_plan_note(p, "min_new_tokens does not count: there is no EOS to hold back");
        if (plan->min_length)
            nt_plan_note(p, "min_length does not count: there is no EOS to hold back");
        plan->min_new = plan->min_length = 0;
    }
    if (plan->min_new > plan->max_new)
        nt_plan_note(p, "min_new_tokens is more than there can be new tokens: EOS never comes");
    if (plan->min_length > plan->n_prompt + plan->max_new)
        nt_plan_note(p, "min_length is more than the longest length: EOS never comes");
}

int nt_plan_lengths(const nt_planning *p) {
    NT_TRY(longest(p));
    shortest(p);
    p->plan->max_time = nt_number_or(p->options->max_time, INFINITY);
    return NT_OK;
}
