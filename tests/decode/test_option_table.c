/* The table of options: whole, worded, and in step with transformers' GenerationConfig. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>

#include "option_support.h"

#define FIXTURE NT_SOURCE_DIR "/tests/decode/generation_config.txt"

static void the_table_is_whole(void **state) {
    (void)state;
    static const char *const types[] = {
        [NT_OPTION_INTEGER] = "integer", [NT_OPTION_NUMBER] = "number",
        [NT_OPTION_BOOLEAN] = "boolean", [NT_OPTION_CHOICE] = "choice",
        [NT_OPTION_SEED] = "integer",    [NT_OPTION_DECAY] = "decay",
        [NT_OPTION_TEXT] = "text",       [NT_OPTION_IDS] = "ids",
        [NT_OPTION_STRINGS] = "strings", [NT_OPTION_WORDS] = "words",
        [NT_OPTION_BIASES] = "biases"};
    assert_int_equal(nt_n_options(), 53);
    assert_null(nt_option_at(nt_n_options()));
    assert_null(nt_option_row_at(SIZE_MAX));
    for (size_t i = 0; i < nt_n_options(); i++) {
        const nt_option_info *info = nt_option_at(i);
        const nt_option_row *row = nt_option_row_at(i);
        assert_ptr_equal(info, &row->info);
        assert_string_equal(info->type, types[row->type]);
        assert_ptr_equal(nt_option_find(info->name), row);
        assert_null(nt_left_out_named(info->name));
        assert_true((row->type == NT_OPTION_CHOICE) == (row->names != NULL));
        assert_true(nt_option_end(row) <= sizeof(nt_generate_options));
        if (row->ours) assert_string_not_equal(info->source, "transformers");
    }
}

/* Every byte of the struct behind `owned` belongs to a row, to padding or to what only a program
 * can give: so no field is forgotten. */
static void every_field_has_a_row(void **state) {
    (void)state;
    unsigned char seen[sizeof(nt_generate_options)] = {0};
    nt_generate_options a, b;
    memset(&b, 0xA5, sizeof b);
    for (size_t i = 0; i < nt_n_options(); i++) {
        memset(&a, 0x5A, sizeof a);
        nt_option_copy(&a, &b, nt_option_row_at(i));
        for (size_t j = 0; j < sizeof a; j++) {
            bool mine = ((unsigned char *)&a)[j] == 0xA5;
            if (mine && seen[j]) fail_msg("%s shares a field", nt_option_at(i)->name);
            seen[j] |= mine;
        }
    }
    static const struct {
        size_t offset, size;
    } others[] = {
#define OTHER(name) {offsetof(nt_generate_options, name), sizeof(((nt_generate_options *)0)->name)}
        OTHER(size),    OTHER(callbacks), OTHER(owned),     OTHER(assistant),  OTHER(payload),
        OTHER(process), OTHER(stop),      OTHER(torch_rng), OTHER(batch_size), OTHER(batch_index)};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        memset(seen + others[i].offset, 1, others[i].size);
    size_t n_padding = 0;
    for (size_t j = 0; j < sizeof seen; j++)
        n_padding += !seen[j];
    if (sizeof(void *) == 8)
        assert_int_equal(n_padding, 26); /* 5 ints and 2 bools before wider fields */
}

/* Good in a terminal and in Markdown, and good English as far as a program can tell. */
static void check_text(const char *name, const char *text, bool paragraphs) {
    if (strpbrk(text, "*`|~#\t\r")) fail_msg("%s: a sign of Markdown in: %s", name, text);
    for (const char *c = text; *c; c++) {
        bool ok = (unsigned char)*c < 0x80;
        if (*c == '\n') {
            ok = paragraphs && (c[1] == '\n' || c[-1] == '\n') && c[1] && c[1] != ' ';
        } else if (*c == '<' || *c == '_') {
            ok = *c == '_' ? c > text && isalnum(c[-1]) && isalnum(c[1]) : c[1] == ' ';
        } else if (*c == ' ') {
            ok = c[1] && c[1] != ' ' && c[1] != '.' && c[1] != ',';
        } else if (*c == ']') {
            ok = c[1] != '('; /* no link by accident */
        }
        if (!ok) fail_msg("%s: \"%.20s\" in: %s", name, c, text);
    }
}

