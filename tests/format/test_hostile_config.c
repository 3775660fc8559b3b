/* config.json made to harm: every key of every family with a value of the wrong kind, numbers out
 * of any range, JSON that nests without end, lists that lie about the layers. Each is refused by
 * name, in one line, and leaves nothing behind in the struct. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "folder.h"
#include "format/config.h"

static nt_config config;

static int parse(const char *text, size_t n) {
    char *exact = malloc(n ? n : 1);
    assert_non_null(exact);
    memcpy(exact, text, n);
    config.V = 1;
    int status = nt_config_parse(&config, exact, n, "config.json");
    free(exact);
    if (status != NT_OK) {
        assert_int_equal(config.V, 0);
        assert_null(strchr(nt_error_message(), '\n'));
    }
    return status;
}

static void expect(const char *text, int status, const char *phrase) {
    int found = parse(text, strlen(text));
    const char *message = found == NT_OK ? "" : nt_error_message();
    if (found != status || !strstr(message, phrase))
        fail_msg("%s: %s, \"%s\" instead of \"%s\"", text, nt_status_name(found), message, phrase);
}

/* {"model_type": FAMILY, KEY: VALUE} is refused, and the message has the key. */
static void expect_key(const char *family, const char *key, const char *value) {
    char text[256];
    snprintf(text, sizeof text, "{\"model_type\":\"%s\",\"%s\":%s}", family, key, value);
    int status = parse(text, strlen(text));
    if (status != NT_E_FORMAT || !strstr(nt_error_message(), key))
        fail_msg("%s: %s: %s", text, nt_status_name(status), nt_error_message());
}

enum { MOST_KEYS = 16 };

/* What each family reads as a size, as true or false, and as another kind of value; an object is
 * none of these. */
static const struct family {
    const char *name, *sizes[MOST_KEYS], *flags[MOST_KEYS], *others[MOST_KEYS];
} families[] = {
    {"gpt2",
     {"vocab_size", "n_positions", "n_embd", "n_layer", "n_head", "hidden_size",
      "num_attention_heads"},
     {"scale_attn_weights", "scale_attn_by_inverse_layer_idx", "reorder_and_upcast_attn",
      "tie_word_embeddings"},
     {"n_inner", "layer_norm_epsilon", "activation_function", "bos_token_id", "eos_token_id",
      "pad_token_id"}},
    {"gpt_neo",
     {"vocab_size", "max_position_embeddings", "hidden_size", "num_layers", "num_heads",
      "window_size"},
     {"tie_word_embeddings"},
     {"intermediate_size", "layer_norm_epsilon", "activation_function", "attention_types",
      "bos_token_id", "eos_token_id", "pad_token_id"}},
    {"gpt_neox",
     {"vocab_size", "max_position_embeddings", "hidden_size", "num_hidden_layers",
      "num_attention_heads", "intermediate_size"},
     {"attention_bias", "use_parallel_residual", "tie_word_embeddings"},
     {"layer_norm_eps", "hidden_act", "rotary_pct", "rotary_emb_base", "eos_token_id"}},
    {"opt",
     {"vocab_size", "max_position_embeddings", "hidden_size", "num_hidden_layers",
      "num_attention_heads", "ffn_dim"},
     {"do_layer_norm_before", "_remove_final_layer_norm", "layer_norm_elementwise_affine",
      "enable_bias", "tie_word_embeddings"},
     {"word_embed_proj_dim", "activation_function", "bos_token_id"}},
    {"llama",
     {"vocab_size", "max_position_embeddings", "hidden_size", "num_hidden_layers",
      "num_attention_heads", "intermediate_size"},
     {"attention_bias", "mlp_bias", "tie_word_embeddings"},
     {"head_dim", "num_key_value_heads", "rms_norm_eps", "hidden_act", "rope_theta",
      "partial_rotary_factor", "pad_token_id"}},
    {"qwen2",
     {"vocab_size", "max_position_embeddings", "hidden_size", "num_hidden_layers",
      "num_attention_heads", "intermediate_size"},
     {"use_sliding_window", "tie_word_embeddings"},
     {"head_dim", "num_key_value_heads", "max_window_layers", "layer_types", "rms_norm_eps",
      "hidden_act", "rope_theta", "eos_token_id"}},
};

