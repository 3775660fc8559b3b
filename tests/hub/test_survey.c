/* What is to be fetched of a model, from what the cache holds of it: in transformers' order, and
 * never a name that leads out of the commit's folder, whatever an index says. And words that are
 * addresses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <ftw.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "base/status.h"
#include "folder.h"
#include "hub/snapshot.h"

#define COMMIT "0123456789abcdef0123456789abcdef01234567"
#define INDEX "model.safetensors.index.json"
#define GPT2 "{\"model_type\":\"gpt2\"}"

static char top[512], folder[600];
static nt_hub_place place;
static nt_hub_repo repo;

static int remove_any(const char *path, const struct stat *info, int kind, struct FTW *at) {
    (void)info, (void)kind, (void)at;
    return remove(path);
}

static int start(void **state) {
    (void)state;
    snprintf(top, sizeof top, "%s", folder_new());
    snprintf(folder, sizeof folder, "%s/models--a--b", top);
    place.cache = top;
    repo = (nt_hub_repo){&place, folder, folder};
    return 0;
}

static int stop(void **state) {
    (void)state;
    return nftw(top, remove_any, 16, FTW_DEPTH | FTW_PHYS);
}

/* An empty commit. */
static void begin(void) {
    nftw(folder, remove_any, 16, FTW_DEPTH | FTW_PHYS);
    char path[800];
    snprintf(path, sizeof path, "%s/snapshots/" COMMIT "/x", folder);
    assert_int_equal(nt_hub_make_room(path), NT_OK);
}

static void has(const char *file, const char *text) {
    char path[1200];
    snprintf(path, sizeof path, "models--a--b/snapshots/" COMMIT "/%s", file);
    folder_put_text(top, path, text);
}

static void lacks(const char *file) {
    assert_int_equal(nt_hub_set_lacks(&repo, COMMIT, file), NT_OK);
}

static char asked[4096];

static int missing(void *payload, const char *file, bool required) {
    (void)payload;
    assert_true(nt_hub_is_file_name(file));
    strcat(strcat(asked, required ? "!" : " "), file);
    return NT_OK;
}

static int survey(bool *usable, nt_hub_part part) {
    static const char *const files[] = {"x.gguf", "y.gguf"};
    nt_hub_want want = {part, files, 2};
    asked[0] = 0;
    return nt_hub_survey(usable, &repo, COMMIT, &want, missing, NULL);
}

static void expect(nt_hub_part part, bool usable, const char *wanted) {
    bool found;
    if (survey(&found, part) != NT_OK) fail_msg("%s", nt_error_message());
    assert_string_equal(asked, wanted);
    assert_int_equal(found, usable);
}

static void expect_failure(int status, const char *phrase) {
    bool usable = true;
    int found = survey(&usable, NT_HUB_MODEL);
    if (found != status || !strstr(nt_error_message(), phrase) || usable)
        fail_msg("%s: %s", nt_status_name(found), nt_error_message());
    assert_null(strchr(nt_error_message(), '\n'));
}

static void what_is_asked_for(void **state) {
    (void)state;
    begin();
    expect(NT_HUB_MODEL, false,
           "!config.json tokenizer.json tokenizer_config.json special_tokens_map.json "
           "added_tokens.json generation_config.json"); /* weights wait for config.json */
    expect(NT_HUB_FILES, false, "!x.gguf!y.gguf");
    static const char *const beside[] = {"tokenizer_config.json", "special_tokens_map.json",
                                         "added_tokens.json", "generation_config.json"};
    for (size_t i = 0; i < 4; i++)
        lacks(beside[i]);
    has("config.json", GPT2);
    expect(NT_HUB_TOKENIZER, false, " tokenizer.json");
    lacks("tokenizer.json");
    expect(NT_HUB_TOKENIZER, false, " vocab.json merges.txt");
    has("vocab.json", "{}");
    has("merges.txt", "");
    expect(NT_HUB_TOKENIZER, true, "");
    expect(NT_HUB_MODEL, false, " model.safetensors");
    lacks("model.safetensors");
    expect(NT_HUB_MODEL, false, " " INDEX);
    has(INDEX, "{\"weight_map\":{\"a\":\"1.safetensors\",\"b\":\"2.safetensors\",\"c\":"
               "\"1.safetensors\"}}");
    expect(NT_HUB_MODEL, false, "!1.safetensors!2.safetensors");
    has("1.safetensors", "");
    lacks("2.safetensors");
    expect(NT_HUB_MODEL, false, ""); /* the commit lacks it: there is nothing to ask for */
    has("x.gguf", "");
    expect(NT_HUB_FILES, false, "!y.gguf");
    has("y.gguf", "");
    expect(NT_HUB_FILES, true, "");
}

