/* Numbers as text, the same in every locale: a host program may have called setlocale, and then
 * printf writes commas where JSON and CSV need points. */
#ifndef NT_VIEW_FIGURE_H
#define NT_VIEW_FIGURE_H

#include <stdint.h>

typedef struct nt_figure {
    char s[64];
} nt_figure;

/* 9 significant digits, enough to give a float32 back exactly; "nan", "inf", "-inf". */
nt_figure nt_figure_g9(double x);
/* All digits of a whole number below 2^53, else as nt_figure_g9. */
nt_figure nt_figure_plain(double x);
/* For people: decimals after the point and commas between thousands; powers of ten from 1e9 on;
 * "-" for NaN. */
nt_figure nt_figure_fixed(double x, int decimals);
nt_figure nt_figure_count(uint64_t n);
/* A count that is kept as a double: as nt_figure_count, or "-" for what is no count. */
nt_figure nt_figure_tally(double n);
/* "6.43 %"; "<0.01 %" and ">99.99 %" for what would round to nothing or to all. */
nt_figure nt_figure_percent(double p);
/* "474.7 MiB". */
nt_figure nt_figure_bytes(double n);

/* Turns whatever stands for the decimal point (one byte or more) into '.'. For tests. */
void nt_figure_repair(char *s);

#endif
