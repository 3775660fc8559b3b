#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

static _Thread_local char message[1024];

/* '?' for control characters, C1's (U+0080 to U+009F) too, and for bytes that are no UTF-8, such as
 * a character that the end of the buffer cut: the text may go to a terminal or into JSON. */
static void make_harmless(char *text) {
    size_t n = strlen(text), kept = 0;
    for (size_t i = 0, length; i < n; i += length) {
        int32_t code;
        length = nt_utf8_next(&code, text + i, n - i);
        if (code < 0x20 || (code >= 0x7f && code < 0xa0)) {
            text[kept++] = '?';
        } else {
            memmove(text + kept, text + i, length);
            kept += length;
        }
    }
    text[kept] = 0;
}

int nt_fail(int status, const char *format, ...) {
    char text[sizeof message]; /* an argument may be the last message itself */
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    make_harmless(text);
    memcpy(message, text, strlen(text) + 1);
    return status;
}

int nt_fail_memory(size_t n_bytes) {
    return nt_fail(NT_E_MEMORY, "out of memory: %zu more bytes were needed", n_bytes);
}

const char *nt_error_message(void) {
    return message;
}

const char *nt_status_name(int status) {
    switch (status) {
    case NT_OK: return "NT_OK";
    case NT_E_MEMORY: return "NT_E_MEMORY";
    case NT_E_ARGUMENT: return "NT_E_ARGUMENT";
    case NT_E_NOT_FOUND: return "NT_E_NOT_FOUND";
    case NT_E_IO: return "NT_E_IO";
    case NT_E_FORMAT: return "NT_E_FORMAT";
    case NT_E_UNSUPPORTED: return "NT_E_UNSUPPORTED";
    case NT_E_RANGE: return "NT_E_RANGE";
    case NT_E_CONTEXT: return "NT_E_CONTEXT";
    case NT_E_TEXT: return "NT_E_TEXT";
    case NT_E_NUMERIC: return "NT_E_NUMERIC";
    case NT_E_CANCELLED: return "NT_E_CANCELLED";
    case NT_E_NETWORK: return "NT_E_NETWORK";
    case NT_E_DENIED: return "NT_E_DENIED";
    default: return "unknown status";
    }
}
