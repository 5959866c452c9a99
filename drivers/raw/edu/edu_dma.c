/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <eal_export.h>
#include <rte_atomic.h>
#include <rte_bus_pci.h>
#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_eal_paging.h>
#include <rte_errno.h>
#include <rte_malloc.h>

#include "edu_private.h"

/*
 * EAL's memory has IOVAs that this device cannot reach. Where an IOMMU translates, a page of it
 * gets a second, low IOVA. Devices may share an IOMMU domain, so each has a slot of its own.
 */
#define EDU_NB_SLOTS 64
#define EDU_SLOT_SIZE (UINT64_C(64) << 10)

static uint64_t edu_slots;	/* a bit for each that is in use */
static pthread_mutex_t edu_slots_lock = PTHREAD_MUTEX_INITIALIZER;

static int
edu_slot_get(void)
{
	int slot;

	pthread_mutex_lock(&edu_slots_lock);
	slot = __builtin_ffsll((long long)~edu_slots) - 1;
	if (slot >= 0)
		edu_slots |= UINT64_C(1) << slot;
	pthread_mutex_unlock(&edu_slots_lock);
	return slot;
}

static void
edu_slot_put(int slot)
{
	pthread_mutex_lock(&edu_slots_lock);
	edu_slots &= ~(UINT64_C(1) << slot);
	pthread_mutex_unlock(&edu_slots_lock);
}

/* The upper half of what the device reaches: firmware keeps its reserved ranges low. */
static uint64_t
edu_slot_iova(const struct rte_edu *edu, int slot)
{
	uint64_t mask = RTE_MIN(edu->dma_mask, EDU_DMA_MASK_DEFAULT);

	return mask / 2 + 1 + (uint64_t)slot * EDU_SLOT_SIZE;
}

static bool
edu_reaches(const struct rte_edu *edu, uint64_t iova, size_t len)
{
	return iova <= edu->dma_mask && len - 1 <= edu->dma_mask - iova;
}

static int
edu_page_map_low(struct rte_edu *edu)
{
	int slot = edu_slot_get();

	if (slot < 0)
		return -ENOSPC;
	edu->dma_iova = edu_slot_iova(edu, slot);
	if (!edu_reaches(edu, edu->dma_iova, edu->dma_len)) {
		edu_slot_put(slot);
		return -ERANGE;
	}
	if (rte_dev_dma_map(&edu->dev->device, edu->dma_page, edu->dma_iova, edu->dma_len) != 0) {
		edu_slot_put(slot);
		return rte_errno > 0 ? -rte_errno : -EIO;
	}
	edu->dma_slot = slot;
	return 0;
}

/*
 * IOVAs are ours to choose only where they are not physical addresses: without an IOMMU a chosen
 * one would be somebody's memory.
 */
static int
edu_page_map(struct rte_edu *edu)
{
	edu->dma_iova = rte_malloc_virt2iova(edu->dma_page);
	if (edu->dma_iova != RTE_BAD_IOVA && edu_reaches(edu, edu->dma_iova, edu->dma_len))
		return 0;
	if (rte_eal_iova_mode() != RTE_IOVA_VA)
		return -ERANGE;
	return edu_page_map_low(edu);
}

static void
edu_page_unmap(struct rte_edu *edu)
{
	if (edu->dma_slot < 0)
		return;
	rte_dev_dma_unmap(&edu->dev->device, edu->dma_page, edu->dma_iova, edu->dma_len);
	edu_slot_put(edu->dma_slot);
	edu->dma_slot = -1;
}

static int
edu_page_get(struct rte_edu *edu)
{
	int rc;

	edu->dma_len = RTE_MAX(rte_mem_page_size(), (size_t)RTE_EDU_BUFFER_SIZE);
	edu->dma_page = rte_zmalloc_socket("edu", edu->dma_len, edu->dma_len,
		edu->dev->device.numa_node);
	if (edu->dma_page == NULL)
		return -ENOMEM;
	rc = edu_page_map(edu);
	if (rc != 0) {
		rte_free(edu->dma_page);
		edu->dma_page = NULL;
	}
	return rc;
}

void
edu_dma_setup(struct rte_edu *edu)
{
	int rc;

	rc = edu_page_get(edu);
	if (rc != 0) {
		EDU_LOG(NOTICE, edu, "no DMA: no memory below 0x%" PRIx64 " for the device: %s",
			edu->dma_mask, strerror(-rc));
		return;
	}
	if (rte_pci_set_bus_master(edu->dev, true) < 0)
		EDU_LOG(WARNING, edu, "cannot enable bus mastering, DMA may not work");
}

/* First the device loses its access to memory, as a transfer may be under way. */
void
edu_dma_release(struct rte_edu *edu)
{
	if (edu->dma_page == NULL)
		return;
	rte_pci_set_bus_master(edu->dev, false);
	edu_page_unmap(edu);
	rte_free(edu->dma_page);
	edu->dma_page = NULL;
}

static bool
edu_in_buffer(uint32_t offset, size_t len)
{
	return len != 0 && offset <= RTE_EDU_BUFFER_SIZE && len <= RTE_EDU_BUFFER_SIZE - offset;
}

