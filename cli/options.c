#include "options.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* ---- Values that are neither flag, number nor text ---- */

/* False, with what an option takes in error [n], and the one of its words [k] that was meant. */
static bool refuse(char *error, size_t n, const char *option, const char *value, const char *takes,
                   const char *const *words, size_t k) {
    const char *near = NULL;
    size_t best = 3; /* so far off is no slip */
    for (size_t i = 0; i < k; i++) {
        size_t distance = cli_distance(value, strlen(value), words[i]);
        if (distance >= best || distance >= strlen(words[i])) continue;
        best = distance;
        near = words[i];
    }
    snprintf(error, n, "%s is \"%.60s\"; it must be %s%s%s%s", option, value, takes,
             near ? " (did you mean " : "", near ? near : "", near ? "?)" : "");
    return false;
}

static bool take_precision(nt_precision *out, const char *option, const char *value, char *error,
                           size_t n) {
    static const char *const names[] = {"auto", "f32", "f32-amx", "bf16"};
    static const nt_precision modes[] = {NT_PRECISION_AUTO, NT_PRECISION_F32, NT_PRECISION_F32_AMX,
                                         NT_PRECISION_BF16};
    for (int i = 0; i < 4; i++) {
        if (strcmp(value, names[i]) != 0) continue;
        *out = modes[i];
        return true;
    }
    return refuse(error, n, option, value, "auto, f32, f32-amx or bf16", names, 4);
}

static bool read_precision(cli_settings *settings, const char *value, char *error, size_t n) {
    return take_precision(&settings->precision, "precision", value, error, n);
}

static bool read_against_precision(cli_settings *settings, const char *value, char *error,
                                   size_t n) {
    settings->against_precise = true;
    return take_precision(&settings->against_precision, "against-precision", value, error, n);
}

static bool read_width(cli_settings *settings, const char *value, char *error, size_t n) {
    static const char *const names[] = {"keep", "f32", "f16", "bf16", "q8_0"}; /* nt_width's */
    for (int i = 0; i < 5; i++) {
        if (strcmp(value, names[i]) == 0) {
            settings->width = (nt_width)i;
            return true;
        }
    }
    return refuse(error, n, "width", value, "keep, f32, f16, bf16 or q8_0", names, 5);
}

static bool read_color(cli_settings *settings, const char *value, char *error, size_t n) {
    static const char *const when[] = {"auto", "never", "always"};
    for (int i = 0; i < 3; i++) {
        if (strcmp(value, when[i]) == 0) {
            settings->color = i - 1;
            return true;
        }
    }
    return refuse(error, n, "color", value, "auto, always or never", when, 3);
}

/* A list of names -> their bits joined: a,b or, as a --jsonl line has it, ["a","b"]. names [k]. */
static bool read_names(unsigned *bits, const char *value, const char *const *names, size_t k) {
    static const char between[] = ", \t[]\"";
    *bits = 0;
    for (const char *at = value; *(at += strspn(at, between));) {
        size_t length = strcspn(at, between), i = 0;
        while (i < k && (strlen(names[i]) != length || strncmp(names[i], at, length) != 0))
            i++;
        if (i == k) return false;
        *bits |= 1u << i;
        at += length;
    }
    return *bits != 0;
}

static bool read_by(cli_settings *settings, const char *value, char *error, size_t n) {
    static const char *const names[] = {"text", "token", "word", "char"}; /* the bits of nt_by */
    if (read_names(&settings->by, value, names, 4)) return true;
    return refuse(error, n, "by", value, "a list of token, word, char and text", names, 4);
}

static bool read_arrays(cli_settings *settings, const char *value, char *error, size_t n) {
    static const char *const names[] = {"logits", "hidden_states", "attentions", "logit_lens"};
    if (read_names(&settings->arrays, value, names, 4)) return true;
    return refuse(error, n, "arrays", value,
                  "a list of logits, hidden_states, attentions and logit_lens", names, 4);
}

