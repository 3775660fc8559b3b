/* Vocabularies and merges: GPT-2's both ways, from its files and from the image in the program. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/utf8.h"
#include "folder.h"
#include "text/files/image.h"
#include "text/reading.h"
#include "text/vocab/added.h"
#include "text/vocab/byte_level.h"

#define GPT2 NT_SOURCE_DIR "/models/gpt2/"

/* ---- GPT-2, token by token, against jansson and a plain reading of merges.txt ---------------- */

static void same_vocabulary(const nt_lexicon *lexicon) {
    json_error_t error;
    json_t *vocab = json_load_file(GPT2 "vocab.json", 0, &error), *value;
    assert_non_null(vocab);
    assert_int_equal(json_object_size(vocab), 50257);
    assert_int_equal(lexicon->n, 50257);
    assert_int_equal(lexicon->n_ids, 50257);
    const char *content;
    json_object_foreach(vocab, content, value) {
        size_t n = strlen(content);
        const nt_piece *piece = nt_lexicon_find(lexicon, content, n);
        assert_non_null(piece);
        assert_int_equal(piece->id, json_integer_value(value));
        assert_ptr_equal(nt_lexicon_at(lexicon, json_integer_value(value)), piece);
        assert_int_equal(piece->n_content, n);
        assert_string_equal(nt_piece_content(lexicon, piece), content);
        assert_null(nt_lexicon_find(lexicon, content, n + 1)); /* with its zero byte */
    }
    json_decref(vocab);
    assert_null(nt_lexicon_at(lexicon, 50257));
    assert_null(nt_lexicon_at(lexicon, -1));
}

static void same_merges(const nt_merges *merges, const nt_lexicon *lexicon) {
    FILE *file = fopen(GPT2 "merges.txt", "r");
    assert_non_null(file);
    char line[512], left[256], right[256], whole[512];
    uint32_t rank = 0, found = 0;
    while (fgets(line, sizeof line, file)) {
        if (strncmp(line, "#version", 8) == 0) continue;
        assert_int_equal(sscanf(line, "%255[^ ] %255[^\n]", left, right), 2);
        snprintf(whole, sizeof whole, "%s%s", left, right);
        uint32_t a = id_of(lexicon, left), b = id_of(lexicon, right);
        assert_int_equal(find_merge(&found, merges, a, b), rank);
        assert_int_equal(found, id_of(lexicon, whole));
        rank++;
    }
    fclose(file);
    assert_int_equal(rank, 50000);
    assert_int_equal(merges->n_ranks, 50000);
    size_t n = 0;
    for (size_t i = 0; i <= merges->mask; i++)
        n += merges->slots[i] != UINT64_MAX;
    assert_int_equal(n, 50000); /* and no other */
    assert_true(n < merges->mask + 1);
    assert_int_equal(find_merge(&found, merges, 50256, 50256), NT_NO_MERGE);
}

static void gpt2_from_its_files(void **state) {
    (void)state;
    nt_lexicon lexicon = new_lexicon();
    nt_bpe bpe = {0};
    take_ok(nt_read_vocab_file(&lexicon, GPT2 "vocab.json"));
    take_ok(nt_read_merges_file(&bpe, &lexicon, GPT2 "merges.txt"));
    same_vocabulary(&lexicon);
    same_merges(&bpe.merges, &lexicon);
    nt_merges_free(&bpe.merges);
    nt_lexicon_free(&lexicon);
}

/* The character of a byte by GPT-2's own rule: printable ones stand for themselves, the others for
 * U+0100 and on, in order. */
static int32_t char_of_byte(int byte) {
    int32_t next = 0x100;
    for (int b = 0; b < 256; b++) {
        bool printable = (b >= '!' && b <= '~') || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
        if (b == byte) return printable ? b : next;
        next += !printable;
    }
    return -1;
}

