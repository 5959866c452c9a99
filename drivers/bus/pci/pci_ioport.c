/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <string.h>

#include <eal_export.h>
#include <rte_errno.h>

#include "pci_access.h"
#include "pci_device.h"
#include "pci_log.h"

/*
 * The functions return nothing, so only the log can tell. It tells of the first failure, and
 * then each time that their number has doubled.
 */
static void
ioport_log_failure(const struct rte_pci_ioport *p, const char *verb, size_t len, off_t offset,
	int err)
{
	static atomic_uint failures;
	unsigned int nb = atomic_fetch_add_explicit(&failures, 1, memory_order_relaxed) + 1;

	if ((nb & (nb - 1)) == 0)
		PCI_LOG(ERR, "%s: BAR%" PRIu64 ": cannot %s %zu bytes at %#jx: %s", p->dev->name,
			p->base, verb, len, (uintmax_t)offset, rte_strerror(-err));
}

RTE_EXPORT_SYMBOL(rte_pci_ioport_map)
int
rte_pci_ioport_map(struct rte_pci_device *dev, int bar, struct rte_pci_ioport *p)
{
	const struct pci_device *pdev = pci_device_of_const(dev);

	if ((unsigned int)bar >= PCI_MAX_RESOURCE)
		return -EINVAL;
	if (pdev->state == NULL)
		return -ENODEV;
	if (pdev->region[bar].size == 0)
		return -EINVAL;
	p->dev = dev;
	p->base = (uint64_t)bar;
	p->len = pdev->region[bar].size;
	return 0;
}

RTE_EXPORT_SYMBOL(rte_pci_ioport_unmap)
int
rte_pci_ioport_unmap(struct rte_pci_ioport *p)
{
	if (p->dev == NULL)
		return -EINVAL;
	memset(p, 0, sizeof(*p));
	return 0;
}

RTE_EXPORT_SYMBOL(rte_pci_ioport_read)
void
rte_pci_ioport_read(struct rte_pci_ioport *p, void *data, size_t len, off_t offset)
{
	int rc;

	rc = pci_access_read(pci_device_of_const(p->dev), (unsigned int)p->base, data, len, offset);
	if (rc >= 0)
		return;
	/* as a bus answers when nobody is there */
	memset(data, 0xff, len);
	ioport_log_failure(p, "read", len, offset, rc);
}

RTE_EXPORT_SYMBOL(rte_pci_ioport_write)
void
rte_pci_ioport_write(struct rte_pci_ioport *p, const void *data, size_t len, off_t offset)
{
	int rc;

	rc = pci_access_write(pci_device_of_const(p->dev), (unsigned int)p->base, data, len,
		offset);
	if (rc < 0)
		ioport_log_failure(p, "write", len, offset, rc);
}
