/* Sheets: collecting cells, choosing widths, printing. */
#include "view/sheet.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

enum { GAP = 2, WIDEST = 400, BAR_LEAST = 6, BAR_MOST = 40 };

/* ---- Collecting ------------------------------------------------------------------------------ */

static bool grow(nt_sheet *sheet, void **array, size_t *capacity, size_t need, size_t size) {
    if (sheet->status == NT_OK) sheet->status = sheet->strip.status;
    if (sheet->status == NT_OK) sheet->status = nt_grow(array, capacity, need, size);
    return sheet->status == NT_OK;
}

void nt_sheet_column(nt_sheet *sheet, nt_column column) {
    void *columns = sheet->columns;
    if (!grow(sheet, &columns, &sheet->capacity_columns, sheet->n_columns + 1, sizeof column))
        return;
    sheet->columns = columns;
    sheet->columns[sheet->n_columns++] = column;
}

/* Opens the next cell of the row; false when the sheet has failed. */
static bool open_cell(nt_sheet *sheet, nt_cell cell) {
    void *cells = sheet->cells;
    if (!grow(sheet, &cells, &sheet->capacity_cells, sheet->n_cells + 1, sizeof cell)) return false;
    sheet->cells = cells;
    cell.first = (uint32_t)sheet->strip.n;
    sheet->cells[sheet->n_cells++] = cell;
    return true;
}

static void close_cell(nt_sheet *sheet) {
    nt_cell *cell = &sheet->cells[sheet->n_cells - 1];
    cell->n = (uint32_t)(sheet->strip.n - cell->first);
}

/* Empty cells to the end of the row. */
static void fill_row(nt_sheet *sheet) {
    while (sheet->n_cells < sheet->n_rows * sheet->n_columns && open_cell(sheet, (nt_cell){0})) {
    }
}

void nt_sheet_row(nt_sheet *sheet, uint8_t style) {
    fill_row(sheet);
    void *rows = sheet->rows;
    if (!grow(sheet, &rows, &sheet->capacity_rows, sheet->n_rows + 1, 1)) return;
    sheet->rows = rows;
    sheet->rows[sheet->n_rows++] = style;
}

void nt_sheet_puts(nt_sheet *sheet, const char *utf8, uint8_t style) {
    if (open_cell(sheet, (nt_cell){0})) nt_sheet_more(sheet, utf8, style);
}

void nt_sheet_more(nt_sheet *sheet, const char *utf8, uint8_t style) {
    if (sheet->status != NT_OK) return;
    nt_strip_puts(&sheet->strip, utf8, style);
    close_cell(sheet);
}

void nt_sheet_show(nt_sheet *sheet, const char *prefix, const char *bytes, size_t n, nt_show show,
                   uint8_t style) {
    if (!open_cell(sheet, (nt_cell){0})) return;
    nt_strip_puts(&sheet->strip, prefix, NT_STYLE_MARK);
    nt_strip_show(&sheet->strip, bytes, n, show, style);
    close_cell(sheet);
}

void nt_sheet_token(nt_sheet *sheet, const char *prefix, const nt_token *token, uint8_t style) {
    if (!open_cell(sheet, (nt_cell){0})) return;
    nt_strip_puts(&sheet->strip, prefix, style);
    nt_sheet_more_token(sheet, token, style);
}

void nt_sheet_more_token(nt_sheet *sheet, const nt_token *token, uint8_t style) {
    if (sheet->status != NT_OK) return;
    if (token->n_bytes > 0) {
        nt_strip_show(&sheet->strip, token->bytes, token->n_bytes, NT_SHOW_TOKEN, style);
    } else {
        char id[16];
        snprintf(id, sizeof id, "#%d", (int)token->id);
        nt_strip_puts(&sheet->strip, id, style | NT_STYLE_MARK);
    }
    close_cell(sheet);
}

void nt_sheet_bar(nt_sheet *sheet, double value, uint8_t style) {
    open_cell(sheet, (nt_cell){.value = (float)value, .style = style});
}

void nt_sheet_shade(nt_sheet *sheet, double value, uint8_t style) {
    if (sheet->status != NT_OK) return;
    sheet->cells[sheet->n_cells - 1].value = (float)value;
    sheet->cells[sheet->n_cells - 1].style = style;
}

bool nt_sheet_whole(nt_sheet *sheet) {
    fill_row(sheet);
    if (sheet->status == NT_OK) sheet->status = sheet->strip.status;
    return sheet->status == NT_OK;
}

/* ---- Layout ---------------------------------------------------------------------------------- */

static size_t title_width(const nt_column *column) {
    return column->title ? strlen(column->title) : 0;
}

static bool last_of_group(const nt_sheet *sheet, size_t c) {
    return c + 1 == sheet->n_columns || !sheet->columns[c + 1].joined;
}

static void measure(nt_sheet *sheet, size_t width) {
    for (size_t c = 0; c < sheet->n_columns; c++) {
        nt_column *column = &sheet->columns[c];
        size_t natural = last_of_group(sheet, c) ? title_width(column) : 0;
        for (size_t r = 0; r < sheet->n_rows; r++) {
            const nt_cell *cell = &sheet->cells[r * sheet->n_columns + c];
            size_t wide = nt_strip_width(&sheet->strip, cell->first, cell->n);
            if (wide > natural) natural = wide;
        }
        if (column->bar) natural = width / 3 > BAR_MOST ? BAR_MOST : width / 3;
        if (column->comfort && natural > WIDEST) natural = WIDEST;
        column->natural = natural;
        column->width = natural;
        if (column->comfort && column->comfort < natural) column->width = column->comfort;
        if (column->bar) {
            size_t least = title_width(column) > BAR_LEAST ? title_width(column) : BAR_LEAST;
            column->width = least < natural ? least : natural;
        }
    }
}

