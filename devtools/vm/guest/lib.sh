# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh

# What guest scripts share. To be sourced.

set -u
failures=0

# load MODULE... : names, or files for modules of our own
load()
{
	for module in "$@"; do
		case $module in
		/*) insmod "$module" ;;
		*) modprobe "$module" ;;
		esac || { echo "guest: cannot load $module"; exit 1; }
	done
}

# The kernel's VFIO, vfio-pci, and our variant of it.
load_vfio()
{
	load vfio_iommu_type1 vfio-pci /lib/modules/sparse_vfio_pci.ko
}

# device VENDOR:DEVICE : address of the first such device
device()
{
	for path in /sys/bus/pci/devices/*; do
		id=$(cat "$path/vendor"):$(cat "$path/device")
		if [ "$id" = "0x${1%:*}:0x${1#*:}" ]; then
			basename "$path"
			return 0
		fi
	done
	echo "guest: no device $1" >&2
	return 1
}

unbind()
{
	[ ! -e "/sys/bus/pci/devices/$1/driver" ] ||
		echo "$1" >"/sys/bus/pci/devices/$1/driver/unbind"
}

# bind ADDRESS DRIVER
bind()
{
	unbind "$1"
	echo "$2" >"/sys/bus/pci/devices/$1/driver_override"
	echo "$1" >/sys/bus/pci/drivers_probe
	bound=$(basename "$(readlink "/sys/bus/pci/devices/$1/driver")")
	[ "$bound" = "$2" ] || { echo "guest: $1 is bound to \"$bound\", not to $2"; return 1; }
}

# check NAME COMMAND... : runs a command that must succeed, in the form that cmocka prints
check()
{
	check_name=$1
	shift
	echo "[ RUN      ] $check_name"
	if "$@"; then
		echo "[       OK ] $check_name"
	else
		echo "[  FAILED  ] $check_name"
		failures=$((failures + 1))
	fi
}

# suite NAME... : runs suites of dpdk-test
suite()
{
	dpdk-test "$@" || failures=$((failures + 1))
}

# to end a script with
finish()
{
	[ "$failures" -eq 0 ]
	exit
}