/* The names of nt_bench_job, whose bits they are. */
static bool read_jobs(cli_settings *settings, const char *value, char *error, size_t n) {
    const char *names[32];
    size_t k = 0;
    while (k < 32 && nt_bench_job_name((nt_bench_job)(1u << k)))
        names[k] = nt_bench_job_name((nt_bench_job)(1u << k)), k++;
    if (read_names(&settings->jobs, value, names, k)) return true;
    return refuse(error, n, "only", value,
                  "a list of limits, decode, prompt, score, beams, batch, tokenize, start and "
                  "memory",
                  names, k);
}

static bool read_seconds(cli_settings *settings, const char *value, char *error, size_t n) {
    char *end;
    double x = strtod(value, &end);
    if (end > value && !*end && x > 0 && x <= 86400) {
        settings->seconds = x;
        return true;
    }
    snprintf(error, n, "seconds is \"%.60s\"; it must be a number above 0, 86400 at most", value);
    return false;
}

static bool read_correction(cli_settings *settings, const char *value, char *error, size_t n) {
    static const char *const names[] = {"whitespace", "pimentel-meister", "oh-schuler"};
    for (int i = 0; i < 3; i++) {
        if (strcmp(value, names[i]) == 0) {
            settings->correction = (nt_correction)i;
            return true;
        }
    }
    return refuse(error, n, "word-correction", value, "whitespace, pimentel-meister or oh-schuler",
                  names, 3);
}

static bool read_base(cli_settings *settings, const char *value, char *error, size_t n) {
    settings->bits = strcmp(value, "2") == 0;
    if (settings->bits || strcmp(value, "e") == 0) return true;
    snprintf(error, n, "base is \"%.60s\"; it must be 2 (bits) or e (nats)", value);
    return false;
}

static bool read_heat(cli_settings *settings, const char *value, char *error, size_t n) {
    static const char *const names[] = {"probability", "rank", "surprisal", "entropy"};
    if (!value) value = "surprisal";
    for (int i = 0; i < 4; i++) {
        if (strcmp(value, names[i]) == 0) {
            settings->heat = (nt_heat)(NT_HEAT_PROBABILITY + i);
            return true;
        }
    }
    return refuse(error, n, "heat", value, "probability, rank, surprisal or entropy", names, 4);
}

/* A whole number from low on, up to `end`; false: there is none. */
static bool read_whole(int32_t *out, const char **end, const char *value, int32_t low) {
    char *behind;
    errno = 0;
    long long x = strtoll(value, &behind, 10);
    *end = behind;
    *out = (int32_t)x;
    return value[0] >= '0' && value[0] <= '9' && !errno && x >= low && x <= INT32_MAX;
}

static bool read_layers(cli_settings *settings, const char *value, char *error, size_t n) {
    const char *end;
    int32_t k;
    if (read_whole(&k, &end, value ? value : "5", 1) && !*end) {
        settings->layers = k;
        return true;
    }
    snprintf(error, n,
             "layers is \"%.60s\"; it must be how many tokens of each layer are kept, 1 "
             "or more",
             value);
    return false;
}

/* LAYER, LAYER.HEAD or LAYER.all */
static bool read_attention(cli_settings *settings, const char *value, char *error, size_t n) {
    const char *end;
    int32_t layer = 0, head = NT_EVERY;
    bool whole = read_whole(&layer, &end, value, 0), all = whole && strcmp(end, ".all") == 0;
    if (whole && !all && *end == '.')
        whole = read_whole(&head, &end, end + 1, 0) && !*end;
    else if (whole && !all)
        whole = !*end;
    if (!whole) {
        snprintf(error, n,
                 "attention is \"%.60s\"; it must be LAYER (the mean of its heads), LAYER.HEAD or "
                 "LAYER.all (every head), such as 3.7; both count from 0",
                 value);
        return false;
    }
    settings->attention = true;
    settings->attention_layer = layer;
    settings->attention_head = head;
    settings->attention_heads = all;
    return true;
}

bool cli_words_add(cli_words *words, const char *word) {
    const char **bigger = malloc((words->n + 1) * sizeof *bigger);
    if (!bigger) return false;
    if (words->n) memcpy(bigger, words->items, words->n * sizeof *bigger);
    bigger[words->n] = word;
    if (words->owned) free(words->items);
    *words = (cli_words){bigger, words->n + 1, true};
    return true;
}

