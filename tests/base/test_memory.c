/* Status messages, allocations and their test switch, arenas, buffers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/memory.h"
#include "base/utf8.h"

static void messages(void **state) {
    (void)state;
    assert_int_equal(nt_fail(NT_E_RANGE, "id %d of %s", 7, "V"), NT_E_RANGE);
    assert_string_equal(nt_error_message(), "id 7 of V");
    /* Nothing in it may drive a terminal, end the line, or break JSON. */
    nt_fail(NT_E_FORMAT, "a\x1b[31m\nb\r\tc\x7f \xC2\x9B"
                         "2J \xC3\xA4 \xFF\xE4\xB8 \xE4\xB8\xAD");
    assert_string_equal(nt_error_message(), "a?[31m?b??c? ?2J \xC3\xA4 ?? \xE4\xB8\xAD");
    /* The last message as part of the next one. */
    nt_fail(NT_E_IO, "first");
    nt_fail(NT_E_IO, "again: %s", nt_error_message());
    assert_string_equal(nt_error_message(), "again: first");
    /* A long message is cut at a character's end. */
    for (size_t pad = 0; pad < 3; pad++) {
        char text[3000];
        memset(text, 'x', pad);
        for (size_t i = 0; i < 900; i++)
            memcpy(text + pad + 3 * i, "\xE4\xB8\xAD", 3);
        text[pad + 2700] = 0;
        nt_fail(NT_E_TEXT, "%s", text);
        size_t n = strlen(nt_error_message());
        assert_true(n > 1000 && n < 1024);
        assert_int_equal(nt_utf8_check(nt_error_message(), n), n);
    }
    assert_string_equal(nt_status_name(NT_OK), "NT_OK");
    assert_string_equal(nt_status_name(NT_E_CANCELLED), "NT_E_CANCELLED");
    assert_string_equal(nt_status_name(12345), "unknown status");
}

static void *other_thread(void *payload) {
    (void)payload;
    bool fresh = nt_error_message()[0] == 0;
    nt_fail(NT_E_IO, "other");
    return fresh ? (void *)(uintptr_t)1 : NULL;
}

static void messages_belong_to_threads(void **state) {
    (void)state;
    nt_fail(NT_E_IO, "mine");
    pthread_t thread;
    void *fresh;
    assert_int_equal(pthread_create(&thread, NULL, other_thread, NULL), 0);
    assert_int_equal(pthread_join(thread, &fresh), 0);
    assert_non_null(fresh);
    assert_string_equal(nt_error_message(), "mine");
}

static void allocations(void **state) {
    (void)state;
    unsigned char *bytes = nt_alloc(10, 100);
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(bytes[i], 0);
    bytes[999] = 7;
    bytes = nt_resize(bytes, 2000, 1);
    assert_int_equal(bytes[999], 7);
    nt_free(bytes);
    void *none = nt_alloc(0, 8);
    assert_non_null(none);
    nt_free(none);
    nt_free(NULL);
    for (size_t n = 1; n < 300; n += 37) {
        void *aligned = nt_alloc_aligned(n, 1);
        assert_int_equal((uintptr_t)aligned % 64, 0);
        nt_free(aligned);
    }
    assert_null(nt_alloc(SIZE_MAX / 2, 3));
    assert_non_null(strstr(nt_error_message(), "out of memory"));
    assert_null(nt_alloc(SIZE_MAX, 1));
    assert_null(nt_alloc_aligned(SIZE_MAX / 4, 5));
    assert_null(nt_resize(NULL, SIZE_MAX / 8, 9));
}

static void the_test_switch(void **state) {
    (void)state;
    nt_memory_fail_at(3);
    void *one = nt_alloc(1, 1), *two = nt_alloc_aligned(1, 1);
    assert_non_null(one);
    assert_non_null(two);
    assert_null(nt_alloc(1, 1));
    assert_null(nt_resize(one, 2, 1));
    assert_null(nt_alloc_aligned(1, 1));
    assert_int_equal(nt_memory_count(), 5);
    nt_memory_fail_at(SIZE_MAX);
    nt_free(nt_alloc(1, 1));
    assert_int_equal(nt_memory_count(), 1);
    nt_memory_fail_once(2);
    assert_true(nt_memory_counts());
    nt_free(nt_alloc(1, 1));
    assert_null(nt_alloc(1, 1));
    void *four = nt_alloc(1, 1);
    assert_non_null(four);
    nt_free(four);
    nt_memory_fail_at(0);
    assert_false(nt_memory_counts());
    void *three = nt_alloc(1, 1);
    assert_non_null(three);
    nt_free(one);
    nt_free(two);
    nt_free(three);
}

static void growing_arrays(void **state) {
    (void)state;
    void *array = NULL;
    size_t capacity = 0, moves = 0;
    for (size_t n = 1; n <= 1000; n++) {
        size_t before = capacity;
        assert_int_equal(nt_grow(&array, &capacity, n, sizeof(int)), NT_OK);
        assert_true(capacity >= n);
        moves += capacity != before;
        ((int *)array)[n - 1] = (int)n;
    }
    assert_true(moves < 12);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(((int *)array)[i], i + 1);
    void *before = array;
    assert_int_equal(nt_grow(&array, &capacity, SIZE_MAX / 2, sizeof(int)), NT_E_MEMORY);
    assert_ptr_equal(array, before);
    assert_int_equal(((int *)array)[999], 1000);
    nt_free(array);
}

