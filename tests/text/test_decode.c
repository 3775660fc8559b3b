/* Decoders against tokenizers 0.23.3 (tools/oracle/decoders.py), streams against whole texts, and
 * offsets in characters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "text/support.h"
#include "text/tokenizer.h"
#include "text/vocab/byte_level.h"

enum { N_COMMON = 40, N_MOST = 3 * 2000 };

/* A tokenizer with a vocabulary and a decoder, and nothing that encodes. */
static void add_piece(nt_tokenizer *tokenizer, const char *content, size_t n) {
    uint32_t id = (uint32_t)tokenizer->lexicon.n;
    assert_int_equal(nt_lexicon_add(&tokenizer->lexicon, content, n, id, "test"), NT_OK);
}

static void add_added(nt_tokenizer *tokenizer, const char *content, size_t n, bool special) {
    nt_added_token flags = {.special = special};
    int status = nt_added_add(&tokenizer->added, &tokenizer->lexicon, tokenizer->n_model, content,
                              n, flags, "test");
    assert_int_equal(status, NT_OK);
}

static int try_decoder(nt_decoders *decoders, const char *json) {
    json_error_t error;
    json_t *component = json_loads(json, JSON_DECODE_ANY, &error);
    if (!component) fail_msg("%s: %s", json, error.text);
    int status = nt_decoders_read(decoders, component, "x.json");
    json_decref(component);
    return status;
}

static void set_decoder(nt_tokenizer *tokenizer, const char *json) {
    nt_decoders_free(&tokenizer->decoders);
    if (try_decoder(&tokenizer->decoders, json) != NT_OK) fail_msg("%s", nt_error_message());
    assert_int_equal(nt_decoders_spell(&tokenizer->decoders, &tokenizer->lexicon), NT_OK);
}

static void close_tokenizer(nt_tokenizer *tokenizer) {
    nt_decoders_free(&tokenizer->decoders);
    nt_added_free(&tokenizer->added);
    nt_lexicon_free(&tokenizer->lexicon);
}

/* ---- The oracle's lists ---------------------------------------------------------------------- */

typedef struct lists {
    uint64_t state;
    size_t n_vocab, n_added;
    int32_t bytes[2][256]; /* ids of <0x00> .. <0xFF>, and of the byte-level characters */
} lists;

static uint64_t below(lists *from, uint64_t n) {
    return draw(&from->state) % n;
}

static size_t draw_list(int32_t *ids, lists *from, size_t n_most) {
    static const char *const chars[] = {"\xC3\xA9", "\xE6\x97\xA5", "\xF0\x9F\x98\x80", "A"};
    size_t n = 0;
    for (size_t i = below(from, n_most + 1); i > 0; i--) {
        uint64_t kind = below(from, 8);
        if (kind < 2) {
            const char *c = chars[below(from, 4)];
            size_t start = below(from, 4) == 0, end = strlen(c);
            end -= below(from, 4) == 0 && end > start;
            for (size_t b = start; b < end; b++)
                ids[n++] = from->bytes[kind][(unsigned char)c[b]];
        } else if (kind == 2) {
            ids[n++] = (int32_t)below(from, from->n_vocab + from->n_added);
        } else if (kind == 3) {
            ids[n++] = (int32_t)(from->n_vocab + below(from, from->n_added));
        } else {
            ids[n++] = (int32_t)below(from, N_COMMON);
        }
    }
    return n;
}

static uint32_t hash_bytes(const char *bytes, size_t n) {
    uint64_t hash = FNV_START;
    for (size_t i = 0; i < n; i++)
        hash = fnv(hash, (unsigned char)bytes[i]);
    uint32_t folded = fold(hash);
    return folded ? folded : 1;
}

