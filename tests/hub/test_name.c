/* What may name a model, a revision, a file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sys/stat.h>

#include "folder.h"
#include "hub/cache.h"
#include "hub/name.h"

/* huggingface_hub's own examples of names, and those that its validate_repo_id refuses. */
static void repos(void **state) {
    (void)state;
    static const char *const good[] = {"foo", "foo/bar", "123",        "Foo-BAR_foo.bar123",
                                       "a/b", "_a/_b_",  "a_-b/c.d-e", "gpt2"};
    static const char *const bad[] = {"",         "datasets/foo/bar",
                                      ".repo_id", "foo--bar",
                                      "foo.git",  "a/b.git",
                                      "foo..bar", "-foo",
                                      "foo-",     "foo.",
                                      "a/-b",     "a-/b",
                                      "/a",       "a/",
                                      "a//b",     "a b",
                                      "a\\b",     "caf\xc3\xa9",
                                      "a/b\n",    "a:b"};
    nt_hub_name name;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        if (nt_hub_name_read(&name, good[i]) != NT_OK) fail_msg("%s", nt_error_message());
        assert_string_equal(name.repo, good[i]);
        assert_string_equal(name.revision, "main");
        assert_false(name.revised);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (nt_hub_name_read(&name, bad[i]) != NT_E_ARGUMENT) fail_msg("taken: \"%s\"", bad[i]);
        assert_null(strchr(nt_error_message(), '\n'));
    }
    char longest[NT_HUB_MAX_REPO + 2];
    memset(longest, 'a', sizeof longest);
    longest[NT_HUB_MAX_REPO + 1] = 0;
    assert_int_equal(nt_hub_name_read(&name, longest), NT_E_ARGUMENT);
    longest[NT_HUB_MAX_REPO] = 0;
    assert_int_equal(nt_hub_name_read(&name, longest), NT_OK);
}

static void revisions(void **state) {
    (void)state;
    nt_hub_name name;
    assert_int_equal(nt_hub_name_read(&name, "a/b@refs/pr/1"), NT_OK);
    assert_string_equal(name.repo, "a/b");
    assert_string_equal(name.revision, "refs/pr/1");
    assert_true(name.revised);
    static const char *const bad[] = {"a@",       "a@.",      "a@..",   "a@/x",   "a@x/",  "a@x//y",
                                      "a@x/../y", "a@.x",     "a@x.",   "a@x/.y", "a@b@c", "a@x y",
                                      "a@x\\y",   "a@%2e%2e", "a@x/..", "a@~",    "a@x:y"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (nt_hub_name_read(&name, bad[i]) != NT_E_ARGUMENT) fail_msg("taken: \"%s\"", bad[i]);
}

static void files(void **state) {
    (void)state;
    static const char *const good[] = {"config.json", "sub/x.gguf", "a b",
                                       "..a",         "a..",        "caf\xc3\xa9"};
    static const char *const bad[] = {"",     "/x",  "x/",    "a//b", ".",    "..",    "a/..",
                                      "../a", "./a", "a/./b", "a\\b", "a\nb", "a\x7f", "\xff"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (!nt_hub_is_file_name(good[i])) fail_msg("refused: \"%s\"", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (nt_hub_is_file_name(bad[i])) fail_msg("taken: \"%s\"", bad[i]);
    char longest[NT_HUB_MAX_FILE + 2];
    memset(longest, 'a', sizeof longest);
    longest[NT_HUB_MAX_FILE + 1] = 0;
    assert_false(nt_hub_is_file_name(longest));
}

/* What is there is a path; what is not is one only where it is written as one. */
static void paths(void **state) {
    (void)state;
    const char *folder = folder_new();
    char old[1024];
    assert_non_null(getcwd(old, sizeof old));
    assert_int_equal(chdir(folder), 0);
    static const char *const path[] = {
        "./gpt2",   "/gpt2",  "../gpt2",   "~/gpt2", "gpt2/", "a/b/c", "x.safetensors",
        "a/x.gguf", "x.json", "model.bin", "a\\b",   ".",     "..",    ".x"};
    static const char *const name[] = {"gpt2",  "a/b", "gpt2@main",         "a/b@refs/pr/1",
                                       "a/b.c", "a b", "x.safetensors@main"};
    for (size_t i = 0; i < sizeof path / sizeof *path; i++)
        if (!nt_hub_is_path(path[i])) fail_msg("no path: \"%s\"", path[i]);
    for (size_t i = 0; i < sizeof name / sizeof *name; i++)
        if (nt_hub_is_path(name[i])) fail_msg("a path: \"%s\"", name[i]);
    assert_int_equal(mkdir("gpt2", 0777), 0);
    assert_int_equal(mkdir("a", 0777), 0);
    folder_put_text("a", "b", "");
    assert_true(nt_hub_is_path("gpt2"));
    assert_true(nt_hub_is_path("a/b"));
    assert_false(nt_hub_is_path("a/c"));
    assert_int_equal(remove("a/b"), 0);
    assert_int_equal(chdir(old), 0);
    folder_remove(folder);
}

static void folders(void **state) {
    (void)state;
    char folder[NT_HUB_FOLDER], repo[NT_HUB_MAX_REPO + 1];
    nt_hub_folder_name(folder, "openai-community/gpt2");
    assert_string_equal(folder, "models--openai-community--gpt2");
    assert_true(nt_hub_folder_repo(repo, folder));
    assert_string_equal(repo, "openai-community/gpt2");
    nt_hub_folder_name(folder, "gpt2");
    assert_string_equal(folder, "models--gpt2");
    assert_false(nt_hub_folder_repo(repo, "datasets--a--b"));
    assert_false(nt_hub_folder_repo(repo, "models--"));
    assert_false(nt_hub_folder_repo(repo, ".locks"));
    char longest[300] = "models--";
    memset(longest + 8, 'a', 200);
    assert_false(nt_hub_folder_repo(repo, longest));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(repos), cmocka_unit_test(revisions), cmocka_unit_test(files),
        cmocka_unit_test(paths), cmocka_unit_test(folders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
