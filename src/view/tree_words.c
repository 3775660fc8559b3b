/* The words of a tree's boxes. */
#include "view/tree_words.h"

#include <math.h>
#include <string.h>

#include "view/changes.h"

enum { MOST_TOLD = 24, MOST_CHANGES = 12 };

static const nt_tree_node *last_of(const nt_tree *tree, int32_t box) {
    return &tree->nodes[tree->boxes[box].last];
}

static size_t n_tokens(const nt_tree *tree, int32_t box) {
    return tree->boxes[box].to - tree->boxes[box].from;
}

const char *nt_tree_class(nt_branch branch) {
    static const char *const names[] = {"first", "other", "ended", "kept", "pruned", "removed"};
    return names[branch];
}

const char *nt_tree_name(const nt_tree *tree, nt_branch branch) {
    static const char *const names[] = {"sequence 0", "other sequences", "ended",
                                        "kept",       "pruned",          "removed by a processor"};
    if (tree->trace->proof && branch == NT_BRANCH_KEPT) return "looked behind";
    return names[branch];
}

/* ---- Tokens and figures ---------------------------------------------------------------------- */

static void show_token(nt_strip *strip, const nt_token *token, uint8_t style) {
    if (token->n_bytes > 0) {
        nt_strip_show(strip, token->bytes, token->n_bytes, NT_SHOW_TOKEN, style);
        return;
    }
    nt_figure id = {"#"};
    strcat(id.s, nt_figure_plain(token->id).s);
    nt_strip_puts(strip, id.s, style);
}

bool nt_tree_tokens(nt_strip *strip, const nt_tree *tree, int32_t box, size_t columns,
                    uint8_t style) {
    size_t first = strip->n, width = 0, at;
    int32_t i = tree->boxes[box].node;
    for (size_t k = n_tokens(tree, box); k > 0; k--, i = tree->nodes[i].first) {
        at = strip->n;
        show_token(strip, &tree->nodes[i].token->token, style);
        if (strip->status != NT_OK) return true;
        width += nt_strip_width(strip, at, strip->n - at);
        if (width > columns) break;
    }
    size_t n = strip->n - first;
    if (!nt_strip_cut(strip, &first, &n, columns, false)) return true;
    strip->n = first + n;
    nt_strip_puts(strip, strip->ascii ? "~" : "\xE2\x80\xA6", NT_STYLE_MARK);
    return false;
}

/* Whether processors did something to this token that is news of it alone. */
static bool is_changed(const nt_candidate *token) {
    for (size_t i = 0; i < token->n_changes; i++)
        if (!nt_view_everywhere(token->changes[i].option)) return true;
    return false;
}

void nt_tree_share(nt_buffer *out, const nt_tree *tree, int32_t box, bool ascii) {
    const nt_candidate *token = tree->nodes[tree->boxes[box].node].token;
    nt_figure raw = nt_figure_percent(token->prob);
    nt_figure processed = nt_figure_percent(token->processed_prob);
    if (n_tokens(tree, box) > 1) {
        nt_buffer_puts(out, nt_figure_count(n_tokens(tree, box)).s);
        nt_buffer_puts(out, " tokens");
        return;
    }
    nt_buffer_puts(out, raw.s);
    if (!is_changed(token) || strcmp(raw.s, processed.s) == 0 || nt_view_removed_by(token)) return;
    nt_buffer_puts(out, ascii ? " -> " : " \xE2\x86\x92 ");
    nt_buffer_puts(out, processed.s);
}

void nt_tree_sum(nt_buffer *out, const nt_tree *tree, int32_t box) {
    const nt_beam *beam = last_of(tree, box)->beam;
    if (beam) nt_buffer_puts(out, nt_figure_fixed(beam->sum, 2).s);
}

/* ---- Fates ----------------------------------------------------------------------------------- */

static void put_ordinal(nt_buffer *out, uint64_t n) {
    uint64_t ten = n % 100 / 10, one = n % 10;
    nt_buffer_puts(out, nt_figure_count(n).s);
    nt_buffer_puts(out, ten == 1 || one == 0 || one > 3 ? "th"
                        : one == 1                      ? "st"
                        : one == 2                      ? "nd"
                                                        : "rd");
}

/* A beam that nothing kept goes on from: the search went on without it. */
static bool is_dropped(const nt_tree *tree, const nt_tree_node *node) {
    return node->branch == NT_BRANCH_KEPT && !node->goes_on && node->beam && node->beam->row >= 0 &&
           !tree->trace->proof;
}

static const char removed_by[] = "removed by ";

