/* Where several tokenizers cut a text in common, against the definition: the places where a token
 * of each ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "trace/trace.h"

enum { MOST = 40, VERSIONS = 3 };

static uint64_t seed = 88172645463325252u;
static size_t draw(size_t n) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (size_t)(seed % n);
}

typedef struct cut {
    int32_t ids[MOST + 2];
    size_t starts[MOST + 2], ends[MOST + 2], n;
    bool ends_at[MOST + 1]; /* a token ends there */
    size_t first;           /* tokens that a template put in front */
} cut;

static void put(cut *c, size_t start, size_t end) {
    c->ids[c->n] = (int32_t)c->n;
    c->starts[c->n] = start;
    c->ends[c->n++] = end;
}

/* A random way to cut n bytes, with a token of a template before and behind it at times. */
static void make(cut *c, size_t n) {
    *c = (cut){.first = draw(3) == 0};
    if (c->first) put(c, 0, 0);
    for (size_t start = 0; start < n;) {
        size_t end = start + 1 + draw(4);
        if (end > n) end = n;
        put(c, start, end);
        c->ends_at[end] = true;
        start = end;
    }
    if (draw(3) == 0) put(c, 0, 0);
}

static void add(nt_result *trace, const cut *c) {
    assert_int_equal(
        nt_trace_add_compared(trace, "m", &(nt_vocab){0}, c->ids, c->starts, c->ends, c->n), NT_OK);
}

/* Stretches of bytes, one after the other. */
static void check(const nt_result *trace, const cut *cuts, size_t n_versions, size_t n) {
    size_t at = 0, i = 0, next[VERSIONS] = {0}, total = nt_result_n_stretches(trace);
    for (; i < total; i++) {
        const nt_stretch *s = nt_result_stretch(trace, i);
        size_t end = at;
        bool bytes = s->end > s->start, same = true;
        if (bytes) {
            bool all = false;
            while (!all) {
                all = ++end <= n;
                for (size_t v = 0; v < n_versions; v++)
                    all = all && cuts[v].ends_at[end];
            }
            assert_int_equal(s->start, at);
            assert_int_equal(s->end, end);
        }
        for (size_t v = 0; v < n_versions; v++) {
            size_t from = next[v];
            assert_int_equal(s->first[v], from);
            while (next[v] < cuts[v].n && (cuts[v].ends[next[v]] == 0) == !bytes &&
                   cuts[v].ends[next[v]] <= end)
                next[v]++;
            assert_int_equal(s->n_tokens[v], next[v] - from);
            same = same && next[v] - from == next[0] - s->first[0];
            for (size_t k = 0; same && k < next[v] - from; k++)
                same = cuts[v].ends[from + k] == cuts[0].ends[s->first[0] + k];
        }
        assert_int_equal(s->differs, !same);
        at = end;
    }
    assert_int_equal(at, n);
    for (size_t v = 0; v < n_versions; v++)
        assert_int_equal(next[v], cuts[v].n);
    assert_null(nt_result_stretch(trace, total));
}

static void as_defined(void **state) {
    (void)state;
    for (int round = 0; round < 3000; round++) {
        size_t n = draw(MOST + 1), n_versions = 1 + draw(VERSIONS);
        cut cuts[VERSIONS];
        nt_result *trace;
        assert_int_equal(nt_trace_new(&trace, NT_RESULT_COMPARED, NULL), NT_OK);
        for (size_t v = 0; v < n_versions; v++) {
            make(&cuts[v], n);
            add(trace, &cuts[v]);
        }
        assert_int_equal(nt_trace_set_stretches(trace), NT_OK);
        check(trace, cuts, n_versions, n);
        nt_result_free(trace);
    }
}

/* Tokens that share a character have all of it as their place. */
static void shared_places(void **state) {
    (void)state;
    nt_result *trace;
    assert_int_equal(nt_trace_new(&trace, NT_RESULT_COMPARED, NULL), NT_OK);
    const cut a = {.ids = {1, 2, 3}, .starts = {0, 0, 4}, .ends = {4, 4, 5}, .n = 3};
    const cut b = {.ids = {1, 2}, .starts = {0, 4}, .ends = {4, 5}, .n = 2};
    add(trace, &a);
    add(trace, &b);
    assert_int_equal(nt_trace_set_stretches(trace), NT_OK);
    assert_int_equal(nt_result_n_stretches(trace), 2);
    const nt_stretch *s = nt_result_stretch(trace, 0);
    assert_int_equal(s->end, 4);
    assert_int_equal(s->n_tokens[0], 2);
    assert_int_equal(s->n_tokens[1], 1);
    assert_true(s->differs);
    assert_false(nt_result_stretch(trace, 1)->differs);
    nt_result_free(trace);
}

static void memory_may_end(void **state) {
    (void)state;
    cut c;
    make(&c, 20);
    for (size_t k = 1;; k++) {
        nt_memory_fail_at(k);
        nt_result *trace;
        int status = nt_trace_new(&trace, NT_RESULT_COMPARED, NULL);
        if (status == NT_OK)
            status =
                nt_trace_add_compared(trace, "model", &(nt_vocab){0}, c.ids, c.starts, c.ends, c.n);
        if (status == NT_OK) status = nt_trace_set_stretches(trace);
        if (status == NT_OK)
            status =
                nt_trace_add_counted(trace, &(nt_counted){"file", 3, 2, (const uint64_t[]){7}});
        nt_memory_fail_at(0);
        nt_result_free(trace);
        if (status == NT_OK) {
            assert_in_range(k, 6, 1000);
            return;
        }
        assert_int_equal(status, NT_E_MEMORY);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_defined),
        cmocka_unit_test(shared_places),
        cmocka_unit_test(memory_may_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
