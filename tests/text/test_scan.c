/* Words of the known patterns: the slow definition against the figures that tools/oracle/scan.py
 * asked of tokenizers' own engine, the scanners against the slow definition, borders. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/mman.h>
#include <unistd.h>

#include "text/split/scan.h"
#include "text/support.h"

enum { STRINGS = 16384, SEED = 20260105, FULL_FORMS = 5, PIECES = 128, LONGEST = 1 << 16 };
enum { FIRST = NT_SCAN_GPT2, LAST = NT_SCAN_O200K };

typedef struct piece {
    const char *bytes;
    size_t n;
} piece;

typedef struct figures {
    oracle file;
    piece alphabet[PIECES];
    size_t n_alphabet;
} figures;

static piece read_piece(oracle *file) {
    piece read = {.n = oracle_number(file)};
    read.bytes = oracle_bytes(file, read.n);
    return read;
}

static figures open_figures(void) {
    figures f = {.file = oracle_open(DATA "scan.gz")};
    f.n_alphabet = oracle_number(&f.file);
    assert_in_range(f.n_alphabet, 1, PIECES);
    for (size_t i = 0; i < f.n_alphabet; i++)
        f.alphabet[i] = read_piece(&f.file);
    return f;
}

/* The next random text, drawn as scan.py draws it. */
static size_t next_string(char *text, const figures *f, uint64_t *seed, size_t longest) {
    size_t few[8], n = 0;
    for (int i = 0; i < 8; i++)
        few[i] = draw(seed) % f->n_alphabet;
    size_t n_few = 1 + draw(seed) % 8, left = draw(seed) % longest;
    bool all = draw(seed) % 3 == 0;
    for (; left; left--) {
        uint64_t number = draw(seed);
        const piece *p = &f->alphabet[all ? number % f->n_alphabet : few[number % n_few]];
        memcpy(text + n, p->bytes, p->n);
        n += p->n;
    }
    return n;
}

/* The ends of the words of text [n], one by one; how many. */
static size_t slow_ends(uint32_t *ends, nt_scan_kind kind, const char *text, size_t n) {
    size_t out = 0;
    for (size_t at = 0; at < n;) {
        size_t length = nt_scan_word(kind, text + at, n - at);
        assert_in_range(length, 1, n - at);
        ends[out++] = (uint32_t)(at += length);
    }
    return out;
}

static size_t fast_ends(uint32_t *ends, size_t room, nt_scan_kind kind, const char *text,
                        size_t n) {
    static unsigned calls;
    nt_scan scan;
    size_t out = 0, got;
    nt_scan_start(&scan, kind, text, n);
    if (calls++ % 3 == 0) scan.wide = false; /* the two instruction sets in turn */
    while ((got = nt_scan_next(ends + out, room, &scan)) > 0) {
        assert_in_range(got, 1, room);
        out += got;
    }
    return out;
}

static void assert_same(const uint32_t *a, size_t n_a, const uint32_t *b, size_t n_b,
                        nt_scan_kind kind, const char *text, size_t n) {
    if (n_a == n_b && memcmp(a, b, n_a * sizeof *a) == 0) return;
    size_t i = 0;
    while (i < n_a && i < n_b && a[i] == b[i])
        i++;
    fail_msg("kind %d, %zu bytes, word %zu: \"%.*s\"", kind, n, i, (int)n, text);
}

static uint64_t hash_words(uint64_t hash, nt_scan_kind kind, const char *text, size_t n) {
    static uint32_t ends[LONGEST];
    size_t words = slow_ends(ends, kind, text, n), at = 0;
    for (size_t i = 0; i < words; at = ends[i++])
        hash = fnv(hash, ends[i] - at);
    return fnv(hash, 0);
}

static void code_points(figures *f, nt_scan_kind kind, const piece forms[][2], size_t n_forms) {
    for (size_t i = 0; i < n_forms; i++) {
        const piece *before = &forms[i][0], *after = &forms[i][1];
        for (int32_t first = 0; first < 0x110000; first += 4096) {
            if (i >= FULL_FORMS && first >= 0x20000 && first != 0xE0000) continue;
            uint64_t hash = FNV_START;
            for (int32_t code = first; code < first + 4096; code++) {
                if (code >= 0xD800 && code < 0xE000) continue;
                char text[64];
                size_t n = before->n;
                memcpy(text, before->bytes, n);
                n += nt_utf8_put(text + n, code);
                memcpy(text + n, after->bytes, after->n);
                hash = hash_words(hash, kind, text, n + after->n);
            }
            if (fold(hash) != oracle_hash(&f->file))
                fail_msg("kind %d, form %zu, U+%04X ..", kind, i, (unsigned)first);
        }
    }
}

