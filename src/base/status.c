#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>

static _Thread_local char message[1024];

int nt_fail(int status, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    for (char *c = message; *c; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f) *c = '?';
    }
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
    default: return "unknown status";
    }
}
