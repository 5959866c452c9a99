#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause

set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
cd "$top"
. devtools/lib/packages.sh
programs='app/vfio-user/dpdk-vfio-user app/pci/dpdk-pci app/edu/dpdk-edu'

usage()
{
	cat <<'END'
usage: devtools/quickstart.sh [--vm]
Installs what is missing, builds three programs into the folder build, and runs a driver on a device
that another process emulates. Takes no hardware and, but for missing Debian packages, no root.

--vm  then boot guests under QEMU, and run the same driver there: on a device of QEMU by the
      kernel's VFIO, and on the emulated device, which QEMU shows to its guest

Nothing is installed but Debian packages; the rest goes to the folders build and
${XDG_CACHE_HOME:-~/.cache}/dpdk-vfio.
END
}

vm=no
case ${1:-} in
'') ;;
--vm) vm=yes ;;
-h | --help) usage; exit 0 ;;
*) usage >&2; exit 2 ;;
esac

begun=$(date +%s)
log=$(mktemp)
beat=
trap 'beat_end; rm -f "$log"' EXIT
trap 'exit 1' HUP INT PIPE TERM

say()
{
	printf '[%3d s] %s\n' "$(($(date +%s) - begun))" "$*"
}

# Tells now and then that there is progress, and the end of the log where that says how much.
beat_begin()
{
	while sleep 5; do
		say "$1$(tail -n 1 "$log" | sed -n 's,^\[\([0-9]*\)/\([0-9]*\)\].*, \1 of \2,p')"
	done &
	beat=$!
}

beat_end()
{
	[ -z "$beat" ] || kill "$beat" 2>/dev/null || true
	beat=
}

# quietly NAME COMMAND... : the output only if it fails
quietly()
{
	name=$1
	shift
	: >"$log"
	beat_begin "  $name"
	if ! "$@" >"$log" 2>&1 </dev/null; then
		beat_end
		tail -n 40 "$log" >&2
		say "$name failed" >&2
		exit 1
	fi
	beat_end
}

# needs GROUP... : their packages are there, or are installed, or it ends
needs()
{
	say 'looking for packages'
	if command -v apt-get >/dev/null; then
		[ -n "$(packages_missing "$@")" ] || return 0
		# whoever is asked for a password is not to be talked to
		can_be_root || true
	fi
	: >"$log"
	beat_begin '  installing'
	packages_install "$@" || exit
	beat_end
}

# The driver in guests: QEMU's device on the kernel's VFIO, then ours behind QEMU.
run_in_guests()
{
	. devtools/lib/cache.sh
	needs vm
	say 'getting the kernel for the guests'
	quietly 'fetching' devtools/vm/kernel.sh
	say 'booting a guest with devices of QEMU'
	devtools/vm/vm.py --builddir build devtools/vm/guest/quickstart.sh
	say 'that guest has powered off: all of it worked'

	say 'looking for a QEMU that is a client of vfio-user'
	[ -n "$(cache_newest qemu)" ] || can_be_root || true
	status=0
	: >"$log"
	beat_begin '  fetching'
	devtools/vm/qemu.sh >/dev/null || status=$?
	beat_end
	if [ $status -eq 77 ]; then
		say 'there is none (see above): the guest with the emulated device is left out'
		return
	fi
	[ $status -eq 0 ] || exit $status
	say 'booting a guest with the emulated device'
	devtools/vm/vm.py --builddir build devtools/vm/guest/quickstart_served.sh
	say 'that guest has powered off: all of it worked'
}

needs build

say 'building'
if [ ! -f build/build.ninja ]; then
	quietly 'configuring' meson setup build --werror
fi
# shellcheck disable=SC2086 # names, not one name
quietly 'building' ninja -C build $programs

say 'running'
echo
devtools/quickstart-socket.sh build
echo
say 'all of it worked'
[ $vm = no ] || run_in_guests

cat <<'END'

Read next:
  README.md                             what this is
  app/edu/main.c                        the program that has just run
  drivers/raw/edu                       the driver behind it, a small model for others
  app/vfio-user/dev_edu.c               the device at the other end
  doc/guides/prog_guide                 how a driver reaches its device, how a device is served
Do next:
  build/app/vfio-user/dpdk-vfio-user --help
                                        serve devices, check and measure servers
  devtools/quickstart.sh --vm           the same driver in guests, on the kernel's VFIO
  devtools/test.sh                      run all tests that need no virtual machine
END
