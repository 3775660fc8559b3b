/* An option's value as text, the way nt_generate_options_set reads it. */
#ifndef NT_DECODE_OPTIONS_SHOWN_H
#define NT_DECODE_OPTIONS_SHOWN_H

#include "decode/options/options.h"

/* Appends the row's value in a struct, where it is given; nothing else. */
void nt_option_show(nt_buffer *out, const nt_generate_options *options, const nt_option_row *row);

#endif
