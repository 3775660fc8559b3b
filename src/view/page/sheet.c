/* A sheet as a table element: bars are drawn by their share, shaded cells by a ground. Nothing is
 * hidden; a table that is wider than the page scrolls in its own box. */
#include <math.h>
#include <string.h>

#include "view/page/page.h"
#include "view/page/put.h"

typedef struct table {
    nt_buffer *out;
    const nt_sheet *sheet;
    double largest; /* value of a bar */
} table;

static const nt_cell *cell_of(const table *t, size_t row, size_t c) {
    return &t->sheet->cells[row * t->sheet->n_columns + c];
}

/* Columns [c, ..) that one title stands over: those that are joined to c. */
static size_t joined(const table *t, size_t c) {
    size_t n = 1;
    while (c + n < t->sheet->n_columns && t->sheet->columns[c + n].joined)
        n++;
    return n;
}

static void put_titles(const table *t) {
    bool any = false;
    for (size_t c = 0; c < t->sheet->n_columns; c++)
        any |= t->sheet->columns[c].title && t->sheet->columns[c].title[0];
    if (!any) return;
    nt_buffer_puts(t->out, "<thead><tr>");
    for (size_t c = 0, n; c < t->sheet->n_columns; c += n) {
        const nt_column *column = &t->sheet->columns[c];
        n = joined(t, c);
        nt_buffer_puts(t->out, "<th scope=\"col\"");
        if (n > 1 && !column->shaded) nt_buffer_printf(t->out, " colspan=\"%zu\"", n);
        if (column->align == NT_RIGHT && n == 1) nt_buffer_puts(t->out, " class=\"end\"");
        nt_buffer_putc(t->out, '>');
        if (column->title) nt_html_puts(t->out, column->title);
        nt_buffer_puts(t->out, "</th>");
    }
    nt_buffer_puts(t->out, "</tr></thead>\n");
}

static void put_bar(const table *t, const nt_cell *cell) {
    double share = t->largest > 0 ? cell->value / t->largest : 0;
    bool rest = cell->style & NT_STYLE_DIM;
    int color = cell->style & NT_STYLE_COLORS;
    nt_buffer_puts(t->out, "<td class=\"bar\">");
    if (share > 0) { /* not NaN either */
        nt_buffer_printf(t->out, "<i class=\"%s\" style=\"width:",
                         rest                       ? "rest"
                         : color == NT_STYLE_GREEN  ? "after"
                         : color == NT_STYLE_YELLOW ? "loss"
                                                    : "raw");
        nt_html_number(t->out, 100 * fmin(share, 1), 2);
        nt_buffer_puts(t->out, "%\"></i>");
    }
    nt_buffer_puts(t->out, "</td>");
}

/* The token above its figures; the shade grows with the root of the share, since most are small. */
static void put_shaded(const table *t, size_t row, size_t c, size_t n) {
    const nt_cell *cell = cell_of(t, row, c);
    double value = cell->value > 0 ? fmin(cell->value, 1) : 0;
    if (cell->n == 0) {
        nt_buffer_puts(t->out, "<td></td>");
        return;
    }
    nt_buffer_puts(t->out, cell->style & NT_STYLE_BOLD ? "<td class=\"cell taken\" style=\"--share:"
                                                       : "<td class=\"cell\" style=\"--share:");
    nt_html_number(t->out, 100 * 0.55 * sqrt(value), 1);
    nt_buffer_puts(t->out, "%\"><span class=\"mono\">");
    nt_html_glyphs(t->out, &t->sheet->strip, cell->first, cell->n);
    nt_buffer_puts(t->out, "</span><small>");
    for (size_t i = c + 1; i < c + n; i++) {
        const nt_cell *figure = cell_of(t, row, i);
        if (i > c + 1) nt_buffer_puts(t->out, " \xE2\x86\x92 ");
        nt_html_glyphs(t->out, &t->sheet->strip, figure->first, figure->n);
    }
    nt_buffer_puts(t->out, "</small>");
    if (cell->style & NT_STYLE_BOLD) nt_buffer_puts(t->out, "<span class=\"sr\"> taken</span>");
    nt_buffer_puts(t->out, "</td>");
}

static void put_text(const table *t, const nt_column *column, const nt_cell *cell) {
    bool text = column->cut_left || (column->comfort && !column->mono); /* may be broken */
    const char *classes = text ? column->mono ? " class=\"mono text\"" : " class=\"text\""
                          : column->mono && column->align == NT_RIGHT ? " class=\"mono end\""
                          : column->mono                              ? " class=\"mono\""
                          : column->align == NT_RIGHT                 ? " class=\"end\""
                                                                      : "";
    nt_buffer_printf(t->out, "<td%s>", classes);
    nt_html_glyphs(t->out, &t->sheet->strip, cell->first, cell->n);
    nt_buffer_puts(t->out, "</td>");
}

static void put_row(const table *t, size_t row) {
    nt_buffer_puts(t->out, t->sheet->rows[row] & NT_STYLE_DIM ? "<tr class=\"dim\">" : "<tr>");
    for (size_t c = 0, n; c < t->sheet->n_columns; c += n) {
        const nt_column *column = &t->sheet->columns[c];
        n = column->shaded ? joined(t, c) : 1;
        if (column->shaded)
            put_shaded(t, row, c, n);
        else if (column->bar)
            put_bar(t, cell_of(t, row, c));
        else
            put_text(t, column, cell_of(t, row, c));
    }
    nt_buffer_puts(t->out, "</tr>\n");
}

void nt_page_sheet(nt_page *page, nt_sheet *sheet) {
    if (!nt_sheet_whole(sheet) || sheet->n_columns == 0) return;
    table t = {.out = page->out, .sheet = sheet, .largest = nt_sheet_largest(sheet)};
    nt_buffer_puts(t.out, "<div class=\"scroll\" tabindex=\"0\"><table>\n");
    put_titles(&t);
    nt_buffer_puts(t.out, "<tbody>\n");
    for (size_t r = 0; r < sheet->n_rows; r++)
        put_row(&t, r);
    nt_buffer_puts(t.out, "</tbody></table></div>\n");
}

void nt_page_line(nt_page *page, const nt_strip *line) {
    bool heads = line->n > 0 && line->glyphs[0].style & NT_STYLE_BOLD;
    bool fields = line->n > 0 && line->glyphs[0].style & NT_STYLE_GROUND;
    nt_buffer_puts(page->out, heads    ? "<h2>"
                              : fields ? "<p class=\"fields\">"
                                       : "<p class=\"words\">");
    nt_html_glyphs(page->out, line, 0, line->n);
    nt_buffer_puts(page->out, heads ? "</h2>\n" : "</p>\n");
}

void nt_page_foot(nt_page *page, const nt_strip *line) {
    nt_buffer_puts(page->out, "<footer>");
    nt_html_escape(page->out, line->bytes.n > 0 ? line->bytes.data : "", line->bytes.n);
    nt_buffer_puts(page->out, "</footer>\n");
}

void nt_page_text(nt_page *page, const char *bytes, size_t n) {
    nt_buffer_puts(page->out, "<pre class=\"text\">\n"); /* else the text's first would be lost */
    nt_html_escape(page->out, bytes, n);
    nt_buffer_puts(page->out, "</pre>\n");
}
