/* Heat maps: classes, pieces, and the text on the terminal's own colours. */
#include "view/heat.h"

#include <math.h>
#include <string.h>
#include <utf8proc.h>

#include "base/math.h"
#include "base/utf8.h"

/* ---- Classes --------------------------------------------------------------------------------- */

static const double nats[] = {1, 2, 4, 8}, bits[] = {1.5, 3, 6, 12};
static const double nats_left[] = {1, 2, 4, 6}, bits_left[] = {1.5, 3, 6, 9};

nt_heat_scale nt_heat_scale_of(nt_heat heat, nt_measure in) {
    static const nt_heat_scale scales[][2] = {
        [NT_HEAT_PROBABILITY] = {{"probability",
                                  "",
                                  5,
                                  {"50 % and up", "10 to 50 %", "1 to 10 %", "0.1 to 1 %",
                                   "under 0.1 %"},
                                  {0, 1, 2, 3, 4}}},
        [NT_HEAT_RANK] =
            {{"rank", "", 4, {"top 10", "top 100", "top 1,000", "beyond"}, {0, 1, 2, 4}}},
        [NT_HEAT_SURPRISAL] = {{"surprisal",
                                "nats",
                                5,
                                {"under 1", "1 to 2", "2 to 4", "4 to 8", "8 and up"},
                                {0, 1, 2, 3, 4}},
                               {"surprisal",
                                "bits",
                                5,
                                {"under 1.5", "1.5 to 3", "3 to 6", "6 to 12", "12 and up"},
                                {0, 1, 2, 3, 4}}},
        [NT_HEAT_ENTROPY] = {{"entropy",
                              "nats",
                              5,
                              {"under 1", "1 to 2", "2 to 4", "4 to 6", "6 and up"},
                              {0, 1, 2, 3, 4}},
                             {"entropy",
                              "bits",
                              5,
                              {"under 1.5", "1.5 to 3", "3 to 6", "6 to 9", "9 and up"},
                              {0, 1, 2, 3, 4}}}};
    bool unit = heat == NT_HEAT_SURPRISAL || heat == NT_HEAT_ENTROPY;
    return scales[heat][unit && in.scale != 1];
}

/* How many of the bounds [n] x has reached. */
static int passed(double x, const double *bounds, int n) {
    int class = 0;
    while (class < n && x >= bounds[class])
        class ++;
    return class;
}

int nt_heat_class(nt_heat heat, nt_measure in, const nt_scored *s) {
    if (isnan(s->logprob)) return -1;
    bool nat = in.scale == 1;
    double p = nt_exp(s->logprob);
    switch (heat) {
    case NT_HEAT_PROBABILITY:
        return p >= 0.5 ? 0 : p >= 0.1 ? 1 : p >= 0.01 ? 2 : p >= 0.001 ? 3 : 4;
    case NT_HEAT_RANK:
        if (s->rank < 1) return -1;
        return s->rank <= 10 ? 0 : s->rank <= 100 ? 1 : s->rank <= 1000 ? 2 : 3;
    case NT_HEAT_SURPRISAL: return passed(nt_surprisal(in, s->logprob), nat ? nats : bits, 4);
    case NT_HEAT_ENTROPY:
        return isnan(s->entropy) ? -1
                                 : passed(in.scale * s->entropy, nat ? nats_left : bits_left, 4);
    default: return -1;
    }
}

/* ---- Pieces ---------------------------------------------------------------------------------- */

enum { MOST_TOKENS = 16 }; /* of one character: who writes longer ones sees them cut */

/* The character that begins at a byte of a token, wherever it ends. */
typedef struct reading {
    size_t token, at; /* where it begins */
    size_t length;
    size_t last;  /* the token of its last byte */
    int32_t code; /* below 0: none */
} reading;

static reading read_at(const nt_result *trace, size_t token, size_t at) {
    char bytes[4];
    size_t n = 0, end = 0, from = at;
    reading r = {.token = token, .at = at, .last = token, .code = -1, .length = 1};
    for (size_t i = token; i < trace->n_tokens && n < sizeof bytes; i++, from = 0) {
        const nt_token *t = &trace->tokens[i];
        if (t->n_bytes == 0) break;
        for (size_t k = from; k < t->n_bytes && n < sizeof bytes; k++)
            bytes[n++] = t->bytes[k];
    }
    int32_t code = -1;
    size_t length = n ? nt_utf8_next(&code, bytes, n) : 1;
    if (code < 0) return r;
    r.code = code;
    r.length = length;
    for (end = at + length; end > trace->tokens[r.last].n_bytes; r.last++)
        end -= trace->tokens[r.last].n_bytes;
    return r;
}

