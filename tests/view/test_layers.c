/* Layers and attention: what each view shows of them, long texts, hostile tokens, memory. */
#include <stdio.h>

#include "view/inside.h"
#include "view/random.h"
#include "view/shown.h"
#include "view/svg_inside.h"

enum { N_LAYERS = 4, K = 2 };

typedef struct asked {
    bool layers;
    size_t heads; /* 0: no attention */
} asked;

/* What layers and heads say of tokens [n]: the likeliest of layer l at t is token (l + t) mod n,
 * but from layer 2 on always the last layer's. Row t looks at s by weights 1, 2, .. t + 1. */
static nt_result *inside_of(const piece *tokens, size_t n, asked what) {
    nt_result *t = new_sample(NT_RESULT_INSPECT);
    t->n_vocab = 50257;
    t->tokens = room(t, n ? n : 1, sizeof *t->tokens);
    for (size_t i = 0; i < n; i++)
        t->tokens[t->n_tokens++] = token_of(t, (int32_t)i, tokens[i].bytes, tokens[i].n);
    if (what.layers) {
        t->n_layers = N_LAYERS;
        t->n_layer_choices = K;
        t->layer_next = room(t, n, sizeof *t->layer_next);
        t->layer_cells = room(t, N_LAYERS * n, sizeof *t->layer_cells);
        for (size_t i = 0; i < n; i++)
            t->layer_next[i] = t->tokens[(i + 1) % n];
    }
    for (size_t l = 0; what.layers && l < N_LAYERS; l++) {
        for (size_t i = 0; i < n; i++) {
            nt_layer_choice *choices = room(t, K, sizeof *choices);
            size_t first = ((l < 2 ? l : 3) + i) % n;
            double p = 0.2 * (double)(l + 1);
            choices[0] = (nt_layer_choice){t->tokens[first], log(p), p};
            choices[1] = (nt_layer_choice){t->tokens[(first + 1) % n], log(p / 2), p / 2};
            t->layer_cells[l * n + i] = (nt_layer_cell){.likeliest = choices,
                                                        .n_likeliest = K,
                                                        .entropy = 1.25,
                                                        .next_rank = 1234,
                                                        .next_logprob = -7,
                                                        .next_prob = exp(-7)};
        }
    }
    t->n_attentions = what.heads;
    t->attentions = room(t, what.heads ? what.heads : 1, sizeof *t->attentions);
    for (size_t h = 0; h < what.heads; h++) {
        float *weights = room(t, n * n, sizeof *weights);
        for (size_t i = 0; i < n; i++)
            for (size_t s = 0; s <= i; s++)
                weights[i * n + s] = 2 * (float)(s + 1) / (float)((i + 1) * (i + 2));
        t->attentions[h] = (nt_head_weights){
            .layer = 3, .head = h ? (int32_t)h - 1 : NT_EVERY, .weights = weights};
    }
    return t;
}

static const piece words[] = {
    {BYTES("Alice")}, {BYTES(" is")}, {BYTES(" a")}, {BYTES(" girl")}, {BYTES(".")}};
enum { N_WORDS = sizeof words / sizeof *words };

static void no_line_is_wider(const char *text, size_t width) {
    nt_strip strip = {0};
    for (const char *at = text, *end; *at; at = end + 1) {
        end = strchr(at, '\n');
        nt_strip_clear(&strip);
        nt_strip_show(&strip, at, (size_t)(end - at), NT_SHOW_TEXT, 0);
        if (nt_strip_width(&strip, 0, strip.n) > width) fail_msg("wider than %zu: %s", width, at);
    }
    nt_strip_free(&strip);
}

/* ---- Figures --------------------------------------------------------------------------------- */

