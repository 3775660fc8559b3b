/* Files: mapped, read under a ceiling, replaced whole or not at all; and JSON files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/json.h"
#include "folder.h"
#include "forbid.h"

static void mapping(void **state) {
    (void)state;
    const char *folder = folder_new();
    nt_map map;
    folder_put(folder, "a", "bytes\0more", 10);
    assert_int_equal(nt_map_open(&map, folder_path(folder, "a")), NT_OK);
    assert_int_equal(map.n, 10);
    assert_memory_equal(map.data, "bytes\0more", 10);
    nt_map_close(&map);
    assert_null(map.data);
    nt_map_close(&map);
    folder_put(folder, "empty", "", 0);
    assert_int_equal(nt_map_open(&map, folder_path(folder, "empty")), NT_OK);
    assert_null(map.data);
    assert_int_equal(map.n, 0);
    nt_map_close(&map);
    assert_int_equal(nt_map_open(&map, folder_path(folder, "absent")), NT_E_NOT_FOUND);
    assert_int_equal(nt_map_open(&map, folder_path(folder, "a/b")), NT_E_NOT_FOUND);
    assert_int_equal(nt_map_open(&map, folder), NT_E_IO);
    assert_non_null(strstr(nt_error_message(), "it is a folder, not a file"));
    folder_remove(folder);
}

static void reading(void **state) {
    (void)state;
    const char *folder = folder_new(), *path = folder_path(folder, "a");
    char *bytes;
    size_t n;
    folder_put_text(folder, "a", "0123456789");
    assert_int_equal(nt_file_read(&bytes, &n, path, 10), NT_OK);
    assert_int_equal(n, 10);
    assert_string_equal(bytes, "0123456789");
    nt_free(bytes);
    assert_int_equal(nt_file_read(&bytes, &n, path, 9), NT_E_FORMAT);
    assert_null(bytes);
    assert_int_equal(n, 0);
    assert_non_null(strstr(nt_error_message(), "has 10 bytes; at most 9 are read"));
    nt_memory_fail_at(1);
    assert_int_equal(nt_file_read(&bytes, &n, path, 10), NT_E_MEMORY);
    nt_memory_fail_at(0);
    assert_int_equal(nt_file_read(&bytes, &n, folder, 10), NT_E_IO);
    assert_int_equal(mkfifo(folder_path(folder, "pipe"), 0600), 0);
    assert_int_equal(nt_file_read(&bytes, &n, folder_path(folder, "pipe"), 10), NT_E_IO);
    assert_non_null(strstr(nt_error_message(), "a device or pipe"));
    char long_path[5000];
    memset(long_path, 'n', sizeof long_path);
    long_path[sizeof long_path - 1] = 0;
    assert_int_equal(nt_file_read(&bytes, &n, long_path, 10), NT_E_IO);
    assert_non_null(strstr(nt_error_message(), "File name too long")); /* not cut off */
    folder_remove(folder);
}

static void kinds_and_paths(void **state) {
    (void)state;
    const char *folder = folder_new();
    folder_put_text(folder, "a", "x");
    assert_int_equal(nt_file_look(folder_path(folder, "a")), NT_FILE_REGULAR);
    assert_int_equal(nt_file_look(folder), NT_FILE_FOLDER);
    assert_int_equal(nt_file_look("/dev/null"), NT_FILE_OTHER);
    assert_int_equal(nt_file_look(folder_path(folder, "b")), NT_FILE_NONE);
    static const char *const joins[][3] = {
        {"a", "b", "a/b"}, {"a/", "b", "a/b"}, {"/", "b", "/b"}, {".", "b", "./b"}};
    for (size_t i = 0; i < 4; i++) {
        char *path = nt_path_join(joins[i][0], joins[i][1]);
        assert_string_equal(path, joins[i][2]);
        nt_free(path);
    }
    static const char *const folders[][2] = {{"a", "."},     {"a/b", "a"}, {"/a", "/"},
                                             {"/a/b", "/a"}, {"./a", "."}, {"a/b/c", "a/b"}};
    for (size_t i = 0; i < 6; i++) {
        char *path = nt_path_folder(folders[i][0]);
        assert_string_equal(path, folders[i][1]);
        nt_free(path);
    }
    nt_memory_fail_at(1);
    assert_null(nt_path_join("a", "b"));
    assert_null(nt_path_folder("a/b"));
    nt_memory_fail_at(0);
    folder_remove(folder);
}

