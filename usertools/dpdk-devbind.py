#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Show PCI devices and bind them to drivers, for use from user space or by the kernel.

A device that user space drives is bound to vfio-pci, to one of the variant drivers that
speak VFIO for one vendor's devices (mlx5-vfio-pci, nvgrace-gpu-vfio-pci, ...), or to a UIO
driver. DEVICE is a PCI address (the domain may be left out) or a network interface name.

examples:
  %(prog)s --status
  %(prog)s --bind vfio-pci 0000:00:04.0 eth1
  %(prog)s --unbind 00:04.0
"""

import argparse
import grp
import os
import pwd
import re
import signal
import sys
import time

ADDRESS = re.compile(r"^(?:([0-9a-fA-F]{1,8}):)?([0-9a-fA-F]{1,2}):([0-9a-fA-F]{1,2})\.([0-7])$")

UIO_DRIVERS = ("igb_uio", "uio_pci_generic")

# Drivers beside which the other devices of an IOMMU group may still be used by user space
# (Linux: those that do no DMA of their own accord).
HARMLESS_DRIVERS = ("pci-stub", "pcieport")

NOIOMMU_PARAMETER = "sys/module/vfio/parameters/enable_unsafe_noiommu_mode"

# name on the command line, title, prefixes of the class code
CATEGORIES = (
    ("net", "Network", ("02",)),
    ("storage", "Storage", ("01",)),
    ("crypto", "Crypto", ("10", "0b40")),
    ("dma", "DMA", ("0801",)),
    ("accel", "Accelerator", ("12",)),
    ("misc", "Misc", ("",)),
)

# What DPDK tells apart by lists of ids shares the class of accelerators.
CATEGORY_ALIASES = dict.fromkeys(("baseband", "compress", "event", "mempool", "ml", "regex"),
                                 "accel")

# Bridges and memory controllers keep the machine going: they are nobody's to bind.
HIDDEN_CLASSES = ("05", "06")

NO_IOMMU_HELP = """\
{address}: this machine has no IOMMU that Linux uses, so VFIO cannot give the device to a process.
Turn it on in the firmware set-up (VT-d, AMD-Vi, SMMU) and, for Intel, boot the kernel with
intel_iommu=on. In a virtual machine give it a virtual IOMMU (QEMU: -device intel-iommu).
Where devices and their users are trusted with all of the memory, --noiommu-mode does without."""


class Error(Exception):
    """Something the user can do something about; the text says what."""


class System:
    """The files through which Linux shows and changes its devices, below a root folder."""

    def __init__(self, root):
        self.root = root

    def path(self, *parts):
        return os.path.join(self.root, *parts)

    def exists(self, *parts):
        return os.path.exists(self.path(*parts))

    def list(self, *parts):
        try:
            return sorted(os.listdir(self.path(*parts)))
        except (FileNotFoundError, NotADirectoryError):
            return []

    def read(self, *parts):
        """Return the text of a file, stripped, or "" when there is none."""
        try:
            with open(self.path(*parts), encoding="utf-8", errors="replace") as source:
                return source.read().strip()
        except OSError:
            return ""

    def link_name(self, *parts):
        """Return the last component of what a link points to, or ""."""
        try:
            return os.path.basename(os.readlink(self.path(*parts)))
        except OSError:
            return ""

    def write(self, text, *parts):
        # never creates: a missing file is an error to report
        fd = os.open(self.path(*parts), os.O_WRONLY)
        try:
            os.write(fd, text.encode())
        finally:
            os.close(fd)

    def chown(self, uid, gid, *parts):
        os.chown(self.path(*parts), uid, gid)


class Device:
    """A PCI device, as sysfs has it now."""

    def __init__(self, system, address):
        self.system = system
        self.address = address
        self.folder = f"sys/bus/pci/devices/{address}"

    def attribute(self, name):
        return self.system.read(self.folder, name)

    def hex_attribute(self, name):
        return self.attribute(name)[2:]

    @property
    def driver(self):
        return self.system.link_name(self.folder, "driver")

    @property
    def group(self):
        return self.system.link_name(self.folder, "iommu_group")

    @property
    def interfaces(self):
        return self.system.list(self.folder, "net")

    @property
    def category(self):
        code = self.hex_attribute("class")
        return next(name for name, _title, prefixes in CATEGORIES if code.startswith(prefixes))

    @property
    def hidden(self):
        return self.hex_attribute("class").startswith(HIDDEN_CLASSES)

    def speaks_vfio(self):
        return is_vfio_name(self.driver) or self.system.exists(self.folder, "vfio-dev")

    def for_user_space(self):
        return self.driver in UIO_DRIVERS or self.speaks_vfio()

    def neighbours(self):
        """The other devices of the IOMMU group."""
        names = self.system.list(self.folder, "iommu_group", "devices")
        return [Device(self.system, name) for name in names if name != self.address]


def is_vfio_name(driver):
    return driver.replace("_", "-").endswith("vfio-pci")


def all_devices(system):
    return [Device(system, name) for name in system.list("sys/bus/pci/devices")]


def find_device(system, text):
    """Return the device that an address or an interface name stands for."""
    match = ADDRESS.match(text)
    if match:
        domain, bus, slot, function = match.groups()
        address = f"{int(domain or '0', 16):04x}:{int(bus, 16):02x}:{int(slot, 16):02x}.{function}"
        if system.exists("sys/bus/pci/devices", address):
            return Device(system, address)
        raise Error(f"{text}: there is no such PCI device (--status lists those there are)")
    for device in all_devices(system):
        if text in device.interfaces:
            return device
    raise Error(f"{text}: neither a PCI address nor an interface of a PCI device")


def routed_interfaces(system):
    """Return the names of the interfaces that carry a route, other than link-local ones."""
    names = set()
    for line in system.read("proc/net/route").splitlines()[1:]:
        names.add(line.split()[0])
    for line in system.read("proc/net/ipv6_route").splitlines():
        fields = line.split()
        if not fields[0].startswith(("fe80", "ff00")) and fields[1] != "80":
            names.add(fields[-1])
    return names


class PciIds:
    """Names of vendors and devices from the pci.ids file, when the system has one."""

    FILES = ("usr/share/misc/pci.ids", "usr/share/hwdata/pci.ids", "var/lib/pciutils/pci.ids")

    def __init__(self, system):
        self.names = {}
        text = next(filter(None, map(system.read, self.FILES)), "")
        vendor = ""
        for line in text.splitlines():
            if re.match(r"^[0-9a-f]{4}  ", line):
                vendor = line[:4]
                self.names[vendor, ""] = line[6:]
            elif re.match(r"^\t[0-9a-f]{4}  ", line) and vendor:
                self.names[vendor, line[1:5]] = line[7:]
            elif line.startswith("C "):
                break

    def describe(self, device):
        vendor, number = device.hex_attribute("vendor"), device.hex_attribute("device")
        vendor_name = self.names.get((vendor, ""))
        name = self.names.get((vendor, number))
        if vendor_name and name:
            return f"{vendor_name} {name} {vendor}:{number}"
        if vendor_name:
            return f"{vendor_name} Device {vendor}:{number}"
        return f"Device {vendor}:{number}"


def status_line(device, ids, routed, loaded):
    facts = [device.address, f"'{ids.describe(device)}'"]
    if device.interfaces:
        facts.append("if=" + ",".join(device.interfaces))
    if device.driver:
        facts.append(f"drv={device.driver}")
    unused = [name for name in loaded if name != device.driver]
    if unused:
        facts.append("unused=" + ",".join(unused))
    if device.group:
        facts.append(f"group={device.group}")
    numa = device.attribute("numa_node")
    if numa and not numa.startswith("-"):
        facts.append(f"numa_node={numa}")
    if routed & set(device.interfaces):
        facts.append("*Active*")
    return " ".join(facts)


def show_category(title, devices, line_of):
    groups = (
        (f"{title} devices using a driver for user space",
         [d for d in devices if d.for_user_space()]),
        (f"{title} devices using kernel driver",
         [d for d in devices if d.driver and not d.for_user_space()]),
        (f"Other {title} devices", [d for d in devices if not d.driver]),
    )
    for heading, members in groups:
        if members:
            print(f"\n{heading}\n{'=' * len(heading)}")
            for device in members:
                print(line_of(device))
    if not devices:
        heading = f"No '{title}' devices detected"
        print(f"\n{heading}\n{'=' * len(heading)}")


def show_status(system, wanted):
    """Print the devices of one category, or of all."""
    ids = PciIds(system)
    routed = routed_interfaces(system)
    loaded = [name for name in system.list("sys/bus/pci/drivers")
              if name in UIO_DRIVERS or is_vfio_name(name)]
    devices = all_devices(system)
    for name, title, _prefixes in CATEGORIES:
        if wanted not in (name, "all"):
            continue
        members = [d for d in devices if d.category == name and not d.hidden]
        if members or wanted == name or name == "net":
            show_category(title, members,
                          lambda device: status_line(device, ids, routed, loaded))


def check_driver_loaded(system, driver):
    if system.exists("sys/bus/pci/drivers", driver):
        return
    if ADDRESS.match(driver):
        raise Error(f"--bind takes a driver first, then devices: {driver} is a device")
    raise Error(f"driver {driver} is not loaded; try: modprobe {driver}")


def check_not_active(device, routed):
    active = sorted(routed & set(device.interfaces))
    if active:
        raise Error(f"{device.address}: interface {', '.join(active)} is in use (it has a route); "
                    "take it down first, or use --force")


def noiommu_enabled(system):
    return system.read(NOIOMMU_PARAMETER) in ("Y", "1")


def check_iommu(device):
    if device.group or noiommu_enabled(device.system):
        return
    raise Error(NO_IOMMU_HELP.format(address=device.address))


def check_group_viable(device, moving):
    """All devices of an IOMMU group must be out of the kernel's hands before any is used."""
    in_the_way = [d for d in device.neighbours()
                  if d.address not in moving and d.driver
                  and d.driver not in HARMLESS_DRIVERS and not d.speaks_vfio()]
    if in_the_way:
        names = ", ".join(f"{d.address} ({d.driver})" for d in in_the_way)
        raise Error(f"{device.address}: IOMMU group {device.group} is not viable: it also holds "
                    f"{names}; bind these to the same driver or unbind them, or use --force")


