/* Files that say what the image in the program says are known, however they are written, and by
 * every byte; what is opened so is what reading them would have made. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "folder.h"
#include "text/files/image.h"
#include "text/reading.h"
#include "text/support.h"
#include "text/tokenizer.h"

static json_t *vocab, *merges; /* GPT-2's: an object, and an array of "left right" */

static int read_gpt2(void **state) {
    (void)state;
    json_error_t error;
    char line[512];
    FILE *file = fopen(GPT2 "/merges.txt", "r");
    vocab = json_load_file(GPT2 "/vocab.json", 0, &error);
    merges = json_array();
    while (file && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = 0;
        if (strncmp(line, "#version", 8) != 0) json_array_append_new(merges, json_string(line));
    }
    if (file) fclose(file);
    return !vocab || json_array_size(merges) != 50000;
}

static int drop_gpt2(void **state) {
    (void)state;
    json_decref(vocab);
    json_decref(merges);
    return 0;
}

static char *read_file(const char *path, size_t *n) {
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char *bytes = malloc(4 << 20);
    assert_non_null(bytes);
    *n = fread(bytes, 1, 4 << 20, file);
    fclose(file);
    return bytes;
}

/* Whether the two are known; then every table has been lent. */
static bool is_taken(const nt_pair_of_files *files) {
    nt_lexicon lexicon = {.seed = 7};
    nt_bpe bpe = {0};
    bool taken = false;
    take_ok(nt_image_take(&taken, &lexicon, &bpe, files));
    assert_int_equal(taken, lexicon.borrowed);
    assert_int_equal(taken, bpe.borrowed);
    assert_int_equal(lexicon.n, taken ? 50257 : 0);
    for (size_t i = 0; i < lexicon.n; i++)
        assert_int_equal(lexicon.pieces[i].added, 0);
    nt_bpe_free(&bpe);
    nt_lexicon_free(&lexicon);
    return taken;
}

static nt_passage passage_n(const char *bytes, size_t n) {
    return (nt_passage){bytes, n, 1};
}

static json_t *as_pairs(const json_t *lines) {
    json_t *pairs = json_array(), *line;
    size_t i;
    json_array_foreach(lines, i, line) {
        const char *text = json_string_value(line), *space = strchr(text, ' ');
        json_array_append_new(pairs, json_pack("[s%s]", text, (int)(space - text), space + 1));
    }
    return pairs;
}

static void every_way_of_writing(void **state) {
    (void)state;
    static const size_t styles[] = {0,
                                    JSON_COMPACT,
                                    JSON_INDENT(2),
                                    JSON_INDENT(1) | JSON_COMPACT,
                                    JSON_ENSURE_ASCII,
                                    JSON_ENSURE_ASCII | JSON_INDENT(4)};
    json_t *pairs = as_pairs(merges);
    for (size_t i = 0; i < sizeof styles / sizeof *styles; i++) {
        char *v = json_dumps(vocab, styles[i]), *m = json_dumps(merges, styles[i]),
             *p = json_dumps(pairs, styles[i]);
        nt_pair_of_files strings = {passage_of(v), passage_of(m), false};
        nt_pair_of_files lists = {passage_of(v), passage_of(p), false};
        assert_true(is_taken(&strings));
        assert_true(is_taken(&lists));
        strings.lines = true; /* no merges.txt */
        assert_false(is_taken(&strings));
        free(v);
        free(m);
        free(p);
    }
    json_decref(pairs);
}

/* Each byte in turn is another one; the file ends there; it goes on behind its end. */
static void no_byte_is_passed_over(void **state) {
    (void)state;
    nt_pair_of_files files = {.lines = true};
    size_t n[2];
    char *text[2] = {read_file(GPT2 "/vocab.json", &n[0]), read_file(GPT2 "/merges.txt", &n[1])};
    for (int k = 0; k < 2; k++) {
        char *bytes = text[k];
        for (size_t at = 0; at < n[k]; at += at < 300 || at + 300 > n[k] ? 1 : 4099) {
            char was = bytes[at];
            bytes[at] = (char)(was ^ 1);
            files.vocab = passage_n(text[0], n[0]);
            files.merges = passage_n(text[1], n[1]);
            if (is_taken(&files)) fail_msg("byte %zu of file %d counts for nothing", at, k);
            bytes[at] = was;
            *(k ? &files.merges : &files.vocab) = passage_n(bytes, at);
            bool whole = k && at + 1 == n[k]; /* without the last newline */
            if (is_taken(&files) != whole) fail_msg("file %d may end at %zu", k, at);
        }
    }
    files.vocab = passage_n(text[0], n[0]);
    files.merges = passage_n(text[1], n[1]);
    assert_true(is_taken(&files));
    text[0][n[0]] = 'x';
    files.vocab.n++;
    assert_false(is_taken(&files));
    files.vocab.n--;
    memcpy(text[1] + n[1], "a b\n", 4);
    files.merges.n += 4;
    assert_false(is_taken(&files));
    free(text[0]);
    free(text[1]);
}

