# SPDX-License-Identifier: BSD-3-Clause

"""Listens in on a vfio-user socket: passes on what client and server say, and counts writes."""

import os
import socket
import struct
import threading

HEADER = struct.Struct('<HHIII')
REGION_WRITE, REGION_WRITE_MULTI = 10, 15
NO_REPLY = 0x10
FDS_MAX = 64
CHUNK = 65536


class Counter:
    """Counts writes to regions in a stream of messages."""

    def __init__(self):
        self.posted = self.waited = 0

    def header(self, header):
        """Takes a header. Returns the bytes that follow it."""
        _, command, size, flags, _ = HEADER.unpack(header)
        if command in (REGION_WRITE, REGION_WRITE_MULTI):
            if flags & NO_REPLY:
                self.posted += 1
            else:
                self.waited += 1
        return size - HEADER.size


class Stream:
    """Finds the headers in what comes in pieces."""

    def __init__(self, counter):
        self.counter, self.head, self.skip = counter, b'', 0

    def take(self, data):
        while data:
            if self.skip > 0:
                data, self.skip = data[self.skip:], max(self.skip - len(data), 0)
                continue
            wanted = HEADER.size - len(self.head)
            self.head, data = self.head + data[:wanted], data[wanted:]
            if len(self.head) == HEADER.size:
                self.skip, self.head = self.counter.header(self.head), b''


def pass_on(source, sink, stream):
    """One way, until its end; descriptors go with the bytes that they came with."""
    try:
        while True:
            data, fds, _, _ = socket.recv_fds(source, CHUNK, FDS_MAX)
            if not data:
                break
            if stream is not None:
                stream.take(data)
            sent = socket.send_fds(sink, [data], fds)
            for fd in fds:
                os.close(fd)
            sink.sendall(data[sent:])
    except OSError:
        pass
    for end in (source, sink):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


class Tap:
    """A socket at "path" in front of the one of a server at "target"."""

    def __init__(self, path, target):
        self.target, self.counter = target, Counter()
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(path)
        self.listener.listen()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            client, _ = self.listener.accept()
            server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            server.connect(self.target)
            back = threading.Thread(target=pass_on, args=(server, client, None), daemon=True)
            back.start()
            pass_on(client, server, Stream(self.counter))
            back.join()
            client.close()
            server.close()
