/* Fuzz entry of records: a line of --jsonl, or rows of a table. The first byte says for which
 * command the line is, or the separator of the table. What stands in main.c, args.c and score.c is
 * left out, since they know the whole library. */
#include "jsonl.h"

#include "base/utf8.h"
#include "options.h"
#include "scratch.h"
#include "table.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static const cli_command score = {.name = "score",
                                  .options = CLI_OPT_TEXT | CLI_OPT_SCORE | CLI_OPT_WINDOWS |
                                             CLI_OPT_BASE | CLI_OPT_SESSION};
static const cli_command generate = {
    .name = "generate", .options = CLI_OPT_TEXT | CLI_OPT_GENERATE | CLI_OPT_SKIP | CLI_OPT_K};
static const cli_command next = {.name = "next",
                                 .options = CLI_OPT_TEXT | CLI_OPT_ONE_STEP | CLI_OPT_K};
static const cli_command detokenize = {
    .name = "detokenize", .options = CLI_OPT_SKIP, .ids_only = true};

const cli_command *const cli_commands[] = {&score, &generate, &next, &detokenize, NULL};

bool cli_score_check(const cli_settings *settings, char *error, size_t n) {
    (void)settings, (void)error, (void)n;
    return true;
}

void cli_settings_free(cli_settings *settings) {
    cli_words_clear(&settings->continuations);
    nt_generate_options_clear(&settings->generate);
}

static int take(void *payload, const char *bytes, size_t n) {
    check(nt_utf8_check(bytes, n) == n);
    check(!memchr(bytes, '\n', n) || (n == 1 && *bytes == '\n'));
    ++*(int *)payload;
    return 0;
}

static void read_line(const cli_command *command, const char *bytes, size_t n) {
    cli_settings base = {.k = 10, .generate = NT_GENERATE_OPTIONS_INIT};
    char error[CLI_MAX_ERROR] = "";
    cli_line line;
    if (cli_line_read(&line, command, &base, bytes, n, error)) {
        const nt_prompt *prompt = &line.prompt;
        check(!prompt->text != !prompt->ids);
        if (prompt->text) check(nt_utf8_check(prompt->text, prompt->n_text) == prompt->n_text);
        int64_t sum = 0;
        for (size_t i = 0; i < prompt->n_ids; i++)
            sum += prompt->ids[i];
        static volatile int64_t seen; /* keeps the reads */
        seen = sum;
        (void)seen;
        for (size_t i = 0; i < line.settings.continuations.n; i++)
            check(*line.settings.continuations.items[i]);
    } else {
        int written = 0;
        check(*error && strlen(error) < sizeof error && !strchr(error, '\n'));
        check(nt_utf8_check(error, strlen(error)) == strlen(error));
        check(cli_line_error(take, &written, 3, error) == 0 && written == 2);
    }
    cli_line_free(&line);
}

/* A row ends at the same place however its bytes come; its fields say the same when written
 * again. */
static void read_rows(const char *bytes, size_t n, char separator) {
    for (size_t at = 0; at < n;) {
        cli_row_scan whole = {.separator = separator}, parts = whole;
        cli_row_state state = cli_row_find(&whole, bytes + at, n - at, true), now = CLI_ROW_MORE;
        check(state != CLI_ROW_MORE && whole.at <= n - at);
        for (size_t k = 1; now == CLI_ROW_MORE && k <= n - at; k++)
            now = cli_row_find(&parts, bytes + at, k, k == n - at);
        check(now == state && (state == CLI_ROW_BAD || parts.at == whole.at));
        if (state == CLI_ROW_BAD) return;
        cli_row row, again;
        check(cli_row_read(&row, bytes + at, whole.at, separator));
        cli_text text = {0};
        for (size_t i = 0; i < row.n; i++) {
            if (i) cli_text_put(&text, &separator, 1);
            cli_text_field(&text, row.bytes + row.starts[i], row.starts[i + 1] - row.starts[i] - 1,
                           separator);
        }
        check(!text.failed &&
              cli_row_read(&again, text.bytes ? text.bytes : "", text.n, separator));
        if (!memchr(bytes + at, 0, whole.at)) {
            check(again.n == row.n);
            for (size_t i = 0; i < row.n; i++)
                check(strcmp(row.bytes + row.starts[i], again.bytes + again.starts[i]) == 0);
        }
        free(text.bytes);
        cli_row_free(&row);
        cli_row_free(&again);
        at += whole.at + 1;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    if (n == 0) return 0;
    char *own = malloc(n); /* of its size */
    check(own != NULL);
    memcpy(own, bytes, n);
    switch (*own) {
    case 's': read_line(&score, own + 1, n - 1); break;
    case 'g': read_line(&generate, own + 1, n - 1); break;
    case 'n': read_line(&next, own + 1, n - 1); break;
    case 'd': read_line(&detokenize, own + 1, n - 1); break;
    case ',':
    case '\t':
        if (n < 2048) read_rows(own + 1, n - 1, *own);
        break;
    default: break;
    }
    free(own);
    return 0;
}
