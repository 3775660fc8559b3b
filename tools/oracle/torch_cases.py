"""Writes tests/format/data/torch_cases.gz: files of torch.save, as PyTorch itself writes them and as someone else
might, with what torch.load makes of each: the numbers of their tensors, or a refusal."""
import collections
import gzip
import io
import json
import os
import pathlib
import pickle
import struct
import tempfile
import warnings
import zipfile

import numpy
import torch

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests" / "format" / "data" / "torch_cases.gz"
FORMAT, UNSUPPORTED = "NT_E_FORMAT", "NT_E_UNSUPPORTED"
NAMES = {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.float64: "F64"}
warnings.simplefilter("ignore")

# ---- What torch.save writes -------------------------------------------------------------------


def save(what, protocol=2, legacy=False, name="archive"):
    """The same bytes every time: torch names a storage of the old form by its address."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, name)
        torch.save(what, path, pickle_protocol=protocol, _use_new_zipfile_serialization=not legacy)
        return pathlib.Path(path).read_bytes()


def numbers():
    return torch.arange(12, dtype=torch.float32).reshape(3, 4) / 8 - 0.5


def mixed():
    g = torch.Generator().manual_seed(5)
    x = torch.randn(3, 4, generator=g)
    edge = torch.tensor([0.0, -0.0, float("inf"), -float("inf"), 1e-40, 65504.0, 1e-7, 3e38])
    cube = torch.randn(2, 3, 4, generator=g)
    out = collections.OrderedDict()
    out["f32"], out["f16"], out["bf16"], out["f64"] = x, x.half(), x.bfloat16(), x.double() * 1.000000001
    out["edge"], out["edge64"] = edge, edge.double() * 1e10
    out["scalar"], out["empty"], out["one"] = torch.tensor(2.5), torch.zeros(0, 4), torch.ones(1, 1, 1)
    out["tied"], out["part"], out["last"] = x, x[1:, :], x[2, 3]
    out["turned"], out["turned half"] = x.t(), x.half().t()
    out["cube"], out["permuted"], out["column"] = cube, cube.permute(2, 0, 1), cube[:, 1:2, 1:3]
    out["every other"] = edge[::2]
    out["mask"], out["ids"] = torch.tril(torch.ones(3, 3, dtype=torch.uint8)), torch.arange(4)
    out["nine"] = torch.zeros(1, 1, 1, 1, 1, 1, 1, 1, 2)
    out["naïve ä中😀"] = torch.ones(2)
    return out


class Part(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(2, 3)
        with torch.no_grad():
            for p in self.parameters():
                p.copy_(torch.arange(p.numel()).reshape(p.shape) / 4)


def parameters():
    plain, marked = torch.nn.Parameter(numbers()), torch.nn.Parameter(numbers() * 2)
    marked.note = "x"
    tensor = numbers() * 4
    tensor.note = [1, 2]
    return {"plain": plain, "marked": marked, "tensor": tensor}


class Stop:
    """Asks to be made by a function of a module."""

    def __init__(self, function, *args):
        self.made = function, args

    def __reduce__(self):
        return self.made


# ---- Pickles made by hand ---------------------------------------------------------------------


def text(s):
    raw = s.encode("utf-8", "surrogatepass")
    return b"X" + struct.pack("<I", len(raw)) + raw


def number(n):
    if 0 <= n < 256:
        return b"K" + bytes([n])
    raw = n.to_bytes((n.bit_length() + 8) // 8, "little", signed=True)
    return b"\x8a" + bytes([len(raw)]) + raw


def name(module, what):
    return f"c{module}\n{what}\n".encode()


def group(*items):
    return b"(" + b"".join(items) + b"t"


EMPTY_DICT = name("collections", "OrderedDict") + b")R"


def storage(key="0", kind="FloatStorage", n=12, module="torch", more=b""):
    return group(text("storage"), name(module, kind), text(key), text("cpu"), number(n), more) + b"Q"


def tensor(store=None, offset=0, shape=(3, 4), stride=(4, 1), function="_rebuild_tensor_v2", more=b""):
    args = [store or storage(), number(offset), group(*map(number, shape)), group(*map(number, stride))]
    if function != "_rebuild_tensor":
        args += [b"\x89", EMPTY_DICT, more]
    return name("torch._utils", function) + group(*args) + b"R"


def entries(*pairs):
    return b"}(" + b"".join(text(k) + v for k, v in pairs) + b"u"


def program(body, protocol=2):
    return b"\x80" + bytes([protocol]) + body + b"."


def state(*pairs):
    return program(entries(*(pairs or [("w", tensor())])))


DATA = struct.pack("<12f", *(i / 8 - 0.5 for i in range(12)))


def zipped(pkl, data=None, more=(), method=zipfile.ZIP_STORED, folder="archive/", zip64=False, comment=b""):
    out = io.BytesIO()
    limit, count = zipfile.ZIP64_LIMIT, zipfile.ZIP_FILECOUNT_LIMIT
    if zip64:
        zipfile.ZIP64_LIMIT = zipfile.ZIP_FILECOUNT_LIMIT = 0
    try:
        with zipfile.ZipFile(out, "w", method) as z:
            members = [("data.pkl", pkl), ("byteorder", b"little")]
            members += [(f"data/{k}", v) for k, v in ({"0": DATA} if data is None else data).items()]
            for member, content in [*members, ("version", b"3\n"), *more]:
                if content is not None:
                    z.writestr(zipfile.ZipInfo(folder + member), content, method)
            z.comment = comment
    finally:
        zipfile.ZIP64_LIMIT, zipfile.ZIP_FILECOUNT_LIMIT = limit, count
    return out.getvalue()


MAGIC = program(b"\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19")
VERSION = program(b"M\xe9\x03")


def system(little=b"\x88"):
    return program(entries(("protocol_version", b"M\xe9\x03"), ("little_endian", little)))


def legacy(pkl=None, keys=("0",), data=None, magic=MAGIC, version=VERSION, info=None, list_of=None):
    pkl = pkl or program(entries(("w", tensor(storage(more=b"N")))))
    list_of = list_of if list_of is not None else program(b"](" + b"".join(map(text, keys)) + b"e")
    data = struct.pack("<Q", 12) + DATA if data is None else data
    return magic + version + (info or system()) + pkl + list_of + data


def flags(data, at, value):
    """The first member's place in the directory, with a byte changed."""
    start = data.index(b"PK\x01\x02")
    return data[:start + at] + bytes([value]) + data[start + at + 1:]


