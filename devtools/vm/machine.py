# SPDX-License-Identifier: BSD-3-Clause

"""The machines that guests are: what QEMU emulates, where the kernel's console and the results go,
and which files programs need there."""

import os
import re
import subprocess
import sys


class Machine:
    """Options of QEMU have {console} for the file of the console; "results" is a chardev."""

    def __init__(self, qemu, options, console, results):
        self.qemu, self.options = 'qemu-system-' + qemu, options
        self.append = [f'console={console}', f'VM_RESULTS=/dev/{results}']

    def command(self, console):
        return [option.format(console=console) for option in self.options]


MACHINES = {
    'amd64': Machine(
        'x86_64', ['-machine', 'q35,kernel-irqchip=split', '-cpu', 'max',
                   '-serial', 'file:{console}', '-serial', 'chardev:results'],
        'ttyS0', 'ttyS1'),
    # of pointer authentication, a fast form; the real one takes most of the time
    'arm64': Machine(
        'aarch64', ['-machine', 'virt', '-cpu', 'max,pauth-impdef=on', '-serial', 'file:{console}',
                    '-device', 'pci-serial,chardev=results,addr=0x1e'],
        'ttyAMA0', 'ttyS0'),
    # TCG has none of the mitigations that the machine promises if not told otherwise
    'ppc64el': Machine(
        'ppc64', ['-machine', 'pseries,cap-cfpc=broken,cap-sbbc=broken,cap-ibs=broken,'
                              'cap-ccf-assist=off', '-cpu', 'power9',
                  '-chardev', 'file,id=console,path={console}',
                  '-device', 'spapr-vty,chardev=console', '-device', 'spapr-vty,chardev=results'],
        'hvc0', 'hvc1'),
}
NATIVE = 'amd64'


def libraries_by_loader(program):
    """Libraries of a program of this machine: pairs of a path in the guest and one here."""
    out = subprocess.run(['ldd', program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                         text=True, check=False)
    if 'not found' in out.stdout:
        sys.exit(f'vm: {program} needs a library that is not there:\n{out.stdout}')
    return {path: path for path in re.findall(r'(/\S+) \(0x', out.stdout)}


def library_find(name, folders):
    for folder in folders:
        path = os.path.join(folder, name)
        if os.path.exists(path):
            return path
    sys.exit(f'vm: there is no {name} in {":".join(folders)}')


def libraries_by_name(program, folders, found=None):
    """The same of a program that nothing here can load, from folders of libraries."""
    found = {} if found is None else found
    out = subprocess.run(['readelf', '-W', '-d', '-l', program], stdout=subprocess.PIPE, text=True,
                         check=True).stdout
    for path in re.findall(r'interpreter: (\S+)\]', out):
        found[path] = library_find(os.path.basename(path), folders)
    for name in re.findall(r'\(NEEDED\).*\[(\S+)\]', out):
        path = '/lib/' + name
        if path not in found:
            found[path] = library_find(name, folders)
            libraries_by_name(found[path], folders, found)
    return found
