/* Rows of a family's tables, and their ends. */
#ifndef NT_MODEL_FAMILIES_TABLES_H
#define NT_MODEL_FAMILIES_TABLES_H

#include "model/families/family.h"

#define NT_GLOBAL(name, dims, field, layout)                                                       \
    { name, dims, offsetof(nt_network, field), layout, NT_ALWAYS }
#define NT_IN_BLOCK(name, dims, field, layout, need)                                               \
    { name, dims, offsetof(nt_block, field), layout, need }
/* Linear: weight [N, K], and its bias [N]. */
#define NT_WEIGHT(name, dims, field) NT_IN_BLOCK(name ".weight", dims, field, NT_OUT_IN, NT_ALWAYS)
#define NT_BIAS(name, dims, field, need)                                                           \
    NT_IN_BLOCK(name ".bias", dims, field##_bias, NT_OUT_IN, need)
#define NT_LAYER_NORM(name, field)                                                                 \
    NT_IN_BLOCK(name ".weight", "D", field##_gain, NT_OUT_IN, NT_ALWAYS),                          \
        NT_IN_BLOCK(name ".bias", "D", field##_bias, NT_OUT_IN, NT_ALWAYS)

/* The heads that transformers makes fine-tunes of a family with. */
#define NT_OTHER_HEADS(name)                                                                       \
    (const nt_other_head[]) {                                                                      \
        {name "ForSequenceClassification", "classifying texts", "score."},                         \
            {name "ForTokenClassification", "classifying tokens", "classifier."},                  \
            {name "ForQuestionAnswering", "answering questions", "qa_outputs."}, {                 \
            NULL, NULL, NULL                                                                       \
        }                                                                                          \
    }

#define NT_TABLE(of, slots) .of = slots, .n_##of = sizeof slots / sizeof *slots

#endif