def check_bind(system, devices, driver, force):
    """Refuse before anything is changed."""
    check_driver_loaded(system, driver)
    moving = {device.address for device in devices}
    routed = set() if force else routed_interfaces(system)
    for device in devices:
        check_not_active(device, routed)
        if is_vfio_name(driver):
            check_iommu(device)
            if not force:
                check_group_viable(device, moving)
        if not system.exists(device.folder, "driver_override"):
            raise Error(f"{device.address}: this kernel has no driver_override (Linux 3.15 has)")


def reason(error):
    if isinstance(error, PermissionError):
        return f"{error.strerror} (root is needed; a locked-down kernel refuses even root)"
    return error.strerror or str(error)


def unbind(device):
    """Take a device from its driver; false if it has none."""
    driver = device.driver
    if not driver:
        return False
    try:
        device.system.write(device.address, "sys/bus/pci/drivers", driver, "unbind")
    except OSError as error:
        raise Error(f"{device.address}: cannot unbind from {driver}: {reason(error)}") from None
    return True


def attach(device, driver):
    """Give an unbound device to a driver, and to no other."""
    system = device.system
    try:
        system.write(driver, device.folder, "driver_override")
        try:
            system.write(device.address, "sys/bus/pci/drivers", driver, "bind")
        finally:
            # what the kernel remembers would outlast this binding
            system.write("\n", device.folder, "driver_override")
    except OSError as error:
        raise Error(f"{device.address}: cannot bind to {driver}: {reason(error)}") from None
    if device.driver != driver:
        raise Error(f"{device.address}: {driver} did not take the device (dmesg may tell why)")