static void read_vocabulary(nt_tokenizer *tokenizer, lists *from, oracle *file) {
    from->n_vocab = oracle_number(file);
    for (size_t i = 0; i < from->n_vocab; i++) {
        size_t n = oracle_number(file);
        add_piece(tokenizer, oracle_bytes(file, n), n);
    }
    tokenizer->n_model = from->n_vocab;
    from->n_added = oracle_number(file);
    for (size_t i = 0; i < from->n_added; i++) {
        size_t n = oracle_number(file);
        const char *content = oracle_bytes(file, n);
        add_added(tokenizer, content, n, oracle_number(file) == 2);
    }
    for (int byte = 0; byte < 256; byte++) {
        char name[8];
        snprintf(name, sizeof name, "<0x%02X>", (unsigned)byte);
        from->bytes[0][byte] = (int32_t)nt_lexicon_find(&tokenizer->lexicon, name, 6)->id;
        size_t n = nt_byte_level_char(name, (uint8_t)byte);
        from->bytes[1][byte] = (int32_t)nt_lexicon_find(&tokenizer->lexicon, name, n)->id;
    }
}

static size_t one_chain(nt_tokenizer *tokenizer, lists *from, oracle *file, int32_t *ids) {
    char json[1024];
    size_t n_json = oracle_number(file), compared = 0;
    assert_in_range(n_json, 1, sizeof json - 1);
    memcpy(json, oracle_bytes(file, n_json), n_json);
    json[n_json] = 0;
    set_decoder(tokenizer, json);
    size_t n_lists = oracle_number(file), n_most = oracle_number(file);
    assert_in_range(n_most, 1, N_MOST / 3);
    nt_stream *streams[2];
    for (int skip = 0; skip < 2; skip++)
        assert_int_equal(nt_stream_new(&streams[skip], tokenizer, skip), NT_OK);
    for (size_t i = 0; i < n_lists; i++) {
        size_t n = draw_list(ids, from, n_most);
        for (int skip = 0; skip < 2; skip++) {
            char *text;
            size_t n_text;
            uint32_t wanted = oracle_hash(file);
            assert_int_equal(nt_decode(&text, &n_text, tokenizer, ids, n, skip), NT_OK);
            if (wanted && hash_bytes(text, n_text) != wanted)
                fail_msg("%s, list %zu of %zu ids, skip %d: \"%.200s\"", json, i, n, skip, text);
            compared += wanted != 0;
            check_stream(streams[skip], ids, n, text, n_text);
            nt_free(text);
        }
    }
    for (int skip = 0; skip < 2; skip++)
        nt_stream_free(streams[skip]);
    return compared;
}

static void every_chain_as_in_tokenizers(void **state) {
    (void)state;
    oracle file = oracle_open(DATA "decoders.gz");
    static nt_tokenizer tokenizer; /* too large for a stack that is checked */
    tokenizer = (nt_tokenizer){0};
    static lists from;
    from = (lists){.state = 88172645463325252u};
    read_vocabulary(&tokenizer, &from, &file);
    int32_t *ids = malloc(N_MOST * sizeof *ids);
    assert_non_null(ids);
    size_t n = oracle_number(&file), compared = 0;
    for (size_t i = 0; i < n; i++)
        compared += one_chain(&tokenizer, &from, &file, ids);
    assert_in_range(n, 12 + 12 * 12 + 12 * 12 * 12, SIZE_MAX);
    assert_in_range(compared, 25000, SIZE_MAX);
    free(ids);
    close_tokenizer(&tokenizer);
    oracle_close(&file);
}

/* ---- By hand --------------------------------------------------------------------------------- */

#define REPLACE(a, b)                                                                              \
    "{\"type\":\"Replace\",\"pattern\":{\"String\":\"" a "\"},\"content\":\"" b "\"}"
#define BYTE_LEVEL "{\"type\":\"ByteLevel\",\"add_prefix_space\":true,\"trim_offsets\":true}"
#define METASPACE "{\"type\":\"Metaspace\",\"replacement\":\"\xE2\x96\x81\"}"
#define STRIP(start, stop)                                                                         \
    "{\"type\":\"Strip\",\"content\":\" \",\"start\":" #start ",\"stop\":" #stop "}"
#define SEQUENCE(...) "{\"type\":\"Sequence\",\"decoders\":[" __VA_ARGS__ "]}"
#define LLAMA                                                                                      \
    SEQUENCE(REPLACE("\xE2\x96\x81",                                                               \
                     " ") ",{\"type\":\"ByteFallback\"},{\"type\":\"Fuse\"}," STRIP(1, 0))