/* The place behind it. */
static void step_over(reading *r, const nt_result *trace) {
    size_t at = r->at + r->length;
    while (r->token < r->last)
        at -= trace->tokens[r->token++].n_bytes;
    if (at >= trace->tokens[r->token].n_bytes) {
        r->token++;
        at = 0;
    }
    r->at = at;
}

/* Tokens from `first` on that only together make whole characters. */
static size_t joined_tokens(const nt_result *trace, size_t first) {
    size_t end = first + 1;
    int32_t before = -1;
    utf8proc_int32_t state = 0;
    if (trace->tokens[first].n_bytes == 0) return 1;
    for (reading r = {.token = first}; r.token < trace->n_tokens; step_over(&r, trace)) {
        if (r.token - first >= MOST_TOKENS || trace->tokens[r.token].n_bytes == 0) break;
        r = read_at(trace, r.token, r.at);
        bool breaks =
            before < 0 || r.code < 0 || utf8proc_grapheme_break_stateful(before, r.code, &state);
        if (r.token >= end && breaks) break;
        if (r.last >= end) end = r.last + 1;
        before = r.code;
    }
    return end - first;
}

static nt_scored sum_of(const nt_result *trace, size_t first, size_t n) {
    nt_scored sum = trace->scored[first];
    for (size_t i = first + 1; i < first + n; i++) {
        sum.logprob += trace->scored[i].logprob;
        if (trace->scored[i].rank > sum.rank) sum.rank = trace->scored[i].rank;
        sum.counted &= trace->scored[i].counted;
    }
    return sum;
}

bool nt_heat_next(nt_heat_piece *piece, const nt_result *trace, bool words) {
    size_t first = piece->first + piece->n, w = piece->next_word, n;
    const nt_unit *word = NULL;
    if (!trace->scored || first >= trace->n_tokens) return false;
    if (!words) {
        n = joined_tokens(trace, first);
    } else if (w < trace->n_words && trace->words[w].first <= first) {
        word = &trace->words[w++];
        n = word->n_tokens;
    } else { /* in front of all words: BOS */
        n = (w < trace->n_words ? trace->words[w].first : trace->n_tokens) - first;
    }
    size_t left = trace->n_tokens - first;
    n = n == 0 ? 1 : n > left ? left : n;
    *piece = (nt_heat_piece){.first = first, .n = n, .word = word, .next_word = w};
    piece->scored = sum_of(trace, first, n);
    if (word) piece->scored.counted = word->counted;
    return true;
}

void nt_heat_bytes(nt_buffer *out, const nt_result *trace, const nt_heat_piece *piece) {
    for (size_t i = piece->first; i < piece->first + piece->n; i++) {
        const nt_token *token = &trace->tokens[i];
        if (token->n_bytes == 0) nt_buffer_printf(out, " #%d", (int)token->id);
        nt_buffer_put(out, token->bytes, token->n_bytes);
    }
}

nt_heat_counts nt_heat_count(const nt_result *trace, nt_measure in, bool words) {
    nt_heat_counts counts = {.n = 0};
    for (nt_heat_piece piece = {0}; nt_heat_next(&piece, trace, words);) {
        counts.joined += piece.n > 1;
        if (!piece.scored.counted) continue;
        counts.n++;
        for (nt_heat heat = NT_HEAT_PROBABILITY; heat <= NT_HEAT_ENTROPY; heat++) {
            int class = nt_heat_class(heat, in, &piece.scored);
            if (class >= 0) counts.of[heat][class]++;
        }
    }
    return counts;
}

/* ---- On the terminal ------------------------------------------------------------------------- */

/* Apart for every kind of eyes: by how light they are, and none of them green beside red. */
static uint8_t ground_of(int level) {
    static const uint8_t colors[NT_HEAT_LEVELS] = {0, NT_STYLE_CYAN, NT_STYLE_YELLOW,
                                                   NT_STYLE_MAGENTA, NT_STYLE_RED};
    return level > 0 ? colors[level] | NT_STYLE_GROUND : 0;
}

