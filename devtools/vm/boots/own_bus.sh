# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh source-path=SCRIPTDIR/../guest

# Devices of every kind by their own nodes.

#vm kernel own
#vm device pci-testdev,membar=2M
#vm device nvme
#vm device e1000e
#vm device virtio-net
#vm program app/test/dpdk-test

. /lib.sh

load_vfio
export DPDK_TEST_EAL_ARGS=--vfio-mode=cdev
suite vm_bus
finish