static void has_bytes(const nt_tokenizer *tokenizer, const char *content, const char *wanted,
                      size_t n) {
    const nt_lexicon *lexicon = &tokenizer->lexicon;
    const nt_piece *piece = nt_lexicon_find(lexicon, content, strlen(content));
    assert_int_equal(piece->n_bytes, n);
    assert_memory_equal(nt_piece_bytes(lexicon, piece), wanted, n + 1);
}

/* What the file's comment promises; a lone byte has no text of its own that tokenizers would
 * tell.*/
static void spelled_bytes(void **state) {
    (void)state;
    static const char *const contents[] = {"\xE2\x96\x81the", "<0x0A>", "<0xE2>", "\xC4\xA0the",
                                           "\xC3\xA2",        " ",      "<s>"};
    static nt_tokenizer t;
    t = (nt_tokenizer){0};
    for (size_t i = 0; i < sizeof contents / sizeof *contents; i++)
        add_piece(&t, contents[i], strlen(contents[i]));
    set_decoder(&t, LLAMA);
    has_bytes(&t, contents[0], " the", 4);
    has_bytes(&t, contents[1], "\n", 1);
    has_bytes(&t, contents[2], "\xE2", 1);
    has_bytes(&t, contents[3], contents[3], 5);
    has_bytes(&t, contents[6], "<s>", 3);
    set_decoder(&t, SEQUENCE(METASPACE "," STRIP(0, 5) ",{\"type\":\"Fuse\"}," STRIP(3, 3)));
    has_bytes(&t, contents[0], " the", 4);
    has_bytes(&t, contents[5], "", 0);
    set_decoder(&t, SEQUENCE("{\"type\":\"Fuse\"}," STRIP(3, 3)));
    has_bytes(&t, contents[5], " ", 1);
    for (int i = 0; i < 2; i++) {
        set_decoder(&t, i ? SEQUENCE(BYTE_LEVEL "," REPLACE("q", "p")) : BYTE_LEVEL);
        has_bytes(&t, contents[0], contents[0], 6);
        has_bytes(&t, contents[3], " the", 4);
        has_bytes(&t, contents[4], "\xE2", 1);
    }
    set_decoder(&t, "null");
    has_bytes(&t, contents[1], " <0x0A>", 7);
    close_tokenizer(&t);
}

