/* Options from files: a checkpoint's defaults, a file that the caller names, and who wins. */
#include <stdio.h>
#include <unistd.h>

#include "option_support.h"

static int read_config(nt_generate_options *o, nt_buffer *note, const char *text, size_t V) {
    json_t *object = json_loads(text, 0, NULL);
    assert_non_null(object);
    int status = nt_options_from_config(o, note, object, "some/generation_config.json", V);
    json_decref(object);
    return status;
}

static void a_checkpoint_sets_defaults(void **state) {
    (void)state;
    nt_generate_options o = NT_GENERATE_OPTIONS_INIT;
    nt_buffer note = {0};
    const char *text = "{\"_from_model_config\": true, \"bos_token_id\": 50256, \"eos_token_id\": "
                       "[50256, 11, -1, 50257], \"max_length\": 100, \"max_new_tokens\": null, "
                       "\"stop_strings\": \"END\", \"choices\": 3, \"temperature\": 0.5, "
                       "\"do_sample\": false, \"num_beams\": 1, \"repetition_penalty\": 1.0, "
                       "\"min_length\": 0, \"bad_words_ids\": [], \"forced_eos_token_id\": null, "
                       "\"top_k\": 0, \"top_p\": 1, \"num_return_sequences\": 1, \"seed\": 5, "
                       "\"min_p\": 0.1, \"typical_p\": 0.9}";
    assert_int_equal(read_config(&o, &note, text, 50257), NT_OK);
    assert_int_equal(note.n, 0);
    assert_true(o.n_eos_token_id == 2 && o.eos_token_id[0] == 50256 && o.eos_token_id[1] == 11);
    assert_true(o.max_length == 100 && o.max_new_tokens == 0 && o.choices == 0);
    assert_true(o.n_stop_strings == 1 && strcmp(o.stop_strings[0], "END") == 0);
    assert_true(o.do_sample == -1 && o.temperature == 0.5 && o.top_k == 0 && o.top_p == 1);
    assert_true(o.num_return_sequences == 1 && !o.seed_given);
    nt_generate_options_clear(&o);
    assert_int_equal(read_config(&o, &note, "{\"eos_token_id\": [0, 99, 100]}", 100), NT_OK);
    assert_true(o.n_eos_token_id == 2 && o.eos_token_id[0] == 0 && o.eos_token_id[1] == 99);
    nt_generate_options_clear(&o);
    assert_int_equal(read_config(&o, &note, "{\"eos_token_id\": 50256}", 100), NT_OK);
    assert_true(o.eos_token_id && o.n_eos_token_id == 0);
    nt_generate_options_clear(&o);
    nt_buffer_free(&note);
}

