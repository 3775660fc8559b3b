#include "text/unicode/properties.h"

#include <string.h>

/* Order of the categories in the tables; a group is all whose first letter is its own. */
static const struct {
    char brief[3];
    char full[23];
} categories[] = {
    {"lu", "uppercaseletter"},    {"ll", "lowercaseletter"},  {"lt", "titlecaseletter"},
    {"lm", "modifierletter"},     {"lo", "otherletter"},      {"mn", "nonspacingmark"},
    {"mc", "spacingmark"},        {"me", "enclosingmark"},    {"nd", "decimalnumber"},
    {"nl", "letternumber"},       {"no", "othernumber"},      {"pc", "connectorpunctuation"},
    {"pd", "dashpunctuation"},    {"ps", "openpunctuation"},  {"pe", "closepunctuation"},
    {"pi", "initialpunctuation"}, {"pf", "finalpunctuation"}, {"po", "otherpunctuation"},
    {"sm", "mathsymbol"},         {"sc", "currencysymbol"},   {"sk", "modifiersymbol"},
    {"so", "othersymbol"},        {"zs", "spaceseparator"},   {"zl", "lineseparator"},
    {"zp", "paragraphseparator"}, {"cc", "control"},          {"cf", "format"},
    {"cs", "surrogate"},          {"co", "privateuse"},       {"cn", "unassigned"},
};
enum { N_CATEGORIES = sizeof categories / sizeof categories[0], MAX_NAME = 63 };

static const struct {
    char brief, full[14];
} groups[] = {{'l', "letter"}, {'m', "mark"},      {'n', "number"}, {'p', "punctuation"},
              {'s', "symbol"}, {'z', "separator"}, {'c', "other"},  {'m', "combiningmark"}};

/* The categories that a name means, a bit each; 0 when it is no category. */
static uint32_t categories_named(const char *name) {
    char group = name[0] && !name[1] ? name[0] : 0;
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
        if (strncmp(name, groups[i].full, sizeof groups[i].full) == 0) group = groups[i].brief;
    }
    uint32_t mask = 0;
    for (uint32_t i = 0; i < N_CATEGORIES; i++) {
        bool whole =
            strcmp(name, categories[i].brief) == 0 || strcmp(name, categories[i].full) == 0;
        if (whole || categories[i].brief[0] == group) mask |= 1u << i;
    }
    return mask;
}

/* Adds the runs [n] whose value is a bit of `mask`; without mask those of `value`. */
static int add_runs(nt_ranges *out, const uint32_t *runs, size_t n, uint32_t mask, uint32_t value) {
    for (size_t i = 0; i < n; i++) {
        uint32_t high = i + 1 < n ? (runs[i + 1] & 0xFFFFFF) - 1 : NT_MAX_CODE, v = runs[i] >> 24;
        if (mask ? mask >> v & 1 : v == value) {
            NT_TRY(nt_ranges_add(out, runs[i] & 0xFFFFFF, high));
        }
    }
    return NT_OK;
}

static int add_set(nt_ranges *out, const nt_property_set *set) {
    nt_ranges near = {0}, inverse = {0}, odd = {0}, even = {0};
    const uint32_t *changes = nt_property_changes + set->first;
    int status = NT_OK;
    if (set->categories) {
        status = add_runs(&near, nt_category_runs, nt_property_n.categories, set->categories, 0);
    }
    for (size_t i = 0; i + 1 < set->n && status == NT_OK; i += 2)
        status = nt_ranges_add(&odd, changes[i], changes[i + 1] - 1);
    nt_ranges_tidy(&near);
    nt_ranges_tidy(&odd);
    /* near xor odd */
    if (status == NT_OK) status = nt_ranges_join(&inverse, &near);
    if (status == NT_OK) status = nt_ranges_invert(&inverse);
    if (status == NT_OK) status = nt_ranges_join(&even, &odd);
    if (status == NT_OK) status = nt_ranges_intersect(&odd, &inverse);
    if (status == NT_OK) status = nt_ranges_invert(&even);
    if (status == NT_OK) status = nt_ranges_intersect(&near, &even);
    if (status == NT_OK) status = nt_ranges_join(out, &near);
    if (status == NT_OK) status = nt_ranges_join(out, &odd);
    nt_ranges_free(&near);
    nt_ranges_free(&inverse);
    nt_ranges_free(&odd);
    nt_ranges_free(&even);
    return status;
}

