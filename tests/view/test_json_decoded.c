/* The JSON of decoding: what processors did, beams, proofs, whole traces. */
#include "view/read.h"

/* What every member of an object is called, with blanks between. */
static void members_of(const json_t *object, const char *expected) {
    char names[512] = "";
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, name, value) {
        strcat(names, name);
        strcat(names, " ");
    }
    assert_string_equal(names, expected);
}

static bool is_null(const json_t *object, const char *name) {
    return json_is_null(json_object_get(object, name));
}

static void processed_values(void **state) {
    (void)state;
    json_t *object = read_back(sample_processed());
    const char *all = "rank id token logit logprob prob processed_prob processed_logit removed_by ";
    char with_changes[256];
    snprintf(with_changes, sizeof with_changes, "%schanges ", all);
    assert_int_equal(json_array_size(json_object_get(object, "next")), 6);
    assert_int_equal(json_array_size(json_object_get(object, "demoted")), 2);
    const json_t *be = entry(object, "next", 3), *visit = entry(object, "next", 5);
    const json_t *take = entry(object, "demoted", 0), *change = entry(be, "changes", 0);
    members_of(be, with_changes);
    assert_true(is_null(be, "removed_by"));
    assert_int_equal(json_array_size(json_object_get(be, "changes")), 2);
    members_of(change, "option before after ");
    assert_string_equal(text_of(change, "option"), "repetition_penalty");
    assert_true(number_of(change, "after") == -41.25);
    assert_true(number_of(be, "processed_logit") == number_of(entry(be, "changes", 1), "after"));
    assert_true(number_of(be, "processed_prob") == 0.0761);
    assert_string_equal(text_of(visit, "removed_by"), "top_p");
    assert_true(is_null(visit, "processed_logit"));
    assert_true(is_null(entry(visit, "changes", 1), "after"));
    assert_true(number_of(visit, "processed_prob") == 0);
    assert_string_equal(text_of(take, "token"), " take");
    assert_int_equal(number_of(take, "rank"), 2);
    assert_int_equal(json_array_size(json_object_get(take, "changes")), 3);
    assert_string_equal(text_of(take, "removed_by"), "top_p");
    json_decref(object);

    nt_result *t = sample_processed(); /* one that nothing happened to, among the others */
    t->steps[0].candidates[1].n_changes = 0;
    t->steps[0].candidates[1].logit = t->steps[0].candidates[1].processed_logit = -INFINITY;
    object = read_back(t);
    members_of(entry(object, "next", 1), all);
    assert_true(is_null(entry(object, "next", 1), "logit")); /* the model itself rules it out */
    assert_true(is_null(entry(object, "next", 1), "removed_by"));
    json_decref(object);
}

static void processed_step_values(void **state) {
    (void)state;
    json_t *object = read_back(sample_processed_steps());
    const json_t *plain = entry(object, "steps", 0), *step = entry(object, "steps", 1);
    members_of(plain, "sequence step input chosen draw choices ");
    members_of(entry(plain, "choices", 0), "id token prob logprob processed_prob removed_by ");
    members_of(entry(step, "choices", 4),
               "id token prob logprob processed_prob removed_by changes ");
    assert_string_equal(text_of(entry(step, "choices", 4), "removed_by"), "no_repeat_ngram_size");
    assert_true(is_null(step, "draw"));
    step = entry(object, "steps", 4);
    members_of(step, "sequence step input chosen draw choices demoted ");
    assert_string_equal(text_of(entry(step, "demoted", 0), "token"), " dog");
    json_decref(object);
    object = read_back(sample_steps());
    members_of(entry(entry(object, "steps", 3), "choices", 0), "id token prob logprob ");
    json_decref(object);

    object = read_back(sample_assisted_steps());
    step = entry(object, "steps", 0);
    members_of(step, "sequence step input chosen draw drafted accepted choices ");
    assert_true(json_is_true(json_object_get(step, "accepted")));
    assert_int_equal(number_of(step, "drafted"), number_of(step, "chosen"));
    step = entry(object, "steps", 1);
    assert_true(json_is_false(json_object_get(step, "accepted")));
    assert_int_equal(number_of(step, "drafted"), number_of(step, "chosen") + 1);
    step = entry(object, "steps", 2);
    assert_true(is_null(step, "accepted") && is_null(step, "drafted"));
    assert_true(number_of(entry(object, "steps", 3), "draw") == 0.625);
    json_decref(object);
}

