# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh source-path=SCRIPTDIR/../guest

# The table of driver tests on DPDK's own module for UIO, once with each kind of interrupt that the
# device has, and MSI-X with one that has it. There is no IOMMU.

#vm device edu
#vm device e1000e
#vm iommu none
#vm append mem=256M hugepages=32
#vm module uio
#vm built igb_uio
#vm program app/test/dpdk-test

. /lib.sh

# with MODE SUITE : a suite, while the module prefers that kind of interrupt
with()
{
	echo "igb_uio: intr_mode=$1"
	insmod /lib/modules/igb_uio.ko intr_mode="$1" || exit
	DPDK_TEST_INTERRUPT=$1 suite "$2"
	for address in "$edu" "$e1000e"; do
		unbind "$address"
		echo >"/sys/bus/pci/devices/$address/driver_override"
	done
	rmmod igb_uio || exit
}

load uio
edu=$(device 1234:11e8)
e1000e=$(device 8086:10d3)
export DPDK_TEST_TRANSPORT=igb_uio
with legacy vm_driver
with msi vm_driver
for mode in legacy msi msix; do
	with "$mode" vm_igb_uio
done
finish
