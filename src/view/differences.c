/* What is told of tensors, and of two that are compared. */
#include "view/differences.h"

#include <stddef.h>

const char *nt_difference_name(nt_difference difference) {
    static const char *const names[] = {"identical", "equal",  "changed", "shape",
                                        "unread",    "only_a", "only_b"};
    return (unsigned)difference < sizeof names / sizeof *names ? names[difference] : NULL;
}

bool nt_difference_counted(nt_difference difference) {
    return difference <= NT_DIFF_CHANGED;
}

#define COUNT(type, name, field)                                                                   \
    { name, offsetof(type, field), true }
#define NUMBER(type, field)                                                                        \
    { #field, offsetof(type, field), false }

const nt_tensor_figure nt_info_figures[] = {
    NUMBER(nt_tensor_info, min),
    NUMBER(nt_tensor_info, max),
    NUMBER(nt_tensor_info, mean),
    NUMBER(nt_tensor_info, std),
    NUMBER(nt_tensor_info, rms),
    NUMBER(nt_tensor_info, norm),
    COUNT(nt_tensor_info, "zeros", n_zeros),
    COUNT(nt_tensor_info, "nan", n_nan),
    COUNT(nt_tensor_info, "inf", n_inf),
    {NULL, 0, false},
};

const nt_tensor_figure nt_diff_figures[] = {
    COUNT(nt_tensor_diff, "compared", n_compared),
    COUNT(nt_tensor_diff, "changed", n_changed),
    COUNT(nt_tensor_diff, "not_finite", n_not_finite),
    NUMBER(nt_tensor_diff, max_abs),
    NUMBER(nt_tensor_diff, rms),
    NUMBER(nt_tensor_diff, relative),
    NUMBER(nt_tensor_diff, cosine),
    {NULL, 0, false},
};
