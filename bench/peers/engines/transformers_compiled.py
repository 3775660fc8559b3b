"""transformers behind torch.compile."""

from engines import transformers_eager as eager

NAME = "transformers, compiled"
ENVIRONMENT = "transformers"
JOBS = ("generate", "score")
ONLY = ("gpt2", ("greedy", "prompt", "score"))  # every shape is compiled anew, for minutes
VARIANTS, FLAGS = eager.VARIANTS, eager.FLAGS
WARM_WHOLE = True  # another length is another program
ONCE = False       # nobody compiles for one token
SETTINGS = ("torch.compile of the forward pass (inductor), static key-value cache of the length that is needed; compiled "
            "before it is timed, and kept between runs; scoring compiled with its logsumexp, in batches of 4 texts")


class Engine(eager.Engine):
    def __init__(self, model, variant, threads):
        super().__init__(model, variant, threads)
        self.plain = self.model.forward
        self.compiled = self.torch.compile(self.plain, dynamic=False)
        self.sums_of = self.torch.compile(self.logprobs, dynamic=False)

    def generate(self, prompts, new, beams):
        self.model.forward = self.compiled
        return super().generate(prompts, new, beams, cache_implementation="static", disable_compile=True)

    def sums(self, ids):
        self.model.forward = self.plain
        return self.sums_of(ids).double().sum(1).tolist()
