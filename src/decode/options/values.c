/* Values of options: from text and from JSON into the field that a row describes. */
#include "decode/options/values.h"

#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <strings.h>

#include "base/distance.h"
#include "base/utf8.h"

/* ---- What a struct holds ---- */

static const void *field_of(const void *target, size_t offset) {
    return (const char *)target + offset;
}

bool nt_option_given(const void *target, const nt_option_row *row) {
    const void *value = field_of(target, row->offset), *list;
    switch (row->type) {
    case NT_OPTION_INTEGER: return *(const int32_t *)value != (int32_t)row->unset;
    case NT_OPTION_NUMBER: return *(const double *)value != row->unset;
    case NT_OPTION_BOOLEAN: return *(const int *)value != 0;
    case NT_OPTION_CHOICE: return *(const int32_t *)value != 0;
    case NT_OPTION_SEED:
    case NT_OPTION_DECAY: return *(const bool *)field_of(target, row->offset_n);
    default: memcpy(&list, value, sizeof list); return list != NULL;
    }
}

/* The parts of a row's value: their offsets and sizes. */
typedef struct part {
    size_t offset, size;
} part;

enum { MAX_PARTS = 3 };

static size_t parts_of(part parts[MAX_PARTS], const nt_option_row *row) {
    size_t n = 1;
    parts[0] = (part){row->offset, sizeof(void *)};
    switch (row->type) {
    case NT_OPTION_INTEGER:
    case NT_OPTION_CHOICE: parts[0].size = sizeof(int32_t); break;
    case NT_OPTION_NUMBER: parts[0].size = sizeof(double); break;
    case NT_OPTION_BOOLEAN: parts[0].size = sizeof(int); break;
    case NT_OPTION_TEXT: break;
    case NT_OPTION_SEED:
        parts[0].size = sizeof(uint64_t);
        parts[n++] = (part){row->offset_n, sizeof(bool)};
        break;
    case NT_OPTION_DECAY:
        parts[0].size = sizeof(int32_t);
        parts[n++] = (part){row->offset_n, sizeof(bool)};
        parts[n++] = (part){row->offset_factor, sizeof(double)};
        break;
    default: parts[n++] = (part){row->offset_n, sizeof(size_t)}; break;
    }
    return n;
}

void nt_option_copy(void *target, const void *source, const nt_option_row *row) {
    part parts[MAX_PARTS];
    size_t n = parts_of(parts, row);
    for (size_t i = 0; i < n; i++)
        memcpy((char *)target + parts[i].offset, field_of(source, parts[i].offset), parts[i].size);
}

size_t nt_option_end(const nt_option_row *row) {
    part parts[MAX_PARTS];
    size_t end = 0;
    for (size_t i = parts_of(parts, row); i-- > 0;)
        if (parts[i].offset + parts[i].size > end) end = parts[i].offset + parts[i].size;
    return end;
}

/* Back to "not given"; lists, for which that is no value, become empty. */
static int unset(const nt_option_setting *s) {
    part parts[MAX_PARTS];
    switch (s->row->type) {
    case NT_OPTION_INTEGER:
        *(int32_t *)nt_option_field(s, s->row->offset) = (int32_t)s->row->unset;
        return NT_OK;
    case NT_OPTION_NUMBER:
        *(double *)nt_option_field(s, s->row->offset) = s->row->unset;
        return NT_OK;
    case NT_OPTION_IDS:
    case NT_OPTION_STRINGS:
    case NT_OPTION_WORDS:
    case NT_OPTION_BIASES: {
        nt_arena *arena = nt_option_arena(s->memory);
        const void *empty = arena ? nt_arena_alloc(arena, 1, sizeof(void *)) : NULL;
        if (!empty) return NT_E_MEMORY;
        nt_option_set_list(s, empty, 0);
        return NT_OK;
    }
    default:
        for (size_t i = parts_of(parts, s->row); i-- > 0;)
            memset(nt_option_field(s, parts[i].offset), 0, parts[i].size);
        return NT_OK;
    }
}

nt_arena *nt_option_arena(nt_option_memory **memory) {
    if (!*memory) *memory = nt_alloc(1, sizeof **memory);
    return *memory ? &(*memory)->arena : NULL;
}

void nt_option_set_list(const nt_option_setting *s, const void *list, size_t n) {
    memcpy(nt_option_field(s, s->row->offset), &list, sizeof list);
    *(size_t *)nt_option_field(s, s->row->offset_n) = n;
}

/* ---- Messages ---- */

/* The beginning of a dump, as far as it fits. */
typedef struct shown_json {
    char *out;
    size_t n;
} shown_json;

