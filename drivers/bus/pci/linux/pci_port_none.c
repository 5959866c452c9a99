/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <string.h>

#include <rte_common.h>

#include "pci_port.h"

int
pci_port_enable(void)
{
	return -ENOTSUP;
}

void
pci_port_in(uint16_t port, void *buf, size_t width)
{
	RTE_SET_USED(port);
	memset(buf, 0xff, width);
}

void
pci_port_out(uint16_t port, const void *buf, size_t width)
{
	RTE_SET_USED(port);
	RTE_SET_USED(buf);
	RTE_SET_USED(width);
}
