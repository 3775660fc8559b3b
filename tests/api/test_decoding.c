/* Generation against transformers' own outcomes (tools/oracle/decoding.py): ids, scores and beam
 * indices of every sequence, and of each step which ids were left and how likely the first of them.
 */
#include <jansson.h>
#include <math.h>
#include <zlib.h>

#include "api/small_model.h"
#include "set_option.h"
#include "tolerances.h"

enum { MAX_MODELS = 4 };

typedef struct fixture {
    json_t *root;
    const char *names[MAX_MODELS];
    small_model models[MAX_MODELS];
    size_t n_models;
} fixture;

/* ---- Models ---- */

static void open_model(fixture *f, const char *name, const json_t *recipe) {
    const char *args[CHECKPOINT_ARGS];
    char path[CHECKPOINT_PATH];
    size_t n = 0, i;
    const json_t *word;
    json_array_foreach(json_object_get(recipe, "args"), i, word) args[n++] =
        json_string_value(word);
    if (strcmp(name, "words") == 0) {
        args[n++] = "--tokenizer";
        args[n++] = NT_SOURCE_DIR "/models/gpt2";
    }
    assert_int_equal(checkpoint_make(name, args, n), 0);
    checkpoint_path(path, name);
    f->names[f->n_models] = name;
    f->models[f->n_models++] = small_open(path);
}

static small_model *model_of(fixture *f, const json_t *name) {
    for (size_t i = 0; i < f->n_models; i++)
        if (strcmp(f->names[i], json_string_value(name)) == 0) return &f->models[i];
    fail_msg("no model %s", json_string_value(name));
    return NULL;
}

static int setup(void **state) {
    static fixture f;
    json_error_t error;
    const char *name;
    json_t *recipe;
    f.root = json_load_file(NT_SOURCE_DIR "/tests/api/data/decoding.json", 0, &error);
    if (!f.root) fail_msg("decoding.json: %s", error.text);
    json_object_foreach(json_object_get(f.root, "models"), name, recipe)
        open_model(&f, name, recipe);
    *state = &f;
    return 0;
}

static int teardown(void **state) {
    fixture *f = *state;
    for (size_t i = 0; i < f->n_models; i++)
        small_close(&f->models[i]);
    json_decref(f->root);
    return checkpoints_remove(state);
}

/* ---- One case ---- */

static double allowed(const char *type) {
    return tolerance_of("f32 small", type)->absolute;
}

/* What has been seen over all cases. */
typedef struct tally {
    size_t n_cases, n_exact, n_wrong, n_fragile, n_steps, n_near;
    double worst_prob, worst_score;
} tally;

static nt_result *run_case(fixture *f, const json_t *c) {
    nt_generate_options options = NT_GENERATE_OPTIONS_INIT;
    small_model *model = model_of(f, json_object_get(c, "model"));
    const json_t *prompt = json_object_get(c, "prompt");
    const char *name;
    json_t *value;
    json_object_foreach(json_object_get(c, "options"), name, value)
        set_option(&options, name, value);
    bool small = strcmp(json_string_value(json_object_get(c, "model")), "small") == 0;
    options.choices = small ? 96 : 8;
    if (!options.eos_token_id) options.eos_token_id = &(int32_t){0}; /* none */
    if (json_object_get(c, "assistant"))
        options.assistant = model_of(f, json_object_get(c, "assistant"))->session;
    size_t n = json_array_size(prompt);
    int32_t *ids = calloc(n, sizeof *ids);
    for (size_t i = 0; i < n; i++)
        ids[i] = (int32_t)json_integer_value(json_array_get(prompt, i));
    nt_result *result = NULL;
    if (nt_generate(&result, model->session, nt_ids(ids, n), &options) != NT_OK) {
        char *shown = json_dumps(json_object_get(c, "options"), JSON_COMPACT);
        fail_msg("%s: %s", shown, nt_error_message());
    }
    free(ids);
    nt_generate_options_clear(&options);
    return result;
}

static bool same_ids(const nt_output *output, const json_t *ids) {
    if (output->n_ids != json_array_size(ids)) return false;
    for (size_t i = 0; i < output->n_ids; i++)
        if (output->ids[i] != json_integer_value(json_array_get(ids, i))) return false;
    return true;
}

/* The slots of the beams that an output went through, as transformers' beam_indices: the parent's
 * slot at each step. */
static bool same_beams(const nt_result *result, const nt_output *output, const json_t *indices) {
    size_t n = json_array_size(indices);
    if (n != output->n_ids) return false;
    const nt_beam *beam = nt_result_beam(result, (size_t)output->beam);
    for (size_t i = n; i-- > 0;) {
        const nt_beam *parent =
            beam->parent >= 0 ? nt_result_beam(result, (size_t)beam->parent) : NULL;
        int64_t slot = parent ? parent->slot : 0;
        if (slot != json_integer_value(json_array_get(indices, i))) return false;
        beam = parent;
    }
    return true;
}

