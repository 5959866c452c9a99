#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""dpdk-devbind.py on a made-up machine, whose kernel is the class FakeSystem."""

import contextlib
import errno
import importlib.machinery
import importlib.util
import io
import os
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

sys.dont_write_bytecode = True
FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def load(name):
    loader = importlib.machinery.SourceFileLoader(name, os.path.join(FOLDER, f"dpdk-{name}.py"))
    spec = importlib.util.spec_from_loader(name, loader)
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


devbind = load("devbind")


class FakeSystem(devbind.System):
    """Does with a tree of files what the kernel does when its files are written."""

    refuse = {}     # last component of a path, or "driver/bind" -> errno
    deaf = ()       # drivers that accept a device and then do not take it
    owners = {}

    def write(self, text, *parts):
        path = os.path.join(*parts)
        for end, number in self.refuse.items():
            if path.endswith(end):
                raise OSError(number, os.strerror(number))
        super().write(text, *parts)
        folder, action = os.path.split(path)
        driver = os.path.basename(folder)
        if action == "unbind":
            os.unlink(self.path("sys/bus/pci/devices", text, "driver"))
        elif action == "bind" and driver not in self.deaf:
            self.take(text, driver)
        elif action == "driver_override":
            with open(self.path(path), "w", encoding="utf-8") as override:
                override.write(text.strip() or "(null)")

    def take(self, address, driver):
        allowed = self.read("sys/bus/pci/devices", address, "driver_override")
        if allowed != driver:
            raise OSError(errno.ENODEV, "No such device")
        os.symlink(f"../../drivers/{driver}",
                   self.path("sys/bus/pci/devices", address, "driver"))

    def chown(self, uid, gid, *parts):
        self.owners[os.path.join(*parts)] = (uid, gid)


class DevbindTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = folder.name
        FakeSystem.refuse, FakeSystem.deaf, FakeSystem.owners = {}, (), {}
        for driver in ("vfio-pci", "mlx5-vfio-pci", "e1000e", "nvme", "uio_pci_generic"):
            self.file(f"sys/bus/pci/drivers/{driver}/bind")
            self.file(f"sys/bus/pci/drivers/{driver}/unbind")
        self.file("sys/module/vfio/parameters/enable_unsafe_noiommu_mode", "N\n")
        self.device("0000:00:03.0", "0x020000", "8086:10d3", "e1000e", group="1", interface="eth0")
        self.device("0000:00:04.0", "0x00ff00", "1234:11e8", None, group="2")
        self.device("0000:00:05.0", "0x010802", "1b36:0010", "nvme", group="3")
        self.device("0000:00:05.1", "0x020000", "8086:10d3", "e1000e", group="3")
        self.device("0000:00:06.0", "0x00ff00", "1b36:0005", None)
        self.device("0000:00:1f.0", "0x060100", "8086:2918", None, group="4")

    def file(self, path, text=""):
        path = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as target:
            target.write(text)

    def device(self, address, code, ids, driver, group=None, interface=None):
        folder = f"sys/bus/pci/devices/{address}"
        vendor, device = ids.split(":")
        for name, text in (("class", code), ("vendor", "0x" + vendor), ("device", "0x" + device),
                           ("numa_node", "-1"), ("driver_override", "(null)")):
            self.file(f"{folder}/{name}", text + "\n")
        if driver:
            os.symlink(f"../../drivers/{driver}", os.path.join(self.root, folder, "driver"))
        if group:
            members = os.path.join(self.root, "sys/kernel/iommu_groups", group, "devices")
            os.makedirs(os.path.join(members, address))
            os.symlink(f"../../../../kernel/iommu_groups/{group}",
                       os.path.join(self.root, folder, "iommu_group"))
        if interface:
            os.makedirs(os.path.join(self.root, folder, "net", interface))

    def run_tool(self, *arguments, uid=0):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), \
                mock.patch("os.geteuid", return_value=uid):
            try:
                status = devbind.main(["--root", self.root, *arguments], FakeSystem)
            except SystemExit as end:
                status = end.code
        return status, out.getvalue(), err.getvalue()

    def succeed(self, *arguments):
        status, out, err = self.run_tool(*arguments)
        self.assertEqual(status, 0, err)
        return out

    def fail_with(self, *arguments):
        status, _out, err = self.run_tool(*arguments)
        self.assertEqual(status, 1, err)
        return err

    def driver_of(self, address):
        return FakeSystem(self.root).link_name("sys/bus/pci/devices", address, "driver")

    def override_of(self, address):
        return FakeSystem(self.root).read("sys/bus/pci/devices", address, "driver_override")

    def route_by(self, interface):
        self.file("proc/net/route", "Iface\tDestination\tGateway\n"
                  f"{interface}\t00000000\t0102A8C0\n")


