/* Texts of strangers within messages. */
#include "cli.h"

size_t cli_printable(const unsigned char *text) {
    unsigned char c = text[0];
    if (c < 0x80) return c >= 0x20 && c != 0x7f;
    size_t n = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
    unsigned char low = c == 0xc2 || c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
    unsigned char high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
    if (c < 0xc2 || c > 0xf4 || text[1] < low || text[1] > high) return 0;
    for (size_t i = 2; i < n; i++) {
        if ((text[i] & 0xc0) != 0x80) return 0;
    }
    return n;
}

void cli_make_printable(char *text) {
    for (size_t i = 0; text[i];) {
        size_t n = cli_printable((const unsigned char *)text + i);
        if (n == 0) text[i] = '?';
        i += n ? n : 1;
    }
}
