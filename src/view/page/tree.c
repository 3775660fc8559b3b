/* The page of a search: its tree, as the picture has it, with the boxes once more for the script
 * that filters, folds and lays them out anew. */
#include <string.h>

#include "view/page/figures.h"
#include "view/page/put.h"
#include "view/svg_tree.h"
#include "view/tree_words.h"

enum { MOST_PARTS = 3000 };

static bool is_beams(const nt_result *trace) {
    return nt_tree_has(trace) && !trace->proof;
}

static bool is_exact(const nt_result *trace) {
    return nt_tree_has(trace) && trace->proof;
}

static const char *const names[] = {"at a glance", "outputs", "kept", "with pruned",
                                    "every candidate"};

/* What scripts make work; without them it stays hidden. */
static void put_bar(nt_buffer *out, const nt_tree *tree, bool cut) {
    nt_buffer_puts(out, "<div id=\"treebar\" hidden>\n"
                        "<span role=\"group\" aria-label=\"what the tree shows\">");
    for (int d = cut ? NT_TREE_AUTO : NT_TREE_OUTPUTS; d <= NT_TREE_ALL; d++)
        nt_buffer_printf(out, "<button data-detail=\"%d\" aria-pressed=\"%s\">%s</button>\n", d,
                         d == (cut ? NT_TREE_AUTO : (int)tree->detail) ? "true" : "false",
                         names[d]);
    nt_buffer_printf(out,
                     "</span><span role=\"group\" aria-label=\"how it is drawn\">"
                     "<button id=\"treefold\" aria-pressed=\"%s\">fold runs</button>\n"
                     "<button id=\"treefit\" aria-pressed=\"false\">fit</button></span>\n</div>\n",
                     tree->folded ? "true" : "false");
}

/* Of whatever scripts may bring in. */
static void put_legend(nt_buffer *out, const nt_tree *all) {
    bool any[NT_BRANCH_REMOVED + 1] = {false};
    for (size_t i = 0; i < all->n; i++)
        any[all->nodes[i].branch] = true;
    nt_buffer_puts(out, "<p class=\"words treelegend\">");
    for (int i = 0; i <= NT_BRANCH_REMOVED; i++)
        if (any[i])
            nt_buffer_printf(out, "<span class=\"%s\"><i></i>%s</span> ",
                             nt_tree_class((nt_branch)i), nt_tree_name(all, (nt_branch)i));
    nt_buffer_puts(out, "<span>wide lines: likely</span></p>\n"
                        "<p class=\"words\" id=\"treepath\" hidden>Arrow keys walk the tree, Enter "
                        "unfolds a run.</p>\n");
}

static int put_picture(nt_buffer *out, const nt_tree *tree) {
    nt_svg picture = {0};
    int status = nt_svg_tree(&picture, tree, true);
    if (status == NT_OK) status = picture.body.status;
    if (status == NT_OK) status = picture.told.status;
    nt_buffer_printf(out,
                     "<div class=\"treebox\"><svg class=\"nt tree\" role=\"tree\" aria-label=\"the "
                     "search, from the prompt to its outputs\" data-detail=\"%d\" width=\"",
                     (int)tree->detail);
    nt_svg_number(out, picture.width);
    nt_buffer_puts(out, "\" height=\"");
    nt_svg_number(out, picture.y);
    nt_buffer_puts(out, "\" viewBox=\"0 0 ");
    nt_svg_number(out, picture.width);
    nt_buffer_putc(out, ' ');
    nt_svg_number(out, picture.y);
    nt_buffer_puts(out, "\">\n");
    if (picture.body.n > 0) nt_buffer_put(out, picture.body.data, picture.body.n);
    nt_buffer_puts(out, "</svg></div>\n");
    nt_buffer_free(&picture.body);
    nt_buffer_free(&picture.told);
    return status;
}

static int put_parts(nt_buffer *out, const nt_tree *all, const nt_tree *first) {
    nt_buffer_puts(out, "<template id=\"treeparts\"><svg>\n");
    int status = nt_svg_tree_parts(out, all, first);
    nt_buffer_puts(out, "</svg></template>\n");
    return status;
}

static int put_left(nt_buffer *out, const nt_tree *tree) {
    nt_buffer left = {0};
    nt_tree_left(&left, tree);
    nt_buffer_printf(out, "<p class=\"words\" id=\"treeleft\" data-most=\"%zu\">", tree->n_beams);
    if (left.n > 0) nt_html_escape(out, left.data, left.n);
    nt_buffer_puts(out, "</p>\n");
    int status = left.status;
    nt_buffer_free(&left);
    return status;
}

static int draw_trees(nt_buffer *out, const nt_tree *tree, const nt_tree *all) {
    size_t n = 0; /* nodes of the detail that is drawn first */
    for (size_t i = 0; i < all->n; i++)
        n += nt_svg_tree_detail(&all->nodes[i]) <= (int)tree->detail;
    put_bar(out, tree, n > tree->n);
    put_legend(out, all);
    NT_TRY(put_picture(out, tree));
    NT_TRY(put_left(out, tree));
    return put_parts(out, all, tree);
}

static void draw(nt_page *page) {
    nt_tree tree, all;
    nt_tree_want want = {.detail = page->options->tree_detail, .fold = -1};
    nt_tree_want parts = {.detail = NT_TREE_ALL, .most = MOST_PARTS};
    int status = nt_tree_make(&tree, page->trace, want);
    if (status == NT_OK) {
        status = nt_tree_make(&all, page->trace, parts);
        if (status == NT_OK) status = draw_trees(page->out, &tree, &all);
        nt_tree_free(&all); /* also where it was not made */
    }
    nt_tree_free(&tree);
    if (status != NT_OK) page->out->status = status;
}

const nt_page_figure nt_figure_beams = {.fits = is_beams,
                                        .label = "BEAM TREE",
                                        .draw = draw,
                                        .style = nt_page_tree_style,
                                        .library = nt_page_tree_layout,
                                        .script = nt_page_tree};
const nt_page_figure nt_figure_exact = {.fits = is_exact,
                                        .label = "EXACT SEARCH",
                                        .draw = draw,
                                        .style = nt_page_tree_style,
                                        .library = nt_page_tree_layout,
                                        .script = nt_page_tree};
