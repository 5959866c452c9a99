/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>

#include <rte_common.h>
#include <rte_eal.h>
#include <rte_eal_memconfig.h>
#include <rte_malloc.h>
#include <rte_memory.h>
#include <rte_tailq.h>

#include "pci_device.h"
#include "pci_shared.h"

struct pci_shared_device {
	TAILQ_ENTRY(pci_shared_device) next;
	struct rte_pci_addr addr;
	struct pci_shared_bar bar[PCI_MAX_RESOURCE];
};

TAILQ_HEAD(pci_shared_list, pci_shared_device);

static struct rte_tailq_elem pci_shared_tailq = {
	.name = "VFIO_RESOURCE_LIST",
};
EAL_REGISTER_TAILQ(pci_shared_tailq)

static struct pci_shared_list *
shared_list(void)
{
	return RTE_TAILQ_CAST(pci_shared_tailq.head, pci_shared_list);
}

/* With the lock of the tailqs held. */
static struct pci_shared_device *
shared_lookup(const struct rte_pci_addr *addr)
{
	struct pci_shared_device *shared;

	TAILQ_FOREACH(shared, shared_list(), next)
		if (rte_pci_addr_cmp(&shared->addr, addr) == 0)
			return shared;
	return NULL;
}

int
pci_shared_publish(const struct pci_device *dev)
{
	struct pci_shared_device *shared;
	unsigned int i;

	shared = rte_zmalloc("pci_shared", sizeof(*shared), 0);
	if (shared == NULL)
		return -ENOMEM;
	shared->addr = dev->pub.addr;
	for (i = 0; i < PCI_MAX_RESOURCE; i++) {
		shared->bar[i].base = dev->region[i].base;
		shared->bar[i].size = dev->region[i].size;
	}
	rte_mcfg_tailq_write_lock();
	TAILQ_INSERT_TAIL(shared_list(), shared, next);
	rte_mcfg_tailq_write_unlock();
	return 0;
}

void
pci_shared_withdraw(const struct pci_device *dev)
{
	struct pci_shared_device *shared;

	if (rte_eal_process_type() != RTE_PROC_PRIMARY)
		return;
	rte_mcfg_tailq_write_lock();
	shared = shared_lookup(&dev->pub.addr);
	if (shared != NULL)
		TAILQ_REMOVE(shared_list(), shared, next);
	rte_mcfg_tailq_write_unlock();
	rte_free(shared);
}

int
pci_shared_find(const struct rte_pci_addr *addr, struct pci_shared_bar bars[PCI_MAX_RESOURCE])
{
	const struct pci_shared_device *shared;
	unsigned int i;

	rte_mcfg_tailq_read_lock();
	shared = shared_lookup(addr);
	for (i = 0; shared != NULL && i < PCI_MAX_RESOURCE; i++)
		bars[i] = shared->bar[i];
	rte_mcfg_tailq_read_unlock();
	return shared != NULL ? 0 : -ENOENT;
}

static int
memory_end(const struct rte_memseg_list *msl, void *arg)
{
	void **end = arg;

	if (msl->external == 0)
		*end = RTE_MAX(*end, RTE_PTR_ADD(msl->base_va, msl->len));
	return 0;
}

void *
pci_shared_free_address(void)
{
	const struct pci_shared_device *shared;
	void *end = NULL;
	unsigned int i;

	rte_memseg_list_walk(memory_end, &end);
	if (end == NULL)
		return NULL;
	rte_mcfg_tailq_read_lock();
	TAILQ_FOREACH(shared, shared_list(), next)
		for (i = 0; i < PCI_MAX_RESOURCE; i++)
			if (shared->bar[i].base != NULL)
				end = RTE_MAX(end, RTE_PTR_ADD(shared->bar[i].base,
					shared->bar[i].size));
	rte_mcfg_tailq_read_unlock();
	return end;
}
