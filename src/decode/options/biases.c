/* Values that are several runs of ids: words that must not come, and biases. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "decode/options/values.h"

/* Runs of ids on the way in; words are biases of 0. */
typedef struct reading {
    const nt_option_setting *s;
    nt_arena *arena;
    nt_bias *items; /* [n] of capacity */
    size_t n;
} reading;

static int begin(reading *r, const nt_option_setting *s, size_t capacity) {
    *r = (reading){.s = s, .arena = nt_option_arena(s->memory)};
    if (!r->arena) return NT_E_MEMORY;
    r->items = nt_arena_alloc(r->arena, capacity, sizeof *r->items);
    return r->items ? NT_OK : NT_E_MEMORY;
}

/* ---- Ids ---- */

/* A JSON array of one id or more, each an integer from 0 to INT32_MAX. */
static int take_ids(reading *r, const json_t *list) {
    size_t n = json_array_size(list);
    if (n == 0 || (r->s->row->single_ids && n > 1)) return nt_option_refuse(r->s);
    int32_t *ids = nt_arena_alloc(r->arena, n, sizeof *ids);
    if (!ids) return NT_E_MEMORY;
    for (size_t i = 0; i < n; i++) {
        const json_t *item = json_array_get(list, i);
        json_int_t id = json_integer_value(item);
        if (!json_is_integer(item) || id < 0 || id > INT32_MAX) return nt_option_refuse(r->s);
        ids[i] = (int32_t)id;
    }
    r->items[r->n] = (nt_bias){ids, n, 0};
    return NT_OK;
}

/* The same from a key: "50256", "1,2", "(1, 2)", and "(1,)" as Python writes it. */
static int take_key(reading *r, const char *key, size_t n_key) {
    size_t capacity = 1, n = 0;
    nt_option_strip(&key, &n_key, '(', ')');
    for (size_t i = 0; i < n_key; i++)
        capacity += key[i] == ',';
    int32_t *ids = nt_arena_alloc(r->arena, capacity, sizeof *ids);
    if (!ids) return NT_E_MEMORY;
    for (const char *end = key + n_key; key < end;) {
        const char *comma = memchr(key, ',', (size_t)(end - key)), *item = key;
        size_t n_item = (size_t)((comma ? comma : end) - key);
        key += n_item + 1;
        nt_option_strip(&item, &n_item, '\0', '\0');
        int64_t id;
        if (!nt_option_integer(&id, item, n_item) || id < 0 || id > INT32_MAX)
            return nt_option_refuse(r->s);
        ids[n++] = (int32_t)id;
    }
    if (n == 0 || (r->s->row->single_ids && n > 1)) return nt_option_refuse(r->s);
    r->items[r->n] = (nt_bias){ids, n, 0};
    return NT_OK;
}

/* ---- Biases ---- */

static bool is_minus_infinity(const char *text, size_t n) {
    static const char *const names[] = {"-inf", "-Inf", "-Infinity", "-infinity"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strlen(names[i]) == n && memcmp(names[i], text, n) == 0) return true;
    return false;
}

/* Ends the item that was begun last. */
static int take_bias(reading *r, bool ok, double bias) {
    if (!ok || !(bias == -INFINITY || fabs(bias) <= FLT_MAX)) return nt_option_refuse(r->s);
    r->items[r->n++].bias = bias;
    return NT_OK;
}

static int bias_from_json(reading *r, const json_t *value) {
    const char *text = json_string_value(value);
    bool never = text && is_minus_infinity(text, strlen(text));
    return take_bias(r, never || json_is_number(value),
                     never ? -INFINITY : json_number_value(value));
}

static int bias_from_text(reading *r, const char *text, size_t n) {
    nt_option_strip(&text, &n, '\0', '\0');
    if (is_minus_infinity(text, n)) return take_bias(r, true, -INFINITY);
    bool ok;
    double bias = 0;
    NT_TRY(nt_option_number(&ok, &bias, text, n));
    return take_bias(r, ok, bias);
}

/* [[[1, 2], -0.5], [[50256], 2]]; where only single ids are taken they need no brackets. */
static int biases_from_list(reading *r, const json_t *list) {
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *pair = json_array_get(list, i), *ids = json_array_get(pair, 0);
        if (json_array_size(pair) != 2) return nt_option_refuse(r->s);
        if (json_is_integer(ids) && r->s->row->single_ids) {
            char key[24];
            int n = snprintf(key, sizeof key, "%lld", (long long)json_integer_value(ids));
            NT_TRY(take_key(r, key, (size_t)n));
        } else {
            NT_TRY(take_ids(r, ids));
        }
        NT_TRY(bias_from_json(r, json_array_get(pair, 1)));
    }
    return NT_OK;
}