static void refused(void **state) {
    (void)state;
    static const struct {
        const char *json;
        int status;
        const char *named;
    } cases[] = {
        {"{\"type\":\"WordPiece\",\"prefix\":\"##\",\"cleanup\":true}", NT_E_UNSUPPORTED,
         "WordPiece"},
        {"{\"type\":\"BPEDecoder\",\"suffix\":\"</w>\"}", NT_E_UNSUPPORTED, "BPEDecoder"},
        {"{\"type\":\"CTC\"}", NT_E_UNSUPPORTED, "CTC"},
        {SEQUENCE(BYTE_LEVEL ",{\"type\":\"CTC\"}"), NT_E_UNSUPPORTED, "CTC"},
        {"{}", NT_E_FORMAT, "type"},
        {"\"ByteLevel\"", NT_E_FORMAT, "a string"},
        {"[]", NT_E_FORMAT, "an array"},
        {"{\"type\":\"Sequence\"}", NT_E_FORMAT, "decoders"},
        {SEQUENCE("null"), NT_E_FORMAT, "null"},
        {"{\"type\":\"Metaspace\"}", NT_E_FORMAT, "replacement"},
        {"{\"type\":\"Metaspace\",\"replacement\":\"ab\"}", NT_E_FORMAT, "replacement"},
        {"{\"type\":\"Metaspace\",\"replacement\":\"\"}", NT_E_FORMAT, "replacement"},
        {"{\"type\":\"Metaspace\",\"replacement\":\"_\",\"prepend_scheme\":\"last\"}", NT_E_FORMAT,
         "last"},
        {"{\"type\":\"Metaspace\",\"replacement\":\"_\",\"prepend_scheme\":1}", NT_E_FORMAT,
         "prepend_scheme"},
        {"{\"type\":\"Metaspace\",\"replacement\":\"_\",\"add_prefix_space\":false}", NT_E_FORMAT,
         "add_prefix_space"},
        {"{\"type\":\"Replace\",\"pattern\":{\"String\":\"a\"}}", NT_E_FORMAT, "content"},
        {"{\"type\":\"Replace\",\"pattern\":\"a\",\"content\":\"b\"}", NT_E_FORMAT, "x.json"},
        {"{\"type\":\"Replace\",\"content\":\"b\"}", NT_E_FORMAT, "x.json"},
        {"{\"type\":\"Strip\",\"content\":\"ab\",\"start\":0,\"stop\":0}", NT_E_FORMAT, "content"},
        {"{\"type\":\"Strip\",\"content\":\"a\",\"stop\":0}", NT_E_FORMAT, "start"},
        {"{\"type\":\"Strip\",\"content\":\"a\",\"start\":0,\"stop\":-1}", NT_E_FORMAT, "stop"},
        {"{\"type\":\"Strip\",\"content\":\"a\",\"start\":1.5,\"stop\":1}", NT_E_FORMAT, "start"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nt_decoders decoders;
        int status = try_decoder(&decoders, cases[i].json);
        if (status != cases[i].status || !strstr(nt_error_message(), cases[i].named) ||
            !strstr(nt_error_message(), "x.json"))
            fail_msg("%s: %d, %s", cases[i].json, status, nt_error_message());
        assert_null(decoders.list);
        assert_int_equal(decoders.n, 0);
    }
}

/* More decoders than the stack should hold. */
static void too_many(void **state) {
    (void)state;
    char json[65 * 20 + 64] = "{\"type\":\"Sequence\",\"decoders\":[{\"type\":\"Fuse\"}";
    nt_decoders decoders;
    for (size_t i = 1; i < 65; i++)
        strcat(json, ",{\"type\":\"Fuse\"}");
    strcat(json, "]}");
    assert_int_equal(try_decoder(&decoders, json), NT_E_UNSUPPORTED);
    memmove(json + 31, json + 47, strlen(json + 47) + 1); /* one of them less */
    if (try_decoder(&decoders, json) != NT_OK) fail_msg("%s", nt_error_message());
    assert_int_equal(decoders.n, 64);
    nt_decoders_free(&decoders);
}

static void ids_that_are_none(void **state) {
    (void)state;
    static nt_tokenizer t;
    t = (nt_tokenizer){0};
    assert_int_equal(nt_lexicon_add(&t.lexicon, "a", 1, 2, "test"), NT_OK);
    char *text;
    size_t n;
    for (int i = 0; i < 2; i++) {
        set_decoder(&t, i ? METASPACE : BYTE_LEVEL);
        assert_int_equal(nt_decode(&text, &n, &t, (const int32_t[]){2, 0, 1, 2}, 4, false), NT_OK);
        assert_string_equal(text, "aa"); /* holes add nothing */
        nt_free(text);
        assert_int_equal(nt_decode(&text, &n, &t, (const int32_t[]){2, -1}, 2, false), NT_E_RANGE);
        assert_null(text);
        assert_non_null(strstr(nt_error_message(), "id -1 at index 1 "));
        const int32_t many[] = {2, 2, 2, 2, 3};
        assert_int_equal(nt_decode(&text, &n, &t, many, 5, false), NT_E_RANGE);
        assert_non_null(strstr(nt_error_message(), "id 3 at index 4 "));
        assert_int_equal(nt_decode(&text, &n, &t, NULL, 0, false), NT_OK);
        assert_string_equal(text, "");
        nt_free(text);
    }
    close_tokenizer(&t);
}

/* Decoders that each make a token twice as long are refused before memory ends. */
static void endless_growth(void **state) {
    (void)state;
    enum { TIMES = 40 };
    static const char twice[] =
        "{\"type\":\"Replace\",\"pattern\":{\"String\":\"a\"},\"content\":\"aa\"}";
    static char json[TIMES * (sizeof twice + 1) + 64];
    char *to = json + sprintf(json, "{\"type\":\"Sequence\",\"decoders\":[");
    for (int i = 0; i < TIMES; i++)
        to += sprintf(to, "%s%s", i ? "," : "", twice);
    sprintf(to, "]}");
    static nt_tokenizer t;
    t = (nt_tokenizer){0};
    add_piece(&t, "a", 1);
    assert_int_equal(try_decoder(&t.decoders, json), NT_OK);
    assert_int_equal(nt_decoders_spell(&t.decoders, &t.lexicon), NT_E_MEMORY);
    assert_non_null(strstr(nt_error_message(), "limit of 1048576 bytes"));
    close_tokenizer(&t);
}

/* The bytes that names stand for, as tokenizers' decoders.ByteFallback().decode([name]) has them.
 */
static void names_of_bytes(void **state) {
    (void)state;
    static const char *const names[][2] = {
        {"<0x6a>", "j"},      {"<0x6A>", "j"},      {"<0x6f>", "o"},      {"<0x6F>", "o"},
        {"<0x60>", "`"},      {"<0x69>", "i"},      {"<0x+a>", "\n"},     {"<0x6g>", "<0x6g>"},
        {"<0x6G>", "<0x6G>"}, {"<0x6`>", "<0x6`>"}, {"<0x6@>", "<0x6@>"}, {"<0x6:>", "<0x6:>"},
        {"<0x6/>", "<0x6/>"}, {"<0xg6>", "<0xg6>"}, {"<0x-a>", "<0x-a>"}, {"<0x6+>", "<0x6+>"},
        {"<0X6A>", "<0X6A>"},
    };
    enum { N = sizeof names / sizeof *names };
    static nt_tokenizer t;
    t = (nt_tokenizer){0};
    for (int i = 0; i < N; i++)
        add_piece(&t, names[i][0], 6);
    set_decoder(&t, "{\"type\":\"ByteFallback\"}");
    for (int32_t i = 0; i < N; i++) {
        char *text;
        size_t n;
        assert_int_equal(nt_decode(&text, &n, &t, &i, 1, false), NT_OK);
        assert_string_equal(text, names[i][1]);
        nt_free(text);
    }
    close_tokenizer(&t);
}

/* A stream goes on after an id that was refused, and begins anew after its end. */
static void stream_again(void **state) {
    (void)state;
    static nt_tokenizer t;
    t = (nt_tokenizer){0};
    add_piece(&t, "\xE2\x96\x81x", 4);
    add_piece(&t, "<0xC3>", 6);
    set_decoder(&t, LLAMA);
    nt_stream *stream;
    assert_int_equal(nt_stream_new(&stream, &t, false), NT_OK);
    const char *piece;
    size_t n;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(nt_stream_put(&piece, &n, stream, 0), NT_OK);
        assert_string_equal(piece, "x");
        assert_int_equal(nt_stream_put(&piece, &n, stream, 2), NT_E_RANGE);
        assert_non_null(strstr(nt_error_message(), "id 2 at index 1 "));
        assert_int_equal(nt_stream_put(&piece, &n, stream, 0), NT_OK);
        assert_string_equal(piece, " x");
        assert_int_equal(nt_stream_put(&piece, &n, stream, 1), NT_OK);
        assert_string_equal(piece, "");
        assert_int_equal(nt_stream_end(&piece, &n, stream), NT_OK);
        assert_string_equal(piece, "\xEF\xBF\xBD");
    }
    nt_stream_free(stream);
    close_tokenizer(&t);
}

