# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh source-path=SCRIPTDIR/../guest

# The whole circle: our library serves a device, QEMU shows it to the guest, the guest's kernel
# gives it to our bus and our driver.

#vm served edu
#vm boots 2
#vm iommu caching-mode=on
#vm program app/test/dpdk-test

# An MSI that comes while the kernel switches it off is sent to address 0, which the IOMMU refuses.
#vm complaint iova=0x0\b
#vm complaint New fault is not recorded due to compression of faults

. /lib.sh

load_vfio
export DPDK_TEST_TRANSPORT=served
suite vm_driver
finish
