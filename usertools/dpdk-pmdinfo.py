#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Print, as JSON, what the drivers in programs and shared libraries say of themselves.

The librte_* libraries that a file needs are read too, wherever the run-time linker would
find them.

examples:
  %(prog)s librte_raw_edu.so
  %(prog)s -p dpdk-test | jq '.[] | select(.pci_ids[]? | .vendor == "1234").name'
"""

import argparse
import glob
import json
import logging
import os
import re
import signal
import sys

try:
    from elftools.common.exceptions import ELFError
    from elftools.elf.elffile import ELFFile
except ImportError:
    sys.exit("dpdk-pmdinfo.py: needs pyelftools (Debian: python3-pyelftools)")

INFO = re.compile(rb"PMD_INFO_STRING= *(\{[^\0]*\})\0")
PLUGIN_PATH = re.compile(rb"DPDK_PLUGIN_PATH=([^\0]*)\0")
PCI_FIELDS = ("vendor", "device", "subsystem_vendor", "subsystem_device")
ANY_ID = 0xffff

SYSTEM_FOLDERS = ["/lib", "/usr/lib", "/usr/local/lib", "/lib64", "/usr/lib64"] + \
    glob.glob("/lib/*-linux-gnu") + glob.glob("/usr/lib/*-linux-gnu") + \
    glob.glob("/usr/local/lib/*-linux-gnu")

log = logging.getLogger("dpdk-pmdinfo.py")


class Error(Exception):
    """A file that cannot be read; the text says which and why."""


class Binary:
    """What matters here of an ELF file."""

    def __init__(self, path):
        self.path = path
        self.data = b""
        self.needed = []
        self.run_path = []
        try:
            with open(path, "rb") as source:
                self._read(ELFFile(source))
        except OSError as error:
            raise Error(f"{path}: {error.strerror}") from None
        except ELFError:
            raise Error(f"{path}: not an ELF file") from None

    def _read(self, elf):
        for section in elf.iter_sections():
            if section.name.startswith(".rodata"):
                # a string at the very end keeps its end mark
                self.data += section.data() + b"\0"
        dynamic = elf.get_section_by_name(".dynamic")
        for tag in dynamic.iter_tags() if dynamic else []:
            if tag.entry.d_tag == "DT_NEEDED":
                self.needed.append(tag.needed)
            elif tag.entry.d_tag in ("DT_RUNPATH", "DT_RPATH"):
                text = tag.runpath if tag.entry.d_tag == "DT_RUNPATH" else tag.rpath
                self.run_path += self._expand(text)

    def _expand(self, text):
        origin = os.path.dirname(os.path.abspath(self.path))
        text = text.replace("$ORIGIN", origin).replace("${ORIGIN}", origin)
        return [folder for folder in text.split(":") if folder]

    def infos(self):
        """Yield the driver infos, in their order in the file."""
        for match in INFO.finditer(self.data):
            try:
                yield readable(json.loads(match.group(1)))
            except (ValueError, TypeError) as error:
                log.warning("%s: bad driver info: %s", self.path, error)

    def plugin_folders(self):
        """Return where the EAL in this file looks for drivers."""
        stated = [match.decode(errors="replace") for match in PLUGIN_PATH.findall(self.data)]
        beside = glob.glob(os.path.join(os.path.dirname(os.path.abspath(self.path)), "pmds-*"))
        return [folder for folder in stated + beside if os.path.isdir(folder)]


def readable(info):
    """Turn the numbers of the PCI table into hex digits; what matches anything is left out."""
    info["pci_ids"] = [{field: f"{number:04x}" for field, number in zip(PCI_FIELDS, row)
                        if number != ANY_ID} for row in info.get("pci_ids", [])]
    return info


def find_library(name, run_path):
    folders = os.environ.get("LD_LIBRARY_PATH", "").split(":")
    for folder in [f for f in folders if f] + run_path + SYSTEM_FOLDERS:
        path = os.path.join(folder, name)
        if os.path.isfile(path):
            return path
    return None


def with_needed(paths):
    """Yield the binaries at paths and, each once, the librte_* libraries they need."""
    waiting = [(path, True) for path in paths]
    seen = set()
    while waiting:
        path, asked_for = waiting.pop(0)
        if os.path.realpath(path) in seen:
            continue
        seen.add(os.path.realpath(path))
        try:
            binary = Binary(path)
        except Error as error:
            if asked_for:
                raise
            log.warning("%s", error)
            continue
        log.debug("%s: read", path)
        yield binary
        for name in binary.needed:
            if not name.startswith("librte_"):
                continue
            library = find_library(name, binary.run_path)
            if library is None:
                log.warning("%s: needs %s, which is not found", path, name)
            else:
                waiting.append((library, False))


def plugins(binaries):
    """Return the drivers that the EAL of these binaries would load by itself."""
    folders = dict.fromkeys(folder for binary in binaries for folder in binary.plugin_folders())
    return [path for folder in folders
            for path in sorted(glob.glob(os.path.join(folder, "librte_*.so")))]


def collect(paths, search_plugins):
    binaries = list(with_needed(paths))
    if search_plugins:
        binaries = list(with_needed(paths + plugins(binaries)))
    unique = {}
    for binary in binaries:
        for info in binary.infos():
            unique.setdefault(info.get("name"), info)
    return list(unique.values())


def main(arguments=None):
    parser = argparse.ArgumentParser(
        prog="dpdk-pmdinfo.py", formatter_class=argparse.RawDescriptionHelpFormatter,
        description=__doc__ % {"prog": "dpdk-pmdinfo.py"})
    parser.add_argument("-p", "--search-plugins", action="store_true",
                        help="also read the drivers that EAL would load by itself")
    parser.add_argument("-v", "--verbose", action="count", default=0,
                        help="tell what cannot be read; twice: and what is read")
    parser.add_argument("files", nargs="+", metavar="ELF_FILE")
    options = parser.parse_args(arguments)
    logging.basicConfig(format="%(name)s: %(message)s", level={
        0: logging.ERROR, 1: logging.WARNING}.get(options.verbose, logging.DEBUG))
    try:
        infos = collect(options.files, options.search_plugins)
    except Error as error:
        print(f"dpdk-pmdinfo.py: {error}", file=sys.stderr)
        return 1
    print(json.dumps(infos, indent=2))
    return 0


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # as when "| head" has seen enough
    sys.exit(main())
