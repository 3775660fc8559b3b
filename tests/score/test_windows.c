/* Windows and perplexity against the recipe of transformers' documentation (windows_oracle.json,
 * tools/oracle/score.py). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "folder.h"
#include "score/perplexity.h"
#include "score/windows.h"

enum { MAX = 128 };

static size_t whole(const json_t *object, const char *key) {
    return (size_t)json_integer_value(json_object_get(object, key));
}

static bool near(double got, const json_t *wanted) {
    double x = json_is_null(wanted) ? NAN : json_number_value(wanted);
    return isnan(x) ? isnan(got) : fabs(got - x) <= 1e-13 * (1 + fabs(x));
}

static void check_case(const json_t *c) {
    size_t n = whole(c, "n"), size = whole(c, "size"), stride = whole(c, "stride"), n_windows = 0;
    const json_t *windows = json_object_get(c, "windows"), *losses = json_object_get(c, "losses");
    nt_window window = {0};
    nt_perplexity_sum sum = {0};
    assert_true(n <= MAX);
    while (nt_window_next(&window, n, size, stride)) {
        const json_t *wanted = json_array_get(windows, n_windows++);
        double logprobs[MAX];
        assert_int_equal(window.begin, json_integer_value(json_array_get(wanted, 0)));
        assert_int_equal(window.end, json_integer_value(json_array_get(wanted, 1)));
        assert_int_equal(window.first, json_integer_value(json_array_get(wanted, 2)));
        for (size_t t = window.first; t < window.end; t++)
            logprobs[t - window.first] = -json_number_value(json_array_get(losses, t)) / 64;
        size_t n_targets = window.end - window.first;
        nt_perplexity_add(&sum, logprobs, n_targets, 3 * n_targets, n_windows > 1 && stride < size);
    }
    assert_int_equal(n_windows, json_array_size(windows));
    assert_int_equal(n_windows, nt_windows_count(n, size, stride));
    assert_int_equal(n_windows, sum.n_windows);
    double recipe;
    nt_totals totals = nt_perplexity_totals(&sum, &recipe);
    assert_true(near(recipe, json_object_get(c, "recipe")));
    assert_true(near(totals.loss, json_object_get(c, "loss")));
    assert_true(near(totals.loss_stderr, json_object_get(c, "stderr")));
    assert_int_equal(totals.n_bytes, 3 * totals.n_counted);
    if (totals.n_counted == 0) {
        assert_true(isnan(totals.perplexity) && isnan(totals.bits_per_byte));
        assert_true(totals.logprob == 0 && !signbit(totals.logprob));
        return;
    }
    assert_true(fabs(totals.perplexity - exp(totals.loss)) <= 1e-12 * totals.perplexity);
    assert_true(fabs(totals.bits_per_byte - totals.loss / log(2) / 3) <= 1e-13 * totals.loss);
    assert_true(fabs(totals.logprob + totals.loss * (double)totals.n_counted) <= 1e-9);
    if (totals.n_counted > 1)
        assert_true(fabs(totals.perplexity_stderr - totals.perplexity * totals.loss_stderr) <=
                    1e-12 * totals.perplexity);
}

static void as_the_recipe(void **state) {
    (void)state;
    json_t *oracle = cases_load("score/windows_oracle.json"), *c;
    size_t i, n = 0;
    json_array_foreach(json_object_get(oracle, "cases"), i, c) {
        check_case(c);
        n++;
    }
    assert_int_equal(n, 14);
    json_decref(oracle);
}

/* Of overlapping windows every token but the first has one; of others, all but each first. */
static void each_token_once(void **state) {
    (void)state;
    for (size_t n = 0; n <= 40; n++) {
        for (size_t size = 1; size <= 12; size++) {
            for (size_t stride = 1; stride <= size; stride++) {
                size_t seen[40] = {0}, count = 0;
                nt_window w = {0};
                while (nt_window_next(&w, n, size, stride)) {
                    assert_true(w.begin == count * stride && w.end <= n);
                    assert_true(w.end - w.begin <= size && w.first > w.begin && w.first <= w.end);
                    for (size_t t = w.first; t < w.end; t++)
                        seen[t]++;
                    if (w.end < n) assert_true(w.end - w.begin == size);
                    count++;
                }
                assert_int_equal(count, nt_windows_count(n, size, stride));
                for (size_t t = 0; t < n; t++) {
                    bool opens = t == 0 || (stride == size && t % size == 0);
                    assert_int_equal(seen[t], !opens);
                }
                assert_false(nt_window_next(&w, n, size, stride));
            }
        }
    }
}

static void what_is_no_window(void **state) {
    (void)state;
    nt_window w = {0};
    assert_false(nt_window_next(&w, 10, 4, 0));
    assert_false(nt_window_next(&w, 10, 4, 5));
    assert_false(nt_window_next(&w, 10, 0, 0));
    assert_int_equal(nt_windows_count(10, 4, 0), 0);
    assert_int_equal(nt_windows_count(10, 4, 5), 0);
    assert_true(nt_window_next(&w, SIZE_MAX, SIZE_MAX - 1, SIZE_MAX - 1));
    assert_true(nt_window_next(&w, SIZE_MAX, SIZE_MAX - 1, SIZE_MAX - 1));
    assert_true(w.begin == SIZE_MAX - 1 && w.end == SIZE_MAX && w.first == SIZE_MAX);
    assert_int_equal(nt_windows_count(SIZE_MAX, SIZE_MAX - 1, SIZE_MAX - 1), 2);
    assert_int_equal(nt_windows_count(SIZE_MAX, 1, 1), SIZE_MAX);
}

/* Losses far from zero and close together: their spread is not lost in their size. */
static void a_small_spread(void **state) {
    (void)state;
    nt_perplexity_sum sum = {0};
    double logprobs[] = {-1e8, -1e8 - 1, -1e8 + 1, -1e8}, recipe;
    nt_perplexity_add(&sum, logprobs, 2, 0, false);
    nt_perplexity_add(&sum, logprobs + 2, 2, 0, true);
    nt_totals totals = nt_perplexity_totals(&sum, &recipe);
    assert_true(fabs(totals.loss_stderr - sqrt(2.0 / 3 / 4)) < 1e-12);
    assert_true(totals.perplexity == INFINITY && isnan(totals.bits_per_byte));
    nt_perplexity_add(&sum, (double[]){-INFINITY}, 1, 1, true);
    totals = nt_perplexity_totals(&sum, &recipe);
    assert_true(totals.loss == INFINITY && isnan(totals.loss_stderr));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_the_recipe),
        cmocka_unit_test(each_token_once),
        cmocka_unit_test(what_is_no_window),
        cmocka_unit_test(a_small_spread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
