# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh source-path=SCRIPTDIR/../guest

# The kernel's own driver on devices that our library serves: in I/O space, in memory with writes
# that QEMU posts, in memory with writes that it waits for. No IOMMU.

#vm served gpio --loop @waited
#vm served gpio --loop --memory-bar @posted
#vm served gpio --loop --memory-bar x-no-posted-writes=on @waited
#vm boots 2
#vm iommu none
#vm module gpio-pci-idio-16
#vm program app/test/dpdk-test

. /lib.sh

# The driver of 6.1 enables interrupts for the first card that it takes, so each has it anew.
echo 0 >/sys/bus/pci/drivers_autoprobe
for slot in 10 11 12; do
	card=0000:00:$slot.0
	load gpio-pci-idio-16
	echo $card >/sys/bus/pci/drivers/pci-idio-16/bind || exit
	echo "$card: $(sed -n 3p /sys/bus/pci/devices/$card/resource)"
	suite vm_gpio
	rmmod gpio-pci-idio-16
done
finish