void cli_words_clear(cli_words *words) {
    if (words->owned) free(words->items);
    *words = (cli_words){0};
}

static bool read_continuation(cli_settings *settings, const char *value, char *error, size_t n) {
    snprintf(error, n, "%s", *value ? "out of memory" : "a continuation is empty");
    return *value && cli_words_add(&settings->continuations, value);
}

static bool read_counted(cli_settings *settings, const char *value, char *error, size_t n) {
    snprintf(error, n, "%s", *value ? "out of memory" : "--count names no file");
    return *value && cli_words_add(&settings->counted, value);
}

/* --csv and --tsv: the format of the output, or with =FILE a table to read. */
static bool read_table(cli_settings *settings, bool *given, const char *value, char *error,
                       size_t n) {
    *given = true;
    if (!value) return true;
    snprintf(error, n, *value ? "two tables are given" : "the table has no file name");
    if (!*value || settings->table) return false;
    settings->table = value;
    return true;
}

static bool read_csv(cli_settings *settings, const char *value, char *error, size_t n) {
    return read_table(settings, &settings->csv, value, error, n);
}

static bool read_tsv(cli_settings *settings, const char *value, char *error, size_t n) {
    return read_table(settings, &settings->tsv, value, error, n);
}

static bool read_tree(cli_settings *settings, const char *value, char *error, size_t n) {
    static const char *const names[] = {"auto", "outputs", "kept", "beams", "all"};
    settings->tree = true;
    for (int i = 0; i < 5; i++) {
        if (strcmp(value ? value : "auto", names[i]) != 0) continue;
        settings->tree_detail = (nt_tree_detail)i;
        return true;
    }
    return refuse(error, n, "tree", value, "outputs, kept, beams or all", names, 5);
}

/* ---- The table ---- */

#define FIELD(field)                                                                               \
    .offset = offsetof(cli_settings, field), .width = sizeof(((cli_settings *)0)->field)

