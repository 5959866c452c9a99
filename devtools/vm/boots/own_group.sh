# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh source-path=SCRIPTDIR/../guest

# Groups and containers on a kernel that has nodes of devices, too.

#vm kernel own
#vm device edu
#vm device edu
#vm program app/test/dpdk-test

. /lib.sh

load_vfio
export DPDK_TEST_EAL_ARGS='--vfio-intr=msi --vfio-mode=group' DPDK_TEST_INTERRUPT=vfio-msi
suite vm_edu
unset DPDK_TEST_EAL_ARGS
export DPDK_TEST_TRANSPORT=vfio-group
suite vm_driver
finish
