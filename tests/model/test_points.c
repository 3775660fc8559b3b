/* Points: what lists are refused, and what edits and captures do to a row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/memory.h"
#include "model/points.h"

static const nt_config config = {.V = 10, .T = 16, .D = 6, .L = 3, .H = 2, .F = 24, .G = 2, .E = 3};
static const float six[6] = {1, 2, 3, 4, 5, 6};

static int see_nothing(void *payload, const nt_seen *seen) {
    (void)payload;
    (void)seen;
    return 0;
}

static int try_edit(nt_edit edit) {
    nt_points points = {0};
    int status = nt_points_set_edits(&points, &config, &edit, 1);
    assert_int_equal(points.n_edits, status == NT_OK);
    nt_points_free(&points);
    return status;
}

static nt_edit edit_at(nt_point point, int32_t layer, int32_t head, int32_t position) {
    return (nt_edit){.place = {point, layer, head, position}, .action = NT_ZERO};
}

static void refused_edits(void **state) {
    (void)state;
    assert_int_equal(try_edit(edit_at(NT_POINT_HEAD_OUT, 2, 1, 15)), NT_OK);
    assert_int_equal(try_edit(edit_at(NT_POINT_HEAD_OUT, NT_EVERY, NT_EVERY, NT_EVERY)), NT_OK);
    assert_int_equal(try_edit(edit_at(NT_POINT_EMBEDDING, 99, 99, 0)), NT_OK); /* ignored there */
    assert_int_equal(try_edit(edit_at(NT_POINT_MLP_OUT, 0, 99, 0)), NT_OK);
    assert_int_equal(try_edit(edit_at(NT_POINT_ATTENTION, 0, 0, 0)), NT_E_ARGUMENT);
    assert_int_equal(try_edit(edit_at(NT_POINT_HEAD_OUT, 3, 0, 0)), NT_E_RANGE);
    assert_int_equal(try_edit(edit_at(NT_POINT_HEAD_OUT, -2, 0, 0)), NT_E_RANGE);
    assert_int_equal(try_edit(edit_at(NT_POINT_HEAD_OUT, 0, 2, 0)), NT_E_RANGE);
    assert_int_equal(try_edit(edit_at(NT_POINT_BLOCK_IN, 0, 0, 16)), NT_E_RANGE);
    assert_int_equal(try_edit(edit_at(NT_POINT_BLOCK_IN, 0, 0, -2)), NT_E_RANGE);
    assert_int_equal(try_edit(edit_at((nt_point)NT_N_POINTS, 0, 0, 0)), NT_E_ARGUMENT);
    nt_edit edit = edit_at(NT_POINT_HEAD_OUT, 0, 0, 0);
    edit.action = (nt_action)77;
    assert_int_equal(try_edit(edit), NT_E_ARGUMENT);
    edit.action = NT_ADD;
    assert_int_equal(try_edit(edit), NT_E_ARGUMENT); /* no values */
    edit.values = six;
    edit.n_values = 6;
    assert_int_equal(try_edit(edit), NT_E_ARGUMENT); /* a head is 3 wide */
    edit.n_values = 3;
    assert_int_equal(try_edit(edit), NT_OK);
    edit.place.point = NT_POINT_MLP_OUT;
    edit.action = NT_REPLACE;
    assert_int_equal(try_edit(edit), NT_E_ARGUMENT);
    edit.n_values = 6;
    assert_int_equal(try_edit(edit), NT_OK);
}

static void refused_captures(void **state) {
    (void)state;
    nt_points points = {0};
    nt_capture capture = {.place = {NT_POINT_ATTENTION, 2, NT_EVERY, NT_EVERY}};
    assert_int_equal(nt_points_set_captures(&points, &config, &capture, 1), NT_E_ARGUMENT);
    capture.see = see_nothing;
    assert_int_equal(nt_points_set_captures(&points, &config, &capture, 1), NT_OK);
    capture.place.layer = 3;
    assert_int_equal(nt_points_set_captures(&points, &config, &capture, 1), NT_E_RANGE);
    assert_int_equal(points.n_captures, 1); /* the list before stays */
    assert_int_equal(nt_points_set_captures(&points, &config, NULL, 1), NT_E_ARGUMENT);
    nt_memory_fail_at(1);
    assert_int_equal(nt_points_set_captures(&points, &config, &capture, 1), NT_E_MEMORY);
    nt_memory_fail_at(0);
    assert_true(nt_points_wants(&points, NT_POINT_ATTENTION, 2));
    assert_false(nt_points_wants(&points, NT_POINT_ATTENTION, 1));
    assert_false(nt_points_wants(&points, NT_POINT_HEAD_OUT, 2));
    assert_int_equal(nt_points_set_captures(&points, &config, NULL, 0), NT_OK);
    assert_false(nt_points_wants(&points, NT_POINT_ATTENTION, 2));
    nt_points_free(&points);
}

