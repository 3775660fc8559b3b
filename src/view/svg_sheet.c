/* Drawing a sheet: columns get their widths in pixels, rows are drawn as text, bars and shaded
 * cells. Nothing is hidden: a picture is as wide as it must be. Letters' widths are reckoned, since
 * the fonts are the reader's; only where a text is cut depends on that. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "view/svg.h"

enum { FIRST_GAP = 20, JOINED_GAP = 8, CELL_GAP = 4, PAD = 8 };
enum { ROW = 26, BAR = 12, CELL = 40, BAR_LEAST = 56, INPUT_LEAST = 150, CELL_MOST = 132 };

/* A column, or a shaded one with all that is joined to it. */
typedef struct field {
    size_t c, n; /* columns [c, c + n) */
    double gap;  /* to its left neighbour */
    double least, natural, width, x;
} field;

typedef struct table {
    nt_svg *picture;
    const nt_sheet *sheet;
    field *fields;
    size_t n;
    double inner;   /* between the margins */
    double largest; /* value of a bar */
    bool stacked;   /* a token above its figures */
} table;

static const nt_column *column_of(const table *t, const field *f) {
    return &t->sheet->columns[f->c];
}

static const nt_cell *cell_of(const table *t, size_t row, size_t c) {
    return &t->sheet->cells[row * t->sheet->n_columns + c];
}

/* Prose is set smaller than figures. */
static bool is_prose(const nt_column *column) {
    return column->comfort && !column->mono;
}

/* Of a letter, on the wide side of the usual fonts. */
static double advance_of(const nt_column *column) {
    return column->mono ? 7.85 : is_prose(column) ? 6.8 : 7.4;
}
static const double title_advance = 7.6, figure_advance = 7;

/* ---- Layout ---------------------------------------------------------------------------------- */

static void find_fields(table *t) {
    const nt_sheet *sheet = t->sheet;
    for (size_t c = 0; c < sheet->n_columns;) {
        const nt_column *column = &sheet->columns[c];
        field *f = &t->fields[t->n++];
        bool beside = column->shaded && t->n > 1 && column_of(t, f - 1)->shaded;
        *f = (field){.c = c++, .n = 1, .gap = FIRST_GAP};
        if (column->joined) f->gap = JOINED_GAP;
        if (beside) f->gap = CELL_GAP;
        if (t->n == 1) f->gap = 0;
        for (; column->shaded && c < sheet->n_columns && sheet->columns[c].joined; c++)
            f->n++;
        t->stacked |= column->shaded;
    }
}

static double widest_text(const table *t, size_t c, double advance) {
    size_t most = 0;
    for (size_t r = 0; r < t->sheet->n_rows; r++) {
        const nt_cell *cell = cell_of(t, r, c);
        size_t wide = nt_strip_width(&t->sheet->strip, cell->first, cell->n);
        if (wide > most) most = wide;
    }
    return (double)most * advance;
}

static void measure_shaded(const table *t, field *f) {
    const nt_column *column = column_of(t, f);
    double figures = 0;
    for (size_t c = f->c + 1; c < f->c + f->n; c++)
        figures += widest_text(t, c, figure_advance) + (figures > 0 ? 3 * figure_advance : 0);
    double token = widest_text(t, f->c, advance_of(column));
    f->natural = fmin(fmax(token, figures) + 2 * PAD, CELL_MOST);
    f->least = fmax((double)column->comfort * advance_of(column), figures) + 2 * PAD;
}

static void measure_text(const table *t, field *f) {
    const nt_column *column = column_of(t, f);
    const nt_column *next = f->c + 1 < t->sheet->n_columns ? column + 1 : NULL;
    f->natural = widest_text(t, f->c, advance_of(column));
    f->least = column->comfort ? (double)column->comfort * advance_of(column) : f->natural;
    if (column->cut_left) f->least = INPUT_LEAST;
    if (f->least > f->natural) f->least = f->natural;
    double title = column->title && !(next && next->joined)
                       ? (double)strlen(column->title) * title_advance
                       : 0;
    f->natural = fmin(fmax(f->natural, title), NT_SVG_WIDTH - 2 * NT_SVG_MARGIN);
    f->least = fmin(fmax(f->least, title), f->natural);
}

