#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause

# Builds the driver, its device and its tests against an installed dpdk-vfio, as they are and with
# sanitizers, and runs the tests. Needs no root, no huge pages, no VFIO. CC, CFLAGS and PKG_CONFIG
# are obeyed; what is built goes into the folder that is named, or a temporary one.
#
# usage: ci.sh [FOLDER]

set -eu

here=$(cd "$(dirname "$0")" && pwd)
pkg_config=${PKG_CONFIG:-pkg-config}
folder=${1:-$(mktemp -d)}
[ $# -gt 0 ] || trap 'rm -rf "$folder"' EXIT

# The internal interface is that of drivers.
flags="${CFLAGS:--O2 -g -Wall -Wextra -Wno-unused-parameter} -D_GNU_SOURCE
	-DALLOW_EXPERIMENTAL_API -DALLOW_INTERNAL_API"

# What is in a variable here is words, not one.
# shellcheck disable=SC2046,SC2086
build() # NAME FLAG...
{
	out=$folder/$1
	shift
	mkdir -p "$out"
	libraries=$($pkg_config --static --cflags --libs libdpdk-vfio)
	${CC:-cc} $flags "$@" "$here/sum_device.c" -o "$out/sum_device" $libraries -lpthread
	${CC:-cc} $flags "$@" "$here/sum_pmd.c" "$here/sum_test.c" -o "$out/sum_test" \
		$libraries -lpthread
}

build plain
build sanitized -fsanitize=address,undefined -fno-sanitize-recover=undefined
for kind in plain sanitized; do
	echo "== $kind"
	"$folder/$kind/sum_test" "$folder/$kind/sum_device"
done