/* clang-format off */
static const cli_option options[] = {
    {.name = "ids", .kind = CLI_STRING, .section = CLI_THE_TEXT, FIELD(ids), .of_texts = true,
     .metavar = "1,2,3",
     .help = "token ids in place of a text"},
    {.name = "bos", .kind = CLI_FLAG, .section = CLI_THE_TEXT, FIELD(bos),
     .groups = CLI_OPT_TEXT, .member = true,
     .help = "put one BOS token before the text"},
    {.name = "eos", .kind = CLI_FLAG, .section = CLI_THE_TEXT, FIELD(eos),
     .groups = CLI_OPT_SCORE, .member = true,
     .help = "put one EOS token behind the text, with its own number"},
    {.name = "add-prefix-space", .kind = CLI_FLAG, .section = CLI_THE_TEXT,
     FIELD(add_prefix_space), .groups = CLI_OPT_TEXT, .member = true,
     .help = "read the text as if a space stood before it"},
    {.name = "skip-special-tokens", .kind = CLI_FLAG, .section = CLI_THE_TEXT,
     FIELD(skip_special_tokens), .groups = CLI_OPT_SKIP, .member = true,
     .help = "leave special tokens out of the text"},
    {.name = "split-special-tokens", .kind = CLI_FLAG, .section = CLI_THE_TEXT,
     FIELD(split_special_tokens), .groups = CLI_OPT_SPLIT, .member = true,
     .help = "read <|endoftext|> and the like as plain text"},
    {.name = "count", .kind = CLI_READ, .section = CLI_THE_JOB, .read = read_counted,
     .groups = CLI_OPT_TOKENIZE, .list = true, .metavar = "FILE...",
     .help = "count the tokens of files, each one text: all words up to the next option; - is "
             "standard input"},
    {.name = "against", .kind = CLI_STRING, .section = CLI_THE_JOB, FIELD(against),
     .groups = CLI_OPT_TOKENIZE, .file = true, .metavar = "MODEL",
     .help = "another tokenizer, side by side with the first; gpt2 is the one built in"},
    {.name = "against", .kind = CLI_STRING, .section = CLI_THE_JOB, FIELD(against),
     .groups = CLI_OPT_DIFF, .file = true, .metavar = "MODEL",
     .help = "side b: another model with the same vocabulary (default: the same model, which then "
             "goes by the options that are given)"},
    {.name = "against-precision", .kind = CLI_READ, .section = CLI_THE_JOB,
     .read = read_against_precision, .groups = CLI_OPT_DIFF, .metavar = "auto|f32|f32-amx|bf16",
     .help = "side b's arithmetic (default: that of --precision); without --against b is the same "
             "model"},
    {.name = "base-config", .kind = CLI_STRING, .section = CLI_THE_JOB, FIELD(base_config),
     .groups = CLI_OPT_DIFF, .file = true, .metavar = "FILE",
     .help = "options of side a, in the form of generation_config.json (default: none); all others "
             "that are given are side b's"},
    {.name = "trim-offsets", .kind = CLI_FLAG, .section = CLI_THE_JOB, FIELD(trim_offsets),
     .groups = CLI_OPT_TOKENIZE, .member = true,
     .help = "leave white space out of offsets where the file's post-processor does"},
    {.name = "rows", .kind = CLI_NUMBER, .section = CLI_SHOWN, FIELD(rows), .low = 0,
     .high = INT32_MAX, .groups = CLI_OPT_TOKENIZE, .metavar = "N",
     .help = "leave out a table of tokens that has more than N rows (default on a terminal: 100); "
             "with --against show at most N differences"},
    {.name = "k", .letter = 'k', .kind = CLI_NUMBER, .section = CLI_THE_JOB, FIELD(k), .low = 1,
     .high = INT32_MAX, .groups = CLI_OPT_K, .member = true, .metavar = "N",
     .help = "how many candidates to show (default: 10; for score none, with --html 5)"},
    {.name = "by", .kind = CLI_READ, .section = CLI_THE_JOB, .read = read_by,
     .groups = CLI_OPT_SCORE, .member = true, .metavar = "LIST",
     .help = "what is scored: a list of token, word, char and text (the sums alone). Default: "
             "token; of a table's rows: text"},
    {.name = "word-correction", .kind = CLI_READ, .section = CLI_THE_JOB,
     .read = read_correction, .groups = CLI_OPT_SCORE, .member = true, .metavar = "NAME",
     .help = "how words are corrected for the space that opens the next: whitespace (default), "
             "pimentel-meister or oh-schuler"},
    {.name = "prompt", .kind = CLI_STRING, .section = CLI_THE_JOB, FIELD(prompt),
     .groups = CLI_OPT_SCORE, .member = true, .metavar = "TEXT",
     .help = "a text before the given one: conditioned on, left out of the sums"},
    {.name = "prompt-len", .kind = CLI_NUMBER, .section = CLI_THE_JOB, FIELD(prompt_len),
     .low = 0, .high = INT32_MAX, .groups = CLI_OPT_SCORE | CLI_OPT_DIFF, .member = true, .metavar = "N",
     .help = "leave the first N tokens out of the sums"},
    {.name = "continuations", .kind = CLI_READ, .section = CLI_THE_JOB,
     .read = read_continuation, .groups = CLI_OPT_SCORE, .member = true, .list = true,
     .metavar = "TEXT...",
     .help = "compare these endings of the text: all words up to the next option; "
             "--continuations=TEXT for one that begins with a dash"},
    {.name = "window", .kind = CLI_NUMBER, .section = CLI_THE_JOB, FIELD(window), .low = 2,
     .high = INT32_MAX, .groups = CLI_OPT_WINDOWS, .member = true, .metavar = "N",
     .help = "with --stride: how many tokens a window has (default: the model's context)"},
    {.name = "stride", .kind = CLI_NUMBER, .section = CLI_THE_JOB, FIELD(stride), .low = 1,
     .high = INT32_MAX, .groups = CLI_OPT_WINDOWS, .member = true, .metavar = "N",
     .help = "for texts longer than the context: windows over the text, each beginning N tokens "
             "behind the one before; every token counts once"},
    {.name = "heat", .kind = CLI_READ, .section = CLI_SHOWN, .read = read_heat,
     .groups = CLI_OPT_SCORE, .optional = true, .metavar = "[probability|rank|surprisal|entropy]",
     .help = "the text on coloured grounds in place of the table (default: by surprisal); with "
             "--html what the page shows first"},
    {.name = "base", .kind = CLI_READ, .section = CLI_THE_JOB, .read = read_base,
     .groups = CLI_OPT_BASE, .member = true, .metavar = "2|e",
     .help = "logarithms in bits (2) or nats (e, the default)"},
    {.name = "npz", .kind = CLI_STRING, .section = CLI_THE_JOB, FIELD(npz),
     .groups = CLI_OPT_NPZ, .file = true, .metavar = "FILE",
     .help = "write NumPy arrays into FILE: those that --arrays names"},
    {.name = "arrays", .kind = CLI_READ, .section = CLI_THE_JOB, .read = read_arrays,
     .groups = CLI_OPT_NPZ, .metavar = "LIST",
     .help = "what --npz writes: a list of logits, hidden_states, attentions and logit_lens "
             "(default: all four)"},
    {.name = "layers", .kind = CLI_READ, .section = CLI_THE_JOB, .read = read_layers,
     .groups = CLI_OPT_NPZ, .optional = true, .metavar = "[K]",
     .help = "what the model would say after each layer (logit lens): a grid of layers and tokens, "
             "with K candidates each (default 5) in JSON, CSV and on pages"},
    {.name = "attention", .kind = CLI_READ, .section = CLI_THE_JOB, .read = read_attention,
     .groups = CLI_OPT_NPZ, .metavar = "LAYER[.HEAD]",
     .help = "where a head looks, as a matrix and as arcs; LAYER alone is the mean of its heads, "
             "LAYER.all that and every head; both count from 0"},
    {.name = "position", .kind = CLI_NUMBER, .section = CLI_SHOWN, FIELD(position), .low = 0,
     .high = INT32_MAX, .groups = CLI_OPT_NPZ, .metavar = "N",
     .help = "with --layers or --attention: show the tokens up to number N (counted from 0; "
             "default: the last), in the terminal with all candidates there"},
    {.name = "skip-first", .kind = CLI_FLAG, .section = CLI_SHOWN, FIELD(skip_first),
     .groups = CLI_OPT_NPZ,
     .help = "with --attention: shade without the first token, on which heads rest that look for "
             "nothing"},
    {.name = "arcs", .kind = CLI_FLAG, .section = CLI_SHOWN, FIELD(arcs), .groups = CLI_OPT_NPZ,
     .help = "with --attention and --svg: draw arcs alone, without the matrix"},
    {.name = "markdown", .kind = CLI_FLAG, .section = CLI_SHOWN, FIELD(markdown),
     .groups = CLI_OPT_EXPLAIN, .help = "all options with all their words: docs/options.md"},
    {.name = "generation-config", .kind = CLI_STRING, .section = CLI_THE_JOB,
     FIELD(generation_config), .groups = CLI_OPT_GENERATE | CLI_OPT_ONE_STEP, .file = true,
     .metavar = "FILE",
     .help = "options from a file in the form of generation_config.json; flags win over it, and it "
             "wins over the checkpoint's own"},
    {.name = "assistant-model", .kind = CLI_STRING, .section = CLI_THE_JOB, FIELD(assistant),
     .groups = CLI_OPT_GENERATE, .file = true, .metavar = "MODEL",
     .help = "a smaller model with the same vocabulary, which drafts tokens that the model then "
             "checks: assisted decoding"},
    {.name = "trace", .kind = CLI_FLAG, .section = CLI_SHOWN, FIELD(trace),
     .groups = CLI_OPT_TRACE,
     .help = "with --json: every step, row and beam that decoding looked at"},
    {.name = "tree", .kind = CLI_READ, .section = CLI_SHOWN, .read = read_tree,
     .groups = CLI_OPT_TRACE,
     .help = "draw the tree of beams below the texts. How much of it, here and with --svg and "
             "--html: --tree=outputs the ways to the outputs, =kept every beam that was kept, "
             "=beams the pruned ones too, =all whatever stood to choose (default: what can be taken "
             "in at a glance)"},
    {.name = "jsonl", .kind = CLI_STRING, .section = CLI_MANY, FIELD(jsonl), .of_texts = true,
     .but = CLI_OPT_EXPLORE | CLI_OPT_EXPLAIN, .file = true, .metavar = "FILE",
     .help = "one JSON object a line in, one result a line out; - is standard input"},
    {.name = "column", .kind = CLI_STRING, .section = CLI_MANY, FIELD(column),
     .groups = CLI_OPT_TABLE, .metavar = "NAME",
     .help = "the column with the texts of a table: --csv FILE or --tsv FILE, first row its "
             "names, - is standard input. A field that begins with a quote ends with one. The "
             "same kind of table comes out: `record` (from 0), the input's columns, the "
             "result's, `error`; with --json one object a line"},
    {.name = "prompt-column", .kind = CLI_STRING, .section = CLI_MANY, FIELD(prompt_column),
     .groups = CLI_OPT_SCORE, .metavar = "NAME",
     .help = "the column with each row's --prompt"},
    {.name = "resume", .kind = CLI_FLAG, .section = CLI_MANY, FIELD(resume), .of_texts = true,
     .but = CLI_OPT_EXPLORE | CLI_OPT_EXPLAIN,
     .help = "go on where the FILE of --output ends, with the same options and input"},
    {.name = "output", .letter = 'o', .kind = CLI_STRING, .section = CLI_SHOWN, FIELD(output),
     .but = CLI_OPT_EXPLORE, .file = true, .metavar = "FILE",
     .help = "write into FILE what would be printed; a FILE that holds anything is not "
             "overwritten"},
    {.name = "width", .kind = CLI_READ, .section = CLI_THE_JOB, .read = read_width,
     .groups = CLI_OPT_CONVERT, .of_words = true, .metavar = "WIDTH",
     .help = "how weights are stored: keep (default), f32, f16, bf16, or in GGUF q8_0"},
    {.name = "force", .kind = CLI_FLAG, .section = CLI_THE_JOB, FIELD(force),
     .groups = CLI_OPT_CONVERT, .of_words = true,
     .help = "replace what is there: a file, or a folder that holds a checkpoint and nothing else"},
    {.name = "tensors", .kind = CLI_FLAG, .section = CLI_THE_JOB, FIELD(tensors),
     .groups = CLI_OPT_INFO,
     .help = "every tensor of the files with type, shape and statistics, whatever they are the "
             "weights of; with --diff every tensor that changed"},
    {.name = "diff", .kind = CLI_STRING, .section = CLI_THE_JOB, FIELD(diff),
     .groups = CLI_OPT_INFO, .file = true, .metavar = "MODEL",
     .help = "how the tensors of MODEL differ from those of the first model: block by block, and "
             "those that changed most"},
    {.name = "only", .kind = CLI_READ, .section = CLI_THE_JOB, .read = read_jobs,
     .groups = CLI_OPT_BENCH, .metavar = "LIST",
     .help = "measure these alone, with the limits that they are held against: a list of limits, "
             "decode, prompt, score, beams, batch, tokenize, start and memory (default: all)"},
    {.name = "rounds", .kind = CLI_NUMBER, .section = CLI_THE_JOB, FIELD(rounds), .low = 1,
     .high = 100000, .groups = CLI_OPT_BENCH, .metavar = "N",
     .help = "every job N times, by turns (default: as often as --seconds has room for, and three "
             "times at least)"},
    {.name = "seconds", .kind = CLI_READ, .section = CLI_THE_JOB, .read = read_seconds,
     .groups = CLI_OPT_BENCH, .metavar = "S",
     .help = "how long to measure, about (default: 20, and more for a model whose step takes "
             "longer than 20 ms); Ctrl-C shows what there is"},
    {.name = "json", .kind = CLI_FLAG, .section = CLI_SHOWN, FIELD(json), .of_words = true,
     .but = CLI_OPT_PULL,
     .help = "one JSON object"},
    {.name = "csv", .kind = CLI_READ, .section = CLI_SHOWN, .read = read_csv,
     .but = CLI_OPT_EXPLORE,
     .help = "comma-separated values"},
    {.name = "tsv", .kind = CLI_READ, .section = CLI_SHOWN, .read = read_tsv,
     .but = CLI_OPT_EXPLORE,
     .help = "tab-separated values"},
    {.name = "svg", .kind = CLI_STRING, .section = CLI_SHOWN, FIELD(svg),
     .groups = CLI_OPT_PICTURE, .file = true, .metavar = "FILE",
     .help = "draw a picture into FILE and print the rest as ever; with - the picture is printed "
             "instead"},
    {.name = "html", .kind = CLI_STRING, .section = CLI_SHOWN, FIELD(html), .but = CLI_OPT_EXPLORE,
     .file = true, .metavar = "FILE",
     .help = "write a page for a browser into FILE, which needs no other file and no network, and "
             "print the rest as ever; with - the page is printed instead"},
    {.name = "ascii", .kind = CLI_FLAG, .section = CLI_SHOWN, FIELD(ascii),
     .help = "tables in plain ASCII"},
    {.name = "color", .kind = CLI_READ, .section = CLI_SHOWN, .read = read_color,
     .metavar = "auto|always|never",
     .help = "colours (NO_COLOR is honoured)"},
    {.name = "no-pager", .kind = CLI_FLAG, .section = CLI_SHOWN, FIELD(no_pager), .of_words = true,
     .help = "never show what is longer than the screen through NEXTOKEN_PAGER, PAGER or less"},
    {.name = "model", .letter = 'm', .kind = CLI_STRING, .section = CLI_RUN, FIELD(model),
     .file = true, .metavar = "MODEL",
     .help = "folder, .safetensors or .gguf file, name on the Hugging Face Hub (gpt2, "
             "OWNER/NAME@REVISION), or tales, the small model that is built in (default: "
             "NEXTOKEN_MODEL, else tales); for tokenize and detokenize also one tokenizer.json, or "
             "gpt2 for the tokenizer built in (their default)"},
    {.name = "as-transformers", .kind = CLI_FLAG, .section = CLI_RUN, FIELD(as_transformers),
     .help = "read the tokenizer as transformers 5 does where tokenizer.json says something else"},
    {.name = "precision", .kind = CLI_READ, .section = CLI_RUN, .read = read_precision,
     .groups = CLI_OPT_SESSION | CLI_OPT_INFO, .metavar = "auto|f32|f32-amx|bf16",
     .help = "arithmetic, whatever the file stores: float32; as exact in AMX tiles, where the "
             "processor has them; or weights, what is multiplied with them, keys and values in "
             "bfloat16, which reads half as much (default: auto, which is f32)"},
    {.name = "threads", .letter = 't', .kind = CLI_NUMBER, .section = CLI_RUN, FIELD(threads),
     .low = 1, .high = 1024, .groups = CLI_OPT_SESSION | CLI_OPT_TOKENIZE | CLI_OPT_INFO,
     .metavar = "N",
     .help = "threads (default: OMP_NUM_THREADS, else all processors)"},
    {.name = "offline", .kind = CLI_FLAG, .section = CLI_RUN, FIELD(offline), .of_words = true,
     .but = CLI_OPT_CACHE,
     .help = "ask no hub: a model given by its name is taken from the cache or not at all, as with "
             "HF_HUB_OFFLINE=1"},
    {.name = "quiet", .letter = 'q', .kind = CLI_FLAG, .section = CLI_RUN, FIELD(quiet),
     .of_words = true,
     .help = "no notes and no progress on stderr"},
    {.name = "help", .letter = 'h', .kind = CLI_FLAG, .section = CLI_RUN, FIELD(help),
     .of_words = true,
     .help = "all of this help; -h what is used most"},
};
/* clang-format on */
enum { N_OPTIONS = sizeof options / sizeof *options };

