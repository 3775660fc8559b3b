/* Heat maps and lines: classes, pieces, what each view shows of them, and texts of every kind. */
#include <stdio.h>

#include "view/heat.h"
#include "view/random.h"
#include "view/shown.h"
#include "view/svg_line.h"

/* A scored text of tokens [n]. */
static nt_result *scored_of(const piece *tokens, size_t n, const double *logprobs) {
    nt_result *t = new_sample(NT_RESULT_SCORE);
    double sum = 0;
    t->n_vocab = 50257;
    t->prompt_len = 1;
    t->tokens = room(t, n ? n : 1, sizeof *t->tokens);
    t->scored = room(t, n ? n : 1, sizeof *t->scored);
    for (size_t i = 0; i < n; i++) {
        t->tokens[t->n_tokens++] = token_of(t, (int32_t)i, tokens[i].bytes, tokens[i].n);
        double logprob = i == 0 ? NAN : logprobs ? logprobs[i] : -(double)i;
        t->scored[i] = (nt_scored){.logprob = logprob,
                                   .entropy = i ? 1.5 * (double)(i % 5) : NAN,
                                   .rank = i ? (int64_t)(i * i * i) : 0,
                                   .counted = i > 0};
        if (i > 0) sum += logprob;
    }
    t->totals = (nt_totals){.logprob = sum, .n_counted = n > 0 ? n - 1 : 0};
    return t;
}

#define TOKENS(...)                                                                                \
    (const piece[]){__VA_ARGS__}, sizeof((const piece[]){__VA_ARGS__}) / sizeof(piece)

/* ---- Classes --------------------------------------------------------------------------------- */

static int class_of(nt_heat heat, bool bits, double logprob, int64_t rank, double entropy) {
    nt_scored s = {.logprob = logprob, .rank = rank, .entropy = entropy, .counted = true};
    return nt_heat_class(heat, nt_measure_of(bits), &s);
}

static void classes(void **state) {
    (void)state;
    static const struct {
        double p;
        int class;
    } probabilities[] = {{1, 0},     {0.51, 0},  {0.49, 1},   {0.11, 1},   {0.09, 2},
                         {0.011, 2}, {0.009, 3}, {0.0011, 3}, {0.0009, 4}, {0, 4}};
    for (size_t i = 0; i < 10; i++) {
        assert_int_equal(class_of(NT_HEAT_PROBABILITY, false, log(probabilities[i].p), 1, 1),
                         probabilities[i].class);
    }
    static const int64_t ranks[] = {1, 10, 11, 100, 101, 1000, 1001, 50257};
    for (int i = 0; i < 8; i++) /* as GLTR has them */
        assert_int_equal(class_of(NT_HEAT_RANK, false, -1, ranks[i], 1), i / 2);
    static const double nats[] = {0, 0.99, 1, 1.99, 2, 3.99, 4, 7.99, 8, INFINITY};
    for (int i = 0; i < 10; i++)
        assert_int_equal(class_of(NT_HEAT_SURPRISAL, false, -nats[i], 1, 1), i / 2);
    static const double bits[] = {0, 1.49, 1.51, 2.99, 3.01, 5.99, 6.01, 11.99, 12.01, INFINITY};
    for (int i = 0; i < 10; i++)
        assert_int_equal(class_of(NT_HEAT_SURPRISAL, true, -bits[i] * log(2), 1, 1), i / 2);
    static const double left[] = {0, 0.99, 1, 1.99, 2, 3.99, 4, 5.99, 6, 10.8};
    for (int i = 0; i < 10; i++)
        assert_int_equal(class_of(NT_HEAT_ENTROPY, false, -1, 1, left[i]), i / 2);
    for (nt_heat heat = NT_HEAT_PROBABILITY; heat <= NT_HEAT_ENTROPY; heat++) {
        assert_int_equal(class_of(heat, false, NAN, 0, NAN), -1);
        nt_heat_scale scale = nt_heat_scale_of(heat, nt_measure_of(false));
        for (size_t c = 1; c < scale.n; c++)
            assert_true(scale.levels[c] > scale.levels[c - 1]);
    }
}

/* ---- Pieces ---------------------------------------------------------------------------------- */

/* lengths: how many tokens each piece has, as digits. */
static void pieces_are(const piece *tokens, size_t n, const char *lengths) {
    nt_result *t = scored_of(tokens, n, NULL);
    char got[64] = "";
    for (nt_heat_piece at = {0}; nt_heat_next(&at, t, false);)
        sprintf(got + strlen(got), "%zu", at.n);
    assert_string_equal(got, lengths);
    free_sample(t);
}

