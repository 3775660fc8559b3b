/* From paths to tensors: single files, shards with their index, and folders that lack both. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/stat.h>

#include "folder.h"
#include "format/tensors.h"

#define INDEX "model.safetensors.index.json"
#define ONE "model-00001-of-00002.safetensors"
#define TWO "model-00002-of-00002.safetensors"

/* A file with F32 tensors of two numbers, value and value + 1, one for each name of a list that
 * ends with NULL. */
static void put_shard(const char *folder, const char *file, const char *const *names, float value) {
    char header[2048] = "{";
    float data[64];
    size_t n = 0;
    for (; names[n]; n++) {
        sprintf(header + strlen(header),
                "%s\"%s\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[%zu,%zu]}",
                n ? "," : "", names[n], 8 * n, 8 * n + 8);
        data[2 * n] = value + 2 * (float)n;
        data[2 * n + 1] = data[2 * n] + 1;
    }
    strcat(header, "}");
    unsigned char bytes[4096] = {0};
    size_t n_header = strlen(header);
    bytes[0] = (unsigned char)(n_header & 0xFF);
    bytes[1] = (unsigned char)(n_header >> 8);
    memcpy(bytes + 8, header, n_header);
    memcpy(bytes + 8 + n_header, data, 8 * n);
    folder_put(folder, file, bytes, 8 + n_header + 8 * n);
}

#define NAMES(...)                                                                                 \
    (const char *const[]) {                                                                        \
        __VA_ARGS__, NULL                                                                          \
    }

static void expect_values(const nt_tensors *tensors, const char *name, float first) {
    const nt_tensor *tensor;
    int64_t shape[] = {2};
    if (nt_tensors_get(&tensor, tensors, name, 1, shape) != NT_OK)
        fail_msg("%s", nt_error_message());
    assert_true(nt_dtype_load(tensor->data, tensor->dtype, 0) == first);
    assert_true(nt_dtype_load(tensor->data, tensor->dtype, 1) == first + 1);
}

static void expect_failure(const char *path, int status, const char *phrase) {
    nt_tensors *tensors = (nt_tensors *)&status;
    int found = nt_tensors_open(&tensors, path);
    if (found != status || !strstr(nt_error_message(), phrase))
        fail_msg("%s instead of \"%s\": %s", nt_status_name(found), phrase, nt_error_message());
    assert_null(tensors);
    assert_null(strchr(nt_error_message(), '\n'));
}

static void one_file_by_path_or_folder(void **state) {
    (void)state;
    const char *folder = folder_new();
    nt_tensors *tensors;
    put_shard(folder, "model.safetensors", NAMES("a", "b"), 1);
    assert_int_equal(nt_tensors_open(&tensors, folder), NT_OK);
    expect_values(tensors, "b", 3);
    nt_tensors_free(tensors);
    assert_int_equal(nt_tensors_open(&tensors, folder_path(folder, "model.safetensors")), NT_OK);
    expect_values(tensors, "a", 1);
    nt_tensors_free(tensors);
    char slashed[600];
    snprintf(slashed, sizeof slashed, "%s/", folder);
    assert_int_equal(nt_tensors_open(&tensors, slashed), NT_OK);
    nt_tensors_free(tensors);
    folder_remove(folder);
}

