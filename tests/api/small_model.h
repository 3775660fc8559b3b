/* A tiny seeded checkpoint with a tokenizer of letters, opened through the public interface. */
#ifndef TESTS_API_SMALL_MODEL_H
#define TESTS_API_SMALL_MODEL_H

#include "model/checkpoint.h"
#include "nextoken.h"

/* Ids 0..25 are a..z, 26 is a space, 27.. are a few merges, 95 is <|end|>. */
static const char small_tokenizer[] =
    "{\"version\":\"1.0\",\"truncation\":null,\"padding\":null,\"added_tokens\":[{\"id\":95,"
    "\"content\":"
    "\"<|end|>\",\"special\":true,\"single_word\":false,\"lstrip\":false,\"rstrip\":false,"
    "\"normalized\":false}],\"normalizer\":null,\"pre_tokenizer\":{\"type\":\"ByteLevel\","
    "\"add_prefix_space\":false,\"trim_offsets\":true,\"use_regex\":true},\"post_processor\":null,"
    "\"decoder\":{\"type\":\"ByteLevel\",\"add_prefix_space\":true,\"trim_offsets\":true,\"use_"
    "regex\":"
    "true},\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":1,\"c\":2,\"d\":3,\"e\":4,\"f\":5,"
    "\"g\":6,"
    "\"h\":7,\"i\":8,\"j\":9,\"k\":10,\"l\":11,\"m\":12,\"n\":13,\"o\":14,\"p\":15,\"q\":16,\"r\":"
    "17,"
    "\"s\":18,\"t\":19,\"u\":20,\"v\":21,\"w\":22,\"x\":23,\"y\":24,\"z\":25,\"\xC4\xA0\":26,"
    "\"th\":27,"
    "\"the\":28,\"\xC4\xA0the\":29,\"<|end|>\":95},\"merges\":[\"t h\",\"th e\",\"\xC4\xA0 "
    "the\"]}}";

static inline void write_file(const char *folder, const char *name, const char *text) {
    char path[CHECKPOINT_PATH + 64];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fputs(text, file) >= 0, 1);
    assert_int_equal(fclose(file), 0);
}

/* Group setup: *state is the checkpoint's path. */
static inline int small_model_make(void **state) {
    static char path[CHECKPOINT_PATH];
    CHECKPOINT("small", "--shape", "tiny", "--seed", "11");
    checkpoint_path(path, "small");
    write_file(path, "tokenizer.json", small_tokenizer);
    write_file(path, "tokenizer_config.json",
               "{\"bos_token\":\"<|end|>\",\"eos_token\":\"<|end|>\"}");
    *state = path;
    return 0;
}

typedef struct small_model {
    nt_model *model;
    nt_session *session;
} small_model;

/* The mode in which small_open opens: a program may run its tests in one after the other. */
static nt_precision small_precision;

static inline small_model small_open(const char *path) {
    small_model m = {0};
    nt_model_options options = NT_MODEL_OPTIONS_INIT;
    options.precision = small_precision;
    if (nt_model_open(&m.model, path, &options) != NT_OK) fail_msg("%s", nt_error_message());
    if (nt_session_new(&m.session, m.model, NULL) != NT_OK) fail_msg("%s", nt_error_message());
    return m;
}

static inline void small_close(small_model *m) {
    nt_session_free(m->session);
    nt_model_free(m->model);
}

#define assert_ok(call)                                                                            \
    do {                                                                                           \
        if ((call) != NT_OK) fail_msg("%s: %s", #call, nt_error_message());                        \
    } while (0)

/* The status, and a word of the message. */
#define assert_fails(call, status, word)                                                           \
    do {                                                                                           \
        assert_int_equal((call), (status));                                                        \
        if (!strstr(nt_error_message(), (word)))                                                   \
            fail_msg("%s: no \"%s\" in \"%s\"", #call, (word), nt_error_message());                \
    } while (0)

#endif
