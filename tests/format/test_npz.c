/* .npz files, read back by a small reader of our own; `format_npz --write FOLDER` writes the same
 * files for tests/format/check_npz.py, which reads them with Python's zipfile (and numpy, where
 * there is one). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <zlib.h>

#include "base/file.h"
#include "folder.h"
#include "forbid.h"
#include "format/npz.h"

enum { N_ZEROS = 300000, N_NOISE = 100000 };

static float zeros[N_ZEROS], noise[N_NOISE];
static const float special[6] = {0.0f, -0.0f, 1.5f, -INFINITY, 3.4e38f, 1e-45f};

/* The arrays that every test writes; check_npz.py knows them. */
static const nt_npz_array arrays[] = {
    {"logits", special, 2, {2, 3}}, {"scalar", special + 2, 0, {0}},
    {"row", special, 1, {6}},       {"four", special, 4, {1, 3, 2, 1}},
    {"empty", NULL, 2, {0, 5}},     {"zeros", zeros, 3, {3, 100, 1000}},
    {"noise", noise, 1, {N_NOISE}}, {"\xC3\xA4", special, 1, {3}},
};
enum { N_ARRAYS = sizeof arrays / sizeof *arrays };

/* Their shapes as numpy writes them. */
static const char *const shapes[N_ARRAYS] = {
    "(2, 3)", "()", "(6,)", "(1, 3, 2, 1)", "(0, 5)", "(3, 100, 1000)", "(100000,)", "(3,)"};

static void fill_arrays(void) {
    uint32_t number_now = 1;
    for (int i = 0; i < N_NOISE; i++) {
        number_now = number_now * 1664525 + 1013904223;
        noise[i] = (float)(number_now >> 8) * 0x1p-24f;
    }
}

static uint64_t number(const unsigned char *at, size_t n) {
    uint64_t value = 0;
    while (n-- > 0)
        value = value << 8 | at[n];
    return value;
}

/* The member at `entry` of the central directory, copied and checked; for free. */
static unsigned char *unpack(size_t *n, const unsigned char *file, const unsigned char *entry) {
    assert_int_equal(number(entry, 4), 0x02014b50);
    size_t n_name = number(entry + 28, 2), packed = number(entry + 20, 4);
    size_t at = number(entry + 42, 4);
    *n = number(entry + 24, 4);
    if (*n == UINT32_MAX) { /* zip64 */
        const unsigned char *extra = entry + 46 + n_name;
        assert_int_equal(number(extra, 4), 1 | 24 << 16);
        *n = number(extra + 4, 8);
        packed = number(extra + 12, 8);
        at = number(extra + 20, 8);
    }
    const unsigned char *local = file + at;
    assert_int_equal(number(local, 4), 0x04034b50);
    assert_memory_equal(local + 4, entry + 6, 22); /* versions, method, crc, sizes */
    assert_memory_equal(local + 30, entry + 46, n_name);
    const unsigned char *body = local + 30 + n_name + number(local + 28, 2);
    unsigned char *plain = malloc(*n);
    assert_non_null(plain);
    assert_int_equal(number(entry + 10, 2), 0); /* stored */
    assert_int_equal(packed, *n);
    memcpy(plain, body, *n);
    assert_int_equal(crc32_z(0, plain, *n), number(entry + 16, 4));
    return plain;
}

static void expect_npy(const unsigned char *plain, size_t n, const nt_npz_array *array,
                       const char *shape) {
    char head[200];
    int n_dict = snprintf(head, sizeof head,
                          "{'descr': '<f4', 'fortran_order': False, 'shape': %s, }", shape);
    assert_memory_equal(plain, "\x93NUMPY\x01\x00", 8);
    size_t n_head = 10 + number(plain + 8, 2), n_data = 4;
    assert_int_equal(n_head % 64, 0);
    assert_int_equal(plain[n_head - 1], '\n');
    assert_memory_equal(plain + 10, head, n_dict);
    for (size_t i = 0; i < array->n_dims; i++)
        n_data *= array->shape[i];
    assert_int_equal(n, n_head + n_data);
    if (n_data) assert_memory_equal(plain + n_head, array->data, n_data);
}