static void every_key_of_the_wrong_kind(void **state) {
    (void)state;
    static const char *const no_sizes[] = {"{}",   "[]",  "\"12\"",     "1.5",
                                           "true", "0",   "-1",         "null",
                                           "1e3",  "1e9", "2147483648", "9223372036854775807"};
    static const char *const no_flags[] = {"{}", "[]", "\"true\"", "1", "0.0", "null"};
    for (size_t f = 0; f < sizeof families / sizeof *families; f++) {
        const struct family *family = &families[f];
        for (size_t i = 0; family->sizes[i]; i++)
            for (size_t k = 0; k < sizeof no_sizes / sizeof *no_sizes; k++)
                expect_key(family->name, family->sizes[i], no_sizes[k]);
        for (size_t i = 0; family->flags[i]; i++)
            for (size_t k = 0; k < sizeof no_flags / sizeof *no_flags; k++)
                expect_key(family->name, family->flags[i], no_flags[k]);
        for (size_t i = 0; family->others[i]; i++)
            expect_key(family->name, family->others[i], "{}");
    }
}

static void numbers_that_are_none(void **state) {
    (void)state;
    static const char *const wrong[] = {"NaN", "nan", "Infinity", "-Infinity", "1e999", "0x10",
                                        "+1",  "01",  "1.",       ".5",        "1e",    "1e+",
                                        "-",   "1 2", "'1'",      "1,",        "--1"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char text[128];
        snprintf(text, sizeof text, "{\"model_type\":\"gpt2\",\"layer_norm_epsilon\":%s}",
                 wrong[i]);
        expect(text, NT_E_FORMAT, "not valid JSON");
    }
    expect("{\"model_type\":\"gpt2\",\"layer_norm_epsilon\":1e300}", NT_E_FORMAT, "1e+300");
    expect("{\"model_type\":\"gpt2\",\"layer_norm_epsilon\":-1e-5}", NT_E_FORMAT,
           "it must be 0 or");
    expect("{\"model_type\":\"gpt2\",\"model_type\":\"llama\"}", NT_E_FORMAT, "duplicate");
    expect("{\"model_type\":\"gpt2\",\"n_embd\":8,\"n_embd\":16}", NT_E_FORMAT, "duplicate");
    expect("{\"model_type\":\"gp\\u0000t2\"}", NT_E_FORMAT, "not valid JSON");
}

/* Deeper than any program's stack. */
static void nesting_without_end(void **state) {
    (void)state;
    enum { DEEP = 500000 };
    static const char *const pieces[] = {"[", "{\"a\":", "[[],"};
    char *text = malloc(DEEP * 5 + 64);
    assert_non_null(text);
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        size_t n = (size_t)sprintf(text, "{\"model_type\":\"gpt2\",\"task\":");
        for (size_t k = 0; k < DEEP; k++)
            n += (size_t)sprintf(text + n, "%s", pieces[i]);
        assert_int_equal(parse(text, n), NT_E_FORMAT);
    }
    free(text);
}

static void what_model_it_is(void **state) {
    (void)state;
    expect("{}", NT_E_UNSUPPORTED, "without \"model_type\"");
    expect("{\"architectures\":[]}", NT_E_UNSUPPORTED, "without \"model_type\"");
    expect("{\"architectures\":[5]}", NT_E_UNSUPPORTED, "without \"model_type\"");
    expect("{\"architectures\":[\"BertModel\"]}", NT_E_UNSUPPORTED, "without \"model_type\"");
    expect("{\"n_embd\":8,\"n_layer\":1}", NT_E_UNSUPPORTED, "without \"model_type\"");
    expect("{\"n_embd\":8}", NT_E_UNSUPPORTED, "without \"model_type\"");
    expect("{\"model_type\":7}", NT_E_FORMAT, "\"model_type\" must be a string");
    expect("{\"model_type\":\"../gpt2\"}", NT_E_UNSUPPORTED, "\"../gpt2\" is not supported");
    expect("{\"architectures\":[\"GPT2LMHeadModel\"]}", NT_OK, "");
    assert_string_equal(config.architecture, "GPT2LMHeadModel");
    expect("{\"model_type\":\"gpt2\",\"architectures\":[\"GPT2LMHeadModelWithANameThatIsFarTooLong"
           "ForAnyClassThatThereIs\"]}",
           NT_OK, "");
    assert_string_equal(config.architecture, ""); /* none that we know */
    expect("{\"model_type\":\"gpt2\",\"architectures\":\"GPT2\"}", NT_OK, "");
    assert_string_equal(config.architecture, "");
}