static void a_checkpoint_asks_for_more(void **state) {
    (void)state;
    nt_generate_options o = NT_GENERATE_OPTIONS_INIT;
    nt_buffer note = {0};
    const char *text = "{\"do_sample\": true, \"temperature\": 0.7, \"num_beams\": 4, "
                       "\"penalty_alpha\": 0.6, \"num_beam_groups\": 1, \"token_healing\": true, "
                       "\"diversity_penalty\": 0.0, \"dola_layers\": null, \"constraints\": [], "
                       "\"watermarking_config\": {\"bias\": 2.0}, \"use_cache\": false, "
                       "\"pad_token_id\": 3, \"task_specific_params\": {}, \"n_layer\": 2}";
    assert_int_equal(read_config(&o, &note, text, 10), NT_OK);
    assert_string_equal(
        note.data,
        "generation_config.json asks for what is left out here: penalty_alpha (contrastive search, "
        "which transformers itself moved out to a community repository), token_healing (writes the "
        "prompt's last token anew, so the prompt would not stay as it was given), "
        "watermarking_config (marks the text in secret, and what changes probabilities here is to "
        "be seen)");
    assert_true(o.do_sample == 1 && o.temperature == 0.7 && o.num_beams == 4);
    nt_generate_options_clear(&o);
    nt_buffer_free(&note);
    /* what a file may carry and no draw can follow does not keep a model from opening */
    const char *odd = "{\"temperature\": 0.0, \"top_k\": -1, \"top_p\": \"a long string, longer "
                      "than what is shown of it in any note or message that says so\", "
                      "\"min_p\": 2, \"num_beam_groups\": 2, \"max_length\": 9}";
    assert_int_equal(read_config(&o, &note, odd, 10), NT_OK);
    assert_string_equal(
        note.data,
        "generation_config.json: temperature cannot be 0.0 and is left out: above 0 (for the "
        "likeliest alone: do_sample false); generation_config.json: top_k cannot be -1 and is left "
        "out: 1 or more, or 0 for no limit; generation_config.json: top_p cannot be \"a long "
        "string, longer than what is shown of it in any note or m... and is left out: 0 to 1; "
        "generation_config.json: min_p cannot be 2 and is left out: 0 to 1; "
        "generation_config.json asks for what is left out here: num_beam_groups (group beam "
        "search, which transformers itself moved out to a community repository)");
    assert_true(o.temperature == 0 && o.top_k == -1 && o.top_p == -1 && o.max_length == 9);
    assert_true(o.min_p == NT_NOT_GIVEN);
    nt_generate_options_clear(&o);
    nt_buffer_free(&note);
    const char *bad[] = {"{\"max_length\": \"20\"}",
                         "{\"max_new_tokens\": 0}",
                         "{\"eos_token_id\": \"x\"}",
                         "{\"eos_token_id\": [1, true]}",
                         "{\"stop_strings\": [1]}",
                         "{\"max_length\": 2e9}",
                         "{\"max_length\": 99999999999}",
                         "{\"stop_strings\": \"\"}",
                         "{\"do_sample\": 1}",
                         "{\"num_return_sequences\": 2000}",
                         "{\"num_beams\": 0}",
                         "{\"early_stopping\": \"always\"}",
                         "{\"bad_words_ids\": [1]}",
                         "{\"sequence_bias\": [[[1], true]]}",
                         "{\"repetition_penalty\": 0.0}",
                         "{\"forced_eos_token_id\": -1}",
                         "{\"exponential_decay_length_penalty\": [1]}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(read_config(&o, &note, bad[i], 10), NT_E_FORMAT);
        message_has("some/generation_config.json: ");
        message_has(" cannot be ");
    }
    nt_generate_options_clear(&o);
    nt_buffer_free(&note);
}

static const char everything[] =
    "{\"max_new_tokens\": 9, \"max_length\": 100, \"min_new_tokens\": 2, \"min_length\": 3, "
    "\"eos_token_id\": [4, 5, 10], \"stop_strings\": [\"END\", \"STOP\"], \"max_time\": 2.5, "
    "\"exponential_decay_length_penalty\": [3, 1.5], \"do_sample\": true, \"num_beams\": 4, "
    "\"length_penalty\": -0.5, \"early_stopping\": \"never\", \"num_return_sequences\": 2, "
    "\"temperature\": 0.7, \"top_h\": 0.4, \"top_k\": 7, \"top_p\": 0.9, \"min_p\": 0.1, "
    "\"typical_p\": 0.95, \"epsilon_cutoff\": 0.001, \"eta_cutoff\": 0.002, "
    "\"repetition_penalty\": 1.2, \"encoder_repetition_penalty\": 1.3, "
    "\"no_repeat_ngram_size\": 3, \"encoder_no_repeat_ngram_size\": 4, "
    "\"bad_words_ids\": [[1], [2, 3]], \"suppress_tokens\": [6, 10, 7], "
    "\"begin_suppress_tokens\": [8], \"sequence_bias\": [[[1, 2], -1.5]], "
    "\"forced_bos_token_id\": 1, \"forced_eos_token_id\": 10, \"guidance_scale\": 1.5, "
    "\"remove_invalid_values\": true, \"renormalize_logits\": true, "
    "\"prompt_lookup_num_tokens\": 5, \"max_matching_ngram_size\": 3, "
    "\"num_assistant_tokens\": 6, \"num_assistant_tokens_schedule\": \"heuristic\", "
    "\"assistant_confidence_threshold\": 0.5, \"assistant_ensemble_weight\": 0.8}";

