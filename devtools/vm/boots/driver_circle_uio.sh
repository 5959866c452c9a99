# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh source-path=SCRIPTDIR/../guest

# The circle with the kernel's UIO in the guest: a device that our library serves, with a BAR of
# memory, and no IOMMU. All memory is where the device reaches it by its physical address.

#vm served edu
#vm iommu none
#vm append mem=256M hugepages=32
#vm module uio_pci_generic
#vm program app/test/dpdk-test

. /lib.sh

load uio_pci_generic
export DPDK_TEST_TRANSPORT=served_uio
suite vm_driver
finish