static void gpt2_from_the_image(void **state) {
    (void)state;
    nt_lexicon lexicon;
    nt_bpe bpe = {0};
    nt_gpt2_image(&lexicon, &bpe);
    same_vocabulary(&lexicon);
    same_merges(&bpe.merges, &lexicon);
    for (size_t i = 0; i < lexicon.n; i++) { /* spelled */
        const nt_piece *piece = &lexicon.pieces[i];
        char content[1024], *end = content;
        const char *bytes = nt_piece_bytes(&lexicon, piece);
        assert_in_range(piece->n_bytes, 1, 500);
        for (size_t k = 0; k < piece->n_bytes; k++)
            end += nt_utf8_put(end, char_of_byte((unsigned char)bytes[k]));
        assert_int_equal(end - content, piece->n_content);
        assert_memory_equal(content, nt_piece_content(&lexicon, piece), piece->n_content);
        assert_int_equal(bytes[piece->n_bytes], 0);
        assert_int_equal(piece->added, piece->id == 50256);
    }
    refused(nt_lexicon_add(&lexicon, "a z", 3, 50257, "here"), NT_E_UNSUPPORTED,
            "\"a z\" cannot join");
    take_ok(nt_lexicon_spell(&lexicon, &lexicon.pieces[3], "changed", 7));
    assert_int_not_equal(lexicon.pieces[3].n_bytes, 7);
    nt_merges_free(&bpe.merges);
    nt_lexicon_free(&lexicon);
    nt_gpt2_image(&lexicon, &bpe); /* still there */
    assert_int_equal(id_of(&lexicon, "\xC4\xA0the"), 262);
}

/* What the image brings is what nt_bpe_finish makes of the files; only the places in tables that
 * hash with the seed differ. */
static void image_is_finished(void **state) {
    (void)state;
    nt_lexicon mine = new_lexicon(), lexicon;
    nt_bpe bpe = {0}, image = {0};
    take_ok(nt_read_vocab_file(&mine, GPT2 "vocab.json"));
    take_ok(nt_read_merges_file(&bpe, &mine, GPT2 "merges.txt"));
    take_ok(nt_bpe_finish(&bpe, &mine));
    assert_int_equal(nt_gpt2_image(&lexicon, &image), 50256);
    assert_memory_equal(image.byte_ids, bpe.byte_ids, sizeof bpe.byte_ids);
    assert_memory_equal(image.fallback_ids, bpe.fallback_ids, sizeof bpe.fallback_ids);
    assert_true(image.all_bytes && bpe.all_bytes && image.plain && bpe.plain && image.borrowed);
    assert_int_equal(image.meta_id, bpe.meta_id);
    assert_int_equal(image.n_pieces, bpe.n_pieces);
    assert_memory_equal(image.merges.wholes, bpe.merges.wholes, 50000 * sizeof(uint32_t));
    const nt_bpe_tables *a = &image.tables, *b = &bpe.tables;
    assert_memory_equal(a->byte_pairs, b->byte_pairs, 65536 * sizeof *a->byte_pairs);
    assert_memory_equal(a->byte_joints, b->byte_joints, 1024 * sizeof *a->byte_joints);
    assert_memory_equal(a->joints, b->joints, NT_BPE_JOINTS / 8);
    assert_memory_equal(a->inner_ids, b->inner_ids, NT_BPE_CODES * sizeof *a->inner_ids);
    for (uint32_t left = 0; left < 50257; left += 97) /* pairs that mostly do not merge */
        for (uint32_t right = 0; right < 50257; right += 89)
            assert_int_equal(nt_merges_rank(&image.merges, left, right),
                             nt_merges_rank(&bpe.merges, left, right));
    nt_bpe_free(&image);
    nt_bpe_free(&bpe);
    nt_lexicon_free(&lexicon);
    nt_lexicon_free(&mine);
}

/* Which bytes stand side by side in a token, by a plain reading of the spelled tokens. */
static void joints_of_tokens(void **state) {
    (void)state;
    static uint8_t seen[65536];
    nt_lexicon lexicon;
    nt_bpe bpe = {0};
    nt_gpt2_image(&lexicon, &bpe);
    memset(seen, 0, sizeof seen);
    for (size_t k = 0; k < lexicon.n; k++) { /* <|endoftext|> is a token as well */
        const unsigned char *bytes = (const void *)nt_piece_bytes(&lexicon, &lexicon.pieces[k]);
        for (size_t i = 1; i < lexicon.pieces[k].n_bytes; i++)
            seen[bytes[i - 1] << 8 | bytes[i]] = 1;
    }
    for (size_t pair = 0; pair < 65536; pair++)
        assert_int_equal(bpe.tables.byte_joints[pair >> 6] >> (pair & 63) & 1, seen[pair]);
}

/* ---- Tables --------------------------------------------------------------------------------- */