def end_byte(data, at, value, signature=b"PK\x05\x06"):
    start = data.rindex(signature)
    return data[:start + at] + bytes([value]) + data[start + at + 1:]


def pairs_of_python_2():
    """As Python 2 wrote an OrderedDict: byte strings, and a list of pairs."""
    short = lambda s: b"U" + bytes([len(s)]) + s
    long = lambda s: b"T" + struct.pack("<I", len(s)) + s
    store = group(short(b"storage"), name("torch", "FloatStorage"), short(b"0"), short(b"cpu"), number(12), b"N") + b"Q"
    t = tensor(store, function="_rebuild_tensor")
    pair = lambda k, v: b"](" + k + v + b"e"
    return program(name("collections", "OrderedDict") + group(
        b"](" + pair(short(b"w"), t) + pair(short(b"v"), tensor(store)) + group(short(b"tuple"), t) + b"e") + b"R")


V3 = name("torch._utils", "_rebuild_tensor_v3") + group(
    storage(kind="UntypedStorage", module="torch.storage", n=48), number(0), group(number(12)), group(number(1)), b"\x89",
    EMPTY_DICT, name("torch", "float32")) + b"R"
VIEW = group(text("v"), number(4), number(8))
FROM_TYPE = name("torch._tensor", "_rebuild_from_type_v2") + group(
    name("torch._utils", "_rebuild_tensor_v2"), name("torch", "Tensor"),
    group(storage(), number(0), group(number(12)), group(number(1)), b"\x89", EMPTY_DICT), b"}") + b"R"
LONG_STATE = b"\x8a\x0b" + b"\x01" * 11

SOUND = [
    ("a state dict with everything in it", save(mixed())),
    ("the same, before PyTorch 1.6", save(mixed(), legacy=True)),
    *[(f"protocol {p}", save({"w": numbers(), "tied": numbers().t()}, protocol=p)) for p in (3, 4, 5)],
    *[(f"protocol {p}, before PyTorch 1.6", save({"w": numbers(), "b": numbers().half()}, protocol=p, legacy=True))
      for p in (3, 4, 5)],
    ("a module's state dict, with its metadata", save(Part().state_dict())),
    ("the same, before PyTorch 1.6", save(Part().state_dict(), legacy=True)),
    ("parameters, and tensors with attributes", save(parameters())),
    ("types that are not computed with", save({
        "bool": torch.ones(3, dtype=torch.bool), "i8": torch.ones(3, dtype=torch.int8), "i16": torch.ones(3, dtype=torch.int16),
        "i32": torch.ones(3, dtype=torch.int32), "u8": torch.ones(3, dtype=torch.uint8), "i64": torch.arange(3),
        "c64": torch.ones(3, dtype=torch.complex64), "c128": torch.ones(3, dtype=torch.complex128),
        "u16": torch.ones(3).to(torch.uint16), "u32": torch.ones(3).to(torch.uint32), "u64": torch.ones(3).to(torch.uint64),
        "e4m3": torch.ones(3).to(torch.float8_e4m3fn), "e5m2": torch.ones(3).to(torch.float8_e5m2),
        "e4m3fnuz": torch.ones(3).to(torch.float8_e4m3fnuz), "e5m2fnuz": torch.ones(3).to(torch.float8_e5m2fnuz),
        "e8m0": torch.ones(3).to(torch.float8_e8m0fnu), "w": torch.ones(3)})),
    ("plain values beside tensors", save({"w": numbers(), "step": 3, "big": 1 << 90, "low": -5, "lower": -70000,
                                          "rate": 0.5, "name": "x", "none": None, "yes": True})),
    ("no tensors", save({})),
    ("no tensors, before PyTorch 1.6", save({}, legacy=True)),
    ("by another zip program", zipped(state())),
    ("zip64 throughout", zipped(state(), zip64=True)),
    ("a zip with a comment", zipped(state(), comment=b"hello PK\x05\x06 there")),
    ("by Python 2", legacy(pairs_of_python_2())),
    ("a storage seen through a view", legacy(program(entries(
        ("w", tensor(storage(more=VIEW), shape=(2, 4))), ("all", tensor(storage(more=b"N"))))))),
    ("a tensor of a storage without a type", zipped(state(("w", V3)))),
    ("a tensor of a subclass", zipped(state(("w", FROM_TYPE)))),
    ("memory of a GPU", zipped(state(("w", tensor(storage(module="torch.cuda")))))),
    ("an empty tensor of any stride",
     zipped(state(("w", tensor()), ("e", tensor(shape=(0, 2**40), stride=(7, 2**50)))))),
    ("lists, marks and what is thrown away",
     zipped(program(b"(K\x01K\x021" + b"K\x052" + b"00" + b"]K\x01a(K\x02K\x03e0(K\x01l0" + b"(" + text("w") + tensor() + b"d"))),
    ("an OrderedDict by SETITEM, with attributes", zipped(program(EMPTY_DICT + text("w") + tensor() + b"s}b"))),
    ("a tensor's shape as torch.Size and as a list", zipped(state(("w", name("torch._utils", "_rebuild_tensor_v2") + group(
        storage(), number(0), name("torch", "Size") + b"(" + group(number(3), number(4)) + b"tR", b"](K\x04K\x01e", b"\x89", EMPTY_DICT,
        b"}") + b"R")))),
    ("numbers in every width", zipped(state(("w", tensor(shape=(12,), stride=(1,))), ("a", b"J\xff\xff\xff\xff"), ("b", b"M\xff\xff"),
                                            ("c", b"\x8a\x00"), ("d", LONG_STATE), ("e", b"G" + bytes(8))))),
    ("a memo with holes", zipped(program(b"}q\x02r\x30\x00\x00\x00(" + text("w") + tensor() + b"u0h\x02j\x30\x00\x00\x000"))),
]