struct edu_transfer {
	uint32_t source;
	uint32_t destination;
	uint32_t len;
	uint32_t command;
};

static int
edu_transfer_start(struct rte_edu *edu, const struct edu_transfer *transfer)
{
	const struct { off_t reg; uint32_t value; } writes[] = {
		{ EDU_REG_DMA_SRC, transfer->source },
		{ EDU_REG_DMA_DST, transfer->destination },
		{ EDU_REG_DMA_COUNT, transfer->len },
		{ EDU_REG_DMA_COMMAND, transfer->command },
	};
	size_t i;
	int rc = 0;

	/* what the device is to read must be in memory before it is told to */
	rte_io_wmb();
	for (i = 0; i < RTE_DIM(writes) && rc == 0; i++)
		rc = edu_write(edu, writes[i].reg, writes[i].value);
	return rc;
}

static int
edu_transfer_run(struct rte_edu *edu, const struct edu_transfer *transfer, unsigned int timeout_ms)
{
	int rc;

	rc = edu_busy(edu, EDU_REG_DMA_COMMAND, EDU_DMA_RUN);
	if (rc != 0)
		return rc < 0 ? rc : -EBUSY;
	edu_irq_forget(edu, RTE_EDU_IRQ_DMA);
	rc = edu_transfer_start(edu, transfer);
	if (rc != 0)
		return rc;
	rc = edu_wait_idle(edu, EDU_REG_DMA_COMMAND, EDU_DMA_RUN, RTE_EDU_IRQ_DMA, timeout_ms);
	rte_io_rmb();
	return rc;
}

/* With op_lock held and the ranges checked. */
static int
edu_dma_run(struct rte_edu *edu, enum rte_edu_dma_direction direction, uint64_t iova,
	uint32_t offset, size_t len, unsigned int timeout_ms)
{
	bool from = direction == RTE_EDU_DMA_FROM_DEVICE;
	uint32_t buffer = EDU_DMA_BUFFER + offset;
	const struct edu_transfer transfer = {
		.source = from ? buffer : (uint32_t)iova,
		.destination = from ? (uint32_t)iova : buffer,
		.len = (uint32_t)len,
		.command = EDU_DMA_RUN | (from ? EDU_DMA_FROM_DEVICE : 0) |
			(edu->irq_works ? EDU_DMA_IRQ : 0),
	};

	return edu_transfer_run(edu, &transfer, timeout_ms);
}

/* A transfer whose caller has given up may still use the page; then it is not touched. */
static int
edu_dma_by_page(struct rte_edu *edu, uint32_t offset, const void *in, void *out, size_t len,
	unsigned int timeout_ms)
{
	int rc;

	if (edu->dma_page == NULL)
		return -ENOTSUP;
	rc = edu_busy(edu, EDU_REG_DMA_COMMAND, EDU_DMA_RUN);
	if (rc != 0)
		return rc < 0 ? rc : -EBUSY;
	if (in != NULL)
		memcpy(edu->dma_page, in, len);
	rc = edu_dma_run(edu, in != NULL ? RTE_EDU_DMA_TO_DEVICE : RTE_EDU_DMA_FROM_DEVICE,
		edu->dma_iova, offset, len, timeout_ms);
	if (rc == 0 && out != NULL)
		memcpy(out, edu->dma_page, len);
	return rc;
}

static int
edu_dma_copy(struct rte_edu *edu, uint32_t offset, const void *in, void *out, size_t len,
	unsigned int timeout_ms)
{
	int rc;

	if (!edu_in_buffer(offset, len))
		return -EINVAL;
	rc = edu_lock(edu);
	if (rc != 0)
		return rc;
	rc = edu_dma_by_page(edu, offset, in, out, len, timeout_ms);
	edu_unlock(edu);
	return rc;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_edu_dma_write, 25.11)
int
rte_edu_dma_write(struct rte_edu *edu, uint32_t offset, const void *data, size_t len,
	unsigned int timeout_ms)
{
	return data == NULL ? -EINVAL : edu_dma_copy(edu, offset, data, NULL, len, timeout_ms);
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_edu_dma_read, 25.11)
int
rte_edu_dma_read(struct rte_edu *edu, uint32_t offset, void *data, size_t len,
	unsigned int timeout_ms)
{
	return data == NULL ? -EINVAL : edu_dma_copy(edu, offset, NULL, data, len, timeout_ms);
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_edu_dma_iova, 25.11)
int
rte_edu_dma_iova(struct rte_edu *edu, enum rte_edu_dma_direction direction, uint64_t iova,
	uint32_t offset, size_t len, unsigned int timeout_ms)
{
	int rc;

	if (!edu_in_buffer(offset, len))
		return -EINVAL;
	if (!edu_reaches(edu, iova, len)) {
		EDU_LOG(ERR, edu, "IOVA 0x%" PRIx64 " + %zu is beyond the device's mask 0x%" PRIx64,
			iova, len, edu->dma_mask);
		return -ERANGE;
	}
	rc = edu_lock(edu);
	if (rc != 0)
		return rc;
	rc = edu_dma_run(edu, direction, iova, offset, len, timeout_ms);
	edu_unlock(edu);
	return rc;
}
