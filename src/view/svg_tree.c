/* Drawing a tree. Widths of letters are reckoned, as in svg_sheet.c; only how far a box is
 * stretched depends on that. A box has two lines: its tokens and what became of them, its
 * probability and the running score; what ended has a field more. */
#include "view/svg_tree.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "view/changes.h"
#include "view/tree_layout.h"
#include "view/tree_words.h"

enum {
    ROW = 44,
    BOX = 38,
    PAD = 8,
    BETWEEN = 12,
    GAP = 30,
    STEP_LEAST = 16,
    ROOT = 22,
    ABOVE = 38
};
enum { STEPS_MOST = 1600 }; /* of the width of steps that hold no box of their own */
enum { TOKEN_MOST = 26, RUN_MOST = 64, NUMBER_GAP = 26 };

const char nt_svg_tree_looks[] =
    ".nt .node .box{fill:#f5f7fa;stroke:#bcc4d2}\n"
    ".nt .node .fate,.nt .node .share,.nt .node .sum,.nt .node .end2{font-size:11px;fill:#5a6478}\n"
    ".nt .node .fate{font-size:11px;font-weight:600}\n"
    ".nt .edge{fill:none;stroke:#aab3c4;stroke-linecap:round}\n"
    ".nt .first .box{fill:#e6edff;stroke:#2f5be0;stroke-width:1.6}\n"
    ".nt .first .tok,.nt .other .tok{font-weight:700}\n"
    ".nt .first .fate{fill:#1c43c2}\n"
    ".nt .edge.first{stroke:#2f5be0}\n"
    ".nt .other .box{fill:#e2f4ec;stroke:#17936a;stroke-width:1.6}\n"
    ".nt .other .fate{fill:#0d6b4c}\n"
    ".nt .edge.other{stroke:#17936a}\n"
    ".nt .pruned .box,.nt .removed .box{fill:none;stroke:#d4d9e2;stroke-dasharray:3 3}\n"
    ".nt .pruned .tok,.nt .removed .tok,.nt .dropped .fate{fill:#6b7589}\n"
    ".nt .pruned .fate{fill:#6b7589;font-weight:400}\n"
    ".nt .removed .fate{fill:#b3362b;font-weight:400}\n"
    ".nt .removed .box{stroke:#d9a39d}\n"
    ".nt .edge.pruned,.nt .edge.removed{stroke:#d4d9e2;stroke-dasharray:4 3;stroke-linecap:butt}\n"
    ".nt .root{fill:#5a6478}\n"
    ".nt .divide{fill:#bcc4d2}\n"
    "@media (prefers-color-scheme:dark){\n"
    ".nt .node .box{fill:#161d2d;stroke:#4a5670}\n"
    ".nt .node .fate,.nt .node .share,.nt .node .sum,.nt .node .end2{fill:#97a2b8}\n"
    ".nt .edge{stroke:#4a5670}\n"
    ".nt .first .box{fill:#1a2750;stroke:#8caaff}\n"
    ".nt .first .fate{fill:#9fb8ff}\n"
    ".nt .edge.first{stroke:#5f8bff}\n"
    ".nt .other .box{fill:#12352b;stroke:#2fb98a}\n"
    ".nt .other .fate{fill:#4fd3a5}\n"
    ".nt .edge.other{stroke:#2fb98a}\n"
    ".nt .pruned .box,.nt .removed .box{fill:none;stroke:#36415a}\n"
    ".nt .pruned .tok,.nt .pruned .fate,.nt .removed .tok,.nt .dropped .fate{fill:#8b96ad}\n"
    ".nt .removed .fate{fill:#ff8a7d}\n"
    ".nt .removed .box{stroke:#7a4540}\n"
    ".nt .edge.pruned,.nt .edge.removed{stroke:#36415a}\n"
    ".nt .root{fill:#97a2b8}\n"
    ".nt .divide{fill:#4a5670}\n"
    "}\n";

