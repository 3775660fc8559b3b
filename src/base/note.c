#include "base/note.h"

#include <stdarg.h>
#include <stdio.h>

void nt_note(const nt_callbacks *callbacks, const char *format, ...) {
    if (!callbacks || !callbacks->note) return;
    char line[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    callbacks->note(callbacks->payload, line);
}
