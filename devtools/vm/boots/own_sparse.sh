# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh source-path=SCRIPTDIR/../guest

# Windows that the owner permits, by nodes of devices and by groups.

#vm kernel own
#vm device edu
#vm device nvme
#vm device ivshmem
#vm program app/test/dpdk-test

. /lib.sh

load_vfio
suite vm_sparse_module
export DPDK_TEST_EAL_ARGS
for mode in cdev group; do
	echo "devices by $mode"
	DPDK_TEST_EAL_ARGS=--vfio-mode=$mode
	suite vm_sparse
	# a suite begins with devices that nobody has
	for id in 1234:11e8 1b36:0010 1af4:1110; do
		unbind "$(device $id)"
	done
done
finish
