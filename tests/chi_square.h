/* For tests of draws: Pearson's chi-square of counts against what was expected, and the bounds that
 * it must stay between. Seeds are fixed, so a test passes always or never. */
#ifndef CHI_SQUARE_H
#define CHI_SQUARE_H

#include <math.h>
#include <stddef.h>

/* counts [n] against expected [n], all above 0. */
static inline double chi_square(const size_t *counts, const double *expected, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        double d = (double)counts[i] - expected[i];
        sum += d * d / expected[i];
    }
    return sum;
}

/* The quantile at z standard normal deviations (Wilson and Hilferty 1931). */
static inline double chi_square_quantile(size_t freedom, double z) {
    double f = 2.0 / (9 * (double)freedom), root = 1 - f + z * sqrt(f);
    return root > 0 ? (double)freedom * root * root * root : 0;
}

#define CHI_FAR 3.719 /* one in 10,000 on either side */

/* Neither too far from what was expected nor too near to be chance. */
static inline void check_chi_square(const size_t *counts, const double *expected, size_t n) {
    double got = chi_square(counts, expected, n);
    double low = chi_square_quantile(n - 1, -CHI_FAR), high = chi_square_quantile(n - 1, CHI_FAR);
    if (!(got > low && got < high))
        fail_msg("chi-square %.1f is not between %.1f and %.1f", got, low, high);
}

#endif