typedef struct filler {
    const char *text;
    int status;
} filler;

static int fill(void *payload, int fd) {
    const filler *it = payload;
    assert_int_equal(write(fd, it->text, strlen(it->text)), strlen(it->text));
    if (it->status == NT_OK) return NT_OK;
    return nt_fail(it->status, "the filler gave up");
}

static void expect_text(const char *path, const char *text) {
    char *bytes;
    size_t n;
    assert_int_equal(nt_file_read(&bytes, &n, path, 1000), NT_OK);
    assert_string_equal(bytes, text);
    nt_free(bytes);
}

static void replacing(void **state) {
    (void)state;
    const char *folder = folder_new(), *path = folder_path(folder, "a");
    filler good = {"new", NT_OK}, better = {"newer", NT_OK}, bad = {"half", NT_E_CANCELLED};
    mode_t mask = umask(027);
    assert_int_equal(nt_file_replace(path, fill, &good), NT_OK);
    umask(mask);
    expect_text(path, "new");
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0640);
    assert_int_equal(nt_file_replace(path, fill, &better), NT_OK);
    expect_text(path, "newer");
    assert_int_equal(nt_file_replace(path, fill, &bad), NT_E_CANCELLED);
    assert_string_equal(nt_error_message(), "the filler gave up");
    expect_text(path, "newer");
    assert_int_equal(folder_count(folder), 1);
    assert_int_equal(nt_file_replace(folder_path(folder, "b"), fill, &bad), NT_E_CANCELLED);
    assert_int_equal(folder_count(folder), 1);
    nt_memory_fail_at(1);
    assert_int_equal(nt_file_replace(path, fill, &good), NT_E_MEMORY);
    nt_memory_fail_at(0);
    expect_text(path, "newer");
    assert_int_equal(nt_file_write(path, "bytes", 5), NT_OK);
    expect_text(path, "bytes");
    assert_int_equal(nt_file_write(path, NULL, 0), NT_OK);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_size, 0);
    assert_int_equal(folder_count(folder), 1);
    assert_int_equal(nt_file_write(folder_path(folder, "no/a"), "x", 1), NT_E_NOT_FOUND);
    assert_int_equal(nt_file_replace(folder_path(folder, "no/a"), fill, &good), NT_E_NOT_FOUND);
    assert_int_equal(nt_file_replace(folder, fill, &good), NT_E_IO);
    assert_non_null(strstr(nt_error_message(), "it is a folder"));
    folder_remove(folder);
}

/* A pipe or device in the file's place is left as it is; a stray temporary file is no hindrance; a
 * link stays one. */
static void replacing_at_odd_places(void **state) {
    (void)state;
    const char *folder = folder_new(), *pipe = folder_path(folder, "pipe");
    filler good = {"new", NT_OK};
    assert_int_equal(mkfifo(pipe, 0600), 0);
    assert_int_equal(nt_file_replace(pipe, fill, &good), NT_E_IO);
    assert_int_equal(nt_file_look(pipe), NT_FILE_OTHER);
    char stray[64];
    snprintf(stray, sizeof stray, "a.%ld-0.tmp", (long)getpid());
    folder_put_text(folder, stray, "stray");
    assert_int_equal(nt_file_replace(folder_path(folder, "a"), fill, &good), NT_OK);
    expect_text(folder_path(folder, "a"), "new");
    expect_text(folder_path(folder, stray), "stray");
    const char *link = folder_path(folder, "link");
    struct stat info;
    assert_int_equal(symlink("a", link), 0);
    filler newer = {"newer", NT_OK};
    assert_int_equal(nt_file_replace(link, fill, &newer), NT_OK);
    expect_text(folder_path(folder, "a"), "newer");
    assert_true(lstat(link, &info) == 0 && S_ISLNK(info.st_mode));
    folder_remove(folder);
}

