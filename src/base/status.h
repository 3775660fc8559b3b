/* The one way an error leaves any part: nt_fail sets this thread's message once, where the thing
 * happened, and returns the status; callers on the way up hand the status on and add nothing. */
#ifndef NT_BASE_STATUS_H
#define NT_BASE_STATUS_H

#include "nextoken.h"

/* Sets the message (printf style, one line: what, where, what to do) and returns status. Control
 * characters in the message become '?', so that hostile file contents cannot drive a terminal. */
int nt_fail(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* nt_fail(NT_E_MEMORY) with the size in words. */
int nt_fail_memory(size_t n_bytes);

#define NT_TRY(call)                                                                               \
    do {                                                                                           \
        int nt_try_status_ = (call);                                                               \
        if (nt_try_status_ != NT_OK) return nt_try_status_;                                        \
    } while (0)

#endif
