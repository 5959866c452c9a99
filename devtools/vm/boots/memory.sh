# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh source-path=SCRIPTDIR/../guest

# Memory made of huge pages, by a kernel that has some, with the rights to see physical addresses.

#vm append hugepages=64
#vm program app/test/dpdk-test

. /lib.sh

suite memory_event memory_external memory_huge memory_limit memory_paging memory_share \
	memory_start memory_walk
suite malloc malloc_stress
finish
