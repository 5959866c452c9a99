#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause

# Runs what we build on DPDK's own EAL. See usage().

set -u

usage()
{
	cat <<'END'
usage: devtools/run-dropin.sh BUILD ROOT PROGRAM [ARGUMENT...]
Runs a program of the folder BUILD, built with shared libraries, with the EAL of the DPDK 25.11
that is unpacked in ROOT, as devtools/dpdk.sh does, in the place of ours. The PCI bus, the libraries
below it and drivers are those of BUILD, unchanged.

    eval "$(devtools/dpdk.sh)"
    devtools/run-dropin.sh build-shared "$DPDK_ROOT" app/edu/dpdk-edu --no-huge --in-memory \
        -a vfio-user:/tmp/edu.sock
END
}

[ $# -ge 3 ] || { usage >&2; exit 2; }
build=$(cd "$1" && pwd) && root=$(cd "$2" && pwd) || exit 1
program=$build/$3
shift 3
if nm -D --defined-only "$program" | grep -q ' rte_eal_init'; then
	echo "run-dropin: $program has an EAL of its own" >&2
	exit 1
fi
libc=$(echo "$root"/usr/lib/*-linux-gnu)

# A short name, since it goes where the name of the system's own loader is.
work=$(mktemp -d /tmp/XXXXXX) || exit 1
trap 'rm -rf "$work"' EXIT

# libraries FOLDER NAME... : of these the loader takes
libraries()
{
	folder=$1
	shift
	for name in "$@"; do
		ln -s "$folder/librte_$name.so.26" "$work/" || return
	done
}

# The libraries may want a newer libc than this system has: the program gets that one's loader.
set_loader()
{
	ln -s "$libc/ld-linux-x86-64.so.2" "$work/ld" && cp "$program" "$work/program" || return
	at=$(readelf -SW "$work/program" |
		sed -n 's/.* \.interp *PROGBITS *[0-9a-f]* *0*\([0-9a-f]*\) .*/\1/p')
	[ -n "$at" ] &&
		printf '%s\0' "$work/ld" |
			dd of="$work/program" bs=1 seek=$((0x$at)) conv=notrunc status=none
}

libraries "$build/lib" bus_pci raw_edu pci vfio vfio_user &&
	libraries "$libc" argparse eal kvargs log telemetry &&
	set_loader || exit 1
LD_LIBRARY_PATH=$work:$libc "$work/program" "$@"