static bool takes(const cli_command *command, const cli_option *o) {
    if (o->of_texts && !command->takes_text) return false;
    if (command->words && !o->of_words) return false;
    if (o->but & command->options) return false;
    return o->groups == 0 || (o->groups & command->options);
}

const cli_option *cli_option_at(const cli_command *command, size_t i) {
    for (int k = 0; k < N_OPTIONS; k++) {
        if (takes(command, &options[k]) && i-- == 0) return &options[k];
    }
    return NULL;
}

/* Option names may be written with dashes or underscores. n: length of given. */
static bool same_name(const char *name, const char *given, size_t n) {
    if (strlen(name) != n) return false;
    for (size_t i = 0; i < n; i++) {
        char c = given[i] == '_' ? '-' : given[i], d = name[i] == '_' ? '-' : name[i];
        if (c != d) return false;
    }
    return true;
}

const cli_option *cli_option_find(const cli_command *command, const char *name, size_t n) {
    for (int i = 0; i < N_OPTIONS; i++) {
        if (takes(command, &options[i]) && same_name(options[i].name, name, n)) return &options[i];
    }
    return NULL;
}

const char *cli_option_near(const cli_command *command, const char *name, size_t n) {
    const char *near = NULL;
    size_t least = n < 3 ? 0 : n < 5 ? 2 : 3; /* so far off is no slip */
    for (int i = 0; i < N_OPTIONS; i++) {
        size_t distance = cli_distance(name, n, options[i].name);
        if (distance >= least || !takes(command, &options[i])) continue;
        least = distance;
        near = options[i].name;
    }
    return near;
}