static void indices_are(const json_t *sequence, int first, int second) {
    const json_t *indices = json_object_get(sequence, "beam_indices");
    assert_int_equal(json_array_size(indices), 2);
    assert_int_equal(json_integer_value(json_array_get(indices, 0)), first);
    assert_int_equal(json_integer_value(json_array_get(indices, 1)), second);
}

static void beam_values(void **state) {
    (void)state;
    static const char *const fates[] = {"running", "running", "pruned", "late",
                                        "output",  "output",  "beaten"};
    with_trace = true;
    json_t *object = read_back(sample_beams());
    with_trace = false;
    const json_t *sequence = entry(object, "sequences", 0), *effort, *trace, *beam, *step;
    members_of(sequence, "ids text logprob score beam_indices finish_reason ");
    assert_true(fabs(number_of(sequence, "score") - log(0.27) / 2) < 1e-8);
    indices_are(sequence, 0, 1); /* " a" continues " had", which stood in slot 1 */
    indices_are(entry(object, "sequences", 1), 0, 0);
    effort = json_object_get(object, "effort");
    members_of(effort, "passes rows drafted accepted ");
    assert_int_equal(number_of(effort, "passes"), 2);
    assert_int_equal(number_of(effort, "rows"), 3);
    trace = json_object_get(object, "trace");
    members_of(trace, "steps rows beams ");
    assert_int_equal(json_array_size(json_object_get(trace, "steps")), 4);
    assert_int_equal(json_array_size(json_object_get(trace, "rows")), 3);
    assert_int_equal(json_array_size(json_object_get(trace, "beams")), 7);
    for (size_t i = 0; i < 7; i++)
        assert_string_equal(text_of(entry(trace, "beams", i), "fate"), fates[i]);
    beam = entry(trace, "beams", 0);
    members_of(beam, "parent step id token logprob processed_logprob removed_by sum score place "
                     "slot fate finish_reason row ");
    assert_true(is_null(beam, "parent") && is_null(beam, "score"));
    assert_true(is_null(beam, "finish_reason") && is_null(beam, "removed_by"));
    assert_int_equal(number_of(beam, "row"), 1);
    assert_int_equal(number_of(beam, "slot"), 0);
    beam = entry(trace, "beams", 2);
    assert_string_equal(text_of(beam, "removed_by"), "repetition_penalty");
    assert_true(is_null(beam, "processed_logprob") && is_null(beam, "slot"));
    assert_int_equal(json_array_size(json_object_get(beam, "changes")), 1);
    beam = entry(trace, "beams", 6);
    assert_string_equal(text_of(beam, "finish_reason"), "stop");
    assert_int_equal(number_of(beam, "parent"), 0);
    assert_int_equal(number_of(beam, "step"), 1);
    assert_int_equal(number_of(beam, "place"), 2);
    assert_true(is_null(beam, "row"));
    assert_true(fabs(number_of(beam, "sum") - log(0.008)) < 1e-7);
    step = entry(trace, "steps", 1);
    members_of(step, "sequence step chosen draw beam kept entropy candidates ");
    assert_int_equal(number_of(step, "beam"), 1);
    assert_int_equal(number_of(step, "chosen"), 257);
    assert_int_equal(json_array_size(json_object_get(step, "candidates")), 3); /* and the chosen */
    assert_true(is_null(entry(trace, "steps", 0), "beam"));
    members_of(entry(trace, "rows", 1), "step kept entropy candidates ");
    assert_int_equal(json_array_size(json_object_get(entry(trace, "rows", 1), "candidates")), 2);
    json_decref(object);
}

