/* What a checkpoint shall be: the command line, and from it the table of tensors. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mkmodel.h"

typedef struct shape {
    const char *name;
    int64_t D, L, H, T, V;
} shape;

static const shape shapes[] = {
    {"tiny", 32, 2, 4, 64, 96},
    {"distilgpt2", 768, 6, 12, 1024, 50257},
    {"gpt2", 768, 12, 12, 1024, 50257},
    {"gpt2-medium", 1024, 24, 16, 1024, 50257},
    {"gpt2-large", 1280, 36, 20, 1024, 50257},
    {"gpt2-xl", 1600, 48, 25, 1024, 50257},
};

static const char usage[] =
    "usage: mkmodel FOLDER [options]\n"
    "  --shape tiny|distilgpt2|gpt2|gpt2-medium|gpt2-large|gpt2-xl   (default gpt2)\n"
    "  --seed N\n"
    "  --n-embd D --n-layer L --n-head H --n-positions T --vocab-size V --n-inner F\n"
    "  --activation-function NAME --layer-norm-epsilon X\n"
    "  --no-scale-attn-weights --scale-attn-by-inverse-layer-idx --reorder-and-upcast-attn\n"
    "  --dtype F32|F16|BF16|F64\n"
    "  --prefix                          names begin with transformer.\n"
    "  --head-copy                       lm_head.weight too, the same bytes as wte\n"
    "  --untied                          an lm_head.weight of its own\n"
    "  --tied-flag-but-different-head    the same, while config.json says tied\n"
    "  --buffers                         attn.bias and attn.masked_bias too\n"
    "  --shards N                        N files and an index\n"
    "  --tokenizer FOLDER                copies its vocab.json and merges.txt\n"
    "  --tensors FILE --config FILE      of any family: a line a tensor, and config.json\n"
    "  --nan TENSOR                      puts one NaN into a tensor (named without prefix)\n"
    "  --boost TENSOR                    multiplies a tensor by 2^100\n";

static bool wrong(const char *what, const char *value) {
    fprintf(stderr, "mkmodel: error: %s%s%s\n%s", what, value ? ": " : "", value ? value : "",
            usage);
    return false;
}

static bool read_number(int64_t *out, const char *name, const char *text, int64_t most) {
    char *end;
    long long number = strtoll(text, &end, 10);
    if (*text == 0 || *end != 0 || number < 1 || number > most) return wrong(name, text);
    *out = number;
    return true;
}

static bool read_shape(recipe *r, const char *name) {
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const shape *s = &shapes[i];
        if (strcmp(s->name, name) != 0) continue;
        r->D = s->D, r->L = s->L, r->H = s->H, r->T = s->T, r->V = s->V;
        return true;
    }
    return wrong("no such shape", name);
}

static bool read_width(recipe *r, const char *name) {
    static const char *const names[] = {"F32", "F16", "BF16", "F64"};
    for (int i = 0; i < 4; i++)
        if (strcmp(names[i], name) == 0) {
            r->width = (width)i;
            return true;
        }
    return wrong("no such dtype", name);
}

static bool read_flag(recipe *r, const char *name) {
    const struct {
        const char *name;
        bool *flag;
    } flags[] = {
        {"--no-scale-attn-weights", &r->no_scale},
        {"--scale-attn-by-inverse-layer-idx", &r->inverse_layer},
        {"--reorder-and-upcast-attn", &r->reorder},
        {"--prefix", &r->prefix},
        {"--buffers", &r->buffers},
    };
    static const char *const heads[] = {"--tied", "--head-copy", "--untied",
                                        "--tied-flag-but-different-head"};
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (strcmp(flags[i].name, name) == 0) return *flags[i].flag = true;
    for (int i = 0; i < 4; i++)
        if (strcmp(heads[i], name) == 0) {
            r->head = (head)i;
            return true;
        }
    return false;
}

static bool read_value(recipe *r, const char *name, const char *value) {
    const struct {
        const char *name;
        int64_t *number;
        int64_t most;
    } numbers[] = {
        {"--n-embd", &r->D, 1 << 16},     {"--n-layer", &r->L, 1000},
        {"--n-head", &r->H, 1 << 16},     {"--n-positions", &r->T, 1 << 24},
        {"--vocab-size", &r->V, 1 << 24}, {"--n-inner", &r->F, 1 << 20},
        {"--shards", &r->shards, 10000},
    };
    const struct {
        const char *name;
        const char **text;
    } texts[] = {
        {"--activation-function", &r->activation},
        {"--layer-norm-epsilon", &r->epsilon},
        {"--tokenizer", &r->tokenizer},
        {"--tensors", &r->list},
        {"--config", &r->config},
        {"--nan", &r->nan},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (strcmp(numbers[i].name, name) == 0)
            return read_number(numbers[i].number, name, value, numbers[i].most);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (strcmp(texts[i].name, name) == 0) {
            *texts[i].text = value;
            return true;
        }
    if (strcmp(name, "--shape") == 0) return read_shape(r, value);
    if (strcmp(name, "--dtype") == 0) return read_width(r, value);
    if (strcmp(name, "--boost") == 0 && r->n_boost < sizeof r->boost / sizeof *r->boost) {
        r->boost[r->n_boost++] = value;
        return true;
    }
    if (strcmp(name, "--seed") == 0) {
        char *end;
        r->seed = strtoull(value, &end, 0);
        return *value && !*end ? true : wrong(name, value);
    }
    return wrong("unknown option", name);
}

bool recipe_read(recipe *out, int argc, char **argv) {
    recipe r = {.seed = 1, .activation = "gelu_new", .epsilon = "1e-05"};
    read_shape(&r, "gpt2");
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] != '-') {
            if (r.folder) return wrong("two folders", argv[i]);
            r.folder = argv[i];
        } else if (!read_flag(&r, argv[i])) {
            if (i + 1 >= argc) return wrong("unknown option, or one without its value", argv[i]);
            if (!read_value(&r, argv[i], argv[i + 1])) return false;
            i++;
        }
    }
    char *end;
    if (!r.folder) return wrong("no folder given", NULL);
    if (!(strtod(r.epsilon, &end) > 0) || *end) return wrong("--layer-norm-epsilon", r.epsilon);
    if (!r.list != !r.config) return wrong("--tensors and --config belong together", NULL);
    if (r.D % r.H != 0) return wrong("--n-head must divide --n-embd", NULL);
    if (r.F == 0) r.F = 4 * r.D;
    *out = r;
    return true;
}

/* floor(sqrt(x)). */
static int64_t root(uint64_t x) {
    uint64_t low = 0, high = 1ull << 32;
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;
        if (middle * middle <= x)
            low = middle;
        else
            high = middle;
    }
    return (int64_t)low;
}

