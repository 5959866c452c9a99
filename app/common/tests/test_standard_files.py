#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A program, the first argument, that is started without the usual descriptors.

A program that prints only what a device did gets one from dpdk-vfio-user, the second argument.
"""

import contextlib
import itertools
import os
import socket
import subprocess
import sys
import tempfile
import unittest

TOOL = None
SERVER = None
TIMEOUT = 60

# How each comes to a socket, and which words let it print something.
CONNECT = {
    "dpdk-edu": ("--no-huge", "--in-memory", "-a", "vfio-user:{}"),
    "dpdk-pci": ("show", "vfio-user:{}"),
    "dpdk-vfio-user": ("info", "{}"),
}
PRINT = {
    "dpdk-edu": CONNECT["dpdk-edu"],
    "dpdk-pci": ("--help",),
    "dpdk-test": ("--list",),
    "dpdk-vfio-user": ("--help",),
}


def closed_sets():
    for count in (1, 2, 3):
        yield from itertools.combinations(range(3), count)


class StandardFiles(unittest.TestCase):
    def setUp(self):
        # so short that it fits behind "-a vfio-user:"
        folder = tempfile.TemporaryDirectory(prefix="std", dir="/tmp")
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "s")
        self.name = os.path.basename(TOOL)

    @contextlib.contextmanager
    def started(self, closed, words):
        """The program without the closed descriptors; its output is of no interest."""
        closing = " ".join(f"{number}>&-" for number in closed)
        with subprocess.Popen(["sh", "-c", f'exec "$@" {closing}', "sh", TOOL, *words],
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as process:
            try:
                yield process
            finally:
                process.kill()

    def test_nothing_takes_the_place_of_closed_ones(self):
        words = [word.format(self.path) for word in CONNECT.get(self.name, ())]
        if not words:
            self.skipTest("connects to nobody")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(self.path)
            listener.listen()
            listener.settimeout(TIMEOUT)
            for closed in closed_sets():
                with self.subTest(closed=closed), self.started(closed, words) as process:
                    peer, _ = listener.accept()
                    with peer:
                        peer.settimeout(TIMEOUT)
                        self.assertNotEqual(peer.recv(1), b"")
                        for number in closed:
                            self.assertEqual(os.readlink(f"/proc/{process.pid}/fd/{number}"),
                                             "/dev/null")

    def serve(self):
        process = subprocess.Popen([SERVER, "serve", "edu", "--socket-path", self.path],
                                   stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.assertIn("serving at", process.stdout.readline())

    def test_output_that_cannot_be_written_is_an_error(self):
        words = [word.format(self.path) for word in PRINT[self.name]]
        if words != list(PRINT[self.name]):
            self.serve()
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run([TOOL, *words], stdout=full, stderr=subprocess.PIPE, text=True,
                                  timeout=TIMEOUT, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("No space left on device", done.stderr)


if __name__ == "__main__":
    TOOL, SERVER = sys.argv.pop(1), sys.argv.pop(1)
    unittest.main()
