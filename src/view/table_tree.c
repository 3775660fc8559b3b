/* The tree of beams as a sheet: guides and tokens, probability, running score, what became of it.
 */
#include "view/table_tree.h"

#include <string.h>

#include "view/changes.h"
#include "view/input.h"
#include "view/tree_words.h"

enum { COMFORT = 26, MOST_LEVELS = 40, MOST_COLUMNS = 160, GLANCE = 40 };

static uint8_t style_of(nt_branch branch) {
    switch (branch) {
    case NT_BRANCH_FIRST: return NT_STYLE_GREEN | NT_STYLE_BOLD;
    case NT_BRANCH_OTHER: return NT_STYLE_CYAN | NT_STYLE_BOLD;
    case NT_BRANCH_PRUNED:
    case NT_BRANCH_REMOVED: return NT_STYLE_DIM;
    default: return 0;
    }
}

/* Lines from what a box hangs from; of a deep one those of its last levels. */
static void put_guides(nt_frame *frame, const nt_tree *tree, int32_t box) {
    bool goes_on[MOST_LEVELS], ascii = frame->paint.ascii;
    size_t most = frame->paint.width / 4, n = 0;
    if (most > MOST_LEVELS) most = MOST_LEVELS;
    if (most < 2) most = 2;
    int32_t at = box;
    for (; at >= 0 && n < most; at = tree->boxes[at].parent)
        goes_on[n++] = tree->boxes[at].next >= 0;
    if (at >= 0) {
        n--; /* whose columns say how deep it is */
        nt_sheet_more(&frame->sheet, ascii ? "~ " : "\xE2\x80\xA6 ", NT_STYLE_DIM);
    }
    while (n-- > 0) {
        const char *corner = goes_on[n] ? ascii ? "|-" : "\xE2\x94\x9C\xE2\x94\x80"
                                        : (ascii ? "`-" : "\xE2\x94\x94\xE2\x94\x80");
        const char *line = goes_on[n] ? ascii ? "| " : "\xE2\x94\x82 " : "  ";
        nt_sheet_more(&frame->sheet, n == 0 ? corner : line, NT_STYLE_DIM);
    }
}

static void put_root(nt_frame *frame) {
    nt_buffer text = {0};
    nt_view_input(&text, frame->trace, 0);
    nt_sheet_row(&frame->sheet, NT_STYLE_DIM);
    size_t from = text.n > COMFORT ? text.n - COMFORT : 0;
    while (from > 0 && from < text.n && ((unsigned char)text.data[from] & 0xC0) == 0x80)
        from++;
    const char *more = from == 0 ? "" : frame->paint.ascii ? "~" : "\xE2\x80\xA6";
    nt_sheet_show(&frame->sheet, more, text.n ? text.data + from : "", text.n - from, NT_SHOW_INPUT,
                  NT_STYLE_DIM);
    if (text.status != NT_OK) frame->line.status = text.status;
    nt_buffer_free(&text);
}

/* The buffer's text as a cell. */
static void put_cell(nt_frame *frame, nt_buffer *text, uint8_t style) {
    if (text->status != NT_OK) frame->line.status = text->status;
    nt_sheet_puts(&frame->sheet, text->data && text->n ? text->data : "", style);
    nt_buffer_clear(text);
}

static void put_box(nt_frame *frame, const nt_tree *tree, int32_t box, nt_buffer *text) {
    const nt_tree_node *node = &tree->nodes[tree->boxes[box].last];
    uint8_t style = style_of(node->branch);
    uint8_t told = node->branch == NT_BRANCH_FIRST ? style : NT_STYLE_DIM;
    size_t columns = frame->paint.width < MOST_COLUMNS ? frame->paint.width : MOST_COLUMNS;
    nt_sheet_row(&frame->sheet, 0);
    nt_sheet_puts(&frame->sheet, "", 0);
    put_guides(frame, tree, box);
    nt_tree_tokens(&frame->sheet.strip, tree, box, columns, style);
    nt_sheet_more(&frame->sheet, "", 0); /* the cell holds what was added */
    nt_tree_share(text, tree, box, frame->paint.ascii);
    put_cell(frame, text, node->branch == NT_BRANCH_FIRST ? style : style & NT_STYLE_DIM);
    nt_tree_sum(text, tree, box);
    put_cell(frame, text, told);
    if (node->branch == NT_BRANCH_PRUNED && node->beam && !tree->trace->proof &&
        !nt_view_removed_by(node->token))
        nt_buffer_puts(text, "pruned, ");
    nt_tree_fate(text, tree, box);
    nt_buffer end = {0};
    nt_tree_end(&end, tree, box);
    if (end.n > 0) {
        nt_buffer_puts(text, ": ");
        nt_buffer_put(text, end.data, end.n);
    }
    if (end.status != NT_OK) text->status = end.status;
    nt_buffer_free(&end);
    put_cell(frame, text, told);
}

static void put_left(nt_frame *frame, const nt_tree *tree, nt_buffer *text) {
    nt_tree_left(text, tree);
    if (text->n > 0) {
        nt_frame_part(frame, text->data, NT_STYLE_DIM);
        if (tree->detail < NT_TREE_BEAMS)
            nt_frame_part(frame,
                          tree->detail == NT_TREE_KEPT ? "--tree=beams shows them"
                                                       : "--tree=kept shows more",
                          NT_STYLE_DIM);
    }
    nt_frame_line(frame);
}

void nt_table_tree(nt_frame *frame) {
    nt_tree tree;
    nt_buffer text = {0};
    nt_tree_want want = {.detail = frame->tree_detail, .fold = -1, .glance = GLANCE};
    int status = nt_tree_make(&tree, frame->trace, want);
    if (status != NT_OK) {
        frame->line.status = status;
        return;
    }
    nt_sheet_column(&frame->sheet, (nt_column){.title = "tree", .mono = true, .comfort = COMFORT});
    nt_sheet_column(&frame->sheet, (nt_column){.title = "probability", .align = NT_RIGHT});
    nt_sheet_column(&frame->sheet, (nt_column){.title = "sum", .align = NT_RIGHT, .hide = 2});
    nt_sheet_column(&frame->sheet,
                    (nt_column){.title = "what became of it", .comfort = 12, .hide = 1});
    put_root(frame);
    for (size_t b = 0; b < tree.n_boxes; b++)
        put_box(frame, &tree, (int32_t)b, &text);
    nt_frame_sheet(frame);
    put_left(frame, &tree, &text);
    nt_buffer_free(&text);
    nt_tree_free(&tree);
}
