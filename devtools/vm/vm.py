#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause

"""Boots a guest with a Debian kernel, or one of our own, under QEMU and runs a script in it.

The script begins with lines that say what it needs:

    #vm device NAME[,PROPERTY=VALUE...]   a PCI device; the names are those of DEVICES below
    #vm pluggable NAME[,PROPERTY=VALUE...]
                                          a device at a port of its own, there from the start,
                                          which the script pulls by printing "@pull N" and plugs
                                          by "@plug N"; N counts them from 0
    #vm hotplug native                    ports tell of what comes and goes by themselves, and not
                                          the machine's ACPI
    #vm outside NAME[,PROPERTY=VALUE...]  a device that the IOMMU leaves alone
    #vm program PATH                      a program, relative to the build folder
    #vm module NAME                       a module of the kernel, with those it needs
    #vm built NAME                        a module that is no part of the kernel, in /lib/modules;
                                          skipped where its source cannot be had: igb_uio
    #vm iommu PROPERTY=VALUE...           properties of the IOMMU, or "none"
    #vm append TEXT                       added to the kernel's command line
    #vm kernel own                        the kernel that own-kernel.sh has built; skipped if none
    #vm served NAME [--OPTION...] [PROPERTY=VALUE...] [@posted|@waited]
                                          a device of "dpdk-vfio-user serve", with its options,
                                          and properties of QEMU's vfio-user-pci; and whether
                                          writes to it are to be seen on the socket that QEMU
                                          does not wait for
    #vm boots N                           boot N times; the served devices run all the time
    #vm complaint PATTERN                 a line that matches this QEMU may write

Everything that the script prints appears at once. The exit status is that of the script; 77 when
there is no QEMU, 124 when the time is over, 125 when the guest ended before the script did. With
served devices it is 1 when QEMU complained about them, the server did not end as it should, or
writes were not what they had to be.
"""

import argparse
import io
import json
import os
import re
import select
import shutil
import stat
import subprocess
import sys
import tempfile
import time

import machine
from doorbell import Doorbell
from machine import MACHINES, NATIVE
from monitor import Monitor
from tap import Tap

HERE = os.path.dirname(os.path.abspath(__file__))
QEMU = MACHINES[NATIVE].qemu
BUSYBOX = '/bin/busybox'
SKIPPED, TIMED_OUT, NO_RESULT = 77, 124, 125
FAILED = 1
SERVER = 'app/vfio-user/dpdk-vfio-user'

VECTORS = 8

# Options that a device needs besides "-device", and the device itself.
DEVICES = {
    'edu': ([], 'edu'),
    'pci-testdev': ([], 'pci-testdev'),
    'nvme': (['-blockdev', 'driver=null-co,node-name=disk,size=16777216,read-zeroes=on'],
             'nvme,drive=disk,serial=test'),
    'e1000e': ([], 'e1000e'),
    'virtio-net': ([], 'virtio-net-pci'),
    'ivshmem': (['-object', 'memory-backend-ram,id=shm,size=1M,share=on'],
                'ivshmem-plain,memdev=shm'),
    'ivshmem-doorbell': (['-chardev', 'socket,id=doorbell,path={folder}/doorbell'],
                         f'ivshmem-doorbell,chardev=doorbell,vectors={VECTORS}'),
}
FIRST_SLOT = 4
SERVED_SLOT = 16
OUTSIDE_SLOT = 23

VFIO_MODULES = ['vfio-pci', 'vfio_iommu_type1']