static bool holds(const char *path, const char *text) {
    char *bytes;
    size_t n;
    bool same = nt_file_read(&bytes, &n, path, 1000) == NT_OK && strcmp(bytes, text) == 0;
    nt_free(bytes);
    return same;
}

/* Where the system has no nameless files: a .tmp file beside, gone whatever happens. */
static int replace_by_names(const char *folder) {
    const char *path = folder_path(folder, "a"), *second = folder_path(folder, "b");
    filler good = {"new", NT_OK}, better = {"newer", NT_OK}, bad = {"half", NT_E_CANCELLED};
    if (!forbid(SYS_openat, 2, O_TMPFILE)) return NO_FILTER;
    if (open(folder, O_WRONLY | O_TMPFILE, 0600) >= 0) return 6;
    if (nt_file_replace(path, fill, &good) != NT_OK || !holds(path, "new")) return 1;
    if (nt_file_replace(path, fill, &better) != NT_OK || !holds(path, "newer")) return 2;
    if (nt_file_replace(path, fill, &bad) != NT_E_CANCELLED || !holds(path, "newer")) return 3;
    if (nt_file_replace(second, fill, &bad) != NT_E_CANCELLED) return 4;
    return folder_count(folder) == 1 ? 0 : 5;
}

static void replacing_without_nameless_files(void **state) {
    (void)state;
    const char *folder = folder_new();
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) _exit(replace_by_names(folder));
    int how;
    assert_int_equal(waitpid(child, &how, 0), child);
    folder_remove(folder);
    assert_true(WIFEXITED(how));
    if (WEXITSTATUS(how) == NO_FILTER) skip();
    assert_int_equal(WEXITSTATUS(how), 0);
}

static void long_and_empty_names(void **state) {
    (void)state;
    const char *folder = folder_new();
    filler good = {"new", NT_OK};
    char name[300];
    memset(name, 'n', sizeof name);
    name[sizeof name - 1] = 0;
    assert_int_equal(nt_file_replace("", fill, &good), NT_E_NOT_FOUND);
    assert_int_equal(nt_file_replace(folder_path(folder, name), fill, &good), NT_E_IO);
    assert_non_null(strstr(nt_error_message(), "File name too long"));
    name[255] = 0;                /* the longest that there is */
    for (int i = 0; i < 2; i++) { /* a new file, and over it */
        assert_int_equal(nt_file_replace(folder_path(folder, name), fill, &good), NT_OK);
        expect_text(folder_path(folder, name), "new");
    }
    assert_int_equal(folder_count(folder), 1);
    folder_remove(folder);
}

