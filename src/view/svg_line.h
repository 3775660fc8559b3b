/* Lines: surprisal and entropy over the tokens of a text, and the surprisal of its words, as SVG.
 */
#ifndef NT_VIEW_SVG_LINE_H
#define NT_VIEW_SVG_LINE_H

#include "view/measure.h"
#include "view/view.h"

/* The drawings of a SCORE, one below the other, as a file of their own. */
int nt_svg_score(nt_buffer *out, const nt_result *trace, const nt_view_options *options);
/* The same as one svg element within a page, whose stylesheet has the looks. */
int nt_svg_lines(nt_buffer *out, const nt_result *trace, nt_measure in);

#endif