/* What a box says. */
typedef struct words {
    nt_strip tokens;
    size_t columns; /* what they ask for: of a character that the cut fell into, too */
    nt_buffer share, sum, fate, end;
    bool removed; /* fate is the option's name alone: the colour says the rest */
} words;

static void free_words(words *w) {
    nt_strip_free(&w->tokens);
    nt_buffer_free(&w->share);
    nt_buffer_free(&w->sum);
    nt_buffer_free(&w->fate);
    nt_buffer_free(&w->end);
}

static int find_words(words *w, const nt_tree *tree, int32_t box) {
    bool run = tree->boxes[box].node != tree->boxes[box].last;
    nt_strip_clear(&w->tokens);
    nt_buffer *parts[] = {&w->share, &w->sum, &w->fate, &w->end};
    for (size_t i = 0; i < 4; i++)
        nt_buffer_clear(parts[i]);
    size_t most = run ? RUN_MOST : TOKEN_MOST;
    bool whole = nt_tree_tokens(&w->tokens, tree, box, most, 0);
    w->columns = whole ? nt_strip_width(&w->tokens, 0, w->tokens.n) : most;
    nt_tree_share(&w->share, tree, box, false);
    nt_tree_sum(&w->sum, tree, box);
    w->removed = tree->nodes[tree->boxes[box].node].branch == NT_BRANCH_REMOVED;
    if (w->removed)
        nt_buffer_puts(&w->fate, nt_view_removed_by(tree->nodes[tree->boxes[box].node].token));
    else
        nt_tree_fate(&w->fate, tree, box);
    nt_tree_end(&w->end, tree, box);
    int status = w->tokens.status;
    for (size_t i = 0; i < 4 && status == NT_OK; i++)
        status = parts[i]->status;
    return status;
}

/* The words are the program's own: letters of one width, and an arrow. */
static double letters(const nt_buffer *text) {
    return text->n > 0 ? (double)nt_utf8_count(text->data, text->n) : 0;
}

static double small_width(const nt_buffer *text) {
    return 6.4 * letters(text);
}

/* Set bold. */
static double fate_width(const words *w) {
    return 7 * letters(&w->fate);
}

/* What ended tells so in a field of its own. */
static double end_width(const words *w) {
    if (w->end.n == 0) return 0;
    return 2 * PAD + fmax(fate_width(w), small_width(&w->end));
}

static double main_width(const words *w) {
    double above = 7.85 * (double)w->columns;
    double below = small_width(&w->share) + (w->sum.n ? BETWEEN : 0) + small_width(&w->sum);
    if (w->end.n == 0 && w->fate.n > 0) *(w->sum.n ? &above : &below) += BETWEEN + fate_width(w);
    return 2 * PAD + fmax(above, below);
}

/* ---- One box --------------------------------------------------------------------------------- */

static void small_text(nt_buffer *out, const char *classes, double x, double y,
                       const nt_buffer *text) {
    if (text->n == 0) return;
    nt_svg_text_open(out, classes, x, y);
    nt_svg_escape(out, text->data, text->n);
    nt_svg_text_close(out);
}

/* What became of it stands beside the tokens, or where a running score would stand. At (0, 0), for
 * a group that stands where it is to be. */
static void put_words(nt_buffer *out, const words *w, double width) {
    double field = end_width(w), inner = width - field;
    nt_svg_rect(out, "box", (nt_box){0, 0, width, BOX}, 6);
    double beside = field == 0 && w->sum.n && w->fate.n ? BETWEEN + fate_width(w) : 0;
    nt_svg_text_open(out, "mono tok", PAD, 16);
    nt_svg_fit(out, &w->tokens, 0, w->tokens.n, (size_t)((inner - 2 * PAD - beside) / 7.85 + 0.5),
               false);
    nt_svg_text_close(out);
    small_text(out, "share", PAD, 31, &w->share);
    small_text(out, "end sum", inner - PAD, 31, &w->sum);
    if (field == 0) {
        small_text(out, "end fate", width - PAD, w->sum.n ? 16 : 31, &w->fate);
        return;
    }
    nt_svg_rect(out, "divide", (nt_box){inner, 6, 1, BOX - 12}, 0);
    small_text(out, "fate", inner + PAD, 16, &w->fate);
    small_text(out, "end2", inner + PAD, 31, &w->end);
}

