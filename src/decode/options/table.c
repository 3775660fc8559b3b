/* Looking names up in the table of options, and the public calls that list and set them. */
#include "decode/options/options.h"

#include <string.h>

#include "base/distance.h"
#include "base/memory.h"

static const nt_option_section *const sections[] = {
    &nt_options_length, &nt_options_search,   &nt_options_drawing,  &nt_options_repetition,
    &nt_options_bans,   &nt_options_guidance, &nt_options_assisted, &nt_options_kept};

enum { N_SECTIONS = sizeof sections / sizeof *sections, MAX_NAME = 64 };

size_t nt_n_options(void) {
    size_t n = 0;
    for (size_t i = 0; i < N_SECTIONS; i++)
        n += sections[i]->n;
    return n;
}

const nt_option_row *nt_option_row_at(size_t i) {
    for (size_t s = 0; s < N_SECTIONS; s++) {
        if (i < sections[s]->n) return &sections[s]->rows[i];
        i -= sections[s]->n;
    }
    return NULL;
}

const nt_option_info *nt_option_at(size_t i) {
    const nt_option_row *row = nt_option_row_at(i);
    return row ? &row->info : NULL;
}

const nt_option_info *nt_generate_options_drawing(const nt_generate_options *options) {
    const nt_option_row *row;
    for (size_t i = 0; (row = nt_option_row_at(i)); i++)
        if (row->info.draws && nt_option_given(options, row)) return &row->info;
    return NULL;
}

/* The name with underscores; false when it is longer than any option's. */
static bool normal_name(char out[MAX_NAME], const char *name) {
    size_t n = strlen(name);
    if (n >= MAX_NAME) return false;
    for (size_t i = 0; i <= n; i++)
        out[i] = name[i] == '-' ? '_' : name[i];
    return true;
}

const nt_option_row *nt_option_find(const char *name) {
    char wanted[MAX_NAME];
    if (!normal_name(wanted, name)) return NULL;
    const nt_option_row *row;
    for (size_t i = 0; (row = nt_option_row_at(i)); i++)
        if (strcmp(row->info.name, wanted) == 0) return row;
    return NULL;
}

/* The option that a name is nearest to, or the beginning of; NULL: none is near. Slips weigh less
 * in a longer name. */
static const char *nearest_to(const char *wanted) {
    const char *nearest = NULL;
    size_t length = strlen(wanted), most = length / 3 + 1; /* further off is no slip */
    double least = 1;
    const nt_option_info *info;
    for (size_t i = 0; (info = nt_option_at(i)); i++) {
        size_t distance = nt_edit_distance(wanted, info->name), n = strlen(info->name);
        double share = (double)distance / (double)(n > length ? n : length);
        if (distance > most || share >= least) continue;
        least = share;
        nearest = info->name;
    }
    for (size_t i = 0; !nearest && length >= 3 && (info = nt_option_at(i)); i++)
        if (strncmp(info->name, wanted, length) == 0) nearest = info->name;
    for (size_t i = 0; !nearest && length >= 4 && (info = nt_option_at(i)); i++)
        if (strstr(info->name, wanted)) nearest = info->name;
    return nearest;
}

static int unknown_option(const char *name) {
    char wanted[MAX_NAME];
    if (!normal_name(wanted, name)) {
        return nt_fail(NT_E_ARGUMENT, "unknown option \"%.40s...\"", name);
    }
    const nt_left_out *left_out = nt_left_out_named(wanted);
    if (left_out) {
        return nt_fail(NT_E_ARGUMENT, "option %s is transformers' and left out here: %s", wanted,
                       left_out->reason);
    }
    const char *nearest = nearest_to(wanted);
    if (!nearest) return nt_fail(NT_E_ARGUMENT, "unknown option \"%s\"", name);
    return nt_fail(NT_E_ARGUMENT, "unknown option \"%s\": did you mean %s?", name, nearest);
}

int nt_option_named(const nt_option_info **out, const char *name) {
    if (!out || !name) return nt_fail(NT_E_ARGUMENT, "nt_option_named: out or name is NULL");
    const nt_option_row *row = nt_option_find(name);
    *out = row ? &row->info : NULL;
    return row ? NT_OK : unknown_option(name);
}

enum { OWNED_END = offsetof(nt_generate_options, owned) + sizeof(void *) };

int nt_option_fits(const nt_generate_options *options, const nt_option_row *row) {
    size_t need = nt_option_end(row);
    if (need < OWNED_END) need = OWNED_END;
    if (options->size >= need) return NT_OK;
    return nt_fail(NT_E_ARGUMENT,
                   "nt_generate_options: size is %zu, too small for %s; start from "
                   "NT_GENERATE_OPTIONS_INIT",
                   options->size, row->info.name);
}

int nt_generate_options_set(nt_generate_options *options, const char *name, const char *value) {
    if (!options || !name || !value)
        return nt_fail(NT_E_ARGUMENT, "nt_generate_options_set: options, name or value is NULL");
    const nt_option_row *row = nt_option_find(name);
    if (!row) return unknown_option(name);
    NT_TRY(nt_option_fits(options, row));
    nt_option_memory *memory = options->owned;
    int status = nt_option_set_text(options, row, &memory, value);
    options->owned = memory;
    return status;
}

void nt_generate_options_clear(nt_generate_options *options) {
    if (!options) return;
    size_t size = options->size;
    nt_option_memory *memory = size >= OWNED_END ? options->owned : NULL;
    if (memory) nt_arena_free(&memory->arena);
    nt_free(memory);
    nt_generate_options defaults = NT_GENERATE_OPTIONS_INIT;
    memcpy(options, &defaults, size < sizeof defaults ? size : sizeof defaults);
    if (size >= sizeof size) options->size = size;
}
