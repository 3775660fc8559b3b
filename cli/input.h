/* Bytes of a file or a pipe as they come: a window that grows and slides, and the question whether
 * reading on would have to wait. */
#ifndef CLI_INPUT_H
#define CLI_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct cli_input {
    int fd;
    char *bytes; /* [begin, end) is read and not taken yet */
    size_t room, begin, end;
    uint64_t offset; /* of bytes[begin] in the file */
    uint64_t size;   /* of the file; 0: unknown */
    bool ended;
} cli_input;

/* name: a path, or "-". False, with one line said, when it cannot be opened. */
bool cli_input_open(cli_input *in, const char *name);
void cli_input_close(cli_input *in);
/* Reads more. 1: there is more than before; 0: the file has ended; -1: errno tells. */
int cli_input_more(cli_input *in);
/* Whether cli_input_more would have to wait for the other end of a pipe. */
bool cli_input_would_wait(const cli_input *in);
void cli_input_take(cli_input *in, size_t n);

/* The whole of it, zero-ended, for free(); NULL with one line said. */
char *cli_read_whole(const char *name, size_t *n);

#endif
