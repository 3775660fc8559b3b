/* The constants of exp, tanh and erf in float32, shared by every kernel; docs/numbers.md gives the
 * sequence of operations and its error. Fitted by tools/polynomials.py. */
#ifndef NT_COMPUTE_CPU_POLYNOMIALS_H
#define NT_COMPUTE_CPU_POLYNOMIALS_H

/* exp: x = n ln 2 + r, exp(r) = 1 + r + r^2 p(r). Below NT_EXP_LOW the result is 0, above
 * NT_EXP_HIGH infinity. NT_ROUND leaves the nearest integer in the low bits of a float. */
#define NT_LOG2E 0x1.715476p+0f
#define NT_LN2_HIGH 0x1.62e400p-1f /* 15 bits: n * NT_LN2_HIGH is exact */
#define NT_LN2_LOW 0x1.7f7d1cp-20f
#define NT_ROUND 0x1.8p+23f
#define NT_EXP_LOW (-104.0f)
#define NT_EXP_HIGH 89.0f
#define NT_EXP_P0 0x1.fffffcp-2f
#define NT_EXP_P1 0x1.555492p-3f
#define NT_EXP_P2 0x1.5558c0p-5f
#define NT_EXP_P3 0x1.1239e0p-7f
#define NT_EXP_P4 0x1.6a3d7ap-10f

/* tanh: |x| < NT_TANH_SMALL: x + x x^2 p(x^2); else 1 - 2 / (exp(2 |x|) + 1). */
#define NT_TANH_SMALL 0.625f
#define NT_TANH_P0 (-0x1.555532p-2f)
#define NT_TANH_P1 0x1.1106fap-3f
#define NT_TANH_P2 (-0x1.b8367cp-5f)
#define NT_TANH_P3 0x1.51ffcep-6f
#define NT_TANH_P4 (-0x1.753152p-8f)

/* erf: |x| < NT_ERF_SMALL: x + x p(x^2); else 1 - exp(q(|x|)), from NT_ERF_ONE on 1. */
#define NT_ERF_SMALL 0.9f
#define NT_ERF_ONE 4.0f
#define NT_ERF_P0 0x1.06eba8p-3f
#define NT_ERF_P1 (-0x1.812740p-2f)
#define NT_ERF_P2 0x1.ce2d60p-4f
#define NT_ERF_P3 (-0x1.b80062p-6f)
#define NT_ERF_P4 0x1.543f2ap-8f
#define NT_ERF_P5 (-0x1.a583bcp-11f)
#define NT_ERF_P6 0x1.4d2864p-14f
#define NT_ERF_Q0 (-0x1.7437bcp-13f)
#define NT_ERF_Q1 (-0x1.20b432p+0f)
#define NT_ERF_Q2 (-0x1.462cb4p-1f)
#define NT_ERF_Q3 (-0x1.aa22fap-4f)
#define NT_ERF_Q4 0x1.6cfc94p-6f
#define NT_ERF_Q5 (-0x1.908060p-9f)
#define NT_ERF_Q6 0x1.9d837cp-13f

/* log(1 + u) for u in [0, 1]: d = 2 u / (2 + u), log(1 + u) = d + d d^2 p(d^2). */
#define NT_LOG_P0 0x1.555558p-4f
#define NT_LOG_P1 0x1.9996d8p-7f
#define NT_LOG_P2 0x1.25050ep-9f
#define NT_LOG_P3 0x1.b72c0ep-12f
#define NT_LOG_P4 0x1.f08934p-14f

/* Activations. */
#define NT_GELU_CUBIC 0.044715f
#define NT_GELU_TWICE (-1.59576912f) /* -2 sqrt(2 / pi) */
#define NT_QUICK (-1.702f)
#define NT_SQRT_HALF 0.707106781f
#define NT_LAPLACE_MEAN 0.707107f
#define NT_LAPLACE_SCALE 2.50662518f /* 1 / (0.282095 sqrt(2)) */
#define NT_LEAKY 0.01f
#define NT_SOFTPLUS_LINEAR 20.0f /* torch's softplus is the identity above it */

#endif