/* All that transformers has fields for; then what the caller leaves open is filled with it. */
static void a_checkpoint_sets_every_option(void **state) {
    (void)state;
    nt_generate_options defaults = NT_GENERATE_OPTIONS_INIT, o = NT_GENERATE_OPTIONS_INIT;
    nt_buffer note = {0};
    assert_int_equal(read_config(&defaults, &note, everything, 10), NT_OK);
    assert_int_equal(note.n, 0);
    for (size_t i = 0; i < nt_n_options(); i++) {
        const nt_option_row *row = nt_option_row_at(i);
        if (nt_option_given(&defaults, row) == row->ours) fail_msg("%s", row->info.name);
    }
    set(&o, "do_sample", "true");
    set(&o, "num_beams", "2");
    set(&o, "suppress_tokens", "none");
    nt_options_add_defaults(&o, &defaults, 3, 50);
    for (size_t i = 0; i < nt_n_options(); i++) {
        const nt_option_row *row = nt_option_row_at(i);
        if (nt_option_given(&o, row) == row->ours) fail_msg("%s", row->info.name);
    }
    assert_true(o.max_new_tokens == 9 && o.max_length == 50 && o.min_new_tokens == 2);
    assert_true(o.min_length == 3 && o.n_eos_token_id == 2 && o.n_stop_strings == 2);
    assert_true(o.max_time == 2.5 && o.exponential_decay_given);
    assert_true(o.exponential_decay_start == 3 && o.exponential_decay_factor == 1.5);
    assert_true(o.num_beams == 2 && o.length_penalty == -0.5);
    assert_true(o.early_stopping == NT_EARLY_NEVER && o.num_return_sequences == 2);
    assert_true(o.temperature == 0.7 && o.top_h == 0.4 && o.top_k == 7 && o.top_p == 0.9);
    assert_true(o.min_p == 0.1 && o.typical_p == 0.95 && o.epsilon_cutoff == 0.001);
    assert_true(o.eta_cutoff == 0.002 && o.repetition_penalty == 1.2);
    assert_true(o.encoder_repetition_penalty == 1.3 && o.no_repeat_ngram_size == 3);
    assert_true(o.encoder_no_repeat_ngram_size == 4 && o.n_bad_words_ids == 2);
    assert_true(o.bad_words_ids == defaults.bad_words_ids && o.bad_words_ids[1].ids[1] == 3);
    assert_true(o.suppress_tokens && o.n_suppress_tokens == 0 && o.n_begin_suppress_tokens == 1);
    assert_true(o.n_sequence_bias == 1 && o.sequence_bias[0].bias == -1.5);
    assert_true(o.forced_bos_token_id == 1 && o.forced_eos_token_id[0] == 10);
    assert_true(o.guidance_scale == 1.5 && o.remove_invalid_values == 1);
    assert_true(o.renormalize_logits == 1 && o.prompt_lookup_num_tokens == 5);
    assert_true(o.max_matching_ngram_size == 3 && o.num_assistant_tokens == 6);
    assert_true(o.num_assistant_tokens_schedule == NT_SCHEDULE_HEURISTIC);
    assert_true(o.assistant_confidence_threshold == 0.5 && o.assistant_ensemble_weight == 0.8);
    assert_true(defaults.n_suppress_tokens == 2); /* 10 is outside the vocabulary */
    nt_generate_options_clear(&o);
    nt_generate_options_clear(&defaults);
    nt_buffer_free(&note);
}

