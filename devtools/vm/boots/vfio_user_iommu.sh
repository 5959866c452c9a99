# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh source-path=SCRIPTDIR/../guest

# Served devices behind a virtual IOMMU: the kernel's own driver, and our driver on the guest's
# VFIO, with DMA to memory whose mapping the guest changes.

#vm served gpio --loop --memory-bar @posted
#vm served edu
#vm boots 2
#vm iommu caching-mode=on
#vm module gpio-pci-idio-16
#vm program app/test/dpdk-test
#vm program app/pci/dpdk-pci
#vm program app/edu/dpdk-edu

. /lib.sh

load gpio-pci-idio-16
load_vfio
edu=$(device 1234:11e8) && bind "$edu" vfio-pci || exit

suite vm_gpio
check show_served_edu dpdk-pci -- show "$edu"
check edu_by_msi dpdk-edu
check edu_by_intx dpdk-edu --vfio-intr=legacy
finish
