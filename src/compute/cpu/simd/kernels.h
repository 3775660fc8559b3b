/* All kernels of one instruction set. Included by a kernels file after it has defined what one
 * register can do, the number of registers in a vector of sixteen lanes (PARTS), the sizes of the
 * register tiles, and INLINE. */
#include "compute/cpu/simd/vec.h"

#include "compute/cpu/simd/activation.h"
#include "compute/cpu/simd/attention.h"
#include "compute/cpu/simd/stream.h"

#include "compute/cpu/simd/ahead.h"

#include "compute/cpu/simd/dot_packed.h"
#include "compute/cpu/simd/matmul_packed.h"

#include "compute/cpu/simd/matmul_in_out.h"
#include "compute/cpu/simd/matmul_out_in.h"
#include "compute/cpu/simd/norm.h"
#include "compute/cpu/simd/rotate.h"
#include "compute/cpu/simd/round.h"

static void matmul(const nt_product *product, size_t begin, size_t end, float *scratch) {
    if (product->w->layout == NT_IN_OUT)
        matmul_in_out(product, begin, end, scratch);
    else
        matmul_out_in(product, begin, end, scratch);
}

/* The initializer of an nt_kernels, which may go on. */
#define KERNELS(name, ...)                                                                         \
    {                                                                                              \
        .isa = name, .matmul = matmul, .layer_norm = layer_norm, .rms_norm = rms_norm,             \
        .rotate = rotate, .attend = attend, .activate = activate, .add = add,                      \
        .multiply = multiply_all, .round = round_all, .exp = exp_all, .erf = erf_all, __VA_ARGS__  \
    }