static void proof_values(void **state) {
    (void)state;
    json_t *object = read_back(sample_gap());
    const json_t *proof = json_object_get(object, "proof");
    members_of(proof,
               "proved gap bound limit horizon nodes greedy beams num_beams min_probability ");
    assert_true(json_is_false(json_object_get(proof, "proved")));
    assert_true(number_of(proof, "gap") == 1.25 && number_of(proof, "bound") == -16.25);
    assert_string_equal(text_of(proof, "limit"), "max_nodes");
    assert_int_equal(number_of(proof, "horizon"), 20);
    assert_int_equal(number_of(proof, "nodes"), 10000);
    assert_true(number_of(proof, "greedy") == -19.75 && number_of(proof, "beams") == -17.0625);
    assert_int_equal(number_of(proof, "num_beams"), 5);
    json_decref(object);
    nt_result *t = sample_proved();
    t->proof->bound = -INFINITY;
    object = read_back(t);
    proof = json_object_get(object, "proof");
    assert_true(json_is_true(json_object_get(proof, "proved")));
    assert_true(is_null(proof, "limit") && is_null(proof, "bound"));
    json_decref(object);
}

/* Five beams of a thousand tokens, their rows and the steps of five outputs. */
static void large_traces(void **state) {
    (void)state;
    enum { BEAMS = 5, STEPS = 1000 };
    float raw[40], last[40];
    nt_stage stages[] = {{NULL, raw}, {NULL, raw}, {"repetition_penalty", last}};
    int32_t watch[BEAMS] = {3, 9, 12, 30, 31};
    nt_candidate watched[BEAMS];
    nt_sight sight = {.stages = stages,
                      .n_stages = 3,
                      .V = 40,
                      .k = 5,
                      .watch = watch,
                      .watched = watched,
                      .n_watch = BEAMS};
    nt_result *t = new_sample(NT_RESULT_GENERATE);
    t->method = "beam_search";
    for (size_t v = 0; v < 40; v++) {
        raw[v] = (float)((v * 7) % 11) * 0.3f;
        last[v] = v % 3 ? raw[v] : raw[v] / 1.5f;
    }
    for (size_t s = 0; s < STEPS; s++) {
        for (size_t b = 0; b < (s ? BEAMS : 1); b++)
            assert_int_equal(nt_trace_add_row(t, &sight), NT_OK);
        for (size_t b = 0; b < BEAMS; b++) {
            nt_beam beam = {.parent = s ? (int64_t)(BEAMS * (s - 1) + b) : -1,
                            .index = s,
                            .token = watched[b],
                            .slot = (int32_t)b,
                            .row = (int64_t)(BEAMS * s + b + 1)};
            assert_int_equal(nt_trace_add_beam(t, &beam), NT_OK);
        }
    }
    for (size_t b = 0; b < BEAMS; b++)
        add_output(t, "", -1, -1, (int64_t)(BEAMS * (STEPS - 1) + b));
    assert_int_equal(nt_trace_follow_beams(t), NT_OK);
    with_trace = true;
    json_t *object = read_back(t);
    with_trace = false;
    const json_t *trace = json_object_get(object, "trace");
    assert_int_equal(json_array_size(json_object_get(trace, "beams")), BEAMS * STEPS);
    assert_int_equal(json_array_size(json_object_get(trace, "steps")), BEAMS * STEPS);
    const json_t *indices = json_object_get(entry(object, "sequences", 4), "beam_indices");
    assert_int_equal(json_array_size(indices), STEPS);
    assert_int_equal(json_integer_value(json_array_get(indices, STEPS - 1)), 4);
    json_decref(object);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(processed_values), cmocka_unit_test(processed_step_values),
        cmocka_unit_test(beam_values),      cmocka_unit_test(proof_values),
        cmocka_unit_test(large_traces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
