/* For tests: the made-up tokenizer.json files of data/pipelines.gz
 * (tools/oracle/tokenizer_files.py), read from front to back. */
#ifndef NT_TESTS_TEXT_PIPELINES_H
#define NT_TESTS_TEXT_PIPELINES_H

#include "folder.h"
#include "text/support.h"

enum { MAX_MODELS = 32, N_PIPELINES = 200 };

typedef struct passage {
    const char *bytes;
    size_t n;
} passage;

typedef struct pipelines {
    oracle file;
    passage models[MAX_MODELS];
    const char *folder;
    char name[64]; /* of the pipeline at hand */
    size_t n_texts;
} pipelines;

static inline passage next_passage(oracle *file) {
    size_t n = oracle_number(file);
    return (passage){oracle_bytes(file, n), n};
}

/* A text that may be absent. */
static inline passage next_text(oracle *file) {
    size_t n = oracle_number(file);
    return n ? (passage){oracle_bytes(file, n - 1), n - 1} : (passage){NULL, 0};
}

static inline pipelines pipelines_open(void) {
    pipelines p = {.file = oracle_open(DATA "pipelines.gz"), .folder = folder_new()};
    size_t n_models = oracle_number(&p.file);
    assert_in_range(n_models, 1, MAX_MODELS);
    for (size_t i = 0; i < n_models; i++)
        p.models[i] = next_passage(&p.file);
    assert_int_equal(oracle_number(&p.file), N_PIPELINES);
    return p;
}

/* Writes the next one's tokenizer.json; n_texts cases follow, each two texts and a hash. */
static inline void pipelines_next(pipelines *p) {
    passage name = next_passage(&p->file);
    size_t model = oracle_number(&p->file);
    assert_in_range(model, 0, MAX_MODELS - 1);
    passage sections = next_passage(&p->file);
    snprintf(p->name, sizeof p->name, "%.*s", (int)name.n, name.bytes);
    FILE *out = fopen(folder_path(p->folder, "tokenizer.json"), "wb");
    assert_non_null(out);
    fprintf(out, "%.*s,\"model\":%.*s}", (int)sections.n - 1, sections.bytes,
            (int)p->models[model].n, p->models[model].bytes);
    assert_int_equal(fclose(out), 0);
    p->n_texts = oracle_number(&p->file);
}

static inline void pipelines_close(pipelines *p) {
    folder_remove(p->folder);
    oracle_close(&p->file);
}

#endif
