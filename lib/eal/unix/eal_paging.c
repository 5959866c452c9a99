/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_eal_paging.h>
#include <rte_errno.h>
#include <rte_os_shim.h>

#include "eal_export.h"

/* Linux 4.17; libc of that age may lack it. Same value on all of our machines. */
#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

struct flag_name {
	int ours;
	int system;
};

static const struct flag_name prot_flags[] = {
	{ RTE_PROT_READ, PROT_READ },
	{ RTE_PROT_WRITE, PROT_WRITE },
	{ RTE_PROT_EXECUTE, PROT_EXEC },
};

static const struct flag_name map_flags[] = {
	{ RTE_MAP_SHARED, MAP_SHARED },
	{ RTE_MAP_ANONYMOUS, MAP_ANONYMOUS },
	{ RTE_MAP_PRIVATE, MAP_PRIVATE },
	{ RTE_MAP_FORCE_ADDRESS, MAP_FIXED },
	{ RTE_MAP_FORCE_ADDRESS_NOREPLACE, MAP_FIXED_NOREPLACE },
};

static int
flags_to_system(const struct flag_name *table, size_t nb, int ours)
{
	int system = 0;
	size_t i;

	for (i = 0; i < nb; i++)
		if ((ours & table[i].ours) != 0)
			system |= table[i].system;
	return system;
}

/* A kernel that does not know MAP_FIXED_NOREPLACE takes the address as a hint. */
static void *
refuse_other_address(void *addr, void *wanted, size_t size)
{
	if (addr == wanted)
		return addr;
	munmap(addr, size);
	rte_errno = EEXIST;
	return NULL;
}

RTE_EXPORT_INTERNAL_SYMBOL(rte_mem_map)
void *
rte_mem_map(void *requested_addr, size_t size, int prot, int flags, int fd, uint64_t offset)
{
	int sys_prot = flags_to_system(prot_flags, RTE_DIM(prot_flags), prot);
	int sys_flags = flags_to_system(map_flags, RTE_DIM(map_flags), flags);
	off_t sys_offset = (off_t)offset;
	void *addr;

	if (sys_offset < 0 || (uint64_t)sys_offset != offset) {
		rte_errno = EINVAL;
		return NULL;
	}
	addr = mmap(requested_addr, size, sys_prot, sys_flags, fd, sys_offset);
	if (addr == MAP_FAILED) {
		rte_errno = (flags & RTE_MAP_FORCE_ADDRESS_NOREPLACE) != 0 && MAP_TAKEN(errno) ?
			EEXIST : errno;
		return NULL;
	}
	if ((flags & RTE_MAP_FORCE_ADDRESS_NOREPLACE) != 0)
		return refuse_other_address(addr, requested_addr, size);
	return addr;
}

static int
result_of(int rc)
{
	if (rc != 0)
		rte_errno = errno;
	return rc;
}

RTE_EXPORT_INTERNAL_SYMBOL(rte_mem_unmap)
int
rte_mem_unmap(void *virt, size_t size)
{
	return result_of(munmap(virt, size));
}

RTE_EXPORT_INTERNAL_SYMBOL(rte_mem_page_size)
size_t
rte_mem_page_size(void)
{
	static size_t page_size;
	size_t size = __atomic_load_n(&page_size, __ATOMIC_RELAXED);

	if (size == 0) {
		size = sysconf(_SC_PAGESIZE);
		__atomic_store_n(&page_size, size, __ATOMIC_RELAXED);
	}
	return size;
}

/* mlock() wants the first page whole on some systems; Linux rounds by itself. */
RTE_EXPORT_INTERNAL_SYMBOL(rte_mem_lock)
int
rte_mem_lock(const void *virt, size_t size)
{
	return result_of(mlock(virt, size));
}