class Archive:
    """An initramfs in the format of cpio newc."""

    def __init__(self):
        self.out = io.BytesIO()
        self.names = set()

    def _entry(self, name, mode, data=b'', device=(0, 0)):
        self.names.add(name)
        fields = (len(self.names), mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(name) + 1, 0)
        self.out.write(b'070701' + b''.join(b'%08X' % f for f in fields))
        self.out.write(name.encode() + b'\0')
        self._align()
        self.out.write(data)
        self._align()

    def _align(self):
        self.out.write(b'\0' * (-self.out.tell() % 4))

    def folder(self, name):
        """The folder and those above it, once each."""
        if name and name not in self.names:
            self.folder(os.path.dirname(name))
            self._entry(name, stat.S_IFDIR | 0o755)

    def data(self, name, data, mode=0o755):
        if name not in self.names:
            self.folder(os.path.dirname(name))
            self._entry(name, stat.S_IFREG | mode, data)

    def file(self, name, path):
        with open(path, 'rb') as source:
            self.data(name, source.read())

    def char_device(self, name, major, minor):
        self.folder(os.path.dirname(name))
        self._entry(name, stat.S_IFCHR | 0o600, device=(major, minor))

    def bytes(self):
        self._entry('TRAILER!!!', 0)
        return self.out.getvalue()


class Needs:
    """What the head of a guest script asks for."""

    def __init__(self, script):
        self.device, self.program, self.module = [], [], []
        self.iommu, self.append, self.pluggable = [], [], []
        self.served, self.boots, self.kernel, self.built = [], [], [], []
        self.complaint, self.hotplug, self.outside = [], [], []
        with open(script, encoding='utf-8') as lines:
            for line in lines:
                match = re.match(r'#vm (device|pluggable|program|module|iommu|append|served'
                                 r'|boots|kernel|built|complaint|hotplug|outside) (.+)', line)
                if match:
                    getattr(self, match[1]).append(match[2].strip())


def assignments(script, *args):
    """Exit status of a script beside this one, and what it assigns."""
    out = subprocess.run([os.path.join(HERE, script), *args], stdout=subprocess.PIPE, text=True,
                         stdin=subprocess.DEVNULL, check=False)
    return out.returncode, dict(re.findall(r"^(\w+)='(.*)'$", out.stdout, re.MULTILINE))


def kernel(own, arch):
    """Paths of the kernel in the cache. Debian's is fetched at the first call, ours never made."""
    if arch != NATIVE:
        status, paths = assignments('foreign-root.sh', arch)
    elif own:
        status, paths = assignments('own-kernel.sh', '--cached')
    else:
        status, paths = assignments('kernel.sh')
    if status == SKIPPED:
        print('vm: left out: it needs a kernel of our own; see devtools/test.sh --vm --vm-kernel')
        sys.exit(SKIPPED)
    if status != 0:
        sys.exit('vm: the kernel for the guest is not there (see above)')
    return paths


def client_qemu():
    """The command that runs a QEMU with vfio-user, by its own loader: it needs no root to run."""
    status, paths = assignments('qemu.sh')
    if status != 0:
        print('vm: skipped: there is no QEMU with vfio-user (see above)')
        sys.exit(SKIPPED)
    root = paths['VM_QEMU_ROOT']
    return [f'{root}/lib64/ld-linux-x86-64.so.2', '--library-path',
            f'{root}/usr/lib/x86_64-linux-gnu', f'{root}/usr/bin/{QEMU}',
            '-L', f'{root}/usr/share/qemu', '-L', f'{root}/usr/share/seabios']


def build_modules(paths, names):
    """Adds the paths of modules that are no part of the kernel."""
    paths['built'] = {}
    for name in names:
        if 'VM_HEADERS' not in paths:
            print(f'vm: skipped: {name} is built for the kernels of Debian only')
            sys.exit(SKIPPED)
        status, built = assignments(name.replace('_', '-') + '.sh', paths['VM_HEADERS'])
        if status == SKIPPED:
            print(f'vm: skipped: there is no source of {name} (see above)')
            sys.exit(SKIPPED)
        if status != 0:
            sys.exit(f'vm: {name} cannot be built (see above)')
        paths['built'][name] = built['VM_' + name.upper()]