static void what_the_caller_gives_wins(void **state) {
    (void)state;
    int32_t eos[] = {7}, none[] = {0};
    const char *stops[] = {"x"};
    nt_generate_options defaults = NT_GENERATE_OPTIONS_INIT, open = NT_GENERATE_OPTIONS_INIT;
    defaults.max_new_tokens = 50;
    defaults.max_length = 4096;
    defaults.eos_token_id = eos;
    defaults.n_eos_token_id = 1;
    defaults.stop_strings = stops;
    defaults.n_stop_strings = 1;
    nt_options_add_defaults(&open, &defaults, 10, 1024);
    assert_true(open.max_new_tokens == 50 && open.max_length == 1024);
    assert_true(open.eos_token_id == eos && open.n_eos_token_id == 1);
    assert_true(open.stop_strings == stops && open.n_stop_strings == 1);
    nt_generate_options full = NT_GENERATE_OPTIONS_INIT;
    nt_options_add_defaults(&full, &defaults, 1000, 1024);
    assert_int_equal(full.max_new_tokens, 24);
    nt_generate_options given = NT_GENERATE_OPTIONS_INIT;
    given.max_length = 60;
    given.eos_token_id = none;
    given.stop_strings = stops;
    nt_options_add_defaults(&given, &defaults, 10, 1024);
    assert_true(given.max_new_tokens == 0 && given.max_length == 60);
    assert_true(given.n_eos_token_id == 0 && given.n_stop_strings == 0);
}

/* Warpers of the file count when the run draws, whoever asked for that; each value alone. */
static void a_checkpoint_that_samples(void **state) {
    (void)state;
    nt_generate_options defaults = NT_GENERATE_OPTIONS_INIT;
    defaults.do_sample = 1;
    defaults.temperature = 0.7;
    defaults.top_k = 20;
    defaults.top_p = 0.9;
    defaults.num_return_sequences = 3;
    defaults.max_length = 50;
    nt_generate_options o = NT_GENERATE_OPTIONS_INIT, greedy = o, own = o, turned_on = o;
    nt_options_add_defaults(&o, &defaults, 10, 1024);
    assert_true(o.do_sample == 1 && o.temperature == 0.7 && o.top_k == 20 && o.top_p == 0.9);
    assert_true(o.num_return_sequences == 3 && o.max_length == 50 && !o.seed_given);
    greedy.do_sample = -1;
    nt_options_add_defaults(&greedy, &defaults, 10, 1024);
    assert_true(greedy.do_sample == -1 && greedy.temperature == 0 && greedy.top_k == -1);
    assert_true(greedy.top_p == -1 && greedy.max_length == 50);
    own.top_k = 0;
    own.temperature = 2;
    own.num_return_sequences = 1;
    own.seed_given = true;
    own.seed = 8;
    nt_options_add_defaults(&own, &defaults, 10, 1024);
    assert_true(own.do_sample == 1 && own.temperature == 2 && own.top_k == 0 && own.top_p == 0.9);
    assert_true(own.num_return_sequences == 1 && own.seed_given && own.seed == 8);
    defaults.do_sample = 0;
    nt_generate_options off = NT_GENERATE_OPTIONS_INIT;
    nt_options_add_defaults(&off, &defaults, 10, 1024);
    assert_true(off.do_sample == 0 && off.temperature == 0 && off.top_k == -1);
    turned_on.do_sample = 1;
    nt_options_add_defaults(&turned_on, &defaults, 10, 1024);
    assert_true(turned_on.temperature == 0.7 && turned_on.top_k == 20 && turned_on.top_p == 0.9);
}