static void characters_over_several_tokens(void **state) {
    (void)state;
    pieces_are(NULL, 0, "");
    pieces_are(TOKENS({BYTES("Alice")}, {BYTES(" was")}), "11");
    pieces_are(TOKENS({BYTES(" \xF0\x9F")}, {BYTES("\x90")}, {BYTES("\x87")}, {BYTES("x")}), "31");
    pieces_are(TOKENS({BYTES("\xE6\x97")}, {BYTES("\xA5")}, {BYTES("\xE6\x9C\xAC")}), "21");
    /* a joiner that is cut itself */
    pieces_are(TOKENS({BYTES("\xF0\x9F\x91\xA8")}, {BYTES("\xE2\x80")}, {BYTES("\x8D")},
                      {BYTES("\xF0\x9F\x91")}, {BYTES("\xA9")}, {BYTES(".")}),
               "51");
    pieces_are(TOKENS({BYTES("e")}, {BYTES("\xCC\x81")}, {BYTES("f")}), "21");
    pieces_are(TOKENS({BYTES("\r")}, {BYTES("\n")}, {BYTES("\n")}), "21");
    /* what never becomes a character joins nothing */
    pieces_are(TOKENS({BYTES("\xF0\x9F")}, {BYTES("a")}, {BYTES("\x90")}, {BYTES("\x87")}), "1111");
    pieces_are(TOKENS({BYTES("\xF0")}, {BYTES("")}, {BYTES("\x9F")}), "111");
    pieces_are(TOKENS({BYTES("\xF0\x9F")}, {BYTES("\x90")}), "11");
    /* accents without end are cut somewhere */
    piece many[40] = {{BYTES("e")}};
    for (size_t i = 1; i < 40; i++)
        many[i] = (piece){BYTES("\xCC\x81")};
    nt_result *t = scored_of(many, 40, NULL);
    size_t n = 0;
    for (nt_heat_piece at = {0}; nt_heat_next(&at, t, false);) {
        assert_in_range(at.n, 1, 20);
        n += at.n;
    }
    assert_int_equal(n, 40);
    free_sample(t);
}

static void a_piece_adds_up(void **state) {
    (void)state;
    static const double logprobs[] = {0, -1, -2, -4};
    nt_result *t = scored_of(
        TOKENS({BYTES("a")}, {BYTES("\xF0\x9F")}, {BYTES("\x90")}, {BYTES("\x87")}), logprobs);
    nt_heat_piece at = {0};
    assert_true(nt_heat_next(&at, t, false));
    assert_true(isnan(at.scored.logprob));
    assert_true(nt_heat_next(&at, t, false));
    assert_true(at.scored.logprob == -7);
    assert_int_equal(at.scored.rank, 27);
    assert_true(at.scored.entropy == 1.5);
    assert_true(at.scored.counted);
    assert_false(nt_heat_next(&at, t, false));
    free_sample(t);
}

static void words_hold_all_tokens(void **state) {
    (void)state;
    nt_result *t = sample_words();
    size_t n = 0, words = 0;
    for (nt_heat_piece at = {0}; nt_heat_next(&at, t, true);) {
        assert_int_equal(at.first, n);
        n += at.n;
        words += at.word != NULL;
    }
    assert_int_equal(n, t->n_tokens);
    assert_int_equal(words, t->n_words);
    t->words++; /* the first token is then a BOS that belongs to none */
    t->n_words--;
    nt_heat_piece at = {0};
    assert_true(nt_heat_next(&at, t, true));
    assert_null(at.word);
    assert_int_equal(at.n, 1);
    t->words--;
    free_sample(t);
}

/* ---- Views ----------------------------------------------------------------------------------- */