static void oracle_words(void **state) {
    (void)state;
    figures f = open_figures();
    piece forms[32][2];
    size_t n_forms = oracle_number(&f.file);
    assert_in_range(n_forms, FULL_FORMS, 32);
    for (size_t i = 0; i < 2 * n_forms; i++)
        forms[i / 2][i % 2] = read_piece(&f.file);
    assert_int_equal(oracle_number(&f.file), LAST - FIRST + 1);
    for (int kind = FIRST; kind <= LAST; kind++) {
        code_points(&f, (nt_scan_kind)kind, (const piece(*)[2])forms, n_forms);
        uint64_t seed = SEED;
        for (int first = 0; first < STRINGS; first += 16) {
            uint64_t hash = FNV_START;
            for (int i = 0; i < 16; i++) {
                static char text[LONGEST];
                size_t n = next_string(text, &f, &seed, 40);
                hash = hash_words(hash, (nt_scan_kind)kind, text, n);
            }
            if (fold(hash) != oracle_hash(&f.file)) fail_msg("kind %d, strings %d ..", kind, first);
        }
    }
    size_t regexes = oracle_number(&f.file);
    assert_in_range(regexes, 100, 10000);
    for (size_t i = 0; i < regexes; i++) {
        uint64_t kind = oracle_number(&f.file);
        piece regex = read_piece(&f.file);
        if (nt_scan_of_regex(regex.bytes, regex.n) != kind)
            fail_msg("%.*s", (int)regex.n, regex.bytes);
        if (kind) { /* one byte less or more is another regex */
            char longer[1024];
            assert_in_range(regex.n, 1, sizeof longer - 1);
            memcpy(longer, regex.bytes, regex.n);
            longer[regex.n] = ')';
            assert_int_equal(nt_scan_of_regex(longer, regex.n + 1), NT_SCAN_NONE);
            longer[regex.n] = '|';
            assert_int_equal(nt_scan_of_regex(longer, regex.n + 1), NT_SCAN_NONE);
            assert_int_equal(nt_scan_of_regex(longer, regex.n / 2), NT_SCAN_NONE);
        }
    }
    oracle_close(&f.file);
}

/* The scanners on every code point between others, many to a text. */
static void code_points_in_blocks(void **state) {
    (void)state;
    static char text[LONGEST];
    static uint32_t slow[LONGEST], fast[LONGEST];
    static const char *const between[] = {"a ", "'", "\n  ", "", "X1!", " \u00A0"};
    enum { FORMS = sizeof between / sizeof *between, ENOUGH = LONGEST - 64 };
    size_t n = 0;
    for (int32_t code = 0; code < 0x110000; code++) {
        if (code >= 0xD800 && code < 0xE000) continue;
        for (size_t i = 0; i < FORMS; i++) {
            n += nt_utf8_put(text + n, code);
            memcpy(text + n, between[i], strlen(between[i]));
            n += strlen(between[i]);
        }
        if (n < ENOUGH && code < 0x10FFFF) continue;
        for (int kind = FIRST; kind <= LAST; kind++) {
            size_t words = slow_ends(slow, (nt_scan_kind)kind, text, n);
            size_t out = fast_ends(fast, 256, (nt_scan_kind)kind, text, n);
            assert_same(slow, words, fast, out, (nt_scan_kind)kind, text, n);
        }
        n = 0;
    }
}

/* Random texts that end where memory ends, with little and much room. */
static void blocks(void **state) {
    (void)state;
    static char text[LONGEST];
    static uint32_t slow[LONGEST], fast[LONGEST];
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), size = LONGEST + page;
    char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(memory != MAP_FAILED);
    assert_int_equal(mprotect(memory + size - page, page, PROT_NONE), 0);
    figures f = open_figures();
    uint64_t seed = 42;
    for (int i = 0; i < 30000; i++) {
        size_t n = next_string(text, &f, &seed, i % 100 == 0 ? 4000 : 200);
        char *end = memory + size - page - n;
        memcpy(end, text, n);
        nt_scan_kind kind = (nt_scan_kind)(FIRST + i % (LAST - FIRST + 1));
        size_t words = slow_ends(slow, kind, end, n);
        static const size_t rooms[] = {1, 3, NT_SCAN_SLOTS - 1, NT_SCAN_SLOTS, 256, LONGEST};
        for (size_t r = 0; r < sizeof rooms / sizeof *rooms; r++)
            assert_same(slow, words, fast, fast_ends(fast, rooms[r], kind, end, n), kind, end, n);
        nt_scan scan; /* room that changes */
        size_t out = 0, got;
        nt_scan_start(&scan, kind, end, n);
        while ((got = nt_scan_next(fast + out, 1 + draw(&seed) % 200, &scan)) > 0)
            out += got;
        assert_same(slow, words, fast, out, kind, end, n);
    }
    free(f.file.bytes);
    munmap(memory, size);
}

