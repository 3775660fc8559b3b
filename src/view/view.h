/* Views: a trace -> table, JSON, CSV, SVG, HTML. They read it and compute nothing that it lacks. */
#ifndef NT_VIEW_VIEW_H
#define NT_VIEW_VIEW_H

#include "base/buffer.h"
#include "trace/trace.h"

/* Options with their defaults filled in. NT_E_UNSUPPORTED for a kind that has no such view. */
int nt_view_table(nt_buffer *out, const nt_result *trace, const nt_view_options *options);
int nt_view_json(nt_buffer *out, const nt_result *trace, const nt_view_options *options);
/* The same for a page: without the heads beside their mean where those are many numbers. */
int nt_view_json_on_page(nt_buffer *out, const nt_result *trace, const nt_view_options *options);
int nt_view_csv(nt_buffer *out, const nt_result *trace, const nt_view_options *options);
int nt_view_svg(nt_buffer *out, const nt_result *trace, const nt_view_options *options);
int nt_view_html(nt_buffer *out, const nt_result *trace, const nt_view_options *options);

#endif
