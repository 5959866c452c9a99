#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""dpdk-pci, whose path is the first argument, on folders that look like the system's devices."""

import json
import os
import subprocess
import sys
import tempfile
import unittest

TOOL = None


class DpdkPci(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.devices = os.path.join(self.folder, "devices")
        os.makedirs(self.devices)
        self.device("0000:00:04.0", "0x00ff00", "1234:11e8", "vfio-pci", numa="1",
                    group="987654")
        self.device("0000:00:03.0", "0x020000", "8086:10d3", "e1000e")

    def device(self, address, code, ids, driver, numa="-1", group=None):
        folder = os.path.join(self.devices, address)
        os.makedirs(folder)
        vendor, device = ids.split(":")
        attributes = {"class": code, "vendor": "0x" + vendor, "device": "0x" + device,
                      "subsystem_vendor": "0x1af4", "subsystem_device": "0x1100",
                      "numa_node": numa, "max_vfs": "0", "irq": "11", "enable": "1",
                      "resource": self.resource()}
        for name, text in attributes.items():
            with open(os.path.join(folder, name), "w", encoding="utf-8") as target:
                target.write(text + "\n")
        with open(os.path.join(folder, "config"), "wb") as target:
            target.write(self.config(vendor, device))
        for link, name in (("driver", driver), ("iommu_group", group)):
            if name:
                target = os.path.join(self.folder, link, name)
                os.makedirs(target, exist_ok=True)
                os.symlink(target, os.path.join(folder, link))

    @staticmethod
    def resource():
        lines = ["0x00000000fe000000 0x00000000fe0fffff 0x0000000000040200"]
        lines += ["0x0000000000000000 0x0000000000000000 0x0000000000000000"] * 12
        return "\n".join(lines)

    @staticmethod
    def config(vendor, device):
        config = bytearray(256)
        config[0:2] = int(vendor, 16).to_bytes(2, "little")
        config[2:4] = int(device, 16).to_bytes(2, "little")
        config[0x06] = 0x10
        config[0x34] = 0x40
        config[0x3d] = 1
        config[0x40:0x44] = bytes((0x05, 0, 0, 0))
        return bytes(config)

    def run_tool(self, *arguments):
        environment = dict(os.environ, SYSFS_PCI_DEVICES=self.devices, LC_ALL="C")
        return subprocess.run([TOOL, *arguments], capture_output=True, text=True, check=False,
                              env=environment, timeout=60)

    def output(self, *arguments):
        done = self.run_tool(*arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_list_has_a_line_for_each_device_in_the_order_of_addresses(self):
        lines = self.output("list").splitlines()
        self.assertEqual(len(lines), 3)
        self.assertEqual(lines[0].split(), ["ADDRESS", "ID", "CLASS", "DRIVER", "BACKEND", "NUMA",
                                            "NAME"])
        self.assertEqual(lines[1].split(),
                         ["0000:00:03.0", "8086:10d3", "Ethernet", "controller", "e1000e", "-",
                          "-", "-"])
        self.assertEqual(lines[2].split(),
                         ["0000:00:04.0", "1234:11e8", "Unclassified", "device", "vfio-pci",
                          "vfio", "1", "-"])

    def test_list_as_json(self):
        devices = json.loads(self.output("list", "--json"))
        self.assertEqual([d["address"] for d in devices], ["0000:00:03.0", "0000:00:04.0"])
        self.assertEqual(devices[1], {
            "address": "0000:00:04.0", "name": None, "vendor": "1234", "device": "11e8",
            "subsystem_vendor": "1af4", "subsystem_device": "1100", "class": "00ff00",
            "class_name": "Unclassified device", "kernel_driver": "vfio-pci",
            "backend": "vfio", "iommu_group": 987654, "numa_node": 1})
        self.assertIsNone(devices[0]["backend"])
        self.assertIsNone(devices[0]["numa_node"])

    def test_eal_options_choose_devices(self):
        lines = self.output("-a", "0000:00:03.0", "--", "list").splitlines()
        self.assertEqual(len(lines), 2)
        self.assertIn("0000:00:03.0", lines[1])

    def test_device_that_is_allowed_by_its_address_has_no_other_name(self):
        for wish in ("0000:00:03.0", "00:03.0", "bus=pci,addr=0000:00:03.0"):
            with self.subTest(wish):
                device, = json.loads(self.output("-a", wish, "--", "list", "--json"))
                self.assertIsNone(device["name"])

    def test_no_devices_is_an_empty_list(self):
        self.devices = os.path.join(self.folder, "none")
        os.makedirs(self.devices)
        self.assertEqual(json.loads(self.output("list", "--json")), [])

    def test_device_that_the_kernel_keeps_is_shown_as_far_as_known(self):
        done = self.run_tool("show", "0000:00:03.0")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("dpdk-devbind.py --bind vfio-pci 0000:00:03.0", done.stderr)
        self.assertIn("0000:00:03.0  Ethernet controller", done.stdout)
        self.assertIn("BAR0  memory, 1 MiB, at 0xfe000000", done.stdout)
        self.assertIn("0x040  MSI", done.stdout)
        self.assertIn("INTx 1, MSI 1, MSI-X 0, ERR no, REQ no", done.stdout)

    def test_device_without_a_way_in_says_what_is_missing(self):
        done = self.run_tool("show", "0000:00:04.0")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("no IOMMU group (dpdk-devbind.py --noiommu-mode), or no file in /dev/vfio",
                      done.stderr)

    def test_the_same_as_json(self):
        device = json.loads(self.run_tool("show", "00:03.0", "--json").stdout)
        self.assertFalse(device["opened"])
        self.assertEqual(device["bars"], [{"bar": 0, "type": "memory", "size": 0x100000,
                                           "address": 0xfe000000}])
        self.assertEqual(device["capabilities"], [{"offset": 64, "id": 5, "extended": False,
                                                   "name": "MSI"}])
        self.assertEqual(device["interrupts"], {"intx": 1, "msi": 1, "msix": 0, "err": False,
                                                "req": False})

    def test_failures_have_status_1_and_a_reason(self):
        cases = [
            (("show", "0000:00:09.0"), "0000:00:09.0: no such device"),
            (("read", "00:09.0", "0", "0"), "00:09.0: no such device"),
            (("read", "00:03.0", "0", "0"), "its kernel driver keeps it"),
            (("write", "00:03.0", "0", "0", "1"), "its kernel driver keeps it"),
            (("show", "rubbish"), "rubbish"),
            (("--no-such-option", "--", "list"), "no-such-option"),
        ]
        for arguments, reason in cases:
            with self.subTest(arguments):
                done = self.run_tool(*arguments)
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertIn(reason, done.stderr)

    def test_wrong_command_lines_have_status_2_and_a_hint(self):
        cases = [
            ((), "no command"),
            (("lits",), 'is "list" meant?'),
            (("show",), "too few arguments"),
            (("read", "00:04.0", "0", "2"), "not a multiple of the width"),
        ]
        for arguments, reason in cases:
            with self.subTest(arguments):
                done = self.run_tool(*arguments)
                self.assertEqual(done.returncode, 2)
                self.assertIn(reason, done.stderr)

    def test_help_for_the_tool_and_for_each_command(self):
        self.assertIn("usage: dpdk-pci", self.output("--help"))
        for command in ("list", "show", "read", "write"):
            with self.subTest(command):
                self.assertIn(f"usage: dpdk-pci [EAL options --] {command}",
                              self.output(command, "--help"))


if __name__ == "__main__":
    TOOL = os.path.abspath(sys.argv.pop(1))
    unittest.main()