static void expect_file(const char *path, bool zip64) {
    nt_map map;
    assert_int_equal(nt_map_open(&map, path), NT_OK);
    const unsigned char *end = map.data + map.n - 22;
    assert_int_equal(number(end, 4), 0x06054b50);
    size_t n = number(end + 10, 2), at = number(end + 16, 4);
    assert_int_equal(n == UINT16_MAX, zip64);
    if (zip64) {
        const unsigned char *locator = end - 20;
        assert_int_equal(number(locator, 4), 0x07064b50);
        const unsigned char *wide = map.data + number(locator + 8, 8);
        assert_int_equal(number(wide, 4), 0x06064b50);
        n = number(wide + 32, 8);
        at = number(wide + 48, 8);
    }
    assert_int_equal(n, N_ARRAYS);
    const unsigned char *entry = map.data + at;
    for (size_t i = 0; i < N_ARRAYS; i++) {
        size_t n_plain, n_name = number(entry + 28, 2), n_own = strlen(arrays[i].name);
        assert_int_equal(n_name, n_own + 4);
        assert_memory_equal(entry + 46, arrays[i].name, n_own);
        assert_memory_equal(entry + 46 + n_own, ".npy", 4);
        unsigned char *plain = unpack(&n_plain, map.data, entry);
        expect_npy(plain, n_plain, &arrays[i], shapes[i]);
        free(plain);
        entry += 46 + n_name + number(entry + 30, 2) + number(entry + 32, 2);
    }
    nt_map_close(&map);
}

static void arrays_come_back(void **state) {
    (void)state;
    const char *folder = folder_new(), *path = folder_path(folder, "a.npz");
    assert_int_equal(nt_npz_write(path, arrays, N_ARRAYS), NT_OK);
    expect_file(path, false);
    assert_int_equal(folder_count(folder), 1);
    folder_remove(folder);
}

static void zip64_comes_back(void **state) {
    (void)state;
    const char *folder = folder_new(), *path = folder_path(folder, "a.npz");
    static const uint64_t from[] = {0, 1000, 300000};
    for (size_t i = 0; i < sizeof from / sizeof *from; i++) {
        assert_int_equal(nt_npz_write_zip64(path, arrays, N_ARRAYS, from[i]), NT_OK);
        expect_file(path, true);
    }
    folder_remove(folder);
}

static void nothing_to_write(void **state) {
    (void)state;
    const char *folder = folder_new(), *path = folder_path(folder, "a.npz");
    assert_int_equal(nt_npz_write(path, NULL, 0), NT_OK);
    nt_map map;
    assert_int_equal(nt_map_open(&map, path), NT_OK);
    assert_int_equal(map.n, 22);
    assert_int_equal(number(map.data, 4), 0x06054b50);
    nt_map_close(&map);
    folder_remove(folder);
}

static void bad_places_and_arrays(void **state) {
    (void)state;
    const char *folder = folder_new();
    assert_int_equal(nt_npz_write(folder, arrays, 1), NT_E_IO);
    assert_int_equal(nt_npz_write(folder_path(folder, "no/a.npz"), arrays, 1), NT_E_NOT_FOUND);
    assert_int_equal(nt_npz_write("/dev/null", arrays, 1), NT_E_IO);
    assert_non_null(strstr(nt_error_message(), "/dev/null: it is a device or pipe"));
    const char *path = folder_path(folder, "a.npz");
    nt_npz_array five = {"x", special, 5, {1, 1, 1, 1}};
    assert_int_equal(nt_npz_write(path, &five, 1), NT_E_ARGUMENT);
    nt_npz_array vast = {"x", special, 2, {SIZE_MAX / 2, 3}};
    assert_int_equal(nt_npz_write(path, &vast, 1), NT_E_ARGUMENT);
    char name[1200];
    memset(name, 'n', sizeof name);
    name[sizeof name - 1] = 0;
    nt_npz_array named = {name, special, 1, {1}};
    assert_int_equal(nt_npz_write(path, &named, 1), NT_E_ARGUMENT);
    assert_int_equal(folder_count(folder), 0);
    folder_remove(folder);
}

/* ---- Arrays that are put in pieces ---- */

enum { PLANES = 7, ROWS = 40, WIDTH = 50, PLANE = ROWS * WIDTH };

static float planes[PLANES * PLANE];
static const nt_npz_array in_planes[] = {{"before", special, 1, {6}},
                                         {"planes", planes, 3, {PLANES, ROWS, WIDTH}},
                                         {"behind", special, 2, {3, 2}}};

/* Numbers everywhere but where `holes` are wanted: behind the diagonal of each plane, and the last
 * plane but one. */
static void fill_planes(bool holes) {
    for (int p = 0; p < PLANES; p++) {
        for (int i = 0; i < PLANE; i++) {
            bool hole = holes && (p == PLANES - 2 || i % WIDTH > i / WIDTH);
            planes[p * PLANE + i] = hole ? 0 : noise[p * PLANE + i] + 1;
        }
    }
}

static int put_row(nt_npz *npz, size_t p, size_t r, size_t n) {
    size_t at = p * PLANE + r * WIDTH;
    return nt_npz_put(npz, 1, at, planes + at, n);
}

/* Row by row, planes side by side, as the heads of attention come. */
static int side_by_side(void *payload, nt_npz *npz) {
    (void)payload;
    NT_TRY(nt_npz_put(npz, 2, 0, special, 6));
    for (size_t r = 0; r < ROWS; r++)
        for (size_t p = 0; p < PLANES; p++)
            NT_TRY(put_row(npz, p, r, WIDTH));
    return nt_npz_put(npz, 0, 0, special, 6);
}