/* {"50256": -100, "(1, 2)": 0.5} */
static int biases_from_object(reading *r, json_t *object) {
    for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at)) {
        const char *key = json_object_iter_key(at);
        NT_TRY(take_key(r, key, strlen(key)));
        NT_TRY(bias_from_json(r, json_object_iter_value(at)));
    }
    return NT_OK;
}

/* 50256:-100,11:2.5 */
static int biases_from_pairs(reading *r, const char *text) {
    for (const char *end = text + strlen(text); text <= end;) {
        const char *comma = strchr(text, ','), *item = text;
        size_t n = (size_t)((comma ? comma : end) - text);
        text += n + 1;
        const char *colon = memchr(item, ':', n);
        if (!colon) return nt_option_refuse(r->s);
        size_t n_key = (size_t)(colon - item);
        NT_TRY(take_key(r, item, n_key));
        NT_TRY(bias_from_text(r, colon + 1, n - n_key - 1));
    }
    return NT_OK;
}

static int in_order_of_ids(const void *left, const void *right) {
    const nt_bias *a = *(const nt_bias *const *)left, *b = *(const nt_bias *const *)right;
    if (a->n_ids != b->n_ids) return a->n_ids < b->n_ids ? -1 : 1;
    for (size_t i = 0; i < a->n_ids; i++)
        if (a->ids[i] != b->ids[i]) return a->ids[i] < b->ids[i] ? -1 : 1;
    return a < b ? -1 : 1;
}

static bool same_ids(const nt_bias *a, const nt_bias *b) {
    return a->n_ids == b->n_ids && memcmp(a->ids, b->ids, a->n_ids * sizeof *a->ids) == 0;
}

/* Ids that are there twice keep their first place and take their last bias, as in the dictionary
 * that transformers makes of them. */
static int merge_repeats(reading *r) {
    nt_bias **order = nt_alloc(r->n, sizeof *order);
    if (!order) return NT_E_MEMORY;
    for (size_t i = 0; i < r->n; i++)
        order[i] = &r->items[i];
    qsort(order, r->n, sizeof *order, in_order_of_ids);
    for (size_t i = 0, first = 0; i < r->n; i++) {
        if (!same_ids(order[first], order[i])) first = i;
        if (i == first) continue;
        order[first]->bias = order[i]->bias;
        order[i]->ids = NULL;
    }
    nt_free(order);
    size_t kept = 0;
    for (size_t i = 0; i < r->n; i++)
        if (r->items[i].ids) r->items[kept++] = r->items[i];
    r->n = kept;
    return NT_OK;
}

static int biases_of(const nt_option_setting *s, json_t *json) {
    reading r;
    bool object = json_is_object(json);
    size_t n = object ? json_object_size(json) : json_array_size(json);
    if (json && n == 0) return nt_option_refuse(s);
    if (!json) {
        for (const char *c = s->source.text; *c; c++)
            n += *c == ',';
        n++;
    }
    NT_TRY(begin(&r, s, n));
    if (!json) {
        NT_TRY(biases_from_pairs(&r, s->source.text));
    } else {
        NT_TRY(object ? biases_from_object(&r, json) : biases_from_list(&r, json));
    }
    NT_TRY(merge_repeats(&r));
    nt_option_set_list(s, r.items, r.n);
    return NT_OK;
}

/* ---- Words ---- */

static int words_of(const nt_option_setting *s, const json_t *json) {
    reading r;
    size_t n = json_array_size(json);
    if (n == 0) return nt_option_refuse(s);
    NT_TRY(begin(&r, s, n));
    nt_word *words = nt_arena_alloc(r.arena, n, sizeof *words);
    if (!words) return NT_E_MEMORY;
    for (; r.n < n; r.n++) {
        NT_TRY(take_ids(&r, json_array_get(json, r.n)));
        words[r.n] = (nt_word){r.items[r.n].ids, r.items[r.n].n_ids};
    }
    nt_option_set_list(s, words, n);
    return NT_OK;
}

/* ---- Both ---- */

/* JSON as it is, or text that holds it. */
static int with_json(const nt_option_setting *s, json_t **json) {
    *json = NULL;
    if (s->source.json) {
        *json = json_incref((json_t *)(uintptr_t)s->source.json);
        return NT_OK;
    }
    return nt_option_parse(json, s->source.text);
}

int nt_option_set_words(const nt_option_setting *s) {
    json_t *json;
    NT_TRY(with_json(s, &json));
    int status = words_of(s, json);
    json_decref(json);
    return status;
}

int nt_option_set_biases(const nt_option_setting *s) {
    json_t *json;
    NT_TRY(with_json(s, &json));
    bool pairs = !json && s->row->single_ids;
    int status = pairs || json_is_object(json) || json_is_array(json) ? biases_of(s, json)
                                                                      : nt_option_refuse(s);
    json_decref(json);
    return status;
}
