#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause

# Builds the tree for another processor and tests it there. See usage().

set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
cd "$top"
. devtools/lib/packages.sh

usage()
{
	cat <<'END'
usage: devtools/foreign.sh [--no-install] ARCH [SUITE...]
Builds for ARCH (arm64, ppc64el) into build-ARCH, without a warning, boots a guest of that processor
under QEMU with a kernel of Debian, and there runs suites of dpdk-test (default: those about memory,
regions and devices on UIO) and accesses to real I/O ports. On ppc64el pages have 64 KiB, and ports
are mapped. Needs no root but to install packages.
END
}

install=packages_install
while :; do
	case ${1:-} in
	--no-install) install=: ;;
	arm64 | ppc64el) break ;;
	-h | --help) usage; exit 0 ;;
	*) usage >&2; exit 2 ;;
	esac
	shift
done
arch=$1
shift
$install build vm foreign
build=build-$arch
paths=$(devtools/vm/foreign-root.sh "$arch")
eval "$paths"

# What meson has to know of the compiler, and of where libraries are. It runs a program to see
# whether the compiler works.
cross_file()
{
	cat <<END
[binaries]
c = [$(command -v ccache >/dev/null && echo "'ccache', ")'$VM_TRIPLET-gcc']
ar = '$VM_TRIPLET-ar'
strip = '$VM_TRIPLET-strip'
pkgconfig = 'pkg-config'
exe_wrapper = ['qemu-$emulated-static', '-L', '/usr/$VM_TRIPLET']
[properties]
sys_root = '$VM_ROOT'
pkg_config_libdir = '$VM_ROOT/usr/lib/$VM_TRIPLET/pkgconfig'
[host_machine]
system = 'linux'
cpu_family = '$cpu'
cpu = '$cpu'
endian = 'little'
END
}

case $arch in
arm64) cpu=aarch64 emulated=aarch64 ;;
ppc64el) cpu=ppc64 emulated=ppc64le ;;
esac
if [ ! -f "$build/build.ninja" ]; then
	rm -rf "$build"
	mkdir "$build"
	cross_file >"$build/cross.ini"
	meson setup "$build" --werror --cross-file "$build/cross.ini" >"$build/setup.log" || {
		tail -n 5 "$build/setup.log" >&2
		exit 1
	}
fi
ninja -C "$build" --quiet
devtools/vm/vm.py --arch "$arch" --builddir "$build" --timeout 1800 \
	--append "VM_SUITES=$(echo "$*" | tr ' ' ,)" devtools/vm/guest/foreign.sh
