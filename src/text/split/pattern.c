#define PCRE2_CODE_UNIT_WIDTH 8
#include "text/split/pattern.h"

#include <pcre2.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "text/split/translate.h"

enum {
    FIRST_LIMIT = 250,     /* steps for each place of a text that are not counted */
    BUDGET = 50 * 1000000, /* steps for a text, besides */
    BUDGET_PER_BYTE = 64,  /* these */
    REACH_MIN = 64,        /* bytes, at least, in which one call looks for a match at first, */
    REACH_WORK = 1 << 26,  /* or as many as this is times the length of the text */
    CLOCK_CALLS = 64,      /* between two looks at the clock */
    SECONDS = 2,           /* of the processor for a text, and for each million bytes of it */
    HEAP_KIB = 64 << 10,   /* what the interpreter may use when the JIT's stack does not do */
    RESERVE = 256 << 10,   /* set aside for the JIT compiler, */
    RESERVE_PER_BYTE = 64, /* and for each byte of what PCRE2 compiled */
    JIT_STACK_MIN = 32 << 10,
    JIT_STACK_MAX = 1 << 20
};

struct nt_pattern {
    char *text; /* [n] the string, or the regex for messages, zero-ended */
    size_t n;
    char *where;
    bool is_regex;
    nt_scan_kind scan; /* the regex is this one: nothing is compiled */
    pcre2_code *code;
    pcre2_code *later; /* the same where \G, the start of a search, is behind; NULL: without \G */
    bool has_jit;
    struct compiling {
        bool out_of_memory;
        bool jit;
        void *reserve; /* for the JIT compiler alone */
    } compiling;
};

typedef struct pcre_work {
    pcre2_general_context *general;
    pcre2_match_context *context;
    pcre2_match_data *data;
    pcre2_jit_stack *stack;
    uint64_t budget;      /* steps left for this text */
    uint64_t nanoseconds; /* of the processor left for it */
} pcre_work;

static void *allocate(size_t n, void *unused) {
    (void)unused;
    return nt_alloc(n, 1);
}

/* PCRE2 10.42's JIT compiler does not survive an allocation that fails: it works with memory that
 * was set aside before, so that it meets no such failure, one of the tests' included. */
static void *allocate_compiling(size_t n, void *data) {
    struct compiling *compiling = data;
    void *memory = compiling->jit ? malloc(n) : nt_alloc(n, 1);
    if (!memory && compiling->jit && compiling->reserve) {
        nt_free(compiling->reserve);
        compiling->reserve = NULL;
        memory = malloc(n);
    }
    if (!memory) compiling->out_of_memory = true;
    return memory;
}

static void release(void *memory, void *unused) {
    (void)unused;
    nt_free(memory);
}

/* ---- Making one ------------------------------------------------------------------------------ */

static char *copy(const char *bytes, size_t n) {
    char *text = nt_alloc(n + 1, 1);
    if (text) memcpy(text, bytes, n);
    return text;
}

static int start(nt_pattern **out, const char *text, size_t n, const char *where) {
    *out = NULL;
    nt_pattern *pattern = nt_alloc(1, sizeof *pattern);
    if (!pattern) return NT_E_MEMORY;
    pattern->text = copy(text, n);
    pattern->where = copy(where, strlen(where));
    pattern->n = n;
    if (!pattern->text || !pattern->where) {
        nt_pattern_free(pattern);
        return NT_E_MEMORY;
    }
    *out = pattern;
    return NT_OK;
}

int nt_pattern_from_string(nt_pattern **out, const char *string, size_t n) {
    return start(out, string, n, "");
}

static int compile_one(pcre2_code **code, nt_pattern *pattern, pcre2_compile_context *context,
                       const char *text, size_t n) {
    int error;
    PCRE2_SIZE offset;
    uint32_t options =
        PCRE2_UTF | PCRE2_MULTILINE | PCRE2_DOTALL | PCRE2_NO_UTF_CHECK | PCRE2_USE_OFFSET_LIMIT;
    *code = pcre2_compile((PCRE2_SPTR)text, n, options, &error, &offset, context);
    if (pattern->compiling.out_of_memory) return NT_E_MEMORY;
    if (!*code) {
        char message[160];
        if (pcre2_get_error_message(error, (PCRE2_UCHAR *)message, sizeof message) < 0)
            message[0] = 0;
        return nt_fail(NT_E_UNSUPPORTED, "%s: regex \"%.200s\": PCRE2 cannot do this: %s",
                       pattern->where, pattern->text, message);
    }
    /* Without a JIT for this machine, or memory to run its code from, it is interpreted. */
    size_t size = 0;
    pcre2_pattern_info(*code, PCRE2_INFO_SIZE, &size);
    pattern->compiling.reserve = nt_alloc_aligned(RESERVE + RESERVE_PER_BYTE * size, 1);
    if (!pattern->compiling.reserve) return NT_E_MEMORY;
    pattern->compiling.jit = true;
    pattern->has_jit = pcre2_jit_compile(*code, PCRE2_JIT_COMPLETE) == 0;
    pattern->compiling.jit = false;
    nt_free(pattern->compiling.reserve);
    pattern->compiling.reserve = NULL;
    return pattern->compiling.out_of_memory ? nt_fail_memory(RESERVE) : NT_OK;
}

