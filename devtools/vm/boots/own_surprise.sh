# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh source-path=SCRIPTDIR/../guest

# A device that was opened by its own node is torn out under its driver. The small kernel leaves
# ports to ACPI unless it is told not to, since it has no ASPM.

#vm kernel own
#vm pluggable edu
#vm hotplug native
#vm append pcie_ports=native
#vm program app/test/dpdk-test

. /lib.sh

load_vfio
export DPDK_TEST_TRANSPORT=vfio-pci
suite vm_surprise
check nodes_were_used ls /dev/vfio/devices/vfio0
finish