static void json_files(void **state) {
    (void)state;
    const char *folder = folder_new(), *path = folder_path(folder, "a.json");
    json_t *json;
    folder_put_text(folder, "a.json", " {\"a\": [1, 2.5, \"x\"]}\n");
    assert_int_equal(nt_json_read(&json, path, 100), NT_OK);
    assert_int_equal(json_array_size(json_object_get(json, "a")), 3);
    json_decref(json);
    static const struct {
        const char *text, *phrase;
    } bad[] = {
        {"", "line 1, column 0"},
        {"{\"a\":\n  tru}", "line 2"},
        {"{\"a\":1,\"a\":2}", "duplicate object key"},
        {"{\"a\":1} x", "end of file expected"},
        {"{\"a\":\"\xff\"}", "unable to decode byte 0xff"},
        {"{\"a\":NaN}", "NaN"},
        {"[1]", "holds an array where an object was expected"},
        {"\"x\"", "holds a string"},
        {"null", "holds null"},
        {"1", "holds an integer"},
        {"1.5", "holds a number"},
        {"true", "holds true"},
        {"false", "holds false"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        folder_put_text(folder, "a.json", bad[i].text);
        assert_int_equal(nt_json_read(&json, path, 100), NT_E_FORMAT);
        assert_null(json);
        const char *message = nt_error_message();
        if (!strstr(message, bad[i].phrase) || !strstr(message, "a.json"))
            fail_msg("\"%s\" is not in: %s", bad[i].phrase, message);
    }
    assert_int_equal(nt_json_read(&json, folder_path(folder, "b"), 100), NT_E_NOT_FOUND);
    assert_string_equal(nt_json_kind(NULL), "nothing");
    folder_remove(folder);
}

static void json_members(void **state) {
    (void)state;
    json_t *json;
    static const char text[] = "{\"i\":5,\"r\":2.5,\"b\":true,\"s\":\"x\",\"n\":null,\"o\":{}}";
    assert_int_equal(nt_json_parse(&json, text, strlen(text), "w"), NT_OK);
    int64_t i = 1;
    double r = 1;
    bool b = false;
    const char *s = "before";
    assert_int_equal(nt_json_int(&i, json, "i", 5, 5, "w"), NT_OK);
    assert_int_equal(i, 5);
    assert_int_equal(nt_json_int(&i, json, "i", 6, 9, "w"), NT_E_FORMAT);
    assert_string_equal(nt_error_message(), "w: \"i\" is 5; it must lie in 6 .. 9");
    assert_int_equal(nt_json_int(&i, json, "i", 0, 4, "w"), NT_E_FORMAT);
    assert_int_equal(nt_json_int(&i, json, "r", 0, 4, "w"), NT_E_FORMAT);
    assert_string_equal(nt_error_message(), "w: \"r\" must be an integer and is a number");
    assert_int_equal(nt_json_int(&i, json, "b", 0, 4, "w"), NT_E_FORMAT);
    assert_int_equal(nt_json_real(&r, json, "r", "w"), NT_OK);
    assert_true(r == 2.5);
    assert_int_equal(nt_json_real(&r, json, "i", "w"), NT_OK); /* an integer is a number */
    assert_true(r == 5);
    assert_int_equal(nt_json_real(&r, json, "s", "w"), NT_E_FORMAT);
    assert_int_equal(nt_json_bool(&b, json, "b", "w"), NT_OK);
    assert_true(b);
    assert_int_equal(nt_json_bool(&b, json, "i", "w"), NT_E_FORMAT);
    assert_int_equal(nt_json_string(&s, json, "s", "w"), NT_OK);
    assert_string_equal(s, "x");
    assert_int_equal(nt_json_string(&s, json, "o", "w"), NT_E_FORMAT);
    assert_string_equal(nt_error_message(), "w: \"o\" must be a string and is an object");
    /* Absent or null: the value stays. */
    static const char *const none[] = {"n", "absent"};
    for (size_t k = 0; k < 2; k++) {
        assert_int_equal(nt_json_int(&i, json, none[k], 0, 0, "w"), NT_OK);
        assert_int_equal(nt_json_real(&r, json, none[k], "w"), NT_OK);
        assert_int_equal(nt_json_bool(&b, json, none[k], "w"), NT_OK);
        assert_int_equal(nt_json_string(&s, json, none[k], "w"), NT_OK);
    }
    assert_true(i == 5 && r == 5 && b);
    assert_string_equal(s, "x");
    json_decref(json);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mapping),
        cmocka_unit_test(reading),
        cmocka_unit_test(kinds_and_paths),
        cmocka_unit_test(replacing),
        cmocka_unit_test(json_files),
        cmocka_unit_test(json_members),
        cmocka_unit_test(replacing_at_odd_places),
        cmocka_unit_test(replacing_without_nameless_files),
        cmocka_unit_test(long_and_empty_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