BOMB = b"2" * 70000  # as many references, no copies
TUPLES = b")" + b"2\x86" * 200 + b"0"

# (name, bytes, status, phrases). torch.load takes some: what is no model's state dict, what is well formed and not
# computed with, and a few that it reads without looking (a storage that is not there comes out as memory's noise).
BROKEN = [
    ("os.system", save({"w": Stop(os.system, "true")}), UNSUPPORTED, ["asks Python to run posix.system", "nothing was run"]),
    ("os.system, before PyTorch 1.6", save({"w": Stop(os.system, "true")}, legacy=True), UNSUPPORTED, ["posix.system"]),
    ("os.system in protocol 4", save({"w": Stop(os.system, "true")}, protocol=4), UNSUPPORTED, ["posix.system"]),
    ("eval as a pickle alone", pickle.dumps(Stop(eval, "1"), protocol=2), UNSUPPORTED, ["asks Python to run"]),
    ("a name with a terminal's commands", zipped(program(name("os\x1b[31m", "x\x07"))), UNSUPPORTED, ["run os?[31m.x?,"]),
    ("a name of 3000 letters", zipped(program(name("o" * 3000, "s" * 3000))), UNSUPPORTED, ["run oooo"]),
    ("a whole module", save(Part()), UNSUPPORTED, ["asks Python to run", "Part", "state_dict()"]),
    ("an array of NumPy", save({"w": numpy.ones(3)}), UNSUPPORTED, ["numpy"]),
    ("a quantized tensor", save({"w": torch.quantize_per_tensor(numbers(), 0.1, 0, torch.qint8)}), UNSUPPORTED, ["_rebuild_qtensor"]),
    ("a sparse tensor", save({"w": numbers().to_sparse()}), UNSUPPORTED, ["_rebuild_sparse_tensor"]),
    ("a checkpoint of a training run", save({"epoch": 1, "state_dict": {"w": numbers()}, "loss": 0.5}), UNSUPPORTED,
     ["training run", 'inside its "state_dict"', 'torch.load(FILE)["state_dict"]']),
    ("a dict of no tensors inside", save({"w": numbers(), "args": {"lr": 1}}), UNSUPPORTED, ['its "args" is a dict, not a tensor']),
    ("a list inside", save({"w": [numbers()]}), UNSUPPORTED, ['"w" is a list']),
    ("a tuple inside", save({"w": (1, 2)}), UNSUPPORTED, ['"w" is a tuple']),
    ("a type inside", save({"w": torch.float32}), UNSUPPORTED, ['"w" is a name']),
    ("a storage inside", save({"w": numbers().untyped_storage()}), UNSUPPORTED, ['"w" is a storage']),
    ("a tensor alone", save(numbers()), UNSUPPORTED, ["holds a tensor, not the dict"]),
    ("a list of tensors", save([numbers()]), UNSUPPORTED, ["holds a list, not the dict"]),
    ("a list of tensors, before PyTorch 1.6", save([numbers()], legacy=True), UNSUPPORTED, ["holds a list, not the dict"]),
    ("names that are no texts", save({1: numbers()}), FORMAT, ["a name that is no text"]),
    ("a zero byte in a name", save({"a\0b": numbers()}), FORMAT, ["zero byte"]),
    ("an expanded tensor", save({"w": torch.ones(1).expand(1000, 1000)}), UNSUPPORTED, ["w repeats numbers", "contiguous()"]),
    ("a conjugated tensor", save({"w": torch.ones(3, dtype=torch.complex64).conj()}), UNSUPPORTED, ["conjugated"]),
    ("a program of TorchScript", None, UNSUPPORTED, ["TorchScript"]),
    ("a pickle that is none of torch's", pickle.dumps({"a": 1}, protocol=2), UNSUPPORTED, ["did not write: it holds a dict"]),
    ("a pickled number", pickle.dumps(7, protocol=4), UNSUPPORTED, ["it holds an int"]),
    ("another long number", pickle.dumps(1 << 200, protocol=2), UNSUPPORTED, ["it holds an int"]),
    ("big-endian", None, UNSUPPORTED, ["big-endian"]),
    ("no byte order that there is", None, FORMAT, ["byteorder is neither"]),
    ("three letters of none", None, FORMAT, ["byteorder is neither"]),
    ("big-endian, before PyTorch 1.6", legacy(info=system(b"\x89")), UNSUPPORTED, ["big-endian"]),
    ("no byte order, before PyTorch 1.6", legacy(info=program(b"}")), FORMAT, ["does not tell its byte order"]),
    ("a byte order of 1", legacy(info=system(b"K\x01")), FORMAT, ["does not tell its byte order"]),
    ("a system that is no dict", legacy(info=program(b"N")), FORMAT, ["does not tell its byte order"]),
    ("another version", legacy(version=program(b"M\xea\x03")), FORMAT, ["version is not 1001"]),
    ("a version that is a text", legacy(version=program(text("1001"))), FORMAT, ["version is not 1001"]),
    ("keys that are no list", legacy(list_of=program(b"}")), FORMAT, ["no list"]),
    ("a key that is a number", legacy(list_of=program(b"]K\x05a")), FORMAT, ["key is no text"]),
    ("a storage of nobody", legacy(keys=("0", "1")), FORMAT, ["no tensor uses"]),
    ("a storage twice", legacy(keys=("0", "0"), data=2 * (struct.pack("<Q", 12) + DATA)), FORMAT, ["storage twice"]),
    ("a storage that is not there", legacy(keys=()), FORMAT, ["lacks a storage"]),
    ("a count that is cut", legacy(data=b"\x0c\0\0"), FORMAT, ["cut short"]),
    ("numbers that are cut", legacy()[:-1], FORMAT, ["cut short"]),
    ("a count that overflows", legacy(data=struct.pack("<Q", 2**62 + 3) + DATA), FORMAT, ["cut short"]),
    ("a count that is not the tensor's", legacy(data=struct.pack("<Q", 11) + DATA), FORMAT, ["storage 0: expected 12 numbers of type F32, found 44"]),
    ("two types of one storage", legacy(program(entries(("a", tensor(storage(more=b"N"))), ("b", tensor(storage(kind="HalfStorage", more=b"N")))))),
     FORMAT, ["storage 0: expected 12 numbers"]),
    ("a view outside its storage", legacy(program(entries(("w", tensor(storage(more=group(text("v"), number(5), number(8)))))))), FORMAT, ["view"]),
    ("a view from outside its storage", legacy(program(entries(("w", tensor(storage(more=group(text("v"), number(13), number(0)))))))), FORMAT, ["view"]),
    ("a view of two numbers", legacy(program(entries(("w", tensor(storage(more=group(number(5), number(8)))))))), FORMAT, ["view"]),
    ("a view of minus one", legacy(program(entries(("w", tensor(storage(more=group(text("v"), b"J\xff\xff\xff\xff", number(8)))))))), FORMAT, ["view"]),
    ("a view of a text", legacy(program(entries(("w", tensor(storage(more=group(text("v"), number(1), text("8")))))))), FORMAT, ["view"]),
    ("a view that is a number", legacy(program(entries(("w", tensor(storage(more=number(5))))))), FORMAT, ["view"]),
    ("a tensor larger than its view", legacy(program(entries(("w", tensor(storage(more=VIEW)))))), FORMAT, ["w needs 12 numbers from 0 on of a storage of 8"]),
    ("a whole model of long ago", legacy(program(entries(("w", group(text("module"), name("collections", "OrderedDict"), text("a"), text("b")) + b"Q")))),
     UNSUPPORTED, ["whole model"]),
    # Places.
    ("an offset outside", zipped(state(("w", tensor(offset=13, shape=(0,), stride=(1,))))), FORMAT, ["w needs 0 numbers from 13 on of a storage of 12"]),
    ("one number too many", zipped(state(("w", tensor(offset=1)))), FORMAT, ["w needs 12 numbers from 1 on of a storage of 12"]),
    ("strides too long", zipped(state(("w", tensor(stride=(5, 1))))), FORMAT, ["w needs 14 numbers"]),
    ("a shape that overflows", zipped(state(("w", tensor(shape=(2**40, 2**40), stride=(0, 0))))), FORMAT, ["w is of a shape that overflows"]),
    ("a stride that overflows", zipped(state(("w", tensor(shape=(5, 4), stride=(2**62, 1))))), FORMAT, ["w is of a shape that overflows"]),
    ("strides whose sum overflows", zipped(state(("w", tensor(shape=(2, 2, 2, 2, 2), stride=(2**62,) * 5)))), FORMAT, ["overflows"]),
    ("strides up to the last number that there is", zipped(state(("w", tensor(shape=(2, 2, 2, 2, 2), stride=(2**62, 2**62, 2**62, 2**62 - 2, 0))))),
     FORMAT, ["needs 18446744073709551615 numbers"]),
    ("an extent that overflows", zipped(state(("w", tensor(shape=(2, 2, 2, 2, 4), stride=(2**62, 2**62, 2**62, 2**62 - 1, 1))))), FORMAT, ["overflows"]),
    ("a stride below zero", zipped(state(("w", tensor(stride=(-4, 1))))), FORMAT, ["not made of a storage"]),
    ("a size below zero", zipped(state(("w", tensor(shape=(-3, 4))))), FORMAT, ["not made of a storage"]),
    ("an offset below zero", zipped(state(("w", tensor(offset=-1)))), FORMAT, ["not made of a storage"]),
    ("fewer strides than sizes", zipped(state(("w", tensor(stride=(4,))))), FORMAT, ["not made of a storage"]),
    ("a shape that is a number", zipped(state(("w", name("torch._utils", "_rebuild_tensor") + group(storage(), b"K\0", b"K\x0c", b"K\1") + b"R"))), FORMAT, ["not made of a storage"]),
    ("a shape of texts", zipped(state(("w", name("torch._utils", "_rebuild_tensor") + group(storage(), b"K\0", group(text("3")), group(b"K\1")) + b"R"))), FORMAT, ["not made of a storage"]),
    ("a stride that is none", zipped(state(("w", name("torch._utils", "_rebuild_tensor") + group(storage(), b"K\0", group(b"K\1"), b"N") + b"R"))), FORMAT, ["not made of a storage"]),
    ("a tensor of a tensor", zipped(state(("w", tensor(tensor())))), FORMAT, ["not made of a storage"]),
    ("many copies of one storage", zipped(state(*[(f"w{i}", tensor(storage(n=1200), shape=(2, 600), stride=(1, 2))) for i in range(20)]), {"0": DATA * 100}), UNSUPPORTED, ["repeats numbers"]),
    # Storages.
    ("a storage that is missing", zipped(state(), {}), FORMAT, ["storage 0 is not in it"]),
    ("a storage that is too short", zipped(state(), {"0": DATA[:-1]}), FORMAT, ["storage 0: expected 12 numbers of type F32, found 47 bytes"]),
    ("a storage that is too long", zipped(state(), {"0": DATA + b"x"}), FORMAT, ["found 49 bytes"]),
    ("a storage whose size overflows", zipped(state(("w", tensor(storage(n=2**62 + 12))))), FORMAT, ["storage 0: expected 4611686018427387916 numbers"]),
    ("a storage of minus one", zipped(state(("w", tensor(storage(n=-1))))), FORMAT, ["persistent id"]),
    ("a storage whose key is a number", zipped(state(("w", tensor(group(text("storage"), name("torch", "FloatStorage"), b"K\0", text("cpu"), b"K\x0c") + b"Q")))), FORMAT, ["persistent id"]),
    ("a storage of no type", zipped(state(("w", tensor(group(text("storage"), name("torch", "Tensor"), text("0"), text("cpu"), b"K\x0c") + b"Q")))), FORMAT, ["persistent id"]),
    ("a storage of None", zipped(state(("w", tensor(group(text("storage"), b"N", text("0"), text("cpu"), b"K\x0c") + b"Q")))), FORMAT, ["persistent id"]),
    ("another kind of id", zipped(state(("w", tensor(group(text("store"), name("torch", "FloatStorage"), text("0"), text("cpu"), b"K\x0c") + b"Q")))), FORMAT, ["persistent id"]),
    ("an id of two", zipped(state(("w", tensor(group(text("storage"), text("0")) + b"Q")))), FORMAT, ["persistent id"]),
    ("an id of seven", zipped(state(("w", tensor(storage(more=b"NN"))))), FORMAT, ["persistent id"]),
    ("an id of nothing", zipped(program(b")Q")), FORMAT, ["persistent id"]),
    ("an id that is a text", zipped(program(text("storage") + b"Q")), FORMAT, ["persistent id"]),
    # Calls.
    ("a tensor of three arguments", zipped(program(name("torch._utils", "_rebuild_tensor_v2") + group(storage(), b"K\0", b")") + b"R")), FORMAT, ["4 to 7"]),
    ("a tensor of eight arguments", zipped(program(tensor(more=b"NN"))), FORMAT, ["4 to 7"]),
    ("a tensor v3 without a type", zipped(program(tensor(function="_rebuild_tensor_v3", more=b"N"))), FORMAT, ["with a type"]),
    ("a tensor v3 of a class", zipped(program(tensor(function="_rebuild_tensor_v3", more=name("torch", "Tensor")))), FORMAT, ["with a type"]),
    ("a tensor v3 of six arguments", zipped(program(tensor(function="_rebuild_tensor_v3"))), FORMAT, ["with a type"]),
    ("a tensor v3 of nine arguments", zipped(program(tensor(function="_rebuild_tensor_v3", more=name("torch", "float32") + b"NN"))), FORMAT, ["with a type"]),
    ("a negated tensor v3", zipped(program(tensor(function="_rebuild_tensor_v3", more=name("torch", "float32") + entries(("neg", b"\x88"))))), UNSUPPORTED, ["negated"]),
    ("a parameter of None", zipped(program(name("torch._utils", "_rebuild_parameter") + group(b"N", b"\x89", EMPTY_DICT) + b"R")), FORMAT, ["takes a tensor"]),
    ("a parameter of nothing", zipped(program(name("torch._utils", "_rebuild_parameter") + b")R")), FORMAT, ["takes a tensor"]),
    ("a Size of two", zipped(program(name("torch", "Size") + group(b")", b")") + b"R")), FORMAT, ["Size takes"]),
    ("a Size of a text", zipped(program(name("torch", "Size") + group(text("x")) + b"R")), FORMAT, ["Size takes"]),
    ("an OrderedDict of two", zipped(program(name("collections", "OrderedDict") + group(b"]", b"]") + b"R")), FORMAT, ["list of pairs"]),
    ("an OrderedDict of a number", zipped(program(name("collections", "OrderedDict") + group(b"K\1") + b"R")), FORMAT, ["list of pairs"]),
    ("an OrderedDict of a list of numbers", zipped(program(name("collections", "OrderedDict") + group(b"]K\1a") + b"R")), FORMAT, ["list of pairs"]),
    ("an OrderedDict of a list of threes", zipped(program(name("collections", "OrderedDict") + group(b"](K\1K\2K\3ta") + b"R")), FORMAT, ["list of pairs"]),
    ("a call of a class", zipped(program(name("torch", "Tensor") + b")R")), FORMAT, ["calls what is no function"]),
    ("a call of a storage", zipped(program(name("torch", "FloatStorage") + b"(K\x7ftR")), FORMAT, ["calls what is no function"]),
    ("a call of a number", zipped(program(b"K\1)R")), FORMAT, ["calls what is no function"]),
    ("a call with a list", zipped(program(name("torch", "Size") + b"]R")), FORMAT, ["calls what is no function"]),
    ("a subclass of two arguments", zipped(program(name("torch._tensor", "_rebuild_from_type_v2") + group(b"N", b"N") + b"R")), FORMAT, ["_rebuild_from_type_v2 takes"]),
    ("a subclass by a number", zipped(program(name("torch._tensor", "_rebuild_from_type_v2") + group(b"N", b"N", b")", b"N") + b"R")), FORMAT, ["_rebuild_from_type_v2 takes"]),
    ("a subclass with a list", zipped(program(name("torch._tensor", "_rebuild_from_type_v2") + group(name("torch", "Size"), b"N", b"]", b"N") + b"R")), FORMAT, ["_rebuild_from_type_v2 takes"]),
    ("a subclass of a subclass", zipped(program(name("torch._tensor", "_rebuild_from_type_v2") + group(name("torch._tensor", "_rebuild_from_type_v2"), b"N", b")", b"N") + b"R")), FORMAT, ["calls what is no function"]),
    ("the state of a tensor", zipped(program(tensor() + b"}b")), UNSUPPORTED, ["sets the state of a tensor"]),
    # The machine.
    ("nothing to read", zipped(b""), FORMAT, ["ends early"]),
    ("no end", zipped(b"\x80\x02}"), FORMAT, ["ends early"]),
    ("a text that is cut", zipped(b"\x80\x02X\xff\0\0\0abc"), FORMAT, ["ends early"]),
    ("a name that is cut", zipped(b"\x80\x02cos\nsystem"), FORMAT, ["ends early"]),
    ("a module that is cut", zipped(b"\x80\x02cos"), FORMAT, ["ends early"]),
    ("a number that is cut", zipped(b"\x80\x02J\0\0"), FORMAT, ["ends early"]),
    ("a float that is cut", zipped(b"\x80\x02G\0\0"), FORMAT, ["ends early"]),
    ("a long number that is cut", zipped(b"\x80\x02\x8b\xff\xff\xff\xff"), FORMAT, ["ends early"]),
    ("a text of 2^64 bytes", zipped(b"\x80\x04\x8d" + b"\xff" * 8), FORMAT, ["ends early"]),
    ("a frame that is too long", zipped(b"\x80\x04\x95" + b"\xff" * 8 + b"}."), FORMAT, ["frame reaches"]),
    ("a frame that is cut", zipped(b"\x80\x04\x95\0"), FORMAT, ["ends early"]),
    ("protocol 1", zipped(b"\x80\x01}."), UNSUPPORTED, ["protocol 1"]),
    ("protocol 6", zipped(b"\x80\x06}."), UNSUPPORTED, ["protocol 6"]),
    ("no protocol", zipped(b"\x80"), FORMAT, ["ends early"]),
    ("an unknown opcode", zipped(program(b"\xff")), UNSUPPORTED, ["opcode 0xff at byte 2"]),
    ("a new object", zipped(program(name("collections", "OrderedDict") + b")\x81")), UNSUPPORTED, ["opcode 0x81"]),
    ("an old instance", zipped(program(b"(ios\nsystem\n")), UNSUPPORTED, ["opcode 0x69"]),
    ("an extension", zipped(program(b"\x82\x01")), UNSUPPORTED, ["opcode 0x82"]),
    ("a text that is not UTF-8", zipped(program(b"X\x01\0\0\0\xff")), FORMAT, ["not UTF-8"]),
    ("half a pair of surrogates", zipped(state(("\ud800", tensor()))), FORMAT, ["not UTF-8"]),
    ("bytes where a name should be", zipped(program(b"}(C\x01a" + tensor() + b"u")), FORMAT, ["a name that is no text"]),
    ("a name of Python 2 that is not UTF-8", zipped(program(b"}(U\x01\xff" + tensor() + b"u")), FORMAT, ["a name that is no text"]),
    ("two values at the end", zipped(program(b"}}")), FORMAT, ["more than one value"]),
    ("no value at the end", zipped(program(b"")), FORMAT, ["less on the stack"]),
    ("a mark at the end", zipped(program(b"(")), FORMAT, ["finds a mark"]),
    ("a mark under the end", zipped(program(b"(}")), FORMAT, ["more than one value"]),
    ("a tuple of too few", zipped(program(b"K\1\x87")), FORMAT, ["less on the stack"]),
    ("a tuple over a mark", zipped(program(b"K\1(K\1\x86")), FORMAT, ["finds a mark"]),
    ("a tuple without a mark", zipped(program(b"K\1t")), FORMAT, ["no mark"]),
    ("a list without a mark", zipped(program(b"K\1l")), FORMAT, ["no mark"]),
    ("items without a mark", zipped(program(b"}K\1u")), FORMAT, ["no mark"]),
    ("an odd dict", zipped(program(b"(K\1d")), FORMAT, ["key without a value"]),
    ("odd items", zipped(program(b"}(K\1u")), FORMAT, ["key without a value"]),
    ("items of a list", zipped(program(b"](K\1K\1u")), FORMAT, ["what is no dict"]),
    ("an item of a number", zipped(program(b"K\0K\1K\1s")), FORMAT, ["what is no dict"]),
    ("appending to a dict", zipped(program(b"}K\1a")), FORMAT, ["what is no list"]),
    ("appending to a tuple", zipped(program(b")(K\1e")), FORMAT, ["what is no list"]),
    ("appending to nothing", zipped(program(b"(K\1e")), FORMAT, ["less on the stack"]),
    ("an item of nothing", zipped(program(b"K\1K\1s")), FORMAT, ["less on the stack"]),
    ("taking from nothing", zipped(program(b"0")), FORMAT, ["less on the stack"]),
    ("taking to no mark", zipped(program(b"1")), FORMAT, ["no mark"]),
    ("twice nothing", zipped(program(b"2")), FORMAT, ["less on the stack"]),
    ("remembering nothing", zipped(program(b"q\0")), FORMAT, ["less on the stack"]),
    ("remembering a mark", zipped(program(b"(\x94")), FORMAT, ["finds a mark"]),
    ("a memo beyond all", zipped(program(b"}r\xff\xff\xff\xff")), FORMAT, ["memo's number"]),
    ("what was never remembered", zipped(program(b"h\0")), FORMAT, ["never put"]),
    ("a hole of the memo", zipped(program(b"}q\x05h\4")), FORMAT, ["never put"]),
    ("reducing nothing", zipped(program(b")R")), FORMAT, ["less on the stack"]),
    ("building nothing", zipped(program(b"}b")), FORMAT, ["less on the stack"]),
    ("an id of a mark", zipped(program(b"(Q")), FORMAT, ["finds a mark"]),
    ("a name of numbers", zipped(program(b"K\1K\1\x93", 4)), FORMAT, ["by what is no text"]),
    ("a name of a text and a number", zipped(program(text("os") + b"K\1\x93", 4)), FORMAT, ["by what is no text"]),
    ("a name of nothing", zipped(program(b"\x93", 4)), FORMAT, ["less on the stack"]),
    ("a name of the stack", zipped(program(text("os") + text("system") + b"\x93", 4)), UNSUPPORTED, ["run os.system"]),
    ("seventy thousand references", zipped(program(b"K\1" + BOMB)), FORMAT, ["more than one value"]),
    ("tuples in tuples in tuples", zipped(program(TUPLES)), FORMAT, ["less on the stack"]),
    ("a list in itself", zipped(program(b"]q\0h\0a")), UNSUPPORTED, ["holds a list"]),
    ("a dict in itself", zipped(program(b"}q\0(" + text("w") + b"h\0u")), UNSUPPORTED, ['"w" is a dict']),
    # The zip.
    ("a zip without its end", zipped(state())[:-22], FORMAT, ["begins as a zip file", "cut short"]),
    ("half a zip", zipped(state())[:300], FORMAT, ["cut short"]),
    ("a few bytes of a zip", b"PK\3\4", FORMAT, ["cut short"]),
    ("a zip of nothing but its end", b"PK\3\4" + b"PK\5\6" + bytes(18), FORMAT, ["directory is not where"]),
    ("a zip of one part in many", end_byte(zipped(state()), 4, 1), FORMAT, ["several parts"]),
    ("a zip that begins elsewhere", end_byte(zipped(state()), 6, 1), FORMAT, ["several parts"]),
    ("more members than there are", end_byte(zipped(state()), 10, 9), FORMAT, ["directory ends early"]),
    ("a few members too many", end_byte(zipped(state()), 10, 5), FORMAT, ["directory ends early"]),
    ("fewer members than there are", end_byte(zipped(state()), 10, 2), FORMAT, ["more than it counts"]),
    ("a directory elsewhere", end_byte(zipped(state()), 16, 1), FORMAT, ["directory is not where"]),
    ("a directory larger than the file", end_byte(zipped(state()), 15, 1), FORMAT, ["directory is not where"]),
    ("a zip64 record elsewhere", end_byte(zipped(state(), zip64=True), 8, 1, b"PK\6\7"), FORMAT, ["zip64 record"]),
    ("a zip64 record far outside", end_byte(zipped(state(), zip64=True), 15, 1, b"PK\6\7"), FORMAT, ["zip64 record"]),
    ("a zip64 of many parts", end_byte(zipped(state(), zip64=True), 16, 1, b"PK\6\6"), FORMAT, ["several parts"]),
    ("a zip64 that begins elsewhere", end_byte(zipped(state(), zip64=True), 20, 1, b"PK\6\6"), FORMAT, ["several parts"]),
    ("a zip64 of 2^56 members", end_byte(zipped(state(), zip64=True), 39, 1, b"PK\6\6"), FORMAT, ["directory ends early"]),
    ("a member with a broken entry", flags(zipped(state()), 0, 1), FORMAT, ["directory ends early"]),
    ("a member with a long name", flags(zipped(state()), 29, 255), FORMAT, ["directory ends early"]),
    ("a member that is encrypted", flags(zipped(state()), 8, 1), UNSUPPORTED, ["data.pkl is encrypted"]),
    ("compressed members", zipped(state(), method=zipfile.ZIP_DEFLATED), UNSUPPORTED, ["data.pkl is compressed", "zip -0"]),
    ("two sizes", flags(zipped(state()), 20, 1), FORMAT, ["two sizes"]),
    ("a member elsewhere", flags(zipped(state()), 42, 1), FORMAT, ["not where the directory says"]),
    ("a member behind the directory", flags(zipped(state()), 45, 1), FORMAT, ["not where the directory says"]),
    ("a member in the directory", None, FORMAT, ["not where the directory says"]),
    ("a member that is too long", flags(flags(zipped(state()), 23, 1), 27, 1), FORMAT, ["beyond the directory"]),
    ("a member whose header is too long", None, FORMAT, ["beyond the directory"]),
    ("two members of one name", zipped(state(), more=[("data/0", DATA)]), FORMAT, ["two members archive/data/0"]),
    ("a zip64 field that is cut", None, FORMAT, ["zip64 field"]),
    ("a zip64 field that is too short", None, FORMAT, ["zip64 field"]),
    ("a zip of something else", zipped(state(), folder=""), UNSUPPORTED, ["did not write"]),
    ("a zip with folders of something else", zipped(None), UNSUPPORTED, ["without data.pkl"]),
    ("a program of TorchScript by hand", zipped(state(), more=[("constants.pkl", b")")]), UNSUPPORTED, ["TorchScript"]),
    ("a compressed storage", None, UNSUPPORTED, ["data/0 is compressed"]),
    ("a compressed byte order", None, UNSUPPORTED, ["byteorder is compressed"]),
]