/* Contents of every length that differ in one byte are different tokens. */
static void contents_by_the_byte(void **state) {
    (void)state;
    nt_lexicon lexicon = new_lexicon();
    char content[41];
    uint32_t id = 0;
    for (size_t n = 0; n <= 40; n++) {
        memset(content, 'a', sizeof content);
        take_ok(nt_lexicon_add(&lexicon, content, n, id++, "here"));
        for (size_t k = 0; k < n; k++) {
            memset(content, 'a', sizeof content);
            content[k] = 'b';
            assert_null(nt_lexicon_find(&lexicon, content, n));
            take_ok(nt_lexicon_add(&lexicon, content, n, id++, "here"));
        }
    }
    id = 0;
    for (size_t n = 0; n <= 40; n++) {
        memset(content, 'a', sizeof content);
        assert_int_equal(nt_lexicon_find(&lexicon, content, n)->id, id++);
        for (size_t k = 0; k < n; k++) {
            memset(content, 'a', sizeof content);
            content[k] = 'b';
            assert_int_equal(nt_lexicon_find(&lexicon, content, n)->id, id++);
        }
    }
    refused(nt_lexicon_add(&lexicon, "bbb", 3, 0, "here"), NT_E_FORMAT,
            "here: tokens \"\" and \"bbb\" share the id 0");
    refused(nt_lexicon_add(&lexicon, "aaa", 3, 9999, "here"), NT_E_FORMAT,
            "here: token \"aaa\" stands twice");
    refused(nt_lexicon_add(&lexicon, "bbb", 3, NT_MAX_ID + 1, "here"), NT_E_FORMAT,
            "ids end at 16777215");
    assert_null(nt_lexicon_find(&lexicon, "bbb", 3));
    nt_lexicon_free(&lexicon);
}

static void spelled_tokens(void **state) {
    (void)state;
    nt_lexicon lexicon = new_lexicon();
    take_ok(nt_lexicon_add(&lexicon, "ab", 2, 0, "here"));
    take_ok(nt_lexicon_add(&lexicon, "cd", 2, 1, "here"));
    nt_piece *piece = lexicon.pieces;
    assert_string_equal(nt_piece_bytes(&lexicon, piece), "ab"); /* its content, until spelled */
    size_t before = lexicon.text.n;
    take_ok(nt_lexicon_spell(&lexicon, piece, "ab", 2));
    assert_int_equal(lexicon.text.n, before);
    take_ok(nt_lexicon_spell(&lexicon, piece, " b\0", 3));
    assert_int_equal(piece->n_bytes, 3);
    assert_memory_equal(nt_piece_bytes(&lexicon, piece), " b\0", 4);
    take_ok(nt_lexicon_spell(&lexicon, piece, NULL, 0));
    assert_int_equal(piece->n_bytes, 0);
    assert_string_equal(nt_piece_content(&lexicon, piece), "ab");
    nt_lexicon_free(&lexicon);
}

static void pairs_in_a_table(void **state) {
    (void)state;
    enum { N = 300 };
    nt_merges merges;
    take_ok(nt_merges_init(&merges, N * N / 2, 7));
    for (uint32_t a = 0; a < N; a++)
        for (uint32_t b = a % 2; b < N; b += 2)
            nt_merges_put(&merges, a, b, a * N + b, b);
    assert_int_equal(merges.n_ranks, (N - 1) * N + N);
    nt_merges_put(&merges, 4, 6, 1, 2);
    for (uint32_t a = 0; a < N; a++) {
        for (uint32_t b = 0; b < N; b++) {
            uint32_t whole = 77777, rank = find_merge(&whole, &merges, a, b);
            bool there = a % 2 == b % 2, again = a == 4 && b == 6;
            assert_int_equal(rank, !there ? NT_NO_MERGE : again ? 1 : a * N + b);
            assert_int_equal(whole, !there ? 77777 : again ? 2 : b);
        }
    }
    nt_merges_free(&merges);
}

/* Ids and ranks that cannot be packed, given after others that could be; every pair is still there.
 */