static void figures(void **state) {
    (void)state;
    nt_result *t = inside_of(words, N_WORDS, (asked){true, 1});
    for (size_t i = 0; i < N_WORDS; i++)
        assert_int_equal(nt_layer_decided(t, i), 2);
    const nt_head_weights *of = &t->attentions[0];
    assert_true(fabs(nt_attention_share(t, of, 3, 1, false) - 0.2) < 1e-6);
    assert_true(fabs(nt_attention_share(t, of, 3, 1, true) - 2.0 / 9) < 1e-6);
    assert_true(isnan(nt_attention_share(t, of, 3, 0, true)));
    assert_int_equal(nt_attention_most(t, of, 3, false), 3);
    nt_attention_habit habit = nt_attention_habit_of(t, of);
    double first = (1.0 / 3 + 1.0 / 6 + 1.0 / 10 + 1.0 / 15) / 4;
    double previous = (2.0 / 6 + 3.0 / 10 + 4.0 / 15) / 4;
    double itself = (2.0 / 3 + 3.0 / 6 + 4.0 / 10 + 5.0 / 15) / 4;
    assert_true(fabs(habit.first - first) < 1e-6 && fabs(habit.previous - previous) < 1e-6);
    assert_true(fabs(habit.itself - itself) < 1e-6);
    assert_true(fabs(habit.rest - (1 - first - previous - itself)) < 1e-6);
    nt_window all = nt_inside_window(t, -1, 9), last = nt_inside_window(t, -1, 2),
              up_to = nt_inside_window(t, 2, 2), begin = nt_inside_window(t, 0, 2);
    assert_true(all.first == 0 && all.n == 5 && last.first == 3 && last.n == 2);
    assert_true(up_to.first == 1 && up_to.n == 2 && begin.first == 0 && begin.n == 1);
    assert_int_equal(nt_inside_check(t, 4), NT_OK);
    assert_int_equal(nt_inside_check(t, 5), NT_E_ARGUMENT);
    static const double probs[] = {0, 0.0099, 0.01, 0.099, 0.1, 0.49, 0.5, 1};
    for (int i = 0; i < 8; i++)
        assert_int_equal(nt_layer_class(probs[i]), i / 2);
    free_sample(t);
}

/* ---- Views ----------------------------------------------------------------------------------- */

static void layers_on_the_terminal(void **state) {
    (void)state;
    nt_result *t = inside_of(words, N_WORDS, (asked){true, 0});
    nt_view_options options = NT_VIEW_OPTIONS_INIT;
    char *text = shown(t, nt_view_table, options);
    has(text, "reads       Alice        \xC2\xB7is          \xC2\xB7"
              "a");
    has(text, "block 2     \xC2\xB7girl    80  .        80  Alice    80");
    has(text, "block 1    \xE2\x96\xB8\xC2\xB7girl    60 \xE2\x96\xB8.        60");
    has(text, "embedding   Alice    20");
    has(text, "then        \xC2\xB7is");
    has_not(text, "positions;");
    nt_free(text);
    options.width = 40;
    text = shown(t, nt_view_table, options);
    has(text, "the last 2 of 5 positions; --position N");
    no_line_is_wider(text, 40);
    nt_free(text);
    options.position = 1;
    options.width = 100;
    text = shown(t, nt_view_table, options);
    has(text, "position 1: after \xC2\xB7is comes \xC2\xB7"
              "a\n");
    has(text, "likeliest");
    has(text, "1,234 0.09 %");
    has_not(text, "block 2     \xC2\xB7girl    80  .        80  Alice");
    nt_free(text);
    options.position = 5;
    nt_buffer out = {0};
    assert_int_equal(nt_view_table(&out, t, &options), NT_E_ARGUMENT);
    nt_buffer_free(&out);
    options.position = -1;
    options.color = true;
    text = shown(t, nt_view_table, options);
    has(text, "\x1b[0;97;44m");
    has(text, "50 % and up");
    nt_free(text);
    options.color = false;
    options.ascii = true;
    text = shown(t, nt_view_table, options);
    has(text, ">\" girl\"");
    for (const char *c = text; *c; c++)
        assert_true((unsigned char)*c < 0x80);
    nt_free(text);
    free_sample(t);
}

