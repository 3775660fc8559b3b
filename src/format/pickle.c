/* The interpreter of pickles: a stack, a memo, and one function for each group of opcodes. */
#include "format/pickle.h"

#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"

/* A real state dict takes about 8 bytes for each of its pickle's. */
enum { BYTES_EACH = 24, SMALL = 1 << 20 };

typedef nt_pickle_value value;

typedef struct machine {
    nt_pickle *pickle;
    const unsigned char *bytes; /* [end] */
    size_t at, end;
    value *stack; /* [n] */
    size_t n, capacity;
    value *memo; /* [n_memo]; MARK where nothing was put */
    size_t n_memo, memo_capacity, n_put;
} machine;

/* ---- Memory ---- */

int nt_pickle_spend(nt_pickle *pickle, size_t n_bytes) {
    if (n_bytes > pickle->most - pickle->spent) {
        return nt_fail(NT_E_FORMAT,
                       "%.400s: its pickle asks for more memory than any of its length can need",
                       pickle->file);
    }
    pickle->spent += n_bytes;
    return NT_OK;
}

void *nt_pickle_alloc(nt_pickle *pickle, size_t n, size_t size, int *status) {
    *status = nt_pickle_spend(pickle, n * size);
    if (*status != NT_OK) return NULL;
    void *memory = nt_arena_alloc(&pickle->arena, n, size);
    if (!memory) *status = NT_E_MEMORY;
    return memory;
}

int nt_pickle_append(nt_pickle *pickle, nt_pickle_items *items, const value *values, size_t n) {
    size_t need = items->n + n;
    if (need > items->capacity) {
        size_t wanted = need < 2 * items->capacity ? 2 * items->capacity : need;
        int status;
        value *bigger = nt_pickle_alloc(pickle, wanted, sizeof *bigger, &status);
        if (!bigger) return status;
        if (items->n) memcpy(bigger, items->values, items->n * sizeof *bigger);
        items->values = bigger;
        items->capacity = wanted;
    }
    if (n) memcpy(items->values + items->n, values, n * sizeof *values);
    items->n = need;
    return NT_OK;
}

int nt_pickle_items_new(nt_pickle_items **out, nt_pickle *pickle, const value *values, size_t n) {
    int status;
    *out = nt_pickle_alloc(pickle, 1, sizeof **out, &status);
    return *out ? nt_pickle_append(pickle, *out, values, n) : status;
}

/* Room for `need` values in the stack or the memo. */
static int grow(machine *m, value **array, size_t *capacity, size_t need) {
    if (need <= *capacity) return NT_OK;
    size_t wanted = need < 2 * *capacity ? 2 * *capacity : need + 15;
    NT_TRY(nt_pickle_spend(m->pickle, (wanted - *capacity) * sizeof **array));
    value *bigger = nt_resize(*array, wanted, sizeof **array);
    if (!bigger) return NT_E_MEMORY;
    *array = bigger;
    *capacity = wanted;
    return NT_OK;
}

/* ---- The program's bytes ---- */

static int fail_broken(const machine *m, const char *what) {
    return nt_fail(NT_E_FORMAT, "%.400s: its pickle is broken: %s", m->pickle->file, what);
}

/* The next n bytes. */
static int take(const unsigned char **out, machine *m, uint64_t n) {
    *out = m->bytes + m->at;
    if (n > m->end - m->at) {
        return nt_fail(NT_E_FORMAT, "%.400s: %s", m->pickle->file,
                       m->end < NT_PICKLE_MAX
                           ? "its pickle ends early: the file is cut short, fetch it again"
                           : "its pickle is longer than the 25,000,000 bytes that are read");
    }
    m->at += (size_t)n;
    return NT_OK;
}

/* An unsigned number of n_bytes, little-endian. */
static int take_number(uint64_t *out, machine *m, size_t n_bytes) {
    const unsigned char *at;
    *out = 0;
    NT_TRY(take(&at, m, n_bytes));
    while (n_bytes-- > 0)
        *out = *out << 8 | at[n_bytes];
    return NT_OK;
}

