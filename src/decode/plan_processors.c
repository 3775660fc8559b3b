/* What is done to logits: which processors and warpers are on, with their values. */
#include "decode/plan.h"

static bool is_among(int32_t id, const int32_t *ids, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (ids[i] == id) return true;
    return false;
}

/* Every forced id is taken out, too: no id would be left. */
static int check_forced(const char *name, const int32_t *forced, size_t n, const char *taken_by,
                        const int32_t *taken, size_t n_taken) {
    for (size_t i = 0; i < n; i++)
        if (!is_among(forced[i], taken, n_taken)) return NT_OK;
    if (n == 0) return NT_OK;
    return nt_fail(NT_E_ARGUMENT,
                   "every id of %s (%d%s) is in %s, too: no id would be left where it is forced",
                   name, (int)forced[0], n > 1 ? ", ..." : "", taken_by);
}

static int plan_forced(const nt_planning *p) {
    const nt_generate_options *o = p->options;
    nt_plan *plan = p->plan;
    bool forces_bos = o->forced_bos_token_id >= 0 && plan->n_prompt == 1;
    if (o->forced_bos_token_id >= 0) {
        NT_TRY(check_forced("forced_bos_token_id", &o->forced_bos_token_id, 1, "suppress_tokens",
                            o->suppress_tokens, o->n_suppress_tokens));
        if (!forces_bos)
            nt_plan_note(p, "forced_bos_token_id does not count: it acts behind a prompt of one "
                            "token alone");
    }
    NT_TRY(check_forced("forced_eos_token_id", o->forced_eos_token_id, o->n_forced_eos_token_id,
                        "suppress_tokens", o->suppress_tokens, o->n_suppress_tokens));
    if (plan->max_new == (forces_bos ? 2 : 1)) /* the first that is free is the last */
        NT_TRY(check_forced("forced_eos_token_id", o->forced_eos_token_id, o->n_forced_eos_token_id,
                            "begin_suppress_tokens", o->begin_suppress_tokens,
                            o->n_begin_suppress_tokens));
    plan->forced_bos = o->forced_bos_token_id;
    plan->forced_eos = o->forced_eos_token_id;
    plan->n_forced_eos = o->n_forced_eos_token_id;
    return NT_OK;
}

static int plan_guidance(const nt_planning *p) {
    const nt_generate_options *o = p->options;
    if (o->negative_prompt && o->negative_prompt_ids) {
        return nt_fail(NT_E_ARGUMENT, "both negative_prompt and negative_prompt_ids are given: "
                                      "leave one of them out");
    }
    bool given = o->negative_prompt || o->negative_prompt_ids || p->of->n_negative;
    if (given && !nt_number_given(o->guidance_scale)) {
        return nt_fail(NT_E_ARGUMENT, "a negative prompt is given without guidance_scale, which "
                                      "says how far to lead away from it (1.5, say)");
    }
    if (o->negative_prompt_ids && o->n_negative_prompt_ids == 0)
        return nt_fail(NT_E_ARGUMENT, "negative_prompt_ids is empty: there is nothing to start "
                                      "from");
    p->plan->guidance_scale = nt_number_or(o->guidance_scale, 1);
    if (given && p->plan->guidance_scale == 1)
        nt_plan_note(p, "the negative prompt does not count: guidance_scale is 1");
    return NT_OK;
}

static int plan_decay(const nt_planning *p) {
    const nt_generate_options *o = p->options;
    if (!o->exponential_decay_given) return NT_OK;
    if (p->plan->n_eos == 0) {
        return nt_fail(NT_E_ARGUMENT, "exponential_decay_length_penalty raises EOS, and there is "
                                      "none: give eos_token_id");
    }
    p->plan->decays = true;
    p->plan->decay_start = o->exponential_decay_start;
    p->plan->decay_factor = o->exponential_decay_factor;
    return NT_OK;
}

static void take_lists(nt_plan *plan, const nt_generate_options *o) {
    plan->sequence_bias = o->sequence_bias;
    plan->n_sequence_bias = o->n_sequence_bias;
    plan->logit_bias = o->logit_bias;
    plan->n_logit_bias = o->n_logit_bias;
    plan->bad_words = o->bad_words_ids;
    plan->n_bad_words = o->n_bad_words_ids;
    plan->suppress = o->suppress_tokens;
    plan->n_suppress = o->n_suppress_tokens;
    plan->begin_suppress = o->begin_suppress_tokens;
    plan->n_begin_suppress = o->n_begin_suppress_tokens;
}

