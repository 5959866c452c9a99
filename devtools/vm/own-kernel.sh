#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause

# Builds a small kernel from the sources of Debian unstable, as kernel.config says, once into the
# cache, and the module sparse_vfio_pci for it. It has what no kernel of Debian has: VFIO without an
# IOMMU, iommufd, a node for each device. The first run takes ten minutes or more, so it is made
# only when asked for.
#
# own-kernel.sh [--cached]: with --cached only what is there, else exit status 77. Prints the shell
# assignments that kernel.sh prints.

set -eu

top=$(cd "$(dirname "$0")/../.." && pwd)
here=$top/devtools/vm
. "$top/devtools/lib/packages.sh"
. "$top/devtools/lib/cache.sh"
. "$top/devtools/lib/module.sh"

say()
{
	echo "own kernel: $*" >&2
}

# Another configuration is another kernel.
recipe()
{
	sed '/^#/d' "$here/kernel.config" | sha256sum | cut -c 1-12
}

# The sources, into "src".
fetch()
{
	packages_unstable_here || return
	package=$(packages_unstable apt-cache depends linux-source |
		sed -n 's/^ *Depends: \(linux-source-[0-9.]*\)$/\1/p' | head -n 1)
	[ -n "$package" ] && packages_unstable apt-get download "$package" &&
		dpkg-deb -x "$package"_*.deb deb && mkdir src &&
		tar -xf "deb/usr/src/$package.tar.xz" --strip-components 1 -C src &&
		rm -rf lists deb sources.list "$package"_*.deb
}

# In the current folder: sources in "src", all that is made in "out".
in_tree()
{
	make -C src O="$PWD/out" ARCH=x86_64 CC="$(kernel_compiler)" "$@"
}

compile()
{
	in_tree KCONFIG_ALLCONFIG="$here/kernel.config" allnoconfig &&
		in_tree -j"$(nproc)" bzImage modules &&
		in_tree INSTALL_MOD_PATH="$PWD" modules_install
}

# Keeps what a guest boots and what modules are built with.
strip_tree()
{
	release=$(cat out/include/config/kernel.release)
	cp out/arch/x86/boot/bzImage vmlinuz
	rm -f "lib/modules/$release/build" "lib/modules/$release/source"
	find src -mindepth 1 -maxdepth 1 ! -name arch ! -name include ! -name scripts \
		! -name Makefile ! -name Kbuild ! -name Kconfig -exec rm -rf {} +
	find src/arch -mindepth 1 -maxdepth 1 ! -name x86 -exec rm -rf {} +
	find src/arch -type f ! -name '*.h' ! -name 'Makefile*' ! -name 'Kbuild*' -delete
	find out -type f \( -name '*.o' -o -name '*.a' -o -name '*.ko' -o -name 'vmlinux*' \
		-o -name bzImage -o -name '*.cmd' \) ! -path 'out/scripts/*' -delete
	ln -sfn ../src out/source
	echo "$release" >release
}

# In "$work".
build_kernel()
{
	say "building a kernel, which takes ten minutes and more"
	(
		cd "$work" || exit
		{ fetch && compile && strip_tree; } >build.log 2>&1 || {
			tail -n 20 build.log >&2
			exit 1
		}
		rm -f build.log
	)
}

kernel_dir=$cache/own-kernel-$(recipe)
if [ ! -d "$kernel_dir" ]; then
	[ "${1:-}" != --cached ] || {
		say "none is in the cache, see devtools/test.sh --vm --vm-kernel"
		exit 77
	}
	make_once "$kernel_dir" build_kernel || {
		say "it cannot be built"
		exit 1
	}
fi
release=$(cat "$kernel_dir/release")
module_of "own-$(recipe)" "$top/devtools/vm/sparse-module" -C "$kernel_dir/src" \
	O="$kernel_dir/out" ARCH=x86_64

cat <<END
VM_KERNEL='$kernel_dir/vmlinuz'
VM_RELEASE='$release'
VM_MODULES='$kernel_dir'
VM_SPARSE='$module_dir/sparse_vfio_pci.ko'
END
