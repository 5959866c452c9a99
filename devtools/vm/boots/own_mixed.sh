# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh source-path=SCRIPTDIR/../guest

# A device that has an IOMMU and one that has none, in one process, by a node and by a group. Memory
# is where both reach it by its physical address.

#vm kernel own
#vm device edu
#vm outside edu
#vm append mem=256M hugepages=32
#vm program app/test/dpdk-test

. /lib.sh

load_vfio
echo Y >/sys/module/vfio/parameters/enable_unsafe_noiommu_mode
export DPDK_TEST_TRANSPORT=vfio-mixed
suite vm_driver
check one_has_a_node ls /dev/vfio/devices/vfio0
check the_other_has_no_iommu ls /dev/vfio/noiommu-*
finish
