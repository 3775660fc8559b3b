"""transformers with PyTorch, as it comes."""

NAME = "transformers"
ENVIRONMENT = "transformers"
JOBS = ("generate", "score", "beams", "batch")
VARIANTS = {"f32": ("float32", "F32", ""), "bf16": ("bfloat16", "BF16", "")}
FLAGS = {"bf16": ("avx512_bf16", "amx_bf16")}
SETTINGS = ("scaled_dot_product_attention, inference mode, dynamic key-value cache; scoring in batches of 4 texts, the "
            "logits reduced by logsumexp")
BATCH = 4


class Engine:
    def __init__(self, model, variant, threads):
        import torch
        import transformers

        torch.set_num_threads(threads)
        transformers.logging.set_verbosity_error()
        self.torch = torch
        dtype = {"f32": torch.float32, "bf16": torch.bfloat16}[variant]
        self.model = transformers.AutoModelForCausalLM.from_pretrained(model, dtype=dtype).eval()
        config = self.model.generation_config
        config.pad_token_id, config.eos_token_id = config.eos_token_id, None  # no text ends early

    def generate(self, prompts, new, beams, **options):
        ids = self.torch.tensor(prompts)
        with self.torch.inference_mode():
            out = self.model.generate(ids, attention_mask=self.torch.ones_like(ids), max_new_tokens=new,
                                      do_sample=False, num_beams=beams, **options)
        return out[:, ids.shape[1]:].tolist()

    def score(self, texts):
        with self.torch.inference_mode():
            return [s for i in range(0, len(texts), BATCH) for s in self.sums(self.torch.tensor(texts[i:i + BATCH]))]

    def logprobs(self, ids):
        logits = self.model(ids, use_cache=False).logits[:, :-1]
        chosen = logits.gather(2, ids[:, 1:, None])[..., 0].float()
        return chosen - logits.float().logsumexp(2)

    def sums(self, ids):
        return self.logprobs(ids).double().sum(1).tolist()