static bool same_outcome(const nt_result *result, const json_t *c, tally *seen) {
    const json_t *sequences = json_object_get(c, "sequences");
    const json_t *scores = json_object_get(c, "scores");
    if (nt_result_n_outputs(result) != json_array_size(sequences)) return false;
    for (size_t s = 0; s < json_array_size(sequences); s++) {
        const nt_output *output = nt_result_output(result, s);
        if (!same_ids(output, json_array_get(sequences, s))) return false;
        if (!scores) continue;
        double theirs = json_number_value(json_array_get(scores, s));
        double error = fabs(output->score - theirs) / fmax(1, fabs(theirs));
        if (error > seen->worst_score) seen->worst_score = error;
        if (error > allowed("sequence score")) return false;
        const json_t *beams = json_object_get(c, "beam_indices");
        if (!same_beams(result, output, json_array_get(beams, s))) return false;
    }
    return true;
}

/* The step of a result that is the t-th of output s. */
static size_t step_of(const nt_result *result, size_t s, size_t t) {
    for (size_t i = 0; i < nt_result_n_steps(result); i++) {
        const nt_step *step = nt_result_step(result, i);
        if (step->sequence == s && step->index == t) return i;
    }
    fail_msg("sequence %zu has no step %zu", s, t);
    return 0;
}

static double prob_of(const nt_result *result, size_t step, int32_t id) {
    for (size_t i = 0; i < nt_result_n_candidates(result, step); i++) {
        const nt_candidate *c = nt_result_candidate(result, step, i);
        if (c->token.id == id) return c->processed_prob;
    }
    return NAN; /* not among those that are kept */
}

/* zlib's CRC-32 of "1,4,17": the ids that are left, where all of them are candidates. */
static uint32_t checksum(const nt_result *result, size_t step) {
    bool left[96] = {0};
    char text[96 * 4], *end = text;
    for (size_t i = 0; i < nt_result_n_candidates(result, step); i++) {
        const nt_candidate *c = nt_result_candidate(result, step, i);
        left[c->token.id] = c->processed_logit > -INFINITY;
    }
    for (int id = 0; id < 96; id++)
        if (left[id]) end += snprintf(end, 5, "%s%d", end == text ? "" : ",", id);
    return (uint32_t)crc32(0, (const unsigned char *)text, (unsigned)(end - text));
}

static void check_step(const nt_result *result, size_t i, const json_t *expected, bool small,
                       const char *what, tally *seen) {
    const json_t *top = json_object_get(expected, "top");
    seen->n_steps++;
    if (json_object_get(expected, "near")) {
        seen->n_near++;
        return;
    }
    size_t kept = nt_result_step(result, i)->kept;
    if ((json_int_t)kept != json_integer_value(json_object_get(expected, "kept")))
        fail_msg("%s: step %zu keeps %zu ids", what, i, kept);
    if (small && checksum(result, i) != json_integer_value(json_object_get(expected, "crc")))
        fail_msg("%s: step %zu keeps other ids", what, i);
    for (size_t j = 0; j < json_array_size(top); j++) {
        const json_t *pair = json_array_get(top, j);
        int32_t id = (int32_t)json_integer_value(json_array_get(pair, 0));
        double error = fabs(prob_of(result, i, id) - json_number_value(json_array_get(pair, 1)));
        if (isnan(error) && !small) continue; /* a tie at the end of those that are kept */
        if (error > seen->worst_prob) seen->worst_prob = error;
        if (!(error <= allowed("processed prob")))
            fail_msg("%s: step %zu: probability of %d is off by %g", what, i, (int)id, error);
    }
}

static void check_case(fixture *f, const json_t *c, tally *seen) {
    char *what = json_dumps(json_object_get(c, "options"), JSON_COMPACT);
    nt_result *result = run_case(f, c);
    bool same = same_outcome(result, c, seen),
         fragile = json_is_true(json_object_get(c, "fragile"));
    if (!same && !fragile) {
        print_error("case %zu: another outcome: %s\n", seen->n_cases, what);
        seen->n_wrong++;
    }
    seen->n_cases++;
    seen->n_exact += same && !fragile;
    seen->n_fragile += fragile;
    const json_t *steps = json_object_get(c, "steps");
    bool small = strcmp(json_string_value(json_object_get(c, "model")), "small") == 0;
    for (size_t s = 0; same && s < json_array_size(steps); s++) {
        const json_t *mine = json_array_get(steps, s);
        for (size_t t = 0; t < json_array_size(mine); t++)
            check_step(result, step_of(result, s, t), json_array_get(mine, t), small, what, seen);
    }
    nt_result_free(result);
    free(what);
}

static void test_transformers_outcomes(void **state) {
    fixture *f = *state;
    const json_t *cases = json_object_get(f->root, "cases");
    tally seen = {0};
    assert_true(json_array_size(cases) >= 400);
    for (size_t i = 0; i < json_array_size(cases); i++)
        check_case(f, json_array_get(cases, i), &seen);
    print_message("%zu cases with equal ids, %zu on an edge; %zu steps, %zu on an edge; "
                  "probabilities %.1f %%, scores %.1f %% of the allowance\n",
                  seen.n_exact, seen.n_fragile, seen.n_steps, seen.n_near,
                  100 * seen.worst_prob / allowed("processed prob"),
                  100 * seen.worst_score / allowed("sequence score"));
    assert_int_equal(seen.n_wrong, 0);
    assert_true(seen.n_fragile * 20 <= seen.n_exact);
    assert_true(seen.n_near * 20 <= seen.n_steps);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_transformers_outcomes),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