static void no_weights(void **state) {
    (void)state;
    static const char *const files[] = {"model.safetensors", INDEX, "pytorch_model.bin",
                                        "pytorch_model.bin.index.json"};
    begin();
    has("config.json", GPT2);
    has("tokenizer.json", "{}");
    for (size_t i = 0; i < 4; i++)
        lacks(files[i]);
    expect_failure(NT_E_NOT_FOUND, "a/b holds neither safetensors nor pytorch_model.bin");
    has("config.json", "{\"model_type\":\"bert\"}");
    expect_failure(NT_E_UNSUPPORTED, "\"bert\" is not supported");
    has("config.json", "{\"model_type\":");
    expect_failure(NT_E_NOT_FOUND, "holds neither"); /* told when it is opened */
}

static void names_in_an_index(void **state) {
    (void)state;
    static const char *const names[] = {"../x",    "/x",   "a/../../x",  "a/b",     "..", ".", "",
                                        "..\\\\x", "x\\n", "\\u001b[2J", "x\\u007f"};
    begin();
    has("config.json", GPT2);
    has("tokenizer.json", "{}");
    lacks("model.safetensors");
    char text[512];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(text, sizeof text, "{\"weight_map\":{\"t\":\"%s\"}}", names[i]);
        has(INDEX, text);
        expect_failure(NT_E_FORMAT, "which is no plain file name");
        if (strstr(asked, "..")) fail_msg("%s was asked for", asked);
    }
    static const char *const wrong[] = {
        "{\"weight_map\":{\"t\":3}}", "{\"weight_map\":[]}",          "{}", "[]",
        "{\"weight_map\":",           "{\"weight_map\":{\"t\":null}}"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        has(INDEX, wrong[i]);
        expect_failure(NT_E_FORMAT, "");
    }
}

/* The best of several kinds, each of which is enough; and memory may end at any of them. */
static void kinds_of_weights(void **state) {
    (void)state;
    static const struct {
        const char *file, *text, *asked;
    } kinds[] = {{"model.safetensors", "", ""},
                 {INDEX, "{\"weight_map\":{\"a\":\"1.safetensors\"}}", "!1.safetensors"},
                 {"pytorch_model.bin", "", ""},
                 {"pytorch_model.bin.index.json", "{\"weight_map\":{\"a\":\"1.bin\"}}", "!1.bin"}};
    for (size_t i = 0; i < 4; i++) {
        begin();
        has("config.json", GPT2);
        has("tokenizer.json", "{}");
        static const char *const beside[] = {"tokenizer_config.json", "special_tokens_map.json",
                                             "added_tokens.json", "generation_config.json"};
        for (size_t k = 0; k < 4; k++)
            lacks(beside[k]);
        for (size_t k = 0; k < i; k++)
            lacks(kinds[k].file);
        has(kinds[i].file, kinds[i].text);
        expect(NT_HUB_MODEL, !*kinds[i].asked, kinds[i].asked);
        size_t k = 0;
        for (int status = NT_E_MEMORY; status == NT_E_MEMORY;) {
            bool usable = true;
            nt_memory_fail_at(++k);
            status = survey(&usable, NT_HUB_MODEL);
            nt_memory_fail_at(0);
            assert_true(status == NT_E_MEMORY || status == NT_OK);
            assert_true(status == NT_OK || !usable);
        }
        assert_in_range(k, 8, 1000);
    }
}

static size_t n_asked;

static int count(void *payload, const char *file, bool required) {
    (void)payload, (void)file, (void)required;
    n_asked++;
    return NT_OK;
}