/* The text with (?!), which never matches, for every \G. Other backslashes of a translated regex
 * stand before other letters: a literal one is \x{5c}. */
static int without_start(nt_buffer *out, const nt_buffer *text) {
    const char *at = text->data, *found;
    for (; (found = strstr(at, "\\G")); at = found + 2) {
        nt_buffer_put(out, at, (size_t)(found - at));
        nt_buffer_puts(out, "(?!)");
    }
    nt_buffer_puts(out, at);
    return out->status;
}

static int compile_with(nt_pattern *pattern, pcre2_compile_context *context,
                        const nt_buffer *text) {
    NT_TRY(compile_one(&pattern->code, pattern, context, text->data, text->n));
    if (!strstr(text->data, "\\G")) return NT_OK;
    nt_buffer later = {0};
    int status = without_start(&later, text);
    if (status == NT_OK)
        status = compile_one(&pattern->later, pattern, context, later.data, later.n);
    nt_buffer_free(&later);
    return status;
}

static int compile(nt_pattern *pattern) {
    nt_buffer text = {0};
    int status = nt_translate(&text, pattern->text, pattern->n, pattern->where);
    if (status == NT_OK) {
        pcre2_general_context *general =
            pcre2_general_context_create(allocate_compiling, release, &pattern->compiling);
        pcre2_compile_context *context = general ? pcre2_compile_context_create(general) : NULL;
        if (context) pcre2_set_newline(context, PCRE2_NEWLINE_LF);
        status = context ? compile_with(pattern, context, &text) : NT_E_MEMORY;
        pcre2_compile_context_free(context);
        pcre2_general_context_free(general);
    }
    nt_buffer_free(&text);
    return status;
}

int nt_pattern_from_regex(nt_pattern **out, const char *regex, size_t n, const char *where) {
    *out = NULL;
    size_t bad = nt_utf8_check(regex, n);
    if (bad < n) return nt_fail(NT_E_FORMAT, "%s: byte %zu of the regex is not UTF-8", where, bad);
    nt_pattern *pattern;
    NT_TRY(start(&pattern, regex, n, where));
    pattern->is_regex = true;
    pattern->scan = nt_scan_of_regex(regex, n);
    int status = pattern->scan == NT_SCAN_NONE ? compile(pattern) : NT_OK;
    if (status != NT_OK) {
        nt_pattern_free(pattern);
        return status;
    }
    *out = pattern;
    return NT_OK;
}

int nt_pattern_read(nt_pattern **out, const json_t *value, const char *where) {
    *out = NULL;
    const json_t *string = json_object_get(value, "String"),
                 *regex = json_object_get(value, "Regex");
    const json_t *given = string ? string : regex;
    if (json_object_size(value) != 1 || !json_is_string(given)) {
        return nt_fail(NT_E_FORMAT,
                       "%s: \"pattern\" must be {\"String\": \"..\"} or {\"Regex\": \"..\"}",
                       where);
    }
    const char *text = json_string_value(given);
    size_t n = json_string_length(given);
    return string ? nt_pattern_from_string(out, text, n)
                  : nt_pattern_from_regex(out, text, n, where);
}

void nt_pattern_free(nt_pattern *pattern) {
    if (!pattern) return;
    pcre2_code_free(pattern->code);
    pcre2_code_free(pattern->later);
    nt_free(pattern->text);
    nt_free(pattern->where);
    nt_free(pattern);
}

nt_scan_kind nt_pattern_scan(const nt_pattern *pattern) {
    return pattern->scan;
}

/* ---- Searching ------------------------------------------------------------------------------- */

static int add(nt_pattern_work *work, size_t from, size_t to) {
    NT_TRY(nt_grow((void **)&work->matches, &work->capacity, work->n + 1, sizeof(nt_match)));
    work->matches[work->n++] = (nt_match){(uint32_t)from, (uint32_t)to};
    return NT_OK;
}

