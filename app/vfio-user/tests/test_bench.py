#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""dpdk-vfio-user, whose path is the first argument: measuring a device that it serves itself."""

import json
import os
import subprocess
import sys
import tempfile
import unittest

TOOL = None
TIMEOUT = 120

SMALL = ["read of 4 bytes", "write of 4 bytes"]
LARGE = ["read of 64 KiB", "write of 64 KiB", "read of 1 MiB", "write of 1 MiB"]
MAPS = ["map and unmap beside 1", "map and unmap beside 1024", "map and unmap beside 60000",
        "1000 maps at once", "1000 maps of files at once"]
POSTED = ["posted write of 4 bytes"]


def tool(*args):
    return subprocess.run([TOOL, *args], capture_output=True, text=True, timeout=TIMEOUT)


class Served(unittest.TestCase):
    DEVICE = "edu"

    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.path = os.path.join(self.dir.name, "device.sock")
        self.server = subprocess.Popen([TOOL, "serve", self.DEVICE, "--socket-path", self.path],
                                       stdout=subprocess.PIPE, text=True)
        self.assertIn("serving", self.server.stdout.readline())

    def tearDown(self):
        self.server.terminate()
        self.server.communicate(timeout=TIMEOUT)
        self.dir.cleanup()

    def figures(self, *args):
        """Those that were measured, and why the others were not."""
        result = tool("bench", self.path, "--json", "--runs=1", *args)
        self.assertEqual(result.returncode, 0, result.stderr)
        figures = json.loads(result.stdout)["figures"]
        self.assertEqual([f["name"] for f in figures], SMALL + LARGE + MAPS + POSTED)
        measured = {f["name"]: f for f in figures if "skipped" not in f}
        return measured, {f["name"]: f["skipped"] for f in figures if "skipped" in f}


class Edu(Served):
    def test_without_a_region_nothing_is_changed(self):
        measured, skipped = self.figures()
        self.assertEqual(list(measured), SMALL + MAPS + POSTED)
        self.assertEqual(set(skipped.values()), {"--region says of which"})

    def test_each_figure_has_what_it_is_compared_with(self):
        measured, _ = self.figures()
        for figure in measured.values():
            self.assertGreater(figure["us"], 0)
            self.assertGreater(figure["beside_us"], 0)
            self.assertGreater(figure["ratio"], 0)
        self.assertEqual(measured["1000 maps at once"]["beside"], "one by one")
        self.assertEqual(measured["read of 4 bytes"]["beside"], "bare socket")

    def test_a_region_is_only_read(self):
        measured, skipped = self.figures("--region", "2")
        self.assertEqual(list(measured), ["read of 4 bytes", "read of 64 KiB"] + MAPS)
        self.assertEqual(skipped["read of 1 MiB"], "region 2 has 65536 bytes")
        self.assertEqual(skipped["write of 4 bytes"], "--destructive permits it")
        self.assertEqual(skipped["posted write of 4 bytes"], "--destructive permits it")

    def test_a_region_is_written_when_that_is_permitted(self):
        measured, skipped = self.figures("--region=2", "--destructive")
        self.assertEqual(list(measured), SMALL + LARGE[:2] + MAPS + POSTED)
        self.assertEqual(list(skipped), LARGE[2:])

    def test_a_region_that_is_not_there(self):
        measured, skipped = self.figures("--region", "5")
        self.assertEqual(list(measured), MAPS)
        self.assertEqual(skipped["read of 4 bytes"], "region 5 has 0 bytes")
        _, skipped = self.figures("--region", "99")
        self.assertEqual(skipped["read of 4 bytes"], "region 99: Invalid argument")

    def test_lines_have_the_same(self):
        result = tool("bench", self.path, "--runs", "2")
        self.assertEqual(result.returncode, 0, result.stderr)
        lines = result.stdout.splitlines()
        self.assertEqual(len(lines), len(SMALL + LARGE + MAPS + POSTED))
        self.assertRegex(lines[0], r"^read of 4 bytes +[0-9.]+ us +bare socket +[0-9.]+ us"
                         r" +[0-9.]+x$")
        self.assertRegex(lines[2], r"^read of 64 KiB +skipped: --region says of which$")

    def test_a_server_that_dies_ends_it(self):
        bench = subprocess.Popen([TOOL, "bench", self.path], stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True)
        bench.stdout.readline()
        self.server.kill()
        _, errors = bench.communicate(timeout=TIMEOUT)
        self.assertEqual(bench.returncode, 1)
        self.assertIn(self.path, errors)


class Gpio(Served):
    DEVICE = "gpio"

    def test_a_region_that_is_small(self):
        measured, skipped = self.figures("--region", "2")
        self.assertIn("read of 4 bytes", measured)
        self.assertEqual(skipped["read of 64 KiB"], "region 2 has 8 bytes")


class Refused(unittest.TestCase):
    def test_nobody_listens(self):
        result = tool("bench", "/nonexistent/socket")
        self.assertEqual(result.returncode, 1)
        self.assertIn("No such file", result.stderr)

    def test_command_line_that_makes_no_sense(self):
        for args, why in ((["bench"], "which SOCKET?"),
                          (["bench", ""], "which SOCKET?"),
                          (["bench", "a", "b"], "one SOCKET at a time: b"),
                          (["bench", "a", "--what"], "unknown option: --what"),
                          (["bench", "a", "--region"], "--region needs a number"),
                          (["bench", "a", "--region", "-1"], "from 0 to 4294967294: -1"),
                          (["bench", "a", "--region=2x"], "from 0 to 4294967294: 2x"),
                          (["bench", "a", "--region", "4294967296"], "--region needs a number"),
                          (["bench", "a", "--runs=0"], "from 1 to 1001: 0"),
                          (["bench", "a", "--runs=1002"], "from 1 to 1001: 1002"),
                          (["bench", "a", "--runsN"], "unknown option: --runsN"),
                          (["bench", "a", "--json=1"], "takes no value: --json"),
                          (["bench", "a", "--destructive"], "needs a --region")):
            result = tool(*args)
            self.assertEqual(result.returncode, 2, args)
            self.assertIn(why, result.stderr)
            self.assertEqual(result.stdout, "")


if __name__ == "__main__":
    TOOL = sys.argv.pop(1)
    unittest.main()