def built():
    """Those that are easier to say in steps."""
    def order(content):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as z:
            for member, data in [("data.pkl", state()), ("byteorder", content), ("data/0", DATA), ("version", b"3\n")]:
                z.writestr("archive/" + member, data)
        return out.getvalue()

    def one_compressed(which):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as z:
            for member, data in [("data.pkl", state()), ("byteorder", b"little"), ("data/0", DATA)]:
                z.writestr("archive/" + member, data * (20 if member == which == "byteorder" else 1),
                           zipfile.ZIP_DEFLATED if member == which else zipfile.ZIP_STORED)
        return out.getvalue()

    script = io.BytesIO()
    torch.jit.save(torch.jit.script(Part()), script)
    wide = zipped(state(), zip64=True)
    start = wide.index(b"PK\1\2") + 46 + len("archive/data.pkl")
    # The directory says that it is at its own place.
    inside = zipped(state())
    place = struct.unpack("<I", inside[-6:-2])[0]
    at = inside.index(b"PK\1\2")
    inside = inside[:at + 42] + struct.pack("<I", place - 10) + inside[at + 46:]
    header = zipped(state())
    header = header[:27] + b"\xff" + header[28:]
    return {
        "big-endian": order(b"big"), "no byte order that there is": order(b"middle"), "three letters of none": order(b"low"),
        "a program of TorchScript": script.getvalue(),
        "a member in the directory": inside, "a member whose header is too long": header,
        "a zip64 field that is cut": wide[:start + 2] + b"\xff" + wide[start + 3:],
        "a zip64 field that is too short": wide[:start + 2] + b"\4" + wide[start + 3:],
        "a compressed storage": one_compressed("data/0"), "a compressed byte order": one_compressed("byteorder"),
    }


