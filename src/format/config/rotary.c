/* Rotary positions: rope_parameters of transformers 5, and what older files say in its place. */
#include "format/config/fields.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* The dictionary that counts: rope_scaling where it holds something, else rope_parameters. */
static int find_parameters(nt_config_source *out, nt_config_source in) {
    static const char *const names[] = {"rope_scaling", "rope_parameters"};
    *out = (nt_config_source){NULL, in.where};
    for (size_t i = 0; i < 2; i++) {
        const json_t *found = json_object_get(in.json, names[i]);
        if (!found || json_is_null(found)) continue;
        if (!json_is_object(found)) {
            return nt_fail(NT_E_FORMAT, "%.400s: \"%s\" must be an object", in.where, names[i]);
        }
        if (json_object_size(found) == 0) continue;
        out->json = found;
        break;
    }
    if (json_object_get(out->json, "full_attention") ||
        json_object_get(out->json, "sliding_attention")) {
        return nt_fail(NT_E_UNSUPPORTED,
                       "%.400s: rope_parameters by kind of layer are not supported", in.where);
    }
    return NT_OK;
}

/* A number of the dictionary that must lie in [least, most]. */
static int read_number(double *out, nt_config_source in, const char *key, double least,
                       double most) {
    NT_TRY(nt_json_real(out, in.json, key, in.where));
    if (*out >= least && *out <= most) return NT_OK;
    return nt_fail(NT_E_FORMAT, "%.400s: rotary positions: \"%s\" %s %g; it must lie in %g .. %g",
                   in.where, key, json_object_get(in.json, key) ? "is" : "is missing:", *out, least,
                   most);
}

static int read_kind(nt_config_rope *out, nt_config_source dictionary) {
    const char *kind = "default";
    NT_TRY(nt_json_string(&kind, dictionary.json, "type", dictionary.where));
    NT_TRY(nt_json_string(&kind, dictionary.json, "rope_type", dictionary.where));
    static const char *const names[] = {"default", "linear", "llama3"};
    for (int i = 0; i < 3; i++) {
        if (strcmp(kind, names[i]) != 0) continue;
        out->kind = (nt_rope)i;
        return NT_OK;
    }
    return nt_fail(NT_E_UNSUPPORTED,
                   "%.400s: rope_type \"%.100s\" is not supported; this version knows default, "
                   "linear and llama3",
                   dictionary.where, kind);
}

/* What the kinds other than the default one need. */
static int read_scaling(nt_config *out, nt_config_source in, nt_config_source dictionary) {
    nt_config_rope *rope = &out->rope;
    if (rope->kind == NT_ROPE_DEFAULT) return NT_OK;
    NT_TRY(read_number(&rope->factor, dictionary, "factor", 1, 1e6));
    if (rope->kind != NT_ROPE_LLAMA3) return NT_OK;
    NT_TRY(read_number(&rope->low, dictionary, "low_freq_factor", 1e-6, 1e6));
    NT_TRY(read_number(&rope->high, dictionary, "high_freq_factor", 1e-6, 1e6));
    if (rope->high <= rope->low) {
        return nt_fail(NT_E_FORMAT,
                       "%.400s: rotary positions: high_freq_factor %g must be above "
                       "low_freq_factor %g",
                       in.where, rope->high, rope->low);
    }
    rope->original = out->T;
    const char *key = "original_max_position_embeddings";
    bool outside = json_object_get(in.json, key) != NULL; /* it wins, as in transformers */
    if (outside || json_object_get(dictionary.json, key))
        NT_TRY(read_number(&rope->original, outside ? in : dictionary, key, 1, 1e9));
    return NT_OK;
}

/* The share of each head that is turned. */
static int read_pairs(nt_config *out, nt_config_source in, nt_config_source dictionary,
                      const nt_rotary_keys *keys) {
    static const char key[] = "partial_rotary_factor";
    double share = keys->partial_standard;
    bool inside = json_object_get(dictionary.json, key) != NULL;
    if (!inside && keys->partial) NT_TRY(nt_json_real(&share, in.json, keys->partial, in.where));
    if (!inside && !keys->partial) NT_TRY(nt_json_real(&share, in.json, key, in.where));
    if (inside) NT_TRY(nt_json_real(&share, dictionary.json, key, in.where));
    if (!keys->partial && share != 1) {
        return nt_fail(NT_E_UNSUPPORTED, "%.400s: %s %g is not supported for model_type %s",
                       in.where, key, share, out->type);
    }
    int32_t turned = share >= 0 && share <= 1 ? (int32_t)(out->E * share) : 0;
    int32_t pairs = (turned + 1) / 2; /* of 3 numbers transformers turns 4, too */
    if (pairs < 1 || 2 * pairs > out->E) {
        return nt_fail(NT_E_FORMAT,
                       "%.400s: rotary positions: %g of a head of %" PRId32
                       " numbers; they are turned in pairs, and one at least",
                       in.where, share, out->E);
    }
    out->rope.n = pairs;
    out->rope.width = turned;
    return NT_OK;
}

int nt_config_rotary(nt_config *out, nt_config_source in, const nt_rotary_keys *keys) {
    nt_config_source dictionary;
    NT_TRY(find_parameters(&dictionary, in));
    NT_TRY(read_kind(&out->rope, dictionary));
    bool inside = json_object_get(dictionary.json, "rope_theta") != NULL;
    out->rope.theta = 10000;
    NT_TRY(read_number(&out->rope.theta, inside ? dictionary : in,
                       inside ? "rope_theta" : keys->theta, 1, 1e30));
    NT_TRY(read_scaling(out, in, dictionary));
    return read_pairs(out, in, dictionary, keys);
}
