# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh source-path=SCRIPTDIR/../guest

# A device on the kernel's VFIO is torn out under its driver.

#vm pluggable edu
#vm hotplug native
#vm program app/test/dpdk-test

. /lib.sh

load_vfio
export DPDK_TEST_TRANSPORT=vfio-pci
suite vm_surprise
finish