static void attention_on_the_terminal(void **state) {
    (void)state;
    nt_result *t = inside_of(words, N_WORDS, (asked){false, 3});
    nt_view_options options = NT_VIEW_OPTIONS_INIT;
    char *text = shown(t, nt_view_table, options);
    has(text, "attention of layer 3, mean of its heads\n");
    has(text, "   1 \xC2\xB7is         \xE2\x96\x93\xE2\x96\x93\xE2\x96\x88\xE2\x96\x88");
    has(text, "66.67 %");
    has(text, "head  first token  one before   itself  elsewhere");
    nt_free(text);
    options.skip_first = options.ascii = true;
    text = shown(t, nt_view_table, options);
    has(text, "   2 \" a\"            40 60");
    has(text, "shares of what the first token leaves");
    nt_free(text);
    free_sample(t);
    enum { N = 300 };
    piece *tokens = calloc(N, sizeof *tokens);
    for (size_t i = 0; i < N; i++)
        tokens[i] = i % 5 ? (piece){BYTES(" word")} : (piece){BYTES("\xE4\xB8\xAD\xE6\x96\x87")};
    t = inside_of(tokens, N, (asked){true, 2});
    options = (nt_view_options)NT_VIEW_OPTIONS_INIT;
    for (int width = 30; width < 130; width += 23) {
        for (int style = 0; style < 4; style++) {
            options.width = width;
            options.ascii = style & 1;
            options.position = style & 2 ? 123 : -1;
            text = shown(t, nt_view_table, options);
            no_line_is_wider(text, (size_t)width);
            has(text, " of 300 tokens;");
            nt_free(text);
        }
    }
    options.position = -1;
    text = shown(t, nt_view_html, options); /* bounded, and it says so */
    assert_true(count(text, "<rect ") == NT_ATTENTION_MOST * (NT_ATTENTION_MOST + 1) / 2);
    has(text, "Positions 252 to 299 of 300 are drawn");
    has(text, "\"heads\":[{\"layer\"");
    nt_free(text);
    free_sample(t);
    t = inside_of(tokens, N, (asked){false, 6}); /* 540,000 weights */
    text = shown(t, nt_view_html, options);
    has_not(text, "\"heads\":");
    assert_int_equal(count(text, "data-head="), 6);
    nt_free(text);
    text = shown(t, nt_view_json, options);
    has(text, "\"heads\":[{\"layer\"");
    nt_free(text);
    free(tokens);
    free_sample(t);
}

static void as_data(void **state) {
    (void)state;
    nt_result *t = inside_of(words, N_WORDS, (asked){true, 3});
    nt_view_options options = NT_VIEW_OPTIONS_INIT;
    char *text = shown(t, nt_view_json, options);
    has(text, "\"layers\":[[{\"likeliest\":[{\"id\":0,\"token\":\"Alice\",\"prob\":0.2,");
    has(text, "\"entropy\":1.25,\"next_rank\":1234,");
    has(text, "\"next\":[{\"id\":1,\"token\":\" is\"},");
    has(text, "\"attention\":{\"layer\":3,\"head\":null,\"weights\":[[1,0,0,0,0],[0.333333343,");
    has(text, "\"heads\":[{\"layer\":3,\"head\":0,\"weights\":[[1,");
    nt_free(text);
    text = shown(t, nt_view_csv, options);
    has(text, "layer,position,rank,id,token,prob,logprob,entropy,next_rank,next_prob\n0,0,1,0,"
              "\"Alice\",0.2,");
    assert_int_equal(count(text, "\n"), 1 + N_LAYERS * N_WORDS * K);
    nt_free(text);
    options.bits = true;
    text = shown(t, nt_view_csv, options);
    has(text, ",1.8033688,1234,");
    nt_free(text);
    t->n_layers = 0;
    text = shown(t, nt_view_csv, options);
    has(text, "layer,head,position,id,token,to,to_id,to_token,weight\n3,,0,0,\"Alice\",0,0,"
              "\"Alice\",1\n");
    assert_int_equal(count(text, "\n"), 1 + 3 * N_WORDS * (N_WORDS + 1) / 2);
    nt_free(text);
    t->n_layers = N_LAYERS;
    free_sample(t);
}

