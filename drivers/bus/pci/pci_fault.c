/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include <rte_common.h>
#include <rte_stdatomic.h>

#include "pci_device.h"
#include "pci_fault.h"

#define RANGES_PER_BLOCK 64

/* A BAR. Whoever sees the device sees the rest, which was written before it. */
struct fault_range {
	RTE_ATOMIC(uintptr_t) dev;
	uintptr_t start;
	size_t len;
};

/* Blocks are only ever added, so that a handler can walk them at any time. */
struct fault_block {
	RTE_ATOMIC(struct fault_block *) next;
	struct fault_range range[RANGES_PER_BLOCK];
};

static struct fault_block first_block;
static RTE_ATOMIC(unsigned int) nb_handlers;	/* that may hold a device */
static pthread_mutex_t change_lock = PTHREAD_MUTEX_INITIALIZER;

static struct fault_block *
block_next(const struct fault_block *block)
{
	return rte_atomic_load_explicit(&block->next, rte_memory_order_acquire);
}

static struct fault_range *
block_free_range(struct fault_block *block)
{
	unsigned int i;

	for (i = 0; i < RANGES_PER_BLOCK; i++)
		if (rte_atomic_load_explicit(&block->range[i].dev, rte_memory_order_relaxed) == 0)
			return &block->range[i];
	return NULL;
}

/* A range that is free; NULL: no memory for another block. */
static struct fault_range *
range_get(void)
{
	struct fault_block *block = &first_block, *more;
	struct fault_range *range;

	while ((range = block_free_range(block)) == NULL && block_next(block) != NULL)
		block = block_next(block);
	if (range != NULL)
		return range;
	more = calloc(1, sizeof(*more));
	if (more == NULL)
		return NULL;
	rte_atomic_store_explicit(&block->next, more, rte_memory_order_release);
	return &more->range[0];
}

static int
range_add(struct pci_device *dev, const void *addr, size_t len)
{
	struct fault_range *range = range_get();

	if (range == NULL)
		return -ENOMEM;
	range->start = (uintptr_t)addr;
	range->len = len;
	rte_atomic_store_explicit(&range->dev, (uintptr_t)dev, rte_memory_order_release);
	return 0;
}

int
pci_fault_add(struct pci_device *dev)
{
	unsigned int i;
	int rc;

	pthread_mutex_lock(&change_lock);
	/* no address is in it: for the device itself, which may have no BAR that is mapped */
	rc = range_add(dev, NULL, 0);
	for (i = 0; i < PCI_MAX_RESOURCE && rc == 0; i++)
		if (dev->region[i].base != NULL)
			rc = range_add(dev, dev->region[i].base, dev->region[i].size);
	pthread_mutex_unlock(&change_lock);
	if (rc != 0)
		pci_fault_remove(dev);
	return rc;
}

int
pci_fault_add_range(struct pci_device *dev, const void *addr, size_t len)
{
	int rc;

	pthread_mutex_lock(&change_lock);
	rc = range_add(dev, addr, len);
	pthread_mutex_unlock(&change_lock);
	return rc;
}

static void
block_remove(struct fault_block *block, const struct pci_device *dev)
{
	unsigned int i;

	for (i = 0; i < RANGES_PER_BLOCK; i++)
		if (rte_atomic_load_explicit(&block->range[i].dev,
				rte_memory_order_relaxed) == (uintptr_t)dev)
			rte_atomic_store_explicit(&block->range[i].dev, 0,
				rte_memory_order_seq_cst);
}

/* A handler that has seen the device is waited for before its range can be another device's. */
void
pci_fault_remove(struct pci_device *dev)
{
	struct fault_block *block;

	pthread_mutex_lock(&change_lock);
	for (block = &first_block; block != NULL; block = block_next(block))
		block_remove(block, dev);
	while (rte_atomic_load_explicit(&nb_handlers, rte_memory_order_seq_cst) != 0)
		sched_yield();
	pthread_mutex_unlock(&change_lock);
}

/* Whether a range is the one that is looked for; it is not free. */
typedef bool (*range_is_t)(const struct fault_range *range, uintptr_t dev, uintptr_t what);

static bool
range_has_addr(const struct fault_range *range, uintptr_t dev, uintptr_t addr)
{
	(void)dev;
	return addr >= range->start && addr - range->start < range->len;
}

static bool
range_is_of(const struct fault_range *range, uintptr_t dev, uintptr_t wanted)
{
	(void)range;
	return dev == wanted;
}

static struct pci_device *
block_find(const struct fault_block *block, range_is_t is, uintptr_t what)
{
	uintptr_t dev;
	unsigned int i;

	for (i = 0; i < RANGES_PER_BLOCK; i++) {
		dev = rte_atomic_load_explicit(&block->range[i].dev, rte_memory_order_seq_cst);
		if (dev != 0 && is(&block->range[i], dev, what))
			return (struct pci_device *)dev;
	}
	return NULL;
}

/* Who is about to unmap the device waits until this is done. */
static int
find_and_handle(range_is_t is, uintptr_t what, int (*handle)(struct pci_device *dev))
{
	const struct fault_block *block;
	struct pci_device *dev = NULL;
	int rc;

	rte_atomic_fetch_add_explicit(&nb_handlers, 1, rte_memory_order_seq_cst);
	for (block = &first_block; block != NULL && dev == NULL; block = block_next(block))
		dev = block_find(block, is, what);
	rc = dev == NULL ? 1 : handle(dev);
	rte_atomic_fetch_sub_explicit(&nb_handlers, 1, rte_memory_order_seq_cst);
	return rc;
}

int
pci_fault_handle(const void *addr, int (*handle)(struct pci_device *dev))
{
	return find_and_handle(range_has_addr, (uintptr_t)addr, handle);
}

int
pci_fault_visit(const struct pci_device *dev, int (*handle)(struct pci_device *dev))
{
	return find_and_handle(range_is_of, (uintptr_t)dev, handle);
}