/* ---- What is opened so ------------------------------------------------------------------------
 */

/* tokenizer.json over GPT-2's vocabulary; `known`: in the order that is known. */
static nt_tokenizer *open_json(const char *parts, bool known) {
    json_error_t error;
    json_t *file = json_loads(parts, 0, &error), *model = json_object_get(file, "model");
    assert_non_null(model);
    json_t *other = json_object();
    if (!known) json_object_set(other, "\"", json_object_get(vocab, "\""));
    json_object_update(other, vocab);
    json_object_set_new(model, "vocab", other);
    json_object_set(model, "merges", merges);
    const char *folder = folder_new();
    char *text = json_dumps(file, 0);
    folder_put_text(folder, "tokenizer.json", text);
    free(text);
    json_decref(file);
    nt_tokenizer *tokenizer = open_tokenizer(folder);
    folder_remove(folder);
    return tokenizer;
}

static void same_ids(const nt_tokenizer *a, const nt_tokenizer *b, const char *text) {
    int32_t *ids[2];
    size_t n[2], n_back[2];
    char *back[2];
    const nt_tokenizer *both[2] = {a, b};
    for (int k = 0; k < 2; k++) {
        take_ok(nt_encode(&ids[k], NULL, NULL, &n[k], both[k], text, NT_ZERO_ENDED, NULL));
        take_ok(nt_decode(&back[k], &n_back[k], both[k], ids[k], n[k], false));
    }
    assert_int_equal(n[0], n[1]);
    assert_memory_equal(ids[0], ids[1], n[0] * sizeof *ids[0]);
    assert_string_equal(back[0], back[1]);
    for (int k = 0; k < 2; k++) {
        nt_free(ids[k]);
        nt_free(back[k]);
    }
}

static void same_tokenizer(const nt_tokenizer *a, const nt_tokenizer *b) {
    static const char *const texts[] = {
        "Alice was beginning to get very tired of sitting by her sister", "",
        "a<|endoftext|>b <|new|> <|NEW|> c",
        "  tabs\tand \xC3\xA9\xE2\x82\xAC \xF0\x9F\x98\x80 123",
        "ordinary new words antidisestablishmentarianism ''' 's"};
    size_t size = nt_tokenizer_size(a), n[2];
    assert_int_equal(size, nt_tokenizer_size(b));
    for (int32_t id = 0; id < (int32_t)size; id++) {
        const char *x = nt_tokenizer_content(a, id, &n[0]), *y = nt_tokenizer_content(b, id, &n[1]);
        assert_int_equal(n[0], n[1]);
        assert_memory_equal(x, y, n[0]);
        assert_int_equal(nt_tokenizer_id(a, x, n[0]), nt_tokenizer_id(b, y, n[1]));
        x = nt_tokenizer_bytes(a, id, &n[0]);
        y = nt_tokenizer_bytes(b, id, &n[1]);
        assert_int_equal(n[0], n[1]);
        assert_memory_equal(x, y, n[0]);
        assert_int_equal(nt_tokenizer_is_special(a, id), nt_tokenizer_is_special(b, id));
    }
    assert_int_equal(nt_tokenizer_id(a, "no such token", 13), -1);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        same_ids(a, b, texts[i]);
}

#define ADDED(content, special, normalized)                                                        \
    "{\"id\":1,\"content\":\"" content "\",\"single_word\":false,\"lstrip\":false,"                \
    "\"rstrip\":false,\"normalized\":" normalized ",\"special\":" special "}"
