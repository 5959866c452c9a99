#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause

set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
cd "$top"
. devtools/lib/packages.sh

usage()
{
	cat <<'END'
usage: devtools/quickstart.sh
Installs what is missing, builds into the folder build, boots a virtual machine with a stock Debian
kernel, and runs a driver on the kernel's VFIO in it. Nothing is installed but Debian packages;
the rest goes to the folders build and ${XDG_CACHE_HOME:-~/.cache}/dpdk-vfio.
END
}

case ${1:-} in
'') ;;
-h | --help) usage; exit 0 ;;
*) usage >&2; exit 2 ;;
esac

begun=$(date +%s)

say()
{
	printf '[%3d s] %s\n' "$(($(date +%s) - begun))" "$*"
}

# quietly NAME COMMAND... : the output only if it fails
quietly()
{
	log=$(mktemp)
	name=$1
	shift
	if ! "$@" >"$log" 2>&1 </dev/null; then
		tail -n 40 "$log" >&2
		rm -f "$log"
		say "$name failed" >&2
		exit 1
	fi
	rm -f "$log"
}

say 'looking for packages'
packages_install build vm

say 'building'
if [ ! -f build/build.ninja ]; then
	quietly 'configuring' meson setup build --werror
fi
if [ -t 1 ]; then
	ninja -C build
else
	quietly 'building' ninja -C build
fi

say 'getting the kernel for the guest'
devtools/vm/kernel.sh >/dev/null

say 'booting the guest'
devtools/vm/vm.py --builddir build devtools/vm/guest/quickstart.sh
say 'the guest has powered off: all of it worked'

cat <<'END'

Read next:
  README.md                             what this is
  app/edu/main.c                        the program that has just run
  drivers/raw/edu                       the driver behind it, a small model for others
  doc/guides/prog_guide                 how a driver reaches its device
  devtools/vm/guest/quickstart.sh       what has just run in the guest
Do next:
  devtools/test.sh --vm                 run all tests
END
