/* Jobs that need a tokenizer alone: text -> tokens, ids -> text, tokenizers side by side, counts.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/options.h"
#include "base/utf8.h"
#include "nextoken.h"
#include "text/tokenizer.h"
#include "wiring.h"

static int take_encode(nt_encode_options *out, const nt_prompt *prompt,
                       const nt_encode_options *given) {
    *out = (nt_encode_options)NT_ENCODE_OPTIONS_INIT;
    NT_TRY(nt_take_options(out, sizeof *out, given, "nt_encode_options"));
    out->add_bos = out->add_bos || (prompt && prompt->add_bos);
    return NT_OK;
}

int nt_tokenize(nt_result **out, const nt_model *model, const nt_prompt *prompt,
                const nt_encode_options *given) {
    *out = NULL;
    double started = nt_now_ms();
    NT_TRY(nt_need_tokenizer(model));
    nt_encode_options encode;
    NT_TRY(take_encode(&encode, prompt, given));
    nt_ids_of e;
    int status = nt_encode_prompt(&e, model, prompt, &encode);
    if (status == NT_OK) status = nt_job_begin(out, model, NT_RESULT_TOKENS, &e);
    if (status == NT_OK && prompt->text) {
        status = nt_trace_set_text(*out, prompt->text, nt_prompt_length(prompt));
    }
    nt_ids_free(&e);
    return nt_job_finish(out, status, started);
}

int nt_detokenize(nt_result **out, const nt_model *model, const int32_t *ids, size_t n_ids,
                  bool skip_special_tokens) {
    *out = NULL;
    double started = nt_now_ms();
    NT_TRY(nt_need_tokenizer(model));
    char *text;
    size_t n;
    NT_TRY(nt_decode(&text, &n, model->tokenizer, ids, n_ids, skip_special_tokens));
    int status = nt_job_begin(out, model, NT_RESULT_TEXT, NULL);
    if (status == NT_OK) status = nt_trace_set_tokens(*out, ids, NULL, NULL, n_ids);
    if (status == NT_OK) status = nt_trace_set_text(*out, text, n);
    nt_free(text);
    return nt_job_finish(out, status, started);
}

/* ---- Tokenizers side by side ---- */

static int need_models(const nt_model *const *models, size_t n_models) {
    if (!models || n_models == 0) return nt_fail(NT_E_ARGUMENT, "no model is given");
    for (size_t v = 0; v < n_models; v++)
        NT_TRY(nt_need_tokenizer(models[v]));
    return NT_OK;
}

static int compare(nt_result *trace, const nt_model *const *models, size_t n_models,
                   const nt_prompt *prompt, const nt_encode_options *encode) {
    for (size_t v = 0; v < n_models; v++) {
        nt_ids_of e;
        int status = nt_encode_prompt(&e, models[v], prompt, encode);
        if (status == NT_OK) {
            status = nt_trace_add_compared(trace, models[v]->path, &models[v]->vocab, e.ids,
                                           e.starts, e.ends, e.n);
        }
        nt_ids_free(&e);
        NT_TRY(status);
    }
    NT_TRY(nt_trace_set_text(trace, prompt->text, nt_prompt_length(prompt)));
    return nt_trace_set_stretches(trace);
}

int nt_tokenize_compare(nt_result **out, const nt_model *const *models, size_t n_models,
                        const nt_prompt *prompt, const nt_encode_options *given) {
    *out = NULL;
    double started = nt_now_ms();
    nt_encode_options encode;
    NT_TRY(need_models(models, n_models));
    NT_TRY(take_encode(&encode, prompt, given));
    if (!prompt || !prompt->text)
        return nt_fail(NT_E_ARGUMENT, "tokenizers are compared on a text; none is given");
    int status = nt_job_begin(out, models[0], NT_RESULT_COMPARED, NULL);
    if (status == NT_OK) status = compare(*out, models, n_models, prompt, &encode);
    return nt_job_finish(out, status, started);
}

/* ---- Counting ---- */