def bind(device, driver):
    """Move a device to a driver; when that fails it goes back to the one it had."""
    before = device.driver
    if before == driver:
        print(f"{device.address} is bound to {driver} already", file=sys.stderr)
        return
    unbind(device)
    try:
        attach(device, driver)
    except Error as error:
        if not before:
            raise
        try:
            attach(device, before)
        except Error:
            raise Error(f"{error}; it is now without a driver") from None
        raise Error(f"{error}; it is with {before} again") from None


def enable_noiommu(system):
    if noiommu_enabled(system):
        return
    if not system.exists(NOIOMMU_PARAMETER):
        raise Error("--noiommu-mode: module vfio is not loaded, or was built without "
                    "CONFIG_VFIO_NOIOMMU; try: modprobe vfio")
    try:
        system.write("1", NOIOMMU_PARAMETER)
    except OSError as error:
        raise Error(f"--noiommu-mode: {reason(error)}") from None
    print("warning: VFIO without an IOMMU: devices now reach all of the memory", file=sys.stderr)


def vfio_nodes(device):
    """Return the device files by which a process opens a device bound to VFIO."""
    group = device.group
    nodes = [f"dev/vfio/{group}", f"dev/vfio/noiommu-{group}"] if group else []
    nodes += [f"dev/vfio/devices/{name}"
              for name in device.system.list(device.folder, "vfio-dev")]
    return nodes


def uio_nodes(device):
    """Return the device file from which a process has the interrupts of a device bound to UIO."""
    return [f"dev/{name}" for name in device.system.list(device.folder, "uio")]


def uio_files(device):
    """Return the files of sysfs by which a process reaches such a device."""
    return [f"{device.folder}/{name}" for name in device.system.list(device.folder)
            if re.match(r"^(config|resource[0-5](_wc)?)$", name)]


def access_files(device, nodes_of, attempts=20):
    """Return the device files there are; udev may take a moment to make them."""
    for attempt in range(attempts):
        nodes = [node for node in nodes_of(device) if device.system.exists(node)]
        if nodes:
            return nodes
        if attempt + 1 < attempts:
            time.sleep(0.05)
    raise Error(f"{device.address}: there is no file in /dev to change the owner of")


