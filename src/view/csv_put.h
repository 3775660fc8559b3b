/* Writing CSV (RFC 4180, but lines end in \n) and TSV (the same with tabs), field by field. Strings
 * are UTF-8: a byte that is none, and NUL, which CSV readers stop at, are U+FFFD; the id beside
 * tells the token. A number that is not there is an empty field. */
#ifndef NT_VIEW_CSV_PUT_H
#define NT_VIEW_CSV_PUT_H

#include "view/measure.h"
#include "view/view.h"

typedef struct nt_csv {
    nt_buffer *out;
    const nt_result *trace;
    nt_measure in;
    char separator;
    const char *prefix; /* of every row, ready to be written */
    size_t fields;      /* that the row has so far */
} nt_csv;

/* A row of fields. */
void nt_csv_begin(nt_csv *to);
void nt_csv_end(nt_csv *to);
/* Plain words that need no quotes; "" is an empty field. */
void nt_csv_word(nt_csv *to, const char *plain);
void nt_csv_whole(nt_csv *to, int64_t x);
void nt_csv_count(nt_csv *to, uint64_t x);
void nt_csv_number(nt_csv *to, double x);
/* All digits of a whole number below 2^53. */
void nt_csv_plain(nt_csv *to, double x);
void nt_csv_truth(nt_csv *to, bool x);
/* In quotes; empty quotes for NULL. */
void nt_csv_string(nt_csv *to, const char *bytes, size_t n);
void nt_csv_words(nt_csv *to, const char *zero_ended);
/* The id and the bytes of a token. */
void nt_csv_token(nt_csv *to, const nt_token *token);

/* The columns of a table, with commas between their names, and its rows. */
typedef struct nt_csv_table {
    const char *columns;
    void (*rows)(nt_csv *to);
} nt_csv_table;

/* A score is told by the finest unit that was asked for. */
nt_csv_table nt_csv_score(const nt_result *trace);
nt_csv_table nt_csv_continuations(void);
nt_csv_table nt_csv_perplexity(void);
nt_csv_table nt_csv_tensors(void);
nt_csv_table nt_csv_diff(void);
nt_csv_table nt_csv_versus(void);
nt_csv_table nt_csv_bench(void);
/* Layers, or where there are none attention. */
nt_csv_table nt_csv_inside(const nt_result *trace);

#endif