class Server:
    """Devices that "dpdk-vfio-user serve" emulates, from the beginning of a block to its end."""

    def __init__(self, needs, builddir, folder):
        self.sockets, self.properties, self.expected = [], [], []
        self.command = [os.path.join(builddir, SERVER), 'serve']
        for number, wanted in enumerate(needs.served):
            name, *words = wanted.split()
            path = os.path.join(folder, f'{name}{number}.sock')
            options = [word for word in words if word.startswith('--')]
            self.expected.append([word for word in words if word.startswith('@')])
            self.sockets.append(path)
            self.properties.append([w.split('=') for w in words if w[0] not in '-@'])
            self.command += [name, '--socket-path', path] + options
        self.process, self.taps = None, []
        self.failed = False

    def __enter__(self):
        if self.sockets:
            # pylint: disable=consider-using-with
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL,
                                            stdout=subprocess.PIPE, text=True)
            for _ in self.sockets:
                if 'serving' not in self.process.stdout.readline():
                    sys.exit('vm: the server does not start (see above)')
        self.taps = [Tap(path + '.tap', path) if expected else None
                     for path, expected in zip(self.sockets, self.expected)]
        return self

    def __exit__(self, *_):
        if self.process is None:
            return
        self.failed = self.process.poll() is not None
        self.process.terminate()
        try:
            self.failed |= self.process.wait(10) != 0
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.failed = True
        self.failed |= any(os.path.exists(path) for path in self.sockets)
        self.process.stdout.close()
        if self.failed:
            print(f'vm: the server ended with {self.process.returncode}, or left a socket',
                  file=sys.stderr)

    def writes_wrong(self):
        """Tells which writes were posted and should not have been, or the reverse."""
        wrong = False
        for path, tap, expected in zip(self.sockets, self.taps, self.expected):
            if tap is None:
                continue
            posted, waited = tap.counter.posted, tap.counter.waited
            fine = posted > 0 if expected == ['@posted'] else posted == 0 and waited > 0
            wrong |= not fine
            print(f'{os.path.basename(path)}: {posted} writes posted, {waited} waited for'
                  + ('' if fine else f': that is not {expected[0]}'), flush=True)
        return wrong

    def devices(self):
        """Options of QEMU for the devices. The socket's address can be told as JSON only."""
        values = {'on': True, 'off': False}
        for slot, (path, properties) in enumerate(zip(self.sockets, self.properties), SERVED_SLOT):
            path += '.tap' if self.expected[slot - SERVED_SLOT] else ''
            device = {'driver': 'vfio-user-pci', 'addr': f'{slot:#x}',
                      'socket': {'type': 'unix', 'path': path}}
            device.update((key, values.get(value, value)) for key, value in properties)
            yield from ('-device', json.dumps(device))


def modules_closure(tree, names):
    """Files of the named modules and of those they need, relative to the folder "tree"."""
    depends = {}
    with open(os.path.join(tree, 'modules.dep'), encoding='utf-8') as lines:
        for line in lines:
            path, needed = line.split(':')
            depends[path] = needed.split()
    by_name = {os.path.basename(p).split('.')[0].replace('-', '_'): p for p in depends}
    files = []
    for name in names:
        path = by_name.get(name.replace('-', '_'))
        if path is None:
            sys.exit(f'vm: the kernel has no module {name}')
        files += [f for f in depends[path][::-1] + [path] if f not in files]
    return files, depends


def add_modules(archive, paths, names):
    base = 'lib/modules/' + paths['VM_RELEASE']
    tree = os.path.join(paths['VM_MODULES'], base)
    files, depends = modules_closure(tree, names)
    for name in files:
        archive.file(f'{base}/{name}', os.path.join(tree, name))
    archive.data(f'{base}/modules.dep',
                 ''.join(f'{f}: {" ".join(depends[f])}\n' for f in files).encode())
    if 'VM_SPARSE' in paths:
        archive.file('lib/modules/sparse_vfio_pci.ko', paths['VM_SPARSE'])
    for name, path in paths['built'].items():
        archive.file(f'lib/modules/{name}.ko', path)


def add_program(archive, path, folders):
    archive.file('bin/' + os.path.basename(path), path)
    libraries = machine.libraries_by_name(path, folders) if folders else \
        machine.libraries_by_loader(path)
    for there, here in libraries.items():
        archive.file(there.lstrip('/'), here)


