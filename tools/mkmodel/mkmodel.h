/* mkmodel: seeded GPT-2 checkpoints in Hugging Face form, for tests, benchmarks and the demo. The
 * weights come from integer hashes and exact scaling alone, so that they are the same bits on every
 * machine; their sizes are chosen so that attention and next-token distributions look like those of
 * a trained model. */
#ifndef MKMODEL_H
#define MKMODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum width { F32, F16, BF16, F64 } width;
typedef enum head { HEAD_TIED, HEAD_COPY, HEAD_UNTIED, HEAD_DIFFERENT } head;

typedef struct recipe {
    const char *folder;
    uint64_t seed;
    int64_t D, L, H, T, V, F; /* F 0: 4 D */
    const char *activation;
    const char *epsilon; /* as written in config.json */
    bool no_scale, inverse_layer, reorder;
    width width;
    bool prefix, buffers;
    head head;
    int64_t shards; /* 0: one file named model.safetensors */
    const char *tokenizer;
    const char *list, *config; /* files: the tensors, and config.json; NULL: those of GPT-2 */
    const char *nan;           /* tensor that gets one NaN */
    const char *boost[8];      /* tensors multiplied by 2^100 */
    size_t n_boost;
} recipe;

typedef enum fill { FILL_RANDOM, FILL_MASK_F32, FILL_MASK_BOOL, FILL_MASKED_BIAS } fill;

/* One tensor: values are center + noise of standard deviation about multiplier * 2^-40 * 37837. */
typedef struct tensor {
    char name[96];
    int n_dims;
    int64_t shape[4];
    fill fill;
    uint64_t index;     /* what the hash knows the tensor by: the same in every storage */
    double center;      /* 0, or 1 for LayerNorm gains */
    int64_t multiplier; /* of columns from `border` on */
    int64_t first;      /* of columns before it: c_attn's queries */
    int64_t border;     /* columns */
    bool nan, boost;
} tensor;

/* Reads the command line. false: usage was wrong and has been told. */
bool recipe_read(recipe *out, int argc, char **argv);
/* All tensors in file order; NULL when memory ends. Free with free(). */
tensor *recipe_tensors(size_t *n, const recipe *r);
/* The same from r->list; NULL too where a line of it is no tensor. */
tensor *listed_tensors(size_t *n, const recipe *r);
/* The multiplier that gives a tensor's numbers the variance p / q. */
int64_t multiplier_of(int64_t p, int64_t q);

/* Bytes that a tensor takes in the file. */
uint64_t tensor_bytes(const tensor *t, width w);
/* Fills out with the bytes of items [begin, end) of a tensor. */
void tensor_fill(unsigned char *out, const tensor *t, const recipe *r, int64_t begin, int64_t end);
int64_t tensor_items(const tensor *t);
/* Bytes of one item, and its name in safetensors. */
int64_t tensor_item_bytes(const tensor *t, width w);
const char *tensor_type(const tensor *t, width w);

#endif
