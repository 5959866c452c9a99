#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause

# Fetches the source of igb_uio, which is no part of Linux, as Debian has it, and builds the module
# for a kernel, once into the cache.
#
# igb-uio.sh HEADERS: HEADERS is where the kernel's makefiles are, as VM_HEADERS of kernel.sh says.
# Prints a shell assignment: VM_IGB_UIO (module). Exit status 77 where the source cannot be fetched.

set -eu

top=$(cd "$(dirname "$0")/../.." && pwd)
. "$top/devtools/lib/packages.sh"
. "$top/devtools/lib/cache.sh"
. "$top/devtools/lib/module.sh"
headers=$1
package=dpdk-kmods-dkms

say()
{
	echo "igb_uio: $*" >&2
}

fetch()
{
	say "fetching its source"
	(
		cd "$work" || exit
		apt-get -q -o APT::Sandbox::User="$(id -un)" download "$package" \
			>fetch.log 2>&1 || {
			tail -n 5 fetch.log >&2
			exit 1
		}
		dpkg-deb -x "$package"_*.deb . && rm -f fetch.log ./*.deb
	)
}

fetch_with_new_lists()
{
	can_be_root && packages_apt update >&2 && make_once "$cache/igb-uio-source" fetch
}

make_once "$cache/igb-uio-source" fetch || fetch_with_new_lists || {
	say "its source cannot be fetched, and is not in the cache"
	exit 77
}
module_of "$(basename "$headers")" "$(echo "$cache"/igb-uio-source/usr/src/dpdk-kmods-*)" \
	-C "$headers"
echo "VM_IGB_UIO='$module_dir/igb_uio.ko'"