static void shards_with_an_index(void **state) {
    (void)state;
    const char *folder = folder_new();
    nt_tensors *tensors;
    put_shard(folder, ONE, NAMES("b", "d"), 10);
    put_shard(folder, TWO, NAMES("a", "c", "unlisted"), 20);
    folder_put_text(folder, INDEX,
                    "{\"metadata\":{\"total_size\":32},\"weight_map\":{\"a\":\"" TWO "\","
                    "\"b\":\"" ONE "\",\"c\":\"" TWO "\",\"d\":\"" ONE "\"}}");
    for (int by_path = 0; by_path < 2; by_path++) {
        const char *path = by_path ? folder_path(folder, INDEX) : folder;
        if (nt_tensors_open(&tensors, path) != NT_OK) fail_msg("%s", nt_error_message());
        assert_int_equal(nt_tensors_count(tensors), 5);
        expect_values(tensors, "a", 20);
        expect_values(tensors, "b", 10);
        expect_values(tensors, "c", 22);
        expect_values(tensors, "d", 12);
        expect_values(tensors, "unlisted", 24); /* transformers takes it too */
        assert_non_null(strstr(nt_tensors_find(tensors, "b")->file, ONE));
        nt_tensors_free(tensors);
    }
    /* A whole file goes before an index, as in transformers. */
    put_shard(folder, "model.safetensors", NAMES("a"), 99);
    assert_int_equal(nt_tensors_open(&tensors, folder), NT_OK);
    assert_int_equal(nt_tensors_count(tensors), 1);
    expect_values(tensors, "a", 99);
    nt_tensors_free(tensors);
    folder_remove(folder);
}

static void broken_indexes(void **state) {
    (void)state;
    static const struct {
        const char *index, *phrase;
        int status;
    } table[] = {
        {"", "not valid JSON", NT_E_FORMAT},
        {"[]", "holds an array", NT_E_FORMAT},
        {"{}", "weight_map must be an object and is nothing", NT_E_FORMAT},
        {"{\"weight_map\":[]}", "weight_map must be an object and is an array", NT_E_FORMAT},
        {"{\"weight_map\":{}}", "names no tensor", NT_E_FORMAT},
        {"{\"weight_map\":{\"a\":1}}", "\"a\" must be a string and is an integer", NT_E_FORMAT},
        {"{\"weight_map\":{\"a\":\"\"}}", "no plain file name", NT_E_FORMAT},
        {"{\"weight_map\":{\"a\":\"..\"}}", "no plain file name", NT_E_FORMAT},
        {"{\"weight_map\":{\"a\":\"/etc/passwd\"}}", "\"/etc/passwd\", which is no plain file name",
         NT_E_FORMAT},
        {"{\"weight_map\":{\"a\":\"../" ONE "\"}}", "no plain file name", NT_E_FORMAT},
        {"{\"weight_map\":{\"a\":\"x/../" ONE "\"}}", "no plain file name", NT_E_FORMAT},
        {"{\"weight_map\":{\"a\":\"" ONE "\",\"a\":\"" ONE "\"}}", "duplicate", NT_E_FORMAT},
        {"{\"weight_map\":{\"a\":\"" ONE "\",\"b\":\"gone.safetensors\"}}",
         "names the shard gone.safetensors, which is not in", NT_E_NOT_FOUND},
        {"{\"weight_map\":{\"a\":\"" ONE "\",\"zz\":\"" ONE "\"}}",
         "tensor zz is not in its shard " ONE, NT_E_FORMAT},
        {"{\"weight_map\":{\"a\":\"" TWO "\",\"b\":\"" ONE "\"}}",
         "tensor a: expected in " TWO ", found in " ONE, NT_E_FORMAT},
        {"{\"weight_map\":{\"a\":\"" ONE "\",\"x\":\"same.safetensors\"}}", "tensor a stands twice",
         NT_E_FORMAT},
        {"{\"weight_map\":{\"a\":\"" ONE "\",\"x\":\"text.safetensors\"}}",
         "text.safetensors is a text", NT_E_FORMAT},
    };
    const char *folder = folder_new();
    put_shard(folder, ONE, NAMES("a", "b"), 1);
    put_shard(folder, TWO, NAMES("c"), 5);
    put_shard(folder, "same.safetensors", NAMES("a"), 7);
    folder_put_text(folder, "text.safetensors", "this is a text and no more");
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        folder_put_text(folder, INDEX, table[i].index);
        expect_failure(folder, table[i].status, table[i].phrase);
    }
    folder_remove(folder);
}

