/* Layers and attention as SVG: a file of their own, and the drawings of attention for pages. */
#ifndef NT_VIEW_SVG_INSIDE_H
#define NT_VIEW_SVG_INSIDE_H

#include "view/inside.h"
#include "view/view.h"

/* Tokens that the drawings of attention show. */
enum { NT_ATTENTION_MOST = 48 };

int nt_svg_inside(nt_buffer *out, const nt_result *trace, const nt_view_options *options);

/* One svg element each within a page, whose stylesheet has the looks. Cells and curves carry
 * data-t and data-s, tokens data-t (who looks) or data-s (what is looked at). */
void nt_svg_matrix(nt_buffer *out, const nt_result *trace, const nt_head_weights *of,
                   nt_window shown, bool skip_first);
void nt_svg_arcs(nt_buffer *out, const nt_result *trace, const nt_head_weights *of, nt_window shown,
                 bool skip_first);
/* How far a share is drawn: small ones are not lost. */
double nt_svg_depth(double share);

#endif
