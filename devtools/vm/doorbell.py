# SPDX-License-Identifier: BSD-3-Clause

"""The server that an ivshmem-doorbell device of QEMU needs: docs/specs/ivshmem-spec.rst."""

import os
import socket
import struct
import threading

VERSION, ID, MEMORY = 0, 0, -1
SIZE = 1 << 20


class Doorbell:
    """Serves at "path" one device at a time, which is the only peer and rings at itself."""

    def __init__(self, path, vectors):
        self.memory = os.memfd_create('ivshmem')
        os.ftruncate(self.memory, SIZE)
        self.vectors = vectors
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(path)
        self.listener.listen()
        threading.Thread(target=self.serve, daemon=True).start()

    def greet(self, client):
        """What it is and has; then an eventfd for each of its vectors."""
        for number, *fds in ((VERSION,), (ID,), (MEMORY, self.memory)):
            socket.send_fds(client, [struct.pack('<q', number)], fds)
        for _ in range(self.vectors):
            event = os.eventfd(0)
            socket.send_fds(client, [struct.pack('<q', ID)], [event])
            os.close(event)

    def serve(self):
        while True:
            client, _ = self.listener.accept()
            self.greet(client)
            client.recv(1)
            client.close()
