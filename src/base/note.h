/* Notes: single lines for whoever runs a job. */
#ifndef NT_BASE_NOTE_H
#define NT_BASE_NOTE_H

#include "nextoken.h"

/* Hands one line to the note callback, if there is one. */
void nt_note(const nt_callbacks *callbacks, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
