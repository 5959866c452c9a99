#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause

# usage: check_device.sh DPDK_VFIO_USER DEVICE
# The device, a program that takes the path of its socket, keeps to the protocol. It need not be one
# that can be migrated.

set -eu

folder=$(mktemp -d /tmp/check.XXXXXX)
device=
trap '[ -z "$device" ] || kill "$device"; rm -rf "$folder"' EXIT

: >"$folder/log"
"$2" "$folder/s" >"$folder/log" 2>&1 &
device=$!
for _ in $(seq 100); do
	! grep -q serving "$folder/log" || break
	sleep 0.1
done
"$1" check "$folder/s" --destructive --strict >"$folder/out" || { cat "$folder/out"; exit 1; }
tail -n 1 "$folder/out"
! grep '^skip' "$folder/out" | grep -v '^skip  migration-'
