/* A clock for durations. */
#ifndef NT_BASE_CLOCK_H
#define NT_BASE_CLOCK_H

/* Seconds since some moment in the past; never goes back. */
double nt_clock(void);

#endif