def build_initramfs(paths, needs, args):
    archive = Archive()
    archive.char_device('dev/console', 5, 1)
    archive.file('bin/busybox', paths.get('VM_BUSYBOX', BUSYBOX))
    archive.file('init', os.path.join(HERE, 'guest', 'init'))
    archive.file('lib.sh', os.path.join(HERE, 'guest', 'lib.sh'))
    archive.file('run.sh', args.script)
    add_modules(archive, paths, (VFIO_MODULES if args.arch == NATIVE else []) + needs.module)
    folders = paths.get('VM_LIBRARIES', '').split()
    for program in needs.program:
        add_program(archive, os.path.join(args.builddir, program), folders)
    return archive.bytes()


def memory_options(server):
    """The server of a device maps the guest's memory when there is a descriptor of it."""
    if not server.sockets:
        return []
    return ['-machine', 'memory-backend=mem',
            '-object', 'memory-backend-memfd,id=mem,size=1G,share=on']


def iommu_options(needs):
    if needs.iommu == ['none']:
        return [], []
    return (['-device', ','.join(['intel-iommu,intremap=on'] + needs.iommu)],
            ['intel_iommu=on'])


def device_of(wanted):
    """QEMU's name and properties of a device that needs nothing else."""
    name, *properties = wanted.split(',')
    return {'driver': DEVICES[name][1], **dict(p.split('=') for p in properties)}


def outside_options(needs):
    """A host bridge of their own, for the IOMMU leaves alone what is below a bridge."""
    if needs.outside:
        yield from ('-device', f'pxb-pcie,id=outside,bus_nr=64,addr={OUTSIDE_SLOT:#x},'
                               'bypass_iommu=on')
    for number, wanted in enumerate(needs.outside):
        port = f'outside{number}'
        options = {**device_of(wanted), 'bus': port}
        yield from ('-device', f'pcie-root-port,id={port},bus=outside,chassis={64 + number}',
                    '-device', ','.join(f'{key}={value}' for key, value in options.items()))


def qemu_command(qemu, paths, needs, args, server, initramfs, console):
    guest = MACHINES[args.arch]
    iommu, append = iommu_options(needs)
    command = qemu + [
        '-accel', 'tcg', '-m', '1G', '-nodefaults', '-no-user-config', '-display', 'none',
        '-no-reboot', '-chardev', 'stdio,id=results,signal=off',
        *guest.command(console), *memory_options(server), *iommu,
        '-kernel', paths['VM_KERNEL'], '-initrd', initramfs,
        # on a busy machine the kernel's look at its timer comes too soon, and it panics
        '-append', ' '.join(guest.append + append + ['no_timer_check', 'panic=1', 'quiet']
                            + needs.append + args.append),
        *server.devices(),
    ]
    for slot, wanted in enumerate(needs.device, FIRST_SLOT):
        name, comma, properties = wanted.partition(',')
        if name not in DEVICES:
            sys.exit(f'vm: no device is called {name}')
        extra, device = DEVICES[name]
        folder = os.path.dirname(initramfs)
        command += [word.format(folder=folder) for word in extra]
        command += ['-device', f'{device},addr={slot:#x}{comma}{properties}']
        if name == 'ivshmem-doorbell':
            Doorbell(os.path.join(folder, 'doorbell'), VECTORS)
    return command + list(outside_options(needs))


def lines_until(stream, deadline):
    """Lines of a guest as they come; None when the time is over."""
    rest = b''
    while True:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([stream], [], [], left)[0]:
            yield None
            return
        data = os.read(stream.fileno(), 65536)
        if not data:
            return
        *lines, rest = (rest + data).split(b'\n')
        for line in lines:
            yield line.rstrip(b'\r').decode(errors='replace')


def tail(path, count):
    if not os.path.exists(path):
        return ''
    with open(path, errors='replace', encoding='utf-8') as lines:
        return ''.join('    ' + line.rstrip() + '\n' for line in lines.readlines()[-count:])


