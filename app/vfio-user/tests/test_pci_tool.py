#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""dpdk-pci, the first argument, on devices that dpdk-vfio-user, the second one, serves."""

import json
import os
import subprocess
import sys
import tempfile
import unittest

TOOL = None
SERVER = None
TIMEOUT = 60


class Served(unittest.TestCase):
    def setUp(self):
        # so short that it fits behind "-a vfio-user:"
        folder = tempfile.TemporaryDirectory(prefix="pci", dir="/tmp")
        self.addCleanup(folder.cleanup)
        self.none = os.path.join(folder.name, "none")
        os.mkdir(self.none)
        self.edu = os.path.join(folder.name, "edu")
        self.gpio = os.path.join(folder.name, "gpio")
        self.server = subprocess.Popen(
            [SERVER, "serve", "edu", "--socket-path", self.edu, "gpio", "--loop",
             "--socket-path", self.gpio], stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.end)
        for _ in range(2):
            self.assertIn("serving at", self.server.stdout.readline())

    def end(self):
        self.server.kill()
        self.server.wait()
        self.server.stdout.close()

    def run_tool(self, *args, kernel=None):
        environment = dict(os.environ, SYSFS_PCI_DEVICES=kernel or self.none, LC_ALL="C")
        return subprocess.run([TOOL, *args], capture_output=True, text=True, check=False,
                              env=environment, timeout=TIMEOUT)

    def output(self, *args):
        done = self.run_tool(*args)
        self.assertEqual((done.returncode, done.stderr), (0, ""), args)
        return done.stdout

    def allowed(self):
        return ("-a", "vfio-user:" + self.edu, "-a", "vfio-user:" + self.gpio, "--")

    def test_list_has_devices_that_are_allowed(self):
        lines = self.output(*self.allowed(), "list").splitlines()
        self.assertEqual(len(lines), 3)
        found = {line.split()[1]: line for line in lines[1:]}
        self.assertEqual(set(found), {"1234:11e8", "494f:0dc8"})
        for line in lines[1:]:
            self.assertEqual(line.split()[-4:-1], ["-", "vfio-user", "-"])
            self.assertEqual(line.index("vfio-user"), lines[0].index("BACKEND"))
            self.assertEqual(line.index("vfio-user:"), lines[0].index("NAME"))
        self.assertEqual(found["1234:11e8"].split()[-1], "vfio-user:" + self.edu)
        self.assertEqual(found["494f:0dc8"].split()[-1], "vfio-user:" + self.gpio)

    def test_path_that_is_too_long_for_a_name_is_shown_as_well(self):
        path = os.path.join(os.path.dirname(self.edu), 80 * "x")
        os.symlink(self.edu, path)
        wish = "bus=pci,backend=vfio-user,path=" + path
        self.assertEqual(self.output("-a", wish, "--", "list").split()[-1], wish)
        device, = json.loads(self.output("-a", wish, "--", "list", "--json"))
        self.assertEqual(device["name"], wish)

    def test_list_as_json_is_as_for_other_devices(self):
        devices = json.loads(self.output(*self.allowed(), "list", "--json"))
        edu = next(device for device in devices if device["device"] == "11e8")
        self.assertRegex(edu.pop("address"), r"^[0-9a-f]{7,8}:[0-9a-f]{2}:[0-9a-f]{2}\.0$")
        self.assertEqual(edu, {
            "name": "vfio-user:" + self.edu, "vendor": "1234", "device": "11e8",
            "subsystem_vendor": "1af4", "subsystem_device": "1100", "class": "00ff00",
            "class_name": "Unclassified device", "kernel_driver": None, "backend": "vfio-user",
            "iommu_group": None, "numa_node": None})

    def test_device_of_the_kernel_stands_beside_them(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        device = os.path.join(folder.name, "0000:00:04.0")
        os.makedirs(device)
        os.symlink("/nowhere/drivers/e1000e", os.path.join(device, "driver"))
        zeros = "0x0000000000000000 0x0000000000000000 0x0000000000000000\n" * 13
        for name, text in (("vendor", "0x8086"), ("device", "0x10d3"), ("class", "0x020000"),
                           ("subsystem_vendor", "0x0"), ("subsystem_device", "0x0"),
                           ("numa_node", "-1"), ("max_vfs", "0"), ("resource", zeros)):
            with open(os.path.join(device, name), "w", encoding="utf-8") as target:
                target.write(text)
        done = self.run_tool("-a", "0000:00:04.0", *self.allowed(), "list", "--json",
                             kernel=folder.name)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([d["backend"] for d in json.loads(done.stdout)],
                         [None, "vfio-user", "vfio-user"])

    def test_show_draws_windows(self):
        out = self.output("show", "vfio-user:" + self.edu)
        self.assertIn("name           vfio-user:" + self.edu + "\n", out)
        self.assertIn("backend        vfio-user\n", out)
        self.assertIn("BAR0  memory, 1 MiB\n", out)
        self.assertIn("|" + 64 * "." + "|", out)
        self.assertIn("|" + 16 * "." + 32 * "#" + 16 * "." + "|", out)
        self.assertIn("0x00004000-0x0000bfff        32 KiB  mapped\n", out)
        self.assertIn("0x040  MSI\n", out)

    def test_show_as_json_has_its_parts(self):
        device = json.loads(self.output("show", "vfio-user:" + self.edu, "--json"))
        self.assertTrue(device["opened"])
        memory = next(bar for bar in device["bars"] if bar["bar"] == 2)
        self.assertEqual([(p["offset"], p["length"], p["mapped_read"]) for p in memory["parts"]],
                         [(0, 0x4000, False), (0x4000, 0x8000, True), (0xc000, 0x4000, False)])

    def test_device_is_found_by_its_address(self):
        devices = json.loads(self.output(*self.allowed(), "list", "--json"))
        for device in devices:
            out = self.output(*self.allowed(), "show", device["address"])
            self.assertIn(f"{device['vendor']}:{device['device']}", out)

    def test_registers_are_read(self):
        edu = "vfio-user:" + self.edu
        for args, value in ((("0", "0"), "0x010000ed"),
                            (("config", "0"), "0x11e81234"),
                            (("config", "0", "--width", "2"), "0x1234"),
                            (("config", "0xb", "--width=1"), "0x00"),
                            (("0", "0x80", "--width", "8"), "0x0000000000000000")):
            self.assertEqual(self.output("read", edu, *args), value + "\n", args)

    def test_memory_keeps_what_is_written_by_load_store_and_by_message(self):
        edu = "vfio-user:" + self.edu
        for offset in ("0x0", "0x3ff8", "0x4000", "0xbff8", "0xc000", "0xfff8"):
            for width, value in ((8, "0x0123456789abcdef"), (4, "0x600df00d"), (2, "0xbeef"),
                                 (1, "0x5a")):
                args = (edu, "2", offset)
                self.output("write", *args, value, "--width", str(width))
                self.assertEqual(self.output("read", *args, "--width", str(width)), value + "\n")

    def test_ports_are_read_and_written(self):
        gpio = "vfio-user:" + self.gpio
        self.assertIn("BAR2  I/O ports, 8 bytes", self.output("show", gpio))
        self.output("write", gpio, "2", "0", "0xa5", "--width", "1")
        self.assertEqual(self.output("read", gpio, "2", "6", "--width", "1"), "0x00\n")

    def test_what_is_not_there_is_refused(self):
        edu = "vfio-user:" + self.edu
        for args in (("read", edu, "0", "0x100000"), ("read", edu, "1", "0"),
                     ("write", edu, "2", "0x10000", "1"), ("read", edu, "config", "0x100"),
                     ("show", "vfio-user:/nowhere")):
            done = self.run_tool(*args)
            self.assertEqual((done.returncode, done.stdout), (1, ""), args)
            self.assertNotEqual(done.stderr, "")

    def test_server_that_is_gone_is_told(self):
        self.end()
        done = self.run_tool("show", "vfio-user:" + self.edu)
        self.assertEqual(done.returncode, 1)
        self.assertIn(self.edu, done.stderr)


if __name__ == "__main__":
    TOOL, SERVER = sys.argv.pop(1), sys.argv.pop(1)
    unittest.main()
