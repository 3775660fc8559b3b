#include "text/normal/form.h"

#include <string.h>

#include "base/memory.h"

/* A stretch may become so many times as long, and so much longer; NFKD makes 33 bytes of 3. */
enum { MOST_TIMES = 64, MOST_MORE = 256 << 10 };

void nt_form_start(nt_form *form, const char *text, size_t n, size_t origin) {
    form->bytes = text;
    form->n = n;
    form->from = NULL;
    form->origin = (uint32_t)origin;
    form->most = UINT32_MAX;
    if (n < (UINT32_MAX - MOST_MORE) / MOST_TIMES) form->most = n * MOST_TIMES + MOST_MORE;
}

nt_extent nt_form_extent(const nt_form *form, size_t start, size_t end) {
    if (!form->from)
        return (nt_extent){form->origin + (uint32_t)start, form->origin + (uint32_t)end};
    if (start < end) return (nt_extent){form->from[start].start, form->from[end - 1].end};
    uint32_t at = start < form->n ? form->from[start].start
                  : form->n       ? form->from[form->n - 1].end
                                  : form->origin;
    return (nt_extent){at, at};
}

void nt_form_free(nt_form *form) {
    nt_free(form->store.bytes);
    nt_free(form->store.from);
    nt_free(form->spare.bytes);
    nt_free(form->spare.from);
    *form = (nt_form){0};
}

/* So much is always left, for short runs to be copied whole without asking how long they are: most
 * runs are words. */
enum { SLACK = 16 };

static void resize(struct nt_form_store *store, size_t need) {
    size_t wanted = store->capacity < 64 ? 64 : store->capacity;
    while (wanted < need)
        wanted *= 2;
    char *bytes = nt_resize(store->bytes, wanted + SLACK, 1);
    if (bytes) store->bytes = bytes;
    nt_extent *from = bytes ? nt_resize(store->from, wanted + SLACK, sizeof *from) : NULL;
    if (from) {
        store->from = from;
        store->capacity = wanted;
    } else {
        store->status = NT_E_MEMORY;
    }
}

/* Steps that each make a text longer make it endless together. */
static int grows_too_far(const nt_form *form) {
    if (form->most == UINT32_MAX) {
        return nt_fail(NT_E_UNSUPPORTED, "the normalized text grows past 4 GiB; "
                                         "give it in smaller pieces");
    }
    return nt_fail(NT_E_UNSUPPORTED,
                   "the tokenizer makes more than %zu bytes of a stretch of text that is far "
                   "shorter; its normalizers or pre-tokenizers are at fault",
                   form->most);
}

/* Room for n more bytes, or false with the status set. */
static inline bool reserve(nt_form *form, size_t n) {
    struct nt_form_store *store = &form->spare;
    if (store->status != NT_OK) return false;
    if (n <= store->capacity - store->n) return true;
    if (store->n > form->most || n > form->most - store->n) {
        store->status = grows_too_far(form);
        return false;
    }
    resize(store, store->n + n);
    return store->status == NT_OK;
}

void nt_form_begin(nt_form *form) {
    form->spare.n = 0;
    form->spare.status = NT_OK;
    if (form->n > UINT32_MAX - (size_t)form->origin)
        form->spare.status = nt_fail(NT_E_UNSUPPORTED, "a text to normalize ends past 4 GiB; "
                                                       "give it in smaller pieces");
}

static inline void count_up(nt_extent *restrict from, uint32_t at, size_t n) {
    for (size_t i = 0; i < n; i++)
        from[i] = (nt_extent){at + (uint32_t)i, at + (uint32_t)i + 1};
}

void nt_form_keep(nt_form *form, size_t start, size_t end) {
    struct nt_form_store *spare = &form->spare;
    size_t n = end - start;
    if (n == 0 || !reserve(form, n)) return;
    char *bytes = spare->bytes + spare->n;
    nt_extent *from = spare->from + spare->n;
    uint32_t at = form->origin + (uint32_t)start;
    spare->n += n;
    if (n <= SLACK && form->n - start >= SLACK) {
        memcpy(bytes, form->bytes + start, SLACK);
        if (form->from)
            memcpy(from, form->from + start, SLACK * sizeof *from);
        else
            count_up(from, at, SLACK);
        return;
    }
    memcpy(bytes, form->bytes + start, n);
    if (form->from)
        memcpy(from, form->from + start, n * sizeof *from);
    else
        count_up(from, at, n);
}

void nt_form_put(nt_form *form, const char *bytes, size_t n, nt_extent extent) {
    struct nt_form_store *spare = &form->spare;
    if (n == 0 || !reserve(form, n)) return;
    char *to = spare->bytes + spare->n;
    nt_extent *from = spare->from + spare->n;
    spare->n += n;
    if (n <= 4) { /* one character, mostly */
        to[0] = bytes[0];
        to[(n - 1) / 2] = bytes[(n - 1) / 2];
        to[n / 2] = bytes[n / 2];
        to[n - 1] = bytes[n - 1];
        for (size_t i = 0; i < 4; i++)
            from[i] = extent;
        return;
    }
    memcpy(to, bytes, n);
    for (size_t i = 0; i < n; i++)
        from[i] = extent;
}

void nt_form_change(nt_form *form, const char *bytes, size_t n, size_t start, size_t end) {
    nt_form_put(form, bytes, n, nt_form_extent(form, start, end));
}

size_t nt_form_written(const nt_form *form) {
    return form->spare.n;
}

int nt_form_done(nt_form *form) {
    if (form->spare.status != NT_OK) return form->spare.status;
    if (form->spare.n > form->most) return grows_too_far(form); /* there was room from before */
    struct nt_form_store written = form->spare;
    form->spare = form->store;
    form->store = written;
    form->bytes = written.n ? written.bytes : "";
    form->n = written.n;
    form->from = written.from;
    return NT_OK;
}
