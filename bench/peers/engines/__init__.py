"""One module an engine. Each says what it is with constants that need nothing installed, and has

    convert(checkpoint, folder, variant)   where ENVIRONMENT's Python runs it; none: the engine reads checkpoints
    class Engine(model, variant, threads)  generate(prompts, new, beams) and score(texts), in ids

NAME and SETTINGS are the page's words; ENVIRONMENT is the virtual environment (requirements-NAME.txt), CONVERTER the
one whose Python converts; VARIANTS {name: (precision of the arithmetic, storage of the weights, file)}, where file is
what convert() makes for it, "" the checkpoint itself; JOBS what the engine has, by kinds; FLAGS {variant: flags of
/proc/cpuinfo, one of which it needs}. The exact variant's name is "f32". Optional: once(tools, model, variant, threads,
request), the words of a cold process that answers (else worker.py does); WARM_WHOLE, that only the whole job warms it
up; ONCE = False, that cold starts of it are not measured; ONLY = (size, jobs), that nothing else is."""

ALL = ("generate", "score", "beams", "batch")
PEERS = ("llama", "ctranslate2_engine", "openvino_genai", "transformers_eager", "transformers_compiled", "vllm_cpu")