class Status(DevbindTest):
    def test_devices_stand_under_their_class_and_kind_of_driver(self):
        self.succeed("--bind", "vfio-pci", "0000:00:04.0")
        text = self.succeed("--status")
        self.assertRegex(text, r"Network devices using kernel driver\n=+\n"
                         r"0000:00:03\.0 'Device 8086:10d3' if=eth0 drv=e1000e "
                         r"unused=mlx5-vfio-pci,uio_pci_generic,vfio-pci group=1\n")
        self.assertRegex(text, r"Misc devices using a driver for user space\n=+\n"
                         r"0000:00:04\.0 'Device 1234:11e8' drv=vfio-pci ")
        self.assertRegex(text, r"Other Misc devices\n=+\n0000:00:06\.0 ")

    def test_bridges_are_not_shown(self):
        self.assertNotIn("0000:00:1f.0", self.succeed("--status"))

    def test_variant_driver_counts_as_for_user_space(self):
        self.succeed("--bind", "mlx5-vfio-pci", "00:03.0")
        self.assertIn("Network devices using a driver for user space\n", self.succeed("-s"))

    def test_any_driver_with_a_vfio_device_counts_as_for_user_space(self):
        self.device("0000:00:07.0", "0x120000", "1234:0001", "e1000e", group="7")
        os.makedirs(os.path.join(self.root, "sys/bus/pci/devices/0000:00:07.0/vfio-dev/vfio0"))
        self.assertIn("Accelerator devices using a driver for user space\n", self.succeed("-s"))

    def test_one_category_alone(self):
        text = self.succeed("--status-dev", "storage")
        self.assertIn("0000:00:05.0", text)
        self.assertNotIn("0000:00:03.0", text)

    def test_empty_category_is_said_to_be_empty(self):
        self.assertIn("No 'DMA' devices detected", self.succeed("--status-dev", "dma"))

    def test_names_come_from_pci_ids(self):
        self.file("usr/share/misc/pci.ids", "# comment\n8086  Intel Corporation\n"
                  "\t10d3  82574L Gigabit Network Connection\n\t\t8086 a01f  Sub\n")
        self.assertIn("'Intel Corporation 82574L Gigabit Network Connection 8086:10d3'",
                      self.succeed("--status"))

    def test_active_interface_is_marked(self):
        self.route_by("eth0")
        self.assertRegex(self.succeed("--status"), r"0000:00:03\.0 .*\*Active\*")

    def test_reader_that_has_seen_enough_is_no_error(self):
        reader, writer = os.pipe()
        os.close(reader)
        done = subprocess.run([sys.executable, devbind.__file__, "--root", self.root, "--status"],
                              stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
        os.close(writer)
        self.assertEqual(done.stderr, "")


class Bind(DevbindTest):
    def test_device_moves_and_leaves_no_override(self):
        self.succeed("-b", "vfio-pci", "0000:00:03.0")
        self.assertEqual(self.driver_of("0000:00:03.0"), "vfio-pci")
        self.assertEqual(self.override_of("0000:00:03.0"), "(null)")

    def test_device_is_found_by_short_address_and_by_interface(self):
        self.succeed("-b", "vfio-pci", "0:4.0", "eth0")
        self.assertEqual(self.driver_of("0000:00:04.0"), "vfio-pci")
        self.assertEqual(self.driver_of("0000:00:03.0"), "vfio-pci")

    def test_bound_already_is_no_error(self):
        status, _out, err = self.run_tool("-b", "e1000e", "00:03.0")
        self.assertEqual(status, 0)
        self.assertIn("already", err)

    def test_uio_needs_no_iommu(self):
        self.succeed("-b", "uio_pci_generic", "00:06.0")
        self.assertEqual(self.driver_of("0000:00:06.0"), "uio_pci_generic")

    def test_unbind_and_bind_to_none_are_the_same(self):
        for arguments in (("-u", "00:03.0"), ("-b", "none", "00:03.0")):
            with self.subTest(arguments):
                self.succeed("-b", "e1000e", "00:03.0")
                self.succeed(*arguments)
                self.assertEqual(self.driver_of("0000:00:03.0"), "")

    def test_group_moves_as_a_whole(self):
        self.succeed("-b", "vfio-pci", "00:05.0", "00:05.1")
        self.assertEqual(self.driver_of("0000:00:05.0"), "vfio-pci")
        self.assertEqual(self.driver_of("0000:00:05.1"), "vfio-pci")

    def test_pcieport_does_not_spoil_a_group(self):
        self.device("0000:00:08.0", "0x060400", "1b36:000c", "pcieport", group="8")
        self.device("0000:01:00.0", "0x020000", "8086:10d3", "e1000e", group="8")
        self.succeed("-b", "vfio-pci", "01:00.0")

    def test_owner_of_the_device_files_is_set(self):
        self.file("dev/vfio/2")
        self.succeed("-b", "vfio-pci", "--uid", "12", "--gid", "34", "00:04.0")
        self.assertEqual(FakeSystem.owners, {"dev/vfio/2": (12, 34)})

    def test_owner_of_the_files_of_uio_is_set(self):
        folder = "sys/bus/pci/devices/0000:00:06.0"
        wanted = ["config", "resource0", "resource2", "resource2_wc"]
        self.file("sys/bus/pci/drivers/igb_uio/bind")
        self.file("sys/bus/pci/drivers/igb_uio/unbind")
        self.file("dev/uio5")
        os.makedirs(os.path.join(self.root, folder, "uio/uio5"))
        for name in wanted + ["resource", "rom", "resource0_resize"]:
            self.file(f"{folder}/{name}")
        for driver in ("uio_pci_generic", "igb_uio"):
            FakeSystem.owners = {}
            self.succeed("-b", driver, "--uid", "12", "--gid", "34", "00:06.0")
            self.assertEqual(FakeSystem.owners, {
                path: (12, 34)
                for path in ["dev/uio5"] + [f"{folder}/{name}" for name in wanted]})

    def test_uio_without_a_device_file_is_told(self):
        self.assertIn("0000:00:06.0: there is no file in /dev to change the owner of",
                      self.fail_with("-b", "uio_pci_generic", "--uid", "12", "00:06.0"))

    def test_noiommu_mode_is_turned_on_only_where_needed(self):
        parameter = "sys/module/vfio/parameters/enable_unsafe_noiommu_mode"
        self.succeed("-b", "vfio-pci", "--noiommu-mode", "00:04.0")
        self.assertTrue(FakeSystem(self.root).read(parameter).startswith("N"))
        self.succeed("-b", "vfio-pci", "--noiommu-mode", "00:06.0")
        self.assertTrue(FakeSystem(self.root).read(parameter).startswith("1"))
        self.assertEqual(self.driver_of("0000:00:06.0"), "vfio-pci")


class Refusals(DevbindTest):
    def test_each_names_the_thing_and_the_reason(self):
        self.route_by("eth0")
        cases = [
            (("-b", "vfio-pci", "00:09.0"), "00:09.0: there is no such PCI device"),
            (("-b", "vfio-pci", "eth7"), "eth7: neither a PCI address nor an interface"),
            (("-b", "vfio-pci"), "no devices given"),
            (("00:03.0",), "neither --bind nor --unbind"),
            (("-b", "hisi-acc-vfio-pci", "00:04.0"),
             "driver hisi-acc-vfio-pci is not loaded; try: modprobe hisi-acc-vfio-pci"),
            (("-b", "00:03.0", "00:04.0"), "takes a driver first"),
            (("-b", "vfio-pci", "00:06.0"), "0000:00:06.0: this machine has no IOMMU"),
            (("-b", "vfio-pci", "00:06.0"), "intel_iommu=on"),
            (("-b", "vfio-pci", "00:05.0"),
             "IOMMU group 3 is not viable: it also holds 0000:00:05.1 (e1000e)"),
            (("-b", "vfio-pci", "00:03.0"), "0000:00:03.0: interface eth0 is in use"),
            (("-u", "00:03.0"), "0000:00:03.0: interface eth0 is in use"),
        ]
        for arguments, message in cases:
            with self.subTest(arguments):
                self.assertIn(message, self.fail_with(*arguments))
        self.assertEqual(self.driver_of("0000:00:03.0"), "e1000e")
        self.assertEqual(self.driver_of("0000:00:05.0"), "nvme")

    def test_one_bad_device_stops_all_before_any_change(self):
        self.fail_with("-b", "vfio-pci", "00:04.0", "00:06.0")
        self.assertEqual(self.driver_of("0000:00:04.0"), "")

    def test_force_takes_what_is_in_use(self):
        self.route_by("eth0")
        self.succeed("--force", "-b", "vfio-pci", "00:03.0", "00:05.0")
        self.assertEqual(self.driver_of("0000:00:03.0"), "vfio-pci")
        self.assertEqual(self.driver_of("0000:00:05.0"), "vfio-pci")

    def test_link_local_ipv6_route_does_not_make_an_interface_active(self):
        self.file("proc/net/ipv6_route",
                  "fe80" + "0" * 28 + " 40 " + "0" * 32 + " 00 " + "0" * 32 +
                  " 00000100 00000001 00000000 00000001     eth0\n")
        self.succeed("-b", "vfio-pci", "00:03.0")

    def test_global_ipv6_route_does(self):
        self.file("proc/net/ipv6_route",
                  "20010db8" + "0" * 24 + " 40 " + "0" * 32 + " 00 " + "0" * 32 +
                  " 00000100 00000001 00000000 00000001     eth0\n")
        self.assertIn("eth0 is in use", self.fail_with("-b", "vfio-pci", "00:03.0"))

    def test_without_root_nothing_is_tried(self):
        with mock.patch("os.geteuid", return_value=1000):
            with self.assertRaisesRegex(devbind.Error, "needs root"):
                devbind.check_root(devbind.System("/"))

    def test_permission_denied_mentions_root_and_lockdown(self):
        FakeSystem.refuse = {"e1000e/unbind": errno.EACCES}
        self.assertIn("root is needed; a locked-down kernel",
                      self.fail_with("-b", "vfio-pci", "00:03.0"))

    def test_failed_bind_gives_the_device_back(self):
        FakeSystem.refuse = {"vfio-pci/bind": errno.EINVAL}
        message = self.fail_with("-b", "vfio-pci", "00:03.0")
        self.assertIn("cannot bind to vfio-pci: Invalid argument; it is with e1000e again", message)
        self.assertEqual(self.driver_of("0000:00:03.0"), "e1000e")
        self.assertEqual(self.override_of("0000:00:03.0"), "(null)")

    def test_driver_that_takes_nothing_is_noticed(self):
        FakeSystem.deaf = ("vfio-pci",)
        self.assertIn("vfio-pci did not take the device",
                      self.fail_with("-b", "vfio-pci", "00:04.0"))

    def test_device_that_cannot_go_back_is_said_to_be_without_driver(self):
        FakeSystem.deaf = ("vfio-pci", "e1000e")
        self.assertIn("it is now without a driver",
                      self.fail_with("-b", "vfio-pci", "00:03.0"))

    def test_noiommu_mode_needs_the_module(self):
        os.unlink(os.path.join(self.root,
                               "sys/module/vfio/parameters/enable_unsafe_noiommu_mode"))
        self.assertIn("modprobe vfio",
                      self.fail_with("-b", "vfio-pci", "--noiommu-mode", "00:06.0"))

    def test_wrong_command_lines_end_with_usage(self):
        for arguments in ((), ("--bind", "x", "--unbind", "00:03.0"), ("--status-dev", "toys"),
                          ("-s", "--uid", "no-such-user-here")):
            with self.subTest(arguments):
                status, _out, err = self.run_tool(*arguments)
                self.assertEqual(status, 2)
                self.assertIn("usage:", err)


if __name__ == "__main__":
    unittest.main()