static int show_some(const char *bytes, size_t n, void *payload) {
    shown_json *shown = payload;
    size_t room = NT_SHOWN + 1 - shown->n, some = n < room ? n : room;
    memcpy(shown->out + shown->n, bytes, some);
    shown->n += some;
    return shown->n > NT_SHOWN ? -1 : 0; /* enough: the rest need not be written */
}

void nt_option_show_json(char out[NT_SHOWN + 8], const json_t *value) {
    shown_json shown = {out, 0};
    json_dump_callback(value, show_some, &shown,
                       JSON_ENCODE_ANY | JSON_ENSURE_ASCII | JSON_COMPACT);
    bool whole = shown.n <= NT_SHOWN;
    strcpy(out + (whole ? shown.n : NT_SHOWN), whole ? "" : "...");
}

/* The value as a message shows it: whole characters, at most about NT_SHOWN bytes. */
static void show(char out[NT_SHOWN + 8], const nt_option_source *source) {
    if (source->json) {
        nt_option_show_json(out, source->json);
        return;
    }
    size_t n = strlen(source->text), at = 0;
    while (at < n) {
        int32_t code;
        size_t step = nt_utf8_next(&code, source->text + at, n - at);
        if (at + step > NT_SHOWN) break;
        memcpy(out + at, source->text + at, step);
        if (code < 0) memset(out + at, '?', step);
        at += step;
    }
    strcpy(out + at, at < n ? "..." : "");
}

/* The word of a choice that another is a slip of; NULL: none. */
static const char *near_choice(const nt_option_setting *s) {
    const char *near = NULL;
    size_t best = 3; /* so far off is no slip */
    if (s->row->type != NT_OPTION_CHOICE || !s->source.text) return NULL;
    for (size_t i = 0; s->row->names[i]; i++) {
        size_t distance = nt_edit_distance(s->source.text, s->row->names[i]);
        if (distance >= best || distance >= strlen(s->row->names[i])) continue;
        best = distance;
        near = s->row->names[i];
    }
    return near;
}

int nt_option_refuse(const nt_option_setting *s) {
    static const char *const takes[] = {[NT_OPTION_INTEGER] = "an integer",
                                        [NT_OPTION_NUMBER] = "a number",
                                        [NT_OPTION_BOOLEAN] = "true or false",
                                        [NT_OPTION_CHOICE] = "one of its words",
                                        [NT_OPTION_SEED] = "an integer",
                                        [NT_OPTION_DECAY] = "two numbers",
                                        [NT_OPTION_TEXT] = "a text",
                                        [NT_OPTION_IDS] = "token ids",
                                        [NT_OPTION_STRINGS] = "strings",
                                        [NT_OPTION_WORDS] = "lists of token ids",
                                        [NT_OPTION_BIASES] = "token ids with biases"};
    char shown[NT_SHOWN + 8];
    show(shown, &s->source);
    const char *range = s->row->info.range ? s->row->info.range : "", *where = s->source.where;
    const char *quote = s->source.json ? "" : "\"", *what = takes[s->row->type];
    if (strcmp(range, what) == 0) range = "";
    const char *near = near_choice(s);
    return nt_fail(where ? NT_E_FORMAT : NT_E_ARGUMENT,
                   "%s%s%s cannot be %s%s%s: it takes %s%s%s%s%s%s", where ? where : "",
                   where ? ": " : "", s->row->info.name, quote, shown, quote, what,
                   *range ? ", " : "", range, near ? " (did you mean " : "", near ? near : "",
                   near ? "?)" : "");
}

/* ---- Reading text ---- */

bool nt_option_is_none(const char *text) {
    return strcasecmp(text, "none") == 0 || strcasecmp(text, "null") == 0;
}

void nt_option_strip(const char **text, size_t *n, char open, char close) {
    for (; *n && **text == ' '; --*n)
        ++*text;
    while (*n && (*text)[*n - 1] == ' ')
        --*n;
    if (*n < 2 || **text != open || (*text)[*n - 1] != close) return;
    *text += 1;
    *n -= 2;
    nt_option_strip(text, n, '\0', '\0');
}

bool nt_option_integer(int64_t *out, const char *text, size_t n) {
    char digits[24];
    if (n == 0 || n >= sizeof digits || strspn(text, "+-0123456789") < n) return false;
    memcpy(digits, text, n);
    digits[n] = 0;
    char *end;
    errno = 0;
    *out = strtoll(digits, &end, 10);
    return errno == 0 && *end == 0;
}

int nt_option_number(bool *ok, double *out, const char *text, size_t n) {
    char digits[512];
    *ok = false;
    if (n == 0 || n >= sizeof digits || strspn(text, "+-.0123456789eE") < n) return NT_OK;
    memcpy(digits, text, n);
    digits[n] = 0;
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!c) return nt_fail_memory(sizeof c);
    char *end;
    *out = strtod_l(digits, &end, c);
    *ok = *end == 0 && end != digits;
    freelocale(c);
    return NT_OK;
}

