/* What the tests of plans share: a setting that a case changes, and what must come of it. */
#ifndef PLAN_SUPPORT_H
#define PLAN_SUPPORT_H

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "decode/generate.h"

/* What a case starts from: a prompt of 4 ids, a context of 64, 100 ids, 3 new tokens. */
typedef struct setting {
    nt_generate_options o;
    nt_plan_for of;
    nt_plan plan;
} setting;

static setting start(void) {
    setting s = {.o = NT_GENERATE_OPTIONS_INIT, .of = {.n_prompt = 4, .context = 64, .V = 100}};
    s.o.max_new_tokens = 3;
    return s;
}

static bool says(const setting *s, const char *words) {
    for (size_t i = 0; i < s->plan.n_notes; i++)
        if (strstr(s->plan.notes[i], words)) return true;
    return false;
}

static void refuse(setting *s, int status, const char *words, int line) {
    int got = nt_plan_make(&s->plan, &s->o, &s->of);
    if (got != status) fail_msg("line %d: status %d instead of %d", line, got, status);
    if (!strstr(nt_error_message(), words))
        fail_msg("line %d: \"%s\" does not say \"%s\"", line, nt_error_message(), words);
}

/* words NULL: no note at all; else one note, that says them. */
static void make(setting *s, const char *words, int line) {
    if (nt_plan_make(&s->plan, &s->o, &s->of) != NT_OK)
        fail_msg("line %d: %s", line, nt_error_message());
    if (s->plan.n_notes != (words != NULL))
        fail_msg("line %d: %zu notes: %s", line, s->plan.n_notes, s->plan.notes[0]);
    if (words && !says(s, words)) fail_msg("line %d: %s", line, s->plan.notes[0]);
}

/* Statements that set o or of; the status and a part of the message. */
#define REFUSED(status, words, ...)                                                                \
    do {                                                                                           \
        setting s = start();                                                                       \
        nt_generate_options *o = &s.o;                                                             \
        nt_plan_for *of = &s.of;                                                                   \
        (void)o, (void)of;                                                                         \
        __VA_ARGS__;                                                                               \
        refuse(&s, status, words, __LINE__);                                                       \
    } while (0)

/* The same for a plan that is made: its one note, and what must hold of it. */
#define MADE(words, holds, ...)                                                                    \
    do {                                                                                           \
        setting s = start();                                                                       \
        nt_generate_options *o = &s.o;                                                             \
        nt_plan_for *of = &s.of;                                                                   \
        const nt_plan *plan = &s.plan;                                                             \
        (void)o, (void)of, (void)plan;                                                             \
        __VA_ARGS__;                                                                               \
        make(&s, words, __LINE__);                                                                 \
        if (!(holds)) fail_msg("line %d: %s does not hold", __LINE__, #holds);                     \
    } while (0)

#define DRAW o->do_sample = 1, o->top_k = 0, o->seed_given = true

static int32_t ids[] = {0, 7, 99};

#endif