void nt_tree_fate(nt_buffer *out, const nt_tree *tree, int32_t box) {
    const nt_tree_node *node = last_of(tree, box);
    const nt_beam *beam = node->beam;
    const char *removed = nt_view_removed_by(node->token);
    if (node->ends) {
        nt_buffer_puts(out, "sequence ");
        nt_buffer_puts(out, nt_figure_count((uint64_t)node->output).s);
    } else if (removed) {
        nt_buffer_puts(out, removed_by);
        nt_buffer_puts(out, removed);
    } else if (!beam) {
        nt_buffer_puts(out, "less likely");
    } else if (node->branch == NT_BRANCH_ENDED) {
        nt_buffer_puts(out, beam->fate == NT_FATE_BEATEN ? "ended, beaten" : "ended");
    } else if (node->branch == NT_BRANCH_KEPT) {
        if (is_dropped(tree, node)) nt_buffer_puts(out, "dropped");
    } else if (node->branch == NT_BRANCH_PRUNED && beam) {
        if (beam->fate == NT_FATE_UNPROVED) {
            nt_buffer_puts(out, "not looked at");
        } else if (tree->trace->proof) {
            nt_buffer_puts(out, "too unlikely");
        } else {
            put_ordinal(out, (uint64_t)(beam->place < 0 ? 0 : beam->place) + 1);
            if (beam->fate == NT_FATE_LATE) nt_buffer_puts(out, ", ended");
        }
    }
}

void nt_tree_end(nt_buffer *out, const nt_tree *tree, int32_t box) {
    const nt_tree_node *node = last_of(tree, box);
    const nt_beam *beam = node->beam;
    const char *reason = beam && beam->finish_reason ? beam->finish_reason : "";
    double score = beam ? beam->score : NAN;
    if (node->ends && !*reason && tree->trace->outputs[node->output].finish_reason)
        reason = tree->trace->outputs[node->output].finish_reason;
    if (node->ends && isnan(score)) score = tree->trace->outputs[node->output].score;
    nt_buffer_puts(out, reason);
    if (isnan(score) || (!*reason && !node->ends)) return;
    if (*reason) nt_buffer_puts(out, ", ");
    nt_buffer_puts(out, "score ");
    nt_buffer_puts(out, nt_figure_fixed(score, 3).s);
}

/* Why it was not gone on with: a sentence. */
static const char *reason_of(const nt_tree *tree, const nt_tree_node *node) {
    bool exact = tree->trace->proof != NULL;
    if (node->branch == NT_BRANCH_REMOVED || nt_view_removed_by(node->token)) return "";
    if (is_dropped(tree, node)) return "dropped: whatever continues it was pruned at the next step";
    if (node->branch == NT_BRANCH_KEPT)
        return exact && node->first < 0 && node->left == 0
                   ? "looked behind, and nothing there was likely enough"
                   : "";
    if (!node->beam)
        return exact ? "not likely enough to be looked at"
                     : "no candidate of its step: others were likelier";
    switch (node->beam->fate) {
    case NT_FATE_PRUNED:
        return exact ? "pruned: nothing behind it can be likelier than the outputs"
                     : "pruned: others of its step were likelier";
    case NT_FATE_LATE: return "it ended, too far down among the candidates of its step to be kept";
    case NT_FATE_BEATEN: return "it ended, and others that ended have a better score";
    case NT_FATE_UNPROVED: return "not looked at when the search ended";
    default:
        return node->branch == NT_BRANCH_ENDED ? "it ended, and fewer sequences were asked for"
                                               : "";
    }
}

/* ---- All of it ------------------------------------------------------------------------------- */

static void put_line(nt_buffer *out, const char *name, const char *value) {
    if (out->n > 0) nt_buffer_putc(out, '\n');
    nt_buffer_puts(out, name);
    nt_buffer_puts(out, value);
}

static void put_token(nt_buffer *out, const nt_token *token) {
    nt_strip strip = {0};
    show_token(&strip, token, 0);
    if (strip.status != NT_OK) out->status = strip.status;
    if (strip.bytes.n > 0) nt_buffer_put(out, strip.bytes.data, strip.bytes.n);
    nt_strip_free(&strip);
}

/* As few decimals as show that something changed. */
static void put_change(nt_buffer *out, const nt_change *change) {
    int decimals = 2;
    put_line(out, "  ", change->option);
    if (change->after == -INFINITY) {
        nt_buffer_puts(out, " removed it");
        return;
    }
    while (decimals < 6 && strcmp(nt_figure_fixed(change->before, decimals).s,
                                  nt_figure_fixed(change->after, decimals).s) == 0)
        decimals++;
    nt_buffer_puts(out, " ");
    nt_buffer_puts(out, nt_figure_fixed(change->before, decimals).s);
    nt_buffer_puts(out, " \xE2\x86\x92 ");
    nt_buffer_puts(out, nt_figure_fixed(change->after, decimals).s);
}

