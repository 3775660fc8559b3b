/* The fields of transformers' GenerationConfig that have no row in the table of options, and why.
 */
#include <string.h>

#include "decode/options/options.h"

static const nt_left_out left_out[] = {
    /* other ways to choose */
    {"penalty_alpha", NT_ASKS_ABOVE_0,
     "contrastive search, which transformers itself moved out to a community repository"},
    {"dola_layers", NT_ASKS_WHEN_THERE,
     "DoLa decoding, which transformers itself moved out to a community repository"},
    {"num_beam_groups", NT_ASKS_ABOVE_1,
     "group beam search, which transformers itself moved out to a community repository"},
    {"diversity_penalty", NT_ASKS_ABOVE_0,
     "a part of group beam search, which transformers itself moved out to a community repository"},
    {"constraints", NT_ASKS_WHEN_THERE,
     "constrained beam search, which transformers itself moved out to a community repository"},
    {"force_words_ids", NT_ASKS_WHEN_THERE,
     "constrained beam search, which transformers itself moved out to a community repository"},
    {"use_mtp", NT_ASKS_WHEN_TRUE,
     "drafts by heads of the model's own, which the models read here do not have"},
    {"speculation_type", NT_ASKS_WHEN_THERE,
     "a way to draft that needs a draft model made for it; use an assistant or "
     "prompt_lookup_num_tokens"},
    {"assistant_early_exit", NT_ASKS_WHEN_THERE,
     "drafts from a middle layer, for models that were trained to end early"},
    {"assistant_lookbehind", NT_ASKS_NEVER,
     "for assistants with a tokenizer of their own; here both share one vocabulary"},
    {"target_lookbehind", NT_ASKS_NEVER,
     "for assistants with a tokenizer of their own; here both share one vocabulary"},
    {"is_assistant", NT_ASKS_NEVER, "transformers' own mark on a model that drafts"},
    /* what becomes of the text */
    {"token_healing", NT_ASKS_WHEN_TRUE,
     "writes the prompt's last token anew, so the prompt would not stay as it was given"},
    {"watermarking_config", NT_ASKS_WHEN_THERE,
     "marks the text in secret, and what changes probabilities here is to be seen"},
    /* ids that a prompt is made with */
    {"bos_token_id", NT_ASKS_NEVER, "read with the model, which begins an empty prompt with it"},
    {"pad_token_id", NT_ASKS_NEVER, "nothing is padded: rows of a batch keep their own lengths"},
    {"decoder_start_token_id", NT_ASKS_NEVER, "for models with an encoder"},
    /* memory and speed, which change no result */
    {"use_cache", NT_ASKS_NEVER, "keys and values are always kept; that changes no result"},
    {"cache_implementation", NT_ASKS_NEVER, "there is one cache, in pages; that changes no result"},
    {"cache_config", NT_ASKS_NEVER, "there is one cache, in pages; that changes no result"},
    {"max_cache_len", NT_ASKS_NEVER, "the cache grows by pages as needed"},
    {"prefill_chunk_size", NT_ASKS_NEVER, "where a prompt is cut changes no result"},
    {"low_memory", NT_ASKS_NEVER, "beams share the pages of what they have in common anyway"},
    {"compile_config", NT_ASKS_NEVER, "nothing is compiled at run time"},
    {"disable_compile", NT_ASKS_NEVER, "nothing is compiled at run time"},
    {"continuous_batching_config", NT_ASKS_NEVER, "of a server, not of a generation"},
    /* what is given back */
    {"output_scores", NT_ASKS_NEVER, "every step is kept with its candidates; see choices"},
    {"output_logits", NT_ASKS_NEVER, "every step is kept with its candidates; see choices"},
    {"output_attentions", NT_ASKS_NEVER, "the command inspect has them"},
    {"output_hidden_states", NT_ASKS_NEVER, "the command inspect has them"},
    {"return_dict_in_generate", NT_ASKS_NEVER, "results always hold everything"},
    /* about the file */
    {"_from_model_config", NT_ASKS_NEVER, "a mark of the file, not an option"},
    {"transformers_version", NT_ASKS_NEVER, "a mark of the file, not an option"},
};

enum { N_LEFT_OUT = sizeof left_out / sizeof *left_out };

const nt_left_out *nt_left_out_at(size_t i) {
    return i < N_LEFT_OUT ? &left_out[i] : NULL;
}

const nt_left_out *nt_left_out_named(const char *name) {
    for (size_t i = 0; i < N_LEFT_OUT; i++)
        if (strcmp(left_out[i].name, name) == 0) return &left_out[i];
    return NULL;
}

const char *nt_option_file_name(const char *where) {
    const char *slash = strrchr(where, '/');
    return slash ? slash + 1 : where;
}

static bool asks(const json_t *value, nt_asks_when when) {
    switch (when) {
    case NT_ASKS_NEVER: return false;
    case NT_ASKS_WHEN_TRUE: return json_is_true(value);
    case NT_ASKS_ABOVE_0: return json_number_value(value) > 0;
    case NT_ASKS_ABOVE_1: return json_number_value(value) > 1;
    default:
        if (json_is_array(value)) return json_array_size(value) > 0;
        if (json_is_object(value)) return json_object_size(value) > 0;
        return value && !json_is_null(value) && !json_is_false(value);
    }
}

void nt_note_left_out(nt_buffer *note, const json_t *object, const char *where) {
    bool any = false;
    for (size_t i = 0; i < N_LEFT_OUT; i++) {
        if (!asks(json_object_get(object, left_out[i].name), left_out[i].when)) continue;
        if (any) {
            nt_buffer_puts(note, ", ");
        } else {
            if (note->n) nt_buffer_puts(note, "; ");
            nt_buffer_printf(note,
                             "%s asks for what is left out here: ", nt_option_file_name(where));
        }
        nt_buffer_printf(note, "%s (%s)", left_out[i].name, left_out[i].reason);
        any = true;
    }
}
