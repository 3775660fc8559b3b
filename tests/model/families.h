/* Checkpoints of the families beside GPT-2, from the fixtures that tools/oracle/families.py wrote.
 */
#ifndef TESTS_MODEL_FAMILIES_H
#define TESTS_MODEL_FAMILIES_H

#include "oracle.h"

static const char *const family_fixtures[] = {"gpt_neo", "gpt_neox", "opt", "llama", "qwen2"};
enum { N_FAMILIES = sizeof family_fixtures / sizeof *family_fixtures };

static inline json_t *fixture_named(const char *name) {
    char path[CHECKPOINT_PATH];
    json_error_t error;
    snprintf(path, sizeof path, "%s/tests/model/data/%s.json", NT_SOURCE_DIR, name);
    json_t *fixture = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (!fixture) fail_msg("%s: %s", path, error.text);
    return fixture;
}

/* mkmodel's arguments for a case; a case of another family brings its tensors and config.json. */
static inline size_t arguments_of(const char *list[CHECKPOINT_ARGS], const json_t *one) {
    static char config[CHECKPOINT_PATH], tensors[CHECKPOINT_PATH];
    const json_t *args = member(one, "mkmodel"), *lines = json_object_get(one, "tensors");
    size_t n = json_array_size(args);
    assert_in_range(n, 1, CHECKPOINT_ARGS - 4);
    for (size_t k = 0; k < n; k++)
        list[k] = json_string_value(json_array_get(args, k));
    if (!lines) return n;
    checkpoint_path(config, "config");
    checkpoint_path(tensors, "tensors");
    assert_int_equal(json_dump_file(member(one, "config"), config, 0), 0);
    FILE *file = fopen(tensors, "w");
    assert_non_null(file);
    for (size_t i = 0; i < json_array_size(lines); i++)
        fprintf(file, "%s\n", json_string_value(json_array_get(lines, i)));
    assert_int_equal(fclose(file), 0);
    list[n++] = "--tensors";
    list[n++] = tensors;
    list[n++] = "--config";
    list[n++] = config;
    return n;
}

#endif
