/* SPDX-License-Identifier: BSD-3-Clause */

#include <stdlib.h>

#include <bus_driver.h>
#include <bus_pci_driver.h>
#include <rte_bus.h>
#include <rte_common.h>
#include <rte_dev.h>
#include <rte_devargs.h>
#include <rte_eal.h>

#include "fake_backend.h"
#include "fake_sysfs.h"
#include "pci_device.h"
#include "tame_driver.h"
#include "test.h"

static unsigned int last_turn;
static struct tame_driver *tames;

int
tame_probe(struct rte_pci_driver *driver, struct rte_pci_device *dev)
{
	struct tame_driver *tame = container_of(driver, struct tame_driver, pci);

	tame->nb_probes++;
	tame->dev = dev;
	tame->turn = ++last_turn;
	tame->bar0 = dev->mem_resource[0].addr;
	tame->max_vfs = dev->max_vfs;
	tame->had_handles = dev->intr_handle != NULL && dev->vfio_req_intr_handle != NULL;
	tame->was_probed = rte_dev_is_probed(&dev->device);
	tame->was_driver = dev->driver == driver;
	return tame->in_probe != NULL ? tame->in_probe(dev) : tame->probe_rc;
}

int
tame_remove(struct rte_pci_device *dev)
{
	struct tame_driver *tame = container_of(dev->driver, struct tame_driver, pci);

	tame->nb_removes++;
	return tame->remove_rc;
}

int
tame_dma_map(struct rte_pci_device *dev, void *addr, uint64_t iova, size_t len)
{
	struct tame_driver *tame = container_of(dev->driver, struct tame_driver, pci);

	tame->nb_dma_maps++;
	return tame->dma_rc;
}

int
tame_dma_unmap(struct rte_pci_device *dev, void *addr, uint64_t iova, size_t len)
{
	struct tame_driver *tame = container_of(dev->driver, struct tame_driver, pci);

	tame->nb_dma_unmaps++;
	return tame->dma_rc;
}

struct tame_driver *
tame_keep(struct tame_driver like)
{
	struct tame_driver *tame = malloc(sizeof(*tame));

	assert_non_null(tame);
	*tame = like;
	tame->next = tames;
	tames = tame;
	return tame;
}

void
tame_register(struct tame_driver *tame)
{
	rte_pci_register(&tame->pci);
	tame->registered = true;
}

void
tame_unregister(struct tame_driver *tame)
{
	rte_pci_unregister(&tame->pci);
	tame->registered = false;
}

const struct rte_pci_id tame_ids_1[] = {
	{ RTE_PCI_DEVICE(0x1234, 0x0001) },
	{ .vendor_id = 0 },
};

const struct rte_pci_id tame_ids_2[] = {
	{ RTE_PCI_DEVICE(0x1234, 0x0002) },
	{ .vendor_id = 0 },
};

const struct rte_pci_id tame_ids_all[] = {
	{ RTE_PCI_DEVICE(RTE_PCI_ANY_ID, RTE_PCI_ANY_ID) },
	{ .vendor_id = 0 },
};

const struct fake_pci tame_device = {
	.id = { 0x020000, 0x1234, 0x0001, 0x1af4, 0x1100 },
	.bar[0] = { .size = 0x10000, .areas = { { 0, 0x4000 }, { 0x8000, 0x4000 } },
		.nb_areas = 2 },
	.bar[2] = { .size = 0x1000 },
};

struct fake_sysfs *tame_sysfs;
struct rte_bus *tame_bus;

int
tame_setup(void **state)
{
	tame_sysfs = fake_sysfs_start();
	fake_backend_start();
	tame_bus = rte_bus_find_by_name("pci");
	assert_non_null(tame_bus);
	last_turn = 0;
	return 0;
}

int
tame_teardown(void **state)
{
	struct tame_driver *tame;

	rte_eal_cleanup();	/* still runs after a failure */
	while ((tame = tames) != NULL) {
		tames = tame->next;
		if (tame->registered)
			tame_unregister(tame);
		free(tame);
	}
	fake_backend_stop();
	fake_sysfs_stop(tame_sysfs);
	return 0;
}

struct rte_device *
tame_find(const char *name)
{
	char filter[64];
	struct rte_dev_iterator it;
	struct rte_device *dev, *found = NULL;

	snprintf(filter, sizeof(filter), "bus=pci,addr=%s", name);
	RTE_DEV_FOREACH(dev, filter, &it)
		found = dev;
	return found;
}

unsigned int
tame_count(void)
{
	struct rte_dev_iterator it;
	struct rte_device *dev;
	unsigned int nb = 0;

	RTE_DEV_FOREACH(dev, "bus=pci", &it)
		nb++;
	return nb;
}

void
tame_assert_released(const struct rte_pci_device *dev)
{
	unsigned int i;

	assert_null(dev->driver);
	assert_false(rte_dev_is_probed(&dev->device));
	assert_null(dev->intr_handle);
	assert_null(dev->vfio_req_intr_handle);
	for (i = 0; i < PCI_MAX_RESOURCE; i++)
		assert_null(dev->mem_resource[i].addr);
}
