"""Where a model is and what it computes in: the processor, float32. Nothing else is built."""

from . import tensors

__all__ = ["Device", "check_place"]


class Device:
    """The processor, for programs without torch; with torch there is torch.device("cpu")."""

    type, index = "cpu", None

    def __repr__(self):
        return "device(type='cpu')"

    def __str__(self):
        return "cpu"

    def __eq__(self, other):
        return str(other) == "cpu"

    def __hash__(self):
        return hash("cpu")


_FLOAT32 = ("float32", "torch.float32", "<class 'numpy.float32'>", "float", "auto")


def check_place(value):
    """Refuses devices other than the processor, and types other than float32."""
    if value is None or isinstance(value, bool):
        return
    name = str(value)
    if name.split(":")[0] == "cpu" or name in _FLOAT32:
        return
    if "float" in name or "int" in name:
        raise NotImplementedError(f"{name}: this version computes in float32, whatever the file stores, and "
                                  "cannot be told otherwise")
    if tensors.is_tensor(value):
        return check_place(value.device)
    if name.split(":")[0] in ("cuda", "mps", "xpu", "npu", "xla", "hpu", "meta") or name.isdigit():
        raise RuntimeError(f"nextoken runs on the processor: there is no device {name!r} for it; use \"cpu\" "
                           "(torch.device(\"cpu\"), device_map=\"cpu\")")
    raise RuntimeError(f"{name!r} is neither a device nor a type that nextoken knows")
