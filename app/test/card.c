/* SPDX-License-Identifier: BSD-3-Clause */

#include <stdio.h>

#include <rte_dev.h>

#include "card.h"

static struct rte_pci_device *probed;

int
card_probe(struct rte_pci_driver *driver, struct rte_pci_device *device)
{
	(void)driver;
	probed = device;
	return 0;
}

int
card_remove(struct rte_pci_device *device)
{
	(void)device;
	return 0;
}

unsigned int
card_address(char name[CARD_NAME_MAX])
{
	static unsigned int number;

	number++;
	snprintf(name, CARD_NAME_MAX, "%04x:%02x:00.0", number >> 8 & 0xff, number & 0xff);
	return number;
}

int
card_find(const char *name, struct rte_pci_device **device)
{
	int rc;

	probed = NULL;
	rc = rte_eal_hotplug_add("pci", name, "");
	*device = probed;
	return rc;
}