/* Both sides of a border, scanned alone, have the words of the whole. */
static void borders(void **state) {
    (void)state;
    static char text[LONGEST];
    static uint32_t whole[LONGEST], sides[LONGEST];
    figures f = open_figures();
    uint64_t seed = 7;
    int found = 0;
    for (int i = 0; i < 20000; i++) {
        size_t n = next_string(text, &f, &seed, 60);
        if (n < 2) continue;
        size_t low = 1 + draw(&seed) % n, high = low + draw(&seed) % (n - low + 1);
        size_t border = nt_scan_border(text, n, low, high), nearest = high, best = n;
        for (size_t at = low; at < high && at + 1 < n; at++) {
            bool good = text[at] == ' ' &&
                        strchr("abcdefghijklmnopqrstuvwxyz", text[at - 1] | 32) &&
                        strchr("abcdefghijklmnopqrstuvwxyz", text[at + 1] | 32) &&
                        text[at - 1] >= 'A' && text[at + 1] >= 'A';
            size_t middle = low + (high - low) / 2, away = at > middle ? at - middle : middle - at;
            if (good && away < best + (at > middle)) best = away, nearest = at;
        }
        assert_int_equal(border, nearest);
        if (border == high) continue;
        found++;
        for (int kind = FIRST; kind <= LAST; kind++) {
            size_t words = slow_ends(whole, (nt_scan_kind)kind, text, n);
            size_t left = fast_ends(sides, 256, (nt_scan_kind)kind, text, border);
            size_t right =
                fast_ends(sides + left, 256, (nt_scan_kind)kind, text + border, n - border);
            for (size_t w = left; w < left + right; w++)
                sides[w] += (uint32_t)border;
            assert_same(whole, words, sides, left + right, (nt_scan_kind)kind, text, n);
        }
    }
    assert_in_range(found, 500, 20000);
    assert_int_equal(nt_scan_border("a b", 3, 1, 2), 1);
    assert_int_equal(nt_scan_border("a b", 3, 2, 3), 3);
    assert_int_equal(nt_scan_border("a b", 3, 2, 2), 2);
    assert_int_equal(nt_scan_border("ab ", 3, 1, 3), 3);
    free(f.file.bytes);
}

static void whole_text(void **state) {
    (void)state;
    uint32_t end = 0;
    nt_scan scan;
    nt_scan_start(&scan, NT_SCAN_WHOLE, "a b", 3);
    assert_int_equal(nt_scan_next(&end, 1, &scan), 1);
    assert_int_equal(end, 3);
    assert_int_equal(nt_scan_next(&end, 1, &scan), 0);
    nt_scan_start(&scan, NT_SCAN_WHOLE, "", 0);
    assert_int_equal(nt_scan_next(&end, 1, &scan), 0);
    nt_scan_start(&scan, NT_SCAN_GPT2, "", 0);
    assert_int_equal(nt_scan_next(&end, 1, &scan), 0);
}

/* A megabyte of one thing. Were any of it to grow with the square, the test would not end. */
static void long_runs(void **state) {
    (void)state;
    static const char *const things[] = {
        "a",      "A",   " ",      "\n",      "'",          "\U0001F600", "1",
        "\u3000", " \n", "\n ",    "\u4E2D",  "\u4E2DA",    "A\u4E2D",    "'s",
        "aB",     "/\n", "\u0301", "!\u0301", "\n  \u4E2D", "\u0416",     "A A\u4E2D ",
    };
    const size_t size = 1 << 20;
    char *text = malloc(size + 2);
    uint32_t *slow = malloc((size + 2) * sizeof *slow);
    uint32_t *fast = malloc((size + 2) * sizeof *fast);
    assert_true(text && slow && fast);
    for (size_t i = 0; i < sizeof things / sizeof *things; i++) {
        size_t n = 0, length = strlen(things[i]);
        for (; n + length < size; n += length)
            memcpy(text + n, things[i], length);
        for (int last = 0; last < 2; last++) { /* and with a letter behind it */
            for (int kind = FIRST; kind <= LAST; kind++) {
                size_t words = slow_ends(slow, (nt_scan_kind)kind, text, n);
                size_t out = fast_ends(fast, 256, (nt_scan_kind)kind, text, n);
                assert_same(slow, words, fast, out, (nt_scan_kind)kind, text, n);
            }
            text[n++] = 'x';
        }
    }
    free(text);
    free(slow);
    free(fast);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(oracle_words), cmocka_unit_test(code_points_in_blocks),
        cmocka_unit_test(blocks),       cmocka_unit_test(borders),
        cmocka_unit_test(whole_text),   cmocka_unit_test(long_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
