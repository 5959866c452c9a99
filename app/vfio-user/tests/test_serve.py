#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""dpdk-vfio-user, whose path is the first argument: serving devices."""

import json
import os
import signal
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import time
import unittest

TOOL = None
VERSION, REGION_READ, CONFIG = 1, 9, 7
TIMEOUT = 30


class Client:
    """Just enough of one to read who the device is."""

    def __init__(self, sock):
        self.sock = sock
        self.sock.settimeout(TIMEOUT)
        self.call(VERSION, struct.pack("<HH", 0, 0) + json.dumps({"capabilities": {}}).encode() +
                  b"\0")

    def receive(self, length):
        data = b""
        while len(data) < length:
            part = self.sock.recv(length - len(data))
            if not part:
                raise EOFError
            data += part
        return data

    def call(self, command, payload):
        self.sock.sendall(struct.pack("<HHIII", 1, command, 16 + len(payload), 0, 0) + payload)
        _, _, size, _, error = struct.unpack("<HHIII", self.receive(16))
        payload = self.receive(size - 16)
        if error:
            raise OSError(error, "the server refuses")
        return payload

    def ids(self):
        reply = self.call(REGION_READ, struct.pack("<QII", 0, CONFIG, 4))
        return struct.unpack("<HH", reply[16:20])


