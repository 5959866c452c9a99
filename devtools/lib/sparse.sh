# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh disable=SC2154

# How the kernel module sparse_vfio_pci is built for a kernel. To be sourced after
# cache.sh; "top" is this tree.

sparse_source=$top/devtools/vm/sparse-module

# The compiler that Debian 12 builds kernels with, or what there is.
kernel_compiler()
{
	for kernel_cc in gcc-12 gcc; do
		! command -v "$kernel_cc" || return 0
	done
}

# Another source is another module.
sparse_key()
{
	cat "$sparse_source"/* | sha256sum | cut -c 1-12
}

# sparse_build MAKE-ARGUMENT... : builds it in "$work" by a kernel's makefiles
sparse_build()
{
	echo "building sparse_vfio_pci" >&2
	cp "$sparse_source"/* "$work"
	make "$@" M="$work" CC="$(kernel_compiler)" modules >"$work/build.log" 2>&1 || {
		cat "$work/build.log" >&2
		return 1
	}
	! grep -i 'warning' "$work/build.log" >&2
}
