/* Fuzz entry of config.json: what is taken keeps every promise of the struct. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "format/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    nt_config config;
    if (nt_config_parse(&config, (const char *)bytes, n, "fuzz") != NT_OK) {
        if (!*nt_error_message()) abort();
        return 0;
    }
    if (config.V < 1 || config.T < 1 || config.D < 1 || config.L < 1 || config.H < 1) abort();
    if (config.F < 1 || config.D % config.H != 0 || config.n_eos > NT_MAX_EOS) abort();
    if (!(config.eps >= 0) || !isfinite(config.eps)) abort();
    if (config.activation >= NT_N_ACTIVATIONS || !config.activation_name[0]) abort();
    for (size_t i = 0; i < config.n_eos; i++) {
        if (config.eos[i] < 0) abort();
    }
    return 0;
}
