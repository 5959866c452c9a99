# SPDX-License-Identifier: BSD-3-Clause

"""Devices of a guest that come and go while it runs."""

import json
import os
import re
import socket
import time

PORT_SLOT = 24


class Monitor:
    """Pulls and plugs devices while the guest runs, by QEMU's machine protocol."""

    def __init__(self, devices, native, folder):
        self.devices, self.native = devices, native
        self.path = os.path.join(folder, 'monitor')
        self.stream = None

    def options(self):
        if not self.devices:
            return []
        options = ['-qmp', f'unix:{self.path},server=on,wait=off']
        if self.native:
            options += ['-global', 'ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off']
        for number, _ in enumerate(self.devices):
            options += ['-device', f'pcie-root-port,id=port{number},chassis={number + 1},'
                                   f'addr={PORT_SLOT + number:#x}',
                        '-device', ','.join(f'{key}={value}' for key, value
                                            in self.device(number).items())]
        return options

    def device(self, number):
        return {**self.devices[number], 'id': f'pluggable{number}', 'bus': f'port{number}'}

    def answer(self, wanted):
        """The next message that has one of these keys."""
        while True:
            message = json.loads(self.stream.readline())
            if any(key in message for key in wanted):
                return message

    def ask(self, command, **arguments):
        if self.stream is None:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(self.path)
                self.stream = connection.makefile('rw', encoding='utf-8')
            self.ask('qmp_capabilities')
        self.stream.write(json.dumps({'execute': command, 'arguments': arguments}) + '\n')
        self.stream.flush()
        return self.answer(['return', 'error'])

    def obey(self, line):
        """Does what a line of the guest asks for, and tells whether it was such a line."""
        match = re.fullmatch(r'@(pull|plug) (\d+)', line)
        if match is None:
            return False
        number = int(match[2])
        if match[1] == 'pull':
            reply = self.ask('device_del', id=f'pluggable{number}')
        else:
            reply = self.plug(number)
        if 'error' in reply:
            print(f'vm: {line}: {reply["error"]["desc"]}', flush=True)
        return True

    def plug(self, number):
        """QEMU forgets what was pulled a moment after the guest."""
        for _ in range(100):
            reply = self.ask('device_add', **self.device(number))
            if 'Duplicate' not in reply.get('error', {}).get('desc', ''):
                break
            time.sleep(0.05)
        return reply

    def close(self):
        if self.stream is not None:
            self.stream.close()
        self.stream = None