/* Who asks for an exact search gets one, though the checkpoint samples, as chat models' do. */
static void an_exact_search_draws_nothing(void **state) {
    (void)state;
    nt_generate_options defaults = NT_GENERATE_OPTIONS_INIT, o = NT_GENERATE_OPTIONS_INIT;
    nt_buffer note = {0};
    assert_int_equal(read_config(&defaults, &note, everything, 10), NT_OK);
    o.search = NT_SEARCH_EXACT;
    o.horizon = 3;
    nt_options_add_defaults(&o, &defaults, 3, 50);
    assert_true(o.do_sample == 0 && o.temperature == 0 && o.top_k == -1 && o.early_stopping == 0);
    assert_true(o.prompt_lookup_num_tokens == 0 && o.length_penalty == NT_NOT_GIVEN);
    assert_true(o.max_new_tokens == 0 && o.max_length == 0 && o.horizon == 3);
    assert_true(o.repetition_penalty == 1.2 && o.n_eos_token_id == 2);
    nt_generate_options_clear(&defaults);
    nt_buffer_free(&note);
}

/* ---- A file that the caller names ---- */

typedef struct heard {
    char lines[4][600];
    size_t n;
} heard;

static void hear(void *payload, const char *line) {
    heard *h = payload;
    assert_true(h->n < 4 && strlen(line) < sizeof h->lines[0]);
    strcpy(h->lines[h->n++], line);
}

static char path[1024];

static int load(nt_generate_options *o, const char *text) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    return nt_generate_options_load(o, path);
}

static void a_file_fills_what_is_open(void **state) {
    (void)state;
    nt_generate_options o = NT_GENERATE_OPTIONS_INIT;
    set(&o, "top_k", "3");
    set(&o, "max_length", "30");
    set(&o, "stop_strings", "mine");
    assert_int_equal(load(&o, everything), NT_OK);
    assert_true(o.top_k == 3 && o.max_length == 30 && o.max_new_tokens == 0);
    assert_true(o.n_stop_strings == 1 && strcmp(o.stop_strings[0], "mine") == 0);
    assert_true(o.num_beams == 4 && o.top_p == 0.9 && o.n_eos_token_id == 3);
    set(&o, "stop_strings", "more"); /* of the caller's own list, not of the file's */
    assert_int_equal(o.n_stop_strings, 2);
    nt_generate_options_clear(&o);
    assert_int_equal(load(&o, everything), NT_OK);
    assert_true(o.max_new_tokens == 9 && o.max_length == 100); /* the plan says which counts */
    assert_int_equal(load(&o, "{\"num_beams\": 2, \"seed\": 7, \"rng\": \"torch\", \"choices\": 2, "
                              "\"logit_bias\": {\"5\": -1}, \"best_of\": 3, \"top_h\": null}"),
                     NT_OK);
    assert_true(o.num_beams == 4 && o.seed_given && o.seed == 7 && o.rng == NT_RNG_TORCH);
    assert_true(o.choices == 2 && o.n_logit_bias == 1 && o.best_of == 3 && o.top_h == 0.4);
    nt_generate_options_clear(&o);
    set(&o, "negative_prompt", "mine");
    assert_int_equal(load(&o, "{\"negative_prompt_ids\": [1, 2], \"guidance_scale\": 2}"), NT_OK);
    assert_true(!o.negative_prompt_ids && o.guidance_scale == 2);
    nt_generate_options_clear(&o);
}

/* caller > file > checkpoint > what holds without any */
static void who_wins(void **state) {
    (void)state;
    nt_generate_options defaults = NT_GENERATE_OPTIONS_INIT, o = NT_GENERATE_OPTIONS_INIT;
    nt_buffer note = {0};
    assert_int_equal(read_config(&defaults, &note,
                                 "{\"num_beams\": 2, \"length_penalty\": 2, \"min_length\": 2, "
                                 "\"max_new_tokens\": 50}",
                                 10),
                     NT_OK);
    set(&o, "num_beams", "4");
    assert_int_equal(load(&o, "{\"num_beams\": 3, \"length_penalty\": 3, \"max_length\": 9}"),
                     NT_OK);
    nt_options_add_defaults(&o, &defaults, 3, 50);
    assert_true(o.num_beams == 4 && o.length_penalty == 3 && o.min_length == 2);
    assert_true(o.early_stopping == 0 && o.max_length == 9 && o.max_new_tokens == 0);
    nt_generate_options_clear(&o);
    nt_generate_options_clear(&defaults);
    nt_buffer_free(&note);
}