int nt_option_parse(json_t **out, const char *text) {
    json_error_t error;
    *out = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    if (!*out && json_error_code(&error) == json_error_out_of_memory)
        return nt_fail_memory(strlen(text));
    return NT_OK;
}

static bool within(const nt_option_row *row, double number) {
    return number >= row->low && number <= row->high;
}

static int set_number(const nt_option_setting *s) {
    const char *text = s->source.text;
    bool ok;
    if (s->row->type == NT_OPTION_INTEGER) {
        int64_t integer = 0;
        ok = nt_option_integer(&integer, text, strlen(text));
        if (!ok || !within(s->row, (double)integer)) return nt_option_refuse(s);
        *(int32_t *)nt_option_field(s, s->row->offset) = (int32_t)integer;
        return NT_OK;
    }
    double number;
    NT_TRY(nt_option_number(&ok, &number, text, strlen(text)));
    if (!ok || !within(s->row, number)) return nt_option_refuse(s);
    *(double *)nt_option_field(s, s->row->offset) = number;
    return NT_OK;
}

/* 1 for a word that means yes, -1 for one that means no, else 0. */
static int truth_of(const char *text) {
    static const char *const yes[] = {"true", "1", "yes", "on"}, *const no[] = {"false", "0", "no",
                                                                                "off"};
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) {
        if (strcasecmp(text, yes[i]) == 0) return 1;
        if (strcasecmp(text, no[i]) == 0) return -1;
    }
    return 0;
}

static int set_boolean(const nt_option_setting *s) {
    int value = truth_of(s->source.text);
    if (!value) return nt_option_refuse(s);
    *(int *)nt_option_field(s, s->row->offset) = value;
    return NT_OK;
}

/* The place of a word [n] in a row's names, from 1 on, whatever its case and dashes; 0: not there.
 */
static int32_t choice_of(const nt_option_row *row, const char *word, size_t n) {
    for (int32_t i = 0; row->names[i]; i++) {
        const char *name = row->names[i];
        size_t at = 0;
        while (at < n && name[at] &&
               (name[at] == word[at] || (name[at] == '_' && word[at] == '-') ||
                (word[at] >= 'A' && word[at] <= 'Z' && name[at] == word[at] - 'A' + 'a')))
            at++;
        if (at == n && !name[at]) return i + 1;
    }
    return 0;
}

/* A word, with or without quotes; 1, yes, on and their opposites where true and false are choices.
 */
static int set_choice(const nt_option_setting *s) {
    const char *word = s->source.text;
    size_t n = strlen(word);
    nt_option_strip(&word, &n, '"', '"');
    int32_t choice = choice_of(s->row, word, n);
    int truth = choice ? 0 : truth_of(s->source.text);
    if (truth) choice = choice_of(s->row, truth > 0 ? "true" : "false", truth > 0 ? 4 : 5);
    if (!choice) return nt_option_refuse(s);
    *(int32_t *)nt_option_field(s, s->row->offset) = choice;
    return NT_OK;
}

static void set_seed(const nt_option_setting *s, uint64_t seed) {
    *(uint64_t *)nt_option_field(s, s->row->offset) = seed;
    *(bool *)nt_option_field(s, s->row->offset_n) = true;
}

/* All 64 bits, which numbers in JSON do not have. */
static int seed_from_text(const nt_option_setting *s) {
    const char *text = s->source.text;
    size_t n = strlen(text);
    uint64_t seed = 0;
    if (n == 0 || strspn(text, "0123456789") < n) return nt_option_refuse(s);
    for (size_t i = 0; i < n; i++) {
        if (__builtin_mul_overflow(seed, 10, &seed) ||
            __builtin_add_overflow(seed, (uint64_t)(text[i] - '0'), &seed))
            return nt_option_refuse(s);
    }
    set_seed(s, seed);
    return NT_OK;
}

static int set_decay(const nt_option_setting *s, int64_t start, double factor) {
    if (start < 0 || start > INT32_MAX || !(factor >= s->row->low && factor <= s->row->high))
        return nt_option_refuse(s);
    *(int32_t *)nt_option_field(s, s->row->offset) = (int32_t)start;
    *(bool *)nt_option_field(s, s->row->offset_n) = true;
    *(double *)nt_option_field(s, s->row->offset_factor) = factor;
    return NT_OK;
}