def give_access(device, uid, gid):
    """Change the owner of the files by which the device is opened."""
    system = device.system
    if device.driver in UIO_DRIVERS:
        nodes = access_files(device, uio_nodes) + uio_files(device)
    else:
        nodes = access_files(device, vfio_nodes)
    for node in nodes:
        try:
            system.chown(uid, gid, node)
        except OSError as error:
            raise Error(f"/{node}: cannot change the owner: {reason(error)}") from None


def user_id(text):
    try:
        return int(text) if text.isdigit() else pwd.getpwnam(text).pw_uid
    except KeyError:
        raise argparse.ArgumentTypeError(f"there is no user {text}") from None


def group_id(text):
    try:
        return int(text) if text.isdigit() else grp.getgrnam(text).gr_gid
    except KeyError:
        raise argparse.ArgumentTypeError(f"there is no group {text}") from None


def check_root(system):
    if os.geteuid() != 0 and system.root == "/":
        raise Error("binding devices needs root (try sudo)")


def do_unbind(devices, routed):
    for device in devices:
        check_not_active(device, routed)
    for device in devices:
        if not unbind(device):
            print(f"{device.address} is not bound to any driver", file=sys.stderr)


def do_bind(system, devices, options):
    if options.noiommu_mode and is_vfio_name(options.bind):
        if any(not device.group for device in devices):
            enable_noiommu(system)
    check_bind(system, devices, options.bind, options.force)
    for device in devices:
        bind(device, options.bind)
        if device.for_user_space() and (options.uid != -1 or options.gid != -1):
            give_access(device, options.uid, options.gid)


def run(system, options):
    devices = list({d.address: d for d in
                    (find_device(system, text) for text in options.devices)}.values())
    if options.bind or options.unbind:
        check_root(system)
        if not devices:
            raise Error("no devices given")
        if options.unbind or options.bind == "none":
            do_unbind(devices, set() if options.force else routed_interfaces(system))
        else:
            do_bind(system, devices, options)
    elif devices and not options.status:
        raise Error("devices given, but neither --bind nor --unbind")
    if options.status:
        show_status(system, options.status)


def parse(arguments):
    names = [name for name, _title, _prefixes in CATEGORIES]
    parser = argparse.ArgumentParser(
        prog="dpdk-devbind.py", formatter_class=argparse.RawDescriptionHelpFormatter,
        description=__doc__ % {"prog": "dpdk-devbind.py"})
    parser.add_argument("-s", "--status", action="store_const", const="all",
                        help="show the devices (bridges and memory excepted) and their drivers")
    parser.add_argument("--status-dev", dest="status", metavar="CATEGORY",
                        choices=names + sorted(CATEGORY_ALIASES) + ["all"],
                        help="show the devices of one category: " + ", ".join(names) + ", all; "
                        + ", ".join(sorted(CATEGORY_ALIASES)) + " are shown as accel")
    action = parser.add_mutually_exclusive_group()
    action.add_argument("-b", "--bind", metavar="DRIVER",
                        help='bind the devices to this driver; "none" unbinds them')
    action.add_argument("-u", "--unbind", action="store_true",
                        help="take the devices from their drivers")
    parser.add_argument("--force", action="store_true",
                        help="also take network interfaces that are in use and devices of "
                        "IOMMU groups that are not viable")
    parser.add_argument("--noiommu-mode", action="store_true",
                        help="where there is no IOMMU, let VFIO do without (unsafe)")
    parser.add_argument("-U", "--uid", type=user_id, default=-1, metavar="USER",
                        help="user that is to own the files by which the device is opened")
    parser.add_argument("-G", "--gid", type=group_id, default=-1, metavar="GROUP",
                        help="group that is to own the files by which the device is opened")
    parser.add_argument("--root", default=os.environ.get("DPDK_DEVBIND_ROOT", "/"), metavar="DIR",
                        help="folder that holds sys, proc and dev "
                        "(default: $DPDK_DEVBIND_ROOT, or /)")
    parser.add_argument("devices", nargs="*", metavar="DEVICE")
    options = parser.parse_args(arguments)
    options.status = CATEGORY_ALIASES.get(options.status, options.status)
    if not (options.status or options.bind or options.unbind or options.devices):
        parser.error("nothing to do: give --status, --bind or --unbind")
    return options


def main(arguments=None, system_type=System):
    options = parse(arguments)
    try:
        run(system_type(options.root), options)
    except Error as error:
        print(f"dpdk-devbind.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # as when "| head" has seen enough
    sys.exit(main())