static void apply_to(float x[6], nt_at at, const nt_edit *edits, size_t n) {
    nt_points points = {0};
    memcpy(x, six, sizeof six);
    assert_int_equal(nt_points_set_edits(&points, &config, edits, n), NT_OK);
    at.x = x;
    assert_int_equal(nt_points_at(&points, &at), NT_OK);
    nt_points_free(&points);
}

static void edits_act_where_they_say(void **state) {
    (void)state;
    nt_at heads = {NT_POINT_HEAD_OUT, .layer = 1,  .position = 4,
                   .n_parts = 2,      .n_part = 3, .ld = 3};
    nt_at whole = {NT_POINT_BLOCK_IN, .layer = 1,  .position = 4,
                   .n_parts = 1,      .n_part = 6, .ld = 6};
    float x[6];
    apply_to(x, heads, (nt_edit[]){edit_at(NT_POINT_HEAD_OUT, 1, 1, 4)}, 1);
    assert_memory_equal(x, ((float[]){1, 2, 3, 0, 0, 0}), sizeof x);
    apply_to(x, heads, (nt_edit[]){edit_at(NT_POINT_HEAD_OUT, NT_EVERY, 0, NT_EVERY)}, 1);
    assert_memory_equal(x, ((float[]){0, 0, 0, 4, 5, 6}), sizeof x);
    nt_edit elsewhere[] = {edit_at(NT_POINT_HEAD_OUT, 0, 1, 4), edit_at(NT_POINT_HEAD_OUT, 1, 1, 5),
                           edit_at(NT_POINT_MLP_OUT, 1, 1, 4)};
    apply_to(x, heads, elsewhere, 3);
    assert_memory_equal(x, six, sizeof x);
    /* In order: (x + v) * 2, not x * 2 + v; heads are ignored where there are none. */
    nt_edit list[] = {
        {.place = {NT_POINT_BLOCK_IN, 1, 5, 4}, .action = NT_ADD, .values = six, .n_values = 6},
        {.place = {NT_POINT_BLOCK_IN, 1, 0, 4}, .action = NT_SCALE, .factor = 2},
    };
    apply_to(x, whole, list, 2);
    assert_memory_equal(x, ((float[]){4, 8, 12, 16, 20, 24}), sizeof x);
    list[0].action = NT_REPLACE;
    list[1].factor = -1;
    apply_to(x, whole, list, 2);
    assert_memory_equal(x, ((float[]){-1, -2, -3, -4, -5, -6}), sizeof x);
}

typedef struct seen_list {
    nt_seen seen[8];
    float first[8];
    size_t n, stop_at;
} seen_list;

static int remember(void *payload, const nt_seen *seen) {
    seen_list *list = payload;
    list->seen[list->n] = *seen;
    list->first[list->n++] = seen->values[0];
    return list->n == list->stop_at;
}

static void captures_see_edited_values(void **state) {
    (void)state;
    nt_points points = {0};
    seen_list list = {0};
    float x[6];
    memcpy(x, six, sizeof six);
    nt_edit edit = {.place = {NT_POINT_HEAD_OUT, 0, 1, NT_EVERY}, .action = NT_SCALE, .factor = 10};
    nt_capture capture = {{NT_POINT_HEAD_OUT, NT_EVERY, NT_EVERY, NT_EVERY}, remember, &list};
    assert_int_equal(nt_points_set_captures(&points, &config, &capture, 1), NT_OK);
    assert_int_equal(nt_points_set_edits(&points, &config, &edit, 1), NT_OK);
    nt_at at = {NT_POINT_HEAD_OUT, 0, 7, 5, 2, 3, 3, x};
    assert_int_equal(nt_points_at(&points, &at), NT_OK);
    assert_int_equal(list.n, 2);
    assert_true(list.first[0] == 1 && list.first[1] == 40);
    assert_int_equal(list.seen[1].place.head, 1);
    assert_int_equal(list.seen[1].place.layer, 0);
    assert_int_equal(list.seen[1].place.position, 5);
    assert_int_equal(list.seen[1].sequence, 7);
    assert_int_equal(list.seen[1].n, 3);
    list.stop_at = 3;
    assert_int_equal(nt_points_at(&points, &at), NT_E_CANCELLED);
    assert_int_equal(list.n, 3);
    nt_points_free(&points);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refused_edits),
        cmocka_unit_test(refused_captures),
        cmocka_unit_test(edits_act_where_they_say),
        cmocka_unit_test(captures_see_edited_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
