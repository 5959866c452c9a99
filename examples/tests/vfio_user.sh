#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause

# usage: vfio_user.sh DEVICE CLIENT
# The client uses the device, twice, and the device ends as it should.

set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
socket=$folder/adder.sock

touch "$folder/log"
"$1" "$socket" >"$folder/log" &
device=$!
for _ in 1 2 3 4 5 6 7 8 9 10; do
	! grep -q serving "$folder/log" || break
	sleep 0.2
done
for _ in first second; do
	said=$("$2" "$socket") || { kill "$device"; exit 1; }
	echo "$said"
	[ "$said" = 'the sum of 1 to 100 is 5050' ] || { kill "$device"; exit 1; }
done
kill "$device"
wait "$device"
[ ! -e "$socket" ]
