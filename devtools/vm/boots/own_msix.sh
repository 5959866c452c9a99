# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh source-path=SCRIPTDIR/../guest

# Interrupts by MSI-X with several vectors, where the kernel can add vectors to those in use.

#vm kernel own
#vm device ivshmem-doorbell
#vm program app/test/dpdk-test

. /lib.sh

load_vfio
export DPDK_TEST_EAL_ARGS
for mode in cdev group; do
	echo "devices by $mode"
	DPDK_TEST_EAL_ARGS=--vfio-mode=$mode
	suite vm_msix
	unbind "$(device 1af4:1110)"
done
finish
