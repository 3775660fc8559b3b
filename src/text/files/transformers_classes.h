/* Which tokenizer class transformers has for which model type ("model_type" of config.json). */
#ifndef NT_TEXT_TRANSFORMERS_CLASSES_H
#define NT_TEXT_TRANSFORMERS_CLASSES_H

#include <stddef.h>

typedef struct nt_class_models {
    const char *class_name; /* NULL: one that is not known here */
    const char *models;     /* their names, each between two spaces */
} nt_class_models;

extern const nt_class_models nt_class_models_table[];
extern const size_t nt_n_class_models;
/* Model types whose folders name a class that transformers does not believe. */
extern const char nt_class_mistaken[];

#endif