static void pairs_grow_wide(void **state) {
    (void)state;
    enum { N = 1000 };
    for (int kind = 0; kind < 3; kind++) {
        nt_merges merges;
        uint32_t last = kind == 1 ? (1 << 24) - 1 : N, far = kind == 0 ? (1 << 20) - 1 : N;
        take_ok(nt_merges_init(&merges, N + 1, 7));
        for (uint32_t i = 0; i < N; i++)
            take_ok(nt_merges_put(&merges, i, i * 7 % N, i, i + 1));
        assert_non_null(merges.slots);
        take_ok(nt_merges_put(&merges, N, far, last, 5));
        if (kind == 2) take_ok(nt_merges_widen(&merges));
        assert_null(merges.slots);
        assert_int_equal(merges.n_ranks, last + 1);
        uint32_t whole = 77777;
        for (uint32_t i = 0; i < N; i++) {
            assert_int_equal(find_merge(&whole, &merges, i, i * 7 % N), i);
            assert_int_equal(whole, i + 1);
            assert_int_equal(find_merge(&whole, &merges, i, i * 7 % N + 1), NT_NO_MERGE);
        }
        assert_int_equal(find_merge(&whole, &merges, N, far), last);
        assert_int_equal(whole, 5);
        nt_merges_free(&merges);
    }
}

/* Tables that nt_lexicon_reserve made too small grow out of their block. */
static void out_of_the_block(void **state) {
    (void)state;
    nt_lexicon lexicon = new_lexicon();
    take_ok(nt_lexicon_reserve(&lexicon, 3, 5));
    assert_non_null(lexicon.block);
    char content[32];
    for (int i = 0; i < 5000; i++) {
        int n = snprintf(content, sizeof content, "token %d", i);
        take_ok(nt_lexicon_add(&lexicon, content, (size_t)n, (uint32_t)i * 2, "here"));
    }
    for (int i = 0; i < 5000; i++) {
        snprintf(content, sizeof content, "token %d", i);
        assert_int_equal(id_of(&lexicon, content), i * 2);
        assert_string_equal(nt_piece_content(&lexicon, nt_lexicon_at(&lexicon, i * 2)), content);
        assert_null(nt_lexicon_at(&lexicon, i * 2 + 1));
    }
    nt_lexicon_free(&lexicon);
}

static void byte_level(void **state) {
    (void)state;
    char all[600];
    size_t n = 0;
    for (int b = 0; b < 256; b++) {
        char mine[4], theirs[2];
        size_t length = nt_utf8_put(mine, char_of_byte(b));
        assert_int_equal(nt_byte_level_char(theirs, (uint8_t)b), length);
        assert_memory_equal(mine, theirs, length);
        memcpy(all + n, mine, length);
        n += length;
    }
    nt_buffer out = {0};
    nt_buffer_puts(&out, "x");
    nt_byte_level_decode(&out, all, n);
    assert_int_equal(out.n, 257);
    for (int b = 0; b < 256; b++)
        assert_int_equal((unsigned char)out.data[1 + b], b);
    assert_int_equal(out.data[257], 0);
    static const char *const outside[] = {"a b",          "\x7F",    "\xC2\xA0", "\xC2\xAD",
                                          "\xC5\x84",     "a\xC4",   "\xC4z",    "\xE2\x82\xAC",
                                          "\xC4\xA0\xFF", "\xC0\xA1"};
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++) {
        nt_buffer_clear(&out);
        nt_byte_level_decode(&out, outside[i], strlen(outside[i]));
        assert_string_equal(out.data, outside[i]);
    }
    nt_buffer_free(&out);
}

/* ---- Added tokens ---------------------------------------------------------------------------- */

static int cut_short(void *payload, const char **bytes, size_t *n) {
    (void)payload;
    *n = **bytes == 'z' ? 0 : 1;
    return NT_OK;
}

static int make_long(void *payload, const char **bytes, size_t *n) {
    *bytes = payload;
    *n = NT_MAX_ADDED_BYTES + 1;
    return NT_OK;
}