static bool equal(const char *a, const char *b) {
    return b[0] && strcmp(a, b) == 0;
}

int nt_property_add(nt_ranges *out, bool *known, const char *name, size_t n, bool alone) {
    char plain[MAX_NAME + 1];
    size_t length = 0;
    *known = false;
    for (size_t i = 0; i < n; i++) {
        char c = name[i];
        if (c == ' ' || c == '-' || c == '_') continue;
        if (length == MAX_NAME) return NT_OK;
        plain[length++] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
    }
    plain[length] = 0;
    if (alone && strcmp(plain, "word") == 0) memcpy(plain, "=word", 6);
    *known = true;
    uint32_t mask = categories_named(plain);
    if (mask) return add_runs(out, nt_category_runs, nt_property_n.categories, mask, 0);
    for (size_t i = 0; i < nt_property_n.sets; i++) {
        const nt_property_set *set = &nt_property_sets[i];
        for (size_t j = 0; j < sizeof set->names / sizeof set->names[0]; j++) {
            if (equal(plain, set->names[j])) return add_set(out, set);
        }
    }
    for (uint32_t i = 0; i < nt_property_n.names; i++) {
        if (equal(plain, nt_script_names[i].full) || equal(plain, nt_script_names[i].brief)) {
            return add_runs(out, nt_script_runs, nt_property_n.scripts, 0, i);
        }
    }
    *known = false;
    return NT_OK;
}

uint32_t nt_fold(uint32_t code) {
    for (size_t i = 0; i < nt_property_n.folds; i++) {
        const nt_fold_run *run = &nt_fold_runs[i];
        if (code < run->first || code > run->last || (code - run->first) % run->step) continue;
        return run->to + (code - run->first);
    }
    return code;
}

int nt_fold_close(nt_ranges *ranges) {
    /* Those that fold into a member's fold: first the folds of the members, then what has them. */
    for (int pass = 0; pass < 2; pass++) {
        nt_ranges_tidy(ranges);
        nt_ranges more = {0};
        int status = NT_OK;
        for (size_t i = 0; i < nt_property_n.folds && status == NT_OK; i++) {
            const nt_fold_run *run = &nt_fold_runs[i];
            for (uint32_t c = run->first; c <= run->last && status == NT_OK; c += run->step) {
                uint32_t to = run->to + (c - run->first), from = pass ? to : c;
                if (nt_ranges_has(ranges, from)) {
                    status = nt_ranges_add(&more, pass ? c : to, pass ? c : to);
                }
            }
        }
        if (status == NT_OK) status = nt_ranges_join(ranges, &more);
        nt_ranges_free(&more);
        NT_TRY(status);
    }
    nt_ranges_tidy(ranges);
    return NT_OK;
}

size_t nt_fold_many_in(const nt_ranges *set) {
    size_t n = 0;
    for (size_t i = 0; i < nt_property_n.many; i++)
        n += nt_ranges_has(set, nt_many_folds[i].code);
    return n;
}

bool nt_fold_is_many(uint32_t code) {
    nt_range one = {code, code};
    return nt_fold_many_in(&(nt_ranges){.list = &one, .n = 1}) > 0;
}

bool nt_fold_pair(uint32_t first, uint32_t second) {
    for (size_t i = 0; i < nt_property_n.many; i++) {
        if (nt_many_folds[i].begin[0] == first && nt_many_folds[i].begin[1] == second) return true;
    }
    return false;
}
