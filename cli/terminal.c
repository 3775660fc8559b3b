#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "cli.h"
#include "table.h"

/* An Escape alone is told from one that begins a sequence by what follows within so long; what has
 * begun as a sequence may take longer. Generous: over a slow line an arrow must not become Escape.
 */
enum { ESCAPE_MS = 500, SEQUENCE_MS = 2000, QUEUE = 256 };

/* The alternate screen, cursor keys as cursor keys, no wrapping at the edge, no cursor. */
static const char enter[] = "\033[?1049h\033[?1l\033[?7l\033[?25l\033[2J";
static const char leave[] = "\033[0m\033[?25h\033[?7h\033[?1049l";

static struct {
    int fd; /* -1: closed */
    struct termios before;
    volatile sig_atomic_t taken, resized;
    unsigned char queue[QUEUE]; /* bytes that were read while nobody asked */
    size_t n_queue;
    char **lines; /* [n_lines] as they stand on the screen */
    size_t n_lines, inverse;
} tty = {.fd = -1};

/* ---- Taking and giving back ------------------------------------------------------------------ */

/* Safe in a signal handler: nothing but system calls. */
static void give_back(void) {
    if (!tty.taken) return;
    tty.taken = 0;
    ssize_t written = write(tty.fd, leave, sizeof leave - 1);
    (void)written; /* there is nobody to tell */
    tcsetattr(tty.fd, TCSAFLUSH, &tty.before);
}

static void take(void) {
    struct termios raw = tty.before;
    raw.c_iflag &= (tcflag_t) ~(BRKINT | ICRNL | INLCR | IGNCR | INPCK | ISTRIP | IXON);
    raw.c_oflag &= (tcflag_t)~OPOST;
    raw.c_cflag |= CS8;
    raw.c_lflag &= (tcflag_t) ~(ECHO | ECHONL | ICANON | IEXTEN | ISIG);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    tcsetattr(tty.fd, TCSADRAIN, &raw); /* what was typed ahead counts */
    tty.taken = 1;
    ssize_t written = write(tty.fd, enter, sizeof enter - 1);
    (void)written; /* the first frame will fail, too */
}

/* A frame that knows of nothing on the screen draws all of it. */
void cli_terminal_forget(void) {
    for (size_t i = 0; i < tty.n_lines; i++)
        free(tty.lines[i]);
    free(tty.lines);
    tty.lines = NULL;
    tty.n_lines = 0;
    tty.inverse = SIZE_MAX;
}

static void on_end(int number) {
    give_back();
    signal(number, SIG_DFL);
    raise(number);
}

static void on_resize(int number) {
    (void)number;
    tty.resized = 1;
}

static void on_stop(int number);

