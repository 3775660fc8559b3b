/* The MLP's activation functions, by what they compute; a config's many names map onto these. */
#ifndef NT_BASE_ACTIVATION_H
#define NT_BASE_ACTIVATION_H

typedef enum nt_activation {
    NT_GELU_TANH,  /* 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) */
    NT_GELU_FAST,  /* 0.5 x (1 + tanh(0.7978845608 x (1 + 0.044715 x^2))) */
    NT_GELU_ERF,   /* 0.5 x (1 + erf(x / sqrt(2))) */
    NT_GELU_10,    /* GELU_ERF clipped to [-10, 10] */
    NT_GELU_QUICK, /* x sigmoid(1.702 x) */
    NT_RELU,
    NT_RELU2,      /* relu(x)^2 */
    NT_RELU6,      /* min(relu(x), 6) */
    NT_LEAKY_RELU, /* x < 0 ? 0.01 x : x */
    NT_SILU,       /* x sigmoid(x) */
    NT_MISH,       /* x tanh(ln(1 + e^x)) */
    NT_TANH,
    NT_SIGMOID,
    NT_HARDSWISH, /* x min(max(x + 3, 0), 6) / 6 */
    NT_LAPLACE,   /* 0.5 (1 + erf((x - 0.707107) / (0.282095 sqrt(2)))) */
    NT_IDENTITY,
    NT_SQRT_SOFTPLUS, /* sqrt(ln(1 + e^x)) */
    NT_N_ACTIVATIONS
} nt_activation;

#endif
