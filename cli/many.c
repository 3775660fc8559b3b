/* Many records: read in blocks, run, written in the order read. A record that fails says so in its
 * place and the rest go on. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "jsonl.h"
#include "progress.h"
#include "records.h"
#include "sink.h"

/* A block is small enough that little is lost with it, and large enough to run well: it grows to
 * what takes a few seconds, within these bounds. What it is never changes a result. */
enum {
    LEAST_BYTES = 1 << 12,
    MOST_BYTES = 1 << 20,
    MOST_RECORDS = 2048,
    BYTES_A_RECORD = 64,
    BYTES_A_CONTINUATION = 512
};

/* One record on its way. */
typedef struct job {
    cli_record record;
    cli_line line; /* of JSON; of a table only settings and prompt */
    cli_row row;
    nt_score_options score;
    nt_result *result;
    bool failed;
    char *error; /* why, for free(); NULL when memory for it ended too */
} job;

typedef struct many {
    cli_run *run;
    const cli_settings *settings;
    cli_records records;
    cli_sink sink;
    cli_meter meter;
    job *jobs; /* [n] of the block at hand */
    size_t n;
    size_t target;    /* bytes of a block */
    bool table;       /* a table comes out */
    char separator;   /* of it */
    size_t n_columns; /* of a result in it */
    size_t n_rows;    /* of the record being written */
    bool quoted;      /* and within quotes */
    int64_t skipped;  /* records that the output held already */
    int status;       /* exit status so far */
    bool broken;      /* no going on */
} many;

/* ---- Records in ------------------------------------------------------------------------------ */

static void set_error(job *j, const char *text) {
    if (j->failed) return;
    j->failed = true;
    j->error = strdup(text);
    if (j->error) cli_make_printable(j->error); /* JSON takes nothing but UTF-8 */
}

static const char *error_of(const job *j) {
    return j->error ? j->error : "out of memory";
}

static void read_line(many *m, job *j) {
    char error[CLI_MAX_ERROR];
    if (!cli_line_read(&j->line, m->run->command, m->settings, j->record.bytes, j->record.n, error))
        set_error(j, error);
}

static const char *field(const cli_row *row, size_t i, size_t *n) {
    *n = i < row->n ? row->starts[i + 1] - row->starts[i] - 1 : 0;
    return i < row->n ? row->bytes + row->starts[i] : "";
}

static void read_row(many *m, job *j) {
    char error[CLI_MAX_ERROR];
    const cli_records *r = &m->records;
    cli_settings *own = &j->line.settings;
    *own = *m->settings;
    own->continuations.owned = false;
    own->generate.owned = NULL;
    if (!cli_row_read(&j->row, j->record.bytes, j->record.n, r->separator)) {
        set_error(j, "out of memory");
    } else if (j->row.n != r->header.n) {
        snprintf(error, sizeof error, "line %" PRIu64 ": the row has %zu fields, the first row %zu",
                 j->record.line, j->row.n, r->header.n);
        set_error(j, error);
    } else if (memchr(j->record.bytes, 0, j->record.n)) {
        snprintf(error, sizeof error, "line %" PRIu64 ": the row holds a zero byte",
                 j->record.line);
        set_error(j, error);
    } else {
        nt_prompt *prompt = &j->line.prompt;
        size_t n;
        *prompt = (nt_prompt){
            .size = sizeof *prompt, .add_bos = own->bos, .add_prefix_space = own->add_prefix_space};
        prompt->text = field(&j->row, r->text_column, &prompt->n_text);
        if (r->prompt_column != SIZE_MAX) own->prompt = field(&j->row, r->prompt_column, &n);
    }
}

static void note_sampling(many *m, job *j) {
    char line[128], why[CLI_MAX_NAME];
    if (!cli_turn_on_sampling(why, &j->line.settings.generate)) return;
    for (char *c = why; *c; c++)
        if (*c == '-') *c = '_'; /* as the line has it */
    snprintf(line, sizeof line, "sampling, because %s was given", why);
    m->run->callbacks.note(m->run, line);
}