enum {
    PIECE = 8 << 20,  /* bytes that are counted at a time, where a text may be cut */
    UNCUT = 1 << 30,  /* most of such a text without a place to cut at */
    BEHIND = 64 << 10 /* bytes that stand behind a cut: no added token across it is missed */
};

/* One file on its way through all of the tokenizers. */
typedef struct counting {
    const nt_model *const *models; /* [n_models] */
    nt_encoder **encoders;         /* [n_models] */
    size_t n_models;
    nt_encode_options encode;
    const nt_callbacks *callbacks;
    bool may_cut; /* all of them take a text in pieces */
    nt_counted file;
    uint64_t *n_tokens; /* [n_models] */
    uint64_t offset;    /* of the piece in the file */
} counting;

/* Text [n], a whole one or a piece of one. */
static int count_piece(counting *c, const char *text, size_t n) {
    size_t bad = nt_utf8_check(text, n);
    if (bad < n) {
        return nt_fail(NT_E_TEXT, "%s is not UTF-8 at byte %llu (0x%02X)", c->file.name,
                       (unsigned long long)(c->offset + bad), (unsigned char)text[bad]);
    }
    nt_encode_input input = {.text = text, .n_text = n};
    for (size_t v = 0; v < c->n_models; v++) {
        nt_encoding *encoding;
        NT_TRY(nt_encoder_run(&encoding, c->encoders[v], &input, 1, &c->encode));
        c->n_tokens[v] += encoding->n;
        nt_encoding_free(encoding);
    }
    c->offset += n;
    c->file.n_bytes += n;
    c->file.n_characters += nt_utf8_count(text, n);
    if (c->callbacks && c->callbacks->progress)
        c->callbacks->progress(c->callbacks->payload, "bytes", c->offset, 0);
    return NT_OK;
}

static int go_on(const counting *c) {
    if (c->callbacks && c->callbacks->cancel && c->callbacks->cancel(c->callbacks->payload))
        return nt_fail(NT_E_CANCELLED, "cancelled");
    return NT_OK;
}

/* Reads on; *ended at the end of the file. */
static int read_more(nt_buffer *text, bool *ended, int fd, const counting *c) {
    size_t room = PIECE;
    if (text->n > text->max - room) /* which is the longest text */
        room = text->max - text->n;
    if (room == 0) {
        return nt_fail(NT_E_UNSUPPORTED,
                       c->may_cut ? "%s is too long: 1 GiB without a space between letters"
                                  : "%s is too long: 4 GiB for a tokenizer that takes a text whole",
                       c->file.name);
    }
    NT_TRY(nt_buffer_room(text, room));
    while (room > 0) {
        ssize_t n = read(fd, text->data + text->n, room);
        int why = errno;
        NT_TRY(go_on(c));
        if (n < 0 && why == EINTR) continue;
        if (n < 0) return nt_fail(NT_E_IO, "cannot read %s: %s", c->file.name, strerror(why));
        *ended = n == 0;
        if (n == 0) break;
        text->n += (size_t)n;
        room -= (size_t)n;
    }
    return NT_OK;
}

/* Where text [n], which goes on, may be cut for all of the tokenizers, at `low` or behind it; n
 * where there is no such place. */
static size_t border(const counting *c, const char *text, size_t n, size_t low) {
    for (size_t at = low;; at++) {
        at = nt_tokenizer_border(c->models[0]->tokenizer, text, n, at);
        if (at >= n - BEHIND) return n;
        bool good = true;
        for (size_t v = 1; v < c->n_models; v++)
            good = good && !nt_added_crosses(&c->models[v]->tokenizer->added, text, n, at);
        if (good) return at;
    }
}

static int count_open(counting *c, int fd) {
    nt_buffer text = {.max = c->may_cut ? UNCUT : UINT32_MAX};
    bool ended = false;
    size_t searched = 0; /* bytes without a border */
    int status = NT_OK;
    while (status == NT_OK && !ended) {
        status = read_more(&text, &ended, fd, c);
        size_t n = text.n;
        if (status == NT_OK && !ended) {
            if (!c->may_cut) continue;
            n = border(c, text.data, n, searched ? searched : n / 2);
            searched = n == text.n ? n - BEHIND : 0;
            if (n == text.n) continue;
        }
        if (status == NT_OK) status = count_piece(c, text.data ? text.data : "", n);
        if (status == NT_OK && text.n > n) memmove(text.data, text.data + n, text.n - n);
        text.n -= status == NT_OK ? n : 0;
    }
    nt_buffer_free(&text);
    return status;
}

