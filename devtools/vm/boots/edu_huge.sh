# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh source-path=SCRIPTDIR/../guest

# Huge pages, and an IOMMU that is as wide as the process's addresses.

#vm device edu
#vm iommu aw-bits=48
#vm append hugepages=64
#vm program app/test/dpdk-test

. /lib.sh

load_vfio
export DPDK_TEST_EAL_ARGS DPDK_TEST_INTERRUPT DPDK_TEST_HUGEPAGES=64
for mode in va pa; do
	DPDK_TEST_EAL_ARGS="--iova-mode=$mode"
	DPDK_TEST_INTERRUPT=vfio-msi
	echo "IOVA mode $mode"
	suite vm_edu
done
finish