/* ---- The stack ---- */

static int push(machine *m, value v) {
    NT_TRY(grow(m, &m->stack, &m->capacity, m->n + 1));
    m->stack[m->n++] = v;
    return NT_OK;
}

/* The top n values, which stay where they are until `drop`. */
static int top(value **out, machine *m, size_t n) {
    *out = m->stack;
    if (n > m->n) return fail_broken(m, "an opcode finds less on the stack than it takes");
    if (n > 0) *out = m->stack + (m->n - n); /* before the first push there is no stack */
    for (size_t i = 0; i < n; i++) {
        if ((*out)[i].kind == NT_PICKLE_MARK)
            return fail_broken(m, "an opcode finds a mark where it needs a value");
    }
    return NT_OK;
}

/* The values above the topmost mark, which is then gone with them; *out is read before any push. */
static int pop_mark(value **out, size_t *n, machine *m) {
    size_t at = m->n;
    *out = m->stack;
    *n = 0;
    while (at > 0 && m->stack[at - 1].kind != NT_PICKLE_MARK)
        at--;
    if (at == 0) return fail_broken(m, "an opcode finds no mark on the stack");
    *out = m->stack + at;
    *n = m->n - at;
    m->n = at - 1;
    return NT_OK;
}

/* ---- Numbers and texts ---- */

static int push_number(machine *m, nt_pickle_kind kind, int64_t number) {
    return push(m, (value){.kind = kind, .number = number});
}

static int push_unsigned(machine *m, size_t n_bytes) {
    uint64_t number;
    NT_TRY(take_number(&number, m, n_bytes));
    return push_number(m, NT_PICKLE_INT, (int64_t)number);
}

static int push_int(machine *m) {
    uint64_t number;
    NT_TRY(take_number(&number, m, 4));
    return push_number(m, NT_PICKLE_INT, (int32_t)number);
}

/* Two's complement of as many bytes as the file has. */
static int push_long(machine *m, size_t n_length) {
    uint64_t n;
    const unsigned char *at;
    NT_TRY(take_number(&n, m, n_length));
    NT_TRY(take(&at, m, n));
    if (n > 8) {
        return push(m, (value){.kind = NT_PICKLE_LONG, .n = (uint32_t)n, .text = (const char *)at});
    }
    uint64_t number = n && at[n - 1] >= 0x80 ? UINT64_MAX : 0;
    for (uint64_t i = n; i-- > 0;)
        number = number << 8 | at[i];
    return push_number(m, NT_PICKLE_INT, (int64_t)number);
}

static int push_float(machine *m) {
    const unsigned char *at;
    NT_TRY(take(&at, m, 8));
    return push(m, (value){.kind = NT_PICKLE_FLOAT});
}

/* A text, or bytes, behind its length. Texts of Python 2 are texts where they are UTF-8. */
static int push_text(machine *m, nt_pickle_kind kind, size_t n_length, bool python2) {
    uint64_t n;
    const unsigned char *at;
    NT_TRY(take_number(&n, m, n_length));
    NT_TRY(take(&at, m, n));
    const char *text = (const char *)at;
    if (kind == NT_PICKLE_TEXT && nt_utf8_check(text, (size_t)n) != n) {
        if (!python2) return fail_broken(m, "a text is not UTF-8");
        kind = NT_PICKLE_BYTES;
    }
    return push(m, (value){.kind = kind, .n = (uint32_t)n, .text = text});
}

/* ---- Containers ---- */

static int push_items(machine *m, nt_pickle_kind kind, const value *values, size_t n) {
    value v = {.kind = kind};
    NT_TRY(nt_pickle_items_new(&v.items, m->pickle, values, n));
    return push(m, v);
}

/* A tuple of the top n values. */
static int make_tuple(machine *m, size_t n) {
    value *values;
    NT_TRY(top(&values, m, n));
    value v = {.kind = NT_PICKLE_TUPLE};
    NT_TRY(nt_pickle_items_new(&v.items, m->pickle, values, n));
    m->n -= n;
    return push(m, v);
}

