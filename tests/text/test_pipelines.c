/* 200 made-up tokenizer.json files against Hugging Face tokenizers 0.23.3: ids, contents, offsets,
 * type ids, masks, windows and texts (data/pipelines.gz, by tools/oracle/tokenizer_files.py). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "text/pipelines.h"

enum { REFUSED = 0xFFFFFFFF, PANIC = 0xFFFFFFFE };

/* Offsets of the tokens of one text from bytes to characters; ends and starts are rewritten. */
static void to_characters(const nt_encoding *e, uint32_t *starts, uint32_t *ends, bool pair,
                          passage text) {
    for (size_t i = 0; i < e->n;) {
        size_t n = 0;
        while (i + n < e->n && !(e->marks[i + n] & NT_MARK_PAIR) == !pair)
            n++;
        if (n) nt_offsets_to_characters(starts + i, ends + i, n, text.bytes, text.n);
        i += n ? n : 1;
    }
}

static uint64_t hash_window(uint64_t hash, const nt_tokenizer *tokenizer, const nt_encoding *e,
                            passage text, passage pair) {
    uint32_t *starts = malloc((e->n + 1) * sizeof *starts);
    uint32_t *ends = malloc((e->n + 1) * sizeof *ends);
    assert_non_null(starts);
    assert_non_null(ends);
    memcpy(starts, e->starts, e->n * sizeof *starts);
    memcpy(ends, e->ends, e->n * sizeof *ends);
    to_characters(e, starts, ends, false, text);
    if (pair.bytes) to_characters(e, starts, ends, true, pair);
    hash = fnv(hash, e->n);
    for (size_t i = 0; i < e->n; i++) {
        hash = fnv(hash, (uint64_t)e->ids[i]);
        hash = fnv(fnv(hash, starts[i]), ends[i]);
        hash = fnv(hash, e->types[i]);
        hash = fnv(hash, (e->marks[i] & (NT_MARK_SPECIAL | NT_MARK_PADDING)) != 0);
        hash = fnv(hash, !(e->marks[i] & NT_MARK_PADDING));
        if (e->marks[i] & NT_MARK_PADDING) continue;
        size_t n;
        const char *content = nt_tokenizer_content(tokenizer, e->ids[i], &n);
        for (size_t b = 0; b < n; b++)
            hash = fnv(hash, (unsigned char)content[b]);
    }
    free(starts);
    free(ends);
    return hash;
}

static uint32_t answer(const nt_tokenizer *tokenizer, const nt_encoding *e, passage text,
                       passage pair) {
    size_t windows = 0;
    for (const nt_encoding *w = e; w; w = w->overflow)
        windows++;
    uint64_t hash = fnv(FNV_START, windows);
    for (const nt_encoding *w = e; w; w = w->overflow)
        hash = hash_window(hash, tokenizer, w, text, pair);
    for (int skip = 0; skip < 2; skip++) {
        char *decoded;
        size_t n;
        int status = nt_decode(&decoded, &n, tokenizer, e->ids, e->n, skip);
        if (status != NT_OK) fail_msg("%s", nt_error_message());
        for (size_t i = 0; i < n; i++)
            hash = fnv(hash, (unsigned char)decoded[i]);
        nt_free(decoded);
    }
    uint32_t folded = fold(hash);
    return folded == REFUSED || folded == PANIC ? 0 : folded;
}

/* 0 when the case is as the oracle has it. */
static int one_case(oracle *file, const nt_tokenizer *tokenizer, nt_encoder *encoder,
                    const char *name, size_t i) {
    passage text = next_text(file), pair = next_text(file);
    uint32_t wanted = oracle_hash(file);
    nt_encode_options options = NT_ENCODE_OPTIONS_INIT;
    options.offsets = options.marks = options.trim_offsets = true;
    nt_encode_input input = {text.bytes, text.n, pair.bytes, pair.n};
    nt_encoding *e;
    int status = nt_encoder_run(&e, encoder, &input, 1, &options);
    bool good = wanted == PANIC     ? true
                : wanted == REFUSED ? status != NT_OK
                                    : status == NT_OK && answer(tokenizer, e, text, pair) == wanted;
    if (!good) {
        print_error("%s, text %zu%s%s:", name, i, status ? ": " : "",
                    status ? nt_error_message() : "");
        for (size_t b = 0; b < text.n; b++)
            print_error(" %02X", (unsigned char)text.bytes[b]);
        print_error("\n");
    }
    nt_encoding_free(e);
    return !good;
}

static size_t one_pipeline(pipelines *p) {
    pipelines_next(p);
    nt_tokenizer *tokenizer;
    if (nt_tokenizer_open(&tokenizer, p->folder) != NT_OK)
        fail_msg("%s: %s", p->name, nt_error_message());
    nt_encoder *encoder;
    assert_int_equal(nt_encoder_new(&encoder, tokenizer, NULL), NT_OK);
    size_t wrong = 0;
    for (size_t i = 0; i < p->n_texts; i++)
        wrong += (size_t)one_case(&p->file, tokenizer, encoder, p->name, i);
    nt_encoder_free(encoder);
    nt_tokenizer_free(tokenizer);
    return wrong;
}

static void made_up_files(void **state) {
    (void)state;
    pipelines p = pipelines_open();
    size_t wrong = 0;
    for (int i = 0; i < N_PIPELINES; i++)
        wrong += one_pipeline(&p);
    assert_int_equal(wrong, 0);
    pipelines_close(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(made_up_files)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
