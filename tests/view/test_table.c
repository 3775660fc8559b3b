/* Tables: they keep to their width, cannot drive a terminal, and look as tests/view/data has them
 * (drawn by the program once, then read by eye line by line). */
#include <stdio.h>
#include <utf8proc.h>

#include "base/file.h"
#include "base/utf8.h"
#include "view/paint.h"
#include "view/random.h"

static nt_view_options table_of(int width, bool color, bool ascii) {
    nt_view_options options = NT_VIEW_OPTIONS_INIT;
    options.width = width;
    options.color = color;
    options.ascii = ascii;
    return options;
}

/* The table, zero-ended, for nt_free; frees the trace. */
static char *show(nt_result *t, nt_view_options options) {
    nt_buffer out = {0};
    assert_int_equal(nt_view_table(&out, t, &options), NT_OK);
    char *text;
    size_t n;
    assert_int_equal(nt_buffer_take(&text, &n, &out), NT_OK);
    free_sample(t);
    return text;
}

static void has(const char *text, const char *part) {
    if (!strstr(text, part)) fail_msg("no \"%s\" in\n%s", part, text);
}

static void has_not(const char *text, const char *part) {
    if (strstr(text, part)) fail_msg("\"%s\" in\n%s", part, text);
}

/* Length of one of our colour sequences at s, else 0. */
static size_t sgr(const char *s) {
    if (strncmp(s, "\x1b[0", 3) != 0) return 0;
    size_t n = 3 + strspn(s + 3, ";0123456789");
    return s[n] == 'm' ? n + 1 : 0;
}

