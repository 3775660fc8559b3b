"""library.py: errors, structs, texts and ids, callbacks; and that no argument crashes the interpreter."""

import gc
import os
import subprocess
import sys
import threading
import unittest
import weakref

import numpy as np
import support  # noqa: F401

from nextoken import arrays, errors, library
from nextoken.errors import TextError
from nextoken.library import NULL, check, ffi, lib, new


class Errors(unittest.TestCase):
    def test_every_status_has_a_class(self):
        statuses = [getattr(lib, name) for name in dir(lib) if name.startswith("NT_E_")]
        for status in statuses:
            self.assertEqual(errors.CLASSES[status].status, status)
        self.assertEqual(len(errors.CLASSES), len(statuses))

    def test_the_message_and_the_builtin(self):
        with self.assertRaisesRegex(errors.NotFound, "no-such-folder"):
            check(lib.nt_tokenizer_open(ffi.new("nt_tokenizer **"), b"/no-such-folder"))
        for name, builtin in (("NotFound", FileNotFoundError), ("RangeError", IndexError),
                              ("ArgumentError", ValueError), ("OutOfMemory", MemoryError),
                              ("Denied", PermissionError), ("NetworkError", ConnectionError),
                              ("TextError", UnicodeError), ("NumericError", ArithmeticError),
                              ("Unsupported", NotImplementedError), ("ContextError", ValueError)):
            with self.assertRaises(builtin) as caught:
                raise getattr(errors, name)("a line")
            self.assertEqual(str(caught.exception), "a line")
            self.assertIsInstance(caught.exception, errors.Error)

    def test_a_status_that_nobody_knows(self):
        with self.assertRaises(errors.Error):
            check(-1000)


class Structs(unittest.TestCase):
    def test_defaults_are_those_of_the_macros(self):
        view = new("nt_view_options")
        self.assertEqual(view.size, ffi.sizeof("nt_view_options"))
        self.assertEqual((view.index, view.most_rows, view.plain, view.position, view.width),
                         (-1, -1, -1, -1, 0))
        generate = new("nt_generate_options")
        self.assertEqual((generate.top_k, generate.top_p, generate.min_length), (-1, -1, -1))
        self.assertEqual(generate.temperature, 0)
        self.assertEqual(generate.length_penalty, -sys.float_info.max)
        self.assertEqual(new("nt_encode_options").pad_id, -1)

    def test_a_struct_is_its_own(self):
        new("nt_view_options", width=7)
        self.assertEqual(new("nt_view_options").width, 0)

    def test_pointers(self):
        options = new("nt_score_options", continuations=["a", b"b"], prompt="caf\u00e9")
        gc.collect()
        self.assertEqual(options.n_continuations, 2)
        self.assertEqual([ffi.string(options.continuations[i]) for i in (0, 1)], [b"a", b"b"])
        self.assertEqual(ffi.string(options.prompt).decode(), "caf\u00e9")
        options = new("nt_generate_options", suppress_tokens=[3, 4, 5])
        gc.collect()
        self.assertEqual((options.n_suppress_tokens, options.suppress_tokens[2]), (3, 5))
        options = new("nt_generate_options", suppress_tokens=None)
        self.assertEqual(options.suppress_tokens, NULL)
        array = np.arange(4, dtype=np.int32)
        options = new("nt_generate_options", suppress_tokens=array)
        array[1] = 77
        self.assertEqual(options.suppress_tokens[1], 77, "the array is not copied")

    def test_what_does_not_fit(self):
        for wrong in ({"no_such": 1}, {"width": "wide"}, {"width": 1.5}, {"width": None}):
            with self.assertRaises(TypeError):
                new("nt_view_options", **wrong)
        with self.assertRaises(OverflowError):
            new("nt_view_options", width=1 << 40)
        with self.assertRaises(ValueError):
            new("nt_view_options", row_prefix="a\0b")


class TextsAndIds(unittest.TestCase):
    def test_texts(self):
        for value in ("", "abc", "caf\u00e9\0", b"\xff\x00"):
            pointer, n = library.text(value)
            raw = value if isinstance(value, bytes) else value.encode()
            self.assertEqual(ffi.buffer(pointer, n)[:], raw)
        with self.assertRaisesRegex(TextError, "half of a surrogate pair .* at character 1"):
            library.text("a\ud800")
        for wrong in (None, 3, ["a"], object()):
            with self.assertRaises(TypeError):
                library.text(wrong)

    def test_ids(self):
        for value in ([1, 2, 3], (1, 2, 3), range(1, 4), np.array([1, 2, 3]), np.array([1, 2, 3], np.uint8),
                      np.array([1, 9, 2, 9, 3], np.int32)[::2], [np.int64(1), np.int32(2), True + 2]):
            pointer, n, owner = library.ids(value)
            self.assertEqual(ffi.unpack(pointer, n), [1, 2, 3])
        self.assertEqual(library.ids([])[1], 0)
        self.assertEqual(library.ids(np.array([]))[1], 0)

    def test_an_array_of_int32_is_not_copied(self):
        array = np.arange(5, dtype=np.int32)
        pointer, _, owner = library.ids(array)
        self.assertTrue(np.shares_memory(owner, array))
        self.assertEqual(int(ffi.cast("uintptr_t", pointer)), array.ctypes.data)

    def test_ids_that_are_none(self):
        for wrong in ("12", b"12", None, 3, 1.5, [1.5], ["1"], [None], [[1]], np.array([1.0]), {1: 2}, {1, 2},
                      object(), [np.float32(1)], np.array(["a"]), np.array([None])):
            with self.assertRaises(TypeError, msg=repr(wrong)):
                library.ids(wrong)
        for wrong in (np.array(1), np.array([[1]])):
            with self.assertRaises(ValueError):
                library.ids(wrong)
        for wrong in ([1 << 31], [-(1 << 31) - 1], [1 << 100], np.array([1 << 31]), np.array([1 << 63], np.uint64)):
            with self.assertRaises(OverflowError):
                library.ids(wrong)


