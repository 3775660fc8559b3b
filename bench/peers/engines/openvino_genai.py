"""OpenVINO GenAI over optimum-intel's export; scoring, which it does not have, over OpenVINO itself."""

import pathlib
import subprocess
import sys

NAME = "OpenVINO GenAI"
ENVIRONMENT = "openvino"
CONVERTER = "openvino"
JOBS = ("generate", "score", "beams", "batch")
VARIANTS = {"f32": ("float32", "F32", "openvino"), "bf16": ("bfloat16", "F32", "openvino"),
            "int8": ("int8 weights, float32 products", "INT8", "openvino-int8")}
FLAGS = {"bf16": ("avx512_bf16", "amx_bf16")}
SETTINGS = ("optimum-intel's export (fp32, int8), LLMPipeline with paged attention (prompts 1.2 to 1.5 times as "
            "fast as with the SDPA backend), prefix caching off, up to 4,096 tokens a step, performance hint LATENCY, "
            "inference precision set; keys and values as the plugin has them (u8) but for f32; scoring over the same "
            "model with log-softmax and the labels' choice added to its graph, in batches of 4 texts")
BATCH = 4


def convert(checkpoint, folder, variant):
    weights = "int8" if variant == "int8" else "fp32"
    program = pathlib.Path(sys.executable).with_name("optimum-cli")
    subprocess.run([program, "export", "openvino", "--model", checkpoint, "--task", "text-generation-with-past",
                    "--weight-format", weights, folder], check=True)


def properties(variant, threads):
    kind = {"bf16": "bf16"}.get(variant, "f32")
    found = {"INFERENCE_PRECISION_HINT": kind, "INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY",
             "NUM_STREAMS": 1}
    if variant == "f32":
        found["KV_CACHE_PRECISION"] = "f32"
    return found


class Engine:
    def __init__(self, model, variant, threads):
        self.model, self.properties = model, properties(variant, threads)
        self.pipe = self.scorer = None

    def generate(self, prompts, new, beams):
        import numpy as np
        import openvino as ov
        import openvino_genai as genai

        if self.pipe is None:
            scheduler = genai.SchedulerConfig()
            scheduler.enable_prefix_caching = False  # else a prompt that comes again costs nothing
            scheduler.max_num_batched_tokens = 4096
            self.pipe = genai.LLMPipeline(str(self.model), "CPU", scheduler_config=scheduler, **self.properties)
        config = genai.GenerationConfig(max_new_tokens=new, ignore_eos=True, do_sample=False, num_beams=beams)
        rows = np.array(prompts, np.int64)
        found = self.pipe.generate(genai.TokenizedInputs(ov.Tensor(rows), ov.Tensor(np.ones_like(rows))), config)
        return [list(row) for row in found.tokens]

    def score(self, texts):
        if self.scorer is None:
            self.scorer = self.open_scorer()
        return [s for i in range(0, len(texts), BATCH) for s in self.sums(texts[i:i + BATCH])]

    def open_scorer(self):
        """The exported model, told the labels: its one output is their log-probabilities."""
        import openvino as ov
        from openvino import opset13 as ops

        core = ov.Core()
        model = core.read_model(str(pathlib.Path(self.model) / "openvino_model.xml"))
        logits = model.outputs[0].get_node().input_value(0)
        labels = ops.parameter(ov.PartialShape([-1, -1, 1]), ov.Type.i64, name="labels")
        chosen = ops.gather_elements(ops.log_softmax(logits, 2), labels, 2)
        scorer = ov.Model([ops.result(chosen)], model.get_sinks(), [*model.get_parameters(), labels], "scorer")
        return core.compile_model(scorer, "CPU", self.properties).create_infer_request()

    def sums(self, texts):
        import numpy as np

        ids = np.array(texts, np.int64)
        rows, labels = ids[:, :-1], ids[:, 1:, None]
        self.scorer.reset_state()
        given = {"input_ids": rows, "attention_mask": np.ones_like(rows),
                 "position_ids": np.broadcast_to(np.arange(rows.shape[1]), rows.shape).copy(),
                 "beam_idx": np.arange(len(rows), dtype=np.int32), "labels": labels}
        names = {n: port for port in self.scorer.model_inputs for n in ({port.get_node().get_friendly_name()} | port.get_names())}
        self.scorer.infer({names[n]: value for n, value in given.items() if n in names})
        return self.scorer.get_output_tensor(0).data[..., 0].astype(np.float64).sum(1).tolist()
