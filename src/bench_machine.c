/* What the system tells of the machine and of this process: /proc, where there is one. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "bench.h"

enum { MOST_BYTES = 16 << 20 };

/* The whole of a file of the system, zero-ended, for nt_free; NULL: there is none. */
static char *read_system(const char *path) {
    FILE *file = fopen(path, "re");
    char *text = NULL;
    size_t n = 0, capacity = 0;
    while (file && n < MOST_BYTES && nt_grow((void **)&text, &capacity, n + 4096, 1) == NT_OK) {
        size_t more = fread(text + n, 1, 4095, file);
        n += more;
        text[n] = 0;
        if (more == 0) break;
    }
    if (file) fclose(file);
    return text;
}

/* The number behind a name at the beginning of a line, in bytes where it counts kB; NaN: there is
 * none. */
static double number_of(const char *text, const char *name) {
    for (const char *at = text; at && *at; at = strchr(at, '\n')) {
        at += *at == '\n';
        if (strncmp(at, name, strlen(name)) == 0) return 1024.0 * strtod(at + strlen(name), NULL);
    }
    return NAN;
}

static double seconds_of(struct timeval t) {
    return (double)t.tv_sec + 1e-6 * (double)t.tv_usec;
}

static double own_seconds(void) {
    struct rusage self, children;
    getrusage(RUSAGE_SELF, &self);
    getrusage(RUSAGE_CHILDREN, &children);
    return seconds_of(self.ru_utime) + seconds_of(self.ru_stime) + seconds_of(children.ru_utime) +
           seconds_of(children.ru_stime);
}

nt_bench_clock nt_bench_now(void) {
    nt_bench_clock now = {.seconds = nt_clock(), .busy = NAN, .stolen = NAN, .total = NAN};
    char *text = read_system("/proc/stat");
    uint64_t t[8]; /* user, nice, system, idle, iowait, irq, softirq, steal */
    if (text && sscanf(text,
                       "cpu %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
                       " %" SCNu64 " %" SCNu64,
                       &t[0], &t[1], &t[2], &t[3], &t[4], &t[5], &t[6], &t[7]) == 8) {
        double tick = 1.0 / (double)sysconf(_SC_CLK_TCK);
        now.busy = tick * (double)(t[0] + t[1] + t[2] + t[5] + t[6]);
        now.stolen = tick * (double)t[7];
        now.total = now.busy + now.stolen + tick * (double)(t[3] + t[4]);
    }
    nt_free(text);
    now.own = own_seconds();
    return now;
}

void nt_bench_memory(nt_bench_memory_use *out) {
    char *text = read_system("/proc/self/status");
    out->own = number_of(text, "RssAnon:");
    out->mapped = number_of(text, "RssFile:");
    out->peak = number_of(text, "VmHWM:");
    out->told = isfinite(out->own) && isfinite(out->mapped) && isfinite(out->peak);
    nt_free(text);
}

double nt_bench_available(void) {
    char *text = read_system("/proc/meminfo");
    double n = number_of(text, "MemAvailable:");
    nt_free(text);
    return isfinite(n) ? n : 0;
}

/* smaps has for each mapping a line "7f00-7f20 rw-p ..", and below it what it is made of. */
bool nt_bench_is_huge(const void *memory, size_t n) {
    uint64_t first = (uintptr_t)memory, behind = first + n, from, to;
    char *text = read_system("/proc/self/smaps");
    double huge = 0;
    bool inside = false;
    for (const char *at = text; at && *at; at = strchr(at, '\n')) {
        at += *at == '\n';
        if (sscanf(at, "%" SCNx64 "-%" SCNx64 " ", &from, &to) == 2)
            inside = from < behind && to > first;
        else if (inside && strncmp(at, "AnonHugePages:", 14) == 0)
            huge += 1024.0 * strtod(at + 14, NULL);
    }
    nt_free(text);
    return huge >= 0.9 * (double)n;
}

int32_t nt_bench_processor(char *room, size_t n) {
    char *text = read_system("/proc/cpuinfo");
    const char *line = text ? strstr(text, "model name") : NULL;
    const char *name = line ? strchr(line, ':') : NULL;
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    room[0] = 0;
    if (name) {
        name += 1 + strspn(name + 1, " \t");
        size_t length = strcspn(name, "\n");
        snprintf(room, n, "%.*s", (int)(length < n ? length : n - 1), name);
    }
    nt_free(text);
    return count > 0 ? (int32_t)count : 1;
}