static void as_pictures(void **state) {
    (void)state;
    nt_result *t = inside_of(words, N_WORDS, (asked){true, 3});
    nt_view_options options = NT_VIEW_OPTIONS_INIT;
    size_t cells = N_WORDS * (N_WORDS + 1) / 2;
    char *text = shown(t, nt_view_svg, options);
    assert_int_equal(count(text, "<rect class=\"cell\""), N_LAYERS * N_WORDS);
    assert_int_equal(count(text, "<rect class=\"taken\""), N_WORDS);
    assert_int_equal(count(text, "<rect class=\"w\""), cells);
    assert_int_equal(count(text, "<path class=\"arc\""), cells);
    has_not(text, "nan");
    nt_free(text);
    options.arcs = options.skip_first = true;
    text = shown(t, nt_view_svg, options);
    assert_int_equal(count(text, "<rect class=\"w\""), 0);
    assert_int_equal(count(text, "<path class=\"arc\""), cells - N_WORDS);
    nt_free(text);
    options.position = 5;
    nt_buffer out = {0};
    assert_int_equal(nt_view_svg(&out, t, &options), NT_E_ARGUMENT);
    nt_buffer_free(&out);
    options = (nt_view_options)NT_VIEW_OPTIONS_INIT;
    text = shown(t, nt_view_html, options);
    assert_int_equal(count(text, "<td class=\"w"), N_LAYERS * N_WORDS);
    assert_int_equal(count(text, "<td class=\"w new"), N_WORDS);
    assert_int_equal(count(text, "tabindex=\"0\">"), 2); /* the first cell, the table of norms */
    assert_int_equal(count(text, "data-head="), 3);
    assert_int_equal(count(text, "<svg "), 2);
    has(text, "INSIDE THE MODEL");
    has(text, "uncalibrated");
    nt_free(text);
    free_sample(t);
    t = inside_of(words, N_WORDS, (asked){false, 1});
    options.skip_first = true;
    text = shown(t, nt_view_html, options);
    has(text, "class=\"skip\" checked>");
    has_not(text, "data-head=\"");
    has_not(text, "<section class=\"layers\"");
    assert_int_equal(count(text, "<rect class=\"none\""), N_WORDS);
    nt_free(text);
    free_sample(t);
}

/* ---- Any text -------------------------------------------------------------------------------- */

static void hostile_tokens(void **state) {
    (void)state;
    nt_result *t = inside_of(hostile, N_HOSTILE, (asked){true, 2});
    nt_view_options options = NT_VIEW_OPTIONS_INIT;
    for (int color = 0; color < 2; color++) {
        options.color = color;
        options.position = color ? 3 : -1;
        char *text = shown(t, nt_view_table, options);
        for (const char *c = text; *c; c++) /* no control character but our own colours */
            assert_true((unsigned char)*c >= 0x20 || *c == '\n' || (color && *c == '\x1b'));
        has_not(text, "\x1b]");
        nt_free(text);
    }
    options.position = -1;
    char *text = shown(t, nt_view_html, options);
    assert_int_equal(count(text, "</script>"), 3); /* the page's own two, and the heads */
    nt_free(text);
    text = shown(t, nt_view_svg, options);
    has_not(text, "</script>");
    nt_free(text);
    free_sample(t);
    for (size_t n = 0; n < 2; n++) { /* next to nothing */
        t = inside_of(words, n, (asked){n > 0, 1});
        nt_free(shown(t, nt_view_table, options));
        nt_free(shown(t, nt_view_html, options));
        nt_free(shown(t, nt_view_svg, options));
        nt_free(shown(t, nt_view_json, options));
        free_sample(t);
    }
}

static void memory(void **state) {
    (void)state;
    nt_result *t = inside_of(hostile, 12, (asked){true, 2});
    nt_view_options options = NT_VIEW_OPTIONS_INIT;
    for (int i = 0; i < 2; i++) {
        sweep(t, nt_view_table, &options);
        sweep(t, nt_view_svg, &options);
        sweep(t, nt_view_html, &options);
        sweep(t, nt_view_json, &options);
        sweep(t, nt_view_csv, &options);
        options.position = 3;
        options.color = true;
    }
    free_sample(t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures),
        cmocka_unit_test(layers_on_the_terminal),
        cmocka_unit_test(attention_on_the_terminal),
        cmocka_unit_test(as_data),
        cmocka_unit_test(as_pictures),
        cmocka_unit_test(hostile_tokens),
        cmocka_unit_test(memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
