/* Matmul with w [K, N], as GPT-2 stores it: each output is one chain over k, and sixteen
 * neighbouring outputs are a vector. Two ways, one order:
 *   few rows:  w is streamed row by row, several rows a pass (stream.h);
 *   many rows: blocks of w are packed into panels for a register tile (matmul_packed.h). */

static void matmul_in_out(const nt_product *p, size_t begin, size_t end, float *scratch) {
    if (p->w->K == 0) { /* an empty sum, plus bias */
        for (size_t r = 0; r < p->R; r++)
            for (size_t n = begin; n < end; n++)
                p->y[r * p->w->N + n] = p->bias ? 0.0f + p->bias[n] : 0.0f;
    } else if (p->R <= FEW_ROWS) {
        stream(p, begin, end, scratch);
    } else {
        multiply_packed(p, begin, end, scratch);
    }
}