static void add_job(many *m, const cli_record *record) {
    job *j = &m->jobs[m->n++];
    *j = (job){.record = *record};
    if (record->error) {
        char error[CLI_MAX_ERROR];
        snprintf(error, sizeof error, "line %" PRIu64 ": %s", record->line, record->error);
        set_error(j, error);
    }
    if (m->records.separator)
        read_row(m, j);
    else if (!record->error)
        read_line(m, j);
    if (!j->failed) note_sampling(m, j);
}

static void free_job(job *j) {
    nt_result_free(j->result);
    free(j->error);
    cli_row_free(&j->row);
    cli_line_free(&j->line);
    free(j->record.bytes);
}

/* ---- Running --------------------------------------------------------------------------------- */

static void run_alone(many *m, job *j) {
    int status = m->run->command->run(&j->result, m->run, &j->line.prompt, &j->line.settings);
    if (status != NT_OK) set_error(j, nt_error_message());
    m->run->streamed = false;
}

/* The records of the block that can be scored, together; alone where memory does not hold them. */
static void score_block(many *m) {
    nt_score_item *items = calloc(m->n, sizeof *items);
    size_t n = 0, k = 0;
    for (size_t i = 0; items && i < m->n; i++) {
        job *j = &m->jobs[i];
        if (j->failed) continue;
        j->score = cli_score_options(&j->line.settings);
        items[n++] =
            (nt_score_item){.size = sizeof *items, .prompt = &j->line.prompt, .options = &j->score};
    }
    int status = items ? nt_score_many(m->run->session, items, n, &m->run->callbacks) : NT_E_MEMORY;
    for (size_t i = 0; i < m->n && !cli_interrupted(); i++) {
        job *j = &m->jobs[i];
        if (j->failed) continue;
        if (status == NT_OK) {
            j->result = items[k].result;
            if (items[k].status != NT_OK)
                set_error(j, items[k].error ? items[k].error : "out of memory");
            nt_free(items[k++].error);
        } else {
            run_alone(m, j);
        }
    }
    for (; status == NT_OK && k < n; k++) { /* Ctrl-C came just now */
        nt_result_free(items[k].result);
        nt_free(items[k].error);
    }
    free(items);
}

static void run_block(many *m) {
    if (m->run->command->many) {
        score_block(m);
        return;
    }
    for (size_t i = 0; i < m->n; i++) {
        if (!m->jobs[i].failed) run_alone(m, &m->jobs[i]);
    }
}

/* ---- Records out ----------------------------------------------------------------------------- */

/* What stands before a result's columns: number and columns of the record. */
static void put_prefix(cli_text *to, const many *m, int64_t index, const cli_row *row) {
    char number[32];
    char separator[2] = {m->separator, 0};
    snprintf(number, sizeof number, "%" PRId64, index);
    cli_text_puts(to, index < 0 ? "record" : number);
    cli_text_puts(to, separator);
    for (size_t i = 0; i < m->records.header.n; i++) {
        size_t n;
        const char *bytes = field(row, i, &n);
        cli_text_field(to, bytes, n, m->separator);
        cli_text_puts(to, separator);
    }
}

/* An nt_write_fn: rows on their way, with one empty field more, where an error would stand. */
static int put_rows(void *payload, const char *bytes, size_t n) {
    many *m = payload;
    size_t from = 0;
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] == '"') m->quoted = !m->quoted;
        if (bytes[i] != '\n' || m->quoted) continue;
        if (cli_sink_put(&m->sink, bytes + from, i - from) != 0 ||
            cli_sink_put(&m->sink, &m->separator, 1) != 0)
            return -1;
        from = i;
        m->n_rows++;
    }
    return cli_sink_put(&m->sink, bytes + from, n - from);
}

/* A row without a result. */
static int put_empty(many *m, const cli_text *prefix, const char *error) {
    cli_text row = {0};
    cli_text_put(&row, prefix->bytes, prefix->n);
    for (size_t i = 0; i < m->n_columns; i++)
        cli_text_put(&row, &m->separator, 1);
    cli_text_field(&row, error, strlen(error), m->separator);
    cli_text_puts(&row, "\n");
    int status = row.failed ? -1 : cli_sink_put(&m->sink, row.bytes, row.n);
    free(row.bytes);
    return status;
}