static void arenas(void **state) {
    (void)state;
    nt_arena arena = {0};
    unsigned char *pieces[400];
    for (size_t i = 0; i < 400; i++) {
        size_t n = i * 7 % 311 + (i % 97 == 0 ? 40000 : 0);
        pieces[i] = nt_arena_alloc(&arena, n, 1);
        assert_int_equal((uintptr_t)pieces[i] % 16, 0);
        for (size_t k = 0; k < n; k++)
            assert_int_equal(pieces[i][k], 0);
        memset(pieces[i], (int)(i % 251 + 1), n);
    }
    for (size_t i = 0; i < 400; i++) { /* no piece lies over another */
        size_t n = i * 7 % 311 + (i % 97 == 0 ? 40000 : 0);
        for (size_t k = 0; k < n; k++)
            assert_int_equal(pieces[i][k], i % 251 + 1);
    }
    assert_string_equal(nt_arena_copy(&arena, "abcdef", 3), "abc");
    assert_string_equal(nt_arena_copy(&arena, NULL, 0), "");
    void *array = NULL;
    size_t capacity = 0;
    for (size_t n = 1; n < 5000; n++) {
        assert_int_equal(nt_arena_grow(&arena, &array, &capacity, n, sizeof(size_t)), NT_OK);
        ((size_t *)array)[n - 1] = n;
    }
    for (size_t n = 1; n < 5000; n++)
        assert_int_equal(((size_t *)array)[n - 1], n);
    assert_null(nt_arena_alloc(&arena, SIZE_MAX / 2, 4));
    assert_null(nt_arena_alloc(&arena, SIZE_MAX - 3, 1));
    nt_memory_fail_at(1);
    assert_null(nt_arena_alloc(&arena, 100000, 1));
    assert_int_equal(nt_arena_grow(&arena, &array, &capacity, 100000, 8), NT_E_MEMORY);
    nt_memory_fail_at(0);
    assert_int_equal(((size_t *)array)[4998], 4999);
    assert_non_null(nt_arena_alloc(&arena, 1, 1));
    nt_arena_block *newest = arena.block;
    assert_non_null(nt_arena_alloc(&arena, 1, 1));
    assert_ptr_equal(arena.block, newest);
    nt_memory_fail_at(2); /* under the switch each allocation is one */
    assert_non_null(nt_arena_alloc(&arena, 1, 1));
    assert_null(nt_arena_alloc(&arena, 1, 1));
    nt_memory_fail_at(0);
    assert_ptr_not_equal(arena.block, newest);
    nt_arena_free(&arena);
    nt_arena_free(&arena); /* twice is legal: it is empty */
}

static void buffers(void **state) {
    (void)state;
    nt_buffer text = {0};
    nt_buffer_puts(&text, "one");
    nt_buffer_putc(&text, ' ');
    nt_buffer_put(&text, "two\0three", 9);
    assert_int_equal(text.n, 13);
    assert_memory_equal(text.data, "one two\0three", 14);
    nt_buffer_clear(&text);
    assert_string_equal(text.data, "");
    nt_buffer_printf(&text, "%d %0*d %s", 5, 3000, 1, "end"); /* longer than any first room */
    assert_int_equal(text.n, 3006);
    assert_memory_equal(text.data, "5 000", 5);
    assert_string_equal(text.data + 3001, "1 end");
    char *taken;
    size_t n;
    assert_int_equal(nt_buffer_take(&taken, &n, &text), NT_OK);
    assert_int_equal(n, 3006);
    assert_null(text.data);
    nt_free(taken);
    assert_int_equal(nt_buffer_take(&taken, &n, &text), NT_OK); /* of an empty one */
    assert_string_equal(taken, "");
    assert_int_equal(n, 0);
    nt_free(taken);
    nt_buffer_free(&text);
}

static void buffers_have_a_ceiling(void **state) {
    (void)state;
    nt_buffer text = {.max = 10};
    nt_buffer_puts(&text, "0123456789");
    assert_int_equal(text.status, NT_OK);
    nt_buffer_putc(&text, 'x');
    assert_int_equal(text.status, NT_E_MEMORY);
    assert_non_null(strstr(nt_error_message(), "limit of 10 bytes"));
    assert_string_equal(text.data, "0123456789");
    nt_buffer_clear(&text);
    nt_buffer_puts(&text, "y"); /* the failure stays */
    nt_buffer_printf(&text, "%s", "z");
    assert_int_equal(text.n, 0);
    assert_int_equal(text.status, NT_E_MEMORY);
    char *taken = (char *)&text;
    size_t n = 9;
    assert_int_equal(nt_buffer_take(&taken, &n, &text), NT_E_MEMORY);
    assert_null(taken);
    assert_int_equal(n, 0);
    nt_buffer_put(&text, "abc", SIZE_MAX);
    assert_int_equal(text.status, NT_E_MEMORY);
    nt_buffer_free(&text);
}

static void buffers_without_memory(void **state) {
    (void)state;
    nt_buffer text = {0};
    nt_buffer_puts(&text, "kept");
    nt_memory_fail_at(1);
    nt_buffer_printf(&text, "%1000d", 1);
    nt_memory_fail_at(0);
    assert_int_equal(text.status, NT_E_MEMORY);
    nt_buffer_puts(&text, "more");
    assert_string_equal(text.data, "kept");
    nt_buffer_free(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages),
        cmocka_unit_test(messages_belong_to_threads),
        cmocka_unit_test(allocations),
        cmocka_unit_test(the_test_switch),
        cmocka_unit_test(growing_arrays),
        cmocka_unit_test(arenas),
        cmocka_unit_test(buffers),
        cmocka_unit_test(buffers_have_a_ceiling),
        cmocka_unit_test(buffers_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
