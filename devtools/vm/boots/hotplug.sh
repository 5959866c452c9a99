# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh source-path=SCRIPTDIR/../guest

# A device is pulled and plugged, bound and unbound, under its driver on the kernel's VFIO.

#vm pluggable edu
#vm program app/test/dpdk-test

. /lib.sh

load_vfio
export DPDK_TEST_TRANSPORT=vfio-pci
suite vm_hotplug
finish