static int show(many *m, const job *j, const char *prefix) {
    nt_view_options view =
        cli_view(m->run, nt_result_get_kind(j->result), &j->line.settings, j->record.index);
    view.no_header = true;
    view.row_prefix = prefix;
    if (!m->table) view.format = NT_JSON;
    m->n_rows = 0;
    m->quoted = false;
    return nt_result_show(j->result, &view, m->table ? put_rows : cli_sink_put,
                          m->table ? (void *)m : &m->sink);
}

static int write_row(many *m, const job *j) {
    cli_text prefix = {0};
    put_prefix(&prefix, m, j->record.index, &j->row);
    int status = prefix.failed ? NT_E_MEMORY : NT_OK;
    if (status == NT_OK && !j->failed) {
        status = show(m, j, prefix.bytes);
        if (status == NT_OK && m->n_rows == 0) status = put_empty(m, &prefix, "");
    } else if (status == NT_OK) {
        status = put_empty(m, &prefix, error_of(j));
    }
    free(prefix.bytes);
    return status;
}

static void write_job(many *m, const job *j) {
    int status = m->table    ? write_row(m, j)
                 : j->failed ? cli_line_error(cli_sink_put, &m->sink, j->record.index, error_of(j))
                             : show(m, j, NULL);
    if (status != 0) {
        m->broken = true;
        if (!m->sink.failed) cli_error("%s", nt_error_message());
        return;
    }
    cli_sink_mark(&m->sink);
    m->meter.records++;
    if (j->result) m->meter.tokens += nt_result_n_tokens(j->result);
    if (j->failed) {
        m->meter.failed++;
        m->status = EXIT_FAILED;
    }
}

/* ---- A table's first row --------------------------------------------------------------------- */

static int keep(void *payload, const char *bytes, size_t n) {
    cli_text *text = payload;
    cli_text_put(text, bytes, n);
    return text->failed ? -1 : 0;
}

/* The columns of a result, as one of a short text names them; options that no record could run with
 * fail here. */
static bool find_columns(cli_text *names, many *m) {
    cli_settings own = *m->settings;
    cli_run *run = m->run;
    nt_result *result = NULL;
    bool quiet = run->quiet;
    own.prompt_len = 0;
    own.generate.max_new_tokens = 1;
    run->quiet = true;
    nt_prompt text = *nt_text("a");
    text.add_bos = own.bos;
    int status = run->command->run(&result, run, &text, &own);
    run->quiet = quiet;
    run->streamed = false;
    if (status == NT_OK) {
        nt_view_options view = cli_view(run, nt_result_get_kind(result), &own, -1);
        status = nt_result_show(result, &view, keep, names);
    }
    nt_result_free(result);
    if (status != NT_OK && !cli_interrupted()) cli_error("%s", nt_error_message());
    if (status != NT_OK) return false;
    names->n = strcspn(names->bytes, "\n");
    for (size_t i = 0; i < names->n; i++)
        m->n_columns += names->bytes[i] == m->separator;
    m->n_columns++;
    return true;
}

static bool make_header(cli_text *header, many *m) {
    cli_text names = {0};
    put_prefix(header, m, -1, &m->records.header);
    bool ok = find_columns(&names, m);
    if (ok) {
        cli_text_put(header, names.bytes, names.n);
        cli_text_put(header, &m->separator, 1);
        cli_text_puts(header, "error\n");
    }
    free(names.bytes);
    if (ok && header->failed) cli_error("out of memory");
    return ok && !header->failed;
}

/* ---- Blocks ---------------------------------------------------------------------------------- */

/* What a record weighs in its block: with continuations its text is run once for each. */
static size_t weight(const job *j) {
    const nt_prompt *prompt = &j->line.prompt;
    size_t n = prompt->ids ? prompt->n_ids : prompt->n_text;
    size_t times = j->failed ? 0 : j->line.settings.continuations.n;
    return j->record.n + BYTES_A_RECORD + times * (n + BYTES_A_CONTINUATION);
}

static cli_read read_block(many *m) {
    size_t most = m->run->command->many ? MOST_RECORDS : 1, bytes = 0;
    cli_read got = CLI_READ_ONE;
    m->n = 0;
    while (m->n < most && bytes < m->target) {
        cli_record record;
        got = cli_records_next(&m->records, &record, m->n == 0);
        if (got != CLI_READ_ONE) break;
        add_job(m, &record);
        bytes += weight(&m->jobs[m->n - 1]);
    }
    return got;
}