class Arrays(unittest.TestCase):
    def test_a_view_is_the_memory_and_keeps_its_owner(self):
        memory = ffi.new("float[]", [1, 2, 3, 4, 5, 6])

        class Owner:
            held = memory

        owner = Owner()
        gone = weakref.ref(owner)
        array = arrays.view(memory, (2, 3), owner)
        del owner
        gc.collect()
        memory[5] = 60
        self.assertEqual(array.tolist(), [[1, 2, 3], [4, 5, 60]])
        row = array[1]
        del array
        gc.collect()
        self.assertIsNotNone(gone(), "a slice keeps it alive")
        self.assertEqual(row[2], 60)
        del row
        gc.collect()
        self.assertIsNone(gone())

    def test_dlpack_hands_the_memory_over(self):
        memory = ffi.new("float[]", [1, 2, 3, 4])
        array = arrays.view(memory, (2, 2), memory)
        other = np.from_dlpack(array)
        self.assertTrue(np.shares_memory(array, other))
        memory[0] = 9
        self.assertEqual(other[0, 0], 9)

    def test_nothing_there(self):
        self.assertEqual(arrays.view(NULL, (0, 5), None).shape, (0, 5))
        with self.assertRaises(ValueError):
            arrays.view(NULL, (2,), None)

    def test_pointers_of_arrays(self):
        with self.assertRaises(ValueError):
            arrays.pointer(np.zeros((4, 4), np.float32).T[1:, :2])
        with self.assertRaises(TypeError):
            arrays.pointer(np.zeros(3, np.complex64))


class Callbacks(unittest.TestCase):
    """Exceptions of Python functions that C calls."""

    def show(self, write):
        model = ffi.new("nt_model **")
        check(lib.nt_model_open(model, support.checkpoint("letters").encode(), NULL))
        held = library.owned(model[0], "nt_model_free")
        result = library.result_of(lib.nt_info, held)
        function = library.callback("int(void *, char const *, size_t)", write, error=1)
        check(lib.nt_result_show(result, new("nt_view_options", format=lib.NT_JSON), function, NULL))

    def test_an_exception_comes_out_of_check(self):
        def write(payload, bytes_, n):
            raise KeyError("mine")

        with self.assertRaisesRegex(KeyError, "mine"):
            self.show(write)
        check(0)  # it is raised once

    def test_what_is_no_number(self):
        with self.assertRaises(TypeError):
            self.show(lambda payload, bytes_, n: "text")

    def test_threads_keep_theirs(self):
        seen = []

        def other():
            check(0)
            seen.append("nothing")

        def write(payload, bytes_, n):
            thread = threading.Thread(target=other)
            thread.start()
            thread.join()
            raise ZeroDivisionError

        with self.assertRaises(ZeroDivisionError):
            self.show(write)
        self.assertEqual(set(seen), {"nothing"})

    def test_an_exception_behind_success_frees_the_result(self):
        """A note that fails does not end the call: its exception is raised when it is over."""
        from nextoken import load

        model = load(support.checkpoint("words"))

        def note(line):
            raise LookupError(line)

        with self.assertRaises(LookupError):
            with library.running(note=note) as callbacks, model.session().use() as session:
                options = new("nt_next_options", callbacks=callbacks)
                library.result_of(lib.nt_next, session, library.prompt(""), options)


class Library(unittest.TestCase):
    def run_python(self, code, **environment):
        return subprocess.run([sys.executable, "-c", code], env=dict(os.environ, **environment), text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120, check=False)

    def test_a_library_that_is_not_there(self):
        done = self.run_python("import nextoken; nextoken.load()", NEXTOKEN_LIBRARY="/no/such/lib.so")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("ImportError: the shared library of NEXTOKEN_LIBRARY cannot be opened", done.stdout)

    def test_the_interpreter_ends_with_everything_alive(self):
        """Models, sessions, results and encoders that live until the end, in a cycle too."""
        code = f"""
import nextoken, threading, sys
m = nextoken.load({support.checkpoint('words')!r})
s = m.session(); q = s.sequence(); s.forward(q, [1, 2, 3])
r = m.next("Alice"); t = m.tokenizer; t.encode("x"); st = t.stream()
loop = [m, s, r, t]; loop.append(loop); m.loop = loop; sys.held = loop
def run():
    while True: m.next("Alice was", k=1)
threading.Thread(target=run, daemon=True).start()
print("end")
"""
        for _ in range(3):
            done = self.run_python(code)
            self.assertEqual((done.returncode, done.stdout), (0, "end\n"))


if __name__ == "__main__":
    unittest.main()
