/* What every table shares: where it goes (the terminal, a picture, an HTML page), lines of parts,
 * the footer. */
#ifndef NT_VIEW_FRAME_H
#define NT_VIEW_FRAME_H

#include "view/figure.h"
#include "view/measure.h"
#include "view/sheet.h"

struct nt_svg;
struct nt_page;

typedef struct nt_frame {
    const nt_result *trace;
    struct nt_svg *picture; /* sheets and lines go there, */
    struct nt_page *page;   /* or there; both NULL: to `paint` */
    nt_measure in;          /* of scores */
    nt_paint paint;
    nt_sheet sheet;
    nt_strip line;     /* that is being put together */
    nt_heat heat;      /* a scored text is shown so; NT_HEAT_NONE: as a table */
    bool text_shown;   /* the caller has printed the generated text */
    int64_t most_rows; /* of tokens; -1: any number */
    size_t hidden;     /* columns that a sheet had no room for */
    bool tree;         /* of beams, beside the texts */
    nt_tree_detail tree_detail;
    int64_t position; /* of layers and attention: up to which; -1: the last */
    bool skip_first;
    bool lasting;     /* as what goes to a file: no durations */
    nt_buffer titles; /* of columns that are named after tokenizers */
    bool row_only;    /* TOKENS: a row and nothing else, */
    size_t n_plain;   /* with so many of them as plain text */
} nt_frame;

/* Adds a part to the line, behind a dot; nt_frame_line prints what was gathered, if anything. */
void nt_frame_part(nt_frame *frame, const char *utf8, uint8_t style);
void nt_frame_line(nt_frame *frame);
/* Prints the line as it is, also an empty one, and keeps it. */
void nt_frame_put(nt_frame *frame);
/* A part of a number between short words of the program's own. */
void nt_frame_figure(nt_frame *frame, const char *before, nt_figure x, const char *behind,
                     uint8_t style);
/* A blank line. */
void nt_frame_gap(nt_frame *frame);
/* Prints the sheet, remembers what it hid, and leaves it empty for the next. */
void nt_frame_sheet(nt_frame *frame);

/* Whether it goes to a file to keep, as pictures and pages do: the same result gives the same
 * bytes, without durations. */
bool nt_frame_is_kept(const nt_frame *frame);

/* The last name of a path that tells anything, zero-ended, in room [n_room]; else the path. */
const char *nt_frame_name(const char *path, char *room, size_t n_room);

/* The table of the result's kind with its footer. NT_E_UNSUPPORTED: there is none. */
int nt_frame_show(nt_frame *frame);
/* The first failure of `status` and of all that the frame holds, which is freed. */
int nt_frame_end(nt_frame *frame, int status);

/* What an exact search knows in the end; nothing where there was none. */
void nt_frame_proof(nt_frame *frame);

/* The tables, one a kind of result. */
void nt_table_tokens(nt_frame *frame);
void nt_table_compared(nt_frame *frame);
void nt_table_counts(nt_frame *frame);
void nt_table_next(nt_frame *frame);
void nt_table_steps(nt_frame *frame);
void nt_table_generate(nt_frame *frame);
void nt_table_score(nt_frame *frame);
void nt_table_continuations(nt_frame *frame);
void nt_table_perplexity(nt_frame *frame);
void nt_table_inspect(nt_frame *frame);
void nt_table_layers(nt_frame *frame);
void nt_table_attention(nt_frame *frame);
void nt_table_info(nt_frame *frame);
void nt_table_explain(nt_frame *frame);
void nt_table_versus(nt_frame *frame);
void nt_table_tensors(nt_frame *frame);
void nt_table_diff(nt_frame *frame);
void nt_table_bench(nt_frame *frame);
/* Groups of tensors, without a footer. */
void nt_table_groups(nt_frame *frame, const nt_trace_groups *groups);

#endif
