/* Which token an id is when a text is made of it. */
#ifndef NT_TEXT_LOOK_H
#define NT_TEXT_LOOK_H

#include "text/tokenizer.h"

/* *out is the token of id, the one at `index` of those given, or NULL for one that adds nothing: a
 * special token to be skipped, an id in a hole of the vocabulary. Errors: RANGE. */
int nt_decode_look(const nt_piece **out, const nt_tokenizer *tokenizer, int32_t id, size_t index,
                   bool skip_special);

#endif
