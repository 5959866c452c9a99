# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh source-path=SCRIPTDIR/../guest

#vm device edu
#vm device nvme
#vm device ivshmem
#vm program app/test/dpdk-test

. /lib.sh

load_vfio
suite vm_sparse_module
suite vm_sparse
finish
