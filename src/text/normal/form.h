/* A stretch of text on its way to tokens: what normalizers and pre-tokenizers made of it, and which
 * bytes of the text each of its bytes stands for (NormalizedString in tokenizers). */
#ifndef NT_TEXT_FORM_H
#define NT_TEXT_FORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

typedef struct nt_extent {
    uint32_t start, end; /* bytes [start, end) */
} nt_extent;

/* Where a form still is the text, `from` is NULL and byte i stands for byte origin + i. Otherwise
 * the bytes of a character that nothing changed stand for their own byte each; all bytes of one
 * that was changed or put in stand for all that it came from. Rounded outwards to characters that
 * is what tokenizers tells. */
typedef struct nt_form {
    const char *bytes; /* [n] UTF-8: the text's own, or those in `store` */
    size_t n;
    const nt_extent *from; /* [n] or NULL */
    uint32_t origin;       /* where the stretch begins in the text */
    struct nt_form_store { /* what bytes and from point into; the spare one is written next */
        char *bytes;
        nt_extent *from;
        size_t n, capacity;
        int status;
    } store, spare;
    size_t most; /* bytes that it may grow to */
} nt_form;       /* all zero is empty; kept from stretch to stretch for its memory */

/* The text of a stretch as it is; it must stay while the form is used. */
void nt_form_start(nt_form *form, const char *text, size_t n, size_t origin);
/* What bytes [start, end) of the form stand for; an empty range stands where it begins. */
nt_extent nt_form_extent(const nt_form *form, size_t start, size_t end);
void nt_form_free(nt_form *form);

/* Writing a new form beside the old one: begin, then kept bytes, changed and new characters in
 * order, then done, which makes it the form. Sticky: the status of done is that of all of them. */
void nt_form_begin(nt_form *form);
/* Bytes [start, end) of the old form as they are. */
void nt_form_keep(nt_form *form, size_t start, size_t end);
/* bytes [n] that stand for all that [start, end) of the old form stands for. */
void nt_form_change(nt_form *form, const char *bytes, size_t n, size_t start, size_t end);
/* bytes [n] that stand for `extent` of the text. */
void nt_form_put(nt_form *form, const char *bytes, size_t n, nt_extent extent);
/* Bytes written since begin. */
size_t nt_form_written(const nt_form *form);
/* Errors: MEMORY; UNSUPPORTED (a form of 4 GiB, or many times as long as its text). The form then
 * stays the old one. */
int nt_form_done(nt_form *form);

#endif