static void tell_token(nt_buffer *out, const nt_candidate *token) {
    put_line(out, "probability ", nt_figure_percent(token->prob).s);
    nt_buffer_puts(out, " (rank ");
    nt_buffer_puts(out, nt_figure_count((uint64_t)(token->rank > 0 ? token->rank : 0)).s);
    nt_buffer_puts(out, ", log-probability ");
    nt_buffer_puts(out, nt_figure_fixed(token->logprob, 3).s);
    nt_buffer_puts(out, ")");
    if (token->n_changes == 0) return;
    put_line(out, "after processing ", nt_figure_percent(token->processed_prob).s);
    for (size_t i = 0; i < token->n_changes && i < MOST_CHANGES; i++)
        put_change(out, &token->changes[i]);
}

static void tell_beam(nt_buffer *out, const nt_tree *tree, const nt_tree_node *node) {
    const nt_beam *beam = node->beam;
    if (!beam) return;
    put_line(out, "sum of log-probabilities ", nt_figure_fixed(beam->sum, 3).s);
    if (!isnan(beam->score)) put_line(out, "score ", nt_figure_fixed(beam->score, 4).s);
    if (!tree->trace->proof) {
        put_line(out, "", "");
        put_ordinal(out, (uint64_t)(beam->place < 0 ? 0 : beam->place) + 1);
        nt_buffer_puts(out, " among the candidates of its step");
        if (beam->slot >= 0) {
            nt_buffer_puts(out, ", kept as beam ");
            nt_buffer_puts(out, nt_figure_count((uint64_t)beam->slot).s);
        }
    }
}

/* The tokens of a run, a line each. */
static void tell_run(nt_buffer *out, const nt_tree *tree, int32_t box) {
    size_t n = n_tokens(tree, box);
    int32_t i = tree->boxes[box].node;
    for (size_t k = 0; k < n && k < MOST_TOLD; k++, i = tree->nodes[i].first) {
        const nt_tree_node *node = &tree->nodes[i];
        put_line(out, nt_figure_count(node->step).s, "  ");
        put_token(out, &node->token->token);
        nt_buffer_puts(out, "  ");
        nt_buffer_puts(out, nt_figure_percent(node->token->prob).s);
        if (!node->beam) continue;
        nt_buffer_puts(out, "  ");
        nt_buffer_puts(out, nt_figure_fixed(node->beam->sum, 2).s);
    }
    if (n > MOST_TOLD) {
        put_line(out, nt_figure_count(n - MOST_TOLD).s, " more");
    }
}

void nt_tree_tell(nt_buffer *out, const nt_tree *tree, int32_t box) {
    const nt_tree_node *node = last_of(tree, box);
    nt_buffer words = {0};
    if (n_tokens(tree, box) > 1) {
        put_line(&words, nt_figure_count(n_tokens(tree, box)).s, " tokens without a fork");
        tell_run(&words, tree, box);
    } else {
        put_token(&words, &node->token->token);
        if (node->token->token.n_bytes > 0) {
            nt_buffer_puts(&words, "  id ");
            nt_buffer_puts(&words, nt_figure_plain(node->token->token.id).s);
        }
        nt_buffer_puts(&words, ", step ");
        nt_buffer_puts(&words, nt_figure_count(node->step).s);
        tell_token(&words, node->token);
    }
    tell_beam(&words, tree, node);
    if (node->ends) {
        put_line(&words, "ends sequence ", nt_figure_count((uint64_t)node->output).s);
        if (node->beam && node->beam->finish_reason && *node->beam->finish_reason) {
            nt_buffer_puts(&words, ": ");
            nt_buffer_puts(&words, node->beam->finish_reason);
        }
    }
    const char *reason = reason_of(tree, node);
    if (*reason) put_line(&words, reason, "");
    if (tree->boxes[box].left > 0)
        put_line(&words, nt_figure_count(tree->boxes[box].left).s, " more hang from it, not shown");
    if (words.status != NT_OK) out->status = words.status;
    if (words.n > 0) nt_buffer_put(out, words.data, words.n);
    nt_buffer_free(&words);
}

void nt_tree_left(nt_buffer *out, const nt_tree *tree) {
    size_t pruned = 0;
    if (tree->left == 0) return;
    for (size_t b = 0; b < tree->n_beams; b++)
        pruned += tree->trace->beams[b].fate == NT_FATE_PRUNED ||
                  tree->trace->beams[b].fate == NT_FATE_LATE ||
                  tree->trace->beams[b].fate == NT_FATE_UNPROVED;
    nt_buffer_puts(out, nt_figure_count(tree->left).s);
    nt_buffer_puts(out, tree->left == pruned && tree->detail == NT_TREE_KEPT
                            ? " pruned more are not shown"
                            : " more of ");
    if (!(tree->left == pruned && tree->detail == NT_TREE_KEPT)) {
        nt_buffer_puts(out, nt_figure_count(tree->n_beams).s);
        nt_buffer_puts(out, " are not shown");
    }
    if (tree->left_outputs == 0) return;
    nt_buffer_puts(out, ", ");
    nt_buffer_puts(out, nt_figure_count(tree->left_outputs).s);
    nt_buffer_puts(out, tree->left_outputs == 1 ? " output among them" : " outputs among them");
}