/* As one line: " great, 12.30 %, -4.32, 7th". */
static void tell(nt_buffer *out, const words *w) {
    const nt_buffer *parts[] = {&w->share, &w->sum, &w->fate, &w->end};
    nt_svg_plain(out, &w->tokens, 0, w->tokens.n);
    for (size_t i = 0; i < 4; i++) {
        if (parts[i]->n == 0) continue;
        nt_buffer_puts(out, i == 2 && w->removed ? ", removed by " : ", ");
        nt_svg_escape(out, parts[i]->data, parts[i]->n);
    }
}

/* Attributes that scripts and screen readers go by. */
static int put_live(nt_buffer *out, const nt_tree *tree, int32_t box, const words *w) {
    const nt_tree_box *b = &tree->boxes[box];
    nt_buffer told = {0};
    nt_buffer_printf(out, " role=\"treeitem\" tabindex=\"%d\" aria-level=\"%zu\"",
                     box == 0 ? 0 : -1, b->level);
    if (b->first >= 0) nt_buffer_puts(out, " aria-expanded=\"true\"");
    nt_buffer_puts(out, " aria-label=\"");
    tell(out, w);
    nt_buffer_puts(out, "\" data-tip=\"");
    nt_tree_tell(&told, tree, box);
    nt_svg_escape(out, told.data ? told.data : "", told.n);
    nt_buffer_putc(out, '"');
    int status = told.status;
    nt_buffer_free(&told);
    return status;
}

/* ---- The tree -------------------------------------------------------------------------------- */

typedef struct drawing {
    nt_svg *picture;
    const nt_tree *tree;
    nt_tree_layout layout;
    double left, top; /* of the first box */
} drawing;

static nt_box place_of(const drawing *d, int32_t box) {
    const nt_tree_box *b = &d->tree->boxes[box];
    double x = d->layout.columns[b->from], end = d->layout.columns[b->to] - GAP;
    return (nt_box){d->left + x, d->top + (double)(ROW * d->layout.rows[box]), end - x, BOX};
}

/* The numbers of steps, as many as there is room for. */
static void draw_steps(const drawing *d) {
    nt_buffer *out = &d->picture->body;
    double free_from = d->left;
    for (size_t c = 0; c < d->tree->n_steps; c++) {
        double x = d->left + d->layout.columns[c];
        if (x < free_from) continue;
        nt_svg_text_open(out, "title", x, d->top - 12);
        nt_buffer_printf(out, c == 0 ? "step %zu" : "%zu", c);
        nt_svg_text_close(out);
        free_from = x + (c == 0 ? 3 * NUMBER_GAP : NUMBER_GAP);
    }
}

static void put_point(nt_buffer *out, const char *command, double x, double y) {
    nt_buffer_puts(out, command);
    nt_svg_number(out, x);
    nt_buffer_putc(out, ' ');
    nt_svg_number(out, y);
}

/* From what it hangs from, as wide as its probability says. */
static void draw_edge(const drawing *d, int32_t box) {
    const nt_tree_box *b = &d->tree->boxes[box];
    const nt_tree_node *node = &d->tree->nodes[b->node];
    nt_buffer *out = &d->picture->body;
    nt_box to = place_of(d, box);
    nt_box from = {d->left - GAP, d->top, 0, BOX};
    if (b->parent >= 0) from = place_of(d, b->parent);
    double x = from.x + from.width, y = from.y + BOX / 2.0, end = to.y + BOX / 2.0;
    double p = node->token->prob > 0 ? fmin(node->token->prob, 1) : 0; /* NaN is nothing */
    nt_buffer_printf(out, "<path class=\"edge %s\" stroke-width=\"", nt_tree_class(node->branch));
    nt_svg_number(out, fmax(1, 7 * sqrt(p)));
    put_point(out, "\" d=\"M", x, y);
    if (end == y) {
        put_point(out, "L", to.x, end);
    } else {
        put_point(out, "C", x + 0.6 * GAP, y);
        put_point(out, " ", to.x - 0.6 * GAP, end);
        put_point(out, " ", to.x, end);
    }
    nt_buffer_puts(out, "\"/>\n");
}