/* A shard with one byte of type U8 for each of the one-letter names. */
static void put_odd_shard(const char *folder, const char *file, const char *names) {
    char header[512] = "{", bytes[600];
    size_t n = strlen(names);
    for (size_t i = 0; i < n; i++) {
        size_t at = strlen(header);
        snprintf(header + at, sizeof header - at,
                 "%s\"%c\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[%zu,%zu]}",
                 i ? "," : "", names[i], i, i + 1);
    }
    strcat(header, "}");
    uint64_t length = strlen(header);
    for (size_t i = 0; i < 8; i++)
        bytes[i] = (char)(length >> 8 * i);
    memcpy(bytes + 8, header, length);
    memset(bytes + 8 + length, 'x', n);
    folder_put(folder, file, bytes, 8 + length + n);
}

/* The same name in two shards, once or both times of a type that is not computed with. */
static void a_name_twice_in_two_types(void **state) {
    (void)state;
    static const struct {
        const char *usable, *odd, *other_odd, *phrase;
    } table[] = {
        {"a", "a", "z", "tensor a stands twice"},   {"c", "abc", "z", "tensor c stands twice"},
        {"a", "bac", "z", "tensor a stands twice"}, {"a", "bc", "bd", "tensor b stands twice"},
        {"a", "bc", "dc", "tensor c stands twice"}, {"d", "ab", "db", "tensor b stands twice"},
    };
    const char *folder = folder_new();
    folder_put_text(folder, INDEX,
                    "{\"weight_map\":{\"x\":\"" ONE "\",\"y\":\"" TWO
                    "\",\"w\":\"three.safetensors\"}}");
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        put_shard(folder, ONE, NAMES(table[i].usable), 1);
        put_odd_shard(folder, TWO, table[i].odd);
        put_odd_shard(folder, "three.safetensors", table[i].other_odd);
        expect_failure(folder, NT_E_FORMAT, table[i].phrase);
    }
    folder_remove(folder);
}

/* Neighbours in the sorted set that only look alike across its border are no duplicates. */
static void odd_types_beside_usable_ones(void **state) {
    (void)state;
    const char *folder = folder_new();
    folder_put_text(folder, INDEX, "{\"weight_map\":{\"b\":\"" ONE "\",\"a\":\"" TWO "\"}}");
    put_shard(folder, ONE, NAMES("b", "d"), 1);
    put_odd_shard(folder, TWO, "ace");
    nt_tensors *tensors;
    assert_int_equal(nt_tensors_open(&tensors, folder), NT_OK);
    assert_int_equal(nt_tensors_count(tensors), 2);
    for (const char *name = "abcde"; *name; name++)
        assert_true(nt_tensors_has(tensors, (char[]){*name, 0}));
    assert_false(nt_tensors_has(tensors, "f"));
    assert_null(nt_tensors_find(tensors, "a"));
    assert_null(nt_tensors_name(tensors, 5));
    nt_tensors_free(tensors);
    folder_remove(folder);
}

static void folders_without_safetensors(void **state) {
    (void)state;
    static const struct {
        const char *file, *phrase;
        int status;
    } table[] = {
        {"tf_model.h5", "it has tf_model.h5: weights of TensorFlow: in Python with transformers 4",
         NT_E_UNSUPPORTED},
        {"tf_model.h5.index.json", "from_tf=True).save_pretrained(FOLDER)", NT_E_UNSUPPORTED},
        {"flax_model.msgpack", "from_flax=True).save_pretrained(FOLDER)", NT_E_UNSUPPORTED},
        {"rust_model.ot", "weights of rust-bert: use the checkpoint", NT_E_UNSUPPORTED},
        {"model.onnx", "a graph of ONNX: use the checkpoint", NT_E_UNSUPPORTED},
        {"adapter_model.safetensors", "an adapter, not a model", NT_E_UNSUPPORTED},
        {"adapter_model.bin", "merge_and_unload()", NT_E_UNSUPPORTED},
        {"pytorch_model.fp16.bin.index.json", "give the path of that index", NT_E_NOT_FOUND},
        {"pytorch_model-00001-of-00002.bin", "fetch pytorch_model.bin.index.json too",
         NT_E_NOT_FOUND},
        {"epoch=3.ckpt", "give the path of that file", NT_E_NOT_FOUND},
        {"gpt2.Q4_0.gguf", "it has gpt2.Q4_0.gguf: give the path", NT_E_NOT_FOUND},
        {"model.ckpt.index", "it has model.ckpt.index", NT_E_UNSUPPORTED},
        {"gpt2.safetensors", "it has gpt2.safetensors: give the path", NT_E_NOT_FOUND},
        {ONE, "fetch model.safetensors.index.json", NT_E_NOT_FOUND},
        {"model.fp16.safetensors.index.json", "give the path of that index", NT_E_NOT_FOUND},
        {"config.json", "nor an index.json of either", NT_E_NOT_FOUND},
    };
    const char *folder = folder_new();
    expect_failure(folder, NT_E_NOT_FOUND, "A model is a folder with one of these");
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        folder_put_text(folder, table[i].file, "x");
        expect_failure(folder, table[i].status, table[i].phrase);
        assert_int_equal(remove(folder_path(folder, table[i].file)), 0);
    }
    /* Of several, the telling one, whatever order the file system has. */
    folder_put_text(folder, "training_args.bin", "x");
    folder_put_text(folder, "tf_model.h5", "x");
    folder_put_text(folder, "a.pt", "x");
    expect_failure(folder, NT_E_UNSUPPORTED, "it has tf_model.h5:");
    folder_remove(folder);
}