class Serve(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name):
        return os.path.join(self.folder, name)

    def start(self, *args, devices=1, **kwargs):
        process = subprocess.Popen([TOOL, "serve", *args], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, **kwargs)
        self.addCleanup(self.end, process)
        for _ in range(devices):
            self.assertIn("serving at", process.stdout.readline())
        return process

    @staticmethod
    def end(process):
        process.kill()
        process.communicate()

    def run_tool(self, *args):
        return subprocess.run([TOOL, *args], capture_output=True, text=True, timeout=TIMEOUT,
                              check=False)

    def connect(self, path):
        sock = socket.socket(socket.AF_UNIX)
        self.addCleanup(sock.close)
        sock.connect(path)
        return Client(sock)

    def stop(self, process, number=signal.SIGTERM):
        process.send_signal(number)
        out, err = process.communicate(timeout=TIMEOUT)
        self.assertEqual((process.returncode, out, err), (0, "", ""))

    def test_serves_until_told_to_stop(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            process = self.start("gpio", "--socket-path", self.path("s"))
            self.assertEqual(self.connect(self.path("s")).ids(), (0x494f, 0x0dc8))
            self.stop(process, number)
            self.assertFalse(os.path.exists(self.path("s")))

    def test_socket_is_the_owners(self):
        self.start("edu", "--socket-path=" + self.path("s"))
        self.assertEqual(stat.S_IMODE(os.stat(self.path("s")).st_mode), 0o600)

    def test_several_devices_in_one_process(self):
        process = self.start("gpio", "--loop", "--socket-path", self.path("a"), "edu",
                             "--socket-path", self.path("b"), devices=2)
        self.assertEqual(self.connect(self.path("b")).ids(), (0x1234, 0x11e8))
        self.assertEqual(self.connect(self.path("a")).ids(), (0x494f, 0x0dc8))
        self.stop(process)
        self.assertEqual(os.listdir(self.folder), [])

    def test_one_client_after_the_other(self):
        process = self.start("edu", "--socket-path", self.path("s"))
        for _ in range(3):
            client = self.connect(self.path("s"))
            self.assertEqual(client.ids(), (0x1234, 0x11e8))
            client.sock.close()
        self.stop(process)

    def test_connected_descriptor(self):
        ours, theirs = socket.socketpair()
        self.addCleanup(ours.close)
        process = self.start("edu", "--fd", str(theirs.fileno()), pass_fds=[theirs.fileno()])
        theirs.close()
        self.assertEqual(Client(ours).ids(), (0x1234, 0x11e8))
        self.stop(process)

    def test_listening_descriptor(self):
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        listener.bind(self.path("s"))
        listener.listen()
        process = self.start("gpio", f"--fd={listener.fileno()}", pass_fds=[listener.fileno()])
        self.assertEqual(self.connect(self.path("s")).ids(), (0x494f, 0x0dc8))
        self.stop(process)
        self.assertTrue(os.path.exists(self.path("s")))

    def test_stale_socket_is_replaced(self):
        process = self.start("edu", "--socket-path", self.path("s"))
        process.kill()
        process.wait()
        self.assertTrue(os.path.exists(self.path("s")))
        self.start("edu", "--socket-path", self.path("s"))
        self.assertEqual(self.connect(self.path("s")).ids(), (0x1234, 0x11e8))

    def test_live_socket_is_left_alone(self):
        self.start("edu", "--socket-path", self.path("s"))
        out = self.run_tool("serve", "gpio", "--socket-path", self.path("s"))
        self.assertEqual(out.returncode, 1)
        self.assertIn(self.path("s"), out.stderr)
        self.assertEqual(self.connect(self.path("s")).ids(), (0x1234, 0x11e8))

    def test_file_that_is_no_socket_is_left_alone(self):
        with open(self.path("s"), "w", encoding="utf-8") as target:
            target.write("precious")
        out = self.run_tool("serve", "gpio", "--socket-path", self.path("s"))
        self.assertEqual(out.returncode, 1)
        with open(self.path("s"), encoding="utf-8") as source:
            self.assertEqual(source.read(), "precious")

    def test_device_that_cannot_start_stops_the_others(self):
        out = self.run_tool("serve", "edu", "--socket-path", self.path("a"), "gpio",
                            "--socket-path", "/nowhere/at/all")
        self.assertEqual(out.returncode, 1)
        self.assertEqual(os.listdir(self.folder), [])

    def test_command_lines_that_make_no_sense(self):
        for args in ([], ["serve"], ["serve", "toaster"], ["serve", "edu"], ["fly"],
                     ["serve", "--loop", "gpio"], ["serve", "edu", "--socket-path"],
                     ["serve", "edu", "--socket-path="], ["serve", "edu", "--fd", "one"],
                     ["serve", "edu", "--fd=-1"], ["serve", "edu", "--fd", "4", "--loop"],
                     ["serve", "gpio", "--loop=yes", "--fd", "4"],
                     ["serve", "gpio", "--msix", "--fd", "4"],
                     ["serve", "edu", "--fd", "4", "--socket-path", "x"],
                     ["serve", "edu", "--fd", "4", "--wheels"]):
            out = self.run_tool(*args)
            self.assertEqual(out.returncode, 2, args)
            self.assertEqual(out.stdout, "", args)
            self.assertNotEqual(out.stderr, "", args)

    def test_help(self):
        for args in (["--help"], ["serve", "--help"], ["serve", "edu", "-h"]):
            out = self.run_tool(*args)
            self.assertEqual((out.returncode, out.stderr), (0, ""), args)
            self.assertIn("usage: dpdk-vfio-user", out.stdout)

    def test_files_do_not_take_the_place_of_closed_ones(self):
        path = self.path("s")
        process = subprocess.Popen(["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", TOOL, "serve",
                                    "edu", "--socket-path", path])
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        while not os.path.exists(path):
            self.assertIsNone(process.poll())
            time.sleep(0.01)
        for number in range(3):
            self.assertEqual(os.readlink(f"/proc/{process.pid}/fd/{number}"), "/dev/null")
        self.assertEqual(self.connect(path).ids(), (0x1234, 0x11e8))

    def test_descriptor_that_is_no_socket(self):
        with tempfile.TemporaryFile() as target:
            out = subprocess.run([TOOL, "serve", "edu", "--fd", str(target.fileno())],
                                 capture_output=True, text=True, timeout=TIMEOUT, check=False,
                                 pass_fds=[target.fileno()])
        self.assertEqual(out.returncode, 1)


if __name__ == "__main__":
    TOOL = sys.argv.pop(1)
    unittest.main()
