/* Memory that ends at every allocation in turn, in each kind of tokenizer that pipelines.gz has: a
 * call fails with NT_E_MEMORY and leaves nothing behind, or gives what it gives otherwise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "text/pipelines.h"

enum { MOST_ALLOCATIONS = 20000, STEP = 8 }; /* every eighth file: sanitizers take their time */

typedef struct work {
    nt_tokenizer *tokenizer;
    passage text;
    int threads;
    uint64_t hash; /* of all that came out */
} work;

static uint64_t hash_bytes(uint64_t hash, const char *bytes, size_t n) {
    for (size_t i = 0; i < n; i++)
        hash = fnv(hash, (unsigned char)bytes[i]);
    return fnv(hash, n);
}

static uint64_t hash_encoding(uint64_t hash, const nt_encoding *e) {
    for (; e; e = e->overflow) {
        hash = fnv(hash, e->n);
        for (size_t i = 0; i < e->n; i++) {
            hash = fnv(fnv(hash, (uint64_t)e->ids[i]), e->marks[i]);
            hash = fnv(fnv(fnv(hash, e->starts[i]), e->ends[i]), e->types[i]);
        }
    }
    return hash;
}

/* ---- The calls ------------------------------------------------------------------------------- */

static int one_text(work *w) {
    int32_t *ids;
    size_t *starts, *ends, n, n_text;
    nt_encode_options o = NT_ENCODE_OPTIONS_INIT;
    o.trim_offsets = true;
    o.add_prefix_space = -1;
    int status = nt_encode(&ids, &starts, &ends, &n, w->tokenizer, w->text.bytes, w->text.n, &o);
    if (status != NT_OK) {
        assert_true(!ids && !starts && !ends && n == 0);
        return status;
    }
    for (size_t i = 0; i < n; i++)
        w->hash = fnv(fnv(fnv(w->hash, (uint64_t)ids[i]), starts[i]), ends[i]);
    char *text;
    status = nt_decode(&text, &n_text, w->tokenizer, ids, n, true);
    assert_true((text != NULL) == (status == NT_OK));
    w->hash = hash_bytes(w->hash, text, n_text);
    nt_free(text);
    nt_stream *stream = NULL;
    if (status == NT_OK) status = nt_stream_new(&stream, w->tokenizer, false);
    for (size_t i = 0; i <= n && status == NT_OK; i++) {
        const char *piece;
        status = i < n ? nt_stream_put(&piece, &n_text, stream, ids[i])
                       : nt_stream_end(&piece, &n_text, stream);
        w->hash = hash_bytes(w->hash, piece, n_text);
    }
    nt_stream_free(stream);
    nt_free(ids);
    nt_free(starts);
    nt_free(ends);
    return status;
}

static int many_texts(work *w) {
    nt_encode_options o = NT_ENCODE_OPTIONS_INIT;
    o.offsets = o.marks = o.trim_offsets = o.words = true;
    o.truncation = o.padding = 1;
    o.max_length = 20;
    o.stride = 3;
    o.pad_id = 0;
    nt_encoder_options eo = NT_ENCODER_OPTIONS_INIT;
    eo.threads = w->threads;
    nt_encode_input inputs[2] = {
        {.text = w->text.bytes, .n_text = w->text.n},
        {.text = w->text.bytes, .n_text = w->text.n, .pair = "a", .n_pair = 1}};
    nt_encoding *encodings[2] = {NULL, NULL};
    nt_encoder *encoder;
    int status = nt_encoder_new(&encoder, w->tokenizer, &eo);
    if (status == NT_OK) status = nt_encoder_run(encodings, encoder, inputs, 2, &o);
    for (int i = 0; i < 2; i++) {
        assert_true((encodings[i] != NULL) == (status == NT_OK));
        w->hash = hash_encoding(w->hash, encodings[i]);
        nt_encoding_free(encodings[i]);
    }
    nt_encoder_free(encoder);
    return status;
}

/* ---- In turn --------------------------------------------------------------------------------- */

static void fail_from(size_t k, bool once) {
    if (once) {
        nt_memory_fail_once(k);
    } else {
        nt_memory_fail_at(k);
    }
}

static void in_turn(work *w, int (*call)(work *), const char *name) {
    w->hash = FNV_START;
    int wanted = call(w);
    uint64_t hash = w->hash;
    for (int once = 0; once < 2; once++) {
        bool reached = true;
        for (size_t k = 1; reached; k++) {
            w->hash = FNV_START;
            fail_from(k, once);
            int status = call(w);
            reached = nt_memory_count() >= k;
            nt_memory_fail_at(0);
            if (status == NT_E_MEMORY && reached) continue;
            if (status != wanted || w->hash != hash)
                fail_msg("%s, allocation %zu: %d, not %d", name, k, status, wanted);
            assert_in_range(k, 1, MOST_ALLOCATIONS);
        }
    }
}

static void opens_in_turn(const char *folder, const char *name) {
    for (int once = 0; once < 2; once++) {
        bool reached = true;
        for (size_t k = 1; reached; k++) {
            nt_tokenizer *tokenizer;
            fail_from(k, once);
            int status = nt_tokenizer_open(&tokenizer, folder);
            reached = nt_memory_count() >= k;
            nt_memory_fail_at(0);
            if (status != (reached ? NT_E_MEMORY : NT_OK))
                fail_msg("%s, allocation %zu: %d", name, k, status);
            assert_true((tokenizer != NULL) == (status == NT_OK));
            nt_tokenizer_free(tokenizer);
            assert_in_range(k, 1, MOST_ALLOCATIONS);
        }
    }
}

static void memory_ends_anywhere(void **state) {
    (void)state;
    pipelines p = pipelines_open();
    for (int i = 0; i < N_PIPELINES; i++) {
        pipelines_next(&p);
        work w = {0};
        for (size_t k = 0; k < p.n_texts; k++) {
            passage text = next_text(&p.file);
            next_text(&p.file);
            oracle_hash(&p.file);
            if (text.n > w.text.n) w.text = text;
        }
        if (i % STEP) continue;
        opens_in_turn(p.folder, p.name);
        w.tokenizer = open_tokenizer(p.folder);
        in_turn(&w, one_text, p.name);
        for (w.threads = 1; w.threads <= 2; w.threads++)
            in_turn(&w, many_texts, p.name);
        nt_tokenizer_free(w.tokenizer);
    }
    pipelines_close(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(memory_ends_anywhere)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
