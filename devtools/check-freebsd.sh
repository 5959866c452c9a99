#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause

# Compiles what is meant for FreeBSD, without FreeBSD. See usage().

set -u
cd "$(dirname "$0")/.." || exit 1

usage()
{
	cat <<'END'
usage: devtools/check-freebsd.sh [SOURCE...]
Lets clang check the sources that are built on FreeBSD, those given or all, for x86_64 and aarch64,
as strictly as the build does. Nothing is linked, but no function of ours may be missing. Prints a
line for each, in cmocka's form.

FREEBSD_HEADERS  where FreeBSD's own headers are: a folder such as /usr/include of a FreeBSD, or
                 the root of its file tree, or several folders with colons between. They are for
                 one machine, which alone is checked then. When it is not set, the stand-ins in
                 devtools/freebsd-headers take their place, which are for both.
CLANG            the compiler, "clang" when it is not set
END
}

case ${1:-} in
-h | --help) usage; exit 0 ;;
esac

clang=${CLANG:-clang}
if ! command -v "$clang" >/dev/null; then
	echo "$clang is not installed"
	exit 77
fi
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

# Everything but what only Linux has: lib/vfio_user, app/test, app/vfio-user, app/fuzz.
sources()
{
	ls lib/log/*.c lib/kvargs/*.c lib/pci/*.c lib/vfio/*.c \
		lib/eal/common/*.c lib/eal/unix/*.c lib/eal/freebsd/*.c \
		drivers/bus/pci/*.c drivers/bus/pci/bsd/*.c drivers/raw/*/*.c \
		app/common/*.c app/edu/*.c
	if [ -f "$work/packages/jansson.h" ]; then
		ls app/pci/*.c
	fi
}

header_folders()
{
	echo "${FREEBSD_HEADERS:-devtools/freebsd-headers}" | tr ':' '\n' | while read -r folder; do
		[ ! -d "$folder/usr/include" ] || folder=$folder/usr/include
		echo "$folder"
	done
}

headers()
{
	header_folders | sed 's/^/-isystem /'
}

# For which machines they are: those of x86 share files among them.
machines()
{
	types=$(header_folders | sed 's,$,/machine/_types.h,' | xargs ls 2>/dev/null | head -n 1)
	if [ -z "$types" ]; then
		echo x86_64 aarch64
	elif grep -q 'x86/_types\.h' "$types"; then
		echo x86_64
	else
		echo aarch64
	fi
}

# What config/meson.build would write on FreeBSD.
build_config()
{
	version=$(cat VERSION)
	cat <<END
#define RTE_EXEC_ENV_FREEBSD 1
#define RTE_EXEC_ENV_IS_LINUX 0
#define RTE_EXEC_ENV_IS_FREEBSD 1
#define RTE_EXEC_ENV_IS_WINDOWS 0
#define RTE_ARCH_64
#define RTE_CACHE_LINE_SIZE 64
#define RTE_VER_YEAR $(echo "$version" | cut -d . -f 1 | sed 's/^0\(.\)/\1/')
#define RTE_VER_MONTH $(echo "$version" | cut -d . -f 2 | sed 's/^0\(.\)/\1/')
#define RTE_VER_MINOR $(echo "$version" | cut -d . -f 3 | sed 's/^0\(.\)/\1/')
#define RTE_VER_SUFFIX ""
#define RTE_VER_RELEASE 99
#define RTE_EAL_PMD_PATH "/usr/local/lib/dpdk-vfio/pmds"
#ifdef __x86_64__
#define RTE_ARCH_X86 1
#define RTE_ARCH_X86_64 1
#else
#define RTE_ARCH_ARM64 1
#endif
END
}

# The build's own list, of which a compiler takes what it knows.
warnings()
{
	sed -n "/^warning_flags = /,/^]/s/^	'\(.*\)',/\1/p" config/meson.build
}

includes="-I$work -Iconfig -I. -Ilib/eal/include -Ilib/eal/freebsd/include -Ilib/eal/common
	-Ilib/eal/freebsd -Ilib/log -Ilib/kvargs -Ilib/pci -Ilib/vfio -Idrivers/bus/pci
	-Idrivers/bus/pci/bsd"
for folder in drivers/raw/* app/edu app/pci; do
	[ ! -d "$folder" ] || includes="$includes -I$folder"
done
build_config >"$work/rte_build_config.h"

# Of packages: jansson, which is the same everywhere, is taken from this machine.
mkdir "$work/packages"
echo '#include <jansson.h>' | "$clang" -E -x c - 2>/dev/null |
	sed -n 's/^# [0-9]* "\(.*\/jansson[a-z_]*\.h\)".*/\1/p' | sort -u |
	xargs -I{} cp {} "$work/packages"

# compile SOURCE MACHINE OPTION...
compile()
{
	source=$1
	machine=$2
	shift 2
	# shellcheck disable=SC2046,SC2086 # lists of words
	"$clang" --target="$machine-unknown-freebsd14" -std=gnu11 -Wall -Wextra -Werror \
		-Wno-unknown-warning-option $(warnings) -D_GNU_SOURCE -include rte_config.h \
		-DALLOW_EXPERIMENTAL_API -DALLOW_INTERNAL_API '-DABI_VERSION="26"' \
		-DRTE_LOG_DEFAULT_LOGTYPE=check \
		$includes -nostdlibinc $(headers) -isystem "$work/packages" "$@" "$source"
}

object_of()
{
	echo "$work/objects/$(echo "$1" | tr / _).o"
}

# Names of our own that some object wants and none has.
missing_names()
{
	nm "$work"/objects/*.o >"$work/names"
	awk 'NF == 3 { print $3 }' "$work/names" | sort -u >"$work/defined"
	awk '$1 == "U" { print $2 }' "$work/names" | sort -u | comm -23 - "$work/defined" |
		grep -E '^(rte|eal|log|pci|edu|per_lcore|vu|vfio)_'
}

# Objects of the first machine, since what is missing on one is missing on all.
compile_all()
{
	compile "$1" "${machines%% *}" -c -o "$(object_of "$1")" || return
	for machine in ${machines#"${machines%% *}"}; do
		compile "$1" "$machine" -fsyntax-only || return
	done
}

report()
{
	if [ "$2" -eq 0 ]; then
		echo "[       OK ] $1"
	else
		echo "[  FAILED  ] $1"
		failed=1
	fi
}

whole=
# shellcheck disable=SC2046 # names without blanks
[ $# -ne 0 ] || { whole=yes; set -- $(sources); }
failed=0
machines=$(machines)
mkdir "$work/objects"
for file in "$@"; do
	echo "[ RUN      ] $file"
	compile_all "$file"
	report "$file" $?
done
# The list of devices has another form from FreeBSD 15 on, which real headers have or have not.
if [ -n "$whole" ] && [ -z "${FREEBSD_HEADERS:-}" ]; then
	echo '[ RUN      ] layouts_of_freebsd_15'
	compile drivers/bus/pci/bsd/pci_bsd_kernel.c x86_64 -fsyntax-only -DSTANDIN_RELEASE=15
	report layouts_of_freebsd_15 $?
fi
if [ -n "$whole" ] && command -v nm >/dev/null; then
	echo '[ RUN      ] nothing_of_ours_is_missing'
	! missing_names
	report nothing_of_ours_is_missing $?
fi
exit "$failed"