static void lists_of_ids(void **state) {
    (void)state;
#define GPT2 "{\"model_type\":\"gpt2\",\"eos_token_id\":"
    expect(GPT2 "[2147483648]}", NT_E_FORMAT, "entry 0 must be a token id");
    expect(GPT2 "[1,-2]}", NT_E_FORMAT, "entry 1 must be a token id");
    expect(GPT2 "[1,2,\"3\"]}", NT_E_FORMAT, "entry 2 must be a token id");
    expect(GPT2 "[[1]]}", NT_E_FORMAT, "entry 0 must be a token id");
    expect(GPT2 "2147483648}", NT_E_FORMAT, "eos_token_id");
    expect(GPT2 "[-1,5,-1]}", NT_OK, "");
    assert_int_equal(config.n_eos, 1);
    assert_int_equal(config.eos[0], 5);
    char text[1024] = GPT2 "[0";
    for (size_t i = 1; i < NT_MAX_EOS; i++)
        sprintf(text + strlen(text), ",%zu", i);
    size_t n = strlen(text);
    strcpy(text + n, "]}");
    expect(text, NT_OK, "");
    assert_int_equal(config.n_eos, NT_MAX_EOS);
    strcpy(text + n, ",99]}");
    expect(text, NT_E_UNSUPPORTED, "lists 65 ids; at most 64");
#undef GPT2
}