static void on_the_terminal(void **state) {
    (void)state;
    static const double logprobs[] = {0, -0.5, -1.5, -3, -5, -9};
    nt_result *t = scored_of(TOKENS({BYTES("A")}, {BYTES(" b")}, {BYTES(" c")}, {BYTES(" d")},
                                    {BYTES("\n")}, {BYTES("\te")}),
                             logprobs);
    nt_view_options options = NT_VIEW_OPTIONS_INIT;
    options.heat = NT_HEAT_SURPRISAL;
    char *text = shown(t, nt_view_table, options);
    has(text, "A b c\xC2\xB9 d\xC2\xB2\xC2\xB3\n    e\xE2\x81\xB4\n\n");
    has(text,
        "surprisal in nats   under 1 1  \xC2\xB9 1 to 2 1  \xC2\xB2 2 to 4 1  \xC2\xB3 4 to 8 1  "
        "\xE2\x81\xB4 8 and up 1\n");
    has(text, "5 of 6 tokens counted");
    has_not(text, "logprob ");
    nt_free(text);
    options.ascii = true;
    text = shown(t, nt_view_table, options);
    has(text, "A b c^1 d^2^3\n    e^4\n\n");
    nt_free(text);
    options.ascii = false;
    options.color = true;
    text = shown(t, nt_view_table, options);
    has(text, "\x1b[0;30;46m c\x1b[0;30;43m d\x1b[0;97;45m\xE2\x86\xB5\x1b[0m\n\x1b[0;97;41m    e");
    has_not(text, "\xC2\xB9");
    nt_free(text);
    t->prompt_len = 4;
    t->scored[1].counted = t->scored[2].counted = t->scored[3].counted = false;
    text = shown(t, nt_view_table, options);
    has(text, "\x1b[0;2mA b c d\x1b[0;97;45m"); /* the prompt is dim */
    has(text, " under 1 \x1b[0;1m0");
    nt_free(text);
    free_sample(t);
}

static void lines_of_the_text_wrap(void **state) {
    (void)state;
    piece tokens[60];
    for (size_t i = 0; i < 60; i++)
        tokens[i] = i % 7 ? (piece){BYTES(" word")} : (piece){BYTES("\xE4\xB8\xAD\xE6\x96\x87")};
    nt_result *t = scored_of(tokens, 60, NULL);
    for (int width = 20; width < 90; width += 23) {
        nt_view_options options = NT_VIEW_OPTIONS_INIT;
        options.heat = NT_HEAT_RANK;
        options.width = width;
        nt_strip strip = {0};
        char *text = shown(t, nt_view_table, options);
        for (char *at = text, *end; *at; at = end + 1) {
            end = strchr(at, '\n');
            nt_strip_clear(&strip);
            nt_strip_show(&strip, at, (size_t)(end - at), NT_SHOW_TEXT, 0);
            assert_true(nt_strip_width(&strip, 0, strip.n) <= (size_t)width);
        }
        nt_strip_free(&strip);
        nt_free(text);
    }
    free_sample(t);
}

static void on_a_page(void **state) {
    (void)state;
    nt_result *t = sample_units();
    nt_trace_step *steps = room(t, 6, sizeof *steps);
    nt_candidate *other = room(t, 1, sizeof *other);
    *other = candidate(t, 1, 99, "</script>", 0.25);
    for (size_t i = 0; i < 6; i++) {
        steps[i].step.chosen.token = t->tokens[i];
        steps[i].candidates = other;
        steps[i].n_candidates = i > 0;
    }
    t->steps = steps;
    t->n_steps = 6;
    nt_view_options options = NT_VIEW_OPTIONS_INIT;
    options.heat = NT_HEAT_RANK;
    char *text = shown(t, nt_view_html, options);
    has(text, "<div class=\"heat\" data-measure=\"rank\" data-unit=\"token\">");
    assert_int_equal(count(text, "<span class=\"c p") + count(text, "<span class=\"c out\""),
                     6 + 5 + 2 * 5); /* tokens, words, and a legend for each */
    has(text, "likeliest here\n&lt;/script&gt;\t25.00 %");
    has_not(text, "</script>\t");
    has(text, "data-class=\"r3\"");
    has(text, "<div class=\"flow word\"");
    assert_int_equal(count(text, "<svg "), 1);
    has(text, ">By token<");
    has(text, ">By word<");
    has(text, "\"alternatives\":[null,[{\"id\":99,");
    nt_free(text);
    t->by = NT_BY_WORD;
    text = shown(t, nt_view_html, options);
    has(text, "data-unit=\"word\"");
    has_not(text, "<div class=\"flow token\"");
    nt_free(text);
    free_sample(t);
}

/* A page of a very long text says what it leaves out. */
static void long_texts(void **state) {
    (void)state;
    enum { N = 12000 };
    piece *tokens = calloc(N, sizeof *tokens);
    double *logprobs = calloc(N, sizeof *logprobs);
    for (size_t i = 0; i < N; i++) {
        tokens[i] = (piece){BYTES(" x")};
        logprobs[i] = -(double)(i % 13);
    }
    nt_result *t = scored_of(tokens, N, logprobs);
    nt_view_options options = NT_VIEW_OPTIONS_INIT;
    char *text = shown(t, nt_view_html, options);
    has(text, "The beginning is drawn: 10,000 pieces of a text of 12,000 tokens.");
    has(text, "the first 5,000 of 12,000 rows");
    assert_in_range(count(text, "data-tip="), 10000, 10000);
    has(text, "each point is the mean of 36 tokens");
    nt_free(text);
    options.heat = NT_HEAT_SURPRISAL;
    text = shown(t, nt_view_table, options);
    has(text, "11,999 of 12,000 tokens counted");
    nt_free(text);
    free(tokens);
    free(logprobs);
    free_sample(t);
}

