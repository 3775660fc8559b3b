/* For tests of the readers of checkpoints: what a file came to against what a case expects, and
 * damage done at random. */
#ifndef NT_TESTS_READING_H
#define NT_TESTS_READING_H

#include "base/memory.h"
#include "folder.h"
#include "format/bits.h"

static inline void expect_message(const char *name, int status, const json_t *expected) {
    const char *message = nt_error_message();
    if (strcmp(nt_status_name(status), text_of(expected, "status")) != 0)
        fail_msg("%s: %s (%s)", name, nt_status_name(status), message);
    size_t i;
    json_t *phrase;
    json_array_foreach(json_object_get(expected, "phrases"), i, phrase) {
        if (!strstr(message, json_string_value(phrase)))
            fail_msg("%s: \"%s\" is not in: %s", name, json_string_value(phrase), message);
    }
    if (!strstr(message, "weights.safetensors"))
        fail_msg("%s: the file is not named: %s", name, message);
}

/* Tensor i of the set against the library's: name, shape and the bits of its numbers. */
static inline void expect_tensor(const char *name, const nt_tensors *tensors, size_t i,
                                 const json_t *expected) {
    const nt_tensor *tensor = nt_tensors_at(tensors, i);
    assert_non_null(tensor);
    assert_string_equal(tensor->name, text_of(expected, "name"));
    assert_ptr_equal(nt_tensors_find(tensors, tensor->name), tensor);
    assert_string_equal(nt_dtype_name(tensor->dtype), text_of(expected, "dtype"));
    const json_t *shape = json_object_get(expected, "shape");
    const json_t *bits = json_object_get(expected, "bits");
    assert_int_equal(tensor->n_dims, json_array_size(shape));
    for (size_t k = 0; k < json_array_size(shape); k++)
        assert_int_equal(tensor->shape[k], json_integer_value(json_array_get(shape, k)));
    assert_int_equal(tensor->n_items, json_array_size(bits));
    for (size_t k = 0; k < json_array_size(bits); k++) {
        float value = nt_dtype_load(tensor->data, tensor->dtype, k);
        int32_t found;
        memcpy(&found, &value, sizeof found);
        if (found != json_integer_value(json_array_get(bits, k)))
            fail_msg("%s: %s[%zu] is %.9g", name, tensor->name, k, (double)value);
    }
}

/* Each of the cases must be refused as it says. */
static inline size_t expect_broken(const json_t *cases) {
    size_t i, n;
    json_t *one;
    json_array_foreach(json_object_get(cases, "broken"), i, one) {
        unsigned char *bytes = bytes_of(&n, one, "hex");
        nt_tensors *tensors = (nt_tensors *)&n;
        int status = nt_tensors_parse(&tensors, bytes, n, "weights.safetensors");
        expect_message(text_of(one, "name"), status, one);
        assert_null(tensors);
        free(bytes);
    }
    return i;
}

/* Tensors that are there and not given, by their names. */
static inline void expect_odd(const char *name, const nt_tensors *tensors, const json_t *odd) {
    size_t i;
    json_t *one;
    json_array_foreach(odd, i, one) {
        const nt_tensor *tensor;
        const char *wanted = json_string_value(one);
        if (!nt_tensors_has(tensors, wanted)) fail_msg("%s: %s is lost", name, wanted);
        assert_null(nt_tensors_find(tensors, wanted));
        assert_int_equal(nt_tensors_get(&tensor, tensors, wanted, 0, NULL), NT_E_UNSUPPORTED);
        assert_null(tensor);
    }
    assert_null(nt_tensors_name(tensors, nt_tensors_count(tensors) + i));
}

