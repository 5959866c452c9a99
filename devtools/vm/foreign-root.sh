#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause

# Fetches what building for another processor and a guest of it take, from Debian, once into the
# cache: libraries with their headers, busybox, the kernel with its modules. Nothing is installed.
#
# foreign-root.sh ARCH: prints the shell assignments of kernel.sh that a guest needs, and VM_ROOT
# (tree of files), VM_TRIPLET (name of the compiler), VM_BUSYBOX, VM_LIBRARIES (folders). Exit
# status 77 where it cannot be fetched.

set -eu

top=$(cd "$(dirname "$0")/../.." && pwd)
. "$top/devtools/lib/packages.sh"
. "$top/devtools/lib/cache.sh"
PATH=$PATH:/usr/sbin:/sbin

say()
{
	echo "foreign: $*" >&2
}

# What Debian, its kernel and its compiler call the processor.
case ${1:-} in
arm64) triplet=aarch64-linux-gnu flavour=arm64 ;;
ppc64el) triplet=powerpc64le-linux-gnu flavour=powerpc64le ;;
*) say "usage: foreign-root.sh arm64 | ppc64el"; exit 2 ;;
esac
arch=$1
root=$cache/foreign-$arch
suite=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)

# apt for the other processor, with package lists of its own, in the current folder: needs no root
foreign()
{
	tool=$1
	shift
	"$tool" -q -o APT::Architecture="$arch" -o APT::Architectures="$arch" \
		-o Dir::Etc::SourceList="$PWD/sources.list" -o Dir::Etc::SourceParts=- \
		-o Dir::State::Lists="$PWD/lists" -o Dir::State::status="$PWD/status" \
		-o Dir::Cache="$PWD/lists" -o Acquire::Languages=none \
		-o APT::Sandbox::User="$(id -un)" "$@"
}

fetch()
{
	mkdir -p lists/partial && : >status
	echo "deb $(packages_mirror) $suite main" >sources.list
	foreign apt-get update || return
	image=$(foreign apt-cache depends "linux-image-$flavour" |
		sed -n 's/^ *Depends: \(linux-image-.*\)$/\1/p' | head -n 1)
	[ -n "$image" ] && foreign apt-get download "$image" busybox-static libc6 libcmocka0 \
		libcmocka-dev libjansson4 libjansson-dev libnuma1 libnuma-dev
}

unpack()
{
	for deb in *.deb; do
		dpkg-deb -x "$deb" . || return
	done
	rm -rf ./*.deb lists status sources.list usr/share boot/System.map-*
	release=$(basename lib/modules/*)
	depmod -b . "$release" && echo "$release" >release
}

fetch_root()
{
	say "fetching what $arch takes"
	(
		cd "$work" || exit
		fetch >fetch.log 2>&1 && unpack >>fetch.log 2>&1 || {
			tail -n 5 fetch.log >&2
			exit 1
		}
		rm -f fetch.log
	)
}

make_once "$root" fetch_root || {
	say "it cannot be fetched, and is not in the cache"
	exit 77
}
cat <<END
VM_KERNEL='$(echo "$root"/boot/vmlinu*)'
VM_RELEASE='$(cat "$root/release")'
VM_MODULES='$root'
VM_ROOT='$root'
VM_TRIPLET='$triplet'
VM_BUSYBOX='$root/bin/busybox'
VM_LIBRARIES='$root/lib/$triplet $root/usr/lib/$triplet'
END