/* Pictures: what stands in one, and that each is whole whatever the numbers are. */
static void as_lines(void **state) {
    (void)state;
    static const double odd[] = {0, -INFINITY, -2, -INFINITY}, alike[] = {0, -3, -3, -3},
                        sure[] = {0, 0, 0, 0};
    nt_view_options options = NT_VIEW_OPTIONS_INIT;
    const piece *tokens =
        (const piece[]){{BYTES("A")}, {BYTES(" <b>")}, {BYTES(" \xF0\x9F\x90")}, {BYTES("\x87")}};
    nt_result *t = scored_of(tokens, 4, odd);
    char *text = shown(t, nt_view_svg, options);
    has(text, "class=\"endless\"");
    has(text, "\xE2\x88\x9E");
    has(text, "&lt;b&gt;");
    has(text, "\xF0\x9F\x90\x87"); /* named whole at both of its tokens */
    has_not(text, "nan");
    has_not(text, "inf");
    nt_free(text);
    free_sample(t);
    t = scored_of(tokens, 4, alike);
    text = shown(t, nt_view_svg, options);
    has(text, "mean 3.00");
    has(text, "surprisal in nats over 4 tokens. Mean 3.00.");
    has_not(text, "mono peak"); /* nothing stands out */
    nt_free(text);
    options.bits = true;
    text = shown(t, nt_view_svg, options);
    has(text, "mean 4.33");
    nt_free(text);
    free_sample(t);
    t = scored_of(tokens, 4, sure);
    text = shown(t, nt_view_svg, options);
    has_not(text, "nan");
    nt_free(text);
    free_sample(t);
    for (size_t n = 0; n < 2; n++) {
        t = scored_of(tokens, n, NULL);
        text = shown(t, nt_view_svg, options);
        has(text, "nothing stands before the first token");
        nt_free(text);
        free_sample(t);
    }
}

/* ---- Any text -------------------------------------------------------------------------------- */

static void hostile_tokens(void **state) {
    (void)state;
    nt_result *t = scored_of(hostile, N_HOSTILE, NULL);
    nt_view_options options = NT_VIEW_OPTIONS_INIT;
    for (int color = 0; color < 2; color++) {
        for (nt_heat heat = NT_HEAT_PROBABILITY; heat <= NT_HEAT_ENTROPY; heat++) {
            options.heat = heat;
            options.color = color;
            char *text = shown(t, nt_view_table, options);
            for (const char *c = text; *c; c++) /* no control character but our own colours */
                assert_true((unsigned char)*c >= 0x20 || *c == '\n' || (color && *c == '\x1b'));
            has_not(text, "\x1b[31m");
            has_not(text, "\x1b]");
            nt_free(text);
        }
    }
    char *text = shown(t, nt_view_html, options);
    assert_int_equal(count(text, "</script>"), 2); /* the page's own two */
    nt_free(text);
    free_sample(t);
}

static void memory(void **state) {
    (void)state;
    for (int random = 0; random < 4; random++) {
        nt_result *t = random ? random_sample(NT_RESULT_SCORE, (uint64_t)random) : sample_units();
        nt_view_options options = NT_VIEW_OPTIONS_INIT;
        sweep(t, nt_view_svg, &options);
        sweep(t, nt_view_html, &options);
        options.heat = NT_HEAT_SURPRISAL;
        sweep(t, nt_view_table, &options);
        options.color = true;
        sweep(t, nt_view_table, &options);
        free_sample(t);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes),         cmocka_unit_test(characters_over_several_tokens),
        cmocka_unit_test(a_piece_adds_up), cmocka_unit_test(words_hold_all_tokens),
        cmocka_unit_test(on_the_terminal), cmocka_unit_test(lines_of_the_text_wrap),
        cmocka_unit_test(on_a_page),       cmocka_unit_test(long_texts),
        cmocka_unit_test(as_lines),        cmocka_unit_test(hostile_tokens),
        cmocka_unit_test(memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
