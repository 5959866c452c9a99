#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""dpdk-vfio-user, whose path is the first argument: checking servers, its own and none."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

TOOL = None
TIMEOUT = 60


def check(*args):
    return subprocess.run([TOOL, "check", *args], capture_output=True, text=True, timeout=TIMEOUT,
                          check=False)


class OwnServer(unittest.TestCase):
    DEVICES = (("edu",), ("gpio",), ("edu", "--msix"))

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.paths = [os.path.join(folder.name, str(n)) for n, _ in enumerate(self.DEVICES)]
        words = [word for device, path in zip(self.DEVICES, self.paths)
                 for word in (*device, "--socket-path", path)]
        server = subprocess.Popen([TOOL, "serve", *words], stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL, text=True)
        self.addCleanup(self.end, server)
        for _ in self.DEVICES:
            self.assertIn("serving at", server.stdout.readline())

    @staticmethod
    def end(server):
        server.terminate()
        server.communicate(timeout=TIMEOUT)

    @staticmethod
    def fine(rule, destructive):
        """Our devices cannot be migrated, all else is tried."""
        skipped = rule["name"].startswith("migration-") or \
            (rule["destructive"] and not destructive)
        return rule["verdict"] == ("skip" if skipped else "ok")

    def test_our_devices_keep_to_every_rule(self):
        for path in self.paths:
            result = check(path, "--destructive", "--strict", "--json")
            report = json.loads(result.stdout)
            bad = [rule for rule in report["rules"] if not self.fine(rule, destructive=True)]
            self.assertEqual((bad, result.returncode), ([], 0), path)
            self.assertEqual(report["summary"]["rules"], len(report["rules"]))
            self.assertGreater(len(report["rules"]), 100)
            self.assertEqual(len({rule["name"] for rule in report["rules"]}),
                             len(report["rules"]))

    def test_device_is_not_changed_unless_permitted(self):
        result = check(self.paths[0], "--json")
        self.assertEqual(result.returncode, 0)
        for rule in json.loads(result.stdout)["rules"]:
            self.assertTrue(self.fine(rule, destructive=False), rule)

    def test_lines_name_rule_section_and_verdict(self):
        result = check(self.paths[0], "dma-map-overlap", "reset")
        lines = result.stdout.splitlines()
        self.assertEqual(len(lines), 5)
        self.assertRegex(lines[0], r"^ok    dma-map-overlap +\[VFIO_USER_DMA_MAP\] a map over")
        self.assertRegex(lines[1], r"^skip  reset +\[VFIO_USER_DEVICE_RESET\]")
        self.assertIn("--destructive", lines[2])
        self.assertEqual(lines[4], "2 rules: 1 ok, 0 failed, 0 warnings, 1 skipped")

    def test_rules_are_chosen_by_pattern(self):
        report = json.loads(check(self.paths[0], "dma-unmap*", "order", "--json").stdout)
        names = [rule["name"] for rule in report["rules"]]
        self.assertIn("order", names)
        self.assertIn("dma-unmap-all", names)
        self.assertTrue(all(n == "order" or n.startswith("dma-unmap") for n in names))

    def test_server_can_be_checked_while_it_lives_on(self):
        for _ in range(3):
            self.assertEqual(check(self.paths[1]).returncode, 0)


class OtherServers(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "s")

    def listen(self, talk):
        """A server that does one thing to each client."""
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        listener.bind(self.path)
        listener.listen(0)

        def run():
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                with client:
                    talk(client)

        threading.Thread(target=run, daemon=True).start()

    def test_nobody_listens(self):
        result = check("/nonexistent/socket")
        self.assertEqual(result.returncode, 1)
        self.assertIn("No such file", result.stderr)
        self.assertEqual(check("/" + "x" * 200).returncode, 1)

    def test_server_that_hangs_up(self):
        self.listen(lambda client: None)
        result = check(self.path, "version-major", "dma-map")
        self.assertEqual(result.returncode, 1)
        self.assertIn("FAIL  version-major", result.stdout)
        self.assertIn("skip  dma-map", result.stdout)

    def test_server_that_says_nothing(self):
        self.listen(lambda client: client.recv(1 << 16) and client.recv(1 << 16))
        result = check(self.path, "version-major", "order", "--timeout", "100")
        self.assertEqual(result.returncode, 1)
        self.assertIn("no answer within 100 ms", result.stdout)

    def test_server_that_talks_nonsense(self):
        def talk(client):
            client.recv(1 << 16)
            client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        self.listen(talk)
        result = check(self.path, "version*")
        self.assertEqual(result.returncode, 1)

    def test_server_that_sends_commands_without_end(self):
        command = bytes.fromhex("01000b00200000000000000000000000") + bytes(16)

        def talk(client):
            client.recv(1 << 16)
            client.sendall(bytes.fromhex("64000100140000000100000000000000") + bytes(4))
            while True:
                try:
                    client.sendall(command * 64)
                    client.recv(1 << 16)
                except OSError:
                    return
        self.listen(talk)
        result = check(self.path, "order", "dma-map", "--timeout", "200")
        self.assertEqual(result.returncode, 1)
        self.assertIn("no answer within 200 ms", result.stdout)

    def test_warning_is_a_failure_only_if_strict(self):
        def talk(client):
            client.recv(1 << 16)
            client.sendall(bytes.fromhex("6400010014000000010000000000000000000000"))
            client.recv(1 << 16)
        self.listen(talk)
        args = (self.path, "version-first", "version-short", "--timeout=1000")
        self.assertEqual(check(*args).returncode, 0)
        self.assertEqual(check(*args, "--strict").returncode, 1)


class CommandLine(unittest.TestCase):
    def test_lines_that_make_no_sense(self):
        for args in ([], ["--json"], [""], ["s", "no-such-rule"], ["s", "--what"],
                     ["s", "--timeout"], ["s", "--timeout", "0"], ["s", "--timeout=-1"],
                     ["s", "--timeout=9x"], ["--list", "no-such-rule"]):
            result = check(*args)
            self.assertEqual((result.returncode, result.stdout), (2, ""), args)
            self.assertNotEqual(result.stderr, "")

    def test_help(self):
        result = check("--help")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertIn("usage: dpdk-vfio-user check SOCKET", result.stdout)

    def test_list(self):
        lines = check("--list").stdout.splitlines()
        rules = json.loads(check("--list", "--json").stdout)
        self.assertEqual([line.split()[0] for line in lines], [rule["name"] for rule in rules])
        self.assertEqual(len(check("--list", "reset*").stdout.splitlines()), 2)


if __name__ == "__main__":
    TOOL = sys.argv.pop(1)
    unittest.main()
