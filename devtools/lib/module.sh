# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh disable=SC2154

# How a module is built for a kernel from a folder of sources. To be sourced after cache.sh.

# The compiler that Debian 12 builds kernels with, or what there is.
kernel_compiler()
{
	for kernel_cc in gcc-12 gcc; do
		! command -v "$kernel_cc" || return 0
	done
}

# module_key FOLDER : another source is another module.
module_key()
{
	cat "$1"/* | sha256sum | cut -c 1-12
}

# module_of KERNEL FOLDER MAKE-ARGUMENT... : sets "module_dir" to where it is, in the cache
module_of()
{
	module_dir=$cache/$(basename "$2")-$1-$(module_key "$2")
	shift
	make_once "$module_dir" module_build "$@"
}

# module_build FOLDER MAKE-ARGUMENT... : builds it in "$work" by a kernel's makefiles
module_build()
{
	echo "building the module of $(basename "$1")" >&2
	cp "$1"/* "$work"
	shift
	make "$@" M="$work" CC="$(kernel_compiler)" modules >"$work/build.log" 2>&1 || {
		cat "$work/build.log" >&2
		return 1
	}
	! grep -i 'warning' "$work/build.log" >&2
}
