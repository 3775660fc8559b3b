/* The CSV view, byte for byte on small traces; check.py reads the rest with Python's parser. */
#include "view/sample.h"

static void view_is(nt_result *t, nt_view_options options, const char *expected) {
    nt_buffer out = {0};
    assert_int_equal(nt_view_csv(&out, t, &options), NT_OK);
    assert_string_equal(out.data ? out.data : "", expected);
    nt_buffer_free(&out);
    free_sample(t);
}

static void csv_is(nt_result *t, bool no_header, const char *expected) {
    nt_view_options options = NT_VIEW_OPTIONS_INIT;
    options.format = NT_CSV;
    options.no_header = no_header;
    view_is(t, options, expected);
}

static void quoting(void **state) {
    (void)state;
    nt_result *t = new_sample(NT_RESULT_TOKENS);
    add_token(t, 1, "a,b");
    add_token(t, 2, "\"\r\n");
    add_token(t, 3, "\xf0\x9f");
    add_token(t, 4, "");
    t->tokens[3].n_bytes = 1; /* a NUL */
    csv_is(t, false,
           "index,id,token,start,end\n0,1,\"a,b\",0,3\n1,2,\"\"\"\r\n\",3,6\n"
           "2,3,\"\xef\xbf\xbd\",6,8\n3,4,\"\xef\xbf\xbd\",8,8\n");
}

static void headers(void **state) {
    (void)state;
    static const char *const expected[] = {
        "index,id,token,start,end\n",
        "text\n\"\"\n",
        "rank,id,token,logit,logprob,prob,processed_prob,processed_logit,removed_by\n",
        "sequence,step,input,choice_rank,id,token,prob,logprob,processed_prob,chosen,"
        "processed_logit,removed_by\n",
        "sequence,ids,text,logprob,finish_reason,score\n",
        "index,id,token,logprob,rank,entropy,counted\n",
        "layer,hidden_norm\n",
        "key,value\n",
        "index,text,ids,n_tokens,logprob,logprob_per_byte,share,place,greedy\n",
        "tokens,counted,bytes,window,stride,windows,first_token,unit,loss,loss_stderr,perplexity,"
        "stderr,bits_per_byte,bits_per_token,loss_as_transformers,perplexity_as_transformers\n"
        "0,0,0,0,0,0,\"\",\"nats\",0,0,0,0,0,0,,\n",
        "model,stretch,differs,id,token,start,end\n",
        "file,model,bytes,characters,tokens\n"};
    for (int kind = NT_RESULT_TOKENS; kind <= NT_RESULT_COUNTS; kind++) {
        csv_is(new_sample((nt_result_kind)kind), false, expected[kind]);
        csv_is(new_sample((nt_result_kind)kind), true, strchr(expected[kind], '\n') + 1);
    }
}

static void score_rows(void **state) {
    (void)state;
    nt_result *t = sample_score();
    t->scored[4].logprob = -INFINITY;
    csv_is(t, true,
           "0,44484,\"Alice\",,,,false\n1,318,\" is\",-4.1477,8,6.5,false\n"
           "2,257,\" a\",-2.4133,2,5.5,true\n3,1862,\" young\",-5.5529,1203,4.5,true\n"
           "4,2415,\" woman\",-inf,2,3.5,true\n5,13,\".\",-2e-08,1,2.5,true\n");
}

static void steps_rows(void **state) {
    (void)state;
    nt_result *t = new_sample(NT_RESULT_STEPS);
    add_token(t, 40, "I");
    for (int s = 0; s < 3; s++) {
        nt_trace_step *step = add_step(t, 2);
        step->candidates[0] = candidate(t, 1, 7, " am", 0.5);
        step->candidates[1] = candidate(t, 2, 8, " was", 0.25);
        step->step.chosen = s == 1 ? candidate(t, 3, 9, "\n", 0.125) : step->candidates[1];
    }
    t->steps[2].step.sequence = 1; /* from the prompt again */
    t->steps[2].step.index = 0;
    t->steps[2].candidates[0].processed_prob = 0;
    t->steps[2].candidates[1].processed_prob = 1;
    change(t, &t->steps[2].candidates[0], "top_k", -INFINITY);
    csv_is(t, true,
           "0,0,\"I\",1,7,\" am\",0.5,-0.693147181,0.5,false,-31.1931477,\"\"\n"
           "0,0,\"I\",2,8,\" was\",0.25,-1.38629436,0.25,true,-31.8862934,\"\"\n"
           "0,1,\"I was\",1,7,\" am\",0.5,-0.693147181,0.5,false,-31.1931477,\"\"\n"
           "0,1,\"I was\",2,8,\" was\",0.25,-1.38629436,0.25,false,-31.8862934,\"\"\n"
           "0,1,\"I was\",3,9,\"\n\",0.125,-2.07944154,0.125,true,-32.5794411,\"\"\n"
           "1,0,\"I\",1,7,\" am\",0.5,-0.693147181,0,false,-inf,\"top_k\"\n"
           "1,0,\"I\",2,8,\" was\",0.25,-1.38629436,1,true,-31.8862934,\"\"\n");
}

static void next_rows(void **state) {
    (void)state;
    nt_result *t = sample_processed();
    t->steps[0].n_candidates = 1;
    t->steps[0].candidates[0] = t->steps[0].candidates[4];
    t->steps[0].candidates[0].logprob = -4.5;
    t->steps[0].candidates[0].logit = -33.25;
    csv_is(t, true, "7,5262,\" attend\",-33.25,-4.5,0.0187,0,-inf,\"top_p\"\n");
}