/* Each name of an index is a request: there is an end to them. */
static void an_index_without_end(void **state) {
    (void)state;
    enum { N = 200000 };
    begin();
    has("config.json", GPT2);
    has("tokenizer.json", "{}");
    lacks("model.safetensors");
    char *text = malloc(N * 32);
    assert_non_null(text);
    size_t n = (size_t)sprintf(text, "{\"weight_map\":{");
    for (int i = 0; i < N; i++)
        n += (size_t)sprintf(text + n, "%s\"t%d\":\"%d\"", i ? "," : "", i, i);
    sprintf(text + n, "}}");
    has(INDEX, text);
    free(text);
    nt_hub_want want = {.part = NT_HUB_MODEL};
    bool usable = true;
    n_asked = 0;
    assert_int_equal(nt_hub_survey(&usable, &repo, COMMIT, &want, count, NULL), NT_E_FORMAT);
    assert_non_null(strstr(nt_error_message(), "no model has so many"));
    assert_false(usable);
    assert_true(n_asked < N / 2);
}

static size_t fail_in;

static int fail_at_last(void *payload, const char *file, bool required) {
    (void)payload, (void)file, (void)required;
    return --fail_in ? NT_OK : nt_fail(NT_E_NETWORK, "no line");
}

/* Asking may fail at every file: then that is what comes back, and nothing more is asked for. */
static void expect_failing_calls(nt_hub_part part, size_t calls) {
    static const char *const files[] = {"x.gguf", "y.gguf"};
    nt_hub_want want = {part, files, 2};
    for (size_t k = 1; k <= calls + 1; k++) {
        bool usable = true;
        fail_in = k;
        int status = nt_hub_survey(&usable, &repo, COMMIT, &want, fail_at_last, NULL);
        if (status != (k <= calls ? NT_E_NETWORK : NT_OK))
            fail_msg("part %d, call %zu: %s", (int)part, k, nt_status_name(status));
        assert_false(usable);
    }
}

static void asking_fails(void **state) {
    (void)state;
    begin();
    lacks("tokenizer.json");
    lacks("model.safetensors");
    expect_failing_calls(NT_HUB_MODEL, 7);
    expect_failing_calls(NT_HUB_TOKENIZER, 6);
    expect_failing_calls(NT_HUB_FILES, 2);
    has("config.json", GPT2);
    expect_failing_calls(NT_HUB_MODEL, 7); /* the index in place of it */
}

static void addresses(void **state) {
    (void)state;
    static const struct {
        const char *word, *phrase;
    } table[] = {
        {"https://huggingface.co/gpt2", "the model's name is gpt2"},
        {"https://huggingface.co/a/b/tree/main", "the model's name is a/b"},
        {"http://huggingface.co/a/b?x=y", "the model's name is a/b"},
        {"hf.co/a/b#x", "the model's name is a/b"},
        {"hf://a/", "the model's name is a"},
        {"https://", "is an address, and no model's name"},
        {"https://example.org:80/x", "is an address, and no model's name"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        nt_hub_name name;
        assert_int_equal(nt_hub_name_read(&name, table[i].word), NT_E_ARGUMENT);
        if (!strstr(nt_error_message(), table[i].phrase)) fail_msg("%s", nt_error_message());
        assert_int_equal(nt_hub_check_path(table[i].word), NT_E_ARGUMENT);
    }
    assert_int_equal(nt_hub_check_path("no-such-org/no-such-model"), NT_OK);
    assert_int_equal(nt_hub_check_path("no-such-folder/a/b"), NT_OK);
    assert_int_equal(nt_hub_check_path("no-such-org/model/file.gguf"), NT_E_NOT_FOUND);
    assert_non_null(strstr(nt_error_message(), "nextoken pull no-such-org/model"));
    assert_int_equal(nt_hub_check_path("-x/y/file.gguf"), NT_OK);
    assert_int_equal(nt_hub_check_path("/"), NT_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_asked_for), cmocka_unit_test(no_weights),
        cmocka_unit_test(names_in_an_index), cmocka_unit_test(an_index_without_end),
        cmocka_unit_test(asking_fails),      cmocka_unit_test(addresses),
        cmocka_unit_test(kinds_of_weights),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