/* The multiplier that gives noise() * multiplier * 2^-40 the variance p / q. The constant is 2^80
 * over the variance of noise(), 4 (2^32 - 1) / 12. */
int64_t multiplier_of(int64_t p, int64_t q) {
    return root(844424931139925ull / (uint64_t)q * (uint64_t)p);
}

typedef struct table {
    const recipe *r;
    tensor *tensors;
    size_t n;
    uint64_t index;
} table;

/* Adds a tensor [rows, columns], or [columns] where rows is 0, of variance p / q. */
static tensor *add(table *to, const char *name, int64_t rows, int64_t columns, int64_t p,
                   int64_t q) {
    tensor *t = &to->tensors[to->n++];
    bool prefixed = to->r->prefix && strncmp(name, "lm_head", 7) != 0;
    snprintf(t->name, sizeof t->name, "%s%s", prefixed ? "transformer." : "", name);
    t->n_dims = rows ? 2 : 1;
    t->shape[0] = rows ? rows : columns;
    t->shape[1] = rows ? columns : 0;
    t->index = to->index++;
    t->multiplier = multiplier_of(p, q);
    t->nan = to->r->nan && strcmp(to->r->nan, name) == 0;
    for (size_t i = 0; i < to->r->n_boost; i++)
        t->boost |= strcmp(to->r->boost[i], name) == 0;
    return t;
}

static void add_norm(table *to, const char *name, int64_t D) {
    char full[96];
    snprintf(full, sizeof full, "%s.weight", name);
    add(to, full, 0, D, 4, 100)->center = 1;
    snprintf(full, sizeof full, "%s.bias", name);
    add(to, full, 0, D, 1, 100);
}

static void add_linear(table *to, const char *name, int64_t K, int64_t N, int64_t p, int64_t q,
                       int64_t p_bias) {
    char full[96];
    snprintf(full, sizeof full, "%s.weight", name);
    add(to, full, K, N, p, q);
    snprintf(full, sizeof full, "%s.bias", name);
    add(to, full, 0, N, p_bias, 100);
}