/* Each of the cases must be read, to the bit. */
static inline size_t expect_sound(const json_t *cases) {
    size_t i, n;
    json_t *one;
    json_array_foreach(json_object_get(cases, "sound"), i, one) {
        unsigned char *bytes = bytes_of(&n, one, "hex");
        nt_tensors *tensors;
        const char *name = text_of(one, "name");
        if (nt_tensors_parse(&tensors, bytes, n, "weights.safetensors") != NT_OK)
            fail_msg("%s: %s", name, nt_error_message());
        const json_t *expected = json_object_get(one, "tensors");
        assert_int_equal(nt_tensors_count(tensors), json_array_size(expected));
        for (size_t k = 0; k < json_array_size(expected); k++)
            expect_tensor(name, tensors, k, json_array_get(expected, k));
        assert_null(nt_tensors_at(tensors, json_array_size(expected)));
        expect_odd(name, tensors, json_object_get(one, "odd"));
        nt_tensors_free(tensors);
        free(bytes);
    }
    return i;
}

static uint64_t random_state = 20240607;

static inline uint32_t random_below(uint32_t n) {
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((random_state >> 33) % n);
}

/* Reads every number that the reader hands out: a sanitizer sees one outside the file. */
static inline uint32_t all_bits(const nt_tensors *tensors) {
    uint32_t all = 0;
    for (size_t i = 0; i < nt_tensors_count(tensors); i++)
        all |= tensor_bits(nt_tensors_at(tensors, i));
    return all;
}

/* Parses bytes [n] once for each allocation that fails, at least `least` of them, then whole. */
static inline nt_tensors *parse_through_failures(const unsigned char *bytes, size_t n,
                                                 size_t least) {
    nt_tensors *tensors = NULL;
    int status = NT_E_MEMORY;
    size_t k = 0;
    while (status == NT_E_MEMORY) {
        nt_memory_fail_at(++k);
        status = nt_tensors_parse(&tensors, bytes, n, "w");
        nt_memory_fail_at(0);
        if (status == NT_E_MEMORY) assert_null(tensors);
    }
    assert_int_equal(status, NT_OK);
    assert_true(k > least);
    return tensors;
}

/* One to four changes: a byte, a digit, a piece moved, an end cut. Returns the new length. */
static inline size_t damage(unsigned char *bytes, size_t n) {
    for (uint32_t times = 1 + random_below(4); times > 0 && n > 0; times--) {
        size_t at = random_below((uint32_t)n);
        switch (random_below(5)) {
        case 0: bytes[at] = (unsigned char)random_below(256); break;
        case 1: bytes[at] ^= (unsigned char)(1u << random_below(8)); break;
        case 2: bytes[at] = (unsigned char)"0123456789-[]{},:\".e"[random_below(20)]; break;
        case 3: {
            size_t from = random_below((uint32_t)n), length = random_below(12);
            if (from + length <= n && at + length <= n) memmove(bytes + at, bytes + from, length);
            break;
        }
        default: n -= random_below(n > 4 ? 4 : 1); break;
        }
    }
    return n;
}

/* The sound files by turns, each damaged: read or refused, and both often. */
static inline void damage_sound_files(const json_t *cases, int rounds) {
    const json_t *sound = json_object_get(cases, "sound");
    size_t accepted = 0, refused = 0;
    uint32_t seen = 0;
    for (int round = 0; round < rounds; round++) {
        size_t n;
        unsigned char *bytes =
            bytes_of(&n, json_array_get(sound, (size_t)round % json_array_size(sound)), "hex");
        n = damage(bytes, n);
        unsigned char *exact = malloc(n ? n : 1);
        assert_non_null(exact);
        memcpy(exact, bytes, n);
        nt_tensors *tensors;
        int status = nt_tensors_parse(&tensors, exact, n, "w");
        if (status == NT_OK) {
            seen |= all_bits(tensors);
            accepted++;
        } else {
            assert_true(status == NT_E_FORMAT || status == NT_E_UNSUPPORTED);
            assert_null(tensors);
            refused++;
        }
        nt_tensors_free(tensors);
        free(exact);
        free(bytes);
    }
    assert_true(accepted > 1000 && refused > 10000); /* both ways were walked */
    assert_int_equal(seen, UINT32_MAX);
}

#endif