static int open_file(int *fd, const counting *c, const char *path) {
    while ((*fd = open(path, O_RDONLY | O_CLOEXEC)) < 0) { /* a pipe waits for its writer */
        int why = errno;
        NT_TRY(go_on(c));
        if (why == EINTR) continue;
        return nt_fail(why == ENOENT ? NT_E_NOT_FOUND : NT_E_IO, "cannot open %s: %s", path,
                       strerror(why));
    }
    return NT_OK;
}

static int count_file(counting *c, nt_result *trace, const char *path) {
    bool standard = strcmp(path, "-") == 0;
    c->file = (nt_counted){.name = standard ? "standard input" : path, .n_tokens = c->n_tokens};
    c->offset = 0;
    for (size_t v = 0; v < c->n_models; v++)
        c->n_tokens[v] = nt_post_added(&c->models[v]->tokenizer->post, false);
    int fd = STDIN_FILENO;
    if (!standard) NT_TRY(open_file(&fd, c, path));
    int status = count_open(c, fd);
    if (!standard) close(fd);
    NT_TRY(status);
    return nt_trace_add_counted(trace, &c->file);
}

static int count_all(counting *c, nt_result *trace, const char *const *paths, size_t n_paths,
                     int threads) {
    nt_encoder_options options = NT_ENCODER_OPTIONS_INIT;
    options.threads = threads;
    c->may_cut = true;
    for (size_t v = 0; v < c->n_models; v++) {
        const nt_tokenizer *tokenizer = c->models[v]->tokenizer;
        c->may_cut = c->may_cut && nt_tokenizer_may_cut(tokenizer) &&
                     nt_tokenizer_border(tokenizer, "a b", 3, 1) == 1;
        NT_TRY(nt_encoder_new(&c->encoders[v], tokenizer, &options));
        NT_TRY(nt_trace_add_compared(trace, c->models[v]->path, NULL, NULL, NULL, NULL, 0));
    }
    for (size_t i = 0; i < n_paths; i++)
        NT_TRY(count_file(c, trace, paths[i]));
    return NT_OK;
}

int nt_count(nt_result **out, const nt_model *const *models, size_t n_models,
             const char *const *paths, size_t n_paths, const nt_count_options *given) {
    *out = NULL;
    double started = nt_now_ms();
    nt_count_options options = NT_COUNT_OPTIONS_INIT;
    NT_TRY(nt_take_options(&options, sizeof options, given, "nt_count_options"));
    NT_TRY(need_models(models, n_models));
    if (!paths || n_paths == 0) return nt_fail(NT_E_ARGUMENT, "no file is given");
    counting c = {.models = models,
                  .n_models = n_models,
                  .encode = NT_ENCODE_OPTIONS_INIT,
                  .callbacks = options.callbacks,
                  .encoders = nt_alloc(n_models, sizeof *c.encoders),
                  .n_tokens = nt_alloc(n_models, sizeof *c.n_tokens)};
    c.encode.split_special_tokens = options.split_special_tokens;
    c.encode.add_special_tokens = c.encode.truncation = c.encode.padding = -1;
    int status = c.encoders && c.n_tokens ? NT_OK : NT_E_MEMORY;
    if (status == NT_OK) status = nt_job_begin(out, models[0], NT_RESULT_COUNTS, NULL);
    if (status == NT_OK) status = count_all(&c, *out, paths, n_paths, options.threads);
    for (size_t v = 0; c.encoders && v < n_models; v++)
        nt_encoder_free(c.encoders[v]);
    nt_free(c.encoders);
    nt_free(c.n_tokens);
    return nt_job_finish(out, status, started);
}