static int draw_box(const drawing *d, int32_t box, words *w, bool live) {
    nt_buffer *out = &d->picture->body, *told = &d->picture->told;
    const nt_tree_box *b = &d->tree->boxes[box];
    nt_box place = place_of(d, box);
    NT_TRY(find_words(w, d->tree, box));
    nt_buffer_printf(out, "<g class=\"node %s\" transform=\"translate(",
                     nt_tree_class(d->tree->nodes[b->last].branch));
    nt_svg_number(out, place.x);
    nt_buffer_putc(out, ' ');
    nt_svg_number(out, place.y);
    nt_buffer_puts(out, ")\"");
    if (live) NT_TRY(put_live(out, d->tree, box, w));
    nt_buffer_puts(out, ">\n");
    put_words(out, w, place.width);
    nt_buffer_puts(out, "</g>\n");
    nt_buffer_printf(told, "step %zu: ", b->from);
    if (b->parent >= 0) {
        nt_buffer_puts(told, "behind ");
        nt_strip parent = {0};
        nt_tree_tokens(&parent, d->tree, b->parent, TOKEN_MOST, 0);
        if (parent.status != NT_OK) told->status = parent.status;
        nt_svg_plain(told, &parent, 0, parent.n);
        nt_strip_free(&parent);
        nt_buffer_puts(told, ": ");
    }
    tell(told, w);
    nt_buffer_putc(told, '\n');
    return NT_OK;
}

static int measure(double *wanted, const nt_tree *tree, words *w) {
    for (size_t b = 0; b < tree->n_boxes; b++) {
        NT_TRY(find_words(w, tree, (int32_t)b));
        wanted[b] = ceil(main_width(w) + end_width(w));
    }
    return NT_OK;
}

static int draw(drawing *d, words *w, bool live) {
    nt_svg *picture = d->picture;
    d->left = NT_SVG_MARGIN + ROOT + GAP / 2.0;
    d->top = picture->y + ABOVE;
    draw_steps(d);
    for (size_t b = d->tree->n_boxes; b-- > 0;) /* the best way on top of the others */
        draw_edge(d, (int32_t)b);
    nt_buffer_puts(&picture->body, "<circle class=\"root\" r=\"6\" cx=\"");
    nt_svg_number(&picture->body, d->left - GAP);
    nt_buffer_puts(&picture->body, "\" cy=\"");
    nt_svg_number(&picture->body, d->top + BOX / 2.0);
    nt_buffer_puts(&picture->body, "\"/>\n");
    for (size_t b = 0; b < d->tree->n_boxes; b++)
        NT_TRY(draw_box(d, (int32_t)b, w, live));
    double right = d->left + d->layout.columns[d->tree->n_steps] - GAP + NT_SVG_MARGIN;
    picture->width = fmax(picture->width, ceil(right));
    picture->y = d->top + (double)(ROW * d->layout.n_rows);
    return NT_OK;
}

int nt_svg_tree(nt_svg *picture, const nt_tree *tree, bool live) {
    drawing d = {.picture = picture, .tree = tree};
    words w = {0};
    double *wanted = nt_alloc(tree->n_boxes, sizeof *wanted);
    if (!wanted) return NT_E_MEMORY;
    int status = measure(wanted, tree, &w);
    double least = fmin(STEP_LEAST, STEPS_MOST / fmax(1, (double)tree->n_steps));
    if (status == NT_OK) status = nt_tree_lay_out(&d.layout, tree, wanted, GAP, least);
    if (status == NT_OK) {
        status = draw(&d, &w, live);
        nt_tree_layout_free(&d.layout);
    }
    free_words(&w);
    nt_free(wanted);
    return status;
}

