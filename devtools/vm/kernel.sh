#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause

# Fetches the stock Debian kernel, unpacks it with its headers into the cache, builds the module
# sparse_vfio_pci for it. Prints shell assignments: VM_KERNEL (image), VM_RELEASE, VM_MODULES
# (folder with lib/modules), VM_HEADERS (where its makefiles are), VM_SPARSE (module).

set -eu

top=$(cd "$(dirname "$0")/../.." && pwd)
. "$top/devtools/lib/packages.sh"
. "$top/devtools/lib/cache.sh"
. "$top/devtools/lib/module.sh"

say()
{
	echo "kernel: $*" >&2
}

apt_depends()
{
	apt-cache depends --no-recommends --no-suggests linux-image-amd64 2>/dev/null |
		sed -n 's/^ *Depends: linux-image-\([0-9].*\)$/\1/p' | head -n 1
}

apt_version()
{
	apt-cache show "$1" 2>/dev/null | sed -n 's/^Version: //p' | head -n 1
}

# Packages of one kernel, fetched into the current folder.
fetch()
{
	kbuild=linux-kbuild-$(echo "$release" | cut -d . -f 1-2)
	apt-get -q -o APT::Sandbox::User="$(id -un)" download "linux-image-$release" \
		"linux-headers-$release" "linux-headers-${release%-amd64}-common" "$kbuild" \
		>fetch.log 2>&1
}

# The headers refer to each other by absolute names; let them refer to the cache.
relocate()
{
	sed -i "s,/usr/src/,$1/usr/src/,g" "usr/src/linux-headers-$release/Makefile"
	for link in build source; do
		target=$(readlink "lib/modules/$release/$link" || true)
		[ -z "$target" ] || ln -sfn "$1$target" "lib/modules/$release/$link"
	done
}

unpack()
{
	say "fetching the packages of $release ($version)"
	(cd "$work" && fetch) || {
		tail -n 5 "$work/fetch.log" >&2
		return 1
	}
	say "unpacking"
	(
		cd "$work" || exit
		for deb in *.deb; do
			dpkg-deb -x "$deb" . || exit
		done
		rm -f ./*.deb fetch.log
		relocate "$kernel_dir" &&
			PATH=$PATH:/usr/sbin:/sbin depmod -b . "$release" &&
			[ -f "boot/vmlinuz-$release" ] && echo "$release" >release
	)
}

# What the package lists of this system offer; nothing where there are none.
look_up()
{
	release=$(apt_depends)
	version=$([ -z "$release" ] || apt_version "linux-image-$release")
	kernel_dir=$cache/kernel-$version
}

use_cached()
{
	kernel_dir=$(cache_newest kernel)
	[ -n "$kernel_dir" ] || return 1
	release=$(cat "$kernel_dir/release")
	version=${kernel_dir##*/kernel-}
}

# The lists may be missing, or older than what the mirror still has.
fetch_with_new_lists()
{
	can_be_root && packages_apt update >&2 || return 1
	look_up
	[ -n "$version" ] && make_once "$kernel_dir" unpack
}

look_up
if [ -z "$version" ] || ! make_once "$kernel_dir" unpack; then
	fetch_with_new_lists || use_cached || {
		say "no kernel can be fetched, and none is in the cache"
		exit 1
	}
fi
headers=$kernel_dir/usr/src/linux-headers-$release
module_of "$version" "$top/devtools/vm/sparse-module" -C "$headers"

cat <<END
VM_KERNEL='$kernel_dir/boot/vmlinuz-$release'
VM_RELEASE='$release'
VM_MODULES='$kernel_dir'
VM_HEADERS='$headers'
VM_SPARSE='$module_dir/sparse_vfio_pci.ko'
END