static int search_string(nt_pattern_work *work, const nt_pattern *pattern, const char *text,
                         size_t n) {
    size_t at = 0;
    if (pattern->n == 0) { /* matches before every character and at the end */
        for (int32_t code; at < n; at += nt_utf8_next(&code, text + at, n - at))
            NT_TRY(add(work, at, at));
        return add(work, n, n);
    }
    for (const char *found; (found = memmem(text + at, n - at, pattern->text, pattern->n));) {
        size_t from = (size_t)(found - text);
        at = from + pattern->n;
        NT_TRY(add(work, from, at));
    }
    return NT_OK;
}

static int search_scan(nt_pattern_work *work, const nt_pattern *pattern, const char *text,
                       size_t n) {
    nt_scan scan;
    uint32_t ends[256];
    size_t from = 0;
    nt_scan_start(&scan, pattern->scan, text, n);
    for (size_t k; (k = nt_scan_next(ends, 256, &scan)) > 0;) {
        for (size_t i = 0; i < k; from = ends[i++])
            NT_TRY(add(work, from, ends[i]));
    }
    return NT_OK;
}

static void free_pcre(pcre_work *pcre) {
    if (!pcre) return;
    pcre2_match_data_free(pcre->data);
    pcre2_match_context_free(pcre->context);
    pcre2_jit_stack_free(pcre->stack);
    pcre2_general_context_free(pcre->general);
    nt_free(pcre);
}

static int make_pcre(nt_pattern_work *work) {
    if (work->pcre) return NT_OK;
    pcre_work *pcre = nt_alloc(1, sizeof *pcre);
    if (!pcre) return NT_E_MEMORY;
    uint32_t has_jit = 0;
    pcre2_config(PCRE2_CONFIG_JIT, &has_jit);
    pcre->general = pcre2_general_context_create(allocate, release, NULL);
    if (pcre->general) {
        pcre->context = pcre2_match_context_create(pcre->general);
        pcre->data = pcre2_match_data_create(1, pcre->general);
        if (has_jit) {
            pcre->stack = pcre2_jit_stack_create(JIT_STACK_MIN, JIT_STACK_MAX, pcre->general);
        }
    }
    if (!pcre->context || !pcre->data || (has_jit && !pcre->stack)) {
        free_pcre(pcre);
        return nt_fail_memory(JIT_STACK_MIN);
    }
    if (has_jit) pcre2_jit_stack_assign(pcre->context, NULL, pcre->stack);
    pcre2_set_heap_limit(pcre->context, HEAP_KIB);
    work->pcre = pcre;
    nt_pattern_begin(work);
    return NT_OK;
}

void nt_pattern_begin(nt_pattern_work *work) {
    pcre_work *pcre = work->pcre;
    if (!pcre) return; /* it begins when it is made */
    pcre->budget = BUDGET;
    pcre->nanoseconds = (uint64_t)SECONDS * 1000000000;
}

/* A search under way. PCRE2 does not tell how many steps it took, and counts those of each place
 * that a match might begin at anew. So each place has few steps at first; where one needs more,
 * calls look at ever fewer places, and at last at this one alone, with ever more steps as long as
 * the budget lasts. What a single item runs over ([ab]* over a long run) PCRE2 does not count:
 * that is for the clock. */
typedef struct search {
    pcre_work *pcre;
    const nt_pattern *pattern;
    const char *text; /* [n] */
    size_t n;
    size_t reach;   /* bytes in which a call looks for the start of a match */
    size_t most;    /* of these */
    uint32_t limit; /* steps for each place */
    uint32_t calls;
    uint64_t since; /* the processor's time at the last look at the clock */
} search;