static size_t gap_before(const nt_sheet *sheet, size_t c) {
    return c == 0 ? 0 : sheet->columns[c].joined ? 1 : GAP;
}

static size_t total(const nt_sheet *sheet) {
    size_t sum = 0;
    for (size_t c = 0; c < sheet->n_columns; c++) {
        const nt_column *column = &sheet->columns[c];
        if (!column->hidden) sum += column->width + (sum ? gap_before(sheet, c) : 0);
    }
    return sum;
}

/* Hides the column whose turn it is; false when none may go. */
static bool hide_one(nt_sheet *sheet) {
    nt_column *next = NULL;
    for (size_t c = 0; c < sheet->n_columns; c++) {
        nt_column *column = &sheet->columns[c];
        if (!column->hidden && column->hide && (!next || column->hide < next->hide)) next = column;
    }
    if (!next) return false;
    nt_column *end = sheet->columns + sheet->n_columns;
    next->hidden = true;
    if (!next->joined)
        for (nt_column *c = next + 1; c < end && c->joined; c++)
            c->hidden = true;
    return true;
}

/* The narrowest (or widest) shown column that may still grow (or shrink). */
static nt_column *pick(nt_sheet *sheet, bool bar, bool grows) {
    nt_column *best = NULL;
    for (size_t c = 0; c < sheet->n_columns; c++) {
        nt_column *column = &sheet->columns[c];
        if (column->hidden || column->bar != bar || (!bar && !column->comfort)) continue;
        if (grows ? column->width >= column->natural : column->width <= 1) continue;
        if (!best || (grows ? column->width < best->width : column->width > best->width))
            best = column;
    }
    return best;
}

static void lay_out(nt_sheet *sheet, size_t width) {
    measure(sheet, width);
    while (total(sheet) > width && hide_one(sheet)) {
    }
    nt_column *column;
    while (total(sheet) > width && (column = pick(sheet, false, false)))
        column->width--;
    for (int bar = 0; bar <= 1; bar++)
        while (total(sheet) < width && (column = pick(sheet, bar, true)))
            column->width++;
}

/* ---- Printing -------------------------------------------------------------------------------- */

static void print_titles(nt_sheet *sheet, nt_paint *paint) {
    nt_strip *strip = &sheet->strip;
    bool any = false;
    for (size_t c = 0; c < sheet->n_columns;) {
        const nt_column *column = &sheet->columns[c];
        size_t room = column->width;
        for (c++; c < sheet->n_columns && sheet->columns[c].joined; c++)
            if (!sheet->columns[c].hidden) room += gap_before(sheet, c) + sheet->columns[c].width;
        if (column->hidden) continue;
        if (any) nt_paint_blanks(paint, GAP);
        any = true;
        size_t first = strip->n;
        nt_strip_puts(strip, column->title, NT_STYLE_BOLD);
        if (strip->status != NT_OK) return;
        bool over = title_width(column) > column->width; /* it runs over what is joined */
        size_t own = over ? room : column->width;
        nt_paint_cell(paint, strip, first, strip->n - first, own, over ? NT_LEFT : column->align,
                      false, 0);
        nt_paint_blanks(paint, room - own);
    }
    nt_paint_end(paint);
}

static void print_row(nt_sheet *sheet, size_t r, const double *largest, nt_paint *paint) {
    bool any = false;
    for (size_t c = 0; c < sheet->n_columns; c++) {
        const nt_column *column = &sheet->columns[c];
        const nt_cell *cell = &sheet->cells[r * sheet->n_columns + c];
        if (column->hidden) continue;
        if (any) nt_paint_blanks(paint, gap_before(sheet, c));
        any = true;
        if (column->bar)
            nt_paint_bar(paint, *largest > 0 ? cell->value / *largest : 0, column->width,
                         cell->style);
        else
            nt_paint_cell(paint, &sheet->strip, cell->first, cell->n, column->width, column->align,
                          column->cut_left, sheet->rows[r]);
    }
    nt_paint_end(paint);
}

double nt_sheet_largest(const nt_sheet *sheet) {
    double largest = sheet->full;
    for (size_t i = 0; i < sheet->n_cells; i++)
        if (sheet->columns[i % sheet->n_columns].bar && sheet->cells[i].value > largest &&
            isfinite(sheet->cells[i].value))
            largest = sheet->cells[i].value;
    return largest;
}

size_t nt_sheet_print(nt_sheet *sheet, nt_paint *paint) {
    if (!nt_sheet_whole(sheet)) return 0;
    lay_out(sheet, paint->width);
    if (sheet->n_columns > 0 && sheet->columns[0].title) {
        print_titles(sheet, paint);
        for (size_t i = total(sheet); i > 0; i--)
            nt_paint_puts(paint, paint->ascii ? "-" : "\xE2\x94\x80", NT_STYLE_DIM);
        nt_paint_end(paint);
    }
    double largest = nt_sheet_largest(sheet);
    for (size_t r = 0; r < sheet->n_rows; r++)
        print_row(sheet, r, &largest, paint);
    size_t hidden = 0;
    for (size_t c = 0; c < sheet->n_columns; c++)
        hidden += sheet->columns[c].hidden && !sheet->columns[c].joined;
    sheet->status = sheet->strip.status;
    return hidden;
}

void nt_sheet_reset(nt_sheet *sheet) {
    sheet->n_columns = sheet->n_cells = sheet->n_rows = 0;
    sheet->full = 0;
    nt_strip_clear(&sheet->strip);
}

void nt_sheet_free(nt_sheet *sheet) {
    nt_strip_free(&sheet->strip);
    nt_free(sheet->columns);
    nt_free(sheet->cells);
    nt_free(sheet->rows);
    *sheet = (nt_sheet){0};
}
