/* The hashes, against the examples that NIST publishes with FIPS 180, and git's own for blobs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hub/hash.h"

static const char two_blocks[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";

static const struct {
    const char *text;
    const char *sha1, *sha256;
} examples[] = {
    {"", "da39a3ee5e6b4b0d3255bfef95601890afd80709",
     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", "a9993e364706816aba3e25717850c26c9cd0d89d",
     "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {two_blocks, "84983e441c3bd26ebaae4aa1f95129e5e54670f1",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};

static void expect(nt_hash_kind kind, const void *bytes, size_t n, size_t part,
                   const char *wanted) {
    nt_hash hash;
    char found[NT_HASH_TEXT];
    nt_hash_begin(&hash, kind);
    for (size_t at = 0; at < n; at += part)
        nt_hash_put(&hash, (const char *)bytes + at, n - at < part ? n - at : part);
    nt_hash_end(found, &hash);
    assert_string_equal(found, wanted);
}

static void nist(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        size_t n = strlen(examples[i].text);
        for (size_t part = 1; part <= n + 1; part++) {
            expect(NT_SHA1, examples[i].text, n, part, examples[i].sha1);
            expect(NT_SHA256, examples[i].text, n, part, examples[i].sha256);
        }
    }
}

static void a_million(void **state) {
    (void)state;
    const size_t n = 1000000, parts[] = {1, 63, 64, 65, 997, 1000000};
    char *as = malloc(n);
    assert_non_null(as);
    memset(as, 'a', n);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        expect(NT_SHA1, as, n, parts[i], "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
        expect(NT_SHA256, as, n, parts[i],
               "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    }
    free(as);
}

static void blobs(void **state) {
    (void)state;
    nt_hash hash;
    char found[NT_HASH_TEXT];
    nt_hash_begin_blob(&hash, NT_SHA1, 0);
    nt_hash_end(found, &hash);
    assert_string_equal(found, "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"); /* git's empty blob */
    nt_hash_begin_blob(&hash, NT_SHA1, 6);
    nt_hash_put(&hash, "hello\n", 6);
    nt_hash_end(found, &hash);
    assert_string_equal(found, "ce013625030ba8dba906f756967f9e9ca394464a"); /* git hash-object */
    nt_hash_begin_blob(&hash, NT_SHA256, 3);
    nt_hash_put(&hash, "abc", 3);
    nt_hash_end(found, &hash);
    assert_string_equal(found, examples[1].sha256);
}

static void kinds(void **state) {
    (void)state;
    assert_int_equal(nt_hash_kind_of(examples[0].sha1), NT_SHA1);
    assert_int_equal(nt_hash_kind_of(examples[0].sha256), NT_SHA256);
    const char *const none[] = {"",
                                "abc",
                                "DA39A3EE5E6B4B0D3255BFEF95601890AFD80709",
                                "da39a3ee5e6b4b0d3255bfef95601890afd8070",
                                "da39a3ee5e6b4b0d3255bfef95601890afd807091",
                                "../../../../../../../../../../../../../e",
                                "da39a3ee5e6b4b0d3255bfef95601890afd8070/"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_int_equal(nt_hash_kind_of(none[i]), NT_HASH_NONE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nist),
        cmocka_unit_test(a_million),
        cmocka_unit_test(blobs),
        cmocka_unit_test(kinds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
