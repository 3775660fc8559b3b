/* Heat: what the heat maps of a scored text have in common, in the terminal and on pages: the
 * classes of each measure, and the pieces that a text is drawn in. */
#ifndef NT_VIEW_HEAT_H
#define NT_VIEW_HEAT_H

#include "view/frame.h"

enum { NT_HEAT_MEASURES = 4, NT_HEAT_CLASSES = 5, NT_HEAT_LEVELS = 5 };

/* The classes of a measure, from what was expected to what was not. */
typedef struct nt_heat_scale {
    const char *name; /* "surprisal" */
    const char *unit; /* "nats"; "": none */
    size_t n;         /* classes */
    const char *labels[NT_HEAT_CLASSES];
    int levels[NT_HEAT_CLASSES]; /* how hot each is drawn, below NT_HEAT_LEVELS */
} nt_heat_scale;

nt_heat_scale nt_heat_scale_of(nt_heat heat, nt_measure in);

/* A piece of the text: a word, or a token; tokens that only together make a character (as a reader
 * counts them) are one piece. Of several tokens the log-probabilities add up, the rank is the
 * largest, and the entropy that of the first. */
typedef struct nt_heat_piece {
    size_t first, n;  /* tokens */
    nt_scored scored; /* counted: all of them are */
    const nt_unit *word;
    size_t next_word; /* index of the first word behind it */
} nt_heat_piece;

/* The piece behind *piece (all zero: the first); false when there is none. */
bool nt_heat_next(nt_heat_piece *piece, const nt_result *trace, bool words);
/* The class of a piece; -1: it has none. */
int nt_heat_class(nt_heat heat, nt_measure in, const nt_scored *scored);
/* Its bytes; of tokens without any, their ids. */
void nt_heat_bytes(nt_buffer *out, const nt_result *trace, const nt_heat_piece *piece);

/* Pieces that count, of each class. */
typedef struct nt_heat_counts {
    size_t of[NT_HEAT_MEASURES + 1][NT_HEAT_CLASSES]; /* by nt_heat */
    size_t n;
    size_t joined; /* pieces of several tokens */
} nt_heat_counts;
nt_heat_counts nt_heat_count(const nt_result *trace, nt_measure in, bool words);

/* The text on coloured grounds, and what the colours mean; without colours, with the classes as
 * small figures behind what they are of. */
void nt_heat_text(nt_frame *frame, nt_heat heat);

#endif
