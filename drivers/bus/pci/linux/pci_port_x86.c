/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/io.h>

#include <rte_eal.h>

#include "pci_port.h"

int
pci_port_enable(void)
{
	static __thread bool enabled;

	if (!enabled)
		enabled = rte_eal_iopl_init() == 0;
	return enabled ? 0 : -EPERM;
}

void
pci_port_in(uint16_t port, void *buf, size_t width)
{
	uint32_t value = width == 4 ? inl(port) : width == 2 ? inw(port) : inb(port);

	memcpy(buf, &value, width);
}

void
pci_port_out(uint16_t port, const void *buf, size_t width)
{
	uint32_t value = 0;

	memcpy(&value, buf, width);
	if (width == 4)
		outl(value, port);
	else if (width == 2)
		outw((uint16_t)value, port);
	else
		outb((uint8_t)value, port);
}