/* Contents and ids at their limits; contents that normalizing makes empty, equal, or too long. */
static void limits_of_added_tokens(void **state) {
    (void)state;
    static char many[NT_MAX_ADDED_BYTES + 2];
    memset(many, 'x', sizeof many - 1);
    nt_lexicon lexicon = new_lexicon();
    nt_added added = {0};
    nt_added_token flags = {.normalized = true};
    take_ok(nt_lexicon_add(&lexicon, "a", 1, 0, "t"));
    take_ok(nt_added_add(&added, &lexicon, 1, "", 0, flags, "t"));
    assert_int_equal(added.n, 0);
    refused(nt_added_add(&added, &lexicon, 1, many, sizeof many - 1, flags, "t"), NT_E_UNSUPPORTED,
            "has 1025 bytes; the most is 1024");
    refused(nt_added_add(&added, &lexicon, (size_t)NT_MAX_ID + 1, "b", 1, flags, "t"), NT_E_FORMAT,
            "16777216");
    refused(nt_added_add(&added, &lexicon, (size_t)1 << 40, "b", 1, flags, "t"), NT_E_FORMAT,
            "16777216");
    nt_added_free(&added);

    take_ok(nt_added_add(&added, &lexicon, 1, many, sizeof many - 2, flags, "t"));
    assert_int_equal(id_of(&lexicon, many + 1), 1);
    refused(nt_added_finish(&added, &lexicon, make_long, many), NT_E_UNSUPPORTED,
            "1025 bytes when normalized");
    nt_added_free(&added);

    /* "ab" and "ac" are both looked for as "a": the first is found; "z" as nothing: never */
    take_ok(nt_added_add(&added, &lexicon, 2, "ab", 2, flags, "t"));
    take_ok(nt_added_add(&added, &lexicon, 2, "ac", 2, flags, "t"));
    take_ok(nt_added_add(&added, &lexicon, 2, "z", 1, flags, "t"));
    take_ok(nt_added_finish(&added, &lexicon, cut_short, NULL));
    nt_added_scan scan = {.added = &added, .trie = &added.normalized, .text = "zaz", .n = 3};
    static const struct {
        size_t start, end;
        int token;
    } spans[] = {{0, 1, -1}, {1, 2, 0}, {2, 3, -1}};
    for (size_t i = 0; i < 3; i++) {
        nt_span span;
        assert_true(nt_added_next(&span, &scan));
        assert_int_equal(span.start, spans[i].start);
        assert_int_equal(span.end, spans[i].end);
        assert_ptr_equal(span.token, spans[i].token < 0 ? NULL : &added.tokens[spans[i].token]);
    }
    nt_span span;
    assert_false(nt_added_next(&span, &scan));
    nt_added_free(&added);
    nt_lexicon_free(&lexicon);
}

/* Where a text may not be cut: across a token, and before the space that one takes; of either
 * pass. */
static void tokens_across(void **state) {
    (void)state;
    nt_lexicon lexicon = new_lexicon();
    nt_added added = {0};
    take_ok(nt_lexicon_add(&lexicon, "a", 1, 0, "t"));
    take_ok(nt_added_add(&added, &lexicon, 1, "<s>", 3, (nt_added_token){0}, "t"));
    take_ok(nt_added_add(&added, &lexicon, 1, "<r>", 3, (nt_added_token){.rstrip = true}, "t"));
    take_ok(nt_added_add(&added, &lexicon, 1, "(n)", 3, (nt_added_token){.normalized = true}, "t"));
    take_ok(nt_added_finish(&added, &lexicon, NULL, NULL));
    static char text[3000];
    memset(text, '<', sizeof text); /* starts that lead to nothing */
    static const size_t places[] = {0, 100, 2990};
    static const char *const contents[] = {"<s>", "<r>", "(n)"};
    for (size_t i = 0; i < 3; i++) {
        for (size_t k = 0; k < 3; k++) {
            size_t at = places[i];
            memcpy(text + at, contents[k], 3);
            memcpy(text + at + 3, " b", 2);
            for (size_t cut = 1; cut < 3; cut++)
                assert_true(nt_added_crosses(&added, text, sizeof text, at + cut));
            assert_int_equal(nt_added_crosses(&added, text, sizeof text, at + 3), k == 1);
            assert_false(nt_added_crosses(&added, text, sizeof text, at + 4));
            assert_false(at && nt_added_crosses(&added, text, sizeof text, at - 1));
        }
        memset(text, '<', sizeof text);
    }
    nt_added_free(&added);
    nt_lexicon_free(&lexicon);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gpt2_from_its_files),    cmocka_unit_test(gpt2_from_the_image),
        cmocka_unit_test(image_is_finished),      cmocka_unit_test(joints_of_tokens),
        cmocka_unit_test(pairs_grow_wide),        cmocka_unit_test(out_of_the_block),
        cmocka_unit_test(contents_by_the_byte),   cmocka_unit_test(spelled_tokens),
        cmocka_unit_test(pairs_in_a_table),       cmocka_unit_test(byte_level),
        cmocka_unit_test(limits_of_added_tokens), cmocka_unit_test(tokens_across),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
