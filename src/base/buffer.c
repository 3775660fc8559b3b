#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

/* Room for n more bytes and the zero byte. */
static bool reserve(nt_buffer *buffer, size_t n) {
    if (buffer->status != NT_OK) return false;
    size_t max = buffer->max ? buffer->max : NT_BUFFER_MAX;
    if (n > max || buffer->n > max - n) {
        buffer->status = nt_fail(NT_E_MEMORY, "a text grew past its limit of %zu bytes", max);
        return false;
    }
    void *data = buffer->data;
    buffer->status = nt_grow(&data, &buffer->capacity, buffer->n + n + 1, 1);
    buffer->data = data;
    return buffer->status == NT_OK;
}

int nt_buffer_room(nt_buffer *buffer, size_t n) {
    reserve(buffer, n);
    return buffer->status;
}

void nt_buffer_put(nt_buffer *buffer, const char *bytes, size_t n) {
    if (!reserve(buffer, n)) return;
    if (n) memcpy(buffer->data + buffer->n, bytes, n);
    buffer->n += n;
    buffer->data[buffer->n] = 0;
}

void nt_buffer_puts(nt_buffer *buffer, const char *zero_ended) {
    nt_buffer_put(buffer, zero_ended, strlen(zero_ended));
}

void nt_buffer_putc(nt_buffer *buffer, char c) {
    nt_buffer_put(buffer, &c, 1);
}

void nt_buffer_printf(nt_buffer *buffer, const char *format, ...) {
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0 && buffer->status == NT_OK)
        buffer->status = nt_fail(NT_E_MEMORY, "a text could not be formatted");
    if (n >= 0 && reserve(buffer, (size_t)n)) {
        vsnprintf(buffer->data + buffer->n, (size_t)n + 1, format, again);
        buffer->n += (size_t)n;
    }
    va_end(again);
}

void nt_buffer_clear(nt_buffer *buffer) {
    buffer->n = 0;
    if (buffer->data) buffer->data[0] = 0;
}

void nt_buffer_free(nt_buffer *buffer) {
    nt_free(buffer->data);
    *buffer = (nt_buffer){.max = buffer->max};
}

int nt_buffer_take(char **out, size_t *n, nt_buffer *buffer) {
    if (buffer->status == NT_OK && !buffer->data) nt_buffer_put(buffer, "", 0);
    int status = buffer->status;
    *out = NULL;
    *n = 0;
    if (status == NT_OK) {
        *out = buffer->data;
        *n = buffer->n;
        buffer->data = NULL;
    }
    nt_buffer_free(buffer);
    return status;
}