static void adapt(many *m, double seconds) {
    if (seconds < 1.5 && m->target < MOST_BYTES) m->target *= 2;
    if (seconds > 4 && m->target > BYTES_A_RECORD) m->target /= 2;
}

/* A block goes out whole or not at all. */
static void do_block(many *m) {
    double started = cli_seconds();
    m->meter.done = m->meter.next;
    m->meter.next = m->records.in.offset;
    run_block(m);
    for (size_t i = 0; i < m->n && !m->broken && !cli_interrupted(); i++)
        write_job(m, &m->jobs[i]);
    if (!m->broken && !cli_sink_flush(&m->sink)) m->broken = true;
    for (size_t i = 0; i < m->n; i++)
        free_job(&m->jobs[i]);
    m->meter.done = m->meter.next;
    cli_meter_show(&m->meter, 0, 0);
    adapt(m, cli_seconds() - started);
}

/* Records that the output holds already. */
static bool skip(many *m, int64_t n) {
    for (cli_record record; n > 0; n--) {
        switch (cli_records_next(&m->records, &record, true)) {
        case CLI_READ_ONE: free(record.bytes); break;
        case CLI_READ_END: n = 1; break; /* the sink says that it holds more */
        default: return false;
        }
    }
    return true;
}

static bool begin(many *m) {
    cli_text header = {0};
    int64_t n = 0, n_failed = 0;
    if (!cli_sink_open(&m->sink, m->settings)) return false;
    bool ok = !m->table || make_header(&header, m);
    if (ok && m->settings->resume) {
        ok = cli_sink_resume(&n, &n_failed, &m->sink, m->table ? &header : NULL,
                             m->table ? m->separator : 0);
    } else if (ok && m->table) {
        ok = cli_sink_put(&m->sink, header.bytes, header.n) == 0;
        cli_sink_mark(&m->sink);
    }
    free(header.bytes);
    if (n_failed) m->status = EXIT_FAILED;
    if (ok && n > 0 && !m->run->quiet)
        cli_note("%s: going on behind its first %" PRId64 " records", cli_stdout_name, n);
    m->skipped = n;
    ok = ok && skip(m, n);
    cli_meter_start(&m->meter, m->run->quiet, m->records.in.offset, m->records.in.size);
    return ok;
}

static void on_progress(void *payload, const char *what, uint64_t done, uint64_t total) {
    const cli_run *run = payload;
    (void)what;
    if (run->meter) cli_meter_show(run->meter, done, total);
}

static void say_stopped(const many *m) {
    cli_error("stopped by Ctrl-C after %" PRId64 " records%s", m->skipped + m->meter.records,
              m->sink.file ? "; the same command with --resume goes on" : "");
}

int cli_run_many(cli_run *run, const cli_settings *settings) {
    many m = {.run = run, .settings = settings, .target = LEAST_BYTES, .status = EXIT_DONE};
    cli_read got = CLI_READ_BROKEN;
    if (!cli_records_open(&m.records, settings)) return EXIT_FAILED;
    m.jobs = calloc(run->command->many ? MOST_RECORDS : 1, sizeof *m.jobs);
    m.table = settings->table && settings->format != NT_JSON;
    m.separator = settings->format == NT_TSV ? '\t' : ',';
    run->meter = &m.meter;
    run->callbacks.progress = on_progress;
    if (!m.jobs)
        cli_error("out of memory");
    else if (begin(&m))
        got = CLI_READ_ONE;
    while ((got == CLI_READ_ONE || got == CLI_READ_WAIT) && !m.broken && !cli_interrupted()) {
        got = read_block(&m);
        if (m.n) do_block(&m);
    }
    cli_meter_end(&m.meter);
    if (!cli_sink_close(&m.sink, got == CLI_READ_END && !m.broken && !cli_interrupted()))
        m.broken = true;
    if (cli_interrupted()) say_stopped(&m);
    run->meter = NULL;
    free(m.jobs);
    cli_records_close(&m.records);
    return m.broken || got != CLI_READ_END ? EXIT_FAILED : m.status;
}