static int make_marked(machine *m, nt_pickle_kind kind) {
    value *values;
    size_t n;
    NT_TRY(pop_mark(&values, &n, m));
    if (kind == NT_PICKLE_DICT && n % 2) return fail_broken(m, "a dict has a key without a value");
    return push_items(m, kind, values, n);
}

/* Adds values [n], which are no longer on the stack, to the list or dict that is then on top. */
static int extend(machine *m, nt_pickle_kind kind, const value *values, size_t n) {
    value *container;
    NT_TRY(top(&container, m, 1));
    if (container->kind != kind) {
        return fail_broken(m, kind == NT_PICKLE_LIST ? "it adds to what is no list"
                                                     : "it adds to what is no dict");
    }
    if (kind == NT_PICKLE_DICT && n % 2) return fail_broken(m, "a dict has a key without a value");
    return nt_pickle_append(m->pickle, container->items, values, n);
}

static int extend_marked(machine *m, nt_pickle_kind kind) {
    value *values;
    size_t n;
    NT_TRY(pop_mark(&values, &n, m));
    return extend(m, kind, values, n);
}

/* APPEND and SETITEM: of the top n values. */
static int extend_by(machine *m, nt_pickle_kind kind, size_t n) {
    value *values;
    NT_TRY(top(&values, m, n));
    m->n -= n;
    return extend(m, kind, values, n);
}

static int pop(machine *m) {
    if (m->n == 0) return fail_broken(m, "an opcode finds less on the stack than it takes");
    m->n--; /* a mark too: POP is how an empty POP_MARK is written */
    return NT_OK;
}

static int pop_to_mark(machine *m) {
    value *values;
    size_t n;
    return pop_mark(&values, &n, m);
}

static int duplicate(machine *m) {
    value *v;
    NT_TRY(top(&v, m, 1));
    return push(m, *v);
}

/* ---- The memo ---- */

static int put(machine *m, uint64_t i) {
    value *v;
    NT_TRY(top(&v, m, 1));
    if (i > m->end) return fail_broken(m, "a memo's number is beyond all that it can hold");
    NT_TRY(grow(m, &m->memo, &m->memo_capacity, (size_t)i + 1));
    for (; m->n_memo <= i; m->n_memo++)
        m->memo[m->n_memo].kind = NT_PICKLE_MARK;
    m->n_put += m->memo[i].kind == NT_PICKLE_MARK;
    m->memo[i] = *v;
    return NT_OK;
}

static int put_at(machine *m, size_t n_bytes) {
    uint64_t i;
    NT_TRY(take_number(&i, m, n_bytes));
    return put(m, i);
}

static int get(machine *m, size_t n_bytes) {
    uint64_t i;
    NT_TRY(take_number(&i, m, n_bytes));
    if (i >= m->n_memo || m->memo[i].kind == NT_PICKLE_MARK)
        return fail_broken(m, "it asks the memo for what was never put there");
    return push(m, m->memo[i]);
}

/* ---- Names and what is made of them ---- */

/* A line without its end. */
static int take_line(value *out, machine *m) {
    const unsigned char *start = m->bytes + m->at;
    const unsigned char *end = memchr(start, '\n', m->end - m->at);
    const unsigned char *line;
    if (!end) return take(&line, m, UINT64_MAX);
    *out =
        (value){.kind = NT_PICKLE_TEXT, .n = (uint32_t)(end - start), .text = (const char *)start};
    return take(&line, m, (uint64_t)(end - start) + 1);
}

static int push_global(machine *m, value module, value name) {
    value v = {.kind = NT_PICKLE_GLOBAL};
    NT_TRY(nt_pickle_find_global(&v.global, m->pickle, module, name));
    return push(m, v);
}

static int global(machine *m) {
    value module, name;
    NT_TRY(take_line(&module, m));
    NT_TRY(take_line(&name, m));
    return push_global(m, module, name);
}