static void a_file_tells_what_is_left_out(void **state) {
    (void)state;
    heard h = {.n = 0};
    nt_callbacks callbacks = NT_CALLBACKS_INIT;
    callbacks.payload = &h;
    callbacks.note = hear;
    nt_generate_options o = NT_GENERATE_OPTIONS_INIT;
    o.callbacks = &callbacks;
    assert_int_equal(load(&o, "{\"transformers_version\": \"5.23.0\", \"pad_token_id\": 0, "
                              "\"bos_token_id\": 1, \"_hash\": 3, \"use_cache\": true}"),
                     NT_OK);
    assert_int_equal(h.n, 0);
    assert_int_equal(load(&o, "{\"topp\": 1, \"num-beams\": 2, \"\\u001b[2J\": 1, \"use_mtp\": "
                              "true, \"top_k\": 4}"),
                     NT_OK);
    assert_int_equal(h.n, 2);
    const char *file = strrchr(path, '/') + 1;
    char expected[300];
    snprintf(expected, sizeof expected,
             "%s asks for what is left out here: use_mtp (drafts by heads of the model's own, "
             "which the models read here do not have)",
             file);
    assert_string_equal(h.lines[0], expected);
    snprintf(expected, sizeof expected,
             "%s: not options: \"topp\", \"num-beams\", \"\\u001B[2J\": left out", file);
    assert_string_equal(h.lines[1], expected);
    assert_true(o.num_beams == 0 && o.top_k == 4);
    h.n = 0;
    assert_int_equal(load(&o, "{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,"
                              "\"i\":1,\"j\":1}"),
                     NT_OK);
    assert_non_null(strstr(h.lines[0], "\"h\" and 2 more: left out"));
    nt_generate_options_clear(&o);
    /* what acts only when drawing matters only there, as in transformers */
    o.callbacks = &callbacks;
    h.n = 0;
    assert_int_equal(load(&o, "{\"temperature\": 0.0, \"do_sample\": false}"), NT_OK);
    assert_true(h.n == 1 && o.temperature == 0 && o.do_sample == -1);
    assert_non_null(strstr(h.lines[0], ": temperature cannot be 0.0 and is left out: above 0"));
    nt_generate_options_clear(&o);
    assert_int_equal(load(&o, "{\"temperature\": 0.0, \"do_sample\": true}"), NT_E_FORMAT);
    set(&o, "do_sample", "true");
    assert_int_equal(load(&o, "{\"temperature\": 0.0}"), NT_E_FORMAT);
    nt_generate_options_clear(&o);
}

