#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause

# Checks that our PCI bus and the libraries below it can take the place of DPDK's. See usage().

# Lists of folders, names and flags are split into words.
# shellcheck disable=SC2046,SC2086

set -u
export LC_ALL=C
cd "$(dirname "$0")/.." || exit 1

usage()
{
	cat <<'END'
usage: DPDK_HEADERS=DIR[:DIR...] [DPDK_LIBS=DIR[:DIR...]] [CC=gcc] devtools/check-dropin.sh
DPDK_HEADERS  folders with the headers of an installed DPDK 25.11, those of its processor too; left
              out: what pkg-config knows of libdpdk
DPDK_LIBS     folders with its shared libraries; left out: symbols are not compared

Compiles drivers/bus/pci, lib/pci, lib/vfio and lib/vfio_user with DPDK's headers in the place of
our lib/eal, compares what our headers and DPDK's say about the same names (this takes clang), and
the version nodes of symbols. Ends with status 0 only if all is the same; 77 if there is no DPDK.
Prints a line for each check, in cmocka's form.
END
}

case ${1:-} in
-h | --help) usage; exit 0 ;;
?*) usage >&2; exit 2 ;;
esac

# Those of a source tree that distributions leave out: ours stand in for them.
not_installed='bus_driver.h dev_driver.h eal_export.h rte_eal_paging.h'
components='drivers/bus/pci drivers/bus/pci/linux drivers/bus/pci/bsd
	lib/pci lib/vfio lib/vfio_user'

if [ -n "${DPDK_HEADERS:-}" ]; then
	headers=$(echo "$DPDK_HEADERS" | tr : ' ')
else
	headers=$(pkg-config --cflags-only-I libdpdk 2>/dev/null | sed 's/-I//g')
fi
if [ -z "$headers" ]; then
	echo 'no DPDK is installed and DPDK_HEADERS is not set'
	exit 77
fi

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

# result NAME STATUS
result()
{
	echo "[ RUN      ] $1"
	if [ "$2" -eq 0 ]; then
		echo "[       OK ] $1"
	else
		echo "[  FAILED  ] $1"
		failed=1
	fi
}

mkdir "$work/sdk"
for name in $not_installed; do
	cp "lib/eal/include/$name" "$work/sdk/"
done

dpdk_flags()
{
	printf ' -isystem %s' $headers
}

# DPDK's own flags: strict C11, and a processor that has what its headers use.
compile()
{
	name=$(echo "$1" | tr / _)
	${CC:-gcc} -std=c11 -D_GNU_SOURCE -include rte_config.h -march=corei7 -mrtm -O2 -fPIC \
		-Wall -Wextra -Wcast-qual -Wformat-nonliteral -Wmissing-prototypes -Wpointer-arith \
		-Wshadow -Wundef -Wwrite-strings -Wno-missing-field-initializers \
		-Wno-unused-parameter -Wno-psabi -Werror \
		-DALLOW_EXPERIMENTAL_API -DALLOW_INTERNAL_API \
		-DRTE_LOG_DEFAULT_LOGTYPE=dropin $(printf ' -I%s' $components) -I"$work/sdk" \
		$(dpdk_flags) -c "$1" -o "$work/$name.o"
}

for component in $components; do
	status=0
	for source in "$component"/*.c; do
		# what FreeBSD's own headers are needed for
		[ "$source" != drivers/bus/pci/bsd/pci_bsd_kernel.c ] || continue
		compile "$source" || status=1
	done
	result "$component compiles with DPDK's headers" "$status"
done

if command -v clang >/dev/null; then
	devtools/lib/compare_headers.py $headers
	result "headers say what DPDK's say" $?
else
	echo 'skipped: clang is not installed, so headers are not compared'
fi

# NAME NODE of all symbols that the files export
symbols()
{
	nm -D --defined-only "$@" 2>/dev/null | sed -n 's/.* \([^ @]*\)@@*\(.*\)/\1 \2/p' | sort -u
}

# NAME NODE of all that our sources export
our_symbols()
{
	sed -n -e 's/^RTE_EXPORT_SYMBOL(\(\w*\)).*/\1 DPDK_26/p' \
		-e 's/^RTE_EXPORT_EXPERIMENTAL_SYMBOL(\(\w*\),.*/\1 EXPERIMENTAL/p' \
		-e 's/^RTE_EXPORT_INTERNAL_SYMBOL(\(\w*\)).*/\1 INTERNAL/p' \
		$(find lib drivers -name '*.c') | sort -u
}

# Names that the components use and none of them defines.
used_names()
{
	nm "$work"/*.o | sed -n 's/^ *U //p' | grep -E '^(__rte|rte|eal|per_lcore)_' | sort -u \
		>"$work/used"
	nm "$work"/*.o | sed -n 's/^[0-9a-f]* [A-Z] //p' | sort -u >"$work/defined"
	comm -23 "$work/used" "$work/defined"
}

if [ -n "${DPDK_LIBS:-}" ]; then
	for folder in $(echo "$DPDK_LIBS" | tr : ' '); do
		symbols "$folder"/librte_eal.so.26 "$folder"/librte_log.so.26 \
			"$folder"/librte_kvargs.so.26 "$folder"/librte_pci.so.26 \
			"$folder"/librte_bus_pci.so.26
	done | sort -u >"$work/theirs"
	our_symbols >"$work/ours"
	[ -s "$work/theirs" ]
	result "DPDK's libraries are there" $?
	join "$work/ours" "$work/theirs" |
		awk '$2 != $3 {print; bad = 1} END {print NR, "symbols compared"; exit bad || !NR}'
	result "symbols are of DPDK's version nodes" $?
	used_names | join -v 1 - "$work/theirs" | awk '{print; bad = 1} END {exit bad}'
	result "DPDK has every function that is used" $?
fi

exit "$failed"