/* ---- Memory ---------------------------------------------------------------------------------- */

static int all_of_it(const nt_tokenizer *tokenizer, nt_lexicon *lexicon, const char *json) {
    static nt_tokenizer t;
    t = *tokenizer;
    int status = try_decoder(&t.decoders, json);
    if (status == NT_OK) status = nt_decoders_spell(&t.decoders, lexicon);
    t.lexicon = *lexicon;
    char *text = NULL;
    size_t n;
    const int32_t ids[] = {0, 1, 2, 3, 4, 0, 5, 5, 2, 1};
    if (status == NT_OK) status = nt_decode(&text, &n, &t, ids, 10, false);
    nt_stream *stream = NULL;
    if (status == NT_OK) status = nt_stream_new(&stream, &t, false);
    const char *piece;
    size_t n_piece, at = 0;
    for (size_t i = 0; i <= 10 && status == NT_OK; i++) {
        status = i < 10 ? nt_stream_put(&piece, &n_piece, stream, ids[i])
                        : nt_stream_end(&piece, &n_piece, stream);
        if (status != NT_OK) break;
        assert_memory_equal(piece, text + at, n_piece);
        at += n_piece;
    }
    if (status == NT_OK) assert_int_equal(at, n);
    nt_stream_free(stream);
    nt_free(text);
    nt_decoders_free(&t.decoders);
    return status;
}

