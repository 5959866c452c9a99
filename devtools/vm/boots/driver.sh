# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh source-path=SCRIPTDIR/../guest

# The table of driver tests on the kernel's VFIO.

#vm device edu
#vm device edu
#vm program app/test/dpdk-test

. /lib.sh

load_vfio
export DPDK_TEST_TRANSPORT=vfio-pci
suite vm_driver
finish
