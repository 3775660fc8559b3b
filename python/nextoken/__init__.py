"""nextoken: a see-through language-model engine.

    import nextoken
    m = nextoken.load("gpt2")           # a folder, a .gguf file, a hub name; nothing: the built-in model
    print(m.next("Alice", k=5))         # the likeliest next tokens
    print(m.generate("Alice", num_beams=5, max_new_tokens=20))

`nextoken.transformers` has the names of the package transformers. Everything is loaded when it is first
used: importing nextoken costs next to nothing.
"""

from __future__ import annotations

import importlib

# __init__.pyi lists the same for editors and type checkers.
_NAMES = {
    "model": ["Info", "Model", "load"],
    "jobs": ["diff", "tensors", "versus"],
    "session": ["EVERY", "Captured", "Edit", "Place", "Session"],
    "tokenizer": ["Encoding", "Tokenizer"],
    "options": ["UnknownOption"],
    "streams": ["Piece", "Stream"],
    "results": ["Beam", "Candidate", "Change", "Char", "Compared", "Continuation", "Continuations",
                "Counts", "DiffSum", "Effort", "Explanation", "Facts", "Generation", "Head",
                "Inspection", "LayerCell", "LayerChoice", "Next", "Option", "Output", "Perplexity",
                "Proof", "Result", "Results", "Rows", "Score", "ScoredToken", "Step", "Steps",
                "TensorDiff", "TensorInfo", "Tensors", "TensorsCompared", "Text", "Token", "Tokens",
                "Totals", "Versus", "VersusToken", "Word"],
    "errors": ["ArgumentError", "Busy", "Cancelled", "ContextError", "Denied", "Error", "FormatError",
               "NetworkError", "NotFound", "NumericError", "OutOfMemory", "RangeError",
               "ReadWriteError", "TextError", "Unsupported"],
}
_WHERE = {name: module for module, names in _NAMES.items() for name in names}
_MODULES = ("arrays", "errors", "jobs", "library", "model", "options", "progress", "results", "session",
            "streams", "tokenizer", "transformers")

__all__ = sorted([*_WHERE, "transformers"])


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        value = getattr(importlib.import_module("." + _WHERE[name], __name__), name)
    elif name in _MODULES:
        value = importlib.import_module("." + name, __name__)
    elif name == "__version__":
        constants = importlib.import_module("._declarations", __name__).CONSTANTS
        value = "{NT_VERSION_MAJOR}.{NT_VERSION_MINOR}.{NT_VERSION_PATCH}".format(**constants)
    else:
        hint = ""
        if not name.startswith("_"):
            import difflib

            near = difflib.get_close_matches(name, __all__, 1)
            hint = f" (did you mean {near[0]!r}?)" if near else ""
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}{hint}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    hidden = {"annotations", "importlib"}
    return sorted({*globals(), *__all__, *_MODULES, "__version__"} - hidden)
