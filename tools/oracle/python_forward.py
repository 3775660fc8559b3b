"""Expected figures of tests/python/test_transformers_forward.py: the calls of tests/python/forwarding.py on
transformers' models.

    python tools/oracle/python_forward.py BUILD_FOLDER      (BUILD_FOLDER/tools/mkmodel must be built)

Writes tests/python/expected/forward.json."""

import json
import pathlib
import sys
import tempfile

import torch
import transformers

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "tests" / "cli"), str(ROOT / "tests" / "python")]
import forwarding  # noqa: E402
import harness  # noqa: E402


def made(folder, build, name, attention):
    path = pathlib.Path(folder, name)
    mkmodel = pathlib.Path(build, "tools", "mkmodel")
    if path.exists():
        pass
    elif name in harness.MODELS:
        harness.make_model(mkmodel, path, harness.MODELS[name])
    else:
        recipe = json.loads((ROOT / "tests" / "model" / "data" / f"{name}.json").read_text())["cases"][0]
        harness.make_listed(mkmodel, path, {**recipe, "files": {}})
    model = transformers.AutoModelForCausalLM.from_pretrained(str(path), attn_implementation=attention,
                                                              dtype=torch.float32)
    return model.eval()


def main():
    transformers.logging.set_verbosity_error()
    torch.set_num_threads(1)
    models, cases = {}, []
    with tempfile.TemporaryDirectory() as folder:
        for case in forwarding.cases():
            name, attention = case["model"], "eager" if forwarding.eager(case) else "sdpa"
            if (name, attention) not in models:
                models[name, attention] = made(folder, sys.argv[1], name, attention)
            with torch.no_grad():
                cases.append({"name": case["name"], "model": name,
                              "made": forwarding.run(models[name, attention], case, torch.tensor)})
    facts = {name: {"parameters": model.num_parameters(),
                    "without embeddings": model.num_parameters(exclude_embeddings=True),
                    "named": sorted([n, list(p.shape)] for n, p in model.named_parameters()),
                    "class": type(model).__name__} 
             for (name, attention), model in models.items() if attention == "eager"}
    target = ROOT / "tests" / "python" / "expected" / "forward.json"
    with open(target, "w", encoding="utf-8") as file:
        file.write(json.dumps({"transformers": transformers.__version__, "torch": torch.__version__,
                               "facts": facts})[:-1] + ', "cases": [\n')
        file.write(",\n".join(json.dumps(case, separators=(",", ":")) for case in cases) + "\n]}\n")
    print(f"{target}: {len(cases)} cases, {target.stat().st_size} bytes")


if __name__ == "__main__":
    main()