static void every_row_is_worded(void **state) {
    (void)state;
    static const char *const sections[] = {
        "length and stopping", "search",          "drawing",
        "repetition",          "bans and biases", "guidance and numbers",
        "assisted decoding",   "what is kept"};
    size_t section = 0;
    for (size_t i = 0; i < nt_n_options(); i++) {
        const nt_option_info *info = nt_option_at(i);
        while (strcmp(info->section, sections[section]) != 0) {
            section++; /* in this order, and none left out */
            assert_true(section < 8);
        }
        size_t n_help = strlen(info->help), n_about = strlen(info->about);
        if (n_help < 20 || n_help > 160) fail_msg("%s: help has %zu bytes", info->name, n_help);
        if (n_about < 200 || n_about > 1400) fail_msg("%s: about: %zu bytes", info->name, n_about);
        assert_int_equal(info->help[n_help - 1], '.');
        assert_int_equal(info->about[n_about - 1], '.');
        assert_true(*info->range && *info->default_value && *info->source && *info->example);
        check_text(info->name, info->help, false);
        check_text(info->name, info->range, false);
        check_text(info->name, info->default_value, false);
        check_text(info->name, info->about, true);
    }
    assert_int_equal(section, 7);
}

static void every_example_is_a_value(void **state) {
    (void)state;
    nt_generate_options fresh = NT_GENERATE_OPTIONS_INIT;
    for (size_t i = 0; i < nt_n_options(); i++) {
        nt_generate_options o = NT_GENERATE_OPTIONS_INIT;
        const nt_option_row *row = nt_option_row_at(i);
        assert_false(nt_option_given(&o, row));
        set(&o, row->info.name, row->info.example);
        assert_true(nt_option_given(&o, row));
        for (size_t j = 0; j < nt_n_options(); j++) /* and of no other row */
            if (j != i) assert_false(nt_option_given(&o, nt_option_row_at(j)));
        nt_generate_options copy = NT_GENERATE_OPTIONS_INIT;
        nt_option_copy(&copy, &o, row);
        o.owned = (nt_generate_options_clear(&o), NULL);
        assert_true(nt_option_given(&copy, row));
        assert_memory_equal(&o, &fresh, sizeof o);
    }
}

/* ---- transformers ---- */

typedef struct fields {
    char line[512];
    char *part[4];
} fields;

/* The next line of the fixture that begins with `kind`, cut at its tabs. */
static bool next_line(fields *f, FILE *file, const char *kind) {
    while (fgets(f->line, sizeof f->line, file)) {
        f->line[strcspn(f->line, "\n")] = 0;
        size_t n = 0;
        for (char *at = f->line; at && n < 4; n++) {
            f->part[n] = at;
            at = strchr(at, '\t');
            if (at) *at++ = 0;
        }
        if (n == 4 && strcmp(f->part[0], kind) == 0) return true;
    }
    return false;
}

static bool documented_type_fits(nt_option_type type, const char *documented) {
    static const char *const types[] = {[NT_OPTION_INTEGER] = "int",
                                        [NT_OPTION_NUMBER] = "float",
                                        [NT_OPTION_BOOLEAN] = "bool",
                                        [NT_OPTION_CHOICE] = "str",
                                        [NT_OPTION_SEED] = "no field of transformers'",
                                        [NT_OPTION_DECAY] = "tuple(int, float)",
                                        [NT_OPTION_TEXT] = "no field of transformers'",
                                        [NT_OPTION_IDS] = "list[int]",
                                        [NT_OPTION_STRINGS] = "list[str]",
                                        [NT_OPTION_WORDS] = "list[list[int]]",
                                        [NT_OPTION_BIASES] = "dict[tuple[int], float]"};
    return strstr(documented, types[type]) != NULL;
}

/* What a row says first about its default is transformers' value. */
static void check_default(const nt_option_row *row, const char *json) {
    char first[64];
    size_t n = strcspn(row->info.default_value, ",");
    snprintf(first, sizeof first, "%.*s", (int)n, row->info.default_value);
    json_t *value = json_loads(json, JSON_DECODE_ANY, NULL);
    assert_non_null(value);
    bool same = json_is_string(value)            ? strcmp(first, json_string_value(value)) == 0
                : json_is_number(value)          ? strtod(first, NULL) == json_number_value(value)
                : json_is_boolean(value)         ? strcmp(first, json) == 0
                : row->type == NT_OPTION_BOOLEAN ? strcmp(first, "false") == 0 /* None is false */
                                                 : strcmp(first, "none") == 0;
    if (strcmp(row->info.name, "eos_token_id") == 0) same = strcmp(first, "the checkpoint's") == 0;
    if (!same) fail_msg("%s: %s, transformers has %s", row->info.name, first, json);
    json_decref(value);
}

