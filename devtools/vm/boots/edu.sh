# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh source-path=SCRIPTDIR/../guest

# Ordinary pages, and an IOMMU that is narrower than the process's addresses.

#vm device edu
#vm program app/test/dpdk-test

. /lib.sh

load_vfio
export DPDK_TEST_EAL_ARGS DPDK_TEST_INTERRUPT
for way in msi legacy; do
	DPDK_TEST_EAL_ARGS="--vfio-intr=$way"
	DPDK_TEST_INTERRUPT=vfio-$(echo $way | sed s/legacy/intx/)
	echo "interrupts by $way"
	suite vm_edu
done
finish
