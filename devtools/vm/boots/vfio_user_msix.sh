# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh source-path=SCRIPTDIR/../guest

# MSI-X with several vectors of a device that our library serves, by QEMU and the guest's VFIO: each
# of them counted, and masked; and the table of driver tests.

#vm served edu --msix
#vm boots 2
#vm iommu caching-mode=on
#vm program app/test/dpdk-test

. /lib.sh

load_vfio
suite vm_msix
export DPDK_TEST_TRANSPORT=served_msix
suite vm_driver
finish