static void every_field_of_transformers(void **state) {
    (void)state;
    FILE *file = fopen(FIXTURE, "r");
    assert_non_null(file);
    fields f;
    size_t n_rows = 0, n_left_out = 0, n_ours = 0, n = 0;
    while (next_line(&f, file, "field")) {
        const nt_option_row *row = nt_option_find(f.part[1]);
        const nt_left_out *left_out = nt_left_out_named(f.part[1]);
        if (!row == !left_out) fail_msg("%s has %s", f.part[1], row ? "both" : "neither");
        n_left_out += left_out != NULL;
        if (left_out) assert_true(strlen(left_out->reason) > 20);
        if (!row) continue;
        n_rows++;
        assert_string_equal(row->info.source, "transformers");
        assert_false(row->ours);
        if (!documented_type_fits(row->type, f.part[2]))
            fail_msg("%s: transformers' type is %s", f.part[1], f.part[2]);
        check_default(row, f.part[3]);
    }
    fclose(file);
    for (size_t i = 0; i < nt_n_options(); i++)
        n_ours += strcmp(nt_option_at(i)->source, "transformers") != 0;
    while (nt_left_out_at(n))
        n++;
    assert_int_equal(n_rows + n_ours, nt_n_options()); /* no row for a field that is not there */
    assert_int_equal(n_left_out, n);
    assert_int_equal(n_rows + n_left_out, 73);
}

/* Where we differ from transformers in what we take, and why. */
static const struct {
    const char *name, *value, *reason;
} differences[] = {
    {"temperature", "2", "a whole number is a number"},
    {"repetition_penalty", "2", "a whole number is a number"},
    {"encoder_repetition_penalty", "2", "a whole number is a number"},
    {"sequence_bias", "[[[1],2]]", "a whole number is a number"},
    {"max_new_tokens", "2.5", "half a token; there it becomes 3"},
    {"min_new_tokens", "-1", "below its range; there it is off"},
    {"min_length", "-1", "below its range; there it is off"},
    {"no_repeat_ngram_size", "-1", "below its range; there it is off"},
    {"encoder_no_repeat_ngram_size", "-1", "below its range; there it is off"},
    {"top_p", "1.5", "above its range; there it is off"},
    {"typical_p", "1.5", "above its range; there it is off"},
    {"epsilon_cutoff", "-0.1", "outside its range; there it is off"},
    {"epsilon_cutoff", "1.5", "outside its range; there it is off"},
    {"eta_cutoff", "-0.1", "outside its range; there it is off"},
    {"eta_cutoff", "1.5", "outside its range; there it is off"},
    {"sequence_bias", "[[[],2.5]]", "no id to bias; there it is passed over"},
    {"forced_bos_token_id", "[]", "no id to force; there it leaves none"},
    {"eos_token_id", "[1.5]", "not an id; there it never comes up"},
};

enum { N_DIFFERENCES = sizeof differences / sizeof *differences };

static bool is_known_difference(const char *name, const char *value) {
    for (size_t i = 0; i < N_DIFFERENCES; i++)
        if (strcmp(differences[i].name, name) == 0 && strcmp(differences[i].value, value) == 0)
            return true;
    return false;
}

static void values_as_transformers_takes_them(void **state) {
    (void)state;
    FILE *file = fopen(FIXTURE, "r");
    assert_non_null(file);
    fields f;
    size_t n = 0, n_taken = 0, n_different = 0;
    while (next_line(&f, file, "value")) {
        nt_generate_options o = NT_GENERATE_OPTIONS_INIT;
        bool taken = set_json(&o, f.part[1], f.part[2]) == NT_OK;
        bool different = taken != (strcmp(f.part[3], "taken") == 0);
        if (different != is_known_difference(f.part[1], f.part[2]))
            fail_msg("%s %s: transformers: %s", f.part[1], f.part[2], f.part[3]);
        n++;
        n_taken += taken;
        n_different += different;
        if (!taken) message_has(nt_option_find(f.part[1])->info.range);
        nt_generate_options_clear(&o);
    }
    fclose(file);
    assert_true(n > 180 && n_taken > 60 && n - n_taken > 60);
    assert_int_equal(n_different, N_DIFFERENCES);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_is_whole),
        cmocka_unit_test(every_field_has_a_row),
        cmocka_unit_test(every_row_is_worded),
        cmocka_unit_test(every_example_is_a_value),
        cmocka_unit_test(every_field_of_transformers),
        cmocka_unit_test(values_as_transformers_takes_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