static int stack_global(machine *m) {
    value *v;
    NT_TRY(top(&v, m, 2));
    if (v[0].kind != NT_PICKLE_TEXT || v[1].kind != NT_PICKLE_TEXT)
        return fail_broken(m, "it names something by what is no text");
    m->n -= 2;
    return push_global(m, v[0], v[1]);
}

static int reduce(machine *m) {
    value *v, made;
    NT_TRY(top(&v, m, 2));
    NT_TRY(nt_pickle_call(&made, m->pickle, v[0], v[1]));
    m->n -= 2;
    return push(m, made);
}

/* Attributes: an OrderedDict's (_metadata of a state dict) say nothing about its tensors. */
static int build(machine *m) {
    value *v;
    NT_TRY(top(&v, m, 2));
    if (v[0].kind != NT_PICKLE_DICT) {
        return nt_fail(NT_E_UNSUPPORTED,
                       "%.400s: its pickle sets the state of %s, which no state dict needs",
                       m->pickle->file, nt_pickle_kind_name(v[0]));
    }
    m->n--;
    return NT_OK;
}

static int persistent(machine *m) {
    value *v, made;
    NT_TRY(top(&v, m, 1));
    NT_TRY(nt_pickle_persistent(&made, m->pickle, *v));
    m->n--;
    return push(m, made);
}

static int protocol(machine *m) {
    uint64_t number;
    NT_TRY(take_number(&number, m, 1));
    if (number >= 2 && number <= 5) return NT_OK;
    return nt_fail(NT_E_UNSUPPORTED, "%.400s: its pickle is of protocol %d; 2 to 5 are read",
                   m->pickle->file, (int)number);
}

/* A frame's length helps who reads from a pipe; it must be there, not more. */
static int frame(machine *m) {
    uint64_t n;
    NT_TRY(take_number(&n, m, 8));
    if (n > m->end - m->at) return fail_broken(m, "a frame reaches beyond its end");
    return NT_OK;
}

static int unknown(const machine *m, unsigned opcode) {
    return nt_fail(NT_E_UNSUPPORTED,
                   "%.400s: its pickle uses opcode 0x%02x at byte %zu, which no state dict needs",
                   m->pickle->file, opcode, m->at - 1);
}

/* ---- The opcodes ---- */

/* Those that read a number or a text. */
static int step_scalar(machine *m, unsigned opcode) {
    switch (opcode) {
    case 'N': return push(m, (value){.kind = NT_PICKLE_NONE});
    case 0x88: return push_number(m, NT_PICKLE_BOOL, 1);
    case 0x89: return push_number(m, NT_PICKLE_BOOL, 0);
    case 'J': return push_int(m);
    case 'K': return push_unsigned(m, 1);
    case 'M': return push_unsigned(m, 2);
    case 0x8a: return push_long(m, 1);
    case 0x8b: return push_long(m, 4);
    case 'G': return push_float(m);
    case 'U': return push_text(m, NT_PICKLE_TEXT, 1, true);
    case 'T': return push_text(m, NT_PICKLE_TEXT, 4, true);
    case 0x8c: return push_text(m, NT_PICKLE_TEXT, 1, false);
    case 'X': return push_text(m, NT_PICKLE_TEXT, 4, false);
    case 0x8d: return push_text(m, NT_PICKLE_TEXT, 8, false);
    case 'C': return push_text(m, NT_PICKLE_BYTES, 1, false);
    case 'B': return push_text(m, NT_PICKLE_BYTES, 4, false);
    case 0x8e: return push_text(m, NT_PICKLE_BYTES, 8, false);
    default: return unknown(m, opcode);
    }
}

