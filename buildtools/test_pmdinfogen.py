#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What pmdinfogen.py reads from archives that the compiler in $CC makes."""

import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import unittest

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "pmdinfogen.py")
CC = shlex.split(os.environ.get("CC", "cc"))

TABLE = """
struct id {{ unsigned int class_id; unsigned short vendor, device, subvendor, subdevice; }};
static const struct id {driver}_ids[] = {{
	{{ 0xffffff, 0x1234, 0x11e8, 0xffff, 0xffff }},
	{{ 0xffffff, 0x8086, 0x10d3, 0x1, 0x2 }},
	{{ 0 }},
	{{ 0xffffff, 0x5555, 0x5555, 0xffff, 0xffff }},
}};
const void *{driver}_use(void);
const void *{driver}_use(void) {{ return {driver}_ids; }}
"""


def text(name, value):
    return f'__attribute__((used)) const char {name}[] = "{value}";\n'


def driver(name, table=True, **exports):
    source = text(f"this_pmd_name{name}", name)
    if table:
        source += TABLE.format(driver=name)
        source += text(f"{name}_pci_tbl_export", f"{name}_ids")
    return source + "".join(text(f"{name}_{tag}_export", value) for tag, value in exports.items())


class PmdInfoGen(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name):
        return os.path.join(self.folder, name)

    def archive(self, sources, flags="rcs"):
        objects = []
        for number, source in enumerate(sources):
            objects.append(self.path(f"object{number}.o"))
            subprocess.run(CC + ["-x", "c", "-c", "-", "-o", objects[-1]], input=source, text=True,
                           check=True)
        subprocess.run(["ar", flags, self.path("lib.a"), *objects], check=True)

    def run_script(self):
        return subprocess.run([sys.executable, SCRIPT, self.path("out.c"), self.path("lib.a")],
                              capture_output=True, text=True, check=False, cwd="/")

    def infos(self, *sources, flags="rcs"):
        self.archive(sources, flags)
        done = self.run_script()
        self.assertEqual(done.returncode, 0, done.stderr)
        subprocess.run(CC + ["-Wall", "-Wextra", "-Werror", "-c", self.path("out.c"), "-o",
                             self.path("out.o")], check=True)
        with open(self.path("out.o"), "rb") as built:
            found = re.findall(rb"PMD_INFO_STRING= ([^\0]*)\0", built.read())
        return sorted((json.loads(info) for info in found), key=lambda info: info["name"])

    def test_all_that_a_driver_tells_is_there(self):
        self.assertEqual(
            self.infos(driver("net_a", param_string="x=<int> y=a|b", kmod_dep="* vfio-pci")),
            [{"name": "net_a", "params": "x=<int> y=a|b", "kmod": "* vfio-pci",
              "pci_ids": [[0x1234, 0x11e8, 0xffff, 0xffff], [0x8086, 0x10d3, 1, 2]]}])

    def test_driver_without_table_has_no_ids(self):
        self.assertEqual(self.infos(driver("vdev_a", table=False)),
                         [{"name": "vdev_a", "pci_ids": []}])

    def test_drivers_of_several_objects_and_of_one(self):
        names = [info["name"] for info in
                 self.infos(driver("a") + driver("b", table=False).replace("struct id", "struct i"),
                            "int other;\n", driver("c"))]
        self.assertEqual(names, ["a", "b", "c"])

    def test_thin_archive(self):
        self.assertEqual([info["name"] for info in self.infos(driver("a"), flags="rcsT")], ["a"])

    def test_archive_without_drivers_gives_an_empty_file(self):
        self.assertEqual(self.infos("int nothing;\n"), [])

    def test_table_that_is_missing_is_an_error(self):
        self.archive([driver("a", table=False, pci_tbl="nowhere")])
        done = self.run_script()
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("a: no PCI table nowhere", done.stderr)


if __name__ == "__main__":
    unittest.main()
