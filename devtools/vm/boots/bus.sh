# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh source-path=SCRIPTDIR/../guest

#vm device pci-testdev,membar=2M
#vm device nvme
#vm device e1000e
#vm device virtio-net
#vm program app/test/dpdk-test

. /lib.sh

load_vfio
suite vm_bus
finish