static void paths_that_are_no_files(void **state) {
    (void)state;
    const char *folder = folder_new();
    expect_failure(folder_path(folder, "absent"), NT_E_NOT_FOUND, "absent: No such file");
    expect_failure(folder_path(folder, "absent.json"), NT_E_NOT_FOUND, "absent.json");
    expect_failure("", NT_E_NOT_FOUND, "No such file");
    assert_int_equal(mkfifo(folder_path(folder, "pipe"), 0600), 0);
    expect_failure(folder_path(folder, "pipe"), NT_E_IO, "a device or pipe");
    assert_int_equal(mkfifo(folder_path(folder, "model.safetensors"), 0600), 0);
    expect_failure(folder, NT_E_IO, "a device or pipe");
    assert_int_equal(remove(folder_path(folder, "model.safetensors")), 0);
    assert_int_equal(mkdir(folder_path(folder, "model.safetensors"), 0700), 0);
    expect_failure(folder, NT_E_IO, "it is a folder, not a file");
    folder_remove(folder);
}

static void every_failing_allocation(void **state) {
    (void)state;
    const char *folder = folder_new();
    put_shard(folder, ONE, NAMES("b", "d"), 10);
    put_shard(folder, TWO, NAMES("a", "c"), 20);
    folder_put_text(folder, INDEX, "{\"weight_map\":{\"a\":\"" TWO "\",\"b\":\"" ONE "\"}}");
    nt_tensors *tensors;
    int status = NT_E_MEMORY;
    size_t k = 0;
    while (status == NT_E_MEMORY) {
        nt_memory_fail_at(++k);
        status = nt_tensors_open(&tensors, folder);
        nt_memory_fail_at(0);
        if (status == NT_E_MEMORY) assert_null(tensors);
    }
    assert_int_equal(status, NT_OK);
    assert_true(k > 8);
    nt_tensors_free(tensors);
    assert_int_equal(remove(folder_path(folder, INDEX)), 0);
    status = NT_E_MEMORY;
    for (k = 1; status == NT_E_MEMORY; k++) {
        nt_memory_fail_once(k);
        status = nt_tensors_open(&tensors, folder);
        nt_memory_fail_at(0);
        assert_null(tensors);
    }
    assert_int_equal(status, NT_E_NOT_FOUND);
    assert_true(k > 4);
    folder_remove(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_file_by_path_or_folder),
        cmocka_unit_test(shards_with_an_index),
        cmocka_unit_test(broken_indexes),
        cmocka_unit_test(a_name_twice_in_two_types),
        cmocka_unit_test(odd_types_beside_usable_ones),
        cmocka_unit_test(folders_without_safetensors),
        cmocka_unit_test(paths_that_are_no_files),
        cmocka_unit_test(every_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
