/* Writing JSON, piece by piece: commas come by themselves. */
#ifndef NT_VIEW_JSON_PUT_H
#define NT_VIEW_JSON_PUT_H

#include "view/measure.h"
#include "view/view.h"

void nt_put_key(nt_buffer *out, const char *name);
void nt_put_open(nt_buffer *out, char bracket);
void nt_put_whole(nt_buffer *out, int64_t x);
void nt_put_count(nt_buffer *out, uint64_t x);
void nt_put_null(nt_buffer *out);
void nt_put_truth(nt_buffer *out, bool x);
/* null for what is not a finite number. A whole one below 2^53 keeps all its digits in _plain. */
void nt_put_number(nt_buffer *out, double x);
void nt_put_plain(nt_buffer *out, double x);
/* bytes that are no UTF-8 as U+FFFD. */
void nt_put_string(nt_buffer *out, const char *bytes, size_t n);
/* null for NULL. */
void nt_put_words(nt_buffer *out, const char *zero_ended);

/* A member: its name and its value. */
void nt_member_count(nt_buffer *out, const char *name, uint64_t x);
void nt_member_whole(nt_buffer *out, const char *name, int64_t x);
/* null below 0: there is none. */
void nt_member_id(nt_buffer *out, const char *name, int64_t x);
void nt_member_number(nt_buffer *out, const char *name, double x);
void nt_member_truth(nt_buffer *out, const char *name, bool x);
void nt_member_words(nt_buffer *out, const char *name, const char *zero_ended);

/* Member `name` with the string and, where that is not enough, member "bytes" with the bytes. */
void nt_put_text(nt_buffer *out, const char *name, const char *bytes, size_t n);
/* Members "id", "token" and, where needed, "bytes". */
void nt_put_token(nt_buffer *out, const nt_token *token);

/* Members of many tokens [n]: ids under a name; "tokens" and, where needed, "token_bytes";
 * "offsets". */
void nt_put_ids(nt_buffer *out, const char *name, const nt_token *tokens, size_t n);
void nt_put_tokens(nt_buffer *out, const nt_token *tokens, size_t n);
void nt_put_offsets(nt_buffer *out, const nt_token *tokens, size_t n);

/* Candidates [n] as objects; `processed`: with what processors made of them. */
void nt_put_candidates(nt_buffer *out, const char *name, const nt_candidate *list, size_t n,
                       bool processed);
/* Members "removed_by" (null where nothing did) and, where there are some, "changes". */
void nt_put_removed(nt_buffer *out, const nt_candidate *candidate);
/* Members "candidates" and, where there are some, "demoted" of a step, all that is known. */
void nt_put_choices(nt_buffer *out, const nt_trace_step *step);
/* Members "draw" and, of assisted decoding, "drafted" and "accepted". */
void nt_put_draw(nt_buffer *out, const nt_step *step, bool assisted);
/* Members "method" and "seed", null where nothing was drawn. */
void nt_put_method(nt_buffer *out, const nt_result *trace);

/* Members of scored tokens [n]: "logprobs" and "ranks". */
void nt_put_scored(nt_buffer *out, const nt_scored *scored, size_t n, nt_measure in);

/* The members of whole results, after the heading. */
void nt_json_next(nt_buffer *out, const nt_result *trace);
void nt_json_steps(nt_buffer *out, const nt_result *trace);
void nt_json_generate(nt_buffer *out, const nt_result *trace, bool with_trace);
void nt_json_explain(nt_buffer *out, const nt_result *trace);
void nt_json_compared(nt_buffer *out, const nt_result *trace);
void nt_json_counts(nt_buffer *out, const nt_result *trace);
void nt_json_score(nt_buffer *out, const nt_result *trace, nt_measure in);
/* Layers and attention, where they are kept; on a page without too many heads. */
void nt_json_inside(nt_buffer *out, const nt_result *trace, nt_measure in, bool on_page);
void nt_json_versus(nt_buffer *out, const nt_result *trace, nt_measure in);
void nt_json_continuations(nt_buffer *out, const nt_result *trace, nt_measure in);
void nt_json_perplexity(nt_buffer *out, const nt_result *trace, nt_measure in);
void nt_json_tensors(nt_buffer *out, const nt_result *trace);
void nt_json_diff(nt_buffer *out, const nt_result *trace);
void nt_json_bench(nt_buffer *out, const nt_result *trace);

#endif