static void add_buffers(table *to, int64_t layer) {
    const recipe *r = to->r;
    const char *prefix = r->prefix ? "transformer." : "";
    tensor *mask = &to->tensors[to->n++], *bias = &to->tensors[to->n++];
    snprintf(mask->name, sizeof mask->name, "%sh.%d.attn.bias", prefix, (int)layer);
    mask->n_dims = 4;
    mask->shape[0] = mask->shape[1] = 1;
    mask->shape[2] = mask->shape[3] = r->T;
    /* Both occur in the wild: float32 in old files, bool in newer ones. */
    mask->fill = layer % 2 ? FILL_MASK_BOOL : FILL_MASK_F32;
    snprintf(bias->name, sizeof bias->name, "%sh.%d.attn.masked_bias", prefix, (int)layer);
    bias->fill = FILL_MASKED_BIAS;
}

/* Sizes: scores of about 4 standard deviations, so that attention picks without being one-hot;
 * every sublayer adds its share to a residual stream of about 5, so that the token's own embedding
 * does not decide the tied head. More attention than this, or softer attention, and all positions
 * of a deep model drift to one state that repeats one token. */
static void add_block(table *to, int64_t layer) {
    const recipe *r = to->r;
    int64_t D = r->D, F = r->F, L = r->L;
    char name[64];
    snprintf(name, sizeof name, "h.%d.ln_1", (int)layer);
    add_norm(to, name, D);
    snprintf(name, sizeof name, "h.%d.attn.c_attn", (int)layer);
    size_t qkv = to->n;
    add_linear(to, name, D, 3 * D, 4, D, 4);
    if (r->no_scale) { /* smaller queries make up for the missing 1 / sqrt(E) */
        to->tensors[qkv].border = to->tensors[qkv + 1].border = D;
        to->tensors[qkv].first = multiplier_of(4, D * (D / r->H));
        to->tensors[qkv + 1].first = multiplier_of(4, 100 * (D / r->H));
    }
    snprintf(name, sizeof name, "h.%d.attn.c_proj", (int)layer);
    add_linear(to, name, D, D, 10, L * D, 1);
    snprintf(name, sizeof name, "h.%d.ln_2", (int)layer);
    add_norm(to, name, D);
    snprintf(name, sizeof name, "h.%d.mlp.c_fc", (int)layer);
    add_linear(to, name, D, F, 144, 100 * D, 10);
    snprintf(name, sizeof name, "h.%d.mlp.c_proj", (int)layer);
    add_linear(to, name, F, D, 16, L * F, 1);
    if (r->buffers) add_buffers(to, layer);
}

tensor *recipe_tensors(size_t *n, const recipe *r) {
    size_t most = 5 + 14 * (size_t)r->L;
    table to = {.r = r, .tensors = calloc(most, sizeof(tensor))};
    if (!to.tensors) return NULL;
    /* Logits of variance 0.78 per bit of vocabulary: the likeliest of 50,257 tokens then has some
     * tens of percent and the distribution an entropy of several nats. */
    int64_t bits = 1;
    while ((int64_t)1 << bits < r->V)
        bits++;
    add(&to, "wte.weight", r->V, r->D, 78 * bits, 100 * r->D);
    add(&to, "wpe.weight", r->T, r->D, 16, 100);
    for (int64_t layer = 0; layer < r->L; layer++)
        add_block(&to, layer);
    add_norm(&to, "ln_f", r->D);
    if (r->head != HEAD_TIED) {
        tensor *own = add(&to, "lm_head.weight", r->V, r->D, 78 * bits, 100 * r->D);
        if (r->head == HEAD_COPY) own->index = to.tensors[0].index;
    }
    *n = to.n;
    return to.tensors;
}

int64_t tensor_items(const tensor *t) {
    int64_t items = 1;
    for (int i = 0; i < t->n_dims; i++)
        items *= t->shape[i];
    return items;
}

int64_t tensor_item_bytes(const tensor *t, width w) {
    static const int64_t bytes[] = {[F32] = 4, [F16] = 2, [BF16] = 2, [F64] = 8};
    if (t->fill == FILL_MASK_BOOL) return 1;
    return t->fill == FILL_RANDOM ? bytes[w] : 4;
}

const char *tensor_type(const tensor *t, width w) {
    static const char *const names[] = {
        [F32] = "F32", [F16] = "F16", [BF16] = "BF16", [F64] = "F64"};
    if (t->fill == FILL_MASK_BOOL) return "BOOL";
    return t->fill == FILL_RANDOM ? names[w] : "F32";
}

uint64_t tensor_bytes(const tensor *t, width w) {
    return (uint64_t)(tensor_items(t) * tensor_item_bytes(t, w));
}