static void layers_that_are_not_there(void **state) {
    (void)state;
#define NEO(more) "{\"model_type\":\"gpt_neo\"," more "}"
#define QWEN(more) "{\"model_type\":\"qwen2\",\"num_hidden_layers\":2," more "}"
    static const struct {
        const char *text;
        int status;
        const char *phrase;
    } table[] = {
        {NEO("\"attention_types\":[1]"), NT_E_FORMAT, "must list pairs"},
        {NEO("\"attention_types\":[[1,2]]"), NT_E_FORMAT, "must list pairs"},
        {NEO("\"attention_types\":[[[\"global\"]]]"), NT_E_FORMAT, "must list pairs"},
        {NEO("\"attention_types\":[[[\"global\"],\"24\"]]"), NT_E_FORMAT, "must list pairs"},
        {NEO("\"attention_types\":[[[\"global\"],24],[]]"), NT_E_FORMAT, "must list pairs"},
        {NEO("\"attention_types\":[[[\"global\"],-3]]"), NT_E_FORMAT, "speaks of 0 layers"},
        {NEO("\"attention_types\":[[[],9223372036854775807]]"), NT_E_FORMAT, "speaks of 0 layers"},
        {NEO("\"attention_types\":[[[\"global\"],9223372036854775807]]"), NT_E_FORMAT,
         "at least 25 layers"},
        {NEO("\"attention_types\":[[[\"global\",\"local\"],13]]"), NT_E_FORMAT,
         "at least 25 layers"},
        {NEO("\"attention_types\":[[[\"global\",7],12]]"), NT_E_UNSUPPORTED, "an integer"},
        {NEO("\"attention_types\":[[[\"sideways\"],24]]"), NT_E_UNSUPPORTED, "\"sideways\""},
        {NEO("\"num_layers\":2,\"attention_types\":null"), NT_E_FORMAT, "at least 24 layers"},
        {NEO("\"num_layers\":2,\"attention_types\":[[[\"global\"],2]],\"attention_layers\":[1,2]"),
         NT_E_UNSUPPORTED, "attention_layers"},
        {NEO("\"num_layers\":2,\"attention_types\":[[[\"global\"],2]],\"attention_layers\":"
             "[\"local\"]"),
         NT_E_FORMAT, "speaks of 1 layers"},
        {NEO("\"num_layers\":2,\"attention_types\":[[[\"global\"],2]],\"attention_layers\":"
             "[\"local\",\"local\",\"local\",\"local\"]"),
         NT_E_FORMAT, "at least 3 layers"},
        {QWEN("\"layer_types\":[]"), NT_E_FORMAT, "must list num_hidden_layers 2 kinds"},
        {QWEN("\"layer_types\":[\"full_attention\"]"), NT_E_FORMAT, "must list"},
        {QWEN("\"layer_types\":[\"full_attention\",3]"), NT_E_UNSUPPORTED, "what is no name"},
        {QWEN("\"layer_types\":[\"full_attention\",\"chunked_attention\"]"), NT_E_UNSUPPORTED,
         "\"chunked_attention\" of layer 1"},
        {QWEN("\"layer_types\":[\"sliding_attention\",\"full_attention\"]"), NT_E_UNSUPPORTED,
         "without use_sliding_window"},
        {QWEN("\"use_sliding_window\":true,\"sliding_window\":0"), NT_E_FORMAT, "sliding_window"},
        {QWEN("\"max_window_layers\":-1"), NT_E_FORMAT, "max_window_layers"},
        {QWEN("\"num_attention_heads\":3,\"hidden_size\":8"), NT_E_FORMAT, "cannot be divided"},
        {"{\"model_type\":\"opt\",\"num_attention_heads\":5}", NT_E_FORMAT, "cannot be divided"},
        {"{\"model_type\":\"gpt2\",\"n_layer\":1025}", NT_E_FORMAT, "n_layer"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        expect(table[i].text, table[i].status, table[i].phrase);
    expect(QWEN("\"layer_types\":null,\"use_sliding_window\":true,\"max_window_layers\":1"), NT_OK,
           "");
    assert_false(config.windowed[0]);
    assert_true(config.windowed[1]);
}

static void rotary_positions(void **state) {
    (void)state;
#define LLAMA(more) "{\"model_type\":\"llama\"," more "}"
#define ROPE(more) LLAMA("\"rope_scaling\":{\"rope_type\":\"llama3\",\"factor\":8" more "}")
    static const struct {
        const char *text;
        int status;
        const char *phrase;
    } table[] = {
        {LLAMA("\"rope_scaling\":[]"), NT_E_FORMAT, "must be an object"},
        {LLAMA("\"rope_scaling\":{\"type\":{}}"), NT_E_FORMAT, "\"type\" must be a string"},
        {LLAMA("\"rope_scaling\":{\"rope_type\":[]}"), NT_E_FORMAT, "\"rope_type\" must be"},
        {LLAMA("\"rope_scaling\":{\"rope_type\":\"yarn\"}"), NT_E_UNSUPPORTED, "\"yarn\""},
        {LLAMA("\"rope_scaling\":{\"rope_type\":\"linear\"}"), NT_E_FORMAT,
         "\"factor\" is missing"},
        {LLAMA("\"rope_scaling\":{\"rope_type\":\"linear\",\"factor\":0}"), NT_E_FORMAT, "is 0"},
        {LLAMA("\"rope_scaling\":{\"rope_type\":\"linear\",\"factor\":1e7}"), NT_E_FORMAT, "1e+07"},
        {LLAMA("\"rope_parameters\":{\"full_attention\":{}}"), NT_E_UNSUPPORTED,
         "by kind of layer"},
        {LLAMA("\"rope_parameters\":{\"sliding_attention\":{}}"), NT_E_UNSUPPORTED, "by kind"},
        {LLAMA("\"rope_parameters\":{\"rope_theta\":0.5}"), NT_E_FORMAT, "rope_theta"},
        {LLAMA("\"rope_parameters\":{\"partial_rotary_factor\":{}}"), NT_E_FORMAT,
         "partial_rotary_factor"},
        {LLAMA("\"rope_parameters\":{\"partial_rotary_factor\":0.5}"), NT_E_UNSUPPORTED,
         "partial_rotary_factor"},
        {ROPE(",\"low_freq_factor\":{}"), NT_E_FORMAT, "low_freq_factor"},
        {ROPE(",\"low_freq_factor\":1,\"high_freq_factor\":{}"), NT_E_FORMAT, "high_freq_factor"},
        {ROPE(",\"low_freq_factor\":4,\"high_freq_factor\":4"), NT_E_FORMAT, "must be above"},
        {ROPE(",\"low_freq_factor\":1,\"high_freq_factor\":4,"
              "\"original_max_position_embeddings\":{}"),
         NT_E_FORMAT, "original_max_position_embeddings"},
        {ROPE(",\"low_freq_factor\":1,\"high_freq_factor\":4,"
              "\"original_max_position_embeddings\":0"),
         NT_E_FORMAT, "original_max_position_embeddings"},
        {"{\"model_type\":\"gpt_neox\",\"rotary_pct\":-1}", NT_E_FORMAT, "of a head of"},
        {"{\"model_type\":\"gpt_neox\",\"rotary_pct\":1e300}", NT_E_FORMAT, "of a head of"},
        {"{\"model_type\":\"gpt_neox\",\"rotary_pct\":0}", NT_E_FORMAT, "of a head of"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        expect(table[i].text, table[i].status, table[i].phrase);
    expect(LLAMA("\"rope_scaling\":{},\"rope_parameters\":{\"rope_theta\":500}"), NT_OK, "");
    assert_true(config.rope.theta == 500); /* an empty dictionary says nothing */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_of_the_wrong_kind),
        cmocka_unit_test(numbers_that_are_none),
        cmocka_unit_test(nesting_without_end),
        cmocka_unit_test(what_model_it_is),
        cmocka_unit_test(lists_of_ids),
        cmocka_unit_test(layers_that_are_not_there),
        cmocka_unit_test(rotary_positions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
