# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh

# What our scripts fetch and build once for this user. To be sourced.

cache=${XDG_CACHE_HOME:-$HOME/.cache}/dpdk-vfio
mkdir -p "$cache"

# make_once DIR COMMAND... : DIR appears complete or not at all; COMMAND fills $work.
make_once()
{
	[ ! -d "$1" ] || return 0
	work=$(mktemp -d "$cache/tmp.XXXXXXXX")
	trap 'cache_drop "$work"' EXIT
	made=$1
	shift
	"$@" || { cache_drop "$work"; return 1; }
	[ ! -O "$work" ] || chmod 755 "$work"
	# whoever came first wins
	mv -T "$work" "$made" 2>/dev/null || cache_drop "$work"
	trap - EXIT
	[ -d "$made" ]
}

# What was made as root, root has to remove.
cache_drop()
{
	rm -rf "$1" 2>/dev/null || as_root rm -rf "$1"
}

cache_newest()
{
	ls -td "$cache/$1"-* 2>/dev/null | head -n 1
}