/* Those that build, and the rest. */
static int step(machine *m, unsigned opcode) {
    switch (opcode) {
    case 0x80: return protocol(m);
    case 0x95: return frame(m);
    case '(': return push(m, (value){.kind = NT_PICKLE_MARK});
    case '0': return pop(m);
    case '1': return pop_to_mark(m);
    case '2': return duplicate(m);
    case ')': return make_tuple(m, 0);
    case 0x85: return make_tuple(m, 1);
    case 0x86: return make_tuple(m, 2);
    case 0x87: return make_tuple(m, 3);
    case 't': return make_marked(m, NT_PICKLE_TUPLE);
    case ']': return push_items(m, NT_PICKLE_LIST, NULL, 0);
    case 'l': return make_marked(m, NT_PICKLE_LIST);
    case 'a': return extend_by(m, NT_PICKLE_LIST, 1);
    case 'e': return extend_marked(m, NT_PICKLE_LIST);
    case '}': return push_items(m, NT_PICKLE_DICT, NULL, 0);
    case 'd': return make_marked(m, NT_PICKLE_DICT);
    case 's': return extend_by(m, NT_PICKLE_DICT, 2);
    case 'u': return extend_marked(m, NT_PICKLE_DICT);
    case 'q': return put_at(m, 1);
    case 'r': return put_at(m, 4);
    case 0x94: return put(m, m->n_put);
    case 'h': return get(m, 1);
    case 'j': return get(m, 4);
    case 'c': return global(m);
    case 0x93: return stack_global(m);
    case 'R': return reduce(m);
    case 'b': return build(m);
    case 'Q': return persistent(m);
    default: return step_scalar(m, opcode);
    }
}

static int run(value *out, machine *m) {
    for (;;) {
        uint64_t opcode;
        NT_TRY(take_number(&opcode, m, 1));
        if (opcode == '.') break;
        NT_TRY(step(m, (unsigned)opcode));
    }
    value *last;
    NT_TRY(top(&last, m, 1));
    if (m->n != 1) return fail_broken(m, "it ends with more than one value");
    *out = *last;
    return NT_OK;
}

int nt_pickle_read(nt_pickle_value *out, nt_pickle *pickle) {
    size_t n = pickle->n - pickle->at;
    if (n > NT_PICKLE_MAX) n = NT_PICKLE_MAX;
    machine m = {.pickle = pickle, .bytes = pickle->bytes + pickle->at, .end = n};
    if (pickle->most == 0) pickle->most = SMALL + BYTES_EACH * n;
    *out = (value){.kind = NT_PICKLE_NONE};
    int status = run(out, &m);
    nt_free(m.stack);
    nt_free(m.memo);
    pickle->at += m.at;
    return status;
}

void nt_pickle_free(nt_pickle *pickle) {
    nt_arena_free(&pickle->arena);
    nt_free(pickle->storages);
    pickle->storages = NULL;
}

/* ---- Values ---- */

bool nt_pickle_is_text(value v, const char *text) {
    return v.kind == NT_PICKLE_TEXT && v.n == strlen(text) && memcmp(v.text, text, v.n) == 0;
}

const nt_pickle_value *nt_pickle_member(value dict, const char *key) {
    if (dict.kind != NT_PICKLE_DICT) return NULL;
    for (size_t i = dict.items->n; i >= 2; i -= 2) {
        if (nt_pickle_is_text(dict.items->values[i - 2], key)) return &dict.items->values[i - 1];
    }
    return NULL;
}

const char *nt_pickle_kind_name(value v) {
    static const char *const names[] = {
        [NT_PICKLE_NONE] = "None",       [NT_PICKLE_BOOL] = "a bool",
        [NT_PICKLE_INT] = "an int",      [NT_PICKLE_LONG] = "an int",
        [NT_PICKLE_FLOAT] = "a float",   [NT_PICKLE_TEXT] = "a str",
        [NT_PICKLE_BYTES] = "bytes",     [NT_PICKLE_TUPLE] = "a tuple",
        [NT_PICKLE_LIST] = "a list",     [NT_PICKLE_DICT] = "a dict",
        [NT_PICKLE_GLOBAL] = "a name",   [NT_PICKLE_STORAGE] = "a storage",
        [NT_PICKLE_TENSOR] = "a tensor", [NT_PICKLE_MARK] = "a mark",
    };
    return names[v.kind];
}
