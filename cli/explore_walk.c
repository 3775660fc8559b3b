/* The walk: tokens taken and given back, each at the price of one step of the model. The sequence
 * behind every taken token is kept, a fork of the one before; options cost no step at all, since
 * the logits behind the last token are kept, too. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "explore.h"

enum { FIRST_K = 16 };

static int no_memory(void) {
    cli_error("out of memory");
    return NT_E_MEMORY;
}

/* A prompt as nt_next takes it: BOS is told as such. */
static nt_prompt prompt_of(const cli_walk *walk) {
    return (nt_prompt){.size = sizeof(nt_prompt),
                       .ids = walk->ids + walk->bos,
                       .n_ids = walk->n_prompt + walk->n_taken - walk->bos,
                       .add_bos = walk->bos};
}

int cli_walk_look(cli_walk *walk, size_t k) {
    nt_next_options options = NT_NEXT_OPTIONS_INIT;
    const nt_prompt prompt = prompt_of(walk);
    nt_result *next;
    if (k == 0) k = walk->k ? walk->k : FIRST_K;
    options.k = (int32_t)(k < walk->V ? k : walk->V);
    options.row = walk->logits;
    options.n_new = walk->n_taken;
    options.generate = walk->n_given || walk->settings->generation_config ? &walk->generate : NULL;
    int status = nt_next(&next, walk->run->session, &prompt, &options);
    if (status != NT_OK) return status;
    nt_result_free(walk->next);
    walk->next = next;
    walk->k = k;
    return NT_OK;
}

int cli_walk_changed(cli_walk *walk) {
    int status = cli_walk_look(walk, 0);
    if (status != NT_OK) return status;
    nt_result_free(walk->whole);
    walk->whole = NULL;
    return NT_OK;
}

int cli_walk_whole(cli_walk *walk) {
    if (walk->whole) return NT_OK;
    nt_result *next = walk->next;
    size_t k = walk->k;
    walk->next = NULL;
    int status = cli_walk_look(walk, walk->V);
    walk->whole = walk->next;
    walk->next = next;
    walk->k = k;
    return status;
}

/* A fork of `parent` that goes on with one id; logits are behind it. */
static int step(int32_t *sequence, cli_walk *walk, int32_t parent, int32_t id) {
    nt_session *session = walk->run->session;
    int status = nt_sequence_fork(sequence, session, parent);
    if (status != NT_OK) return status;
    status = nt_forward(session, *sequence, &id, 1, NT_WANT_LAST, walk->logits, &walk->callbacks);
    if (status != NT_OK) nt_sequence_drop(session, *sequence);
    return status;
}

static int32_t parent_of(const cli_walk *walk, size_t depth) {
    return depth > 0 ? walk->sequences[depth - 1] : walk->base;
}

/* Room for one more token. */
static bool make_room(cli_walk *walk) {
    if (walk->room > walk->n_taken) return true;
    size_t room = walk->room * 2 + 64;
    int32_t *ids = realloc(walk->ids, (walk->n_prompt + room) * sizeof *ids);
    if (ids) walk->ids = ids;
    int32_t *sequences = realloc(walk->sequences, (room + 1) * sizeof *sequences);
    if (sequences) walk->sequences = sequences;
    cli_taken *path = realloc(walk->path, room * sizeof *path);
    if (path) walk->path = path;
    if (!ids || !sequences || !path) return false;
    walk->room = room;
    return true;
}

int cli_walk_take(cli_walk *walk, const nt_candidate *c, cli_how how, double draw) {
    if (!make_room(walk)) return no_memory();
    cli_taken taken = {c->token.id,       c->rank, c->prob, c->logprob,
                       c->processed_prob, how,     draw,    walk->seed};
    int32_t sequence;
    int status = step(&sequence, walk, walk->sequences[walk->n_taken], taken.id);
    if (status != NT_OK) return status;
    walk->ids[walk->n_prompt + walk->n_taken] = taken.id;
    walk->path[walk->n_taken++] = taken;
    walk->sequences[walk->n_taken] = sequence;
    return cli_walk_changed(walk);
}

int cli_walk_back(cli_walk *walk) {
    if (walk->n_taken == 0) return NT_OK;
    size_t depth = walk->n_taken - 1; /* behind it, one token less is taken */
    int32_t sequence, last = walk->ids[walk->n_prompt + depth - 1];
    int status = step(&sequence, walk, parent_of(walk, depth), last);
    if (status != NT_OK) return status;
    nt_sequence_drop(walk->run->session, walk->sequences[depth + 1]);
    nt_sequence_drop(walk->run->session, walk->sequences[depth]);
    walk->sequences[depth] = sequence;
    walk->n_taken = depth;
    return cli_walk_changed(walk);
}

