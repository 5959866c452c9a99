#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# Installs a build into a temporary folder, and uses it from there as its users would: a program
# and a driver of somebody else's, with shared libraries and with static ones.
#
# usage: devtools/test-install.sh BUILD_DIR

set -eu

[ $# -eq 1 ] || { sed -n 's/^# usage/usage/p' "$0" >&2; exit 2; }
build=$(cd "$1" && pwd)
source=$(cd "$(dirname "$0")/.." && pwd)
CC=${CC:-cc}
CXX=${CXX:-c++}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
	echo "FAIL: $*" >&2
	exit 1
}

ok() {
	echo "ok: $*"
}

# Runs quietly; what it says is shown when it fails.
quietly() {
	"$@" >"$work/log" 2>&1 || { cat "$work/log" >&2; fail "$*"; }
}

has() {
	printf '%s\n' "$1" | grep -q -e "$2"
}

option() {
	meson introspect --buildoptions "$build" | python3 -c '
import json, sys
print(next(o["value"] for o in json.load(sys.stdin) if o["name"] == sys.argv[1]))' "$1"
}

DESTDIR="$work/root" quietly meson install -C "$build" --no-rebuild
prefix="$work/root$(option prefix)"
libdir="$prefix/$(option libdir)"
own="$libdir/dpdk-vfio"
drivers="$own/$(option drivers_install_subdir)"
export PKG_CONFIG_PATH="$libdir/pkgconfig"

pkg() {
	pkg-config --define-variable=prefix="$prefix" "$@" libdpdk-vfio
}

# An installed DPDK is not shadowed.
[ -z "$(find "$libdir" -maxdepth 1 -name 'librte_*')" ] || fail "libraries directly in libdir"
[ -z "$(find "$prefix/include" -maxdepth 1 -name 'rte_*')" ] || fail "headers in includedir"
ok "everything is in folders of our own"

for library in "$own"/librte_*.so.26.0 "$drivers"/librte_*.so.26.0; do
	[ -f "$library" ] || continue
	name=$(basename "$library" .0)
	has "$(readelf -d "$library")" "SONAME.*\[$name\]" || fail "$library: soname is not $name"
	has "$(readelf -V "$library")" "Name: DPDK_26" || fail "$library: no version node DPDK_26"
	[ -e "$own/$name" ] || fail "$name cannot be linked from $own"
	[ -e "$own/${name%.26}.so" ] || [ -e "$own/${name%.26}" ] || fail "$name has no .so"
done
bus="$drivers/librte_bus_pci.so.26"
for node in DPDK_26 EXPERIMENTAL INTERNAL; do
	has "$(readelf -V "$bus")" "Name: $node" || fail "$bus: no version node $node"
done
has "$(readelf -W --dyn-syms "$bus")" 'rte_pci_map_device@@DPDK_26' || fail "rte_pci_map_device"
has "$(readelf -W --dyn-syms "$bus")" 'rte_pci_mmio_read@@EXPERIMENTAL' || fail "rte_pci_mmio_read"
has "$(readelf -W --dyn-syms "$bus")" 'rte_pci_register@@INTERNAL' || fail "rte_pci_register"
ok "sonames and version nodes"

# Devices as the kernel would show them.
add_device() # address, device id, kernel driver
{
	device="$work/devices/$1"
	mkdir -p "$device" "$work/drivers/$3"
	for pair in class:0x00ff00 vendor:0x1234 "device:$2" subsystem_vendor:0x0000 \
		subsystem_device:0x0000 numa_node:-1; do
		echo "${pair#*:}" >"$device/${pair%%:*}"
	done
	i=0
	while [ $i -lt 13 ]; do
		echo "0x0000000000000000 0x0000000000000000 0x0000000000000000"
		i=$((i + 1))
	done >"$device/resource"
	ln -s "$work/drivers/$3" "$device/driver"
}

add_device 0000:00:01.0 0xcafe toy
export SYSFS_PCI_DEVICES="$work/devices"