size_t cli_option_elsewhere(char *out, size_t size, const char *name, size_t n) {
    size_t found = 0;
    snprintf(out, size, "%s", "");
    for (const cli_command *const *c = cli_commands; *c; c++) {
        if (!cli_option_find(*c, name, n) && !cli_generation_option(*c, name, n)) continue;
        size_t length = strlen(out);
        snprintf(out + length, size - length, "%s%s", found++ ? ", " : "", (*c)->name);
    }
    return found;
}

const cli_option *cli_option_letter(const cli_command *command, char letter) {
    for (int i = 0; i < N_OPTIONS; i++) {
        if (options[i].letter == letter && takes(command, &options[i])) return &options[i];
    }
    return NULL;
}

const nt_option_info *cli_generation_option(const cli_command *command, const char *name,
                                            size_t n) {
    const nt_option_info *info;
    for (size_t i = 0; (info = nt_option_at(i)); i++) {
        if (same_name(info->name, name, n))
            return cli_takes_generation(command, info) ? info : NULL;
    }
    return NULL;
}

bool cli_takes_generation(const cli_command *command, const nt_option_info *info) {
    return command->options & CLI_OPT_GENERATE ||
           (command->options & CLI_OPT_ONE_STEP && info->one_step) ||
           (command->options & CLI_OPT_EXPLORE && /* how a token is drawn */
            (strcmp(info->name, "seed") == 0 || strcmp(info->name, "rng") == 0));
}

