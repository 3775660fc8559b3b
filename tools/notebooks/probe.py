"""Runs inside the kernel, behind each cell: writes down what the cell left in its variables, so that values
are compared that no cell prints. Prints one line of JSON."""

import json as _json
import types as _types

_seen = {}
_MOST = 256  # numbers of an array, evenly spread
_ALL = 50    # entries of a dictionary


def _floats(x):
    return float(x)


def _describe(x, depth=0):
    """Plain lists, dicts, strings and numbers; None for what is not compared."""
    if x is None or isinstance(x, (bool, int, str)):
        return x
    if isinstance(x, float):
        return _floats(x)
    if isinstance(x, (_types.ModuleType, _types.FunctionType, type)) or callable(x) or depth > 4:
        return None
    if hasattr(x, "shape") and hasattr(x, "dtype") and hasattr(x, "reshape"):
        return _array(x)
    if hasattr(x, "get_seq_length"):  # keys and values: how many
        return {"positions": int(x.get_seq_length())}
    if hasattr(x, "to_dict") and hasattr(x, "columns"):
        return {"columns": [str(c) for c in x.columns],
                "rows": [[_describe(v, depth + 1) for v in row] for row in x.values.tolist()]}
    if hasattr(x, "items") and hasattr(x, "keys"):
        items = sorted(x.items(), key=lambda item: str(item[0])) if len(x) > _ALL else x.items()
        return {str(k): _describe(v, depth + 1) for k, v in list(items)[:_ALL]}
    if hasattr(x, "__len__") and hasattr(x, "__getitem__") and hasattr(x, "__iter__"):
        n = len(x)
        some = range(n) if n <= 24 else [*range(12), *range(n - 12, n)]
        return {"length": n, "values": [_describe(x[i], depth + 1) for i in some]}
    return None


def _array(x):
    x = x.detach().cpu() if hasattr(x, "detach") else x
    flat = x.reshape(-1)
    n = flat.shape[0]
    step = max(1, -(-n // _MOST))
    if step > 1 and "int" in str(x.dtype):  # an order of 50,257 numbers hangs on their last bits further down
        flat, step = flat[:64], 1
    return {"shape": [int(s) for s in x.shape], "type": str(x.dtype).replace("torch.", ""),
            "values": flat[::step].tolist()}


def _probe(namespace):
    found = {}
    for name, value in list(namespace.items()):
        if name.startswith("_") or name in ("In", "Out", "exit", "quit", "open", "get_ipython"):
            continue
        described = _describe(value)
        if described is not None and _seen.get(name) != described:
            _seen[name] = found[name] = described
    print(_json.dumps(found))