static void measure(table *t) {
    double least = 0, natural = 0; /* of shaded ones, which are alike */
    for (field *f = t->fields; f < t->fields + t->n; f++) {
        const nt_column *column = column_of(t, f);
        if (column->shaded) {
            measure_shaded(t, f);
            least = fmax(least, f->least);
            natural = fmax(natural, f->natural);
        } else if (column->bar) {
            f->least = f->natural = BAR_LEAST;
        } else {
            measure_text(t, f);
        }
    }
    for (field *f = t->fields; f < t->fields + t->n; f++) {
        if (column_of(t, f)->shaded) {
            f->least = least;
            f->natural = fmax(least, natural);
        }
        f->width = f->least;
    }
}

static double total(const table *t) {
    double sum = 0;
    for (size_t i = 0; i < t->n; i++)
        sum += t->fields[i].gap + t->fields[i].width;
    return sum;
}

/* The narrowest that may still grow. */
static field *narrowest(const table *t) {
    field *best = NULL;
    for (field *f = t->fields; f < t->fields + t->n; f++)
        if (f->width < f->natural && (!best || f->width < best->width)) best = f;
    return best;
}

/* What the texts leave is shared by the bars, which have one scale, and by shaded cells. */
static bool shares(const nt_column *column) {
    return column->bar || column->shaded;
}

static void lay_out(table *t) {
    field *f;
    measure(t);
    t->inner = fmax(ceil(total(t)), NT_SVG_WIDTH - 2 * NT_SVG_MARGIN);
    while (total(t) + 1 <= t->inner && (f = narrowest(t)))
        f->width += 1;
    size_t n_sharing = 0;
    for (size_t i = 0; i < t->n; i++)
        n_sharing += shares(column_of(t, &t->fields[i]));
    double left = t->inner - total(t), x = NT_SVG_MARGIN;
    for (f = t->fields; f < t->fields + t->n; f++) {
        if (shares(column_of(t, f))) f->width += left / (double)n_sharing;
        f->x = x + f->gap;
        x = f->x + f->width;
    }
    t->picture->width = fmax(t->picture->width, t->inner + 2 * NT_SVG_MARGIN);
}

/* ---- Drawing --------------------------------------------------------------------------------- */

static void draw_titles(table *t) {
    nt_svg *picture = t->picture;
    picture->y += 20;
    for (const field *f = t->fields; f < t->fields + t->n; f++) {
        const nt_column *column = column_of(t, f);
        bool over = f + 1 < t->fields + t->n && column_of(t, f + 1)->joined;
        bool right = column->align == NT_RIGHT && !over;
        if (!column->title) continue;
        nt_svg_text_open(&picture->body, right ? "title end" : "title",
                         f->x + (right            ? f->width
                                 : column->shaded ? PAD
                                                  : 0),
                         picture->y);
        nt_svg_escape(&picture->body, column->title, strlen(column->title));
        nt_svg_text_close(&picture->body);
    }
    picture->y += 9;
    nt_svg_rect(&picture->body, "rule", (nt_box){NT_SVG_MARGIN, picture->y, t->inner, 1}, 0);
    picture->y += 5;
}

static void draw_bar(table *t, const field *f, const nt_cell *cell, double y) {
    double share = t->largest > 0 ? cell->value / t->largest : 0;
    if (!(share > 0)) return; /* NaN, too */
    nt_box box = {f->x, y + (ROW - BAR) / 2.0, f->width * fmin(share, 1), BAR};
    if (box.width < 1) box.width = 1; /* little is not nothing */
    bool rest = cell->style & NT_STYLE_DIM;
    bool after = (cell->style & NT_STYLE_COLORS) == NT_STYLE_GREEN;
    nt_svg_rect(&t->picture->body, rest ? "bar rest" : after ? "bar after" : "bar raw", box, 2);
}

static size_t columns_in(double width, double advance) {
    return (size_t)(width / advance + 0.5);
}

/* y: of a row's middle. */
static void draw_text(table *t, const field *f, const nt_cell *cell, double y) {
    const nt_column *column = column_of(t, f);
    bool right = column->align == NT_RIGHT;
    const char *classes = column->mono       ? right ? "mono end" : "mono"
                          : is_prose(column) ? "small"
                          : right            ? "end"
                                             : "plain";
    nt_buffer *out = &t->picture->body;
    if (cell->n == 0) return;
    nt_svg_text_open(out, classes, f->x + (right ? f->width : 0), y + 4.5);
    nt_svg_fit(out, &t->sheet->strip, cell->first, cell->n,
               columns_in(f->width, advance_of(column)), column->cut_left);
    nt_svg_text_close(out);
}