eal_options="--no-huge --in-memory"
program="$source/devtools/install/program.c"
driver="$source/devtools/install/driver.c"

# The output of pkg-config is words, not one.
# shellcheck disable=SC2046,SC2086
{
	quietly $CC "$program" -o "$work/shared" $(pkg --cflags --libs)
	has "$(readelf -d "$work/shared")" "NEEDED.*librte_eal.so.26" ||
		fail "shared: the program needs no EAL"
	quietly $CC -shared -fPIC -DALLOW_INTERNAL_API "$driver" -o "$work/librte_toy.so" \
		$(pkg --cflags --libs)
	out=$("$work/shared" $eal_options -d "$work/librte_toy.so" 2>&1) ||
		fail "shared program: $out"
	has "$out" "toy: probe 0000:00:01.0" || fail "shared: the driver was not used: $out"
	has "$out" "toy: remove" || fail "shared: the driver was not left: $out"
	ok "shared program, driver loaded by -d"

	quietly $CC -DALLOW_INTERNAL_API "$program" "$driver" -o "$work/static" \
		$(pkg --static --cflags --libs)
	has "$(readelf -d "$work/static")" "NEEDED.*librte_" &&
		fail "static: the program needs a librte_ library"
	out=$("$work/static" $eal_options 2>&1) || fail "static program: $out"
	has "$out" "toy: probe 0000:00:01.0" || fail "static: the driver was not used: $out"
	ok "static program with a driver of its own"

	# a warning, which those who want no surprise make an error
	if $CC -Werror -DUSE_EXPERIMENTAL "$program" -o "$work/no" $(pkg --cflags --libs) \
		2>"$work/log"; then
		fail "an experimental function can be used without asking"
	fi
	grep -q ALLOW_EXPERIMENTAL_API "$work/log" || fail "no help: $(cat "$work/log")"
	if $CC -shared -fPIC "$driver" -o "$work/no" $(pkg --cflags --libs) 2>"$work/log"; then
		fail "an internal function can be used without asking"
	fi
	grep -q ALLOW_INTERNAL_API "$work/log" || fail "no help: $(cat "$work/log")"
	quietly $CC -Werror -DUSE_EXPERIMENTAL -DALLOW_EXPERIMENTAL_API "$program" -o "$work/yes" \
		$(pkg --cflags --libs)
	ok "experimental and internal functions have to be asked for"

	if command -v "${CXX%% *}" >/dev/null; then
		quietly $CXX -x c++ "$program" -x none -o "$work/cxx" $(pkg --cflags --libs)
		ok "C++ program"
	fi
}

PKG_CONFIG="pkg-config --define-variable=prefix=$prefix" \
	quietly "$source/examples/pmd_without_hardware/ci.sh"
ok "driver with an emulated device, plain and with sanitizers"

# Of the tools it is tested here that they are found and start.
bindir="$prefix/$(option bindir)"
quietly "$bindir/dpdk-pci" --help
quietly "$bindir/dpdk-devbind.py" --help
for python in python3 /usr/bin/python3; do
	"$python" -c 'import elftools' 2>/dev/null && break
done
info=$("$python" "$bindir/dpdk-pmdinfo.py" "$own/librte_raw_edu.so") || fail "dpdk-pmdinfo.py"
has "$info" '"device": "11e8"' || fail "dpdk-pmdinfo.py does not tell of edu: $info"
has "$info" '"kmod": ".*vfio-pci' || fail "dpdk-pmdinfo.py does not tell of vfio-pci: $info"
ok "tools"

# A driver that is there by default would open this one, and fail.
if [ "$(option default_library)" = shared ]; then
	add_device 0000:00:02.0 0x11e8 vfio-pci
	out=$("$bindir/dpdk-pci" -d "$drivers" -- list 2>&1) || fail "dpdk-pci list: $out"
	[ "$(printf '%s\n' "$out" | wc -l)" -eq 3 ] || fail "dpdk-pci list: $out"
	ok "dpdk-pci leaves devices alone"
fi
