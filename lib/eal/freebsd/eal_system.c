/* SPDX-License-Identifier: BSD-3-Clause */

#include <fcntl.h>
#include <string.h>

#include <eal_export.h>
#include <rte_eal.h>

#include "eal_errno.h"
#include "eal_kernel.h"
#include "eal_options.h"

#define BASE_VIRTADDR_DEFAULT UINT64_C(0x100000000)

/* The descriptor is never closed: ports are open to the thread for as long as it lives. */
RTE_EXPORT_SYMBOL(rte_eal_iopl_init)
int
rte_eal_iopl_init(void)
{
	static int fd = -1;

	if (fd < 0)
		fd = eal_kernel->open("/dev/io", O_RDWR);
	return fd < 0 ? -1 : 0;
}

const char *
eal_strerror(int errnum, char *text, size_t len)
{
	strerror_r(errnum, text, len);
	return text;
}

RTE_EXPORT_INTERNAL_SYMBOL(rte_eal_get_baseaddr)
uint64_t
rte_eal_get_baseaddr(void)
{
	uint64_t asked = eal_options()->base_virtaddr;

	return asked != 0 ? asked : BASE_VIRTADDR_DEFAULT;
}
