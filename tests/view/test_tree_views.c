/* The tree of a search as a picture, as a page and in the terminal. */
#include <stdio.h>

#include "view/made_tree.h"

/* Not inlined: gcc 12 would then warn of a dangling pointer where there is none. */
static __attribute__((noinline)) char *taken(nt_buffer *out) {
    char *text;
    size_t n;
    assert_int_equal(nt_buffer_take(&text, &n, out), NT_OK);
    return text;
}

typedef int (*view_fn)(nt_buffer *, const nt_result *, const nt_view_options *);

static char *draw_tree(view_fn view, const nt_result *t, nt_tree_detail detail) {
    nt_view_options options = NT_VIEW_OPTIONS_INIT;
    nt_buffer out = {0};
    options.tree = true;
    options.tree_detail = detail;
    assert_int_equal(view(&out, t, &options), NT_OK);
    return taken(&out);
}

static size_t count(const char *text, const char *part) {
    size_t n = 0;
    for (; (text = strstr(text, part)); text += strlen(part))
        n++;
    return n;
}

static void has(const char *text, const char *part) {
    if (strstr(text, part)) return;
    fprintf(stderr, "no \"%s\" in\n%s", part, text); /* fail_msg would cut it */
    fail();
}

/* The sample's tokens in its order, with the figures that were put in. */
static void picture(void **state) {
    nt_result *t = sample_beams();
    (void)state;
    char *svg = draw_tree(nt_view_svg, t, NT_TREE_AUTO);
    assert_int_equal(count(svg, "transform=\"translate"), 7);
    assert_int_equal(count(svg, "<path class=\"edge "), 7);
    assert_int_equal(count(svg, "class=\"node first\" transform"), 2);
    assert_int_equal(count(svg, "class=\"node other\" transform"), 2);
    assert_int_equal(count(svg, "class=\"node ended\" transform"), 1);
    assert_int_equal(count(svg, "class=\"node pruned\" transform"), 2);
    has(svg, ">BEAM TREE</text>");
    has(svg, ">30.00 %</text>");
    has(svg, ">-1.31</text>");          /* log 0.3 + log 0.9 */
    has(svg, ">sequence 1</text>");     /* was young */
    has(svg, ">length, score -0.805<"); /* log(0.4 * 0.5) / 2 */
    has(svg, ">ended, beaten</text>");
    has(svg, ">4th, ended</text>");
    has(svg, ">removed by repetition_penalty</text>");
    has(svg, "step 1: behind \xC2\xB7had: \xC2\xB7"
             "a, 90.00 %, -1.31, sequence 0, length, score -0.655\n");
    nt_free(svg);
    svg = draw_tree(nt_view_svg, t, NT_TREE_OUTPUTS);
    assert_int_equal(count(svg, "transform=\"translate"), 4);
    has(svg, ">3 more of 7 are not shown</text>");
    nt_free(svg);
    free_sample(t);
}

/* Deep and wide: what is drawn stays readable, and says what is left out. */
static void large(void **state) {
    nt_result *t = random_search(100000, 5);
    char left[64];
    (void)state;
    char *svg = draw_tree(nt_view_svg, t, NT_TREE_AUTO);
    size_t n = count(svg, "transform=\"translate");
    assert_in_range(n, 4, 20);
    assert_true(strlen(svg) < 100000);
    has(svg, " more of 100,000 are not shown");
    nt_free(svg);
    char *table = draw_tree(nt_view_table, t, NT_TREE_BEAMS);
    snprintf(left, sizeof left, " more of 100,000 are not shown");
    has(table, left);
    assert_true(count(table, "\n") < 4200);
    nt_free(table);
    free_sample(t);
}

static void page(void **state) {
    nt_result *t = sample_beams();
    (void)state;
    char *html = draw_tree(nt_view_html, t, NT_TREE_AUTO);
    assert_int_equal(count(html, "data-parent="), 7 + 4); /* and candidates of rows */
    assert_int_equal(count(html, "role=\"treeitem\""), 7 + 7 + 4);
    assert_int_equal(count(html, "role=\"tree\""), 1);
    has(html, "2nd among the candidates of its step, kept as beam 1");
    has(html, "it ended, and others that ended have a better score");
    has(html, "it ended, too far down among the candidates of its step to be kept");
    has(html, "  repetition_penalty removed it");
    nt_free(html);
    t->proof = room(t, 1, sizeof *t->proof);
    html = draw_tree(nt_view_html, t, NT_TREE_AUTO);
    has(html, "<p class=\"label\">EXACT SEARCH</p>");
    nt_free(html);
    free_sample(t);
}

/* The sample in the terminal: held against its figures by eye, once. */
static void terminal(void **state) {
    static const char wanted[] =
        "A long long time ago,·\n"
        "├─·had                      30.00 %  -1.20\n"
        "│ └─·a                      90.00 %  -1.31  sequence 0: length, score -0.655\n"
        "├─·was                      40.00 %  -0.92\n"
        "│ ├─·young                  50.00 %  -1.61  sequence 1: length, score -0.805\n"
        "│ └─<|endoftext|>            2.00 %  -4.83  ended, beaten: stop, score -2.414\n"
        "├─·is                       10.00 %  -2.30  removed by repetition_penalty\n"
        "└─<|endoftext|>              5.00 %  -3.00  pruned, 4th, ended: stop, score -2.…\n";
    nt_result *t = sample_beams();
    (void)state;
    char *table = draw_tree(nt_view_table, t, NT_TREE_AUTO);
    has(table, wanted);
    nt_free(table);
    free_sample(t);
}

/* A token is text wherever it stands. */
static void hostile_tokens(void **state) {
    nt_result *t = new_search(64);
    int64_t last = -1;
    (void)state;
    for (size_t i = 0; i < N_HOSTILE; i++) {
        int64_t b = add_beam(t, last, "", (int32_t)(i % 3), i % 3 ? -1 : 0);
        t->beams[b].token.token = token_of(t, (int32_t)i, hostile[i].bytes, hostile[i].n);
        if (i % 3 == 0) last = b;
    }
    end_beam(t, last);
    for (int detail = NT_TREE_AUTO; detail <= NT_TREE_ALL; detail++) {
        char *svg = draw_tree(nt_view_svg, t, (nt_tree_detail)detail);
        char *html = draw_tree(nt_view_html, t, (nt_tree_detail)detail);
        assert_int_equal(count(html, "</script>"), 2); /* the page's own */
        assert_int_equal(count(svg, "</script>"), 0);
        for (const char *c = svg; *c; c++)
            assert_true((unsigned char)*c >= 0x20 || *c == '\n' || *c == '\t');
        nt_free(svg);
        nt_free(html);
    }
    free_sample(t);
}

static void refused(void **state) {
    nt_result *t = sample_generate();
    nt_view_options options = NT_VIEW_OPTIONS_INIT;
    nt_buffer out = {0};
    (void)state;
    options.tree = true;
    assert_int_equal(nt_view_table(&out, t, &options), NT_E_UNSUPPORTED);
    has(nt_error_message(), "follows one path and has no tree");
    assert_int_equal(out.n, 0);
    assert_int_equal(nt_view_svg(&out, t, &options), NT_E_UNSUPPORTED);
    free_sample(t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(picture),  cmocka_unit_test(large),          cmocka_unit_test(page),
        cmocka_unit_test(terminal), cmocka_unit_test(hostile_tokens), cmocka_unit_test(refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
