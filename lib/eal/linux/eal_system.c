/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <string.h>

#ifdef __x86_64__
#include <sys/io.h>
#endif

#include <eal_export.h>
#include <rte_eal.h>

#include "eal_errno.h"
#include "eal_options.h"

/* Away from where the heap, libraries and stacks of a program are. */
#define BASE_VIRTADDR_DEFAULT UINT64_C(0x100000000)

RTE_EXPORT_SYMBOL(rte_eal_iopl_init)
int
rte_eal_iopl_init(void)
{
#ifdef __x86_64__
	return iopl(3) == 0 ? 0 : -1;
#else
	return -1;
#endif
}

const char *
eal_strerror(int errnum, char *text, size_t len)
{
	return strerror_r(errnum, text, len);
}

RTE_EXPORT_INTERNAL_SYMBOL(rte_eal_get_baseaddr)
uint64_t
rte_eal_get_baseaddr(void)
{
	uint64_t asked = eal_options()->base_virtaddr;

	return asked != 0 ? asked : BASE_VIRTADDR_DEFAULT;
}