#define FILE_OF(added, normalizer, decoder)                                                        \
    "{\"version\":\"1.0\",\"truncation\":null,\"padding\":null,\"added_tokens\":[" added "],"      \
    "\"normalizer\":" normalizer ",\"pre_tokenizer\":{\"type\":\"ByteLevel\","                     \
    "\"add_prefix_space\":false,\"trim_offsets\":true,\"use_regex\":true},"                        \
    "\"post_processor\":null,\"decoder\":" decoder                                                 \
    ",\"model\":{\"type\":\"BPE\",\"dropout\":null,"                                               \
    "\"unk_token\":null,\"continuing_subword_prefix\":null,\"end_of_word_suffix\":null,"           \
    "\"fuse_unk\":false,\"byte_fallback\":false,\"ignore_merges\":false}}"
#define BYTES "{\"type\":\"ByteLevel\"}"

static const struct {
    const char *parts;
    bool lent; /* the image's own tables serve */
} cases[] = {
    {FILE_OF("", "null", BYTES), true},
    {FILE_OF(ADDED("<|endoftext|>", "true", "false"), "null", BYTES), true},
    {FILE_OF(ADDED(" new", "false", "true"), "null", BYTES), false},
    {FILE_OF(ADDED("the", "false", "true") "," ADDED("<|endoftext|>", "false", "false"), "null",
             BYTES),
     true},
    {FILE_OF(ADDED("<|new|>", "true", "false") "," ADDED("<|endoftext|>", "true", "false"), "null",
             BYTES),
     false},
    {FILE_OF(ADDED("<|NEW|>", "false", "true"), "{\"type\":\"Lowercase\"}", BYTES), false},
    {FILE_OF("", "null", "null"), false},
    {FILE_OF("", "null", "{\"type\":\"Fuse\"}"), false},
};

static void opened_as_read(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nt_tokenizer *known = open_json(cases[i].parts, true);
        nt_tokenizer *read = open_json(cases[i].parts, false);
        assert_true(known->subword.bpe.borrowed);
        assert_int_equal(known->lexicon.borrowed, cases[i].lent);
        assert_false(read->subword.bpe.borrowed || read->lexicon.borrowed);
        same_tokenizer(known, read);
        nt_tokenizer_free(known);
        nt_tokenizer_free(read);
    }
}

/* GPT-2's folder, and the same with the merges in another order: read as ever. */
static void the_folder(void **state) {
    (void)state;
    nt_tokenizer *known = open_tokenizer(GPT2);
    assert_true(known->lexicon.borrowed && known->subword.bpe.borrowed);
    size_t n[2];
    char *v = read_file(GPT2 "/vocab.json", &n[0]), *m = read_file(GPT2 "/merges.txt", &n[1]);
    const char *folder = folder_new();
    v[n[0] - 1] = ' '; /* '}' one later */
    v[n[0]] = '}';
    folder_put(folder, "vocab.json", v, n[0] + 1);
    m[9] = ':'; /* another version */
    folder_put(folder, "merges.txt", m, n[1]);
    nt_tokenizer *read = open_tokenizer(folder);
    folder_remove(folder);
    assert_false(read->lexicon.borrowed || read->subword.bpe.borrowed);
    same_tokenizer(known, read);
    nt_tokenizer_free(known);
    nt_tokenizer_free(read);
    free(v);
    free(m);
}

/* Memory that ends while the lexicon is made its own. */
static void owned_or_as_before(void **state) {
    (void)state;
    int status = NT_E_MEMORY;
    for (size_t k = 1; status != NT_OK; k++) {
        nt_lexicon lexicon;
        nt_bpe bpe = {0};
        nt_gpt2_image(&lexicon, &bpe);
        nt_memory_fail_at(k);
        status = nt_lexicon_own(&lexicon);
        nt_memory_fail_at(0);
        assert_int_equal(lexicon.borrowed, status != NT_OK);
        assert_int_equal(id_of(&lexicon, "\xC4\xA0the"), 262);
        if (status == NT_OK) {
            take_ok(nt_lexicon_add(&lexicon, "a z", 3, 50257, "here"));
            assert_int_equal(id_of(&lexicon, "a z"), 50257);
        }
        nt_lexicon_free(&lexicon);
        nt_bpe_free(&bpe);
        assert_in_range(k, 1, 20);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_way_of_writing), cmocka_unit_test(no_byte_is_passed_over),
        cmocka_unit_test(opened_as_read),       cmocka_unit_test(the_folder),
        cmocka_unit_test(owned_or_as_before),
    };
    return cmocka_run_group_tests(tests, read_gpt2, drop_gpt2);
}
