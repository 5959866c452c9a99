# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh source-path=SCRIPTDIR/../guest

# The table of driver tests on the kernel's UIO. There is no IOMMU, and all memory is where the
# device reaches it by its physical address.

#vm device edu
#vm iommu none
#vm append mem=256M hugepages=32
#vm module uio_pci_generic
#vm program app/test/dpdk-test

. /lib.sh

load uio_pci_generic
export DPDK_TEST_TRANSPORT=uio_pci_generic
suite vm_driver
finish
