#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What gen-version-map.py makes of good and bad sources."""

import os
import subprocess
import sys
import tempfile
import unittest

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "gen-version-map.py")


class GenVersionMap(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.output = os.path.join(self.folder, "out.map")

    def run_script(self, *sources):
        paths = []
        for number, text in enumerate(sources):
            paths.append(os.path.join(self.folder, f"source{number}.c"))
            with open(paths[-1], "w", encoding="utf-8") as source:
                source.write(text)
        return subprocess.run([sys.executable, SCRIPT, "DPDK_26", self.output] + paths,
                              capture_output=True, text=True, check=False)

    def map_of(self, *sources):
        done = self.run_script(*sources)
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(self.output, encoding="utf-8") as script:
            return script.read()

    def test_each_kind_has_its_node(self):
        self.assertEqual(
            self.map_of("RTE_EXPORT_SYMBOL(rte_a)\nint\nrte_a(void)\n",
                        "RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_b, 23.07)\n"
                        "RTE_EXPORT_INTERNAL_SYMBOL(rte_c)\n"),
            "DPDK_26 {\n\tglobal:\n\trte_a;\n\tlocal: *;\n};\n"
            "\nEXPERIMENTAL {\n\tglobal:\n\t# added in 23.07\n\trte_b;\n};\n"
            "\nINTERNAL {\n\tglobal:\n\trte_c;\n};\n")

    def test_symbols_are_sorted_by_release_and_name(self):
        text = self.map_of("RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_z, 21.08)\n"
                           "RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_b, 23.07)\n"
                           "RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_a, 23.07)\n")
        self.assertIn("\t# added in 21.08\n\trte_z;\n"
                      "\t# added in 23.07\n\trte_a;\n\trte_b;\n", text)

    def test_nothing_exported_keeps_all_local(self):
        self.assertEqual(self.map_of("int x;\n"), "DPDK_26 {\n\tlocal: *;\n};\n")

    def test_bad_exports_are_refused_with_their_place(self):
        cases = [
            ("twice", "RTE_EXPORT_SYMBOL(f)\nRTE_EXPORT_INTERNAL_SYMBOL(f)\n",
             "source0.c:2: f is exported already"),
            ("no release", "RTE_EXPORT_EXPERIMENTAL_SYMBOL(f)\n", "source0.c:1: a release"),
            ("stable with release", "RTE_EXPORT_SYMBOL(f, 25.11)\n", "source0.c:1: a release"),
            ("indented", "\n\tRTE_EXPORT_SYMBOL(f)\n", "source0.c:2: an export macro stands"),
            ("semicolon", "RTE_EXPORT_SYMBOL(f);\n", "source0.c:1: not understood"),
            ("no symbol", "RTE_EXPORT_SYMBOL()\n", "source0.c:1: not understood"),
            ("strange release", "RTE_EXPORT_EXPERIMENTAL_SYMBOL(f, 5)\n",
             "source0.c:1: not understood"),
            ("unknown kind", "RTE_EXPORT_SECRET_SYMBOL(f)\n", "source0.c:1: not understood"),
        ]
        for name, text, message in cases:
            with self.subTest(name):
                done = self.run_script(text)
                self.assertNotEqual(done.returncode, 0)
                self.assertIn(message, done.stderr)
                self.assertFalse(os.path.exists(self.output))

    def test_usage_is_told_without_arguments(self):
        done = subprocess.run([sys.executable, SCRIPT], capture_output=True, text=True,
                              check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("usage:", done.stderr)


if __name__ == "__main__":
    unittest.main()
