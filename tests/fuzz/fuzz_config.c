/* Fuzz entry of config.json: what is taken keeps every promise of the struct. */
#include <math.h>

#include "format/config.h"
#include "scratch.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void check_rope(const nt_config *config) {
    const nt_config_rope *rope = &config->rope;
    check(rope->n >= 0 && 2 * (int64_t)rope->n <= config->E);
    if (rope->n == 0) return;
    check(rope->width >= 1 && isfinite(rope->theta) && rope->theta > 0);
    check(rope->kind <= NT_ROPE_LLAMA3);
    if (rope->kind != NT_ROPE_DEFAULT) check(rope->factor >= 1 && isfinite(rope->factor));
    if (rope->kind == NT_ROPE_LLAMA3) check(rope->low > 0 && rope->high > rope->low);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    static nt_config config;
    int status = nt_config_parse(&config, (const char *)bytes, n, "fuzz");
    if (status != NT_OK) {
        check_message(status);
        return 0;
    }
    check(config.V >= 1 && config.T >= 1 && config.D >= 1 && config.H >= 1 && config.F >= 1);
    check(config.L >= 1 && config.L <= NT_MAX_L && config.D % config.H == 0);
    check(config.E >= 1 && config.G >= 1 && config.H % config.G == 0);
    check(config.n_eos <= NT_MAX_EOS && config.bos >= -1 && config.pad >= -1);
    check(config.eps >= 0 && isfinite(config.eps));
    check(config.activation < NT_N_ACTIVATIONS && config.activation_name[0]);
    check(memchr(config.architecture, 0, sizeof config.architecture) != NULL);
    check(config.window >= 0 && config.position_offset >= 0);
    for (int32_t i = 0; i < config.L; i++)
        check(!config.windowed[i] || config.window > 0);
    for (size_t i = 0; i < config.n_eos; i++)
        check(config.eos[i] >= 0);
    check_rope(&config);
    return 0;
}
