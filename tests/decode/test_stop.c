/* Stop strings against transformers' StopStringCriteria (stop_oracle.txt, tools/oracle/decode.py)
 * and against searching all bytes again after each token. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "decode/stop/stop.h"

enum { MAX_STRINGS = 8, MAX_TOKENS = 32, MAX_BYTES = 512 };

typedef struct stop_case {
    char bytes[MAX_BYTES];
    size_t n_bytes;
    const char *strings[MAX_STRINGS];
    size_t n_strings;
    size_t ends[MAX_TOKENS]; /* of each token in bytes */
    size_t n_tokens;
    char strings_room[MAX_BYTES];
} stop_case;

/* The bytes of hex up to the next ',' or ' '. */
static size_t read_hex(char *out, const char **text) {
    size_t n = 0;
    for (; **text && **text != ',' && **text != ' '; *text += 2, n++) {
        char pair[3] = {(*text)[0], (*text)[1], 0};
        out[n] = (char)strtol(pair, NULL, 16);
    }
    return n;
}

static const char *read_case(stop_case *c, const char *line) {
    size_t room = 0;
    memset(c, 0, sizeof *c);
    for (;; line++) {
        c->strings[c->n_strings++] = c->strings_room + room;
        room += read_hex(c->strings_room + room, &line) + 1;
        if (*line != ',') break;
    }
    for (line++;; line++) {
        c->n_bytes += read_hex(c->bytes + c->n_bytes, &line);
        c->ends[c->n_tokens++] = c->n_bytes;
        if (*line != ',') return line + 1;
    }
}

/* By definition: does a string end in bytes (from, to], and where does the earliest begin? */
static bool search(size_t *cut, const stop_case *c, size_t from, size_t to) {
    bool found = false;
    *cut = 0;
    for (size_t s = 0; s < c->n_strings; s++) {
        size_t n = strlen(c->strings[s]);
        for (size_t end = from + 1; end <= to; end++) {
            if (end < n || memcmp(c->bytes + end - n, c->strings[s], n) != 0) continue;
            found = true;
            if (to - (end - n) > *cut) *cut = to - (end - n);
        }
    }
    return found;
}

static size_t held_by_definition(const stop_case *c, size_t to) {
    for (size_t n = to; n > 0; n--) {
        for (size_t s = 0; s < c->n_strings; s++) {
            if (strlen(c->strings[s]) > n && memcmp(c->bytes + to - n, c->strings[s], n) == 0)
                return n;
        }
    }
    return 0;
}

/* Runs a case; oracle [n_tokens] of '0' and '1', or NULL. Returns how many tokens stop. */
static size_t check_case(const stop_case *c, const char *oracle) {
    nt_stop *stop;
    size_t stops = 0, from = 0;
    int32_t at = 0;
    assert_int_equal(nt_stop_new(&stop, c->strings, c->n_strings), NT_OK);
    for (size_t t = 0; t < c->n_tokens; t++) {
        size_t wanted;
        size_t cut = nt_stop_put(&at, stop, c->bytes + from, c->ends[t] - from);
        bool found = cut > 0;
        assert_int_equal(found, search(&wanted, c, from, c->ends[t]));
        assert_int_equal(cut, wanted);
        assert_int_equal(nt_stop_held(stop, at), held_by_definition(c, c->ends[t]));
        if (oracle) assert_int_equal(found, oracle[t] == '1');
        stops += found;
        from = c->ends[t];
    }
    nt_stop_free(stop);
    return stops;
}

static void as_transformers_finds_them(void **state) {
    (void)state;
    FILE *file = fopen(NT_SOURCE_DIR "/tests/decode/stop_oracle.txt", "r");
    char line[4096];
    size_t cases = 0, stops = 0, tokens = 0;
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        stop_case c;
        if (*line == '#') continue;
        const char *oracle = read_case(&c, line);
        assert_int_equal(strspn(oracle, "01"), c.n_tokens);
        stops += check_case(&c, oracle);
        tokens += c.n_tokens;
        cases++;
    }
    fclose(file);
    print_message("%zu cases, %zu tokens, %zu of them stop\n", cases, tokens, stops);
    assert_true(cases > 400 && stops > 300 && stops < tokens / 2);
}

static uint64_t seed = 362436069;
static size_t draw(size_t n) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (size_t)(seed >> 33) % n;
}

static void as_searching_again_finds_them(void **state) {
    (void)state;
    for (size_t round = 0; round < 4000; round++) {
        stop_case c = {.n_strings = draw(MAX_STRINGS + 1)};
        size_t room = 0;
        for (size_t s = 0; s < c.n_strings; s++) {
            c.strings[s] = c.strings_room + room;
            for (size_t n = 1 + draw(7); n > 0; n--)
                c.strings_room[room++] = "ab"[draw(2)];
            room++;
        }
        c.n_tokens = 1 + draw(MAX_TOKENS);
        for (size_t t = 0; t < c.n_tokens; t++) {
            for (size_t n = draw(5); n > 0; n--)
                c.bytes[c.n_bytes++] = "abbaz"[draw(5)];
            c.ends[t] = c.n_bytes;
        }
        check_case(&c, NULL);
    }
}

static void bad_strings_are_refused(void **state) {
    (void)state;
    nt_stop *stop;
    const char *empty[] = {"a", ""}, *broken[] = {"a\xC3"}, *none[] = {NULL};
    assert_int_equal(nt_stop_new(&stop, empty, 2), NT_E_ARGUMENT);
    assert_non_null(strstr(nt_error_message(), "stop string 2"));
    assert_int_equal(nt_stop_new(&stop, broken, 1), NT_E_ARGUMENT);
    assert_int_equal(nt_stop_new(&stop, none, 1), NT_E_ARGUMENT);
    assert_null(stop);
    nt_stop_free(NULL);
}

/* A string that comes back to its own beginning again and again: the work stays linear. */
static void a_long_string(void **state) {
    (void)state;
    enum { N = 1 << 20 };
    char *string = malloc(N + 1), *text = malloc(N);
    memset(string, 'a', N);
    strcpy(string + N - 1, "b");
    memset(text, 'a', N);
    nt_stop *stop;
    int32_t at = 0;
    const char *strings[] = {string};
    assert_int_equal(nt_stop_new(&stop, strings, 1), NT_OK);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(nt_stop_put(&at, stop, text, N), 0);
        assert_int_equal(nt_stop_held(stop, at), N - 1);
    }
    assert_int_equal(nt_stop_put(&at, stop, "bc", 2), N + 1);
    assert_int_equal(nt_stop_held(stop, at), 0);
    nt_stop_free(stop);
    free(text);
    free(string);
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    const char *strings[] = {"ab", "abc"};
    int status = NT_E_MEMORY;
    for (size_t k = 1; status != NT_OK; k++) {
        nt_stop *stop;
        nt_memory_fail_at(k);
        status = nt_stop_new(&stop, strings, 2);
        nt_memory_fail_at(0);
        assert_true(status == NT_OK || (status == NT_E_MEMORY && !stop && k < 9));
        nt_stop_free(stop);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_transformers_finds_them),
        cmocka_unit_test(as_searching_again_finds_them),
        cmocka_unit_test(bad_strings_are_refused),
        cmocka_unit_test(a_long_string),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