static int backwards(void *payload, nt_npz *npz) {
    (void)payload;
    for (size_t r = ROWS; r-- > 0;)
        for (size_t p = PLANES; p-- > 0;)
            NT_TRY(put_row(npz, p, r, WIDTH));
    for (size_t i = 6; i-- > 0;) {
        NT_TRY(nt_npz_put(npz, 0, i, special + i, 1));
        NT_TRY(nt_npz_put(npz, 2, i, special + i, 1));
        NT_TRY(nt_npz_put(npz, 2, 3, NULL, 0));
    }
    return NT_OK;
}

static int below_the_diagonal(void *payload, nt_npz *npz) {
    (void)payload;
    NT_TRY(nt_npz_put(npz, 0, 0, special, 6));
    NT_TRY(nt_npz_put(npz, 2, 0, special, 6));
    for (size_t p = 0; p < PLANES; p++)
        for (size_t r = 0; p != PLANES - 2 && r < ROWS; r++)
            NT_TRY(put_row(npz, p, r, r + 1));
    return NT_OK;
}

static void expect_same_files(const char *a, const char *b) {
    nt_map one, two;
    assert_int_equal(nt_map_open(&one, a), NT_OK);
    assert_int_equal(nt_map_open(&two, b), NT_OK);
    assert_int_equal(one.n, two.n);
    assert_memory_equal(one.data, two.data, one.n);
    nt_map_close(&one);
    nt_map_close(&two);
}

/* However the numbers come, the file is that of the whole arrays. */
static void pieces_in_any_order(void **state) {
    (void)state;
    static const struct {
        int (*fill)(void *payload, nt_npz *npz);
        bool holes;
    } ways[] = {{side_by_side, false}, {backwards, false}, {below_the_diagonal, true}};
    const char *folder = folder_new();
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        const char *whole = folder_path(folder, "whole.npz");
        const char *pieces = folder_path(folder, "pieces.npz");
        fill_planes(ways[i].holes);
        assert_int_equal(nt_npz_write(whole, in_planes, 3), NT_OK);
        assert_int_equal(nt_npz_stream(pieces, in_planes, 3, ways[i].fill, NULL), NT_OK);
        expect_same_files(whole, pieces);
    }
    folder_remove(folder);
}

typedef struct piece {
    size_t i, offset, n;
} piece;

static int put_pieces(void *payload, nt_npz *npz) {
    for (const piece *it = payload; it->n; it++)
        NT_TRY(nt_npz_put(npz, it->i, it->offset, noise, it->n));
    return NT_OK;
}

static void pieces_that_do_not_fit(void **state) {
    (void)state;
    const char *folder = folder_new(), *path = folder_path(folder, "a.npz");
    piece bad[][3] = {
        {{3, 0, 1}},
        {{0, 6, 1}},
        {{0, 5, 2}},
        {{0, SIZE_MAX, 2}},
        {{2, 1, SIZE_MAX}},
        {{0, 1, 3}, {0, 3, 1}},
        {{1, 5, 5}, {1, 0, 6}},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(nt_npz_stream(path, in_planes, 3, put_pieces, bad[i]), NT_E_ARGUMENT);
    assert_non_null(strstr(nt_error_message(), "array planes: a number was put twice"));
    assert_int_equal(folder_count(folder), 0);
    folder_remove(folder);
}

static void expect_old_text(const char *folder) {
    char *text;
    size_t n;
    assert_int_equal(nt_file_read(&text, &n, folder_path(folder, "a.npz"), 100), NT_OK);
    assert_string_equal(text, "what was there");
    nt_free(text);
}

static int give_up(void *payload, nt_npz *npz) {
    (void)payload;
    NT_TRY(nt_npz_put(npz, 1, 0, noise, PLANE));
    return nt_fail(NT_E_CANCELLED, "the filler gave up");
}

static void a_filler_that_fails(void **state) {
    (void)state;
    const char *folder = folder_new(), *path = folder_path(folder, "a.npz");
    folder_put_text(folder, "a.npz", "what was there");
    assert_int_equal(nt_npz_stream(path, in_planes, 3, give_up, NULL), NT_E_CANCELLED);
    assert_string_equal(nt_error_message(), "the filler gave up");
    expect_old_text(folder);
    assert_int_equal(folder_count(folder), 1);
    folder_remove(folder);
}

static int die(void *payload, nt_npz *npz) {
    (void)payload;
    NT_TRY(nt_npz_put(npz, 1, 0, noise, PLANE));
    return kill(getpid(), SIGKILL);
}

static bool has_nameless_files(const char *folder) {
    int fd = open(folder, O_WRONLY | O_TMPFILE, 0600);
    if (fd >= 0) close(fd);
    return fd >= 0;
}

/* kill -9 in the middle: the old file is whole, and nothing lies beside it. */
static void a_process_that_is_killed(void **state) {
    (void)state;
    const char *folder = folder_new(), *path = folder_path(folder, "a.npz");
    folder_put_text(folder, "a.npz", "what was there");
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) _exit(nt_npz_stream(path, in_planes, 3, die, NULL));
    int how;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL);
    expect_old_text(folder);
    if (has_nameless_files(folder)) assert_int_equal(folder_count(folder), 1);
    folder_remove(folder);
}

