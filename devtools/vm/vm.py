#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause

"""Boots a guest with a stock Debian kernel under QEMU and runs a script in it.

The script begins with lines that say what it needs:

    #vm device NAME[,PROPERTY=VALUE...]   a PCI device; the names are those of DEVICES below
    #vm program PATH                      a program, relative to the build folder
    #vm module NAME                       a module of the kernel, with those it needs
    #vm iommu PROPERTY=VALUE...           properties of the IOMMU
    #vm append TEXT                       added to the kernel's command line

Everything that the script prints appears at once. The exit status is that of the script; 77 when
there is no QEMU, 124 when the time is over, 125 when the guest ended before the script did.
"""

import argparse
import io
import os
import re
import select
import shutil
import stat
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
QEMU = 'qemu-system-x86_64'
BUSYBOX = '/bin/busybox'
SKIPPED, TIMED_OUT, NO_RESULT = 77, 124, 125

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
}
FIRST_SLOT = 4

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
        self.iommu, self.append = [], []
        with open(script, encoding='utf-8') as lines:
            for line in lines:
                match = re.match(r'#vm (device|program|module|iommu|append) (.+)', line)
                if match:
                    getattr(self, match[1]).append(match[2].strip())


def kernel():
    """Paths of the kernel in the cache, fetched at the first call."""
    out = subprocess.run([os.path.join(HERE, 'kernel.sh')], stdout=subprocess.PIPE, text=True,
                         stdin=subprocess.DEVNULL, check=False)
    if out.returncode != 0:
        sys.exit('vm: the kernel for the guest is not there (see above)')
    return dict(re.findall(r"^(\w+)='(.*)'$", out.stdout, re.MULTILINE))


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
    archive.file('lib/modules/sparse_vfio_pci.ko', paths['VM_SPARSE'])


def libraries_of(program):
    out = subprocess.run(['ldd', program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                         text=True, check=False)
    if 'not found' in out.stdout:
        sys.exit(f'vm: {program} needs a library that is not there:\n{out.stdout}')
    return re.findall(r'(/\S+) \(0x', out.stdout)


def add_program(archive, path):
    archive.file('bin/' + os.path.basename(path), path)
    for library in libraries_of(path):
        archive.file(library.lstrip('/'), library)


def build_initramfs(paths, needs, args):
    archive = Archive()
    archive.char_device('dev/console', 5, 1)
    archive.file('bin/busybox', BUSYBOX)
    archive.file('init', os.path.join(HERE, 'guest', 'init'))
    archive.file('lib.sh', os.path.join(HERE, 'guest', 'lib.sh'))
    archive.file('run.sh', args.script)
    add_modules(archive, paths, VFIO_MODULES + needs.module)
    for program in needs.program:
        add_program(archive, os.path.join(args.builddir, program))
    return archive.bytes()


def qemu_command(paths, needs, args, initramfs, console):
    command = [
        QEMU, '-accel', 'tcg', '-machine', 'q35,kernel-irqchip=split', '-cpu', 'max', '-m', '1G',
        '-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot',
        '-chardev', 'stdio,id=results,signal=off',
        '-serial', 'file:' + console, '-serial', 'chardev:results',
        '-device', ','.join(['intel-iommu,intremap=on'] + needs.iommu),
        '-kernel', paths['VM_KERNEL'], '-initrd', initramfs,
        '-append', ' '.join(['console=ttyS0', 'intel_iommu=on', 'panic=1', 'quiet']
                            + needs.append + args.append),
    ]
    for slot, wanted in enumerate(needs.device, FIRST_SLOT):
        name, comma, properties = wanted.partition(',')
        if name not in DEVICES:
            sys.exit(f'vm: no device is called {name}')
        extra, device = DEVICES[name]
        command += extra + ['-device', f'{device},addr={slot:#x}{comma}{properties}']
    return command


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


def run(command, folder, console, timeout):
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
            print(line, flush=True)
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
    parser.add_argument('--timeout', type=int, default=120, metavar='SECONDS')
    parser.add_argument('--append', action='append', default=[], metavar='TEXT',
                        help="add to the kernel's command line")
    parser.add_argument('--console', metavar='FILE', help="keep the guest's console in FILE")
    parser.add_argument('script', help='guest script')
    return parser.parse_args()


def main():
    args = parse_args()
    for tool in (QEMU, BUSYBOX):
        if shutil.which(tool) is None:
            print(f'vm: skipped: {tool} is not installed')
            return SKIPPED
    needs = Needs(args.script)
    paths = kernel()
    with tempfile.TemporaryDirectory(prefix='dpdk-vfio-vm.') as folder:
        initramfs = os.path.join(folder, 'initramfs')
        console = args.console or os.path.join(folder, 'console')
        with open(initramfs, 'wb') as out:
            out.write(build_initramfs(paths, needs, args))
        return run(qemu_command(paths, needs, args, initramfs, console), folder, console,
                   args.timeout)


if __name__ == '__main__':
    sys.exit(main())
