# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh source-path=SCRIPTDIR/../guest

# VFIO without an IOMMU: what is said while the kernel forbids it, then the driver tests. All memory
# is where the device reaches it by its physical address.

#vm kernel own
#vm device edu
#vm iommu none
#vm append mem=256M hugepages=32
#vm program app/test/dpdk-test
#vm program app/edu/dpdk-edu

. /lib.sh

parameter=/sys/module/vfio/parameters/enable_unsafe_noiommu_mode

load_vfio
edu=$(device 1234:11e8) || exit
check forbidden_at_first eval '! bind "$edu" vfio-pci 2>/dev/null'
echo Y >$parameter
bind "$edu" vfio-pci || exit
echo N >$parameter
dpdk-edu >/tmp/out 2>&1
check later_forbidden_is_told grep "permit.*write Y to $parameter" /tmp/out || cat /tmp/out
echo Y >$parameter
check node_is_that_of_the_group eval '! ls /dev/vfio/devices 2>/dev/null && ls /dev/vfio/noiommu-*'

export DPDK_TEST_TRANSPORT=vfio-noiommu
suite vm_driver
finish