static void files_that_cannot_be_read(void **state) {
    (void)state;
    nt_generate_options o = NT_GENERATE_OPTIONS_INIT, before;
    set(&o, "top_p", "0.5");
    before = o;
    static const struct {
        const char *text, *message;
    } bad[] = {
        {"", "is not valid JSON"},
        {"{", "is not valid JSON"},
        {"[1]", "holds an array where an object was expected"},
        {"{\"top_k\": 1, \"top_k\": 2}", "duplicate object key"},
        {"{\"temperature\": 1e999}", "is not valid JSON"},
        {"{\"temperature\": NaN}", "is not valid JSON"},
        {"{\"do_sample\": true, \"top_k\": \"5\"}",
         ": top_k cannot be \"5\": it takes an integer, 1 or more, or 0 for no limit"},
        {"{\"do_sample\": true, \"typical_p\": 0}", ": typical_p cannot be 0: it takes a number, "},
        {"{\"num_beams\": 2, \"bad_words_ids\": []}", ": bad_words_ids cannot be []: it takes "},
        {"{\"max_new_tokens\": 5, \"early_stopping\": \"soon\"}",
         ": early_stopping cannot be \"soon\": it takes one of its words, false, true or never"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(load(&o, bad[i].text), NT_E_FORMAT);
        message_has(bad[i].message);
        message_has(path);
        before.owned = o.owned;
        assert_memory_equal(&before, &o, sizeof o); /* nothing is taken of such a file */
    }
    assert_int_equal(nt_generate_options_load(&o, "/no/such/file.json"), NT_E_NOT_FOUND);
    message_has("/no/such/file.json");
    assert_int_equal(nt_generate_options_load(&o, NULL), NT_E_ARGUMENT);
    assert_int_equal(nt_generate_options_load(NULL, path), NT_E_ARGUMENT);
    /* a program that was built before there were beams */
    o.size = offsetof(nt_generate_options, min_length);
    assert_int_equal(load(&o, "{\"top_k\": 9}"), NT_OK);
    assert_int_equal(o.top_k, 9);
    assert_int_equal(load(&o, "{\"num_beams\": 9}"), NT_E_ARGUMENT);
    message_has("too small for num_beams");
    assert_int_equal(o.num_beams, 0);
    o.size = 3;
    assert_int_equal(load(&o, "{}"), NT_E_ARGUMENT);
    o.size = sizeof o;
    nt_generate_options_clear(&o);
}

static int read_everything(nt_generate_options *o, nt_generate_options *defaults, nt_buffer *note) {
    json_t *object = json_loads(everything, 0, NULL);
    json_object_set_new(object, "use_mtp", json_true());
    int status = nt_options_from_config(defaults, note, object, "config.json", 10);
    json_decref(object);
    return status == NT_OK ? nt_generate_options_load(o, path) : status;
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    heard h;
    nt_callbacks callbacks = NT_CALLBACKS_INIT;
    callbacks.payload = &h;
    callbacks.note = hear;
    nt_generate_options o = NT_GENERATE_OPTIONS_INIT;
    assert_int_equal(load(&o, "{\"use_mtp\": true, \"unknown\": 1, \"stop_strings\": [\"a\"], "
                              "\"sequence_bias\": {\"(1, 2)\": 3}, \"bad_words_ids\": [[1]], "
                              "\"eos_token_id\": 3, \"negative_prompt\": \"a\"}"),
                     NT_OK);
    nt_generate_options_clear(&o);
    int status = NT_E_MEMORY;
    size_t k = 0;
    while (status != NT_OK) {
        nt_generate_options defaults = NT_GENERATE_OPTIONS_INIT;
        nt_buffer note = {0};
        h.n = 0;
        o.callbacks = &callbacks;
        nt_memory_fail_at(++k);
        status = read_everything(&o, &defaults, &note);
        nt_memory_fail_at(0);
        assert_true(status == NT_OK || status == NT_E_MEMORY);
        assert_int_equal(h.n, status == NT_OK ? 2 : 0);
        nt_generate_options_clear(&o);
        nt_generate_options_clear(&defaults);
        nt_buffer_free(&note);
    }
    assert_true(k > 25);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_checkpoint_sets_defaults),
        cmocka_unit_test(a_checkpoint_asks_for_more),
        cmocka_unit_test(a_checkpoint_sets_every_option),
        cmocka_unit_test(what_the_caller_gives_wins),
        cmocka_unit_test(a_checkpoint_that_samples),
        cmocka_unit_test(an_exact_search_draws_nothing),
        cmocka_unit_test(a_file_fills_what_is_open),
        cmocka_unit_test(who_wins),
        cmocka_unit_test(a_file_tells_what_is_left_out),
        cmocka_unit_test(files_that_cannot_be_read),
        cmocka_unit_test(every_allocation_may_fail),
    };
    snprintf(path, sizeof path, NT_BINARY_DIR "/options_%ld.json", (long)getpid());
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    remove(path);
    return failed;
}
