"""The checker itself: it must see a wrong arrow when there is one."""

import pathlib
import tempfile
import unittest

import arrows


class Arrows(unittest.TestCase):
    def tree(self, files):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        root = pathlib.Path(folder.name)
        for name, text in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return root

    def reasons(self, files):
        return [reason for *_, reason in arrows.wrong_arrows(self.tree(files))]

    def test_allowed(self):
        self.assertEqual(self.reasons({
            "src/decode/a.c": '#include "trace/trace.h"\n#include "nextoken.h"\n#include <math.h>\n',
            "src/model/b.c": '#include "compute/device.h"\n#include "base/status.h"\n',
            "cli/cli.h": "",
            "cli/c.c": '#include "cli.h"\n#include "nextoken.h"\n',
        }), [])

    def test_decode_must_not_know_model(self):
        self.assertEqual(self.reasons({"src/decode/a.c": '#include "model/forward.h"\n'}),
                         ["decode may not know model"])

    def test_base_knows_nothing(self):
        self.assertEqual(self.reasons({"src/base/a.c": '# include "trace/trace.h"\n'}),
                         ["base may not know trace"])

    def test_cli_sees_the_public_header_alone(self):
        self.assertEqual(len(self.reasons({"cli/a.c": '#include "view/view.h"\n'})), 1)

    def test_nested_folder(self):
        self.assertEqual(self.reasons({"src/compute/cpu/a.c": '#include "model/kv.h"\n'}),
                         ["compute may not know model"])


if __name__ == "__main__":
    unittest.main()
