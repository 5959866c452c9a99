#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""dpdk-vfio-user, whose path is the first argument: looking at a device that it serves itself."""

import json
import os
import subprocess
import sys
import tempfile
import unittest

TOOL = None
TIMEOUT = 60


def tool(*args):
    return subprocess.run([TOOL, *args], capture_output=True, text=True, timeout=TIMEOUT)


class Info(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.path = os.path.join(self.dir.name, "gpio.sock")
        self.edu = os.path.join(self.dir.name, "edu.sock")
        self.server = subprocess.Popen([TOOL, "serve", "gpio", "--socket-path", self.path,
                                        "edu", "--msix", "--socket-path", self.edu],
                                       stdout=subprocess.PIPE, text=True)
        for _ in range(2):
            self.assertIn("serving", self.server.stdout.readline())

    def tearDown(self):
        self.server.terminate()
        self.server.communicate(timeout=TIMEOUT)
        self.dir.cleanup()

    def test_json_has_what_the_device_is(self):
        result = tool("info", self.path, "--json")
        self.assertEqual(result.returncode, 0, result.stderr)
        info = json.loads(result.stdout)
        self.assertEqual(info["device"]["pci_id"], "494f:0dc8")
        self.assertIn("pci", info["device"]["flags"])
        config = [r for r in info["regions"] if r["name"] == "config"]
        self.assertEqual(config[0]["size"], 256)
        self.assertIn("INTx", [i["name"] for i in info["interrupts"]])

    def test_interrupts_are_those_that_were_asked_for(self):
        info = json.loads(tool("info", self.edu, "--json").stdout)
        vectors = {i["name"]: i["vectors"] for i in info["interrupts"]}
        self.assertEqual(vectors, {"INTx": 1, "MSI-X": 8, "error": 1, "request": 1})

    def test_text_has_a_line_for_each_region(self):
        result = tool("info", self.path)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("name BAR2", result.stdout)
        self.assertIn("494f:0dc8", result.stdout)


class Refused(unittest.TestCase):
    def test_nobody_listens(self):
        result = tool("info", "/nonexistent/socket")
        self.assertEqual(result.returncode, 1)
        self.assertIn("No such file", result.stderr)

    def test_command_line_without_a_socket(self):
        for args in (["info"], ["info", "--what"], ["info", "a", "b"]):
            self.assertEqual(tool(*args).returncode, 2, args)


if __name__ == "__main__":
    TOOL = sys.argv.pop(1)
    unittest.main()
