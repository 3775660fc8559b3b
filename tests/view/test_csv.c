/* The CSV view, byte for byte on small traces; check.py reads the rest with Python's parser. */
#include "view/sample.h"

static void csv_is(nt_result *t, bool no_header, const char *expected) {
    nt_view_options options = NT_VIEW_OPTIONS_INIT;
    options.format = NT_CSV;
    options.no_header = no_header;
    nt_buffer out = {0};
    assert_int_equal(nt_view_csv(&out, t, &options), NT_OK);
    assert_string_equal(out.data ? out.data : "", expected);
    nt_buffer_free(&out);
    free_sample(t);
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
    static const char *const expected[] = {"index,id,token,start,end\n",
                                           "text\n\"\"\n",
                                           "rank,id,token,logit,logprob,prob,processed_prob\n",
                                           "step,input,choice_rank,id,token,prob,logprob,chosen\n",
                                           "sequence,ids,text,logprob,finish_reason\n",
                                           "index,id,token,logprob,rank,entropy,counted\n",
                                           "layer,hidden_norm\n",
                                           "key,value\n"};
    for (int kind = NT_RESULT_TOKENS; kind <= NT_RESULT_INFO; kind++) {
        csv_is(new_sample((nt_result_kind)kind), false, expected[kind]);
        csv_is(new_sample((nt_result_kind)kind), true, kind == NT_RESULT_TEXT ? "\"\"\n" : "");
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
    for (int s = 0; s < 2; s++) {
        nt_trace_step *step = add_step(t, 2);
        step->candidates[0] = candidate(t, 1, 7, " am", 0.5);
        step->candidates[1] = candidate(t, 2, 8, " was", 0.25);
        step->step.chosen = s == 0 ? step->candidates[1] : candidate(t, 3, 9, "\n", 0.125);
    }
    csv_is(t, true,
           "0,\"I\",1,7,\" am\",0.5,-0.693147181,false\n"
           "0,\"I\",2,8,\" was\",0.25,-1.38629436,true\n"
           "1,\"I was\",1,7,\" am\",0.5,-0.693147181,false\n"
           "1,\"I was\",2,8,\" was\",0.25,-1.38629436,false\n"
           "1,\"I was\",3,9,\"\n\",0.125,-2.07944154,true\n");
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
        cmocka_unit_test(quoting),    cmocka_unit_test(headers),   cmocka_unit_test(score_rows),
        cmocka_unit_test(steps_rows), cmocka_unit_test(info_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