static void take_numbers(nt_plan *plan, const nt_generate_options *o) {
    plan->encoder_repetition_penalty = nt_number_or(o->encoder_repetition_penalty, 1);
    plan->repetition_penalty = nt_number_or(o->repetition_penalty, 1);
    plan->presence_penalty = nt_number_or(o->presence_penalty, 0);
    plan->frequency_penalty = nt_number_or(o->frequency_penalty, 0);
    if (o->no_repeat_ngram_size > 0) plan->no_repeat_ngram_size = (size_t)o->no_repeat_ngram_size;
    if (o->encoder_no_repeat_ngram_size > 0)
        plan->encoder_no_repeat_ngram_size = (size_t)o->encoder_no_repeat_ngram_size;
    plan->remove_invalid_values = o->remove_invalid_values == 1;
    plan->renormalize_logits = o->renormalize_logits == 1;
}

/* What the caller asks for that only draws can follow. As in transformers a value that would
 * change nothing is passed over. */
static void note_ignored(const nt_planning *p) {
    const nt_generate_options *o = p->options;
    const struct {
        bool asked;
        const char *line;
    } lines[] = {
        {o->temperature != 0 && o->temperature != 1,
         "temperature does not count: do_sample is off, nothing is drawn"},
        {nt_number_given(o->top_h), "top_h does not count: do_sample is off, nothing is drawn"},
        {o->top_k != -1 && o->top_k != NT_DEFAULT_TOP_K,
         "top_k does not count: do_sample is off, nothing is drawn"},
        {o->top_p != -1 && o->top_p != 1,
         "top_p does not count: do_sample is off, nothing is drawn"},
        {nt_number_given(o->min_p), "min_p does not count: do_sample is off, nothing is drawn"},
        {nt_number_or(o->typical_p, 1) != 1,
         "typical_p does not count: do_sample is off, nothing is drawn"},
        {nt_number_or(o->epsilon_cutoff, 0) != 0,
         "epsilon_cutoff does not count: do_sample is off, nothing is drawn"},
        {nt_number_or(o->eta_cutoff, 0) != 0,
         "eta_cutoff does not count: do_sample is off, nothing is drawn"},
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (lines[i].asked) nt_plan_note(p, lines[i].line);
}

/* In beam methods EOS must not be all that is left. */
static size_t keep(const nt_plan *plan) {
    if (plan->method != NT_METHOD_BEAM_SAMPLE) return 1;
    return plan->n_eos ? plan->n_eos + 1 : 2;
}

/* 1 is off, too. */
static double cutoff(double given) {
    double value = nt_number_or(given, 0);
    return value < 1 ? value : 0;
}

static void plan_warpers(const nt_planning *p) {
    const nt_generate_options *o = p->options;
    nt_plan *plan = p->plan;
    if (!plan->sample) {
        note_ignored(p);
        return;
    }
    plan->keep = keep(plan);
    plan->temperature = o->temperature != 0 ? o->temperature : 1;
    plan->top_h = nt_number_or(o->top_h, 0);
    plan->top_p = o->top_p != -1 ? o->top_p : 1;
    plan->min_p = nt_number_or(o->min_p, -1);
    plan->typical_p = nt_number_or(o->typical_p, 1);
    plan->epsilon_cutoff = cutoff(o->epsilon_cutoff);
    plan->eta_cutoff = cutoff(o->eta_cutoff);
    plan->top_k = o->top_k != -1 ? (size_t)o->top_k : NT_DEFAULT_TOP_K;
    if (o->top_k == -1)
        nt_plan_note(p, "do_sample without top_k: the 50 likeliest stay, as in transformers "
                        "(top_k 0: all)");
}

int nt_plan_processors(const nt_planning *p) {
    NT_TRY(plan_guidance(p));
    NT_TRY(plan_forced(p));
    NT_TRY(plan_decay(p));
    take_lists(p->plan, p->options);
    take_numbers(p->plan, p->options);
    plan_warpers(p);
    return NT_OK;
}
