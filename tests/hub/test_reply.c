/* What a server answers, from the lines of its headers: as RFC 9110 has them, and as a server that
 * means harm may write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hub/reply.h"

static nt_reply reply;

/* In memory of exactly its size: lines need no zero at their end. */
static void line_of(const char *line, size_t n) {
    char *exact = malloc(n ? n : 1);
    assert_non_null(exact);
    memcpy(exact, line, n);
    nt_reply_line(&reply, exact, n);
    free(exact);
}

static void line(const char *text) {
    line_of(text, strlen(text));
}

static void an_answer_of_the_hub(void **state) {
    (void)state;
    nt_reply_clear(&reply);
    line("HTTP/1.1 302 Found\r\n");
    line("etag: \"0123456789abcdef0123456789abcdef01234567\"\r\n");
    line("X-Linked-ETag:\t\"ab\"\r\n");
    line("X-Linked-Size: 548105171\r\n");
    line("Content-Length: 0\r\n");
    line("x-repo-commit:607a30d783dfa663caf39e06633721c8d4cfcd7e\r\n");
    line("Location: https://cdn-lfs.example/x?y=z  \r\n");
    line("Set-Cookie: a=b\r\n");
    line("\r\n");
    assert_int_equal(reply.code, 302);
    assert_string_equal(reply.etag, "0123456789abcdef0123456789abcdef01234567");
    assert_string_equal(reply.linked_etag, "ab");
    assert_int_equal(reply.linked_size, 548105171);
    assert_int_equal(reply.length, 0);
    assert_string_equal(reply.commit, "607a30d783dfa663caf39e06633721c8d4cfcd7e");
    assert_string_equal(reply.location, "https://cdn-lfs.example/x?y=z");
    assert_int_equal(reply.range_start, -1);
    assert_int_equal(reply.retry_after, -1);
    line("HTTP/2 429 \r\n"); /* another answer: nothing of the one before is left */
    line("Retry-After: 7\r\n");
    line("X-Error-Code: RepoNotFound\r\n");
    line("X-Error-Message: no\r\n");
    assert_int_equal(reply.code, 429);
    assert_int_equal(reply.retry_after, 7);
    assert_string_equal(reply.error_code, "RepoNotFound");
    assert_string_equal(reply.error_message, "no");
    assert_string_equal(reply.etag, "");
    assert_string_equal(reply.location, "");
    assert_int_equal(reply.length, -1);
    assert_int_equal(reply.linked_size, -1);
}

static void status_lines(void **state) {
    (void)state;
    static const struct {
        const char *line;
        long code;
    } table[] = {
        {"HTTP/1.1 200 OK\r\n", 200}, {"HTTP/1.0 404\r\n", 404},       {"HTTP/3 206", 206},
        {"HTTP/1.1 200", 200},        {"HTTP/1.1 20\r\n", 0},          {"HTTP/1.1 20", 0},
        {"HTTP/1.1\r\n", 0},          {"HTTP/1.1 -20\r\n", 0},         {"HTTP/1.1 2000\r\n", 0},
        {"HTTP/1.1 0x20\r\n", 0},     {"HTTP/1.1 99999999999\r\n", 0}, {"HTTP/1.1 \r\n", 0},
        {"HTTP/1.1  200\r\n", 0},     {"HTTP/1.1 2:0 \r\n", 0},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        nt_reply_clear(&reply);
        line("HTTP/1.1 500 x\r\n");
        line(table[i].line);
        if (reply.code != table[i].code) fail_msg("%s: %ld", table[i].line, reply.code);
    }
    nt_reply_clear(&reply);
    line("HTTP/");
    line("HTTP 200 OK");
    line("");
    assert_int_equal(reply.code, 0);
}

static void lengths(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t number;
    } table[] = {
        {"0", 0},      {"17", 17},     {"9223372036854775807", INT64_MAX},
        {"", -1},      {"-1", -1},     {"9223372036854775808", -1},
        {"1 2", -1},   {"0x10", -1},   {"99999999999999999999999999999999", -1},
        {"1e3", -1},   {"+5", -1},     {"Wed, 21 Oct 2015 07:28:00 GMT", -1},
        {" 12\t", 12}, {"12, 12", -1},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char text[128];
        int64_t *const where[] = {&reply.length, &reply.linked_size, &reply.retry_after};
        static const char *const names[] = {"Content-Length", "X-Linked-Size", "Retry-After"};
        for (size_t k = 0; k < 3; k++) {
            nt_reply_clear(&reply);
            snprintf(text, sizeof text, "%s: %s\r\n", names[k], table[i].text);
            line(text);
            if (*where[k] != table[i].number) fail_msg("%s", text);
        }
    }
}

static void ranges(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t start, total;
    } table[] = {
        {"bytes 10-99/100", 10, 100},
        {"bytes 0-0/1", 0, 1},
        {"Bytes 10-99/*", 10, -1},
        {"bytes 10-99/9999999999999999999", 10, -1},
        {"bytes -5-99/100", -1, -1},
        {"bytes 99-10/100", -1, -1},
        {"bytes 10/100", -1, -1},
        {"bytes 10-99", -1, -1},
        {"bytes */100", -1, -1},
        {"items 10-99/100", -1, -1},
        {"", -1, -1},
        {"bytes 9999999999999999999-1/1", -1, -1},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char text[128];
        nt_reply_clear(&reply);
        snprintf(text, sizeof text, "Content-Range: %s\r\n", table[i].text);
        line(text);
        if (reply.range_start != table[i].start || reply.range_total != table[i].total)
            fail_msg("%s: %lld, %lld", text, (long long)reply.range_start,
                     (long long)reply.range_total);
    }
}

static void etags(void **state) {
    (void)state;
    static const char *const table[][2] = {
        {"\"a\"", "a"}, {"W/\"a\"", "a"}, {"a", "a"}, {"\"", "\""},
        {"\"\"", ""},   {"W/", ""},       {"", ""},   {"W/\"a", "\"a"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char text[64];
        nt_reply_clear(&reply);
        snprintf(text, sizeof text, "ETag: %s\r\n", table[i][0]);
        line(text);
        assert_string_equal(reply.etag, table[i][1]);
    }
}

/* A value that does not fit, or holds a zero byte, is none: never the half of one. */
static void values_without_end(void **state) {
    (void)state;
    enum { N = 20000 };
    static char text[N];
    nt_reply_clear(&reply);
    memset(text, 'a', N);
    memcpy(text, "ETag: ", 6);
    line_of(text, 6 + NT_HEADER - 1);
    assert_int_equal(strlen(reply.etag), NT_HEADER - 1);
    line_of(text, 6 + NT_HEADER);
    assert_string_equal(reply.etag, "");
    memcpy(text, "Location: ", 10);
    line_of(text, 10 + NT_LOCATION - 1);
    assert_int_equal(strlen(reply.location), NT_LOCATION - 1);
    line_of(text, N);
    assert_string_equal(reply.location, "");
    line_of("X-Repo-Commit: ab\0cd\r\n", 22);
    assert_string_equal(reply.commit, "");
    line_of("X-Repo-Commit: ab\0\r\n", 20);
    assert_string_equal(reply.commit, "");
    line("X-Repo-Commit");
    line(":");
    line("X-Repo-Commits: x\r\n");
    assert_string_equal(reply.commit, "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_of_the_hub),
        cmocka_unit_test(status_lines),
        cmocka_unit_test(lengths),
        cmocka_unit_test(ranges),
        cmocka_unit_test(etags),
        cmocka_unit_test(values_without_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
