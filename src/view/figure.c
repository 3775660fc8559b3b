/* Numbers as text, the same in every locale. */
#include "view/figure.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool number_byte(char c) {
    return (c >= '0' && c <= '9') || (c && strchr("+-einfa", c) != NULL);
}

void nt_figure_repair(char *s) {
    char *to = s;
    for (const char *from = s; *from;) {
        if (number_byte(*from)) {
            *to++ = *from++;
            continue;
        }
        *to++ = '.';
        while (*from && !number_byte(*from))
            from++;
    }
    *to = 0;
}

static nt_figure not_finite(double x) {
    nt_figure f = {"nan"};
    if (!isnan(x)) strcpy(f.s, x > 0 ? "inf" : "-inf");
    return f;
}

nt_figure nt_figure_g9(double x) {
    if (!isfinite(x)) return not_finite(x);
    nt_figure f;
    snprintf(f.s, sizeof f.s, "%.9g", x);
    nt_figure_repair(f.s);
    return f;
}

nt_figure nt_figure_plain(double x) {
    if (!(fabs(x) < 9007199254740992.0) || x != floor(x)) return nt_figure_g9(x);
    nt_figure f;
    snprintf(f.s, sizeof f.s, "%" PRId64, (int64_t)x);
    return f;
}

/* Commas into the whole part of a repaired number. */
static nt_figure grouped(const char *s) {
    nt_figure f;
    size_t n = 0, digits = strspn(s + (*s == '-'), "0123456789");
    if (*s == '-') f.s[n++] = *s++;
    while (digits > 0 && n + 2 < sizeof f.s) {
        f.s[n++] = *s++;
        if (--digits > 0 && digits % 3 == 0) f.s[n++] = ',';
    }
    while (*s && n + 1 < sizeof f.s)
        f.s[n++] = *s++;
    f.s[n] = 0;
    return f;
}

nt_figure nt_figure_fixed(double x, int decimals) {
    if (isnan(x)) return (nt_figure){"-"};
    if (isinf(x)) return not_finite(x);
    nt_figure f;
    if (fabs(x) >= 1e9) {
        snprintf(f.s, sizeof f.s, "%.*e", decimals, x);
        nt_figure_repair(f.s);
        return f;
    }
    snprintf(f.s, sizeof f.s, "%.*f", decimals, x);
    nt_figure_repair(f.s);
    if (strspn(f.s, "-0.") == strlen(f.s) && f.s[0] == '-') memmove(f.s, f.s + 1, strlen(f.s));
    return grouped(f.s);
}

nt_figure nt_figure_count(uint64_t n) {
    char s[32];
    snprintf(s, sizeof s, "%" PRIu64, n);
    return grouped(s);
}

nt_figure nt_figure_tally(double n) {
    bool count = n >= 0 && n < 9007199254740992.0;
    return count ? nt_figure_count((uint64_t)n) : (nt_figure){"-"};
}

nt_figure nt_figure_percent(double p) {
    if (isnan(p)) return (nt_figure){"-"};
    if (p > 0 && p < 0.00005) return (nt_figure){"<0.01 %"};
    if (p < 1 && p >= 0.99995) return (nt_figure){">99.99 %"};
    nt_figure f = nt_figure_fixed(100 * p, 2);
    strcat(f.s, " %");
    return f;
}

nt_figure nt_figure_bytes(double n) {
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB"};
    size_t u = 0;
    while (n >= 1024 && u + 1 < sizeof units / sizeof *units) {
        n /= 1024;
        u++;
    }
    nt_figure f = nt_figure_fixed(n, u ? 1 : 0);
    strcat(f.s, " ");
    strcat(f.s, units[u]);
    return f;
}