static void memory_fails(void **state) {
    (void)state;
    static const char *const chains[] = {
        "null", BYTE_LEVEL, LLAMA, SEQUENCE(METASPACE "," REPLACE("", "~") "," STRIP(2, 3)),
        SEQUENCE("{\"type\":\"Fuse\"}," BYTE_LEVEL "," REPLACE("xx", "y") "," REPLACE("", "~"))};
    static const char *const contents[] = {"\xE2\x96\x81xx", "<0xC3>",          "x", " ",
                                           "\xC3\x83",       "\xC3\xA9\xC4\xA0"};
    static nt_tokenizer t;
    for (size_t i = 0; i < sizeof chains / sizeof *chains; i++) {
        for (size_t k = 1;; k++) {
            t = (nt_tokenizer){0};
            for (size_t j = 0; j < 6; j++)
                add_piece(&t, contents[j], strlen(contents[j]));
            nt_memory_fail_at(k);
            int status = all_of_it(&t, &t.lexicon, chains[i]);
            nt_memory_fail_at(0);
            close_tokenizer(&t);
            if (status == NT_OK) break;
            assert_int_equal(status, NT_E_MEMORY);
            assert_in_range(k, 1, 1000);
        }
    }
}

/* ---- Offsets --------------------------------------------------------------------------------- */

static uint32_t naive(const char *text, size_t n, size_t offset, bool outwards_left) {
    if (offset > n) offset = n;
    while (outwards_left && offset < n && offset > 0 &&
           ((unsigned char)text[offset] & 0xC0) == 0x80)
        offset--;
    uint32_t count = 0;
    for (size_t i = 0; i < offset; i++)
        count += ((unsigned char)text[i] & 0xC0) != 0x80;
    return count;
}

static void offsets_of(uint64_t *random, bool ascending) {
    char text[700];
    uint32_t starts[200], ends[200], wanted[2][200];
    size_t n_text = 0, n = draw(random) % 200, most = draw(random) % 650, ascii = draw(random) % 4;
    while (n_text < most) {
        uint64_t kind = draw(random) % 8;
        int32_t code = kind < 2 * ascii ? 'a' : kind == 7 ? 0x1F600 : kind == 6 ? 0x65E5 : 0xE9;
        n_text += nt_utf8_put(text + n_text, code);
    }
    char *exact = malloc(n_text ? n_text : 1); /* reading behind it shows */
    assert_non_null(exact);
    memcpy(exact, text, n_text);
    uint32_t at = 0;
    for (size_t i = 0; i < n; i++) {
        starts[i] = at =
            ascending ? at + (uint32_t)(draw(random) % 8) : (uint32_t)(draw(random) % 720);
        ends[i] = draw(random) % 16 ? at + (uint32_t)(draw(random) % 8) : 0;
        wanted[0][i] = naive(exact, n_text, starts[i], true);
        wanted[1][i] = naive(exact, n_text, ends[i], false);
    }
    nt_offsets_to_characters(starts, ends, n, exact, n_text);
    assert_memory_equal(starts, wanted[0], n * sizeof *starts);
    assert_memory_equal(ends, wanted[1], n * sizeof *ends);
    free(exact);
}

static void offsets_in_characters(void **state) {
    (void)state;
    uint64_t random = 88172645463325252u;
    for (int i = 0; i < 4000; i++)
        offsets_of(&random, i % 4);
    nt_offsets_to_characters(NULL, NULL, 0, NULL, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_chain_as_in_tokenizers),
        cmocka_unit_test(spelled_bytes),
        cmocka_unit_test(refused),
        cmocka_unit_test(too_many),
        cmocka_unit_test(ids_that_are_none),
        cmocka_unit_test(names_of_bytes),
        cmocka_unit_test(endless_growth),
        cmocka_unit_test(stream_again),
        cmocka_unit_test(memory_fails),
        cmocka_unit_test(offsets_in_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
