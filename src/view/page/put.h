/* Writing HTML, element by element. Whatever a text holds (a token may be "</script>"), it stays
 * text. */
#ifndef NT_VIEW_PAGE_PUT_H
#define NT_VIEW_PAGE_PUT_H

#include "base/buffer.h"
#include "nextoken.h"
#include "view/strip.h"

/* bytes [n] as text between tags, or as the value of an attribute in double quotes. */
void nt_html_escape(nt_buffer *out, const char *bytes, size_t n);
void nt_html_puts(nt_buffer *out, const char *zero_ended);
/* Glyphs [first, first + n), with spans for their styles. */
void nt_html_glyphs(nt_buffer *out, const nt_strip *strip, size_t first, size_t n);
/* A token as it is shown everywhere, its white space as marks. */
void nt_html_token(nt_buffer *out, const char *bytes, size_t n);
/* The same without spans, for attributes; its id as #id where it has no bytes. */
void nt_html_name(nt_buffer *out, const nt_token *token);
/* At most `decimals` decimals, with a point in every locale. */
void nt_html_number(nt_buffer *out, double x, int decimals);
/* JSON [n] inside a script element. */
void nt_html_json(nt_buffer *out, const char *json, size_t n);

#endif
