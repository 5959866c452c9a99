#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""dpdk-pmdinfo.py on libraries made for the purpose by the compiler in $CC."""

import json
import os
import shlex
import subprocess
import sys
import tempfile
import unittest

FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TOOL = os.path.join(FOLDER, "dpdk-pmdinfo.py")
CC = shlex.split(os.environ.get("CC", "cc"))

EDU = {"name": "raw_toy", "params": "mask=<hex>", "kmod": "* vfio-pci",
       "pci_ids": [[0x1234, 0x11e8, 0xffff, 0xffff], [0x1234, 0x0001, 0x00ab, 0xcdef]]}


def info_source(info):
    text = json.dumps(json.dumps(info))
    return (f'const char {info["name"]}_pmd_info[] __attribute__((used)) = '
            f'"PMD_INFO_STRING= " {text};\n')


class PmdInfo(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name):
        return os.path.join(self.folder, name)

    def build(self, name, source, *flags):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        subprocess.run(CC + ["-x", "c", "-", "-x", "none", "-o", self.path(name), *flags],
                       check=True, input=source, text=True)
        return self.path(name)

    def library(self, name, source, *flags):
        return self.build(name, source, "-shared", "-fPIC", f"-Wl,-soname,{name}", *flags)

    def run_tool(self, *arguments):
        environment = {k: v for k, v in os.environ.items() if k != "LD_LIBRARY_PATH"}
        return subprocess.run([sys.executable, TOOL, *arguments], capture_output=True, text=True,
                              check=False, env=environment)

    def infos(self, *arguments):
        done = self.run_tool(*arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_ids_are_four_hex_digits_and_wildcards_left_out(self):
        toy = self.library("librte_raw_toy.so", info_source(EDU))
        self.assertEqual(self.infos(toy), [{
            "name": "raw_toy", "params": "mask=<hex>", "kmod": "* vfio-pci",
            "pci_ids": [{"vendor": "1234", "device": "11e8"},
                        {"vendor": "1234", "device": "0001",
                         "subsystem_vendor": "00ab", "subsystem_device": "cdef"}]}])

    def test_needed_driver_libraries_are_read_too(self):
        self.library("librte_raw_toy.so.26", info_source(EDU) + "int toy(void) { return 1; }\n")
        program = self.build("program", "int toy(void);\nint main(void) { return toy(); }\n",
                             self.path("librte_raw_toy.so.26"), "-Wl,-rpath,$ORIGIN")
        self.assertEqual([info["name"] for info in self.infos(program)], ["raw_toy"])

    def test_each_driver_is_told_once(self):
        toy = self.library("librte_raw_toy.so", info_source(EDU))
        self.assertEqual(len(self.infos(toy, toy)), 1)

    def test_plugins_are_read_on_request(self):
        self.library("pmds-26.0/librte_raw_toy.so", info_source(EDU))
        program = self.build("program", "int main(void) { return 0; }\n")
        self.assertEqual(self.infos(program), [])
        self.assertEqual([info["name"] for info in self.infos("-p", program)], ["raw_toy"])

    def test_bad_info_is_skipped_with_a_warning(self):
        source = 'const char bad[] __attribute__((used)) = "PMD_INFO_STRING= {nonsense}";\n'
        toy = self.library("librte_raw_toy.so", info_source(EDU) + source)
        self.assertEqual(len(self.infos(toy)), 1)
        self.assertIn("bad driver info", self.run_tool("-v", toy).stderr)

    def test_missing_library_is_a_warning(self):
        gone = self.library("librte_gone.so", "int gone(void) { return 1; }\n")
        program = self.build("program", "int gone(void);\nint main(void) { return gone(); }\n",
                             gone)
        os.unlink(gone)
        self.assertEqual(self.infos(program), [])
        self.assertIn("librte_gone.so, which is not found", self.run_tool("-v", program).stderr)

    def test_unreadable_files_are_errors(self):
        text = self.path("text")
        with open(text, "w", encoding="utf-8") as target:
            target.write("hello\n")
        for path, message in ((text, "not an ELF file"),
                              (self.path("none"), "No such file or directory")):
            with self.subTest(path):
                done = self.run_tool(path)
                self.assertEqual(done.returncode, 1)
                self.assertIn(f"{path}: {message}", done.stderr)


if __name__ == "__main__":
    unittest.main()
