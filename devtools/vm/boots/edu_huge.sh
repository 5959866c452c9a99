# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh source-path=SCRIPTDIR/../guest

# Huge pages, and an IOMMU that is as wide as the process's addresses.

#vm device edu,dma_mask=0xffffffff
#vm iommu aw-bits=48
#vm append hugepages=64
#vm program app/test/dpdk-test

. /lib.sh

load_vfio
export DPDK_TEST_EAL_ARGS DPDK_TEST_INTERRUPT=vfio-msi DPDK_TEST_HUGEPAGES=64
export DPDK_TEST_DMA_MASK=ffffffff
DPDK_TEST_EAL_ARGS='--iova-mode=va'
suite vm_edu

# the guest has less memory than the device reaches
export DPDK_TEST_IN_REACH=yes
DPDK_TEST_EAL_ARGS='--iova-mode=pa'
suite vm_edu
finish