/* Walks a table: width of every line, and what may stand in it. */
static void check(const char *text, size_t width, bool color, bool ascii) {
    size_t n = strlen(text), columns = 0;
    bool styled = false;
    assert_true(n > 0 && text[n - 1] == '\n');
    for (size_t i = 0; i < n;) {
        size_t skip = color ? sgr(text + i) : 0;
        if (skip > 0) {
            styled = skip > strlen("\x1b[0m");
            i += skip;
            continue;
        }
        int32_t code;
        size_t length = nt_utf8_next(&code, text + i, n - i);
        i += length;
        if (code == '\n') {
            if (styled) fail_msg("a line ends in colour:\n%s", text);
            columns = 0;
            continue;
        }
        bool control = code < 0x20 || (code >= 0x7F && code < 0xA0);
        bool bidi = (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
        if (control || bidi || (ascii && code > 0x7E)) fail_msg("U+%04X in\n%s", code, text);
        columns += (size_t)utf8proc_charwidth(code);
        if (columns > width) fail_msg("a line of over %zu columns in\n%s", width, text);
    }
}

static void every_width(void **state) {
    (void)state;
    for (int width = 20; width <= 200; width += width < 130 ? 1 : 7) {
        for (int mode = 0; mode < 3; mode++) {
            for (int kind = NT_RESULT_TOKENS; kind <= NT_RESULT_COUNTS; kind++) {
                if (kind == NT_RESULT_TEXT) continue; /* data, not a table */
                nt_result *t = random_sample((nt_result_kind)kind, (uint64_t)(width * 3 + mode));
                char *text = show(t, table_of(width, mode == 1, mode == 2));
                check(text, (size_t)width, mode == 1, mode == 2);
                nt_free(text);
            }
            for (size_t i = 0; i < N_SAMPLES; i++) {
                if (samples[i] == sample_text) continue;
                char *text = show(samples[i](), table_of(width, mode == 1, mode == 2));
                check(text, (size_t)width, mode == 1, mode == 2);
                nt_free(text);
            }
        }
    }
}

/* Widths that no table fits and widths that are no widths. */
static void odd_widths(void **state) {
    (void)state;
    static const int widths[] = {1, 2, 3, 7, 11, 2147483647};
    for (size_t w = 0; w < sizeof widths / sizeof *widths; w++) {
        for (size_t i = 0; i < N_SAMPLES; i++) {
            if (samples[i] == sample_text) continue;
            char *text = show(samples[i](), table_of(widths[w], false, false));
            check(text, (size_t)widths[w], false, false);
            nt_free(text);
        }
    }
    char *zero = show(sample_next(), table_of(0, false, false));
    char *below = show(sample_next(), table_of(-5, false, false));
    char *eighty = show(sample_next(), table_of(80, false, false));
    assert_string_equal(zero, eighty);
    assert_string_equal(below, eighty);
    nt_free(zero);
    nt_free(below);
    nt_free(eighty);
}

static void as_drawn(void **state) {
    (void)state;
    static const struct {
        const char *name;
        sample_fn sample;
        int width;
        bool color, ascii, bits;
    } cases[] = {
        {"tokens_80", sample_tokens, 80, false, false, false},
        {"tokens_40_color", sample_tokens, 40, true, false, false},
        {"compared_80", sample_compared, 80, false, false, false},
        {"compared_60_color", sample_compared, 60, true, false, false},
        {"compared_40_ascii", sample_compared, 40, false, true, false},
        {"counts_80", sample_counts, 80, false, false, false},
        {"counts_40", sample_counts, 40, false, false, false},
        {"next_80", sample_next, 80, false, false, false},
        {"next_40", sample_next, 40, false, false, false},
        {"next_80_ascii", sample_next, 80, false, true, false},
        {"steps_80", sample_steps, 80, false, false, false},
        {"steps_120", sample_steps, 120, false, false, false},
        {"steps_60_color", sample_steps, 60, true, false, false},
        {"generate_60", sample_generate, 60, false, false, false},
        {"score_80", sample_score, 80, false, false, false},
        {"inspect_60", sample_inspect, 60, false, false, false},
        {"info_80", sample_info, 80, false, false, false},
        {"score_text_80_bits", sample_sums, 80, false, false, true},
        {"score_units_80", sample_units, 80, false, false, false},
        {"score_words_40", sample_words, 40, false, false, false},
        {"score_words_60_ascii_bits", sample_words, 60, false, true, true},
        {"continuations_80", sample_continuations, 80, false, false, false},
        {"continuations_40_bits", sample_continuations, 40, false, false, true},
        {"perplexity_80", sample_perplexity, 80, false, false, false},
        {"perplexity_40_ascii_bits", sample_perplexity, 40, false, true, true},
        {"steps_drawn_40", sample_drawn_steps, 40, false, false, false},
        {"steps_drawn_80", sample_drawn_steps, 80, false, false, false},
        {"steps_drawn_120_color", sample_drawn_steps, 120, true, false, false},
        {"generate_drawn_60", sample_drawn, 60, false, false, false},
        {"processed_60", sample_processed, 60, false, false, false},
        {"processed_80_ascii", sample_processed, 80, false, true, false},
        {"processed_80_color", sample_processed, 80, true, false, false},
        {"processed_120", sample_processed, 120, false, false, false},
        {"processed_steps_60_ascii", sample_processed_steps, 60, false, true, false},
        {"processed_steps_80_color", sample_processed_steps, 80, true, false, false},
        {"processed_steps_120", sample_processed_steps, 120, false, false, false},
        {"beams_80", sample_beams, 80, false, false, false},
        {"proved_80", sample_proved, 80, false, false, false},
        {"gap_60_ascii", sample_gap, 60, false, true, false},
        {"assisted_80", sample_assisted, 80, false, false, false},
        {"best_of_60", sample_best_of, 60, false, false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char path[512], *expected;
        size_t n;
        snprintf(path, sizeof path, NT_SOURCE_DIR "/tests/view/data/%s.txt", cases[i].name);
        nt_view_options options = table_of(cases[i].width, cases[i].color, cases[i].ascii);
        options.bits = cases[i].bits;
        char *text = show(cases[i].sample(), options);
        assert_int_equal(nt_file_read(&expected, &n, path, 1 << 16), NT_OK);
        assert_string_equal(text, expected);
        nt_free(expected);
        nt_free(text);
    }
}

/* A table of many tokens is left out where asked for; of a comparison what differs stays. */
static void few_rows(void **state) {
    (void)state;
    nt_view_options options = table_of(80, false, false);
    options.most_rows = 8; /* of 9 tokens */
    char *text = show(sample_tokens(), options);
    has_not(text, "start");
    has(text, "9 tokens");
    has(text, "--rows N");
    nt_free(text);
    options.most_rows = 9;
    text = show(sample_tokens(), options);
    has(text, "start");
    has_not(text, "--rows");
    nt_free(text);
    options.most_rows = 2;
    text = show(sample_compared(), options);
    has(text, "2 of them above");
    has_not(text, "   \xC2\xB7"
                  "ago"); /* which both cut alike */
    nt_free(text);
    options.most_rows = 0;
    text = show(sample_compared(), options);
    has(text, "are cut differently \xC2\xB7 0 of them above");
    nt_free(text);
}

/* Colours add nothing but colour. */
static void colors_only_add(void **state) {
    (void)state;
    for (size_t i = 0; i < N_SAMPLES; i++) {
        if (samples[i] == sample_text) continue;
        if (samples[i] == sample_tokens || samples[i] == sample_compared) continue; /* grounds */
        char *plain = show(samples[i](), table_of(70, false, false));
        char *color = show(samples[i](), table_of(70, true, false));
        char *to = color;
        has(color, "\x1b[0");
        for (char *from = color; *from;) {
            size_t skip = sgr(from);
            from += skip;
            if (!skip) *to++ = *from++;
        }
        *to = 0;
        assert_string_equal(color, plain);
        nt_free(plain);
        nt_free(color);
    }
}

static void rest_row(void **state) {
    (void)state;
    char *text = show(sample_next(), table_of(80, false, false));
    has(text, "50,247 more       73.48 % ██████████████████████████\n");
    nt_free(text);

    nt_result *t = sample_next();
    t->n_vocab = 10; /* everything is shown */
    text = show(t, table_of(80, false, false));
    has_not(text, "more");
    nt_free(text);
}

static void processed(void **state) {
    (void)state;
    nt_result *t = sample_next();
    for (size_t i = 0; i < 10; i++)
        t->steps[0].candidates[i].processed_prob = i < 2 ? 0.5 : 0;
    t->steps[0].step.kept = 2;
    char *text = show(t, table_of(100, false, false));
    has(text, "  after  ");
    has(text, "50.00 %");
    has(text, "50,247 more       73.48 % █████████████████   0.00 %\n");
    has(text, "2 of 50,257 ids kept");
    nt_free(text);
    text = show(sample_next(), table_of(100, false, false));
    has_not(text, "after");
    has_not(text, "kept");
    nt_free(text);
}

/* What happened to candidates: in as few decimals as show it, what took them out first. */
static void reasons(void **state) {
    (void)state;
    nt_result *t = sample_processed();
    nt_candidate *c = t->steps[0].candidates;
    nt_change several[] = {{"sequence_bias", -30.251f, -30.252f},
                           {"top_k", -30.252f, -INFINITY},
                           {"temperature", -INFINITY, -INFINITY},
                           {"forced_eos_token_id", -INFINITY, 0}};
    nt_change out[] = {{"presence_penalty", -30, -31}, {"top_k", -31, -INFINITY}};
    c[0].changes = several;
    c[0].n_changes = 4;
    c[0].processed_logit = 0;
    c[1].changes = out;
    c[1].n_changes = 2;
    c[1].processed_logit = -INFINITY;
    c[2].n_changes = 0;
    char *text = show(t, table_of(200, false, false));
    has(text,
        "sequence_bias -30.251 → -30.252, removed by top_k, forced_eos_token_id -inf → 0.0\n");
    has(text, "removed by top_k, presence_penalty -30.0 → -31.0\n");
    has(text, "-33.615\n"); /* nothing happened */
    has(text, "temperature on every logit");
    nt_free(text);
    t = sample_processed();
    t->n_vocab = 7; /* fewer than there are rows */
    text = show(t, table_of(80, false, true));
    has_not(text, "more");
    has(text, "repetition_penalty -34.4 -> -41.2\n");
    nt_free(text);
}

/* Marks are told of only where a column shows them. */
static void removed_choices(void **state) {
    (void)state;
    char *text = show(sample_processed_steps(), table_of(160, false, false));
    has(text, "before and after no_repeat_ngram_size, suppress_tokens, repetition_penalty\n");
    has(text, "[1] removed by no_repeat_ngram_size · [2] removed by suppress_tokens · "
              "[3] removed by repetition_penalty · 1 likely choice pushed out: see --json\n");
    has(text, "I      23.59%    [1]\n");
    nt_free(text);
    text = show(sample_processed_steps(), table_of(80, false, false));
    has(text, "·asked   [2]");
    has(text, "\n[2] removed by suppress_tokens · 1 likely");
    has_not(text, "[1]");
    nt_free(text);
    text = show(sample_processed_steps(), table_of(40, false, false));
    has_not(text, "[");
    nt_free(text);
    nt_result *t = sample_processed_steps();
    t->steps[3].step.chosen =
        t->steps[3].candidates[4]; /* that cannot be: it is shown all the same */
    t->steps[3].n_candidates = 2;
    text = show(t, table_of(160, false, false));
    has(text, "▸·at      1.89%    [2]\n");
    nt_free(text);
}

/* What an exact search knows, in words. */
static void verdicts(void **state) {
    (void)state;
    static const struct {
        nt_proof proof;
        size_t n_outputs;
        const char *words[3];
    } cases[] = {
        {{.proved = true, .horizon = 1, .greedy = NAN, .beams = NAN, .n_beams = 1},
         1,
         {"proved: nothing within 1 token is likelier\ngpt2", "", ""}},
        {{.proved = true, .horizon = 9, .greedy = -17.5, .beams = -18, .n_beams = 1},
         2,
         {"proved: nothing else within 9 tokens is likelier\n", "greedy decoding finds the same",
          "beam search with 1 beam finds -18.000, 0.500 below\n"}},
        {{.proved = true, .horizon = 9, .greedy = -3, .beams = NAN, .min_probability = 0.25},
         0,
         {"proved: no continuation within 9 tokens has probability 0.25 or more\n",
          "decoding finds -3.000\n", ""}},
        {{.proved = true, .horizon = 9, .greedy = -3, .beams = NAN, .min_probability = 0.25},
         1,
         {"proved: nothing else within 9 tokens has probability 0.25 or more\n", "", ""}},
        {{.limit = "memory",
          .gap = 2,
          .bound = -5.5,
          .horizon = 9,
          .n_nodes = 7,
          .min_probability = 0.001},
         1,
         {"not proved: memory ended the search after 7 prefixes",
          "what was not looked at may have a log-probability of up to -5.500\n", ""}},
        {{.limit = "num_return_sequences",
          .gap = 2,
          .bound = -5.5,
          .horizon = 9,
          .n_nodes = 7,
          .min_probability = 0.001},
         1,
         {"not all: more are as likely, found after 7 prefixes", "", ""}},
        {{.limit = "max_time", .gap = INFINITY, .horizon = 9, .n_nodes = 1, .greedy = -INFINITY},
         1,
         {"not proved: max_time ended the search after 1 prefix",
          "what was not looked at may be likelier\n", "greedy decoding finds -inf ·"}},
        {{.limit = NULL, .gap = 0.5, .horizon = 9, .n_nodes = 12345, .greedy = NAN, .beams = -17},
         1,
         {"not proved: max_nodes ended the search after 12,345 prefixes",
          "likelier by up to 0.500 nats\n", "finds -17.000, 0.500 above\n"}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nt_result *t = sample_proved();
        *t->proof = cases[i].proof;
        nt_output two[] = {t->outputs[0], t->outputs[0]};
        t->outputs = two;
        t->n_outputs = cases[i].n_outputs;
        char *text = show(t, table_of(140, false, false));
        for (size_t w = 0; w < 3; w++)
            has(text, cases[i].words[w]);
        nt_free(text);
    }
    nt_result *t = sample_proved();
    t->outputs[0].score = -17.75; /* processors made it another number */
    char *text = show(t, table_of(140, false, false));
    has(text, "log-probability -17.500 · processed -17.750\n");
    nt_free(text);
    t = sample_proved();
    t->kind = NT_RESULT_STEPS;
    text = show(t, table_of(140, false, false));
    has(text, "\nproved: nothing within 8 tokens is likelier\n");
    nt_free(text);
}

/* A token that was drawn from further down gets a column of its own. */
static void chosen_elsewhere(void **state) {
    (void)state;
    char *text = show(sample_steps(), table_of(160, false, false));
    has_not(text, "chosen");
    nt_free(text);
    nt_result *t = sample_steps();
    t->steps[1].step.chosen = candidate(t, 77, 9999, " Zebra", 0.0012);
    text = show(t, table_of(160, false, false));
    has(text, "chosen");
    has(text, "▸·Zebra  0.12%\n");
    has(text, "▸·was   16.10%");
    has(text, "  I      23.59%"); /* not marked: it was not taken */
    nt_free(text);
    t = sample_steps();
    t->steps[1].step.chosen = candidate(t, 77, 9999, " Zebra", 0.0012);
    text = show(t, table_of(40, false, false)); /* the last column to go */
    has(text, "▸·Zebra");
    has_not(text, "choice 1");
    nt_free(text);
}

/* Headings stand where there are several sequences, not where there is one. */
static void sequences(void **state) {
    (void)state;
    static const sample_fn drawn[] = {sample_drawn_steps, sample_drawn};
    for (size_t i = 0; i < 2; i++) {
        char *text = show(drawn[i](), table_of(120, false, false));
        has(text, "sequence 0\n");
        has(text, "\n\nsequence 1\n");
        has(text, "sample, seed 42 · 7 + 6 tokens");
        nt_free(text);
        nt_result *t = drawn[i]();
        t->n_steps = 3;
        t->n_outputs = t->n_outputs ? 1 : 0;
        t->seed = UINT64_MAX;
        text = show(t, table_of(120, false, false));
        has_not(text, "sequence");
        has(text, "sample, seed 18446744073709551615");
        nt_free(text);
    }
    nt_result *t = sample_generate();
    t->n_steps = 0;
    t->n_outputs = 2; /* nothing to show of the second's steps */
    t->kind = NT_RESULT_STEPS;
    t->outputs = (nt_output[]){t->outputs[0], t->outputs[0]};
    char *text = show(t, table_of(80, false, false));
    has_not(text, "sequence");
    has(text, "greedy · 7 + 14 tokens");
    nt_free(text);
}

/* Numbers that are not there, and numbers that are too large to be true. */
static void odd_scores(void **state) {
    (void)state;
    nt_result *t = sample_units();
    t->totals = (nt_totals){0, NAN, NAN, 0, 0, NAN, NAN, NAN};
    t->words[1].logprob = NAN;
    t->words[2].logprob = -INFINITY;
    t->words[2].n_tokens = SIZE_MAX;
    char *text = show(t, table_of(80, false, false));
    has(text, "0 of 6 tokens counted · log-probability 0.000 nats · loss - · perplexity -\n");
    has(text, "1  is          - ");
    has(text, "2  a         inf █");
    has(text, "18,446,744,073,709,551,615\n");
    has_not(text, "±");
    has_not(text, "per byte");
    nt_free(text);

    t = new_sample(NT_RESULT_PERPLEXITY);
    t->totals = (nt_totals){0, NAN, NAN, 0, 0, NAN, NAN, NAN};
    text = show(t, table_of(80, false, false));
    has(text, "perplexity      -\nloss            -\n");
    has(text, "tokens          0\n");
    has_not(text, "first token");
    has_not(text, "transformers");
    nt_free(text);

    t = sample_perplexity();
    t->facts[0].number = 12345678901.0; /* counts keep their digits */
    t->facts[1].text = "not\x1b[31m";
    t->totals.loss_stderr = t->totals.perplexity_stderr = NAN;
    text = show(t, table_of(80, false, false));
    has(text, "tokens          12,345,678,901\n");
    has(text, "first token     not\\x1b[31m\n");
    has(text, "perplexity      25.01\n");
    nt_free(text);
}

/* The figures of tokens in base 2; probabilities are what they were. */
static void token_bits(void **state) {
    (void)state;
    nt_view_options options = table_of(80, false, false);
    options.bits = true;
    char *text = show(sample_score(), options);
    has(text, "1  ·is      -5.984       1.58 %  ");
    has(text, "8    9.378\n");
    has(text, "log-probability -14.246 bits · loss 3.5614 bits");
    nt_free(text);
}

static void windows_and_corrections(void **state) {
    (void)state;
    static const char *const papers[] = {"Pimentel & Meister 2024, for white space of every kind\n",
                                         "next word: Pimentel & Meister 2024\n",
                                         "next word: Oh & Schuler 2024\n"};
    for (int i = 0; i < 3; i++) {
        nt_result *t = sample_units();
        t->correction = (nt_correction)i;
        t->window = 1024;
        t->stride = 512;
        char *text = show(t, table_of(140, false, false));
        has(text, "3 windows of 1,024 tokens, stride 512\n");
        has(text, papers[i]);
        nt_free(text);
    }
    char *text = show(sample_score(), table_of(140, false, false));
    has_not(text, "window");
    has_not(text, "corrected");
    nt_free(text);
}

/* In order of place, ties as they were given. */
static void places(void **state) {
    (void)state;
    nt_result *t = sample_continuations();
    t->continuations[1].place = 2;
    t->continuations[2].place = 1;
    t->continuations[2].text = "\x1b[2J";
    char *text = show(t, table_of(40, false, false));
    has(text, "\\x1b[2J       -14.938  <0.01 % ▏\n"
              "·Yes           -3.250   7.58 % ▊\n"
              "·No            -0.750  92.42 % █████████\n");
    nt_free(text);
}

/* One cell, at every width from one column to more than it needs. */
static void cell_is(const char *bytes, size_t width, nt_align align, bool cut_left,
                    const char *expected) {
    nt_buffer out = {0};
    nt_paint paint = {.out = &out, .width = 80};
    nt_strip strip = {0};
    nt_strip_show(&strip, bytes, strlen(bytes), NT_SHOW_TOKEN, 0);
    nt_paint_cell(&paint, &strip, 0, strip.n, width, align, cut_left, 0);
    nt_paint_puts(&paint, "|", 0);
    assert_string_equal(out.data, expected);
    assert_int_equal(paint.column, width + 1);
    nt_strip_free(&strip);
    nt_buffer_free(&out);
}

static void cells(void **state) {
    (void)state;
    cell_is("abcd", 6, NT_LEFT, false, "abcd  |");
    cell_is("abcd", 6, NT_RIGHT, false, "  abcd|");
    cell_is("abcd", 4, NT_LEFT, false, "abcd|");
    cell_is("abcd", 3, NT_LEFT, false, "ab…|");
    cell_is("abcd", 3, NT_LEFT, true, "…cd|");
    cell_is("abcd", 1, NT_LEFT, false, "…|");
    cell_is("abcd", 1, NT_LEFT, true, "…|");
    cell_is("中文字", 5, NT_LEFT, false, "中文…|");
    cell_is("中文字", 4, NT_LEFT, false, "中… |"); /* no half characters */
    cell_is("中文字", 4, NT_LEFT, true, "…字 |");
    cell_is("ab\x1b", 5, NT_LEFT, false, "ab…  |"); /* no half escapes */
}

/* A text so far of which a column takes many bytes: cut between characters, and marked. */
static void long_inputs(void **state) {
    (void)state;
    nt_result *t = sample_steps();
    t->n_tokens = 0;
    for (size_t i = 0; i < t->n_steps; i++)
        t->steps[i].n_candidates = 1; /* room for the input */
    for (int i = 0; i < 101; i++)
        add_token(t, 1, "e\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81");
    char *text = show(t, table_of(103, false, false));
    check(text, 103, false, false);
    has_not(text, "\\x");
    has(text, "0  …");
    nt_free(text);
}

/* In the order promised: bars, then texts, then columns; and the footer says what is gone. */
static void narrowing(void **state) {
    (void)state;
    char *text = show(sample_steps(), table_of(120, false, false));
    has(text, "choice 5");
    has_not(text, "hidden");
    nt_free(text);
    text = show(sample_steps(), table_of(80, false, false));
    has(text, "choice 4");
    has_not(text, "choice 5");
    has(text, "+1 column hidden: widen the terminal, or use --csv\n");
    nt_free(text);
    text = show(sample_steps(), table_of(40, false, false));
    has(text, "choice 1");
    has(text, "+4 columns hidden: widen the terminal,\nor use --csv\n");
    nt_free(text);
}

static void footers(void **state) {
    (void)state;
    nt_result *t = sample_next();
    t->bos = true;
    t->milliseconds = 1234.5;
    t->model = "/models/gpt2-large/";
    char *text = show(t, table_of(80, false, false));
    has(text, "· gpt2-large · f32 · avx512 · 1 token · BOS added · 1,234 ms\n");
    nt_free(text);
    t = sample_next();
    t->milliseconds = 0; /* not measured */
    text = show(t, table_of(80, false, false));
    has(text, "entropy 7.123 nats · gpt2 · f32 · avx512 · 1 token · no BOS\n");
    nt_free(text);
}

/* A model without a tokenizer: ids stand for the tokens. */
static void no_bytes(void **state) {
    (void)state;
    nt_result *t = new_sample(NT_RESULT_TOKENS);
    add_token(t, 50256, "");
    t->tokens[0].bytes = NULL;
    char *text = show(t, table_of(80, false, false));
    has(text, "#50256");
    nt_free(text);
}

static void texts_are_data(void **state) {
    (void)state;
    nt_result *t = new_sample(NT_RESULT_TEXT);
    t->text = "a \x1b[31m\tb\n";
    t->n_text = strlen(t->text);
    char *text = show(t, table_of(80, false, false));
    assert_string_equal(text, "a \x1b[31m\tb\n\n");
    nt_free(text);
    t = new_sample(NT_RESULT_TEXT);
    t->text = "a \x1b[31m\tb\n";
    t->n_text = strlen(t->text);
    text = show(t, table_of(80, true, false)); /* colour: a terminal */
    assert_string_equal(text, "a \\x1b[31m    b\n\n");
    nt_free(text);
}

static void nothing_to_show(void **state) {
    (void)state;
    for (int kind = NT_RESULT_TOKENS; kind <= NT_RESULT_COUNTS; kind++) {
        char *text = show(new_sample((nt_result_kind)kind), table_of(40, false, false));
        check(text, 40, false, false);
        nt_free(text);
    }
}

/* What a table that is kept does not tell. */
static void lasting(void **state) {
    nt_view_options options = table_of(100, false, false);
    (void)state;
    options.lasting = true;
    for (size_t i = 0; i < N_SAMPLES; i++) {
        nt_result *one = samples[i](), *two = samples[i]();
        one->precision = two->precision = "f32";
        one->isa = "avx512";
        two->isa = "ref";
        one->milliseconds = 12.5;
        two->milliseconds = 0;
        char *first = show(one, options), *second = show(two, options);
        assert_string_equal(first, second);
        has_not(first, "12.5 ms");
        nt_free(first);
        nt_free(second);
    }
    nt_result *t = sample_next();
    t->precision = "bf16";
    t->isa = "ref";
    char *text = show(t, options);
    has(text, "bf16 \xC2\xB7 ref \xC2\xB7 "); /* on it numbers depend */
    nt_free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_width),
        cmocka_unit_test(odd_widths),
        cmocka_unit_test(as_drawn),
        cmocka_unit_test(few_rows),
        cmocka_unit_test(colors_only_add),
        cmocka_unit_test(rest_row),
        cmocka_unit_test(processed),
        cmocka_unit_test(reasons),
        cmocka_unit_test(removed_choices),
        cmocka_unit_test(verdicts),
        cmocka_unit_test(chosen_elsewhere),
        cmocka_unit_test(narrowing),
        cmocka_unit_test(footers),
        cmocka_unit_test(no_bytes),
        cmocka_unit_test(texts_are_data),
        cmocka_unit_test(nothing_to_show),
        cmocka_unit_test(cells),
        cmocka_unit_test(long_inputs),
        cmocka_unit_test(sequences),
        cmocka_unit_test(odd_scores),
        cmocka_unit_test(token_bits),
        cmocka_unit_test(windows_and_corrections),
        cmocka_unit_test(places),
        cmocka_unit_test(lasting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