/* "15,1.6", [15, 1.6] or (15, 1.6) */
static int decay_from_text(const nt_option_setting *s) {
    const char *text = s->source.text;
    size_t n = strlen(text);
    nt_option_strip(&text, &n, *text == '(' ? '(' : '[', *text == '(' ? ')' : ']');
    const char *comma = memchr(text, ',', n), *second = comma ? comma + 1 : text;
    if (!comma) return nt_option_refuse(s);
    size_t n_first = (size_t)(comma - text), n_second = n - n_first - 1;
    nt_option_strip(&text, &n_first, '\0', '\0');
    nt_option_strip(&second, &n_second, '\0', '\0');
    int64_t start;
    double factor;
    bool ok;
    NT_TRY(nt_option_number(&ok, &factor, second, n_second));
    if (!ok || !nt_option_integer(&start, text, n_first)) return nt_option_refuse(s);
    return set_decay(s, start, factor);
}

static bool is_decay(const nt_option_row *row, const json_t *value) {
    const json_t *start = json_array_get(value, 0), *factor = json_array_get(value, 1);
    double number = json_number_value(factor);
    return json_array_size(value) == 2 && json_is_integer(start) && json_is_number(factor) &&
           json_integer_value(start) >= 0 && json_integer_value(start) <= INT32_MAX &&
           within(row, number);
}

/* ---- All types ---- */

int nt_option_set_text(void *target, const nt_option_row *row, nt_option_memory **memory,
                       const char *value) {
    const nt_option_setting s = {target, row, memory, {.text = value}};
    if (row->type == NT_OPTION_STRINGS) return nt_option_set_strings(&s);
    if (row->type == NT_OPTION_TEXT) return nt_option_set_string(&s);
    if (nt_option_is_none(value)) return unset(&s);
    switch (row->type) {
    case NT_OPTION_BOOLEAN: return set_boolean(&s);
    case NT_OPTION_CHOICE: return set_choice(&s);
    case NT_OPTION_SEED: return seed_from_text(&s);
    case NT_OPTION_DECAY: return decay_from_text(&s);
    case NT_OPTION_IDS: return nt_option_set_ids(&s);
    case NT_OPTION_WORDS: return nt_option_set_words(&s);
    case NT_OPTION_BIASES: return nt_option_set_biases(&s);
    default: return set_number(&s);
    }
}

static int32_t choice_from_json(const nt_option_row *row, const json_t *value) {
    if (json_is_boolean(value))
        return choice_of(row, json_is_true(value) ? "true" : "false", json_is_true(value) ? 4 : 5);
    const char *word = json_string_value(value);
    bool truth = word && (strcmp(word, "true") == 0 || strcmp(word, "false") == 0);
    return word && !truth ? choice_of(row, word, strlen(word)) : 0;
}

bool nt_option_takes_json(const nt_option_row *row, const json_t *value) {
    double number = json_number_value(value);
    if (json_is_null(value)) return true;
    switch (row->type) {
    case NT_OPTION_BOOLEAN: return json_is_boolean(value);
    case NT_OPTION_CHOICE: return choice_from_json(row, value) != 0;
    case NT_OPTION_SEED: return json_is_integer(value) && json_integer_value(value) >= 0;
    case NT_OPTION_DECAY: return is_decay(row, value);
    case NT_OPTION_TEXT: return json_is_string(value);
    case NT_OPTION_INTEGER: return json_is_integer(value) && within(row, number);
    case NT_OPTION_NUMBER: return json_is_number(value) && within(row, number);
    default: return false;
    }
}

int nt_option_set_json(void *target, const nt_option_row *row, nt_option_memory **memory,
                       const json_t *value, const char *where) {
    const nt_option_setting s = {target, row, memory, {.json = value, .where = where}};
    if (json_is_null(value)) return unset(&s);
    switch (row->type) {
    case NT_OPTION_STRINGS: return nt_option_set_strings(&s);
    case NT_OPTION_IDS: return nt_option_set_ids(&s);
    case NT_OPTION_WORDS: return nt_option_set_words(&s);
    case NT_OPTION_BIASES: return nt_option_set_biases(&s);
    default: break;
    }
    if (!nt_option_takes_json(row, value)) return nt_option_refuse(&s);
    void *field = nt_option_field(&s, row->offset);
    switch (row->type) {
    case NT_OPTION_TEXT: return nt_option_set_string(&s);
    case NT_OPTION_BOOLEAN: *(int *)field = json_is_true(value) ? 1 : -1; break;
    case NT_OPTION_CHOICE: *(int32_t *)field = choice_from_json(row, value); break;
    case NT_OPTION_SEED: set_seed(&s, (uint64_t)json_integer_value(value)); break;
    case NT_OPTION_DECAY:
        return set_decay(&s, json_integer_value(json_array_get(value, 0)),
                         json_number_value(json_array_get(value, 1)));
    case NT_OPTION_NUMBER: *(double *)field = json_number_value(value); break;
    default: *(int32_t *)field = (int32_t)json_number_value(value); break;
    }
    return NT_OK;
}
