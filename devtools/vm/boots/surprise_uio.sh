# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh source-path=SCRIPTDIR/../guest

# The same on the kernel's UIO.

#vm pluggable edu
#vm hotplug native
#vm iommu none
#vm module uio_pci_generic
#vm append mem=256M hugepages=32
#vm program app/test/dpdk-test

. /lib.sh

load uio_pci_generic
export DPDK_TEST_TRANSPORT=uio_pci_generic
suite vm_surprise
finish