/* The token above its figures; the shade grows with the root of the share, since most are small. */
static void draw_shaded(table *t, const field *f, size_t row, double y) {
    const nt_strip *strip = &t->sheet->strip;
    const nt_cell *cell = cell_of(t, row, f->c);
    nt_buffer *out = &t->picture->body;
    nt_box box = {f->x, y + 1, f->width, CELL - 2};
    double value = cell->value > 0 ? fmin(cell->value, 1) : 0; /* NaN is nothing */
    if (cell->n == 0) return;
    nt_svg_shade(out, "cell", box, 4, 0.55 * sqrt(value));
    if (cell->style & NT_STYLE_BOLD)
        nt_svg_rect(out, "taken", (nt_box){box.x + 1, box.y + 1, box.width - 2, box.height - 2}, 4);
    nt_svg_text_open(out, "mono", f->x + PAD, y + 17.5);
    nt_svg_fit(out, strip, cell->first, cell->n,
               columns_in(f->width - 2 * PAD, advance_of(column_of(t, f))), false);
    nt_svg_text_close(out);
    nt_svg_text_open(out, "figure", f->x + PAD, y + 32.5);
    for (size_t c = f->c + 1; c < f->c + f->n; c++) {
        const nt_cell *figure = cell_of(t, row, c);
        if (c > f->c + 1) nt_buffer_puts(out, " \xE2\x86\x92 ");
        nt_svg_plain(out, strip, figure->first, figure->n);
    }
    nt_svg_text_close(out);
}

static void draw_row(table *t, size_t row) {
    nt_svg *picture = t->picture;
    double height = t->stacked ? CELL : ROW;
    nt_buffer_puts(&picture->body, t->sheet->rows[row] & NT_STYLE_DIM ? "<g class=\"row dim\">\n"
                                                                      : "<g class=\"row\">\n");
    for (const field *f = t->fields; f < t->fields + t->n; f++) {
        const nt_column *column = column_of(t, f);
        const nt_cell *cell = cell_of(t, row, f->c);
        if (column->shaded)
            draw_shaded(t, f, row, picture->y);
        else if (column->bar)
            draw_bar(t, f, cell, picture->y);
        else
            draw_text(t, f, cell, picture->y + height / 2);
    }
    nt_buffer_puts(&picture->body, "</g>\n");
    picture->y += height;
}

/* ---- Telling --------------------------------------------------------------------------------- */

/* The sheet as lines of cells: what is drawn, for those who cannot see it. */
static void tell(const table *t) {
    nt_buffer *out = &t->picture->told;
    const nt_sheet *sheet = t->sheet;
    for (size_t r = 0; r < sheet->n_rows; r++) {
        bool any = false;
        for (size_t c = 0; c < sheet->n_columns; c++) {
            const nt_cell *cell = cell_of(t, r, c);
            const nt_column *column = &sheet->columns[c];
            if (cell->n == 0) continue;
            if (any) nt_buffer_puts(out, column->joined ? " " : ", ");
            if (column->title && !column->joined) {
                nt_buffer_puts(out, column->title);
                nt_buffer_putc(out, ' ');
            }
            if (column->shaded && cell->style & NT_STYLE_BOLD) nt_buffer_puts(out, "(taken) ");
            nt_svg_plain(out, &sheet->strip, cell->first, cell->n);
            any = true;
        }
        nt_buffer_putc(out, '\n');
    }
}

void nt_svg_sheet(nt_svg *picture, nt_sheet *sheet) {
    if (!nt_sheet_whole(sheet) || sheet->n_columns == 0) return;
    table t = {.picture = picture, .sheet = sheet, .largest = nt_sheet_largest(sheet)};
    t.fields = nt_alloc(sheet->n_columns, sizeof *t.fields);
    if (!t.fields) {
        sheet->status = NT_E_MEMORY;
        return;
    }
    find_fields(&t);
    lay_out(&t);
    draw_titles(&t);
    for (size_t r = 0; r < sheet->n_rows; r++)
        draw_row(&t, r);
    picture->y += 6;
    tell(&t);
    nt_free(t.fields);
}