/* ---- Setting ---- */

static bool set_number(cli_settings *settings, const cli_option *o, const char *value, char *error,
                       size_t n) {
    char *end;
    errno = 0;
    long long number = strtoll(value, &end, 10);
    if (end == value || *end || errno || number < o->low || number > o->high) {
        snprintf(error, n, "%s is \"%.60s\"; it must be a whole number in %lld .. %lld", o->name,
                 value, (long long)o->low, (long long)o->high);
        return false;
    }
    void *field = (char *)settings + o->offset;
    int32_t narrow = (int32_t)number;
    int64_t wide = number;
    if (o->width == sizeof narrow)
        memcpy(field, &narrow, sizeof narrow);
    else
        memcpy(field, &wide, sizeof wide);
    return true;
}

static bool set_flag(cli_settings *settings, const cli_option *o, const char *value, char *error,
                     size_t n) {
    bool on = !value || strcmp(value, "true") == 0;
    if (value && !on && strcmp(value, "false") != 0) {
        snprintf(error, n, "%s is \"%.60s\"; it must be true or false", o->name, value);
        return false;
    }
    memcpy((char *)settings + o->offset, &on, sizeof on);
    return true;
}

bool cli_option_set(cli_settings *settings, const cli_option *o, const char *value, char *error,
                    size_t n) {
    switch (o->kind) {
    case CLI_FLAG: return set_flag(settings, o, value, error, n);
    case CLI_NUMBER: return set_number(settings, o, value, error, n);
    case CLI_STRING:
        if (o->file && !*value) {
            snprintf(error, n, "--%s names no %s", o->name,
                     strcmp(o->metavar, "MODEL") == 0 ? "model" : "file");
            return false;
        }
        memcpy((char *)settings + o->offset, &value, sizeof value);
        return true;
    default: return o->read(settings, value, error, n);
    }
}
