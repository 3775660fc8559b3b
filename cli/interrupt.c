/* Ctrl-C: the first asks the run to stop, so that nothing is lost; the second does not ask. */
#include <signal.h>

#include "cli.h"

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal_number) {
    (void)signal_number;
    interrupted = 1;
}

void cli_catch_interrupt(void) {
    struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow: the write fails and says so */
}

bool cli_interrupted(void) {
    return interrupted != 0;
}

void cli_die_interrupted(void) {
    signal(SIGINT, SIG_DFL);
    raise(SIGINT);
}