int cli_walk_draw(cli_walk *walk) {
    nt_next_options options = NT_NEXT_OPTIONS_INIT;
    const nt_prompt prompt = prompt_of(walk);
    nt_generate_options generate = walk->generate;
    nt_result *drawn;
    generate.seed_given = true;
    generate.seed = walk->seed;
    options.k = 1;
    options.row = walk->logits;
    options.n_new = walk->n_taken;
    options.drawn = true;
    options.generate = &generate;
    int status = nt_next(&drawn, walk->run->session, &prompt, &options);
    if (status != NT_OK) return status;
    const nt_step *one = nt_result_step(drawn, 0);
    status = cli_walk_take(walk, &one->chosen, CLI_DRAWN, one->draw);
    nt_result_free(drawn);
    return status;
}

/* ---- Beginning and end ---- */

/* The prompt's ids, and whether one of them is a BOS put there: as a result on logits that nobody
 * looks at tells them. */
static int take_prompt(cli_walk *walk, const nt_prompt *prompt) {
    nt_next_options options = NT_NEXT_OPTIONS_INIT;
    nt_result *result;
    options.k = 1;
    options.row = walk->logits;
    options.callbacks = &walk->run->callbacks;
    int status = nt_next(&result, walk->run->session, prompt, &options);
    if (status != NT_OK) return status;
    const nt_tokenizer *tokenizer = nt_model_tokenizer(walk->run->model);
    const nt_token *first = nt_result_token(result, 0);
    size_t n = nt_result_n_tokens(result);
    walk->ids = malloc(n * sizeof *walk->ids);
    for (size_t i = 0; walk->ids && i < n; i++)
        walk->ids[i] = nt_result_token(result, i)->id;
    walk->n_prompt = n;
    bool written = prompt->ids && prompt->n_ids == n; /* as ids, by whoever asks */
    walk->bos = first && !written && first->end == 0 &&
                (prompt->ids || !tokenizer || first->id == nt_tokenizer_bos(tokenizer) || n == 1);
    nt_result_free(result);
    return walk->ids ? NT_OK : no_memory();
}

static int run_prompt(cli_walk *walk) {
    nt_session *session = walk->run->session;
    size_t n = walk->n_prompt;
    int status = nt_sequence_new(&walk->base, session);
    if (status == NT_OK && n > 1)
        status = nt_forward(session, walk->base, walk->ids, n - 1, NT_WANT_NOTHING, NULL,
                            &walk->run->callbacks);
    if (status != NT_OK) return status;
    if (!make_room(walk)) return no_memory();
    return step(&walk->sequences[0], walk, walk->base, walk->ids[n - 1]);
}

static int cancelled(void *payload) {
    (void)payload;
    return cli_terminal_stopped();
}

int cli_walk_begin(cli_walk *walk, cli_run *run, const nt_prompt *prompt,
                   const cli_settings *settings) {
    nt_model_info info = {.size = sizeof info};
    *walk = (cli_walk){.run = run, .settings = settings, .base = -1};
    walk->generate = (nt_generate_options)NT_GENERATE_OPTIONS_INIT;
    walk->callbacks = (nt_callbacks)NT_CALLBACKS_INIT;
    walk->callbacks.cancel = cancelled;
    int status = nt_model_get_info(&info, run->model);
    if (status != NT_OK) return status;
    walk->V = (size_t)info.n_vocab;
    walk->logits = calloc(walk->V, sizeof *walk->logits);
    uint32_t seed = 0;
    if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) != sizeof seed) seed = 1;
    walk->seed = seed;
    if (!walk->logits || !cli_walk_options(walk)) return no_memory();
    status = take_prompt(walk, prompt);
    if (status == NT_OK) status = run_prompt(walk);
    if (status == NT_OK) status = cli_walk_look(walk, 0);
    return status;
}

void cli_walk_end(cli_walk *walk) {
    nt_result_free(walk->next);
    nt_result_free(walk->whole);
    nt_generate_options_clear(&walk->generate);
    for (size_t i = 0; i < walk->n_given; i++)
        free(walk->given[i].value);
    free(walk->given);
    free(walk->ids);
    free(walk->sequences); /* the session ends with the program */
    free(walk->path);
    free(walk->logits);
}
