/* SPDX-License-Identifier: BSD-3-Clause */

/* A driver of somebody else's, which takes its device without mapping it. */

#include <stdio.h>

#include <bus_pci_driver.h>
#include <dev_driver.h>

static int
toy_probe(struct rte_pci_driver *drv, struct rte_pci_device *dev)
{
	(void)drv;
	printf("toy: probe %s\n", dev->name);
	return 0;
}

static int
toy_remove(struct rte_pci_device *dev)
{
	printf("toy: remove %s\n", dev->name);
	return 0;
}

static const struct rte_pci_id toy_ids[] = {
	{ RTE_PCI_DEVICE(0x1234, 0xcafe) },
	{ .vendor_id = 0 },
};

static struct rte_pci_driver toy = {
	.id_table = toy_ids,
	.probe = toy_probe,
	.remove = toy_remove,
};

RTE_PMD_REGISTER_PCI(raw_toy, toy);
RTE_PMD_REGISTER_PCI_TABLE(raw_toy, toy_ids);