def run(command, monitor, folder, console, timeout):
    status = None
    errors = os.path.join(folder, 'errors')
    with open(errors, 'wb') as stderr, \
            subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=stderr) as qemu:
        for line in lines_until(qemu.stdout, time.monotonic() + timeout):
            if line is None:
                status = TIMED_OUT
                break
            if re.fullmatch(r'@exit \d+', line):
                status = int(line.split()[1])
                break
            if not monitor.obey(line):
                print(line, flush=True)
        monitor.close()
        try:
            # a guest that has told its result only has to power off
            qemu.wait(0 if status == TIMED_OUT else 15)
        except subprocess.TimeoutExpired:
            qemu.kill()
    if status in (None, TIMED_OUT):
        what = f'was not done after {timeout} s' if status else 'ended without a result'
        print(f'vm: the guest {what}\nvm: end of its console:\n{tail(console, 30)}'
              f'vm: messages of QEMU:\n{tail(errors, 10)}', end='', file=sys.stderr, flush=True)
    return NO_RESULT if status is None else status


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--builddir', default='build', help='where the programs were built')
    parser.add_argument('--timeout', type=int, default=300, metavar='SECONDS')
    parser.add_argument('--append', action='append', default=[], metavar='TEXT',
                        help="add to the kernel's command line")
    parser.add_argument('--own-kernel', action='store_true',
                        help='whatever the script says, boot the kernel of own-kernel.sh')
    parser.add_argument('--console', metavar='FILE', help="keep the guest's console in FILE")
    parser.add_argument('--arch', choices=list(MACHINES), default=NATIVE,
                        help='the processor of the guest; another one takes what it was built for')
    parser.add_argument('script', help='guest script')
    return parser.parse_args()


def complained(folder, expected):
    """Tells what QEMU has complained about, besides what it was expected to."""
    lines = tail(os.path.join(folder, 'errors'), 1000).splitlines(keepends=True)
    lines = [line for line in lines if not any(re.search(e, line) for e in expected)]
    words = ''.join(lines[-20:])
    if words:
        print(f'vm: QEMU complained:\n{words}', end='', file=sys.stderr, flush=True)
    return bool(words)


def boot_all(qemu, paths, needs, args, folder):
    initramfs = os.path.join(folder, 'initramfs')
    console = args.console or os.path.join(folder, 'console')
    boots = int(needs.boots[0]) if needs.boots else 1
    with open(initramfs, 'wb') as out:
        out.write(build_initramfs(paths, needs, args))
    with Server(needs, args.builddir, folder) as server:
        monitor = Monitor([device_of(wanted) for wanted in needs.pluggable],
                          needs.hotplug == ['native'], folder)
        command = qemu_command(qemu, paths, needs, args, server, initramfs, console)
        command += monitor.options()
        for boot in range(boots):
            if boots > 1:
                print(f'boot {boot + 1} of {boots}', flush=True)
            status = run(command, monitor, folder, console, args.timeout)
            if status == 0 and server.sockets and complained(folder, needs.complaint):
                status = FAILED
            if status != 0:
                break
        if status == 0 and server.writes_wrong():
            status = FAILED
    return status or (FAILED if server.failed else 0)


def main():
    args = parse_args()
    needs = Needs(args.script)
    emulator = MACHINES[args.arch].qemu
    for tool in [BUSYBOX] if needs.served else [emulator, BUSYBOX]:
        if shutil.which(tool) is None:
            print(f'vm: skipped: {tool} is not installed')
            return SKIPPED
    qemu = client_qemu() if needs.served else [emulator]
    paths = kernel(args.own_kernel or needs.kernel == ['own'], args.arch)
    build_modules(paths, needs.built)
    with tempfile.TemporaryDirectory(prefix='dpdk-vfio-vm.') as folder:
        return boot_all(qemu, paths, needs, args, folder)


if __name__ == '__main__':
    sys.exit(main())
