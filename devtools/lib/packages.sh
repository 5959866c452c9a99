# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh

# The one list of Debian packages that our scripts need, by group. To be sourced.

packages_build='gcc libc6-dev make meson ninja-build pkgconf python3 python3-pyelftools libnuma-dev
	libcmocka-dev libjansson-dev'
packages_test='ccache clang g++ git libclang-rt-14-dev shellcheck'
packages_vm='busybox-static debootstrap kmod libelf1 qemu-system-x86'
packages_kernel='bc bison flex libelf-dev xz-utils'
packages_foreign='binutils gcc-aarch64-linux-gnu gcc-powerpc64le-linux-gnu libc6-dev-arm64-cross
	libc6-dev-ppc64el-cross qemu-system-arm qemu-system-ppc qemu-user-static'
packages_docs='doxygen python3-sphinx python3-sphinx-rtd-theme'

packages_of()
{
	for group in "$@"; do
		case $group in
		build) echo $packages_build ;;
		test) echo $packages_test ;;
		vm) echo $packages_vm ;;
		foreign) echo $packages_foreign ;;
		docs) echo $packages_docs ;;
		kernel) echo $packages_kernel ;;
		*) echo "packages: no group is called \"$group\"" >&2; return 1 ;;
		esac
	done
}

package_installed()
{
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

packages_missing()
{
	for package in $(packages_of "$@"); do
		package_installed "$package" || echo "$package"
	done
}

# sudo asks for a password only where somebody can answer.
as_root()
{
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif [ -t 0 ]; then
		sudo "$@"
	else
		sudo -n "$@"
	fi
}

can_be_root()
{
	[ "$(id -u)" -eq 0 ] || as_root true 2>/dev/null
}

# packages_install GROUP... : nothing to do, and nothing asked for, when all are there.
packages_install()
{
	command -v apt-get >/dev/null || {
		echo "packages: no apt-get here; by hand: $(packages_of "$@" | xargs)" >&2
		return 0
	}
	missing=$(packages_missing "$@" | xargs)
	[ -n "$missing" ] || return 0
	can_be_root || {
		echo "packages: root is needed once, for: apt-get install $missing" >&2
		return 1
	}
	echo "installing: $missing"
	packages_apt update &&
		packages_apt install -y --no-install-recommends $missing
}

# apt-get, quiet unless it fails
packages_apt()
{
	packages_log=$(mktemp)
	if as_root env DEBIAN_FRONTEND=noninteractive apt-get -q \
		-o DPkg::Lock::Timeout=300 "$@" </dev/null >"$packages_log" 2>&1; then
		rm -f "$packages_log"
	else
		echo "packages: apt-get $1 failed:" >&2
		tail -n 20 "$packages_log" >&2
		rm -f "$packages_log"
		return 1
	fi
}

# packages_unstable TOOL ARGUMENT... : apt of Debian unstable, with package lists of its own, in the
# folder that packages_unstable_here made of the current one. Needs no root.
packages_unstable()
{
	packages_tool=$1
	shift
	"$packages_tool" -q -o Dir::Etc::SourceList="$PWD/sources.list" \
		-o Dir::Etc::SourceParts=- -o Dir::State::Lists="$PWD/lists" \
		-o Dir::Cache="$PWD/lists" -o Acquire::Languages=none \
		-o Acquire::http::Timeout=20 -o APT::Sandbox::User="$(id -un)" "$@"
}

packages_unstable_here()
{
	mkdir -p lists/partial
	echo "deb $(packages_mirror) sid main" >sources.list
	packages_unstable apt-get update
}

# Where this system gets its own packages from; nothing where that is no Debian mirror.
packages_mirror()
{
	apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' \
		2>/dev/null | grep -v -e security -e snapshot | head -n 1
}