/* ---- Beside the tree ------------------------------------------------------------------------- */

static double legend_entry(nt_buffer *out, const char *branch, const char *name, double x,
                           double y) {
    nt_buffer_printf(out, "<g class=\"node %s\">", branch);
    nt_svg_rect(out, "box", (nt_box){x, y - 10, 22, 12}, 3);
    nt_buffer_puts(out, "</g>\n");
    nt_svg_text_open(out, "small", x + 29, y);
    nt_buffer_puts(out, name);
    nt_svg_text_close(out);
    return x + 29 + 6.4 * (double)strlen(name) + 22;
}

void nt_svg_tree_legend(nt_svg *picture, const nt_tree *tree) {
    bool any[6] = {false};
    double x = NT_SVG_MARGIN;
    for (size_t i = 0; i < tree->n; i++)
        any[tree->nodes[i].branch] = true;
    picture->y += 14;
    for (size_t i = 0; i < 6; i++)
        if (any[i])
            x = legend_entry(&picture->body, nt_tree_class((nt_branch)i),
                             nt_tree_name(tree, (nt_branch)i), x, picture->y);
    nt_svg_text_open(&picture->body, "small", x, picture->y);
    nt_buffer_puts(&picture->body, "wide lines: likely");
    nt_svg_text_close(&picture->body);
}

/* ---- For scripts ----------------------------------------------------------------------------- */

int nt_svg_tree_detail(const nt_tree_node *node) {
    if (node->output >= 0) return NT_TREE_OUTPUTS;
    if (node->branch < NT_BRANCH_PRUNED) return NT_TREE_KEPT;
    return node->beam ? NT_TREE_BEAMS : NT_TREE_ALL;
}

int nt_svg_tree_parts(nt_buffer *out, const nt_tree *tree, const nt_tree *first) {
    words w = {0};
    nt_strip whole = {0};
    int status = NT_OK;
    bool *drawn = nt_alloc(tree->n_beams, sizeof *drawn);
    if (!drawn) return NT_E_MEMORY;
    for (size_t i = 0; i < first->n; i++)
        if (first->nodes[i].beam) drawn[first->nodes[i].beam - tree->trace->beams] = true;
    for (size_t b = 0; b < tree->n_boxes && status == NT_OK; b++) {
        const nt_tree_box *box = &tree->boxes[b];
        const nt_tree_node *node = &tree->nodes[box->node];
        nt_strip_clear(&whole);
        nt_tree_tokens(&whole, tree, (int32_t)b, SIZE_MAX, 0);
        status = find_words(&w, tree, (int32_t)b);
        if (status == NT_OK) status = whole.status;
        if (status != NT_OK) break;
        nt_buffer_printf(out,
                         "<g class=\"node %s\" data-parent=\"%d\" data-detail=\"%d\" "
                         "data-step=\"%zu\" data-columns=\"%zu\" data-prob=\"",
                         nt_tree_class(node->branch), (int)box->parent, nt_svg_tree_detail(node),
                         box->from, nt_strip_width(&whole, 0, whole.n));
        nt_buffer_puts(out, nt_figure_g9(node->token->prob).s);
        nt_buffer_putc(out, '"');
        if (node->ends) nt_buffer_puts(out, " data-ends=\"\"");
        if (node->beam ? drawn[node->beam - tree->trace->beams] : first->detail == NT_TREE_ALL)
            nt_buffer_puts(out, " data-drawn=\"\"");
        status = put_live(out, tree, (int32_t)b, &w);
        nt_buffer_puts(out, ">\n");
        put_words(out, &w, ceil(main_width(&w) + end_width(&w)));
        nt_buffer_puts(out, "</g>\n");
    }
    free_words(&w);
    nt_strip_free(&whole);
    nt_free(drawn);
    return status == NT_OK ? out->status : status;
}
