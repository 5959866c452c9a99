# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh source-path=SCRIPTDIR/../guest

# Devices by their own nodes, and iommufd: chosen when they are there, without the nodes of groups;
# and groups, when the nodes of devices are not there.

#vm kernel own
#vm device edu
#vm device edu
#vm program app/test/dpdk-test
#vm program app/edu/dpdk-edu

. /lib.sh

load_vfio
edu=$(device 1234:11e8) && bind "$edu" vfio-pci || exit
mkdir /dev/away
mv /dev/vfio/[0-9]* /dev/away || exit
check node_is_chosen dpdk-edu
check node_by_option dpdk-edu --vfio-mode=cdev
mv /dev/away/* /dev/vfio
mv /dev/vfio/devices/* /dev/away || exit
check group_where_there_is_no_node dpdk-edu
mv /dev/away/* /dev/vfio/devices
mv /dev/iommu /dev/away || exit
check group_where_there_is_no_iommufd dpdk-edu
mv /dev/away/iommu /dev
unbind "$edu"

export DPDK_TEST_EAL_ARGS DPDK_TEST_INTERRUPT
for way in msi legacy; do
	DPDK_TEST_EAL_ARGS="--vfio-intr=$way --vfio-mode=cdev"
	DPDK_TEST_INTERRUPT=vfio-$(echo $way | sed s/legacy/intx/)
	suite vm_edu
done
unset DPDK_TEST_EAL_ARGS
export DPDK_TEST_TRANSPORT=vfio-node
suite vm_driver
finish