static void catch (int number, void (*handler)(int)) {
    struct sigaction action = {.sa_handler = handler};
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

/* Gives the terminal back, stops, and takes it again when woken up. */
static void stop(void) {
    int was = errno, taken = tty.taken;
    sigset_t only, before;
    give_back();
    signal(SIGTSTP, SIG_DFL);
    sigemptyset(&only);
    sigaddset(&only, SIGTSTP);
    sigprocmask(SIG_UNBLOCK, &only, &before);
    raise(SIGTSTP); /* here the program sleeps */
    sigprocmask(SIG_SETMASK, &before, NULL);
    catch (SIGTSTP, on_stop);
    if (taken) take();
    tty.resized = 1;
    errno = was;
}

static void on_stop(int number) {
    (void)number;
    stop();
}

static const int ends[] = {SIGINT, SIGTERM, SIGHUP,  SIGQUIT, SIGSEGV, SIGBUS,
                           SIGFPE, SIGILL,  SIGABRT, SIGPIPE, SIGALRM, SIGXCPU};

bool cli_terminal_open(void) {
    const char *term = getenv("TERM");
    tty.fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (tty.fd < 0 || tcgetattr(tty.fd, &tty.before) != 0) {
        cli_error("there is no terminal to draw on: nextoken explore is for a person at a "
                  "terminal; nextoken next --json tells a program the same");
    } else if (!term || !*term || strcmp(term, "dumb") == 0) {
        cli_error("the terminal cannot be drawn on (TERM is %s): nextoken next shows one step, "
                  "nextoken steps several",
                  term && *term ? term : "not set");
    } else {
        for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
            catch (ends[i], on_end);
        catch (SIGWINCH, on_resize);
        catch (SIGTSTP, on_stop);
        tty.n_queue = 0;
        tty.inverse = SIZE_MAX;
        take();
        return true;
    }
    if (tty.fd >= 0) close(tty.fd);
    tty.fd = -1;
    return false;
}

void cli_terminal_close(void) {
    give_back();
    cli_terminal_forget();
    for (size_t i = 0; tty.fd >= 0 && i < sizeof ends / sizeof *ends; i++)
        signal(ends[i], SIG_DFL);
    if (tty.fd >= 0) {
        signal(SIGWINCH, SIG_DFL);
        signal(SIGTSTP, SIG_DFL);
        close(tty.fd);
    }
    tty.fd = -1;
}

void cli_terminal_sleep(void) {
    stop();
}

void cli_terminal_size(size_t *rows, size_t *columns) {
    struct winsize size = {0};
    if (ioctl(tty.fd, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0)
        size = (struct winsize){.ws_row = 24, .ws_col = 80};
    *rows = size.ws_row;
    *columns = size.ws_col;
}

/* ---- Keys ------------------------------------------------------------------------------------ */

enum { NOTHING = -1, RESIZED = -2, GONE = -3 };

/* The next byte, or why there is none within so many milliseconds (-1: for ever). */
static int next_byte(int ms) {
    if (tty.n_queue > 0) {
        int byte = tty.queue[0];
        memmove(tty.queue, tty.queue + 1, --tty.n_queue);
        return byte;
    }
    for (;;) {
        struct pollfd waits = {.fd = tty.fd, .events = POLLIN};
        unsigned char byte;
        if (tty.resized) return RESIZED;
        int ready = poll(&waits, 1, ms);
        if (ready < 0 && errno == EINTR) continue;
        if (ready == 0) return NOTHING;
        ssize_t n = ready > 0 ? read(tty.fd, &byte, 1) : -1;
        if (n == 1) return byte;
        if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        return GONE;
    }
}

/* The same, whatever happens to the screen meanwhile. */
static int rest_of(int ms) {
    int byte = next_byte(ms);
    if (byte != RESIZED) return byte;
    tty.resized = 0; /* told again behind the key */
    byte = next_byte(ms);
    tty.resized = 1;
    return byte;
}

/* By the last byte of ESC [ or ESC O, and the number before a tilde. */
static int named(int last, int number) {
    static const int tilde[] = {0,           CLI_KEY_HOME,    CLI_KEY_OTHER,     CLI_KEY_OTHER,
                                CLI_KEY_END, CLI_KEY_PAGE_UP, CLI_KEY_PAGE_DOWN, CLI_KEY_HOME,
                                CLI_KEY_END};
    switch (last) {
    case 'A': return CLI_KEY_UP;
    case 'B': return CLI_KEY_DOWN;
    case 'C': return CLI_KEY_RIGHT;
    case 'D': return CLI_KEY_LEFT;
    case 'H': return CLI_KEY_HOME;
    case 'F': return CLI_KEY_END;
    case 'M': return CLI_KEY_ENTER; /* of the number pad */
    case '~': return number >= 1 && number <= 8 ? tilde[number] : CLI_KEY_OTHER;
    default: return CLI_KEY_OTHER;
    }
}

/* Behind Escape. */
static int sequence(void) {
    int byte = rest_of(ESCAPE_MS), number = 0, digits = 0;
    if (byte < 0) return CLI_KEY_ESCAPE;
    if (byte == 'O') {
        byte = rest_of(SEQUENCE_MS);
        return byte < 0 ? CLI_KEY_OTHER : named(byte, 0);
    }
    if (byte != '[') return CLI_KEY_OTHER; /* Alt and a key */
    for (;;) {
        byte = rest_of(SEQUENCE_MS);
        if (byte < 0) return CLI_KEY_OTHER;
        if (byte >= 0x40 && byte <= 0x7E && !(byte == '[' && digits == 0)) break;
        if (byte < '0' || byte > '9') {
            digits = 4; /* modifiers follow: the number is whole */
        } else if (digits < 4) {
            number = number * 10 + byte - '0';
            digits++;
        }
    }
    return named(byte, number);
}

/* A character of several bytes; what is none is of no use. */
static int character(int first) {
    int more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : first >= 0xC2 ? 1 : -1;
    int code = first & (more == 3 ? 7 : more == 2 ? 15 : 31);
    if (more < 0 || first > 0xF4) return CLI_KEY_OTHER;
    for (; more > 0; more--) {
        int byte = rest_of(SEQUENCE_MS);
        if (byte < 0 || (byte & 0xC0) != 0x80) return CLI_KEY_OTHER;
        code = code << 6 | (byte & 0x3F);
    }
    return code < 0xA0 || code > 0x10FFFF ? CLI_KEY_OTHER : code;
}

int cli_terminal_key(void) {
    int byte = next_byte(-1);
    if (byte == RESIZED) {
        tty.resized = 0;
        cli_terminal_forget();
        return CLI_KEY_RESIZED;
    }
    if (byte < 0) return CLI_KEY_GONE;
    if (byte == 27) return sequence();
    if (byte == '\n') return CLI_KEY_ENTER;
    if (byte == 8) return CLI_KEY_BACKSPACE;
    return byte < 0x80 ? byte : character(byte);
}

/* Reads what waits into the queue. */
static void gather(void) {
    struct pollfd waits = {.fd = tty.fd, .events = POLLIN};
    while (tty.n_queue < QUEUE && poll(&waits, 1, 0) > 0 && (waits.revents & POLLIN)) {
        ssize_t n = read(tty.fd, tty.queue + tty.n_queue, QUEUE - tty.n_queue);
        if (n <= 0) return;
        tty.n_queue += (size_t)n;
    }
}

bool cli_terminal_waits(void) {
    if (tty.fd < 0) return false;
    gather();
    return tty.n_queue > 0;
}

bool cli_terminal_stopped(void) {
    if (!cli_terminal_waits()) return false;
    const unsigned char *ctrl_c = memchr(tty.queue, 3, tty.n_queue);
    if (!ctrl_c) return false;
    tty.n_queue -= (size_t)(ctrl_c - tty.queue) + 1; /* what was pressed before it is void, too */
    memmove(tty.queue, ctrl_c + 1, tty.n_queue);
    return true;
}

/* ---- Frames ---------------------------------------------------------------------------------- */

static bool write_all(const char *bytes, size_t n) {
    while (n > 0) {
        ssize_t k = write(tty.fd, bytes, n);
        if (k < 0 && errno == EINTR) continue;
        if (k < 0 && errno == EAGAIN) {
            struct pollfd waits = {.fd = tty.fd, .events = POLLOUT};
            poll(&waits, 1, 1000);
            continue;
        }
        if (k <= 0) return false;
        bytes += k;
        n -= (size_t)k;
    }
    return true;
}

static void go_to(cli_text *out, size_t row, size_t column) {
    char text[64];
    snprintf(text, sizeof text, "\033[%zu;%zuH", row + 1, column + 1);
    cli_text_puts(out, text);
}

/* With its ground turned over: every change of colour keeps that, and blanks to the edge have it.
 */
static void put_inverse(cli_text *out, const char *line, size_t columns) {
    cli_text_puts(out, "\033[0;7m");
    for (size_t i = 0; i < columns; i++)
        cli_text_puts(out, " ");
    cli_text_puts(out, "\r");
    for (const char *at = line; *at;) {
        const char *reset = strstr(at, "\033[0");
        size_t n = reset ? (size_t)(reset - at) : strlen(at);
        cli_text_put(out, at, n);
        if (reset) cli_text_puts(out, "\033[0;7");
        at += n + (reset ? 3 : 0);
    }
}

static bool stands(const cli_frame *frame, size_t i) {
    const char *new = frame->lines[i] ? frame->lines[i] : "";
    if (i >= tty.n_lines || (i == frame->inverse) != (i == tty.inverse)) return false;
    return strcmp(tty.lines[i] ? tty.lines[i] : "", new) == 0;
}

/* Remembers the frame as what stands on the screen. */
static bool keep(const cli_frame *frame) {
    cli_terminal_forget();
    tty.lines = calloc(frame->n + 1, sizeof *tty.lines);
    if (!tty.lines) return false;
    for (size_t i = 0; i < frame->n; i++) {
        tty.lines[i] = strdup(frame->lines[i] ? frame->lines[i] : "");
        if (!tty.lines[i]) return false;
        tty.n_lines = i + 1;
    }
    tty.inverse = frame->inverse;
    return true;
}

bool cli_terminal_draw(const cli_frame *frame) {
    cli_text out = {0};
    size_t rows, columns;
    cli_terminal_size(&rows, &columns);
    cli_text_puts(&out, "\033[?2026h\033[?25l"); /* shown at once where that is known */
    if (tty.n_lines != frame->n) {
        cli_terminal_forget();
        cli_text_puts(&out, "\033[0m\033[2J");
    }
    for (size_t i = 0; i < frame->n && i < rows; i++) {
        if (stands(frame, i)) continue;
        const char *line = frame->lines[i] ? frame->lines[i] : "";
        go_to(&out, i, 0);
        cli_text_puts(&out, "\033[0m\033[2K");
        if (i == frame->inverse)
            put_inverse(&out, line, columns);
        else
            cli_text_puts(&out, line);
        cli_text_puts(&out, "\033[0m");
    }
    if (frame->column != SIZE_MAX && frame->n > 0) {
        go_to(&out, frame->n - 1, frame->column);
        cli_text_puts(&out, "\033[?25h");
    }
    cli_text_puts(&out, "\033[?2026l");
    bool fine = !out.failed && write_all(out.bytes, out.n) && keep(frame);
    free(out.bytes);
    return fine;
}