static void generate_rows(void **state) {
    (void)state;
    nt_result *t = sample_beams();
    t->outputs[0].logprob = -1.25;
    t->outputs[0].score = -0.625;
    t->outputs[1].logprob = -1.5;
    t->outputs[1].score = NAN;
    csv_is(t, true,
           "0,550 257,\" had a\",-1.25,\"length\",-0.625\n"
           "1,373 1862,\" was young\",-1.5,\"length\",\n");
}

/* The finest unit that was asked for has the rows. */
static void score_units(void **state) {
    (void)state;
    static const struct {
        unsigned by;
        const char *begins;
    } cases[] = {
        {0, "index,id,token,logprob,rank,entropy,counted\n0,44484,\"Alice\",,,,false\n"},
        {NT_BY_TEXT | NT_BY_TOKEN, "index,id,token,logprob,rank,entropy,counted\n0,44484,"},
        {NT_BY_TEXT,
         "n_tokens,counted,logprob,loss,perplexity,bits_per_byte\n6,4,-9.87430002,2.468575,"},
        {NT_BY_WORD | NT_BY_TOKEN | NT_BY_TEXT,
         "index,word,start,end,first,n_tokens,surprisal,surprisal_corrected,counted\n"
         "0,\"Alice\",0,5,0,1,,,false\n1,\"is\",6,8,1,1,4.1477,4.2727,false\n"
         "2,\"a\",9,10,2,1,2.4133,2.6633,true\n3,\"young\",11,16,3,1,5.5529,5.9279,true\n"
         "4,\"woman.\",17,23,4,2,1.90810002,2.40810002,true\n"},
        {15, "index,char,start,end,surprisal\n0,\"A\",0,1,\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nt_view_options options = NT_VIEW_OPTIONS_INIT;
        options.format = NT_CSV;
        nt_result *t = sample_units();
        t->by = cases[i].by;
        nt_buffer out = {0};
        assert_int_equal(nt_view_csv(&out, t, &options), NT_OK);
        if (strncmp(out.data, cases[i].begins, strlen(cases[i].begins)) != 0)
            fail_msg("not \"%s\" but\n%s", cases[i].begins, out.data);
        nt_buffer_free(&out);
        free_sample(t);
    }
}

/* A sure word costs nothing, not minus nothing; an impossible one all. */
static void edge_surprisals(void **state) {
    (void)state;
    nt_result *t = sample_words();
    t->n_words = 2;
    t->words[0].logprob = 0;
    t->words[0].corrected = -0.0;
    t->words[1].logprob = -INFINITY;
    t->words[1].n_tokens = SIZE_MAX;
    csv_is(t, true,
           "0,\"Alice\",0,5,0,1,0,0,false\n"
           "1,\"is\",6,8,1,18446744073709551615,inf,4.2727,false\n");
}

static void continuation_rows(void **state) {
    (void)state;
    csv_is(sample_continuations(), true,
           "0,\" Yes\",0,1,-3.25,-0.8125,0.0758,2,false\n"
           "1,\" No\",100,1,-0.75,-0.25,0.9242,1,true\n"
           "2,\" It depends,\nmy dear\",200 201 202 203 204 205,6,-14.9375,-0.746875,3e-07,3,"
           "false\n");
}

/* Base 2 of what is logarithmic, and only of that: -0.75 / ln 2 = -1.08202128. */
static void bits(void **state) {
    (void)state;
    nt_view_options options = NT_VIEW_OPTIONS_INIT;
    options.format = NT_CSV;
    options.no_header = true;
    options.bits = true;
    nt_result *t = sample_continuations();
    t->continuations++;
    t->n_continuations = 1;
    view_is(t, options, "0,\" No\",100,1,-1.08202128,-0.36067376,0.9242,1,true\n");
    t = sample_perplexity();
    t->totals = (nt_totals){-8 * log(2), 2 * log(2), 4, 4, 8, 1, 0.5 * log(2), 3};
    t->facts[3].number = 3 * log(2);
    t->facts[4].number = 8;
    view_is(t, options,
            "287644,4,1288556,1024,512,561,\"not counted\",\"bits\",2,0.5,4,3,1,2,3,8\n");
}

static void tabs_and_prefixes(void **state) {
    (void)state;
    nt_view_options options = NT_VIEW_OPTIONS_INIT;
    options.format = NT_TSV;
    options.row_prefix = "7\t\"a\"\t";
    options.header_prefix = "line\tname\t";
    nt_result *t = new_sample(NT_RESULT_TOKENS);
    add_token(t, 1, "a\tb");
    add_token(t, 2, ",");
    view_is(t, options,
            "line\tname\tindex\tid\ttoken\tstart\tend\n"
            "7\t\"a\"\t0\t1\t\"a\tb\"\t0\t3\n7\t\"a\"\t1\t2\t\",\"\t3\t4\n");
    options.format = NT_CSV;
    options.no_header = true;
    options.row_prefix = "\"x, y\",";
    view_is(sample_sums(), options, "\"x, y\",6,4,-9.87430002,2.468575,11.8056119,0.949706911\n");
}

static void info_rows(void **state) {
    (void)state;
    csv_is(sample_info(), true,
           "\"architecture\",\"gpt2\"\n\"parameters\",124439808\n\"weight_bytes\",497759232\n"
           "\"vocab_size\",50257\n\"context\",1024\n\"layers\",12\n"
           "\"layer_norm_epsilon\",1e-05\n\"activation\",\"gelu_new\"\n\"tied\",true\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quoting),           cmocka_unit_test(headers),
        cmocka_unit_test(score_rows),        cmocka_unit_test(score_units),
        cmocka_unit_test(edge_surprisals),   cmocka_unit_test(steps_rows),
        cmocka_unit_test(continuation_rows), cmocka_unit_test(bits),
        cmocka_unit_test(next_rows),         cmocka_unit_test(generate_rows),
        cmocka_unit_test(tabs_and_prefixes), cmocka_unit_test(info_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