static uint64_t processor_time(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* False when this text took too long. A search of few calls is short. */
static bool in_time(search *s) {
    if (++s->calls % CLOCK_CALLS) return true;
    uint64_t now = processor_time(), spent = s->since ? now - s->since : 0;
    s->since = now;
    if (spent >= s->pcre->nanoseconds) return false;
    s->pcre->nanoseconds -= spent;
    return true;
}

/* PCRE2's verdict on matches that begin in [at, end). */
static int call(search *s, const pcre2_code *code, size_t at, size_t end) {
    pcre2_match_context *context = s->pcre->context;
    pcre2_set_match_limit(context, s->limit);
    pcre2_set_depth_limit(context, s->limit);
    pcre2_set_offset_limit(context, end > s->n ? PCRE2_UNSET : end - 1);
    uint32_t options = PCRE2_NO_UTF_CHECK;
    int rc = pcre2_match(code, (PCRE2_SPTR)s->text, s->n, at, options, s->pcre->data, context);
    if (rc != PCRE2_ERROR_JIT_STACKLIMIT) return rc;
    options |= PCRE2_NO_JIT;
    return pcre2_match(code, (PCRE2_SPTR)s->text, s->n, at, options, s->pcre->data, context);
}

/* The first match from `at` on; as pcre2_match's result. */
static int find(search *s, size_t at) {
    uint32_t hard = 2 * FIRST_LIMIT; /* steps that the last hard place needed, and at most twice */
    const pcre2_code *code = s->pattern->code;
    for (;;) {
        size_t end = s->n - at < s->reach ? s->n + 1 : at + s->reach;
        while (end < s->n && ((unsigned char)s->text[end] & 0xC0) == 0x80)
            end++;
        int rc = call(s, code, at, end);
        if (!in_time(s)) return PCRE2_ERROR_MATCHLIMIT;
        bool failed = rc == PCRE2_ERROR_MATCHLIMIT || rc == PCRE2_ERROR_DEPTHLIMIT;
        if (failed && s->reach > 1) {
            s->reach = s->reach > 8 ? s->reach / 8 : 1;
            continue;
        }
        if (s->limit > FIRST_LIMIT) {
            s->pcre->budget -= s->limit < s->pcre->budget ? s->limit : s->pcre->budget;
        }
        if (failed) {
            if (s->limit > s->pcre->budget || s->limit > UINT32_MAX / 2) return rc;
            s->limit = s->limit > FIRST_LIMIT ? 2 * s->limit : hard;
            continue;
        }
        if (s->limit > FIRST_LIMIT)
            hard = s->limit > 4 * FIRST_LIMIT ? s->limit / 2 : 2 * FIRST_LIMIT;
        else if (s->reach < s->most)
            s->reach *= 2;
        s->limit = FIRST_LIMIT;
        if (rc != PCRE2_ERROR_NOMATCH || end > s->n) return rc;
        at = end;
        if (s->pattern->later) code = s->pattern->later;
    }
}

static int search_failed(const nt_pattern *pattern, int rc) {
    if (rc == PCRE2_ERROR_NOMEMORY) return nt_fail_memory(HEAP_KIB);
    if (rc == PCRE2_ERROR_MATCHLIMIT || rc == PCRE2_ERROR_DEPTHLIMIT ||
        rc == PCRE2_ERROR_HEAPLIMIT) {
        return nt_fail(
            NT_E_UNSUPPORTED,
            "%s: regex \"%.200s\": this text would take too long; shorten it or simplify "
            "the regex",
            pattern->where, pattern->text);
    }
    return nt_fail(NT_E_UNSUPPORTED, "%s: regex \"%.200s\": PCRE2 fails on this text with error %d",
                   pattern->where, pattern->text, rc);
}

static int search_pcre(nt_pattern_work *work, const nt_pattern *pattern, const char *text,
                       size_t n) {
    NT_TRY(make_pcre(work));
    pcre_work *pcre = work->pcre;
    pcre->budget += (uint64_t)n * BUDGET_PER_BYTE;
    pcre->nanoseconds += (uint64_t)n * SECONDS * 1000;
    search s = {pcre, pattern, text, n, .most = n + 1, .limit = FIRST_LIMIT};
    if (pattern->has_jit) { /* the interpreter looks for a match's first byte beyond its reach */
        size_t fair = REACH_WORK / n > REACH_MIN ? REACH_WORK / n : REACH_MIN;
        if (s.most > fair) s.most = fair;
    }
    s.reach = s.most;
    size_t at = 0, last = SIZE_MAX; /* end of the match before */
    while (at <= n) {
        int rc = find(&s, at);
        if (rc == PCRE2_ERROR_NOMATCH) return NT_OK;
        if (rc < 0) return search_failed(pattern, rc);
        const PCRE2_SIZE *found = pcre2_get_ovector_pointer(pcre->data);
        if (found[0] == found[1] && found[1] == last) {
            /* none that is empty right after another one: go on a character later */
            int32_t code;
            at += at < n ? nt_utf8_next(&code, text + at, n - at) : 1;
            continue;
        }
        NT_TRY(add(work, found[0], found[1]));
        at = last = found[1];
    }
    return NT_OK;
}

int nt_pattern_search(nt_pattern_work *work, const nt_pattern *pattern, const char *text,
                      size_t n) {
    work->n = 0;
    if (n == 0) return NT_OK;
    if (!pattern->is_regex) return search_string(work, pattern, text, n);
    if (pattern->scan != NT_SCAN_NONE) return search_scan(work, pattern, text, n);
    return search_pcre(work, pattern, text, n);
}

void nt_pattern_work_free(nt_pattern_work *work) {
    free_pcre(work->pcre);
    nt_free(work->matches);
    *work = (nt_pattern_work){0};
}
