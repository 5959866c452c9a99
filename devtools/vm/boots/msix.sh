# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh source-path=SCRIPTDIR/../guest

# Interrupts by MSI-X with several vectors.

#vm device ivshmem-doorbell
#vm program app/test/dpdk-test

. /lib.sh

load_vfio
suite vm_msix
finish
