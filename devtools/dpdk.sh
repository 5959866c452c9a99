#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause

# Puts the DPDK that ours can take the place of into the cache: headers and libraries of Debian
# unstable, with what they need to run here, unpacked once and not installed. Prints shell
# assignments: DPDK_ROOT (a folder with usr), DPDK_VERSION. Exit status 77 where it can be neither
# found nor fetched.

set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
. "$top/devtools/lib/packages.sh"
. "$top/devtools/lib/cache.sh"

# of DPDK 25.11
abi=26
packages="libdpdk-dev librte-argparse$abi librte-bus-pci$abi librte-eal$abi librte-kvargs$abi
	librte-log$abi librte-pci$abi librte-telemetry$abi
	libbsd-dev libbsd0 libc6 libfdt1 libgcc-s1 libmd-dev libmd0 libnuma1"

say()
{
	echo "dpdk: $*" >&2
}

# In "$work": folder "root", file "version".
download()
{
	packages_unstable_here || return
	# shellcheck disable=SC2086 # a list of words
	packages_unstable apt-get download $packages || return
	for package in *.deb; do
		dpkg-deb -x "$package" root || return
	done
	dpkg-deb -f libdpdk-dev_*.deb Version >version
	rm -rf lists sources.list ./*.deb root/usr/share root/usr/lib/*/*.a
}

fetch()
{
	say "fetching DPDK of Debian unstable"
	(
		cd "$work" || exit
		download >fetch.log 2>&1 || {
			tail -n 5 fetch.log >&2
			exit 1
		}
		rm -f fetch.log
	)
}

# Other things of DPDK's are there, too.
folder=$cache/dpdk-$abi
make_once "$folder" fetch || {
	say "DPDK cannot be fetched, and none is in the cache"
	exit 77
}
version=$(cat "$folder/version")
echo "DPDK_ROOT='$folder/root'"
echo "DPDK_VERSION='$version'"