def load(data, weights_only=True):
    with tempfile.NamedTemporaryFile(suffix=".bin") as file:
        file.write(data)
        file.flush()
        try:
            return torch.load(file.name, map_location="cpu", weights_only=weights_only), ""
        except Exception as error:  # of every kind
            return None, f"{type(error).__name__}: {error}".split("\n")[0][:160]


def bits(values):
    return numpy.atleast_1d(values.float().contiguous().numpy()).ravel().view(numpy.int32).tolist()


def expected(loaded):
    tensors = {k: v for k, v in loaded.items() if isinstance(v, torch.Tensor)}
    usable = sorted((k for k, v in tensors.items() if v.dtype in NAMES and v.dim() <= 8), key=lambda k: k.encode())
    return {"tensors": [{"name": k, "dtype": NAMES[tensors[k].dtype], "shape": list(tensors[k].shape),
                         "bits": bits(tensors[k].detach())} for k in usable],
            "odd": sorted((set(tensors) - set(usable)), key=lambda k: k.encode())}


def main():
    broken, sound, made = [], [], built()
    for label, data in SOUND:
        loaded, why = load(data)
        if loaded is None:  # its restricted reader knows few opcodes beyond those of protocol 2
            loaded, why = load(data, weights_only=False)
        assert loaded is not None, (label, why)
        sound.append({"name": label, "hex": data.hex(), **expected(loaded)})
    for label, data, status, phrases in BROKEN:
        data = made.get(label, data)
        loaded, why = load(data)
        case = {"name": label, "hex": data.hex(), "status": status, "phrases": phrases}
        broken.append(case | {"torch.load": why if loaded is None else "takes it"})
    raw = json.dumps({"made_with": {"torch": torch.__version__}, "sound": sound, "broken": broken}, indent=0).encode()
    with open(OUT, "wb") as out, gzip.GzipFile(filename="", mode="wb", fileobj=out, mtime=0, compresslevel=9) as f:
        f.write(raw)
    print(f"{len(sound)} sound, {len(broken)} broken, {len(raw)} bytes, {OUT.stat().st_size} packed -> {OUT}")


if __name__ == "__main__":
    main()
