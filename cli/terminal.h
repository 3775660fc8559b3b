/* The terminal as a whole screen: raw keys in, frames out, and everything as it was on any way out.
 * Plain termios and ANSI escapes; it speaks to /dev/tty, so that stdin and stdout may be anything.
 * There is one terminal, and signals must find it: its state is the only one of the program that is
 * not handed around. */
#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

/* Keys that are no characters; Ctrl-A .. Ctrl-Z are 1 .. 26. */
enum {
    CLI_KEY_ENTER = 13,
    CLI_KEY_TAB = 9,
    CLI_KEY_ESCAPE = 27,
    CLI_KEY_BACKSPACE = 127,
    CLI_KEY_UP = 0x110000, /* behind the last character of Unicode */
    CLI_KEY_DOWN,
    CLI_KEY_LEFT,
    CLI_KEY_RIGHT,
    CLI_KEY_HOME,
    CLI_KEY_END,
    CLI_KEY_PAGE_UP,
    CLI_KEY_PAGE_DOWN,
    CLI_KEY_RESIZED, /* or back from sleep: draw anew */
    CLI_KEY_OTHER,   /* of no use here */
    CLI_KEY_GONE     /* the terminal hung up */
};

/* Takes the terminal over. False, after one line on stderr, where there is none that can be drawn
 * on. */
bool cli_terminal_open(void);
/* Gives it back as it was; may be called at any time, also twice. */
void cli_terminal_close(void);
void cli_terminal_size(size_t *rows, size_t *columns);

/* The next key; waits for it. Escape sequences may come in pieces, as over a slow line. */
int cli_terminal_key(void);
/* Whether Ctrl-C was pressed while nobody asked for keys; what was behind it is kept. */
bool cli_terminal_stopped(void);
/* Whether a key waits. */
bool cli_terminal_waits(void);
/* Ctrl-Z: gives the terminal back and sleeps until the shell wakes the program up. */
void cli_terminal_sleep(void);

/* Draws lines [n] from the top: those alone that are not there yet, in one write. A line holds
 * colours and fits the width; NULL: an empty one. inverse: the line whose ground is turned over;
 * SIZE_MAX: none. column: where the cursor stands on the last line; SIZE_MAX: it is hidden. */
typedef struct cli_frame {
    char **lines; /* [n] */
    size_t n, inverse, column;
} cli_frame;
/* False when memory ended. */
bool cli_terminal_draw(const cli_frame *frame);
/* The next frame draws every line anew. */
void cli_terminal_forget(void);

#endif