/* A disk that fills up, played by the limit on a file's size: the old file stays as it was, whether
 * room is refused at the start or the end of the file no longer fits. */
static void full_disk(void **state) {
    (void)state;
    const char *folder = folder_new(), *path = folder_path(folder, "a.npz");
    assert_int_equal(nt_npz_write(path, arrays, N_ARRAYS), NT_OK);
    nt_map map;
    assert_int_equal(nt_map_open(&map, path), NT_OK);
    size_t whole = map.n, numbers = number(map.data + whole - 6, 4);
    nt_map_close(&map);
    folder_put_text(folder, "a.npz", "what was there");
    char bytes[40];
    snprintf(bytes, sizeof bytes, "(%zu bytes)", numbers);
    const rlim_t limits[] = {0, 40, 2600, 400000, numbers - 1, numbers, whole - 1};
    struct rlimit before, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_IGN);
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        small = before;
        small.rlim_cur = limits[i];
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
        int status = nt_npz_write(path, arrays, N_ARRAYS);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        assert_int_equal(status, NT_E_IO);
        assert_non_null(strstr(nt_error_message(), "File too large"));
        assert_non_null(strstr(nt_error_message(), bytes));
        assert_int_equal(folder_count(folder), 1);
        expect_old_text(folder);
    }
    folder_remove(folder);
}

/* Where the system cannot reserve room: what fits is written, what cannot fit is told with numbers
 * before the work. */
static int write_without_reserving(const char *folder) {
    const char *path = folder_path(folder, "a.npz"), *other = folder_path(folder, "b.npz");
    nt_npz_array vast = {"vast", NULL, 2, {1 << 30, 1 << 27}};
    if (!forbid(SYS_fallocate, 0, 0)) return NO_FILTER;
    if (nt_npz_write(path, arrays, N_ARRAYS) != NT_OK) return 1;
    if (nt_npz_stream(other, &vast, 1, die, NULL) != NT_E_IO) return 2;
    const char *message = nt_error_message();
    if (!strstr(message, "(576460752303423") || !strstr(message, " are free")) return 3;
    return folder_count(folder) == 1 ? 0 : 4;
}

static void disks_that_reserve_nothing(void **state) {
    (void)state;
    const char *folder = folder_new();
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) _exit(write_without_reserving(folder));
    int how;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFEXITED(how));
    bool skipped = WEXITSTATUS(how) == NO_FILTER;
    if (!skipped) {
        assert_int_equal(WEXITSTATUS(how), 0);
        expect_file(folder_path(folder, "a.npz"), false);
    }
    folder_remove(folder);
    if (skipped) skip();
}

static void every_failing_allocation(void **state) {
    (void)state;
    const char *folder = folder_new(), *path = folder_path(folder, "a.npz");
    int status = NT_E_MEMORY;
    size_t k = 0;
    while (status == NT_E_MEMORY) {
        nt_memory_fail_at(++k);
        status = nt_npz_stream(path, in_planes, 3, backwards, NULL);
        nt_memory_fail_at(0);
        assert_int_equal(folder_count(folder), status == NT_OK);
    }
    assert_int_equal(status, NT_OK);
    assert_true(k > 20);
    folder_remove(folder);
}

static int write_for_python(const char *folder) {
    if (nt_npz_write(folder_path(folder, "plain.npz"), arrays, N_ARRAYS) != NT_OK) return 1;
    return nt_npz_write_zip64(folder_path(folder, "zip64.npz"), arrays, N_ARRAYS, 1000) != NT_OK;
}

int main(int argc, char **argv) {
    fill_arrays();
    if (argc == 3 && strcmp(argv[1], "--write") == 0) return write_for_python(argv[2]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arrays_come_back),
        cmocka_unit_test(zip64_comes_back),
        cmocka_unit_test(nothing_to_write),
        cmocka_unit_test(bad_places_and_arrays),
        cmocka_unit_test(pieces_in_any_order),
        cmocka_unit_test(pieces_that_do_not_fit),
        cmocka_unit_test(a_filler_that_fails),
        cmocka_unit_test(a_process_that_is_killed),
        cmocka_unit_test(full_disk),
        cmocka_unit_test(disks_that_reserve_nothing),
        cmocka_unit_test(every_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
