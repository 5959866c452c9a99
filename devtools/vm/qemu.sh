#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause

# Puts a QEMU that is a client of vfio-user devices (from 10.1 on) into the cache: the one of Debian
# unstable, with the libraries it needs, made once. Prints a shell assignment: VM_QEMU_ROOT (folder
# with usr/bin/qemu-system-x86_64). Exit status 77 where it can be neither found nor fetched.

set -eu

top=$(cd "$(dirname "$0")/../.." && pwd)
. "$top/devtools/lib/packages.sh"
. "$top/devtools/lib/cache.sh"
suite=sid
PATH=$PATH:/usr/sbin:/sbin

say()
{
	echo "qemu: $*" >&2
}

in_root()
{
	as_root env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive \
		${http_proxy:+"http_proxy=$http_proxy"} chroot "$root" "$@"
}

# A root of minimal size, in "$root". Our own apt knows proxies that the new one has to be told.
bootstrap()
{
	as_root debootstrap --variant=minbase "$suite" "$root" "$(packages_mirror)" &&
		in_root apt-get install -q -y --no-install-recommends qemu-system-x86 &&
		in_root apt-get clean
}

fetch()
{
	say "fetching QEMU of Debian $suite, which takes a minute"
	root=$work/root
	bootstrap </dev/null >"$work/fetch.log" 2>&1 || {
		tail -n 5 "$work/fetch.log" >&2
		return 1
	}
	as_root rm -rf "$root/var/lib/apt/lists" "$root/usr/share/doc" "$root/usr/share/locale"
	rm -f "$work/fetch.log"
}

# The version is known when it is there, so the folder gets its name last.
make_root()
{
	make_once "$cache/fetched-qemu.$$" fetch || return
	root=$cache/fetched-qemu.$$/root
	version=$(in_root dpkg-query -W -f '${Version}' qemu-system-x86 | tr -c 'A-Za-z0-9.+~-' _)
	mv -T "$cache/fetched-qemu.$$" "$cache/qemu-$version" 2>/dev/null ||
		cache_drop "$cache/fetched-qemu.$$"
}

if [ -z "$(cache_newest qemu)" ]; then
	command -v debootstrap >/dev/null || { say "debootstrap is not installed"; exit 77; }
	can_be_root || { say "root is needed once, to fetch it"; exit 77; }
	make_root || { say "it cannot be fetched, and none is in the cache"; exit 77; }
fi
echo "VM_QEMU_ROOT='$(cache_newest qemu)/root'"