/* A class as a small figure, where there are no colours; nothing for the mildest. */
static void put_mark(nt_strip *line, int class) {
    static const char *const raised[] = {"", "\xC2\xB9", "\xC2\xB2", "\xC2\xB3", "\xE2\x81\xB4"};
    static const char *const ascii[] = {"", "^1", "^2", "^3", "^4"};
    nt_strip_puts(line, line->ascii ? ascii[class] : raised[class], NT_STYLE_DIM);
}

/* One piece on the line that is being put together; lines of the text end it. */
static void put_piece(nt_frame *frame, const char *bytes, size_t n, int class, uint8_t style) {
    nt_strip *line = &frame->line;
    bool color = frame->paint.color, marked = false;
    for (size_t i = 0, end; i < n; i = end) {
        size_t from = line->n;
        for (end = i; end < n && bytes[end] != '\n' && bytes[end] != '\r';)
            end++;
        nt_strip_show(line, bytes + i, end - i, NT_SHOW_TEXT, style);
        for (size_t g = from; line->status == NT_OK && g < line->n; g++)
            if (line->glyphs[g].width > 1) line->glyphs[g].style |= NT_STYLE_BREAK;
        if (end < n && bytes[end] == '\r') end++; /* of a line's end it says nothing */
        if (end == n || bytes[end] != '\n') continue;
        if (class > 0 && color) nt_strip_puts(line, line->ascii ? "\\n" : "\xE2\x86\xB5", style);
        if (class > 0 && !color && !marked) put_mark(line, class);
        marked = true;
        nt_frame_put(frame);
        nt_strip_clear(line);
        end++;
    }
    if (!color && class > 0 && !marked) put_mark(line, class);
}

static void put_legend(nt_frame *frame, nt_heat heat, bool words) {
    nt_heat_counts counts = nt_heat_count(frame->trace, frame->in, words);
    nt_heat_scale scale = nt_heat_scale_of(heat, frame->in);
    nt_strip *line = &frame->line;
    bool color = frame->paint.color;
    nt_strip_puts(line, scale.name, NT_STYLE_BOLD);
    if (scale.unit[0]) {
        nt_strip_puts(line, " in ", 0);
        nt_strip_puts(line, scale.unit, 0);
    }
    for (size_t c = 0; c < scale.n; c++) {
        uint8_t style = color ? ground_of(scale.levels[c]) : 0;
        nt_strip_puts(line, "  ", NT_STYLE_BREAK);
        if (!color) put_mark(line, (int)c);
        if (style || !color) nt_strip_puts(line, " ", style);
        nt_strip_puts(line, scale.labels[c], style);
        nt_strip_puts(line, style ? " " : "", style);
        nt_strip_puts(line, " ", 0);
        nt_strip_puts(line, nt_figure_count(counts.of[heat][c]).s, NT_STYLE_BOLD);
    }
    nt_frame_put(frame);
    nt_strip_clear(line);
    if (words || counts.joined == 0) return;
    nt_frame_figure(frame, "", nt_figure_count(counts.joined),
                    counts.joined == 1 ? " character of several tokens, shown as one"
                                       : " characters of several tokens, shown as one each",
                    NT_STYLE_DIM);
    nt_frame_line(frame);
}

void nt_heat_text(nt_frame *frame, nt_heat heat) {
    const nt_result *trace = frame->trace;
    bool words = !(nt_shown_by(trace) & NT_BY_TOKEN) && trace->n_words > 0;
    nt_heat_scale scale = nt_heat_scale_of(heat, frame->in);
    nt_buffer bytes = {0};
    for (nt_heat_piece piece = {0}; nt_heat_next(&piece, trace, words);) {
        bool counted = piece.scored.counted;
        int class = counted ? nt_heat_class(heat, frame->in, &piece.scored) : -1;
        nt_buffer_clear(&bytes);
        nt_heat_bytes(&bytes, trace, &piece);
        if (bytes.status != NT_OK) break;
        class = class > 0 ? class : 0;
        uint8_t style = frame->paint.color ? ground_of(scale.levels[class]) : 0;
        put_piece(frame, bytes.n > 0 ? bytes.data : "", bytes.n, class,
                  counted ? style : NT_STYLE_DIM);
    }
    if (bytes.status != NT_OK && frame->line.status == NT_OK) frame->line.status = bytes.status;
    nt_buffer_free(&bytes);
    nt_frame_line(frame);
    if (trace->n_tokens > 0) nt_frame_gap(frame);
    put_legend(frame, heat, words);
}
